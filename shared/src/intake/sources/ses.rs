//! SES: mails that did not arrive, people who complained, a reputation that suffers, and mails that were received.
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>, <https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html>,
//! <https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html>
//!
//! - What goes wrong with mails is known by their sender and by what goes wrong, so that a thousand bounces are one card. Nothing says that it is over.
//! - A bounce or a delay is P4; a complaint, a virus or a template that cannot be filled is P3, because these mails never arrive or cost the reputation.
//! - Advice says its impact: `HIGH` is P2, all else P3; resolved or closed, it is over. Sending that SES switched off is P2, that somebody switched off P4.
//! - Mails that were sent, delivered, opened and clicked are not told; a mail that was received is a notice.

use serde_json::{Map, Value};

use crate::domain::severity::Severity::{P2, P3, P4};
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{object, objects, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// How many of a mail's recipients are named.
const RECIPIENTS: usize = 3;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let news = match event.detail_type() {
        "Sending Status Enabled" | "Sending Status Disabled" => sending(event, detail)?,
        kind if kind.starts_with("Advisor ") => advice(event, detail)?,
        _ => mail(event, detail)?,
    };
    news.only()
}

fn mail(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    if let Some(received) = object(detail, "ses") {
        return received_mail(received);
    }
    let kind = text(detail, "eventType").or_else(|| text(detail, "notificationType"))?;
    let sent = Sent::of(event, detail);
    Some(match kind {
        "Received" => return received_mail(detail),
        "AmazonSnsSubscriptionSucceeded" => News::nothing("SES says that it will tell of mails here"),
        "Delivery" | "Send" | "Open" | "Click" | "Subscription" => News::nothing("the mail went where it should"),
        "Bounce" => bounce(&sent?, detail),
        "Complaint" => complaint(&sent?, detail),
        "Reject" => sent?.wrong("A mail from {} was rejected", "rejects", P3).why(text(detail, "reject.reason")),
        "Rendering Failure" | "RenderingFailure" => unfilled(&sent?, detail),
        "DeliveryDelay" => late(&sent?, detail),
        other => sent?.wrong("Mails from {} have a problem", "other", P4).why(Some(other)),
    })
}

/// What is known about a mail that was sent.
struct Sent<'a> {
    from: &'a str,
    arn: Option<&'a str>,
    subject: Option<&'a str>,
    to: Vec<&'a str>,
    tags: Option<&'a str>,
    place: Place,
}

impl<'a> Sent<'a> {
    fn of(event: &Event, detail: &'a Map<String, Value>) -> Option<Self> {
        let arn = text(detail, "mail.sourceArn");
        let place = arn.and_then(Arn::parse).map(|arn| Place::of(&arn)).unwrap_or_default();
        Some(Self {
            from: text(detail, "mail.source")?,
            arn,
            subject: text(detail, "mail.commonHeaders.subject"),
            to: texts(detail, "mail.destination").collect(),
            tags: text(detail, "mail.tags.ses:configuration-set.0"),
            place: place.or(event.place()),
        })
    }

    /// `title` has `{}` for the sender.
    fn wrong(&self, title: &str, about: &str, severity: crate::domain::severity::Severity) -> News {
        let identity = self.arn.and_then(|arn| arn.rsplit_once("identity/")).map(|(_, identity)| identity);
        let page =
            identity.map_or_else(|| "ses/home#/account".to_owned(), |identity| format!("ses/home#/identities/{}", encoded(identity)));
        News::wrong(title.replace("{}", self.from))
            .known_by(Some(format!("{}/{about}", self.arn.unwrap_or(self.from))))
            .severity(Some(severity))
            .affects([identity.unwrap_or(self.from)])
            .detail("Subject", self.subject)
            .detail("Configuration set", self.tags)
            .page(self.place.console(&page))
            .in_place(self.place.clone())
    }
}

/// The first of some addresses, and how many more there are.
fn some(all: &[&str]) -> Option<String> {
    let shown = all.iter().take(RECIPIENTS).copied().collect::<Vec<_>>().join(", ");
    let more = all.len().saturating_sub(RECIPIENTS);
    let told = if more == 0 { shown } else { format!("{shown} and {more} more") };
    (!all.is_empty()).then_some(told)
}

fn bounce(sent: &Sent<'_>, detail: &Map<String, Value>) -> News {
    let to: Vec<&str> = objects(detail, "bounce.bouncedRecipients").filter_map(|recipient| text(recipient, "emailAddress")).collect();
    let title = if text(detail, "bounce.bounceType") == Some("Transient") {
        "Mails from {} could not be delivered for now"
    } else {
        "Mails from {} bounce"
    };
    let kind = text(detail, "bounce.bounceType").map(|kind| match text(detail, "bounce.bounceSubType") {
        Some(more) => format!("{kind}, {more}"),
        None => kind.to_owned(),
    });
    sent.wrong(title, "bounces", P4)
        .why(text(detail, "bounce.bouncedRecipients.0.diagnosticCode"))
        .at(time_in(detail, "bounce.timestamp"))
        .detail("To", some(&to))
        .detail("Bounce", kind)
}

fn complaint(sent: &Sent<'_>, detail: &Map<String, Value>) -> News {
    // Somebody said that a mail in the spam folder is none.
    if text(detail, "complaint.complaintFeedbackType") == Some("not-spam") {
        return News::nothing("somebody said that a mail is no spam");
    }
    let from: Vec<&str> =
        objects(detail, "complaint.complainedRecipients").filter_map(|recipient| text(recipient, "emailAddress")).collect();
    sent.wrong("Somebody complained about mails from {}", "complaints", P3)
        .at(time_in(detail, "complaint.timestamp"))
        .detail("By", some(&from))
        .detail("Complaint", text(detail, "complaint.complaintFeedbackType").or_else(|| text(detail, "complaint.complaintSubType")))
}

fn unfilled(sent: &Sent<'_>, detail: &Map<String, Value>) -> News {
    let template = text(detail, "failure.templateName");
    let about = format!("templates/{}", template.unwrap_or_default());
    sent.wrong("Mails from {} are not sent: their template cannot be filled", &about, P3)
        .why(text(detail, "failure.errorMessage"))
        .detail("Template", template)
        .detail("To", some(&sent.to))
}

fn late(sent: &Sent<'_>, detail: &Map<String, Value>) -> News {
    let to: Vec<&str> =
        objects(detail, "deliveryDelay.delayedRecipients").filter_map(|recipient| text(recipient, "emailAddress")).collect();
    sent.wrong("Mails from {} are late", "delays", P4)
        .why(text(detail, "deliveryDelay.delayedRecipients.0.diagnosticCode"))
        .at(time_in(detail, "deliveryDelay.timestamp"))
        .detail("To", some(&to))
        .detail("Delay", text(detail, "deliveryDelay.delayType"))
        .detail("Tried until", text(detail, "deliveryDelay.expirationTime"))
}

/// A mail that was received, as Lambda's record or SNS's notification says it. What is in it is not shown.
fn received_mail(received: &Map<String, Value>) -> Option<News> {
    let from = text(received, "mail.commonHeaders.from.0").or_else(|| text(received, "mail.source"))?;
    let virus = text(received, "receipt.virusVerdict.status") == Some("FAIL");
    let title = match text(received, "mail.commonHeaders.subject") {
        Some(subject) => format!("Mail from {from}: {subject}"),
        None => format!("Mail from {from}"),
    };
    let news =
        if virus { News::wrong(format!("Virus in a mail from {from}")).severity(Some(P3)) } else { News::notice(title).severity(Some(P4)) };
    let failed: Vec<&str> = ["spam", "spf", "dkim", "dmarc"]
        .into_iter()
        .filter(|check| text(received, &format!("receipt.{check}Verdict.status")) == Some("FAIL"))
        .collect();
    let to: Vec<&str> = texts(received, "mail.destination").collect();
    Some(
        news.at(time_in(received, "receipt.timestamp").or_else(|| time_in(received, "mail.timestamp")))
            .detail("To", some(&to))
            .detail("Checks that failed", (!failed.is_empty()).then(|| failed.join(", ")))
            .detail("Kept in", text(received, "receipt.action.bucketName"))
            .detail("Message", text(received, "mail.messageId")),
    )
}

fn advice(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let arn = event.resources().first()?;
    let name = named(arn);
    let kind = text(detail, "metadata.type");
    let key = Some(format!("{arn}/advice/{}", kind.unwrap_or_default()));
    let what = text(detail, "data");
    if event.detail_type() != "Advisor Recommendation Status Open" {
        return Some(News::over(Some(what.unwrap_or("The recommendation is resolved."))).known_by(key));
    }
    let impact = text(detail, "metadata.impact");
    let title = match kind {
        Some("BOUNCE") => format!("Too many mails of {name} bounce"),
        Some("COMPLAINT") => format!("Too many people complain about mails of {name}"),
        Some(_) | None => format!("SES advises on {name}"),
    };
    Some(
        News::wrong(title)
            .known_by(key)
            .severity(Some(if impact == Some("HIGH") { P2 } else { P3 }))
            .why(what)
            .affects([name])
            .detail("Impact", impact)
            .page(event.place().console("ses/home#/reputation")),
    )
}

fn sending(event: &Event, detail: &Map<String, Value>) -> Option<News> {
    let arn = event.resources().first()?;
    let (name, key) = (named(arn), Some(format!("{arn}/sending")));
    let cause = text(detail, "data.record.cause");
    if event.detail_type() == "Sending Status Enabled" {
        return Some(News::over(Some(cause.unwrap_or("Mails are sent again."))).known_by(key));
    }
    let by_customer = text(detail, "data.origin") == Some("CUSTOMER_MANAGED");
    Some(
        News::wrong(format!("{name} sends no mails any more"))
            .known_by(key)
            .severity(Some(if by_customer { P4 } else { P2 }))
            .why(cause)
            .affects([name])
            .detail("Switched off by", Some(if by_customer { "somebody with access to the account" } else { "SES" }))
            .page(event.place().console("ses/home#/reputation")),
    )
}

/// `checkout` of `…:tenant/checkout/tn-4711`, `shop.example.com` of `…:identity/shop.example.com`.
fn named(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').nth(1)).unwrap_or(arn)
}
