//! How an incident stands, and what became of a request.

use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::domain::ids::{IncidentId, IntentId};
use shared::domain::incident::Outcome;
use shared::domain::timeline;
use shared::public;
use shared::slack::reply::Reply;

use crate::caller::unreadable;
use crate::messages::whole;
use crate::problem::{Problem, answer};
use crate::{App, Asked};

/// So many entries of a timeline are shown.
const ENTRIES: u16 = 200;

/// So many bytes of a timeline are shown, as JSON: a function URL answers with at most 6 MB, in which every quote counts twice once more
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const BYTES: usize = 1024 * 1024;

/// An incident with its timeline.
#[derive(Serialize)]
struct Shown<'i> {
    #[serde(flatten)]
    incident: public::Incident<'i>,
    /// What happened to it of late, oldest first.
    timeline: Vec<public::Entry<'i>>,
    /// Whether more happened before that.
    more: bool,
}

/// What became of a request.
#[derive(Serialize)]
struct Became<'m> {
    request: &'m IntentId,
    /// In one word.
    outcome: &'static str,
    /// The incident that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'m IncidentId>,
    /// Why it was not done, where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

impl App {
    /// `GET /v1/incidents/{id}`
    pub(crate) async fn incident(&self, asked: &Asked<'_>, id: &str) -> Result<Reply, Problem> {
        let id = whole(id)?;
        let workspace = self.workspace(asked).await?;
        let incident = self.store.incident(&workspace, &id).await.map_err(|error| unreadable(&error))?;
        let none =
            || Problem::not_found("There is no such incident in this workspace. One that was sent a moment ago may not be there yet.");
        let incident = incident.ok_or_else(none)?;
        let (newest, more) = self.store.newest(&workspace, &id, ENTRIES).await.map_err(|error| unreadable(&error))?;
        let timeline = within(BYTES, &newest);
        let more = more || timeline.len() < newest.len();
        Ok(answer(StatusCode::OK, &Shown { incident: public::Incident::from(&incident), timeline, more }))
    }

    /// `GET /v1/requests/{request}`
    pub(crate) async fn request(&self, asked: &Asked<'_>, request: &str) -> Result<Reply, Problem> {
        let none = || {
            Problem::not_found("Nothing is known of this request: it is on its way, perhaps, or was never sent, or is older than 30 days.")
        };
        if !is_request(request) {
            return Err(none());
        }
        let (workspace, request) = (self.workspace(asked).await?, IntentId::new(request));
        let marker = self.store.marker(&workspace, &request).await.map_err(|error| unreadable(&error))?.ok_or_else(none)?;
        let refusal = if let Outcome::Refused(refusal) = &marker.outcome { Some(refusal.to_string()) } else { None };
        let became = Became { request: &request, outcome: marker.outcome.name(), incident: marker.incident.as_ref(), refusal };
        Ok(answer(StatusCode::OK, &became))
    }
}

/// As many of these, the newest first, as fit into so many bytes of JSON; in order of time.
fn within(bytes: usize, newest: &[timeline::Entry]) -> Vec<public::Entry<'_>> {
    let mut left = bytes;
    let fits = |entry: &public::Entry<'_>| {
        // What cannot be written is for the answer to tell.
        let length = serde_json::to_vec(entry).map_or(0, |json| json.len());
        left.checked_sub(length).map(|rest| left = rest).is_some()
    };
    let mut shown: Vec<_> = newest.iter().map(public::Entry::from).take_while(fits).collect();
    shown.reverse();
    shown
}

/// A word, and 32 characters of base 32.
fn is_request(id: &str) -> bool {
    let Some((word, digest)) = id.split_once('-') else { return false };
    let plain = |text: &str, fits: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| fits(&byte));
    plain(word, u8::is_ascii_lowercase) && plain(digest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && digest.len() == 32
}
