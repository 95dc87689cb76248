//! Elastic Beanstalk: the health of environments, and what is done to them.
//! <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/AWSHowTo.eventbridge.html>
//!
//! - Health is a matter of the environment and told as a sentence. Ok and Info are well, Warning is P3, Degraded P2, Severe, the worst there is, P1.
//!   <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/health-enhanced-status.html>
//! - What is done to an environment (it is created, updated, terminated, updated by its schedule) is a deployment of it, and P3 where it failed.
//! - Anything else has a severity of its own: FATAL and ERROR are P3, WARN is P4, the rest is left out.
//! - Over SNS the same comes as lines of text, without a severity.
//!   <https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/using-features.managing.sns.html>

use jiff::Timestamp;

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Event, time, time_in};
use crate::intake::fields::text;
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    match event.text() {
        Some(lines) => noted(event, lines),
        None => bridged(event),
    }
}

/// What one event says about one environment.
struct Said<'a> {
    application: &'a str,
    environment: &'a str,
    message: &'a str,
    at: Option<Timestamp>,
    place: Place,
    /// Where the environment itself answers.
    url: Option<&'a str>,
}

fn bridged(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let said = Said {
        application: text(detail, "ApplicationName")?,
        environment: text(detail, "EnvironmentName")?,
        message: text(detail, "Message").unwrap_or_default(),
        at: time_in(detail, "EventDate"),
        place: event.place(),
        url: None,
    };
    let status = text(detail, "Status").unwrap_or_default();
    let severity = match text(detail, "Severity").unwrap_or_default() {
        "FATAL" | "ERROR" => Some(Severity::P3),
        "WARN" => Some(Severity::P4),
        _ => None,
    };
    match event.detail_type() {
        "Health status change" => said.health().or_else(|| said.other(severity)),
        "Elastic Beanstalk resource status change" | "Managed update status change" => said.done(status).or_else(|| said.other(severity)),
        _ => said.other(severity),
    }
}

/// `Environment: checkout-prod`, one on a line.
fn noted<'a>(event: &Event, lines: &'a str) -> Option<Vec<News>> {
    let line = |name: &str| -> Option<&'a str> {
        lines.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':')).map(str::trim).filter(|value| !value.is_empty())
    };
    let said = Said {
        application: line("Application")?,
        environment: line("Environment")?,
        message: line("Message")?,
        at: line("Timestamp").and_then(time),
        place: event.place(),
        url: line("Environment URL"),
    };
    let has = |words: &[&str]| words.iter().any(|word| said.message.contains(word));
    let status = if has(&["update is starting"]) {
        "Environment update started"
    } else if has(&["but with errors", "Failed to deploy", "Unsuccessful command"]) {
        "Environment update failed"
    } else if has(&["update completed successfully", "New application version was deployed", "Successfully deployed"]) {
        "Environment update successful"
    } else {
        ""
    };
    let trouble = has(&["fail", "Fail", "error", "Error", "ERROR", "unable", "Unable"]);
    said.health().or_else(|| said.done(status)).or_else(|| said.other(trouble.then_some(Severity::P3)).filter(|_| trouble)).or_else(|| {
        let news = News::notice(format!("{}: {}", said.environment, said.message));
        said.dressed(news).only()
    })
}

impl Said<'_> {
    fn key(&self, what: &str) -> String {
        let name = format!("environment/{}/{}", self.application, self.environment);
        format!("{}{what}", self.place.arn("elasticbeanstalk", &name).unwrap_or(name))
    }

    fn dressed(&self, news: News) -> News {
        news.at(self.at)
            .affects([self.environment])
            .detail("Application", Some(self.application))
            .page(self.place.console(&format!("elasticbeanstalk/home#/application/overview?applicationName={}", encoded(self.application))))
            .link("Environment", self.url)
            .in_place(self.place.clone())
    }

    /// `Environment health has transitioned from Ok to Severe. 100.0 % of the requests …`. `None` where it says something else.
    fn health(&self) -> Option<Vec<News>> {
        let (_, rest) = self.message.split_once("health has transitioned from ")?;
        let (from, rest) = rest.split_once(" to ")?;
        let (to, why) = rest.split_once('.').unwrap_or((rest, ""));
        let severity = match to {
            "Ok" | "Info" | "Green" => {
                return News::over(Some(self.message)).known_by(Some(self.key(""))).at(self.at).only();
            }
            "Pending" | "Grey" => return News::nothing("an environment is set up or has no health yet").only(),
            "Severe" => Severity::P1,
            "Degraded" | "Red" => Severity::P2,
            "Warning" | "Yellow" => Severity::P3,
            _ => Severity::P4,
        };
        let news = News::wrong(format!("Health of {} is {to}", self.environment)).known_by(Some(self.key(""))).severity(Some(severity));
        let why = why.trim();
        self.dressed(news.why((!why.is_empty()).then_some(why))).detail("Was", Some(from)).only()
    }

    /// `Environment update failed`: what is done, and how far it is. `None` where it says something else.
    fn done(&self, status: &str) -> Option<Vec<News>> {
        let (what, state) = status.rsplit_once(' ')?;
        let (progress, severity, how) = match state.to_lowercase().as_str() {
            "started" => (Progress::Started, Severity::P4, "is under way"),
            "successful" | "succeeded" | "completed" => (Progress::Succeeded, Severity::P4, "is done"),
            "failed" => (Progress::Failed, Severity::P3, "failed"),
            _ => return None,
        };
        let (what, key) = match what.to_lowercase().as_str() {
            "environment creation" => ("Creation", "#creation"),
            "environment termination" => ("Termination", "#termination"),
            "environment update" => ("Update", "#update"),
            "managed update" => ("Managed update", "#managed"),
            _ => return None,
        };
        let news = News::deployment(format!("{what} of {} {how}", self.environment), progress)
            .brings(Deployment { environment: Some(self.environment.to_owned()), ..Deployment::default() })
            .known_by(Some(self.key(key)))
            .severity(Some(severity))
            .why((!self.message.is_empty()).then_some(self.message));
        self.dressed(news).only()
    }

    fn other(&self, severity: Option<Severity>) -> Option<Vec<News>> {
        if severity.is_none() {
            return News::nothing("something of an environment changed as it should").only();
        }
        let message = if self.message.is_empty() { "it is in trouble" } else { self.message };
        let news = News::wrong(format!("{}: {message}", self.environment)).known_by(Some(self.key("#trouble"))).severity(severity);
        self.dressed(news).only()
    }
}
