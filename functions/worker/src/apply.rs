//! One intent: find the incident, decide, write everything in one transaction; [`crate::settle`] does what is to be done then.

use jiff::Timestamp;
use shared::domain::Refusal;
use shared::domain::flapping::Begun;
use shared::domain::ids::{Channel, DedupKey, ID_LENGTHS, IncidentId, Workspace};
use shared::domain::incident::{Incident, Summary};
use shared::domain::intent::{Action, Actor, Intent, Person, Target};
use shared::domain::people::{Standing, may_act, may_anywhere};
use shared::domain::timeline::{Entry, Fate, What};
use shared::queue::{Failure, Try};
use shared::render::answer;
use shared::store::StoreError;
use shared::store::commit::{Commit, Committed, Repoint};
use shared::store::incidents::{Marker, Pointed};
use shared::store::workspaces::Wants;

use crate::answer::{OPEN_MOST, hidden};
use crate::settle::{Settled, Writer};
use crate::{App, lock};

/// How often a conflict is decided anew within one delivery: every round somebody else has got ahead, so it ends.
const ROUNDS: usize = 12;

/// The incident an intent is about, as it was read.
struct Found {
    incident: Incident,
    /// It is not in the store yet.
    new: bool,
    /// The source's key, and what it meant, where it has to mean this incident from now on.
    repoint: Option<Meaning>,
    /// What the workspace wants.
    wants: Wants,
}

/// What a source's key means.
struct Meaning {
    key: DedupKey,
    from: Option<IncidentId>,
    begun: Begun,
}

/// What one round came to.
enum Round {
    Settled(Settled),
    Again,
}

impl App {
    /// Applies an intent, whatever came of it before; what came of it, where there is a workspace to keep that in.
    pub(crate) async fn applied(&self, mut intent: Intent, tried: Try) -> Result<Option<Marker>, Failure> {
        let workspace = match self.workspace(intent.workspace.as_ref()).await? {
            Ok(workspace) => workspace,
            // Without a workspace there is nowhere to keep a marker: a person reads why, a source's message stands on the dead-letter queue.
            Err(refusal) => {
                return match &intent.reply {
                    Some(reply) => self.refuse(None, reply, &refusal, intent.id.as_str()).await.map(|()| None),
                    None => Err(Failure::Never(refusal.to_string())),
                };
            }
        };
        let mut standing = None;
        if let Actor::User(person) = &mut intent.by {
            let profile = self.profile(&workspace, person).await?;
            standing = Some(profile.standing);
            (person.name, person.email) = (Some(profile.name), profile.email);
        }
        for round in 0..ROUNDS {
            match Box::pin(self.round(&workspace, &intent, standing, round)).await? {
                Round::Settled(settled) => return self.settle(&workspace, &intent, settled, tried).await.map(Some),
                Round::Again => tracing::debug!(intent = intent.id.as_str(), round, "somebody was faster; deciding anew"),
            }
        }
        Err(Failure::Later(format!("{ROUNDS} others were faster")))
    }

    async fn round(&self, workspace: &Workspace, intent: &Intent, standing: Option<Standing>, lost: usize) -> Result<Round, Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let now = Timestamp::now();
        let found = match self.find(workspace, intent, lost).await? {
            Ok(found) => found,
            Err(refusal) => {
                let committed = self.store.refuse(workspace, &intent.id, None, &refusal, now).await.map_err(later)?;
                return Ok(settled(committed, Marker::refused(None, &refusal), None, false));
            }
        };
        let mut settings = self.settings(found.wants, now);
        let allowed = match (&intent.by, standing) {
            (Actor::User(person), Some(standing)) => match may_act(standing, person, &settings.configuration.people) {
                Ok(()) if may_anywhere(standing).is_err() && !found.new => self.is_theirs(workspace, person, &found.incident).await?,
                allowed => allowed,
            },
            (Actor::User(_) | Actor::Source(_), _) => Ok(()),
        };
        let known = match (&intent.action, allowed) {
            (_, Err(refusal)) => Err(refusal),
            (Action::Decide { decision, .. }, Ok(())) => self.groups_of(workspace, intent, &found.incident, decision).await?,
            (_, Ok(())) => Ok(Vec::new()),
        };
        let decided = known.and_then(|member_of| {
            settings.member_of = member_of;
            found.incident.apply(intent, &settings)
        });
        let effect = match decided {
            Ok(effect) => effect,
            Err(refusal) => {
                let entry = refused_entry(intent, &refusal);
                let about = entry.as_ref().filter(|_| !found.new).map(|entry| (&found.incident, entry));
                let committed = self.store.refuse(workspace, &intent.id, about, &refusal, now).await.map_err(later)?;
                let marker = Marker::refused(about, &refusal);
                return Ok(settled(committed, marker, about.map(|(incident, _)| incident.clone()), false));
            }
        };
        self.know_channels(workspace, &effect.added, now).await.map_err(later)?;
        let reveals = effect.reveals && !found.new;
        let mut revealed = Vec::new();
        if reveals {
            revealed = self.store.timeline(workspace, &effect.incident.id).await.map_err(later)?;
            revealed.retain(|entry| settings.configuration.notify.tells(&entry.what));
        }
        let repoint = found.repoint.as_ref();
        let repoint = repoint.map(|Meaning { key, from, begun }| Repoint { key, from: from.as_ref(), begun: begun.and(intent.at) });
        let commit = Commit { intent: &intent.id, effect: &effect, revealed: &revealed, repoint, now };
        let committed = self.store.commit(&commit).await.map_err(later)?;
        Ok(settled(committed, Marker::of(&effect), Some(effect.incident), reveals))
    }

    /// Whoever may act only in some channels may do so about what shows where they are.
    async fn is_theirs(&self, workspace: &Workspace, person: &Person, incident: &Incident) -> Result<Result<(), Refusal>, Failure> {
        let sight = self.sight(workspace, person).await?;
        Ok(sight.and_then(|sight| if sight.shows(&incident.channels) { Ok(()) } else { Err(hidden(&incident.id)) }))
    }

    /// To which of the usergroups that may decide this the person belongs; or why that cannot be known.
    async fn groups_of(
        &self,
        workspace: &Workspace,
        intent: &Intent,
        incident: &Incident,
        decision: &str,
    ) -> Result<Result<Vec<String>, Refusal>, Failure> {
        let asked = incident.decisions.iter().find(|known| known.asked.name == decision);
        match (&intent.by, asked) {
            (Actor::User(person), Some(known)) => self.member_of(workspace, person, &known.asked.who).await,
            _ => Ok(Ok(Vec::new())),
        }
    }

    /// The incident that is meant, or why there is none. `lost`: how often somebody was faster.
    async fn find(&self, workspace: &Workspace, intent: &Intent, lost: usize) -> Result<Result<Found, Refusal>, Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let person = match &intent.by {
            Actor::User(person) => Some(person),
            Actor::Source(_) => None,
        };
        match &intent.target {
            Target::New => {
                let wants = self.store.wants(workspace).await.map_err(later)?;
                self.new_incident(workspace, intent, None, wants, lost).await.map(Ok).map_err(later)
            }
            Target::Id(id) => self.known(workspace, id).await.map_err(later),
            Target::Prefix(prefix) => self.beginning_with(workspace, prefix, person).await,
            Target::Only => self.only(workspace, person).await,
            Target::Key(key) => {
                let Pointed { id: from, incident, begun, wants } = self.store.pointed(workspace, key).await.map_err(later)?;
                let rate = wants.configuration.flapping;
                let may_flap = matches!(&intent.action, Action::Create(changes) if changes.may_flap());
                let is_flapping = may_flap && rate.is_flapping(&begun, intent.at);
                let meaning = Meaning { key: key.clone(), from, begun };
                let begins_anew = |incident: &Incident| matches!(intent.action, Action::Create(_)) && incident.is_over_before(intent.at);
                Ok(Ok(match incident {
                    Some(incident) if !begins_anew(&incident) => Found::known(incident, wants),
                    Some(incident) if is_flapping => {
                        Found { repoint: Some(meaning), ..Found::known(incident.held(rate, intent.at), wants) }
                    }
                    Some(_) | None => self.new_incident(workspace, intent, Some(meaning), wants, lost).await.map_err(later)?,
                }))
            }
        }
    }

    /// The one whose id begins so, of those that this person sees; whoever knows the whole id need not see it for that.
    async fn beginning_with(
        &self,
        workspace: &Workspace,
        prefix: &str,
        person: Option<&Person>,
    ) -> Result<Result<Found, Refusal>, Failure> {
        let later = |error: StoreError| Failure::later(&error);
        // The index comes after the incident, and somebody may be faster.
        if let Some(whole) = IncidentId::whole(prefix)
            && let Ok(found) = self.known(workspace, &whole).await.map_err(later)?
        {
            return Ok(Ok(found));
        }
        let known = self.store.beginning_with(workspace, prefix, OPEN_MOST).await.map_err(later)?;
        self.the_one(workspace, known, &format!("No incident's id begins with {prefix}."), person).await
    }

    /// The only one that is open, of those that this person sees.
    async fn only(&self, workspace: &Workspace, person: Option<&Person>) -> Result<Result<Found, Refusal>, Failure> {
        let open = self.store.open(workspace, OPEN_MOST).await.map_err(|error| Failure::later(&error))?;
        self.the_one(workspace, open, "Nothing is open.", person).await
    }

    /// An incident that nobody knows of yet. That its id is another one's, the transaction finds out; only then it is looked for a longer one.
    async fn new_incident(
        &self,
        workspace: &Workspace,
        intent: &Intent,
        repoint: Option<Meaning>,
        wants: Wants,
        lost: usize,
    ) -> Result<Found, StoreError> {
        let key = repoint.as_ref().map(|meaning| meaning.key.clone());
        let mut id = IncidentId::derive(workspace, &intent.id, ID_LENGTHS[0]);
        for length in ID_LENGTHS.into_iter().filter(|_| lost > 0) {
            id = IncidentId::derive(workspace, &intent.id, length);
            if self.store.incident(workspace, &id).await?.is_none() {
                break;
            }
        }
        Ok(Found { new: true, repoint, ..Found::known(Incident::expected(workspace.clone(), id, key), wants) })
    }

    async fn known(&self, workspace: &Workspace, id: &IncidentId) -> Result<Result<Found, Refusal>, StoreError> {
        let (incident, wants) = self.store.with_wants(workspace, id).await?;
        Ok(match incident {
            Some(incident) => Ok(Found::known(incident, wants)),
            None => Err(Refusal::new(format!("There is no incident {id}. `/incident list` shows what is open."))),
        })
    }

    async fn the_one(
        &self,
        workspace: &Workspace,
        mut known: Vec<Summary>,
        none: &str,
        person: Option<&Person>,
    ) -> Result<Result<Found, Refusal>, Failure> {
        if let (Some(person), false) = (person, known.is_empty()) {
            match self.sight(workspace, person).await? {
                Ok(sight) => known.retain(|summary| sight.sees(summary)),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        match known.as_slice() {
            [only] => self.known(workspace, &only.id).await.map_err(|error| Failure::later(&error)),
            [] => Ok(Err(Refusal::new(format!("{none} `/incident list` shows what is open.")))),
            several => {
                let title = |one: &Summary| one.title.replace(['<', '>', '\n'], " ").chars().take(80).collect::<String>();
                let name = |one: &Summary| format!("\n• {} {}", one.id, title(one));
                // What one would look at first stands first; what is over is named where nothing is open.
                let open = answer::open(several);
                let meant = if open.is_empty() { several.iter().collect() } else { open };
                let lines: Vec<String> = meant.into_iter().take(5).map(name).collect();
                let more = if several.len() > lines.len() { "\nand more" } else { "" };
                Ok(Err(Refusal::new(format!("Which one? It could be{}{more}", lines.concat()))))
            }
        }
    }

    /// The incident that a question is about.
    pub(crate) async fn asked_about(
        &self,
        workspace: &Workspace,
        target: &Target,
        person: &Person,
    ) -> Result<Result<Incident, Refusal>, Failure> {
        let found = match target {
            Target::Id(id) => self.known(workspace, id).await.map_err(|error| Failure::later(&error))?,
            Target::Prefix(prefix) => self.beginning_with(workspace, prefix, Some(person)).await?,
            Target::Only | Target::New | Target::Key(_) => self.only(workspace, Some(person)).await?,
        };
        Ok(found.map(|found| found.incident))
    }

    /// Remembers that something may be due in these channels; once a day and container is enough.
    pub(crate) async fn know_channels(&self, workspace: &Workspace, channels: &[Channel], now: Timestamp) -> Result<(), StoreError> {
        let day = now.as_second() / (24 * 60 * 60);
        let new = |channel: &&Channel| !lock(&self.known_channels).contains(&(day, workspace.clone(), (*channel).clone()));
        let new: Vec<_> = channels.iter().filter(new).cloned().collect();
        self.store.know_channels(workspace, &new, now).await?;
        let mut known = lock(&self.known_channels);
        known.retain(|(of, ..)| *of == day);
        known.extend(new.into_iter().map(|channel| (day, workspace.clone(), channel)));
        Ok(())
    }
}

impl Found {
    fn known(incident: Incident, wants: Wants) -> Self {
        Self { incident, new: false, repoint: None, wants }
    }
}

fn settled(committed: Committed, marker: Marker, incident: Option<Incident>, reveals: bool) -> Round {
    match committed {
        Committed::Done => Round::Settled(Settled { marker, incident: incident.map(Box::new), by: Writer::This, reveals }),
        Committed::Already(marker) => Round::Settled(Settled { marker, incident: None, by: Writer::Earlier, reveals: true }),
        Committed::Conflict => Round::Again,
    }
}

/// The line in the timeline that says somebody tried to do something to it.
fn refused_entry(intent: &Intent, refusal: &Refusal) -> Option<Entry> {
    let what = match &intent.action {
        Action::Create(changes) => What::Triggered { title: changes.title.clone().unwrap_or_default(), description: None },
        Action::Update(_) => What::Updated { fields: Vec::new(), severity: None },
        Action::Acknowledge => What::Acknowledged,
        Action::Resolve(closing) => What::Resolved { closing: closing.clone(), after_seconds: None },
        Action::Reopen | Action::Settle => What::Reopened,
        Action::Snooze { until } => What::Snoozed { until: *until },
        Action::Wake => What::Woken,
        Action::Assign { to } => What::Assigned { to: to.clone() },
        Action::Escalate { note, .. } => What::Escalated { step: None, called: Vec::new(), note: note.clone() },
        Action::CallNext => What::Escalated { step: None, called: Vec::new(), note: None },
        Action::Due(promise) => What::SlaBreached { promise: *promise, by: intent.at },
        Action::Decide { option, reason, .. } => What::Decided { label: option.clone(), reason: reason.clone(), missing: 0 },
        Action::Expire => What::Expired { labels: Vec::new() },
        Action::Called { decision, outcome } => What::Called { label: decision.clone(), outcome: outcome.clone() },
        Action::Tell => What::Triggered { title: String::new(), description: None },
        Action::Note { text, .. } => What::Noted { text: text.clone() },
        Action::Await { .. } => return None,
    };
    Some(Entry {
        intent: intent.id.clone(),
        at: intent.at,
        by: intent.by.clone(),
        what,
        fate: Fate::Refused(refusal.clone()),
        broadcast: false,
        heard_in: None,
    })
}
