//! Budgets: costs, usage and coverage that pass a limit, or will. Text over SNS: some sentences, then a line `Name: value` for each fact.
//! <https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html>
//!
//! - A budget is known by its account and its name, so that all of its alerts, forecast and actual, are told on one card. Nothing says that it is kept again.
//! - There is no scale. What is spent already beyond the budget itself is P3; a part of it, a forecast and a coverage that is too low are P4.
//! - What it writes is not documented further. Where a text says something about an action of the budget, that is a fact like the others; a text without the
//!   budget's name is read as any other.

use crate::domain::kind::{Comparison, Metric, Number};
use crate::domain::severity::Severity;
use crate::intake::event::Event;
use crate::intake::news::News;
use crate::intake::place::{Place, partition_of};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let said = event.text()?;
    let name = fact(said, "Budget Name")?;
    let place = Place { account: account(said), ..Place::default() };
    let account = place.account.clone().or(event.place().account).unwrap_or_default();
    let alert = Alert::of(said);
    let metric = alert.metric();
    // A metric has its limit beside it.
    let threshold = alert.threshold.as_ref().filter(|_| metric.is_none()).map(Amount::said);
    News::wrong(alert.title(name))
        .known_by(Some(format!("budget:{account}:{name}")))
        .severity(Some(alert.severity()))
        .why(sentences(said))
        .metric(metric)
        .detail("Budget", alert.budgeted.map(|amount| amount.written))
        .detail("Alert", threshold)
        .detail("Type", fact(said, "Budget Type"))
        .detail("Action", fact(said, "Action Type"))
        .detail("Action's status", fact(said, "Action Status"))
        .page(console(&event.place()))
        .from_place(place)
        .only()
}

/// What passed which limit.
struct Alert<'a> {
    is_forecast: bool,
    /// `cost`, `RI utilization`.
    what: String,
    amount: Option<Amount<'a>>,
    threshold: Option<Amount<'a>>,
    budgeted: Option<Amount<'a>>,
}

impl<'a> Alert<'a> {
    fn of(said: &'a str) -> Self {
        let is_forecast = fact(said, "Alert Type").is_some_and(|kind| kind.eq_ignore_ascii_case("forecasted"));
        let kind = fact(said, "Budget Type").unwrap_or("amount");
        let what = if kind.starts_with("RI ") { kind.to_owned() } else { kind.to_lowercase() };
        let amount = fact(said, if is_forecast { "FORECASTED Amount" } else { "ACTUAL Amount" });
        Self {
            is_forecast,
            what,
            amount: amount.and_then(Amount::parse),
            threshold: fact(said, "Alert Threshold").and_then(Amount::parse),
            budgeted: fact(said, "Budgeted Amount").and_then(Amount::parse),
        }
    }

    fn kind(&self) -> String {
        format!("{} {}", if self.is_forecast { "forecast" } else { "actual" }, self.what)
    }

    fn title(&self, name: &str) -> String {
        match (&self.amount, &self.threshold) {
            (Some(amount), Some(threshold)) => {
                format!("Budget {name}: {} is {}, alert {}", self.kind(), amount.written, threshold.said())
            }
            _ => format!("Budget {name} passed its alert threshold"),
        }
    }

    fn severity(&self) -> Severity {
        let is_spent = |amount: &Amount<'_>, budgeted: &Amount<'_>| {
            amount.unit == budgeted.unit && amount.number.value() >= budgeted.number.value() && !self.is_forecast
        };
        let wants_less = self.threshold.as_ref().is_some_and(|threshold| threshold.side == Some(Comparison::Above));
        match (&self.amount, &self.budgeted) {
            (Some(amount), Some(budgeted)) if wants_less && is_spent(amount, budgeted) => Severity::P3,
            _ => Severity::P4,
        }
    }

    /// The amount and its threshold, where both can be told for sure.
    fn metric(&self) -> Option<Metric> {
        let (amount, threshold) = (self.amount.as_ref()?, self.threshold.as_ref()?);
        let comparison = threshold.side.filter(|_| amount.unit == threshold.unit)?;
        Some(Metric {
            name: self.kind(),
            value: amount.number.clone(),
            limit: threshold.number.clone(),
            unit: amount.unit.map(str::to_owned),
            comparison,
        })
    }
}

/// `> $1,234.50`, `63.5%`, `120 Hrs`.
struct Amount<'a> {
    /// On which side of it an alert is sent, where it is a threshold.
    side: Option<Comparison>,
    number: Number,
    unit: Option<&'a str>,
    /// As it was said, without the side.
    written: &'a str,
}

impl<'a> Amount<'a> {
    fn parse(said: &'a str) -> Option<Self> {
        let (side, written) = match said.split_at_checked(1) {
            Some((">", rest)) => (Some(Comparison::Above), rest.trim()),
            Some(("<", rest)) => (Some(Comparison::Below), rest.trim()),
            _ => (None, said),
        };
        let (symbol, rest) = written.split_at_checked(written.find(|letter: char| letter.is_ascii_digit())?)?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ',').unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        let number = Number::parse(&digits.replace(',', ""))?;
        let unit = match (symbol.trim(), after.trim()) {
            ("$", "") => Some("USD"),
            ("", "") => None,
            (symbol, "") => Some(symbol),
            (_, after) => Some(after),
        };
        Some(Self { side, number, unit, written })
    }

    /// `above $80.00`.
    fn said(&self) -> String {
        let side = match self.side {
            Some(Comparison::Above) => "above",
            Some(Comparison::Below) => "below",
            None => "at",
        };
        format!("{side} {}", self.written)
    }
}

/// The fact of this name, whichever case it is in.
fn fact<'a>(said: &'a str, name: &str) -> Option<&'a str> {
    let facts = said.lines().filter_map(|line| line.split_once(':'));
    let mut found = facts.filter(|(label, _)| label.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    found.find(|value| !value.is_empty())
}

/// What the mail says in sentences, without the way to its dashboard.
fn sentences(said: &str) -> Option<&str> {
    let line = said.lines().map(str::trim).find(|line| line.starts_with("You requested"))?;
    Some(line.split(" You can find").next().unwrap_or(line))
}

/// `AWS Account 123456789012`, on a line of its own.
fn account(said: &str) -> Option<String> {
    let number = said.lines().find_map(|line| line.trim().strip_prefix("AWS Account "))?.trim();
    (number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.to_owned())
}

/// Budgets are kept in one region of the partition.
fn console(topic: &Place) -> Option<String> {
    let home = match topic.region.as_deref().map_or("aws", partition_of) {
        "aws-cn" => "cn-northwest-1",
        _ => "us-east-1",
    };
    Place { region: Some(home.to_owned()), ..Place::default() }.console("costmanagement/home#/budgets")
}
