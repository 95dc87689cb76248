//! CloudTrail: somebody did something, and a rule picked it. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
//!
//! - The record is the same over EventBridge, with any service of AWS as its source, and by itself.
//! - There is no scale. That root signed in without MFA is P2; a call that was denied is P3, known by who was denied what, so that trying again
//!   counts up; so is a call that stops the watch over the account (P3). A failed sign-in is P4, root's P3, known by the user. Whatever else somebody asked
//!   to see is told. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
//! - An insight (unusually many calls or errors) is P3, known by what its beginning and its end share, and over with its end.
//!   <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-insight-details.html>

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::{get, number, object, objects, plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// Whatever service they are about.
const TYPES: &[&str] = &[
    "AWS API Call via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Insight via CloudTrail",
    "AWS Network Activity Event via CloudTrail",
    "AWS Service Event via CloudTrail",
];

/// Calls after which nobody sees any more what is done.
const BLINDING: &[&str] = &[
    "DeleteConfigurationRecorder",
    "DeleteDetector",
    "DeleteEventDataStore",
    "DeleteFlowLogs",
    "DeleteTrail",
    "DisableMacie",
    "DisableSecurityHub",
    "StopConfigurationRecorder",
    "StopLogging",
];

/// Calls that undo one of those.
const SEEING: &[(&str, &str)] = &[
    ("EnableMacie", "DisableMacie"),
    ("EnableSecurityHub", "DisableSecurityHub"),
    ("StartConfigurationRecorder", "StopConfigurationRecorder"),
    ("StartLogging", "StopLogging"),
];

/// Under which parameters of a call the thing stands by name.
const NAMES: &[&str] = &[
    "bucketName",
    "functionName",
    "roleName",
    "userName",
    "groupName",
    "groupId",
    "instanceId",
    "dBInstanceIdentifier",
    "clusterName",
    "tableName",
    "keyId",
    "policyArn",
    "policyName",
    "trailName",
    "name",
    "roleArn",
];

/// Stands where CloudTrail hides what somebody typed, which may have been a password.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

type Record = Map<String, Value>;

/// Whether EventBridge brought it from CloudTrail, and no other source names this very service and type.
pub(super) fn is_its_own(event: &Event) -> bool {
    event.bridge.as_ref().is_some_and(|bridge| {
        let of_any_service = bridge.source.is_none() || bridge.is_from_aws();
        of_any_service && TYPES.contains(&bridge.detail_type.as_str()) && !super::is_named(bridge)
    })
}

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let record = event.object()?;
    if let Some(details) = object(record, "insightDetails") {
        return insight(event, record, details);
    }
    let action = text(record, "eventName")?;
    let signing_in = text(record, "eventSource").is_some_and(|source| source.starts_with("signin."));
    let news = if signing_in { sign_in(record, action) } else { call(record, action) }?;
    let place = place(event, record);
    news.at(time_in(record, "eventTime"))
        .detail("From", text(record, "sourceIPAddress"))
        .detail("As", text(record, "userIdentity.arn"))
        .page(page(record, &place))
        .in_place(place)
        .only()
}

fn place(event: &Event, record: &Record) -> Place {
    let account = text(record, "recipientAccountId").or_else(|| text(record, "userIdentity.accountId"));
    let itself = Place { region: text(record, "awsRegion").map(str::to_owned), account: account.map(str::to_owned), ..Place::default() };
    itself.or(event.place())
}

fn page(record: &Record, place: &Place) -> Option<String> {
    place.console(&format!("cloudtrailv2/home#/events/{}", encoded(text(record, "eventID")?)))
}

/// Who did it, as people call them.
fn who(record: &Record) -> String {
    let identity = |way: &str| text(record, &format!("userIdentity.{way}")).filter(|name| *name != HIDDEN);
    let session = || identity("arn").and_then(|arn| arn.split_once("assumed-role/")?.1.split_once('/'));
    let found = match identity("type") {
        Some("Root") => Some("root".to_owned()),
        Some("AssumedRole") => session().map(|(role, name)| if role == name { role.to_owned() } else { format!("{name} as {role}") }),
        Some("AWSAccount") => identity("accountId").map(|account| format!("account {account}")),
        _ => None,
    };
    let named = || ["userName", "invokedBy", "sessionContext.sessionIssuer.userName"].into_iter().find_map(identity).map(str::to_owned);
    found.or_else(named).unwrap_or_else(|| "Somebody".to_owned())
}

/// Who it is over all of their sessions.
fn identity(record: &Record) -> &str {
    ["sessionContext.sessionIssuer.arn", "arn", "userName", "principalId"]
        .into_iter()
        .find_map(|way| text(record, &format!("userIdentity.{way}")))
        .unwrap_or("unknown")
}

fn account(record: &Record) -> &str {
    text(record, "recipientAccountId").or_else(|| text(record, "userIdentity.accountId")).unwrap_or_default()
}

fn is_root(record: &Record) -> bool {
    text(record, "userIdentity.type") == Some("Root")
}

fn sign_in(record: &Record, action: &str) -> Option<News> {
    let who = who(record);
    // `{"ConsoleLogin": "Success"}`, under the action's own name.
    let ways = ["responseElements", "serviceEventDetails"];
    let outcome = ways.into_iter().find_map(|way| text(record, &format!("{way}.{action}")));
    // Who comes from elsewhere proved there who they are, and counts as without MFA here.
    let at_home = matches!(text(record, "userIdentity.type"), Some("Root" | "IAMUser"));
    let factor = text(record, "additionalEventData.MFAUsed").filter(|_| at_home).map(|used| used.eq_ignore_ascii_case("yes"));
    if outcome == Some("Failure") {
        return Some(failed_sign_in(record, &who));
    }
    let news = match (action, factor) {
        // A step on the way, and the sign-in itself follows.
        ("CheckMfa", _) => return Some(News::nothing("somebody is about to sign in")),
        ("ConsoleLogin", Some(false)) if is_root(record) => News::wrong("root signed in without MFA")
            .known_by(Some(format!("cloudtrail:root:{}", account(record))))
            .severity(Some(Severity::P2)),
        ("ConsoleLogin", Some(false)) => News::notice(format!("{who} signed in without MFA")),
        ("ConsoleLogin" | "UserAuthentication", _) => News::notice(format!("{who} signed in")),
        ("PasswordUpdated", _) => News::notice(format!("{who} has a new password")),
        ("SwitchRole", _) => News::notice(format!("{who} switched the role")),
        _ => return call(record, action),
    };
    Some(news.detail("MFA", factor.filter(|used| *used).map(|_| "yes")))
}

fn failed_sign_in(record: &Record, who: &str) -> News {
    let severity = if is_root(record) { Severity::P3 } else { Severity::P4 };
    News::wrong(format!("{who} could not sign in"))
        .known_by(Some(format!("cloudtrail:sign-in:{}:{}", account(record), identity(record))))
        .severity(Some(severity))
        .detail("Reason", text(record, "errorMessage"))
        .detail("MFA", text(record, "additionalEventData.MFAUsed").map(str::to_lowercase))
}

fn call(record: &Record, action: &str) -> Option<News> {
    let source = text(record, "eventSource")?;
    let service = source.strip_suffix(".amazonaws.com").or_else(|| source.strip_suffix(".amazonaws.com.cn")).unwrap_or(source);
    let who = who(record);
    let things = things(record);
    let thing = things.first().map(String::as_str).unwrap_or_default();
    let key = format!("cloudtrail:{}:{}:{service}:{action}:{thing}", account(record), identity(record));
    // Whoever undoes it is mostly somebody else, and may name the thing by its ARN.
    let region = text(record, "awsRegion").unwrap_or_default();
    let blinded = |action: &str| Some(format!("cloudtrail:blinded:{}:{region}:{service}:{action}:{}", account(record), last_name(thing)));
    // Nothing undoes it, so whoever does it again does something else.
    let gone = || Some(format!("cloudtrail:gone:{}:{}:{region}:{service}:{action}:{thing}", account(record), identity(record)));
    let undone = SEEING.iter().find(|(undoes, _)| *undoes == action).map(|(_, undone)| *undone);
    let news = match text(record, "errorCode") {
        Some(error) if is_denied(error) => {
            News::wrong(format!("{who} was denied {action} ({service})")).known_by(Some(key)).severity(Some(Severity::P3))
        }
        Some(error) => News::notice(format!("{action} ({service}) by {who} failed: {error}")).severity(Some(Severity::P4)),
        None if BLINDING.contains(&action) => {
            let is_undone = SEEING.iter().any(|(_, undone)| *undone == action);
            let known_by = if is_undone { blinded(action) } else { gone() };
            News::wrong(format!("{who} called {action} ({service})")).known_by(known_by).severity(Some(Severity::P3))
        }
        None if let Some(undone) = undone => News::over(Some(format!("{who} called {action} ({service})."))).known_by(blinded(undone)),
        None => News::notice(format!("{who} called {action} ({service})")).severity(Some(Severity::P4)),
    };
    Some(news.why(text(record, "errorMessage")).affects(things))
}

/// Services have different words for it: `AccessDenied`, `Client.UnauthorizedOperation`, `VpceAccessDenied`.
fn is_denied(error: &str) -> bool {
    ["AccessDenied", "Unauthorized", "NotAuthorized", "AuthorizationError"].into_iter().any(|word| error.contains(word))
}

/// What was called upon, by name; the other parameters may hold what nobody should see.
fn things(record: &Record) -> Vec<String> {
    let named = NAMES.iter().filter_map(|name| text(record, &format!("requestParameters.{name}")));
    let instances = objects(record, "requestParameters.instancesSet.items").filter_map(|item| text(item, "instanceId"));
    let resources = objects(record, "resources").filter_map(|resource| text(resource, "ARN"));
    named.chain(instances).chain(resources).filter(|name| *name != HIDDEN).map(str::to_owned).collect()
}

/// Unusually many calls, or errors, of one kind.
fn insight(event: &Event, record: &Record, details: &Map<String, Value>) -> Option<Vec<News>> {
    let action = text(details, "eventName")?;
    let source = text(details, "eventSource").unwrap_or_default();
    let service = source.strip_suffix(".amazonaws.com").unwrap_or(source);
    let errors = text(details, "insightType") == Some("ApiErrorRateInsight");
    let what =
        text(details, "errorCode").filter(|_| errors).map_or_else(|| action.to_owned(), |error| format!("{action} that end with {error}"));
    let key = text(record, "sharedEventID").map(|shared| format!("cloudtrail:insight:{shared}"));
    let at = time_in(record, "eventTime");
    if text(details, "state") == Some("End") {
        return News::over(Some(format!("As many calls of {what} as ever."))).known_by(key).at(at).only();
    }
    let place = place(event, record);
    let rate = |way: &str| match number(details, &format!("insightContext.statistics.{way}.average"))? {
        rate if rate < 0.1 => Some("less than one in ten minutes".to_owned()),
        rate => Some(format!("{rate:.1} a minute")),
    };
    let by = objects(details, "insightContext.attributions").find(|part| text(part, "attribute") == Some("userIdentityArn"));
    let by = by.and_then(|part| get(part, "insight.0.value")).and_then(Value::as_str);
    News::wrong(format!("Unusually many calls of {what} ({service})"))
        .known_by(key)
        .at(at)
        .severity(Some(Severity::P3))
        .detail("Now", rate("insight"))
        .detail("Usually", rate("baseline"))
        .detail("Mostly by", by)
        .detail("For", plain_in(details, "insightContext.statistics.insightDuration").map(|minutes| format!("{minutes} minutes")))
        .page(page(record, &place).or_else(|| place.console("cloudtrailv2/home#/insights")))
        .in_place(place)
        .only()
}
