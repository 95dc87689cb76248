//! What people do at a message: a reaction that means something, a reply that is a note. Most messages are no cards, and about those nothing is said or written.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::Workspace;
use shared::domain::intent::{Action, Actor, Intent, ReplyTo, Target};
use shared::domain::people::may_act;
use shared::domain::surfaces::{Remark, Remarked};
use shared::queue::{Failure, Try};
use shared::slack::moment;
use shared::store::StoreError;
use shared::store::incidents::Shown;

use crate::App;

/// A message that is younger than this may be a card of which that is not written down yet.
const YOUNG: SignedDuration = SignedDuration::from_secs(20);

/// When to look again for such a one. A poster writes it down some milliseconds after Slack has answered.
const LOOKS: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1_200)];

impl App {
    /// Does what it means, where it means anything.
    pub(crate) async fn remark(&self, remark: Remark, tried: Try) -> Result<(), Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let quiet = |why: &str| {
            tracing::debug!(intent = remark.id.as_str(), channel = remark.channel.as_str(), why, outcome = "ignored", "remark");
            Ok(())
        };
        let Ok(workspace) = self.workspace(Some(&remark.workspace)).await? else { return quiet("nobody installed this") };
        let Some(Shown { incident, place }) = self.card_at(&workspace, &remark).await? else { return quiet("not at a card") };
        let settings = self.store.settings(&workspace).await.map_err(later)?;
        let action = match &remark.what {
            Remarked::Reacted(name) => settings.reactions.meaning(name),
            Remarked::Replied(text) => {
                // Who may not act may talk all the same.
                let standing = self.profile(&workspace, &remark.by).await?.standing;
                may_act(standing, &remark.by, &settings.people).ok().map(|()| Action::Note { text: text.clone(), heard_in: Some(place) })
            }
        };
        let Some(action) = action else { return quiet("it means nothing") };
        let reply = ReplyTo::Ephemeral { channel: remark.channel.clone(), user: remark.by.id.clone(), thread: None };
        let Remark { id, at, by, .. } = remark;
        let (by, target) = (Actor::User(by), Target::Id(incident));
        let intent = Intent { id, workspace: Some(workspace), at, by, target, action, reply: Some(reply) };
        self.applied(intent, tried).await.map(|_| ())
    }

    /// Which card it is. Where the message is so young that its poster may not have come to write that down, or may have died before, it is looked for again, and then by
    /// the job's next delivery.
    async fn card_at(&self, workspace: &Workspace, remark: &Remark) -> Result<Option<Shown>, Failure> {
        let look = async || self.store.shown_at(workspace, &remark.channel, &remark.message).await.map_err(|error| Failure::later(&error));
        let is_young = || moment(remark.message.as_str()).is_some_and(|posted| Timestamp::now().duration_since(posted) < YOUNG);
        for pause in LOOKS {
            match look().await? {
                None if is_young() => tokio::time::sleep(pause).await,
                other => return Ok(other),
            }
        }
        match look().await? {
            None if is_young() => Err(Failure::Later("the message is so young that it may be a card".to_owned())),
            other => Ok(other),
        }
    }
}
