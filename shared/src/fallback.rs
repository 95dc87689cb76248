//! Who hears it when Slack itself is the problem: an SNS topic, from which an e-mail goes out. Best effort, and always a line in the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_sns::Client;
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};

use crate::config::{self, ConfigError};
use crate::watch::Watch;

/// SNS takes subjects up to this length, in printable ASCII.
const SUBJECT_MOST: usize = 100;

/// Long enough for anybody to know what to do.
const TEXT_MOST: usize = 8000;

/// The same notice goes out once in this while (per container): what is wrong for an hour is not worth an hour of e-mails.
const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// The topic, if there is one.
#[derive(Debug)]
pub struct Fallback {
    sns: Client,
    topic: Option<String>,
    watch: Watch,
    told: Mutex<BTreeMap<String, Timestamp>>,
}

impl Fallback {
    /// Reads the environment: `OWN_ALARMS`, and `FALLBACK_TOPIC_ARN`, without which notices are lines in the log only.
    pub fn start(aws: &SdkConfig) -> Result<Self, ConfigError> {
        let watch = Watch::new(config::required(Watch::VARIABLE)?)?;
        Ok(Self::new(Client::new(aws), config::optional("FALLBACK_TOPIC_ARN"), watch))
    }

    /// With the topic, by ARN.
    pub fn new(sns: Client, topic: Option<String>, watch: Watch) -> Self {
        Self { sns, topic, watch, told: Mutex::default() }
    }

    /// Tells it: `subject` in a few words, `text` says what is wrong and what to do. `about` is what it is about, with everything that tells it from other troubles: only
    /// what is about the same is held back for a while. None of them carries a token, a secret or a message's text. Never fails: whoever calls it has a failure at
    /// hand already.
    pub async fn notify(&self, subject: &str, about: &str, text: &str) {
        let now = Timestamp::now();
        let about = format!("{subject} {about}");
        if !self.is_news(&about, now) {
            tracing::debug!(subject, outcome = "held_back", "notice");
            return;
        }
        let Some(topic) = &self.topic else {
            tracing::warn!(subject, text, outcome = "nobody_to_tell", "notice");
            return;
        };
        let text: String = text.chars().take(TEXT_MOST).collect();
        let publish = self.sns.publish().topic_arn(topic).subject(self.subject(subject)).message(text);
        match publish.send().await {
            Ok(_) => tracing::info!(subject, outcome = "told", "notice"),
            Err(error) => {
                self.forget(&about);
                let error = crate::causes(&error);
                tracing::error!(subject, error, outcome = "not_told", "notice");
            }
        }
    }

    fn is_news(&self, about: &str, now: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now.duration_since(*at) < QUIET);
        told.insert(about.to_owned(), now).is_none_or(|at| {
            // The first of them counts, or a steady stream would never be heard again.
            told.insert(about.to_owned(), at);
            false
        })
    }

    fn forget(&self, about: &str) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(about);
    }

    /// As SNS takes it, beginning with the name by which intake knows what Tocsin says about itself.
    fn subject(&self, subject: &str) -> String {
        let printable = |letter: char| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' };
        let whole: String = self.watch.name().chars().chain(subject.chars()).map(printable).collect();
        if whole.len() <= SUBJECT_MOST { whole } else { format!("{}...", &whole[..SUBJECT_MOST - 3]) }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sns::config::{BehaviorVersion, Region};

    use super::*;

    fn fallback() -> Fallback {
        let config = aws_sdk_sns::Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-west-1")).build();
        let watch = Watch::new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/".to_owned()).expect("it is one");
        Fallback::new(Client::from_conf(config), None, watch)
    }

    #[test]
    fn a_subject_is_short_printable_ascii() {
        let fallback = fallback();
        assert_eq!(fallback.subject("Slack does not answer"), "tocsin/watch/Slack does not answer");
        assert_eq!(fallback.subject("Köln\n§"), "tocsin/watch/K?ln??");
        let long = fallback.subject(&"é".repeat(300));
        assert!(long.len() == 100 && long.ends_with("?..."), "{long}");
    }

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let (fallback, began) = (fallback(), Timestamp::UNIX_EPOCH);
        let after = |minutes| began + SignedDuration::from_mins(minutes);
        assert!(fallback.is_news("one", began) && fallback.is_news("other", began));
        assert!(!fallback.is_news("one", after(10)) && !fallback.is_news("one", after(14)));
        assert!(fallback.is_news("one", after(15)) && !fallback.is_news("one", after(16)));
    }
}
