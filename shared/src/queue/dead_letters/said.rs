//! What the body of a message says, on each of the queues.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::call::{About, Call};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Ask, Intent, Job, Target};
use crate::intake::{self, Reading};
use crate::queue::message::{Wake, Written, open};

/// What stands on a queue, which says how a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// What services dropped: the incidents queue.
    Incidents,
    /// [`Job`]s: `intents.fifo`.
    Intents,
    /// [`Wake`]s: `posts.fifo`.
    Posts,
    /// [`Call`]s: `calls.fifo`.
    Calls,
    /// [`Written`]: `timeline.fifo`.
    Timeline,
}

/// What a body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The ids of the intents or questions in it.
    pub intents: Vec<IntentId>,
    /// Which incident or channel it is about: an incident's id, or what its source calls it.
    pub about: Vec<String>,
}

impl Contents {
    /// Reads a body as its function would, as far as can be told without applying it.
    pub(super) fn said(
        self,
        body: &str,
        message_id: &str,
        attributes: &BTreeMap<String, String>,
        sent_at: Timestamp,
    ) -> Result<Said, String> {
        match self {
            Self::Incidents => {
                let message = intake::Message { body, message_id, attributes, sent_at, now: Timestamp::now(), watch: None };
                match intake::read(&message).reading {
                    Reading::Intents(intents) => Ok(intents.iter().map(Said::from).fold(Said::default(), Said::and)),
                    Reading::Ignored(_) => Ok(Said::default()),
                    Reading::Refused(reason) | Reading::Partly { reason, .. } => Err(reason),
                }
            }
            Self::Intents => open::<Job>(body).map(|job| Said::from(&job)).map_err(|unreadable| unreadable.to_string()),
            Self::Posts => open::<Wake>(body).map(|wake| Said::from(&wake)).map_err(|unreadable| unreadable.to_string()),
            Self::Calls => open::<Call>(body).map(|call| Said::from(&call)).map_err(|unreadable| unreadable.to_string()),
            Self::Timeline => open::<Written>(body).map(|written| Said::from(&written)).map_err(|unreadable| unreadable.to_string()),
        }
    }
}

impl Said {
    fn and(mut self, other: Self) -> Self {
        self.intents.extend(other.intents);
        for about in other.about {
            if !self.about.contains(&about) {
                self.about.push(about);
            }
        }
        self
    }
}

fn about(target: &Target) -> Vec<String> {
    match target {
        Target::Id(id) => vec![id.to_string()],
        Target::Prefix(prefix) => vec![prefix.clone()],
        Target::Key(key) => vec![key.to_string()],
        Target::New | Target::Only => Vec::new(),
    }
}

impl From<&Intent> for Said {
    fn from(intent: &Intent) -> Self {
        Self { intents: vec![intent.id.clone()], about: about(&intent.target) }
    }
}

impl From<&Job> for Said {
    fn from(job: &Job) -> Self {
        match job {
            Job::Intent(intent) => Self::from(&**intent),
            Job::Question(question) => {
                let about = match &question.ask {
                    Ask::Show(target) => about(target),
                    Ask::List | Ask::Status | Ask::OnCall | Ask::Help | Ask::Commands | Ask::Nothing(_) => Vec::new(),
                };
                Self { intents: vec![question.id.clone()], about }
            }
            Job::TakeOver(take_over) => {
                let rotation = take_over.rotation.iter().cloned();
                Self { intents: vec![take_over.id.clone()], about: rotation.chain([take_over.taken.person.to_string()]).collect() }
            }
            Job::Spoken(spoken) => Self { intents: vec![spoken.id.clone()], about: spoken.command.iter().cloned().collect() },
            Job::Answered(answered) => Self { intents: vec![answered.id.clone()], about: vec![answered.command.clone()] },
            Job::Remark(remark) => Self { intents: vec![remark.id.clone()], about: vec![remark.by.id.to_string()] },
            Job::FromMessage(wish) => Self::from(&*wish.intent),
            Job::Home(opened) => Self { intents: vec![opened.id.clone()], about: vec![opened.by.id.to_string()] },
            Job::Joined(joined) => Self { intents: vec![joined.id.clone()], about: vec![joined.channel.to_string()] },
            Job::Linked(linked) => Self { intents: vec![linked.id.clone()], about: vec![linked.by.id.to_string()] },
            Job::Setting(wish) => Self { intents: vec![wish.id.clone()], about: vec![wish.by.id.to_string()] },
            Job::StepRefused(step) => Self { intents: vec![step.id.clone()], about: vec![step.execution.to_string()] },
            Job::Uninstall(uninstall) => Self { intents: vec![uninstall.id.clone()], about: vec![uninstall.workspace.to_string()] },
        }
    }
}

impl From<&Wake> for Said {
    fn from(wake: &Wake) -> Self {
        // A post's place names its incident: `card#INC-…`, `reply#INC-…#…`.
        let incident = wake.unpark.as_deref().and_then(|place| place.split('#').find(|part| part.starts_with("INC-")));
        let about = incident.into_iter().chain([wake.channel.as_str()]).map(str::to_owned).collect();
        Self { intents: vec![wake.because.clone()], about }
    }
}

impl From<&Call> for Said {
    fn from(call: &Call) -> Self {
        let what = match &call.about {
            About::Decision { incident, .. } | About::Entry { incident, .. } => incident.to_string(),
            About::Command { command, .. } => command.clone(),
        };
        Self { intents: vec![call.id.clone()], about: vec![what, call.to.clone()] }
    }
}

impl From<&Written> for Said {
    fn from(written: &Written) -> Self {
        Self { intents: vec![written.entry.clone()], about: vec![written.incident.to_string()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Channel, Workspace};
    use crate::queue::seal;

    #[test]
    fn a_body_says_what_it_is_about() {
        let wake = Wake {
            workspace: Workspace::new("T1"),
            channel: Channel::new("C1"),
            because: IntentId::of("test", &[]),
            unpark: Some("reply#INC-7K3QPF#timeline#1".to_owned()),
        };
        let said = Contents::Posts.said(&seal(&wake).expect("a text"), "m", &BTreeMap::new(), Timestamp::now());
        assert_eq!(said, Ok(Said { intents: vec![wake.because], about: vec!["INC-7K3QPF".to_owned(), "C1".to_owned()] }));
        assert!(Contents::Intents.said("{}", "m", &BTreeMap::new(), Timestamp::now()).is_err());
        assert!(Contents::Incidents.said("{", "m", &BTreeMap::new(), Timestamp::now()).is_err());
    }
}
