//! Calling: signed by the Standard Webhooks convention, tried a few times at once, and what the answer means.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use serde_json::Value;
use shared::http::{self, Unbuildable};
use shared::secrets::{Secret, SecretError};
use standardwebhooks::Webhook;
use url::Url;

/// How much of an answer is read, in bytes; people are shown less.
const ANSWER_MOST: usize = 64 * 1024;

/// How much of an answer is shown, in characters.
const SHOWN: usize = 2_500;

/// Three tries within some five seconds beside what they take; a queue brings the call back after that.
const TRIES: usize = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took it, and says this.
    Took(String),
    /// It will never take it.
    Refused(String),
    /// Trying again may help.
    Later(String),
}

impl Answer {
    /// Nothing is sent that is not signed.
    pub(crate) fn unsigned(error: &SecretError, endpoint: &str) -> Self {
        match error {
            SecretError::Unavailable(_) => Self::Later("its signing secret cannot be read at the moment".to_owned()),
            SecretError::Absent | SecretError::Malformed(_) => {
                Self::Refused(format!("there is no signing secret for `{endpoint}`, or it is none of the form whsec_…"))
            }
        }
    }
}

/// What signs with this secret.
pub(crate) fn webhook(secret: &Secret) -> Result<Webhook, SecretError> {
    Webhook::new(secret.expose().trim()).map_err(|_| SecretError::Malformed("whsec_…"))
}

/// The HTTP client. It keeps no connection for later, as the one for Slack does not.
#[derive(Debug)]
pub(crate) struct Caller {
    http: reqwest::Client,
}

impl Caller {
    pub(crate) fn new() -> Result<Self, Unbuildable> {
        // Each endpoint has a patience of its own; this is only the longest.
        Ok(Self { http: http::client(Duration::from_secs(10))? })
    }

    /// Says `body` to `url` under the id of the call, a few times where that may help.
    pub(crate) async fn call(&self, url: &Url, timeout: SignedDuration, webhook: &Webhook, id: &str, body: &str) -> Answer {
        let timeout = Duration::try_from(timeout).unwrap_or(Duration::from_secs(10));
        let once = || async {
            match self.once(url, timeout, webhook, id, body).await {
                Answer::Later(why) => Err(why),
                settled => Ok(settled),
            }
        };
        let pauses = ExponentialBuilder::default().with_min_delay(FIRST_PAUSE).with_factor(4.0).with_jitter().with_max_times(TRIES);
        once.retry(pauses).sleep(tokio::time::sleep).await.unwrap_or_else(Answer::Later)
    }

    async fn once(&self, url: &Url, timeout: Duration, webhook: &Webhook, id: &str, body: &str) -> Answer {
        let now = Timestamp::now().as_second();
        let Ok(signature) = webhook.sign(id, now, body.as_bytes()) else { return Answer::Refused("it cannot be signed".to_owned()) };
        let request = self
            .http
            .post(url.clone())
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Tocsin")
            .header("webhook-id", id)
            .header("webhook-timestamp", now)
            .header("webhook-signature", signature)
            // The same in the words of https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
            .header("idempotency-key", id)
            .body(body.to_owned());
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Answer::Later(format!("it did not answer within {} s", timeout.as_secs())),
            Err(_) => return Answer::Later("it cannot be reached".to_owned()),
        };
        let status = answer.status().as_u16();
        let is_json = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("json"));
        let mut said = Vec::new();
        while said.len() < ANSWER_MOST {
            match answer.chunk().await {
                Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) if (200..300).contains(&status) => return Answer::Took(format!("HTTP {status}, and broke off")),
                Err(_) => return Answer::Later(format!("HTTP {status}, and broke off")),
            }
        }
        said.truncate(ANSWER_MOST);
        meaning(status, &words(&said, is_json))
    }
}

/// What a status with these words means.
fn meaning(status: u16, words: &str) -> Answer {
    let with = |what: &str| if words.is_empty() { what.to_owned() } else { format!("{what}: {words}") };
    match status {
        200..=299 if words.is_empty() => Answer::Took(format!("HTTP {status}")),
        200..=299 => Answer::Took(words.to_owned()),
        300..=399 => Answer::Refused(format!("HTTP {status}: a redirect is not followed")),
        408 | 425 | 429 | 500..=599 => Answer::Later(with(&format!("HTTP {status}"))),
        _ => Answer::Refused(with(&format!("HTTP {status}"))),
    }
}

/// What an answer says for people: `text` or `message` of its JSON, or all of it where it is plain text.
fn words(said: &[u8], is_json: bool) -> String {
    let text = String::from_utf8_lossy(said);
    let words = if is_json {
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let field = |name: &str| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
        field("text").or_else(|| field("message")).unwrap_or_default()
    } else if text.trim_start().starts_with('<') {
        // A page is not for people who read it in Slack.
        String::new()
    } else {
        text.into_owned()
    };
    words.trim().chars().filter(|letter| !letter.is_control() || *letter == '\n').take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_tried_again_and_what_cannot_is_not() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(matches!(meaning(status, ""), Answer::Later(_)), "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 409, 410, 422] {
            assert!(matches!(meaning(status, ""), Answer::Refused(_)), "{status}");
        }
        assert_eq!(meaning(202, ""), Answer::Took("HTTP 202".into()));
        assert_eq!(meaning(422, "no such version"), Answer::Refused("HTTP 422: no such version".into()));
    }

    #[test]
    fn people_read_words_and_neither_json_nor_pages() {
        assert_eq!(words(br#"{"text": " triggered ", "id": 7}"#, true), "triggered");
        assert_eq!(words(br#"{"message": "no"}"#, true), "no");
        assert_eq!(words(br#"{"token": "s3cret"}"#, true), "");
        assert_eq!(words(b"<html><body>Bad gateway</body></html>", false), "");
        assert_eq!(words(b"two lines\nof text\x07", false), "two lines\nof text");
        assert_eq!(words(&vec![b'x'; 10_000], false).len(), SHOWN);
    }
}
