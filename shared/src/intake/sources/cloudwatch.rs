//! CloudWatch alarms in all three shapes, of all kinds: on one metric, on metric math, on an anomaly band, on other alarms.
//!
//! - `ALARM` creates the incident or counts up on it, `OK` resolves it; the key of both is the alarm's ARN, so the shapes may be mixed.
//! - `INSUFFICIENT_DATA` after `ALARM` becomes a note: the alarm may still hold, nobody knows. Otherwise nothing has happened, and nothing shows.
//! - An `ALARM` whose actions a composite alarm's suppressor holds back is ignored: CloudWatch sends it again when it lets go.
//! - The severity is what the alarm's name or description says (`P1`, `[sev2]`, `severity: high`), else P2: somebody set a limit, and it is broken.
//! - The service is what the description says (`service: checkout`) or a dimension of that name; a link in the description becomes the runbook's button.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Verdict, generic};
use crate::domain::ids::IntentId;
use crate::domain::intent::{Action, Actor, Changes, Closing, Detail, Intent, Link, Target};
use crate::domain::kind::{self, Comparison};
use crate::domain::severity::Severity;
use crate::domain::sources::{ACCOUNT, RUNBOOK};
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{is_link, list, object, plain, plain_in, text};
use crate::intake::limits;
use crate::intake::news::{short, without_secrets};
use crate::intake::place::{Place, encoded, is_region, partition_of};

/// The kind that routes alarms.
const KIND: &str = "cloudwatch";

/// What people know the source by.
const SOURCE: &str = "CloudWatch";

/// What EventBridge's events about alarms are called: that one stands otherwise, and that one was made, changed or deleted.
const CHANGED: &str = "CloudWatch Alarm State Change";
const CONFIGURED: &str = "CloudWatch Alarm Configuration Change";

/// An alarm nobody has graded.
const UNGRADED: Severity = Severity::P2;

/// How an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Alarm,
    Ok,
    InsufficientData,
}

impl State {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "ALARM" => Some(Self::Alarm),
            "OK" => Some(Self::Ok),
            "INSUFFICIENT_DATA" => Some(Self::InsufficientData),
            _ => None,
        }
    }
}

/// An alarm that changed its state, whichever way we heard of it.
struct Alarm {
    name: String,
    state: State,
    before: Option<State>,
    at: Option<Timestamp>,
    arn: Option<String>,
    account: Option<String>,
    /// The region's code where it is known: the SNS shape names it only in words.
    region: Option<String>,
    /// The region in CloudWatch's words.
    place: Option<String>,
    partition: Option<String>,
    description: Option<String>,
    reason: Option<String>,
    is_suppressed: bool,
    /// What was done to the alarm itself, where that is what the event is about.
    configured: Option<String>,
    metrics: Vec<Metric>,
    threshold: Option<String>,
    /// The threshold as a number, where it is one.
    limit: Option<String>,
    /// On which side of it the alarm is.
    side: Option<Comparison>,
    value: Option<String>,
    rule: Option<String>,
    children: Vec<String>,
}

/// One metric or expression of an alarm.
#[derive(Default)]
struct Metric {
    id: Option<String>,
    label: Option<String>,
    expression: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    statistic: Option<String>,
    dimensions: Vec<(String, String)>,
    /// Whether it is the one that is compared with the threshold.
    is_compared: bool,
    /// Of what, in CloudWatch's words; mostly not said.
    unit: Option<String>,
}

/// The alarm's name and one of its three states, in one of the three places.
pub(super) fn is_its_own(event: &Event) -> bool {
    alarm(event).is_some()
}

/// The ARN of the alarm that this is about, in whichever shape it comes.
pub(super) fn arn(event: &Event) -> Option<String> {
    alarm(event)?.arn
}

fn alarm(event: &Event) -> Option<Alarm> {
    let object = event.object()?;
    if let Some(bridge) = &event.bridge {
        // Somebody's own event may have such fields as well.
        let is_from_cloudwatch = bridge.source.as_deref().is_none_or(|source| source == "aws.cloudwatch");
        let mut alarm = from_data(object).filter(|_| is_from_cloudwatch && [CHANGED, CONFIGURED].contains(&bridge.detail_type.as_str()))?;
        alarm.configured = (bridge.detail_type == CONFIGURED).then(|| text(object, "operation").unwrap_or_default().to_owned());
        alarm.arn = bridge.resources.iter().find(|arn| arn.contains(":alarm:")).cloned();
        alarm.account.clone_from(&bridge.account);
        alarm.region.clone_from(&bridge.region);
        return Some(alarm.completed(None));
    }
    if let Some(alarm) = from_sns(event, object) {
        return Some(alarm);
    }
    let mut alarm = from_data(crate::intake::fields::object(object, "alarmData")?)?;
    let resource = || list(object, "resources").iter().filter_map(Value::as_str).find(|arn| arn.contains(":alarm:"));
    alarm.arn = text(object, "alarmArn").or_else(resource).map(str::to_owned);
    alarm.account = plain_in(object, "accountId").or_else(|| plain_in(object, "account"));
    alarm.region = plain_in(object, "region");
    alarm.at = alarm.at.or_else(|| time_in(object, "time"));
    Some(alarm.completed(None))
}

/// The SNS shape.
fn from_sns(event: &Event, object: &Map<String, Value>) -> Option<Alarm> {
    let empty = Map::new();
    let trigger = crate::intake::fields::object(object, "Trigger").unwrap_or(&empty);
    let mut metrics: Vec<Metric> = list(trigger, "Metrics").iter().filter_map(Value::as_object).map(sns_metric).collect();
    if metrics.is_empty() && text(trigger, "MetricName").is_some() {
        metrics.push(Metric { is_compared: true, ..sns_stat(trigger) });
    }
    let reason = text(object, "NewStateReason").map(str::to_owned);
    let alarm = Alarm {
        name: text(object, "AlarmName")?.to_owned(),
        state: State::parse(text(object, "NewStateValue")?)?,
        before: text(object, "OldStateValue").and_then(State::parse),
        at: time_in(object, "StateChangeTime"),
        arn: text(object, "AlarmArn").map(str::to_owned),
        account: plain_in(object, "AWSAccountId"),
        region: None,
        place: plain_in(object, "Region"),
        partition: None,
        description: text(object, "AlarmDescription").map(str::to_owned),
        value: reason.as_deref().and_then(value_in_reason),
        reason,
        is_suppressed: text(object, "ActionsSuppressedBy").is_some(),
        configured: None,
        threshold: threshold(trigger),
        limit: plain_in(trigger, "Threshold"),
        side: text(trigger, "ComparisonOperator").and_then(side),
        metrics,
        rule: text(object, "AlarmRule").map(str::to_owned),
        children: list(object, "TriggeringChildren").iter().filter_map(|child| text(child.as_object()?, "Arn")).map(alarm_name).collect(),
    };
    // An alarm notifies topics of its own region only.
    Some(alarm.completed(event.sns.as_ref().and_then(|sns| sns.topic.as_ref())))
}

/// What EventBridge's `detail` and an action's `alarmData` have in common.
fn from_data(data: &Map<String, Value>) -> Option<Alarm> {
    let empty = Map::new();
    let state = object(data, "state")?;
    let configuration = object(data, "configuration").unwrap_or(&empty);
    // `reasonData` is JSON in text; CloudWatch leaves it out where a person set the state by hand.
    let evaluation: Map<String, Value> = text(state, "reasonData").and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let children = list(&evaluation, "triggeringAlarms").iter().filter_map(Value::as_object);
    Some(Alarm {
        name: text(data, "alarmName")?.to_owned(),
        state: State::parse(text(state, "value")?)?,
        before: object(data, "previousState").and_then(|state| text(state, "value")).and_then(State::parse),
        at: time_in(state, "timestamp"),
        arn: None,
        account: None,
        region: None,
        place: None,
        partition: None,
        description: text(configuration, "description").map(str::to_owned),
        reason: text(state, "reason").map(str::to_owned),
        is_suppressed: text(state, "actionsSuppressedBy").is_some(),
        configured: None,
        metrics: list(configuration, "metrics").iter().filter_map(Value::as_object).map(data_metric).collect(),
        threshold: plain_in(&evaluation, "threshold"),
        limit: plain_in(&evaluation, "threshold"),
        // The operator is not in this shape, and the reason has it in words.
        side: text(state, "reason").and_then(|reason| match (reason.contains("greater than"), reason.contains("less than")) {
            (true, false) => Some(Comparison::Above),
            (false, true) => Some(Comparison::Below),
            (true, true) | (false, false) => None,
        }),
        value: list(&evaluation, "recentDatapoints").iter().rev().find_map(plain),
        rule: text(configuration, "alarmRule").map(str::to_owned),
        children: children.filter_map(|child| text(child, "arn")).map(alarm_name).collect(),
    })
}

fn sns_metric(metric: &Map<String, Value>) -> Metric {
    let said = |name: &str| text(metric, name).map(str::to_owned);
    let stat = object(metric, "MetricStat");
    let mut found = stat.and_then(|stat| object(stat, "Metric")).map(sns_stat).unwrap_or_default();
    found.statistic = stat.and_then(|stat| plain_in(stat, "Stat"));
    found.unit = stat.and_then(|stat| text(stat, "Unit")).map(str::to_owned);
    Metric { id: said("Id"), label: said("Label"), expression: said("Expression"), is_compared: is_compared(metric, "ReturnData"), ..found }
}

fn sns_stat(metric: &Map<String, Value>) -> Metric {
    let dimension = |dimension: &Value| {
        let dimension = dimension.as_object()?;
        Some((text(dimension, "name")?.to_owned(), plain_in(dimension, "value")?))
    };
    Metric {
        namespace: text(metric, "Namespace").map(str::to_owned),
        name: text(metric, "MetricName").map(str::to_owned),
        unit: text(metric, "Unit").map(str::to_owned),
        statistic: text(metric, "ExtendedStatistic").or_else(|| text(metric, "Statistic")).map(str::to_owned),
        dimensions: list(metric, "Dimensions").iter().filter_map(dimension).collect(),
        ..Metric::default()
    }
}

fn data_metric(metric: &Map<String, Value>) -> Metric {
    let said = |name: &str| text(metric, name).map(str::to_owned);
    let stat = object(metric, "metricStat");
    let what = stat.and_then(|stat| object(stat, "metric"));
    let dimensions = what.and_then(|what| object(what, "dimensions")).into_iter().flatten();
    Metric {
        id: said("id"),
        label: said("label"),
        expression: said("expression"),
        namespace: what.and_then(|what| text(what, "namespace")).map(str::to_owned),
        name: what.and_then(|what| text(what, "name")).map(str::to_owned),
        statistic: stat.and_then(|stat| plain_in(stat, "stat")),
        unit: stat.and_then(|stat| text(stat, "unit")).map(str::to_owned),
        dimensions: dimensions.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect(),
        is_compared: is_compared(metric, "returnData"),
    }
}

/// CloudWatch's default for a metric that does not say.
fn is_compared(metric: &Map<String, Value>, name: &str) -> bool {
    metric.get(name).and_then(Value::as_bool).unwrap_or(true)
}

/// The limit in words: `> 2 in 3 of 5 periods of 60 s`.
fn threshold(trigger: &Map<String, Value>) -> Option<String> {
    let operator = text(trigger, "ComparisonOperator");
    let band = match operator {
        Some("LessThanLowerOrGreaterThanUpperThreshold") => Some("outside the expected band"),
        Some("LessThanLowerThreshold") => Some("below the expected band"),
        Some("GreaterThanUpperThreshold") => Some("above the expected band"),
        _ => None,
    };
    let sign = match operator {
        Some("GreaterThanThreshold") => "> ",
        Some("GreaterThanOrEqualToThreshold") => "≥ ",
        Some("LessThanThreshold") => "< ",
        Some("LessThanOrEqualToThreshold") => "≤ ",
        _ => "",
    };
    let limit = band.map(str::to_owned).or_else(|| Some(format!("{sign}{}", plain_in(trigger, "Threshold")?)))?;
    let Some(periods) = plain_in(trigger, "EvaluationPeriods") else { return Some(limit) };
    let of = plain_in(trigger, "DatapointsToAlarm").filter(|some| *some != periods).map(|some| format!("{some} of ")).unwrap_or_default();
    let word = if periods == "1" { "period" } else { "periods" };
    let length = plain_in(trigger, "Period").filter(|period| period != "0").map(|period| format!(" of {period} s")).unwrap_or_default();
    Some(format!("{limit} in {of}{periods} {word}{length}"))
}

/// On which side of its threshold the alarm is; a band has two.
fn side(operator: &str) -> Option<Comparison> {
    match operator {
        "GreaterThanThreshold" | "GreaterThanOrEqualToThreshold" => Some(Comparison::Above),
        "LessThanThreshold" | "LessThanOrEqualToThreshold" => Some(Comparison::Below),
        _ => None,
    }
}

/// A unit as one writes it.
fn unit(unit: &str) -> Option<String> {
    let short = match unit {
        "None" | "Count" => return None,
        "Seconds" => "s",
        "Milliseconds" => "ms",
        "Microseconds" => "µs",
        "Percent" => "%",
        "Bytes" => "B",
        "Count/Second" => "per s",
        "Bytes/Second" => "B/s",
        other => other,
    };
    Some(short.to_owned())
}

/// The newest measured value out of `Threshold Crossed: 1 datapoint [2.5 (12/02/19 15:44:00)] was …`, the only place where the SNS shape has it.
fn value_in_reason(reason: &str) -> Option<String> {
    let (_, after) = reason.split_once('[')?;
    let (value, _) = after.split_once(" (")?;
    let number: f64 = value.parse().ok()?;
    number.is_finite().then(|| value.strip_suffix(".0").unwrap_or(value).to_owned())
}

/// An alarm's name out of its ARN; names may hold colons.
fn alarm_name(arn: &str) -> String {
    arn.split_once(":alarm:").map_or(arn, |(_, name)| name).to_owned()
}

impl Alarm {
    /// Fills in what one field says about another: the ARN names partition, region and account, and they make up the ARN where the shape has none.
    fn completed(mut self, topic: Option<&Arn>) -> Self {
        let arn = self.arn.as_deref().and_then(Arn::parse);
        let known = [arn.as_ref(), topic].into_iter().flatten();
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        self.partition = known.clone().find_map(|arn| said(&arn.partition));
        let region = self.region.take().or_else(|| known.clone().find_map(|arn| arn.region.clone()));
        self.region = region.or_else(|| self.place.clone()).filter(|region| is_region(region));
        self.account = self.account.take().or_else(|| known.clone().find_map(|arn| arn.account.clone()));
        if self.arn.is_none()
            && let (Some(region), Some(account)) = (&self.region, &self.account)
        {
            let partition = self.partition.as_deref().unwrap_or_else(|| partition_of(region));
            self.arn = Some(format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{}", self.name));
        }
        self
    }

    /// What all of the alarm's messages have in common.
    fn key(&self) -> String {
        let place = self.region.as_deref().or(self.place.as_deref()).unwrap_or_default();
        let account = self.account.as_deref().unwrap_or_default();
        short(&self.arn.clone().unwrap_or_else(|| format!("cloudwatch:{place}:{account}:{}", self.name)))
    }

    /// The alarm's page in the console of its partition.
    fn console(&self) -> Option<String> {
        let place = Place { partition: self.partition.clone(), region: self.region.clone(), account: self.account.clone() };
        place.console(&format!("cloudwatch/home#alarmsV2:alarm/{}", encoded(&self.name)))
    }

    fn severity(&self) -> Severity {
        graded(&self.name).or_else(|| graded(self.description.as_deref()?)).unwrap_or(UNGRADED)
    }

    fn dimensions(&self) -> impl Iterator<Item = &(String, String)> {
        self.metrics.iter().flat_map(|metric| &metric.dimensions)
    }

    fn service(&self) -> Option<String> {
        let tagged = self.description.as_deref().and_then(|text| tag(text, "service"));
        let dimension = || self.dimensions().find(|(name, _)| matches!(name.as_str(), "Service" | "ServiceName" | "service"));
        tagged.or_else(|| dimension().map(|(_, value)| value.clone()))
    }

    fn components(&self) -> Option<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for name in self.children.iter().chain(self.dimensions().map(|(_, value)| value)) {
            if !names.contains(name) && names.len() <= limits::COMPONENTS {
                names.push(name.clone());
            }
        }
        (!names.is_empty()).then_some(names)
    }

    fn description(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.description, &self.reason].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }

    fn runbook(&self) -> Option<Vec<Link>> {
        let words = self
            .description
            .as_deref()?
            .split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | '(' | ')' | '|' | '"'));
        let url = words.map(|word| word.trim_end_matches(['.', ',', ';', '!'])).find(|word| is_link(word))?;
        Some(vec![Link { label: RUNBOOK.to_owned(), url: url.to_owned() }])
    }

    /// The one that is compared with the threshold.
    fn compared(&self) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.is_compared).or_else(|| self.metrics.first())
    }

    /// What was measured, where the alarm says how much, which limit and on which side.
    fn measured(&self) -> Option<kind::Metric> {
        let compared = self.compared()?;
        let number = |text: &Option<String>| kind::Number::parse(text.as_deref()?);
        let word = |text: &str| limits::said_line(text, limits::WORD);
        Some(kind::Metric {
            name: word(&compared.short()?)?,
            value: number(&self.value)?,
            limit: number(&self.limit)?,
            unit: compared.unit.as_deref().and_then(unit).and_then(|unit| word(&unit)),
            comparison: self.side?,
        })
    }

    fn details(&self) -> Vec<Detail> {
        let compared = self.compared();
        let others = self.metrics.iter().filter(|metric| !compared.is_some_and(|compared| std::ptr::eq(compared, *metric)));
        let computed: Vec<String> = others.filter_map(Metric::in_words).take(limits::DETAILS).collect();
        let mut dimensions: Vec<String> = Vec::new();
        for (name, value) in self.dimensions() {
            let dimension = format!("{name}={value}");
            if dimensions.len() < limits::DETAILS && !dimensions.contains(&dimension) {
                dimensions.push(dimension);
            }
        }
        let joined = |all: Vec<String>, between: &str| (!all.is_empty()).then(|| all.join(between));
        let details = [
            ("Metric", compared.and_then(Metric::in_words)),
            ("Computed from", joined(computed, "\n")),
            ("Dimensions", joined(dimensions, ", ")),
            ("Threshold", self.threshold.clone()),
            // Where it is known beyond doubt, it has a line of its own.
            ("Value", self.value.clone().filter(|_| self.measured().is_none())),
            ("Rule", self.rule.clone()),
            ("Triggered by", joined(self.children.iter().take(limits::DETAILS).cloned().collect(), ", ")),
            ("Region", self.region.clone().or_else(|| self.place.clone())),
            (ACCOUNT, self.account.clone()),
        ];
        details.into_iter().filter_map(|(label, value)| Some(Detail { label: label.to_owned(), value: value? })).collect()
    }

    fn changes(&self) -> Changes {
        limits::fit(without_secrets(Changes {
            title: Some(self.name.clone()),
            description: self.description(),
            severity: Some(self.severity()),
            service: self.service(),
            kind: Some(KIND.to_owned()),
            components: self.components(),
            url: self.console(),
            links: self.runbook(),
            details: Some(self.details()),
            metric: self.measured(),
            ..Changes::default()
        }))
    }
}

impl Metric {
    /// `TargetResponseTime p99`, or what the computed one is called.
    fn short(&self) -> Option<String> {
        if let Some(expression) = &self.expression {
            return Some(self.label.as_ref().unwrap_or(expression).clone());
        }
        let name = self.name.as_deref().or(self.label.as_deref())?;
        Some(self.statistic.as_deref().map_or_else(|| name.to_owned(), |statistic| format!("{name} {statistic}")))
    }

    /// `AWS/EC2 CPUUtilization, Average`, or what is computed.
    fn in_words(&self) -> Option<String> {
        let label = self.label.as_deref();
        if let Some(expression) = &self.expression {
            return Some(label.map_or_else(|| expression.clone(), |label| format!("{label} = {expression}")));
        }
        let name = self.name.as_deref().or(label)?;
        let namespace = self.namespace.as_deref().map(|namespace| format!("{namespace} ")).unwrap_or_default();
        let statistic = self.statistic.as_deref().map(|statistic| format!(", {statistic}")).unwrap_or_default();
        let id = self.id.as_deref().filter(|id| !self.is_compared && id.len() <= 8).map(|id| format!("{id} = ")).unwrap_or_default();
        Some(format!("{id}{namespace}{name}{statistic}"))
    }
}

/// The severity that somebody wrote into a text: after `severity`, `priority` or `urgency`, else as a word of its own, `P1` to `P4` or `SEV1` to `SEV4`.
fn graded(text: &str) -> Option<Severity> {
    let named = ["severity", "priority", "urgency"].iter().find_map(|name| Severity::parse(&tag(text, name)?));
    named.or_else(|| {
        let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.find_map(|word| {
            let grade = matches!(word.as_bytes(), [b'P' | b'p', b'1'..=b'4'])
                || (word.len() == 4 && word.get(..3).is_some_and(|sev| sev.eq_ignore_ascii_case("sev")));
            grade.then(|| Severity::parse(word))?
        })
    })
}

/// What stands after `name:` or `name=` in a text, up to the end of the word.
fn tag(text: &str, name: &str) -> Option<String> {
    let mut words =
        text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '(' | ')' | '[' | ']' | '|' | '"' | '\''));
    while let Some(word) = words.next() {
        let Some((label, value)) = word.split_once([':', '=']) else { continue };
        if label.eq_ignore_ascii_case(name) {
            let next = if value.is_empty() { words.find(|word| !word.is_empty()).unwrap_or_default() } else { value };
            let value = next.trim_end_matches(['.', '!', ':']);
            return (!value.is_empty()).then(|| value.to_owned());
        }
    }
    None
}

/// Reads one change of state.
pub(super) fn read(event: &Event) -> Verdict {
    let Some(alarm) = alarm(event) else { return generic::read(event) };
    // How it stands, it says as of some time ago; that it is gone is news of now.
    let at = event.at(alarm.at.filter(|_| alarm.configured.is_none()));
    let key = alarm.key();
    let action = match alarm.state {
        _ if let Some(operation) = &alarm.configured => {
            if operation != "delete" {
                return Verdict::Ignored("an alarm was made or changed, and says by itself how it stands".to_owned());
            }
            Action::Resolve(Closing { note: Some("The alarm was deleted.".to_owned()), root_cause: None })
        }
        State::Alarm if alarm.is_suppressed => {
            return Verdict::Ignored("CloudWatch holds the actions of this alarm back, because of its suppressor".to_owned());
        }
        State::Alarm => Action::Create(alarm.changes()),
        State::Ok => Action::Resolve(limits::fit_closing(Closing { note: alarm.reason.clone(), root_cause: None })),
        State::InsufficientData if alarm.before == Some(State::Alarm) => {
            let reason = alarm.reason.as_deref().map(|reason| format!(" {reason}")).unwrap_or_default();
            let text = format!("CloudWatch has no data for this alarm any more, so it may still hold.{reason}");
            Action::Note { text: limits::cut(&text, limits::PROSE), heard_in: None }
        }
        State::InsufficientData => return Verdict::Ignored("the alarm has not enough data, and was not in ALARM before".to_owned()),
    };
    // The same change of state heard of in two ways, over SNS and over EventBridge, is one intent.
    let id = match alarm.at.filter(|_| alarm.configured.is_none()) {
        Some(at) => IntentId::of("alarm", &[&key, action.name(), &at.to_string()]),
        None => event.id(),
    };
    let intent = Intent {
        id,
        workspace: None,
        at,
        by: Actor::Source(SOURCE.to_owned()),
        target: Target::Key(limits::key(&key)),
        action,
        reply: None,
    };
    Verdict::Intents(vec![intent])
}
