//! The URLs: called as Slack calls them, with requests that have no effect. What Slack signs is answered with 200, anything else with 401.

use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, DATE};
use shared::secrets::{REREAD, Secret};
use shared::slack::verify::signature;

use super::super::finding::{Check, Finding};
use super::address::Address;
use super::clock::{self, Time};
use super::secret::{self, Seen};
use crate::chosen::Chosen;
use crate::deployment::Deployment;

/// How long an answer may take. Slack gives up after three seconds; a first start takes a part of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Slack sends to look at a certificate. It is not signed, and nothing is done about it.
const SSL_CHECK: (&str, &str) = ("application/x-www-form-urlencoded", "ssl_check=1");

/// A function that Slack calls, and a request to it that has no effect.
struct Receiver {
    name: &'static str,
    output: &'static str,
    function: &'static str,
    content_type: &'static str,
    body: &'static str,
    /// What a right answer contains.
    answers: &'static str,
}

const RECEIVERS: [Receiver; 3] = [
    // Help is answered in place.
    Receiver {
        name: "commands",
        output: "CommandsUrl",
        function: "CommandsFunction",
        content_type: SSL_CHECK.0,
        body: "command=%2Fincident&text=help",
        answers: "/incident",
    },
    // What nothing here sends is passed over.
    Receiver {
        name: "interactions",
        output: "InteractionsUrl",
        function: "InteractionsFunction",
        content_type: SSL_CHECK.0,
        body: "payload=%7B%22type%22%3A%22doctor%22%7D",
        answers: "",
    },
    Receiver {
        name: "events",
        output: "EventsUrl",
        function: "EventsFunction",
        content_type: "application/json",
        body: r#"{"type":"url_verification","challenge":"doctor"}"#,
        answers: "doctor",
    },
];

/// What the URLs answered.
#[derive(Debug)]
pub(in super::super) struct Answers {
    pub(in super::super) findings: Vec<Finding>,
    pub(in super::super) times: Vec<Time>,
}

/// An answer.
pub(super) struct Answer {
    status: u16,
    text: String,
    /// How far the clock of whoever answered is ahead, in seconds.
    pub(super) ahead: Option<i64>,
}

pub(in super::super) async fn look(deployment: &Deployment, chosen: &Chosen, secret: &Seen) -> Answers {
    let http = match shared::http::client(PATIENCE) {
        Ok(http) => http,
        Err(error) => return Answers { findings: vec![Finding::skipped(Check::Url, &error.to_string())], times: Vec::new() },
    };
    let address = |function| Address { deployment, chosen, function };
    let receivers = join_all(RECEIVERS.iter().map(|receiver| receiver.look(address(receiver.function), secret, &http)));
    let others = join(other(address("ApiFunction"), &http, "api"), other(address("OAuthFunction"), &http, "install"));
    let (receivers, (api, install)) = join(receivers, others).await;
    let (findings, ahead): (Vec<_>, Vec<_>) = receivers.into_iter().unzip();
    let times = ahead.into_iter().flatten().map(|ahead| Time { whose: clock::AWS, ahead }).collect();
    Answers { findings: findings.into_iter().chain([api, install]).collect(), times }
}

impl Receiver {
    async fn look(&self, address: Address<'_>, seen: &Seen, http: &reqwest::Client) -> (Finding, Option<i64>) {
        let about = |finding: Finding| finding.about(self.name);
        let Ok(url) = address.deployment.url(self.output) else {
            return (about(Finding::skipped(Check::Url, &format!("the stack has no output {}", self.output))), None);
        };
        let reached = match post(http, &url, SSL_CHECK, None).await {
            Ok(reached) if reached.status == 200 => reached,
            Ok(other) => return (about(address.unexpected(other.status)), other.ahead),
            Err(error) => return (about(address.unreachable(&error)), None),
        };
        let ahead = reached.ahead.unwrap_or_default();
        let forged = Secret::new(format!("v0={}", "0".repeat(64)));
        let forged = self.sends(http, &url, ahead, |_| forged.clone());
        if seen.is_webhooks_alone {
            return (about(judge_of_nobody(address, forged.await)), reached.ahead);
        }
        let Some(signing) = &seen.signing else {
            let why = format!("{}: it answers, and whether it believes Slack is not known", secret::INCOMPLETE);
            return (about(Finding::skipped(Check::Url, &why)), reached.ahead);
        };
        let rightly = || self.sends(http, &url, ahead, |now| signature(signing, now, self.body.as_bytes()));
        let (forged, mut right) = join(forged, rightly()).await;
        if right.as_ref().is_ok_and(|answer| answer.status == 401) {
            // The secret may be younger than the function's last look at it.
            tokio::time::sleep(REREAD + Duration::from_secs(1)).await;
            right = rightly().await;
        }
        (about(self.judge(address, forged, right)), reached.ahead)
    }

    /// Sends the request with a signature, by the clock that the function goes by: that this machine's is off is another finding.
    async fn sends(&self, http: &reqwest::Client, url: &str, ahead: i64, signs: impl Fn(i64) -> Secret) -> Result<Answer, String> {
        let now = Timestamp::now().as_second().saturating_add(ahead);
        post(http, url, (self.content_type, self.body), Some((now, &signs(now)))).await
    }

    fn judge(&self, address: Address<'_>, forged: Result<Answer, String>, right: Result<Answer, String>) -> Finding {
        let (forged, right) = match (forged, right) {
            (Ok(forged), Ok(right)) => (forged, right),
            (Err(error), _) | (_, Err(error)) => return address.falters(&error),
        };
        match (forged.status, right.status) {
            (401, 200) if right.text.contains(self.answers) => Finding::well(Check::Url, "answers what is signed, and refuses what is not"),
            (401, 200) => address.is_of_another("something answers that is not this function"),
            (401, 401) => address.reads_another_secret(),
            (200..=299, _) => address.is_of_another(BELIEVES_ALL),
            (forged, right) => address.unexpected(if right == 200 { forged } else { right }),
        }
    }
}

/// What a function of this version never does.
const BELIEVES_ALL: &str = "it believes a request that nobody signed";

/// Where nobody has a signing secret, nobody is believed.
fn judge_of_nobody(address: Address<'_>, forged: Result<Answer, String>) -> Finding {
    match forged.map(|answer| answer.status) {
        Ok(401) => Finding::well(Check::Url, "answers, and refuses everything, since there is no signing secret"),
        Ok(200..=299) => address.is_of_another(BELIEVES_ALL),
        Ok(status) => address.unexpected(status),
        Err(error) => address.falters(&error),
    }
}

/// What services and browsers call: the API shows its document to everybody, and where browsers begin to install, anything but GET is refused and has no effect.
async fn other(address: Address<'_>, http: &reqwest::Client, name: &'static str) -> Finding {
    let (output, method, path, right) = match name {
        "api" => ("ApiUrl", Method::GET, "v1/openapi.json", 200),
        _ => ("InstallUrl", Method::HEAD, "", 405),
    };
    let finding = match address.deployment.url(output) {
        Err(_) => Finding::skipped(Check::Url, &format!("the stack has no output {output}")),
        Ok(url) => match answer(http.request(method, format!("{url}{path}"))).await {
            Ok(answer) if answer.status == right => Finding::well(Check::Url, "answers"),
            Ok(answer) => address.unexpected(answer.status),
            Err(error) => address.unreachable(&error),
        },
    };
    finding.about(name)
}

async fn post(
    http: &reqwest::Client,
    url: &str,
    (content_type, body): (&'static str, &'static str),
    signed: Option<(i64, &Secret)>,
) -> Result<Answer, String> {
    let mut request = http.post(url).header(CONTENT_TYPE, content_type).body(body);
    if let Some((timestamp, signature)) = signed {
        request = request.header("X-Slack-Request-Timestamp", timestamp).header("X-Slack-Signature", signature.expose());
    }
    answer(request).await
}

/// Sends a request.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, String> {
    let told = |error: reqwest::Error| shared::causes(&error.without_url());
    let asked = (Timestamp::now(), Instant::now());
    let answer = request.send().await.map_err(told)?;
    let ahead = answer.headers().get(DATE).and_then(|date| clock_ahead(date.to_str().ok()?, asked.0, asked.1.elapsed()));
    Ok(Answer { status: answer.status().as_u16(), ahead, text: answer.text().await.map_err(told)? })
}

/// How far a `Date` is ahead of this machine, in seconds: it was written some time between question and answer.
fn clock_ahead(date: &str, asked: Timestamp, took: Duration) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let here = asked.saturating_add(SignedDuration::try_from(took / 2).ok()?).ok()?;
    Some(date.duration_since(here).as_secs())
}
