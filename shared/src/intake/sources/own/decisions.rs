//! What a message of our own schema asks people to decide: `approval` and `actions`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::domain::decision::{Asked, Choice, MOST, Tone, is_name};
use crate::domain::ids::is_slack_id;
use crate::domain::people::Who;
use crate::intake::fields::{rfc_3339, whole};
use crate::intake::limits::{self, CONFIRM, ENDPOINT, LABEL, WHO};

/// What the decision of an approval is called.
const APPROVAL: &str = "approval";

/// How many people a decision can need.
const QUORUM: std::ops::RangeInclusive<u64> = 1..=20;

/// An object, where it stands, and what is wrong with it.
struct Part<'a> {
    object: &'a Map<String, Value>,
    place: String,
    problems: &'a mut Vec<String>,
}

/// What is asked; `None` where nothing is. What is wrong is added to `problems`.
pub(super) fn read(object: &Map<String, Value>, problems: &mut Vec<String>) -> Option<Vec<Asked>> {
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    let mut asked = Vec::new();
    match given("approval") {
        None => {}
        Some(Value::Object(object)) => asked.push(Part { object, place: "approval".to_owned(), problems }.approval()),
        Some(_) => problems.push("`approval` must be an object".to_owned()),
    }
    match given("actions") {
        None => {}
        Some(Value::Array(actions)) => {
            for (number, action) in actions.iter().enumerate() {
                let place = format!("actions[{number}]");
                match action {
                    Value::Object(object) => asked.extend(Part { object, place, problems }.action()),
                    _ => problems.push(format!("`{place}` must be an object")),
                }
            }
        }
        Some(_) => problems.push("`actions` must be a list of objects".to_owned()),
    }
    asked.truncate(MOST);
    (!asked.is_empty()).then_some(asked)
}

impl Part<'_> {
    /// Two buttons that exclude each other.
    fn approval(&mut self) -> Asked {
        let quorum = self.quorum();
        let (approve, reject) = (self.text("approve", LABEL), self.text("reject", LABEL));
        let approve = Choice {
            name: "approve".to_owned(),
            label: approve.unwrap_or_else(|| "Approve".to_owned()),
            tone: Tone::Primary,
            confirm: self.text("confirm", CONFIRM),
            reason: false,
            quorum,
            call: self.text("call", ENDPOINT),
        };
        let reject = Choice {
            name: "reject".to_owned(),
            label: reject.unwrap_or_else(|| "Reject".to_owned()),
            tone: Tone::Danger,
            confirm: None,
            reason: self.flag("reason"),
            quorum: None,
            // Whoever waits for the answer hears a no as well.
            call: approve.call.clone(),
        };
        Asked { name: APPROVAL.to_owned(), options: vec![approve, reject], who: self.who(), expires_at: self.time("expires_at") }
    }

    /// A button of its own.
    fn action(&mut self) -> Option<Asked> {
        let name = self.object.get("name").and_then(Value::as_str).filter(|name| is_name(name)).map(str::to_owned);
        if name.is_none() {
            self.problem("name", "must be 1 to 40 small letters, digits, `_` and `-`");
        }
        let label = self.text("label", LABEL);
        if label.is_none() && !matches!(self.object.get("label"), Some(value) if !value.is_null() && !value.is_string()) {
            self.problem("label", "is missing or empty");
        }
        let tone = match self.object.get("style") {
            None | Some(Value::Null) => Tone::Plain,
            Some(value) => match value.as_str() {
                Some("plain") => Tone::Plain,
                Some("primary") => Tone::Primary,
                Some("danger") => Tone::Danger,
                _ => {
                    self.problem("style", "must be plain, primary or danger");
                    Tone::Plain
                }
            },
        };
        let (confirm, reason, quorum, call) =
            (self.text("confirm", CONFIRM), self.flag("reason"), self.quorum(), self.text("call", ENDPOINT));
        let (who, expires_at) = (self.who(), self.time("expires_at"));
        let (name, label) = (name?, label?);
        let choice = Choice { name: name.clone(), label, tone, confirm, reason, quorum, call };
        Some(Asked { name, options: vec![choice], who, expires_at })
    }

    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("`{}.{name}` {what}", self.place));
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str, limit: usize) -> Option<String> {
        let said = self.value(name)?.as_str().map(|text| limits::said_line(text, limit));
        if said.is_none() {
            self.problem(name, "must be text");
        }
        said.flatten()
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.problem(name, "must be true or false");
                false
            }
        }
    }

    fn quorum(&mut self) -> Option<u16> {
        let quorum = whole(self.value("quorum")?).filter(|quorum| QUORUM.contains(quorum)).and_then(|quorum| u16::try_from(quorum).ok());
        if quorum.is_none() {
            self.problem("quorum", "must be a whole number from 1 to 20");
        }
        quorum
    }

    fn time(&mut self, name: &str) -> Option<Timestamp> {
        let time = self.value(name)?.as_str().and_then(rfc_3339);
        if time.is_none() {
            self.problem(name, "must be a time like 2026-01-31T12:00:00Z");
        }
        time
    }

    fn who(&mut self) -> Who {
        let Some(value) = self.value("who") else { return Who::default() };
        let one = |who: &Value| who.as_str().filter(|who| is_slack_id(who, &['U', 'W', 'S']) && who.len() <= 24).map(str::to_owned);
        let who: Option<Vec<String>> = value.as_array().filter(|who| who.len() <= WHO).and_then(|who| who.iter().map(one).collect());
        if who.is_none() {
            self.problem("who", &format!("must be a list of at most {WHO} Slack ids: people U… and usergroups S…"));
        }
        Who::new(who.unwrap_or_default())
    }
}
