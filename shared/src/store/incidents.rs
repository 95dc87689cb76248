//! Reading incidents: by id, by what their source calls them, by the beginning of an id, and what is open.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::Refusal;
use crate::domain::flapping::Begun;
use crate::domain::ids::{Channel, DedupKey, IncidentId, IntentId, MessageTs, Workspace};
use crate::domain::incident::{Effect, Incident, Outcome, Summary};
use crate::domain::timeline::Entry;

use super::workspaces::Wants;
use super::{Store, StoreError, keys, read, text};

/// The name of the table's index over a workspace's incidents.
const INDEX: &str = "by_workspace";

/// How many lines of a timeline are read: more are never shown.
const TIMELINE_MOST: usize = 500;

/// What a source's key means now.
#[derive(Debug, Clone, Default)]
pub struct Pointed {
    /// The id that stands there.
    pub id: Option<IncidentId>,
    /// The incident of that id.
    pub incident: Option<Incident>,
    /// When incidents of this key began lately.
    pub begun: Begun,
    /// What the workspace wants, which says what becomes of it.
    pub wants: Wants,
}

/// What became of an intent, from its marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The incident it was about, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What became of it.
    pub outcome: Outcome,
    /// When that happened of which it has written an entry to the incident's timeline; `None` where it wrote none. What comes again may name another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_at: Option<Timestamp>,
}

impl Marker {
    /// That of an intent which came to this.
    pub fn of(effect: &Effect) -> Self {
        let entry_at = effect.entry.as_ref().map(|entry| entry.at);
        Self { incident: Some(effect.incident.id.clone()), outcome: effect.outcome.clone(), entry_at }
    }

    /// That of an intent which was refused; where it was about an incident, that has an entry about it.
    pub fn refused(about: Option<(&Incident, &Entry)>, refusal: &Refusal) -> Self {
        let (incident, entry_at) = about.map(|(incident, entry)| (incident.id.clone(), entry.at)).unzip();
        Self { incident, outcome: Outcome::Refused(refusal.clone()), entry_at }
    }
}

/// Which card a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Whose.
    pub incident: IncidentId,
    /// In which of the incident's channels, as it was routed.
    pub place: Channel,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) incident: IncidentId,
    #[serde(default)]
    pub(super) begun: Begun,
}

#[derive(Deserialize)]
pub(super) struct Stored<T> {
    pub(super) data: T,
}

impl Store {
    /// The incident of this id.
    pub async fn incident(&self, workspace: &Workspace, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
        let stored: Option<Stored<Incident>> = self.get(&keys::incident(workspace, id)).await?;
        Ok(stored.map(|stored| stored.data))
    }

    /// What a source's key means now.
    pub async fn pointed(&self, workspace: &Workspace, key: &DedupKey) -> Result<Pointed, StoreError> {
        let (pointer, settings) = (keys::dedup(workspace, key), Wants::keys(workspace));
        let mut found = self.get_several(settings.iter().chain([&pointer])).await?;
        let wants = Wants::take(workspace, &settings, &mut found)?;
        let Some(Pointer { incident: id, begun }) = found.remove(&pointer).map(read).transpose()? else {
            return Ok(Pointed { wants, ..Pointed::default() });
        };
        let incident = self.incident(workspace, &id).await?;
        Ok(Pointed { id: Some(id), incident, begun, wants })
    }

    /// The incident of this id, and what the workspace wants, which says what becomes of it.
    pub async fn with_wants(&self, workspace: &Workspace, id: &IncidentId) -> Result<(Option<Incident>, Wants), StoreError> {
        let (incident, settings) = (keys::incident(workspace, id), Wants::keys(workspace));
        let mut found = self.get_several(settings.iter().chain([&incident])).await?;
        let stored: Option<Stored<Incident>> = found.remove(&incident).map(read).transpose()?;
        Ok((stored.map(|stored| stored.data), Wants::take(workspace, &settings, &mut found)?))
    }

    /// The card that a message is; `None` for every other message. `channel` is Slack's id.
    pub async fn shown_at(&self, workspace: &Workspace, channel: &Channel, ts: &MessageTs) -> Result<Option<Shown>, StoreError> {
        self.get(&keys::shown_at(workspace, channel, ts)).await
    }

    /// What became of an intent that was applied before.
    pub async fn marker(&self, workspace: &Workspace, intent: &IntentId) -> Result<Option<Marker>, StoreError> {
        let stored: Option<Stored<Marker>> = self.get(&keys::marker(workspace, intent)).await?;
        Ok(stored.map(|stored| stored.data))
    }

    /// The incident's timeline, oldest first.
    pub async fn timeline(&self, workspace: &Workspace, id: &IncidentId) -> Result<Vec<Entry>, StoreError> {
        let entries: Vec<Stored<Entry>> = self.query(&keys::incident_partition(workspace, id), Some("timeline#"), TIMELINE_MOST).await?;
        Ok(entries.into_iter().map(|stored| stored.data).collect())
    }

    /// The newest lines of the incident's timeline, the newest first, at most `most`; and whether there are more. DynamoDB reads at most 1 MB at once, so that there
    /// may be fewer of long ones.
    pub async fn newest(&self, workspace: &Workspace, id: &IncidentId, most: u16) -> Result<(Vec<Entry>, bool), StoreError> {
        let query = self.db.query().table_name(&self.table).consistent_read(true).scan_index_forward(false);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)").limit(i32::from(most) + 1);
        let query = query.expression_attribute_values(":pk", text(keys::incident_partition(workspace, id)));
        let answer =
            query.expression_attribute_values(":prefix", text("timeline#")).send().await.map_err(|error| StoreError::call(&error))?;
        let read = answer.items.unwrap_or_default().into_iter().map(read::<Stored<Entry>>).map(|stored| stored.map(|stored| stored.data));
        let mut entries = read.collect::<Result<Vec<Entry>, StoreError>>()?;
        let more = answer.last_evaluated_key.is_some() || entries.len() > usize::from(most);
        entries.truncate(usize::from(most));
        Ok((entries, more))
    }

    /// One line of a timeline.
    pub async fn entry(&self, workspace: &Workspace, id: &IncidentId, place: &str) -> Result<Option<Entry>, StoreError> {
        let stored: Option<Stored<Entry>> = self.get(&keys::entry(workspace, id, place)).await?;
        Ok(stored.map(|stored| stored.data))
    }

    /// A line of a timeline, by the intent that wrote it and when that happened, and its incident as it stands; nothing where either is not there.
    pub async fn written(
        &self,
        workspace: &Workspace,
        id: &IncidentId,
        at: Timestamp,
        intent: &IntentId,
    ) -> Result<Option<(Incident, Entry)>, StoreError> {
        let keys = (keys::incident(workspace, id), keys::entry(workspace, id, &keys::place_in_timeline(at, intent)));
        let mut found = self.get_several([&keys.0, &keys.1].into_iter()).await?;
        let incident: Option<Stored<Incident>> = found.remove(&keys.0).map(read).transpose()?;
        let entry: Option<Stored<Entry>> = found.remove(&keys.1).map(read).transpose()?;
        Ok(incident.zip(entry).map(|(incident, entry)| (incident.data, entry.data)))
    }

    /// What is open in a workspace, at most `limit`; a write shows here a moment later.
    pub async fn open(&self, workspace: &Workspace, limit: usize) -> Result<Vec<Summary>, StoreError> {
        self.listed(workspace, "open#", limit).await
    }

    /// What was resolved in a workspace, at most `limit`.
    pub async fn resolved(&self, workspace: &Workspace, limit: usize) -> Result<Vec<Summary>, StoreError> {
        self.listed(workspace, "resolved#", limit).await
    }

    /// The incidents whose ids begin with `prefix`: the open ones, else the resolved ones; at most `limit`.
    pub async fn beginning_with(&self, workspace: &Workspace, prefix: &str, limit: usize) -> Result<Vec<Summary>, StoreError> {
        let open = self.listed(workspace, &format!("open#{prefix}"), limit).await?;
        if open.is_empty() { self.listed(workspace, &format!("resolved#{prefix}"), limit).await } else { Ok(open) }
    }

    async fn listed(&self, workspace: &Workspace, prefix: &str, limit: usize) -> Result<Vec<Summary>, StoreError> {
        #[derive(Deserialize)]
        struct Listed {
            summary: Summary,
        }
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let answer = self
                .db
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("workspace = :workspace AND begins_with(listing, :prefix)")
                .expression_attribute_values(":workspace", text(workspace.as_str()))
                .expression_attribute_values(":prefix", text(prefix))
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| StoreError::call(&error))?;
            for item in answer.items.unwrap_or_default() {
                found.push(read::<Listed>(item)?.summary);
            }
            from = answer.last_evaluated_key;
            if from.is_none() || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::domain::intent::Actor;
    use crate::domain::timeline::{Fate, What};

    #[test]
    fn a_marker_keeps_when_its_entry_happened_and_an_older_one_is_still_read() {
        let incident = Incident::expected(Workspace::new("T1"), IncidentId::new("INC-7K3QPF"), None);
        let refusal = Refusal::new("no");
        let (intent, at) = (IntentId::of("test", &[]), Timestamp::UNIX_EPOCH);
        let (by, fate) = (Actor::Source("CloudWatch".into()), Fate::Refused(refusal.clone()));
        let entry = Entry { intent, at, by, what: What::Acknowledged, fate, broadcast: false, heard_in: None };
        let about = Marker::refused(Some((&incident, &entry)), &refusal);
        assert_eq!((about.entry_at, about.incident.as_ref()), (Some(at), Some(&incident.id)));
        assert_eq!(from_value::<Marker>(json!(about)).expect("a marker"), about);
        assert_eq!(Marker::refused(None, &refusal).entry_at, None);
        // Written before this was kept, and with a bare yes in its place.
        for older in [json!({ "incident": "INC-7K3QPF", "outcome": "late" }), json!({ "outcome": "late", "entry": true })] {
            assert_eq!(from_value::<Marker>(older).expect("a marker").entry_at, None);
        }
    }
}
