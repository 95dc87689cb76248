//! Secrets Manager: [`app`] is the one secret of the Slack app, [`vault`] holds one for each installation by link, [`tokens`] gives a workspace its token in
//! either mode, [`calls`] what calls to internal APIs are signed with, [`keys`] who may use the HTTP API.
//!
//! A rotation needs no redeploy: what is written into Secrets Manager is in force everywhere within [`FRESH`], and at once where the old one fails.

pub mod app;
#[cfg(feature = "background")]
pub mod calls;
pub mod keys;
pub mod tokens;
pub mod vault;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// How long a secret is believed without asking again.
pub const FRESH: Duration = Duration::from_mins(1);

/// How long to wait after a re-read before the next one that a bad signature causes: a flood of these must not become a flood of reads.
pub const REREAD: Duration = Duration::from_secs(10);

/// The same where Slack did not accept a token. Only Slack says so, and whoever waits for an answer gets none until the new one is read.
pub const REREAD_TOKEN: Duration = Duration::from_secs(1);

/// Beyond this age what signatures are checked by is read again before it is believed. Containers that are at work never get there; one that nobody called for an hour would go on believing a
/// secret that was taken away meanwhile.
pub const BELIEVED: Duration = Duration::from_mins(5);

/// How long such a reading may keep a request waiting that Slack wants answered within three seconds.
const BELIEVED_PATIENCE: Duration = Duration::from_millis(500);

/// For how long a secret that could not be read counts as unreadable without asking again, where there is no older value to go on with.
const UNREADABLE: Duration = Duration::from_secs(1);

/// Text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing is in it but space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Tells one secret from another without being one: SHA-256 in hexadecimal digits. `purpose` keeps digests for different ends apart.
    pub fn digest(&self, purpose: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(purpose.as_bytes());
        hash.update([0xff]);
        hash.update(self.0.trim().as_bytes());
        hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why there is no secret. Never contains it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not do it.
    #[error("Secrets Manager: {0}")]
    Unavailable(String),
    /// It is not what it should be.
    #[error("the secret is not JSON of the form {0}")]
    Malformed(&'static str),
    /// There is none.
    #[error("there is no such secret, or nothing is in it yet")]
    Absent,
}

/// One version of a secret.
struct Version {
    text: String,
    written_at: Option<Timestamp>,
}

/// A version by its stage (`AWSCURRENT` where none is named).
async fn version(client: &Client, id: &str, stage: Option<&str>) -> Result<Version, SecretError> {
    // The SDK's futures are large, and most of the time nothing is read.
    let answer = Box::pin(client.get_secret_value().secret_id(id).set_version_stage(stage.map(str::to_owned)).send()).await;
    let answer = answer.map_err(|error| match error.as_service_error() {
        // The second: it is marked for deletion.
        Some(GetSecretValueError::ResourceNotFoundException(_) | GetSecretValueError::InvalidRequestException(_)) => SecretError::Absent,
        _ => SecretError::Unavailable(crate::causes(&error)),
    })?;
    let written_at =
        answer.created_date().and_then(|date| Timestamp::new(date.secs(), i32::try_from(date.subsec_nanos()).unwrap_or_default()).ok());
    Ok(Version { text: answer.secret_string.unwrap_or_default(), written_at })
}

/// What is known of one secret in this container.
struct Cache<T> {
    known: Mutex<Known<T>>,
    /// Whoever reads anew; who wants the same meanwhile waits for what comes of it.
    rereading: tokio::sync::Mutex<()>,
}

struct Known<T> {
    value: Option<(Arc<T>, Instant)>,
    failed: Option<(SecretError, Instant)>,
    reread_at: Option<Instant>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        let known = Mutex::new(Known { value: None, failed: None, reread_at: None });
        Self { known, rereading: tokio::sync::Mutex::default() }
    }
}

/// `read` is only asked where the cache does not suffice.
impl<T> Cache<T> {
    fn lock(&self) -> MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&self) -> Option<Arc<T>> {
        self.lock().value.as_ref().map(|(value, _)| Arc::clone(value))
    }

    /// Whether what is cached is older than [`FRESH`], or nothing is.
    fn is_stale(&self) -> bool {
        self.lock().value.as_ref().is_none_or(|(_, read_at)| read_at.elapsed() >= FRESH)
    }

    /// What is cached, however old; read where there is nothing yet, at most once in a second.
    async fn at_hand(&self, read: impl Future<Output = Result<T, SecretError>>) -> Result<Arc<T>, SecretError> {
        if let Some(value) = self.value() {
            return Ok(value);
        }
        let failed = self.lock().failed.as_ref().filter(|(_, at)| at.elapsed() < UNREADABLE).map(|(error, _)| error.clone());
        match failed {
            Some(error) => Err(error),
            None => self.now(read).await,
        }
    }

    /// What is cached and younger than `age`, else read anew. When that fails, the old one goes on being used, and it is tried again after [`REREAD`]: an outage of Secrets Manager is no outage
    /// of Tocsin. A secret that is gone is gone.
    async fn within(&self, age: Duration, read: impl Future<Output = Result<T, SecretError>>) -> Result<Arc<T>, SecretError> {
        let is_old = {
            let known = self.lock();
            let failed = known.failed.as_ref().is_some_and(|(_, at)| at.elapsed() < REREAD);
            !failed && known.value.as_ref().is_some_and(|(_, read_at)| read_at.elapsed() >= age)
        };
        if !is_old {
            return self.at_hand(read).await;
        }
        match (self.value(), self.now(read).await) {
            (Some(old), Err(error)) if !matches!(error, SecretError::Absent) => {
                tracing::warn!(%error, "a secret could not be read again; the cached one is used");
                Ok(old)
            }
            (_, other) => other,
        }
    }

    /// The same for what somebody waits for: where there is an older value, it counts when the reading takes longer than [`BELIEVED_PATIENCE`]. That is no failure:
    /// whoever renews it beside the request has all the time that it takes.
    async fn believed(&self, age: Duration, read: impl Future<Output = Result<T, SecretError>>) -> Result<Arc<T>, SecretError> {
        if self.value().is_none() {
            return self.at_hand(read).await;
        }
        match tokio::time::timeout(BELIEVED_PATIENCE, self.within(age, read)).await {
            Ok(answer) => answer,
            Err(_) => self.value().ok_or(SecretError::Absent),
        }
    }

    /// Reads anew because the cached one failed; `None` where that was done less than `least` ago, and then what is cached is what came of that.
    async fn reread(&self, least: Duration, read: impl Future<Output = Result<T, SecretError>>) -> Option<Result<Arc<T>, SecretError>> {
        let _turn = self.rereading.lock().await;
        {
            let mut known = self.lock();
            if known.reread_at.is_some_and(|at| at.elapsed() < least) {
                return None;
            }
            known.reread_at = Some(Instant::now());
        }
        Some(self.now(read).await)
    }

    /// Reads, whatever is cached.
    async fn now(&self, read: impl Future<Output = Result<T, SecretError>>) -> Result<Arc<T>, SecretError> {
        let result = read.await;
        let mut known = self.lock();
        match result {
            Ok(value) => {
                let value = Arc::new(value);
                (known.value, known.failed) = (Some((Arc::clone(&value), Instant::now())), None);
                Ok(value)
            }
            Err(error) => {
                if matches!(error, SecretError::Absent) {
                    known.value = None;
                }
                known.failed = Some((error.clone(), Instant::now()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_outage_is_bridged_by_what_is_known_and_a_deletion_is_not() {
        let cache = Cache::default();
        let outage = || async { Err(SecretError::Unavailable("down".to_owned())) };
        assert!(cache.at_hand(outage()).await.is_err());
        assert_eq!(cache.now(async { Ok(1) }).await.ok(), Some(Arc::new(1)));
        assert!(cache.now(outage()).await.is_err());
        assert_eq!(cache.at_hand(outage()).await.ok(), Some(Arc::new(1)));
        assert_eq!(cache.within(FRESH, outage()).await.ok(), Some(Arc::new(1)));
        assert!(cache.now(async { Err(SecretError::Absent) }).await.is_err());
        assert!(cache.within(FRESH, outage()).await.is_err());
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_asked_for_at_every_request() {
        let cache: Cache<u8> = Cache::default();
        assert!(cache.at_hand(async { Err(SecretError::Absent) }).await.is_err());
        assert!(cache.at_hand(async { Ok(1) }).await.is_err(), "asked again within the second");
    }

    #[tokio::test]
    async fn of_many_failures_one_reads_anew() {
        let cache = Cache::default();
        assert!(cache.reread(REREAD, async { Ok(1) }).await.is_some());
        for _ in 0..100 {
            assert!(cache.reread(REREAD, async { Ok(2) }).await.is_none());
        }
        assert!(cache.reread(Duration::ZERO, async { Ok(3) }).await.is_some(), "for a better reason");
    }

    #[tokio::test]
    async fn who_fails_while_it_is_read_anew_goes_on_with_what_comes_of_that() {
        let cache = Cache::default();
        assert!(cache.now(async { Ok("old") }).await.is_ok());
        let (go, comes) = tokio::sync::oneshot::channel();
        let first = cache.reread(REREAD, async { comes.await.map_err(|_| SecretError::Absent) });
        let second = async {
            let again = cache.reread(REREAD, async { Ok("never read") });
            let (again, ()) = tokio::join!(again, async { go.send("new").expect("somebody waits") });
            (again.is_none(), cache.value())
        };
        let (_, second) = tokio::join!(first, second);
        assert_eq!(second, (true, Some(Arc::new("new"))));
    }

    #[tokio::test]
    async fn what_is_old_is_read_again_before_it_is_believed_and_an_outage_delays_one_request_in_ten_seconds() {
        let cache = Cache::default();
        assert_eq!(cache.believed(BELIEVED, async { Ok(1) }).await.ok(), Some(Arc::new(1)));
        assert_eq!(cache.believed(BELIEVED, async { Ok(2) }).await.ok(), Some(Arc::new(1)), "young");
        assert_eq!(cache.believed(Duration::ZERO, async { Ok(3) }).await.ok(), Some(Arc::new(3)), "old");
        let waits = tokio::time::timeout(4 * BELIEVED_PATIENCE, cache.believed(Duration::ZERO, std::future::pending()));
        assert_eq!(waits.await.expect("nobody waits for long").ok(), Some(Arc::new(3)));
        assert_eq!(
            cache.within(Duration::ZERO, async { Ok(4) }).await.ok(),
            Some(Arc::new(4)),
            "renewed beside it, however long that takes"
        );
        let outage = async { Err(SecretError::Unavailable("down".to_owned())) };
        assert_eq!(cache.believed(Duration::ZERO, outage).await.ok(), Some(Arc::new(4)));
        assert_eq!(cache.believed(Duration::ZERO, async { Ok(5) }).await.ok(), Some(Arc::new(4)), "not tried again yet");
    }

    #[test]
    fn a_digest_tells_secrets_and_purposes_apart() {
        let digest = |text: &str, purpose| Secret::new(text).digest(purpose);
        assert_eq!(digest("a", "token").len(), 64);
        assert_eq!(digest(" a\n", "token"), digest("a", "token"));
        assert_ne!(digest("a", "token"), digest("b", "token"));
        assert_ne!(digest("a", "token"), digest("a", "state"));
    }
}
