//! Names of things, as types, so that a channel can never be taken for a user.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it stands.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An installation: a Slack team (`T…`) or, where the whole organisation installed Tocsin, the enterprise (`E…`).
    /// Every key in the store begins with it.
    Workspace
}
id! {
    /// A Slack channel: its id (`C…`, `D…`, `G…`), or where a person configured it, a name (`#incidents`), a user (`U…`) or an incoming webhook (`webhook:oncall`).
    Channel
}

impl Channel {
    /// Whose direct messages it is, where it is somebody's.
    pub fn person(&self) -> Option<UserId> {
        is_slack_id(&self.0, &['U', 'W']).then(|| UserId::new(&self.0))
    }

    /// Somebody's direct messages.
    pub fn direct(person: &UserId) -> Self {
        Self::new(person.as_str())
    }

    /// The webhook that it is, by its name in the Slack secret.
    pub fn webhook(&self) -> Option<&str> {
        self.0.strip_prefix("webhook:")
    }
}

id! {
    /// A Slack user, `U…` or `W…`.
    UserId
}
id! {
    /// A message's `ts`, unique within its channel.
    MessageTs
}
id! {
    /// What a source calls the thing that is wrong: repeats and the recovery carry the same key.
    DedupKey
}
id! {
    /// An incident's short name, `INC-7K3QPF`: read out on the phone, typed on one.
    IncidentId
}
id! {
    /// One storm's digest in a channel: the moment at which it began, in microseconds since 1970.
    DigestId
}
id! {
    /// A message that tells one thing once in its channel.
    NoticeId
}
id! {
    /// One run of a step of a workflow in Slack, `Fx…`.
    ExecutionId
}
id! {
    /// One wish of one person or source. The same wish delivered again has the same id.
    IntentId
}

impl Workspace {
    /// Reads a team's or an enterprise's id as somebody wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix(['T', 'E']).unwrap_or_default();
        let known = (1..=31).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        known.then(|| Self::new(text))
    }

    /// Whether a whole organisation installed Tocsin, rather than one of its teams.
    pub fn is_enterprise(&self) -> bool {
        self.0.starts_with('E')
    }
}

/// Whether this is one of Slack's ids with one of these first letters: capital letters and digits, and long enough to be no word.
pub fn is_slack_id(id: &str, first: &[char]) -> bool {
    id.starts_with(first) && id.len() >= 3 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Crockford's base 32: no I, L, O or U, so that an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The first `length` characters of the digest of `parts`, which are kept apart by a byte that occurs in no text.
fn digest(parts: &[&str], length: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    }
    hash.finalize().iter().cycle().take(length).map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

impl IntentId {
    /// The id of a wish of this `kind` (`click`, `command`, `alarm` …), made of what names it at its origin. Short and plain enough to be an SQS
    /// deduplication id.
    pub fn of(kind: &str, parts: &[&str]) -> Self {
        Self(format!("{kind}-{}", digest(parts, 32)))
    }
}

/// How long the random part of an incident's id is at first, and each time that a shorter one is taken.
pub const ID_LENGTHS: [usize; 4] = [6, 8, 10, 16];

impl IncidentId {
    /// What every id begins with.
    pub const PREFIX: &str = "INC-";

    /// The id of the incident that `intent` creates. The same intent always names the same incident, so that a create which runs
    /// twice cannot make two; `length` is one of [`ID_LENGTHS`].
    pub fn derive(workspace: &Workspace, intent: &IntentId, length: usize) -> Self {
        Self(format!("{}{}", Self::PREFIX, digest(&[workspace.as_str(), intent.as_str()], length)))
    }

    /// Reads a whole id as Slack shows it and as programs write it: `INC-` and 6 to 16 letters of the alphabet, the shortest and the longest of
    /// [`ID_LENGTHS`]. Any length between them is taken, so that an id of a length to come is not refused.
    pub fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix(Self::PREFIX)?;
        let fits = (6..=16).contains(&letters.len()) && letters.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| Self::new(text))
    }

    /// What a person typed, as the beginning of an id: any case, with or without `INC-`, with the letters that base 32 leaves out read as the digits
    /// they look like. `None` when no id can begin so.
    pub fn prefix(typed: &str) -> Option<String> {
        let upper = typed.trim().to_uppercase();
        let rest = upper.strip_prefix(Self::PREFIX).unwrap_or(&upper);
        let rest: String = rest
            .chars()
            .map(|letter| match letter {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect();
        let known = rest.bytes().all(|byte| ALPHABET.contains(&byte));
        (!rest.is_empty() && rest.len() <= 16 && known).then(|| format!("{}{rest}", Self::PREFIX))
    }

    /// What a person typed, as a whole id, in any of the ways of [`Self::prefix`]. `None` when no id is so long.
    pub fn whole(typed: &str) -> Option<Self> {
        let id = Self::prefix(typed)?;
        ID_LENGTHS.contains(&(id.len() - Self::PREFIX.len())).then_some(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_intent_always_names_the_same_incident() {
        let intent = IntentId::of("alarm", &["arn:aws:cloudwatch:…:alarm:cpu", "2026-01-02T03:04:05Z"]);
        let id = |workspace: &str| IncidentId::derive(&Workspace::new(workspace), &intent, 6);
        assert_eq!(id("T1"), id("T1"));
        assert_ne!(id("T1"), id("T2"));
        assert_eq!(id("T1").as_str().len(), "INC-7K3QPF".len());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(IntentId::of("click", &["ab", "c"]), IntentId::of("click", &["a", "bc"]));
    }

    #[test]
    fn an_id_may_be_typed_as_it_was_heard() {
        assert_eq!(IncidentId::prefix("7k3"), Some("INC-7K3".into()));
        assert_eq!(IncidentId::prefix(" inc-7k3qpf "), Some("INC-7K3QPF".into()));
        assert_eq!(IncidentId::prefix("oil"), Some("INC-011".into()));
        assert_eq!(IncidentId::prefix("db#1"), None);
        assert_eq!(IncidentId::prefix(""), None);
        assert_eq!(IncidentId::whole(" inc-7k3qpf "), Some(IncidentId::new("INC-7K3QPF")));
        assert_eq!(IncidentId::whole("oilq0000"), Some(IncidentId::new("INC-011Q0000")));
        assert_eq!((IncidentId::whole("INC-7K3"), IncidentId::whole("7K3QPFX"), IncidentId::whole("db#123")), (None, None, None));
    }

    #[test]
    fn a_program_writes_an_id_as_it_is_shown() {
        for id in ["INC-7K3QPF", "INC-7K3QPFX", "INC-0123456789ABCDEF"] {
            assert_eq!(IncidentId::parse(id), Some(IncidentId::new(id)));
        }
        for wrong in
            ["", "7K3QPF", "inc-7K3QPF", "INC-7k3qpf", "INC-7K3QP", "INC-0123456789ABCDEF0", "INC-7K3QPO", " INC-7K3QPF", "INC-7K3QPé"]
        {
            assert_eq!(IncidentId::parse(wrong), None, "{wrong}");
        }
    }
}
