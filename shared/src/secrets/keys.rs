//! The bearer keys of the HTTP API, of which only digests are kept.
//!
//! `{"deploys": {"sha256": "…", "workspace": "T…", "may": ["write"], "revoked": "2026-01-31"}}`: by a name that stands in the log and on cards. A key is
//! `tocsin_` and 256 random bits, so its digest needs neither salt nor a slow function.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Cache, FRESH, REREAD, SecretError, version};
use crate::domain::ids::Workspace;

const FORM: &str = r#"{"name": {"sha256": "64 hexadecimal digits", "workspace": "T…", "may": ["write", "read", "test"], "revoked": "…"}}"#;

/// What every key begins with, so that people and scanners for leaked secrets know it.
pub const PREFIX: &str = "tocsin_";

/// How long a key is: the prefix, and 256 bits in base64 for URLs.
pub const LENGTH: usize = PREFIX.len() + 43;

/// Takes the place of what is no key at all, so that it costs what a key costs.
const STAND_IN: &str = "tocsin_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const _: () = assert!(STAND_IN.len() == LENGTH);

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// Send incidents, changes and webhooks.
    Write,
    /// Ask how an incident stands, and what became of a request.
    Read,
    /// Test the connection.
    Test,
}

impl May {
    /// All of it.
    pub const ALL: [Self; 3] = [Self::Write, Self::Read, Self::Test];

    /// The word in the secret.
    pub fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Test => "test",
        }
    }
}

/// A key as the secret keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The digest of the key, see [`digest`].
    pub sha256: String,
    /// The only workspace that it is for; `None`: whichever a request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Workspace>,
    /// Since when it counts no more, in whatever form: that there is something is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
    /// What it may do; `None`: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may: Option<Vec<May>>,
}

/// All keys, by their names, as the secret keeps them.
pub type Entries = BTreeMap<String, Entry>;

/// What stands in the secret; nothing stands there before the first key is made.
pub fn read(text: &str) -> Result<Entries, SecretError> {
    if text.trim().is_empty() {
        return Ok(Entries::new());
    }
    // The error of a parse may quote the text, so it is dropped.
    serde_json::from_str(text).map_err(|_| SecretError::Malformed(FORM))
}

/// The same, and whether the function that lets holders in can use all of it.
pub fn check(text: &str) -> Result<Entries, SecretError> {
    let entries = read(text)?;
    Ring::of(entries.clone()).map(|_| entries)
}

/// What is kept of a key: SHA-256 in hexadecimal digits.
pub fn digest(key: &str) -> String {
    Sha256::digest(key).iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Whose key was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the key is called.
    pub name: String,
    /// The only workspace that it is for.
    pub workspace: Option<Workspace>,
    may: Vec<May>,
}

impl Holder {
    /// Whether the key may do this.
    pub fn may(&self, what: May) -> bool {
        self.may.contains(&what)
    }
}

/// The keys, ready to be compared with.
#[derive(Default)]
struct Ring(Vec<Known>);

struct Known {
    digest: [u8; 32],
    counts: Choice,
    holder: Holder,
}

impl Ring {
    fn of(entries: Entries) -> Result<Self, SecretError> {
        let known = entries.into_iter().map(|(name, entry)| {
            let workspace = entry.workspace.map(|workspace| Workspace::parse(workspace.as_str()).ok_or(SecretError::Malformed(FORM)));
            Ok(Known {
                digest: unhex(&entry.sha256).ok_or(SecretError::Malformed(FORM))?,
                counts: Choice::from(u8::from(entry.revoked.is_none())),
                holder: Holder { name, workspace: workspace.transpose()?, may: entry.may.unwrap_or(May::ALL.to_vec()) },
            })
        });
        known.collect::<Result<_, _>>().map(Self)
    }

    /// Whose key this is. What is missing, wrong or revoked takes the same way: one digest, and a comparison in constant time with every key there is.
    fn holder(&self, presented: Option<&str>) -> Option<Holder> {
        let presented = presented.filter(|key| key.len() == LENGTH);
        let digest: [u8; 32] = Sha256::digest(presented.unwrap_or(STAND_IN)).into();
        let mut found = u32::MAX;
        for (number, known) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&number, known.digest.ct_eq(&digest) & known.counts);
        }
        let known = self.0.get(usize::try_from(found).ok()?)?;
        presented.map(|_| known.holder.clone())
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    (digits.len() == 64).then_some(bytes)
}

/// The keys' secret, cached.
pub struct Keys {
    client: Client,
    id: String,
    cache: Cache<Ring>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Keys {
    /// The secret with this ARN or name; nothing is read yet.
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id, cache: Cache::default() }
    }

    /// Reads it, so that the first request finds it at hand.
    pub async fn warm(&self) -> Result<(), SecretError> {
        self.cache.at_hand(self.read()).await.map(|_| ())
    }

    /// Whose key was presented; `None` for what is missing, wrong or revoked. What is known is at most [`FRESH`] old, unless Secrets Manager is away; a key that is not
    /// known may have been made a moment ago, so the secret is read again for it, at most once in [`REREAD`].
    pub async fn holder(&self, presented: Option<&str>) -> Result<Option<Holder>, SecretError> {
        let known = or_none_yet(self.cache.believed(FRESH, self.read()).await)?;
        if let Some(holder) = known.holder(presented) {
            return Ok(Some(holder));
        }
        match self.cache.reread(REREAD, self.read()).await {
            Some(read) => Ok(or_none_yet(read)?.holder(presented)),
            None => Ok(None),
        }
    }

    async fn read(&self) -> Result<Ring, SecretError> {
        Ring::of(read(&version(&self.client, &self.id, None).await?.text)?)
    }
}

/// A secret that nothing was written into yet holds no keys.
fn or_none_yet(read: Result<Arc<Ring>, SecretError>) -> Result<Arc<Ring>, SecretError> {
    match read {
        Err(SecretError::Absent) => Ok(Arc::default()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "tocsin_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
    const OLD: &str = "tocsin_QPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba";

    fn ring() -> Ring {
        let text = format!(
            r#"{{"ci": {{"sha256": "{}", "workspace": "T1", "may": ["write"]}}, "old": {{"sha256": "{}", "revoked": "2026-01-31"}}}}"#,
            digest(KEY),
            digest(OLD)
        );
        Ring::of(read(&text).expect("keys")).expect("a ring")
    }

    #[test]
    fn a_key_has_a_holder_and_what_is_missing_wrong_or_revoked_has_none() {
        let ring = ring();
        let holder = ring.holder(Some(KEY)).expect("its holder");
        assert_eq!((holder.name.as_str(), holder.workspace.as_ref().map(Workspace::as_str)), ("ci", Some("T1")));
        assert!(holder.may(May::Write) && !holder.may(May::Read) && !holder.may(May::Test));
        let wrong = KEY.replace("abc", "abd");
        for presented in [None, Some(""), Some(OLD), Some(wrong.as_str()), Some(&KEY[..LENGTH - 1]), Some(&digest(KEY)), Some(STAND_IN)] {
            assert_eq!(ring.holder(presented), None, "{presented:?}");
        }
        assert_eq!(Ring::default().holder(Some(KEY)), None);
    }

    /// Whoever knows the digest of the stand-in, which is everybody, has no key by it.
    #[test]
    fn nothing_presented_is_nobody_even_where_the_stand_in_is_kept() {
        let kept = format!(r#"{{"trap": {{"sha256": "{}"}}}}"#, digest(STAND_IN));
        assert_eq!(Ring::of(read(&kept).expect("keys")).expect("a ring").holder(None), None);
    }

    #[test]
    fn a_secret_that_cannot_be_read_lets_nobody_in_and_is_not_quoted() {
        assert!(read(" \n").expect("no keys yet").is_empty());
        let short = format!(r#"{{"ci": {{"sha256": "{}"}}}}"#, &digest(KEY)[..62]);
        for text in ["[]", r#"{"ci": "s3cret"}"#, r#"{"ci": {"sha256": "s3cret"}}"#, r#"{"ci": {"key": "s3cret"}}"#, &short] {
            let error = read(text).and_then(Ring::of).err().expect("malformed").to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert!(check(&short).is_err() && check("{}").is_ok_and(|entries| entries.is_empty()));
        let nowhere = format!(r#"{{"ci": {{"sha256": "{}", "workspace": "acme"}}}}"#, digest(KEY));
        assert!(read(&nowhere).and_then(Ring::of).is_err(), "a key for a workspace that cannot be one is for none, not for all");
    }
}
