//! What a message's sender writes beside it, as attributes of the messages of SQS or SNS: the one way to say something about an event whose form one cannot
//! change. An alarm's topic, a subscription or a pipe adds them.
//!
//! | attribute | what it says |
//! |---|---|
//! | `severity` | how bad it is: `P1` to `P4`, `HIGH`, `MEDIUM`, `LOW` and what else sources say |
//! | `service` | whose it is: routes it first |
//! | `runbook` | a link, which becomes a button |
//! | `workspace` | the Slack team or enterprise that it is for |
//!
//! They count for more than what a source says. A message of our own schema says these things itself, so there they only fill what it leaves open. An attribute that is none of
//! these, or says none of that, belongs to somebody else: nothing is refused for it.

use super::event::Attributes;
use super::limits;
use super::news::may_be_opened;
use crate::domain::ids::Workspace;
use crate::domain::intent::{Action, Intent, Link};
use crate::domain::severity::Severity;
use crate::domain::sources::RUNBOOK;

/// The names of the attributes of a message that count.
pub const NAMES: [&str; 4] = ["severity", "service", "runbook", "workspace"];

/// The intents, with what the attributes say.
pub(super) fn heeded(mut intents: Vec<Intent>, attributes: &Attributes, is_own: bool) -> Vec<Intent> {
    if attributes.is_empty() {
        return intents;
    }
    let said = |name: &str| attributes.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let severity = said("severity").and_then(Severity::parse);
    let service = said("service").and_then(|service| limits::said_line(service, limits::NAME));
    let runbook = said("runbook").filter(|url| may_be_opened(url)).map(|url| Link { label: RUNBOOK.to_owned(), url: url.to_owned() });
    let workspace = said("workspace").and_then(Workspace::parse);
    for intent in &mut intents {
        if intent.workspace.is_none() {
            intent.workspace.clone_from(&workspace);
        }
        let Action::Create(changes) = &mut intent.action else { continue };
        if severity.is_some() && !(is_own && changes.severity.is_some()) {
            changes.severity = severity;
        }
        if service.is_some() && !(is_own && changes.service.is_some()) {
            changes.service.clone_from(&service);
        }
        if let Some(runbook) = &runbook {
            let links = changes.links.get_or_insert_default();
            if !is_own || links.is_empty() {
                links.retain(|link| link.label != runbook.label);
                links.insert(0, runbook.clone());
                links.truncate(limits::LINKS);
            }
        }
    }
    intents
}
