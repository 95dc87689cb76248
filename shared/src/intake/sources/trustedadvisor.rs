//! Trusted Advisor: what each check says about each resource whenever it is refreshed. <https://docs.aws.amazon.com/awssupport/latest/user/cloudwatch-events-ta.html>
//!
//! - A check and a resource together are one thing, known by the check's name and the resource. `uuid` is another one each time.
//! - Its states: `ERROR` (red, something should be done) is P3, and P2 where a limit is reached, because then nothing more can be launched; `WARN` (yellow, worth a
//!   look) is P4. `OK` is over. `INFO` is told to nobody: it is what was excluded or is only listed.
//!   <https://docs.aws.amazon.com/awssupport/latest/user/get-started-with-aws-trusted-advisor.html>

use serde_json::{Map, Value};

use crate::domain::kind::{Comparison, Metric, Number};
use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name};
use crate::intake::fields::{object, plain, plain_in, text};
use crate::intake::mask;
use crate::intake::news::News;
use crate::intake::place::{Place, is_region};

/// Under which of a check's columns the thing stands by name, the best first.
const NAMES: &[&str] = &[
    "Bucket Name",
    "IAM User",
    "DB Instance",
    "Instance ID",
    "Load Balancer Name",
    "Volume ID",
    "Security Group ID",
    "Security Group Name",
    "Function Name",
    "Cluster Name",
    "Resource",
];

/// Columns that the card says already.
const SAID: &[&str] = &["Status", "Region", "Region/AZ", "Current Usage", "Limit Amount", "Limit Name", "Service", "Reason"];

/// How many of a check's columns show.
const COLUMNS: usize = 5;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    let check = text(detail, "check-name")?;
    let nothing = Map::new();
    let item = object(detail, "check-item-detail").unwrap_or(&nothing);
    let region = text(item, "Region").filter(|region| is_region(region));
    let place = Place { region: region.map(str::to_owned), ..Place::default() }.or(event.place());
    let thing = thing(detail, item);
    let key = Some(key(check, detail, item, &place, thing.as_deref()));
    let limit = limit(item);
    let severity = match text(detail, "status") {
        Some("OK") => return News::over(Some("The check is green.")).known_by(key).only(),
        Some("INFO") => return News::nothing("a check only lists something").only(),
        Some("ERROR") if limit.is_some() => Severity::P2,
        Some("ERROR") => Severity::P3,
        _ => Severity::P4,
    };
    let news = News::wrong(title(check, item, thing.as_deref()))
        .known_by(key)
        .severity(Some(severity))
        .why(text(item, "Reason"))
        .affects(text(detail, "resource_id").map(str::to_owned).or(thing))
        .metric(limit)
        .detail("Check", Some(check))
        .detail("State", text(item, "Status").or_else(|| text(detail, "status")))
        // Trusted Advisor is at home in one region, whatever the resource's is.
        .page(event.place().console("trustedadvisor/home#/dashboard"))
        .in_place(place);
    Some(vec![columns(news, item)])
}

/// Its other columns, but what names a secret.
fn columns(news: News, item: &Map<String, Value>) -> News {
    let told =
        item.iter().filter(|(name, _)| !SAID.contains(&name.as_str()) && !NAMES.contains(&name.as_str()) && !mask::is_secret_name(name));
    let told = told.filter_map(|(name, value)| Some((name, plain(value).filter(|value| !value.trim().is_empty())?)));
    told.take(COLUMNS).fold(news, |news, (name, value)| news.detail(name, Some(value)))
}

/// What it is about, as people call it.
fn thing(detail: &Map<String, Value>, item: &Map<String, Value>) -> Option<String> {
    let named = NAMES.iter().find_map(|name| item.get(*name).and_then(plain).filter(|name| !name.trim().is_empty()));
    let arn = || text(detail, "resource_id").map(last_name).map(str::to_owned);
    named.or_else(arn)
}

/// What stays the same: the check, and the resource or the limit.
fn key(check: &str, detail: &Map<String, Value>, item: &Map<String, Value>, place: &Place, thing: Option<&str>) -> String {
    let account = place.account.as_deref().unwrap_or_default();
    let region = place.region.as_deref().unwrap_or_default();
    let limit = || Some(format!("{}/{}", text(item, "Service")?, text(item, "Limit Name")?));
    let what = text(detail, "resource_id").map(str::to_owned).or_else(limit).or_else(|| thing.map(str::to_owned)).unwrap_or_default();
    format!("trustedadvisor:{account}:{region}:{check}:{what}")
}

fn title(check: &str, item: &Map<String, Value>, thing: Option<&str>) -> String {
    if let (Some(usage), Some(limit), Some(name)) =
        (plain_in(item, "Current Usage"), plain_in(item, "Limit Amount"), text(item, "Limit Name"))
    {
        let region = text(item, "Region").map(|region| format!(" in {region}")).unwrap_or_default();
        return format!("{usage} of {limit} {name} are used{region}");
    }
    thing.map_or_else(|| check.to_owned(), |thing| format!("{check}: {thing}"))
}

fn limit(item: &Map<String, Value>) -> Option<Metric> {
    let value = Number::parse(&plain_in(item, "Current Usage")?)?;
    let limit = Number::parse(&plain_in(item, "Limit Amount")?)?;
    let name = text(item, "Limit Name")?;
    let name = text(item, "Service")
        .filter(|service| !name.contains(service))
        .map_or_else(|| name.to_owned(), |service| format!("{service} {name}"));
    Some(Metric { name, value, limit, unit: None, comparison: Comparison::Above })
}
