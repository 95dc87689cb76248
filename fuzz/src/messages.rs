//! Whatever is dropped on the incidents queue becomes intents that can travel, or a reason that tells nothing of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use shared::domain::intent::{Intent, Job};
use shared::intake::{Message, Read, Reading, read};
use shared::watch::Watch;

/// The program's own words: a reason may be made of these, and of nothing that the message says.
static WORDS: LazyLock<String> = LazyLock::new(|| sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/src/intake")));

fn sources_below(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let text = |path: &Path| if path.is_dir() { sources_below(path) } else { fs::read_to_string(path).unwrap_or_default() };
    entries.flatten().map(|entry| text(&entry.path())).collect()
}

/// A shorter piece of the message may stand in a reason by chance.
const QUOTED: usize = 12;

/// The bytes are the message.
pub fn check(input: &[u8]) {
    of(&String::from_utf8_lossy(input));
}

/// What a message comes to; every promise about it holds.
pub(crate) fn of(body: &str) -> Vec<Intent> {
    let watch = Watch::new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/".to_owned()).expect("the beginning of an ARN");
    let message_id = "5fea7756-0ea4-451a-a703-a558b933e274";
    let attributes = BTreeMap::new();
    let message = Message { body, message_id, attributes: &attributes, sent_at: crate::now(), now: crate::now(), watch: Some(&watch) };
    let outcome = read(&message);
    assert_eq!(outcome, read(&message), "the same message always reads the same");
    let Read { reading, sources } = outcome;
    assert!(!sources.is_empty(), "every message is counted");
    let (intents, reason) = match reading {
        Reading::Intents(intents) => (intents, None),
        Reading::Ignored(why) | Reading::Refused(why) => (Vec::new(), Some(why)),
        Reading::Partly { intents, reason } => (intents, Some(reason)),
    };
    assert!(reason.is_some() || !intents.is_empty(), "nothing is dropped without a word");
    if let Some(reason) = reason {
        assert!(!reason.trim().is_empty(), "a reason says something");
        quotes_nothing(&reason, body);
    }
    for intent in &intents {
        travels_whole(intent);
    }
    intents
}

/// A queue's message names itself, so all of the intent counts, ids too.
fn travels_whole(intent: &Intent) {
    let whole = serde_json::to_string(intent).expect("an intent can be written").len();
    assert!(whole <= crate::INTENT, "{whole} bytes are more than one intent may take");
    crate::travels(&Job::Intent(Box::new(intent.clone())));
}

fn quotes_nothing(reason: &str, body: &str) {
    // Where it is wrong are words of ours, whatever the numbers.
    let (said, place) = reason.split_at(reason.find("line ").map_or(reason.len(), |at| at + "line ".len()));
    let after = place.trim_start_matches(|letter: char| letter.is_ascii_digit() || ", column)".contains(letter));
    for words in [said, after] {
        let letters: Vec<char> = words.chars().collect();
        for piece in letters.windows(QUOTED).map(|piece| piece.iter().collect::<String>()) {
            assert!(!body.contains(&piece) || WORDS.contains(&piece), "the reason quotes the message: {reason}");
        }
    }
}
