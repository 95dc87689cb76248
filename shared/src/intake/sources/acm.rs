//! ACM: certificates that expire. <https://docs.aws.amazon.com/acm/latest/userguide/supported-events.html>
//!
//! - A certificate is known by its ARN. ACM says every day that it expires; renewed or imported again, it is over.
//! - The scale is the days that are left: none or at most 3 is P2, at most 14 P3, more P4. What ACM cannot renew by itself is at least P3. What nothing
//!   uses is P4 whatever happens to it.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::time_in;
use crate::intake::event::{Arn, Event, last_name};
use crate::intake::fields::{number, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const TYPES: &[&str] = &[APPROACHING, EXPIRED, AVAILABLE, ACTION_REQUIRED, REVOKED];
const APPROACHING: &str = "ACM Certificate Approaching Expiration";
const EXPIRED: &str = "ACM Certificate Expired";
const AVAILABLE: &str = "ACM Certificate Available";
const ACTION_REQUIRED: &str = "ACM Certificate Renewal Action Required";
const REVOKED: &str = "ACM Certificate Revoked";

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let arn = event.resources().first()?;
    let name = text(detail, "CommonName").map_or_else(|| last_name(arn).to_owned(), str::to_owned);
    let days = number(detail, "DaysToExpiry");
    let left = plain_in(detail, "DaysToExpiry").map_or_else(|| "soon".to_owned(), |days| in_days(&days));
    let (title, severity) = match event.detail_type() {
        APPROACHING => (format!("Certificate of {name} expires {left}"), grade(days)),
        ACTION_REQUIRED => {
            let severity = if grade(days) == Severity::P2 { Severity::P2 } else { Severity::P3 };
            (format!("Certificate of {name} cannot be renewed and expires {left}"), severity)
        }
        EXPIRED => (format!("Certificate of {name} has expired"), Severity::P2),
        REVOKED => (format!("Certificate of {name} was revoked"), Severity::P2),
        AVAILABLE => return available(detail, arn),
        _ => return None,
    };
    let unused = plain_in(detail, "InUse").is_some_and(|used| used.eq_ignore_ascii_case("false"));
    let place = event.place();
    News::wrong(title)
        .known_by(Some(arn.to_owned()))
        .severity(Some(if unused { Severity::P4 } else { severity }))
        .hint(text(detail, "RenewalStatusReason").and_then(what_to_do))
        .affects([name.as_str(), last_name(arn)])
        .detail("Reason", text(detail, "RenewalStatusReason"))
        .detail("Type", text(detail, "CertificateType"))
        .detail("Validated by", text(detail, "DomainValidationMethod"))
        .moment("Expires", time_in(detail, "CertificateExpirationDate"))
        .detail("In use", plain_in(detail, "InUse").map(|used| if used.eq_ignore_ascii_case("true") { "yes" } else { "no" }))
        .page(page(&place, arn))
        .only()
}

fn available(detail: &Map<String, Value>, arn: &str) -> Option<Vec<News>> {
    let why = match text(detail, "Action") {
        Some("ISSUANCE" | "IMPORT") => return News::nothing("a new certificate can be used").only(),
        Some("REIMPORT") => "It was imported again.",
        _ => "It was renewed.",
    };
    News::over(Some(why)).known_by(Some(arn.to_owned())).only()
}

fn page(place: &Place, arn: &str) -> Option<String> {
    let resource = Arn::parse(arn)?.resource;
    let id = resource.strip_prefix("certificate/")?;
    place.console(&format!("acm/home#/certificates/{}", encoded(id)))
}

fn in_days(days: &str) -> String {
    match days {
        "0" => "today".to_owned(),
        "1" => "tomorrow".to_owned(),
        _ => format!("in {days} days"),
    }
}

fn grade(days: Option<f64>) -> Severity {
    match days {
        Some(..=3.0) => Severity::P2,
        Some(..=14.0) | None => Severity::P3,
        Some(_) => Severity::P4,
    }
}

/// What stands in the way of a renewal, in the cases where that can be said in a line.
fn what_to_do(reason: &str) -> Option<&'static str> {
    match reason {
        "PENDING_DOMAIN_VALIDATION" | "DOMAIN_VALIDATION_DENIED" => {
            Some("Put the DNS record of the validation back, or answer ACM's mail.")
        }
        "CAA_ERROR" => Some("Allow Amazon in the CAA records of the domain."),
        "NO_AVAILABLE_CONTACTS" => Some("No mail address could be found for the domain: validate it by DNS."),
        reason if reason.starts_with("PCA_") || reason == "SLR_NOT_FOUND" => {
            Some("Look at the private CA that issues it, and at who may use it.")
        }
        _ => None,
    }
}
