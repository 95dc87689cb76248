//! What incidents cost on AWS, from what they took here: invocations and their time, calls, items, lines of logs; and what the stack costs while nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;
use tests::binaries::FUNCTIONS;
use tests::ministack::Queue;
use tests::world::World;

use crate::report;
use crate::{binaries, of_many};

/// US dollars in us-east-1 in 2026, on demand and without a free tier.
/// <https://aws.amazon.com/lambda/pricing/> for arm64, <https://aws.amazon.com/sqs/pricing/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>,
/// <https://aws.amazon.com/secrets-manager/pricing/>, <https://aws.amazon.com/cloudwatch/pricing/>, <https://aws.amazon.com/eventbridge/pricing/>
mod price {
    pub(super) const INVOCATION: f64 = 0.20e-6;
    pub(super) const GIGABYTE_SECOND: f64 = 0.000_013_333_4;
    /// FIFO; without order it is 0.40.
    pub(super) const SQS_REQUEST: f64 = 0.50e-6;
    pub(super) const WRITE: f64 = 0.625e-6;
    pub(super) const READ: f64 = 0.125e-6;
    pub(super) const SECRET: f64 = 0.40;
    pub(super) const SECRET_CALL: f64 = 0.05e-4;
    pub(super) const ALARM: f64 = 0.10;
    pub(super) const DASHBOARD: f64 = 3.0;
    pub(super) const METRIC: f64 = 0.30;
    pub(super) const LOGGED_GIGABYTE: f64 = 0.50;
    pub(super) const EVENT: f64 = 1e-6;
}

/// What the functions have by default, in GB.
const MEMORY: f64 = 0.25;
/// Minutes of a month, in which the clock ticks.
const MINUTES: f64 = 30.0 * 24.0 * 60.0;
/// Lambda waits at each queue with five pollers, for twenty seconds each time.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const POLLS_A_MINUTE: f64 = 5.0 * 3.0;

/// What was taken of AWS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    /// By function: invocations, and how long they ran, in milliseconds.
    functions: BTreeMap<&'static str, (f64, f64)>,
    /// By what was called.
    calls: BTreeMap<String, f64>,
    /// Items written to DynamoDB, those in transactions twice, and the kilobytes of the largest in the table.
    writes: f64,
    kilobytes: usize,
    /// Units of DynamoDB.
    reads: f64,
    /// Bytes.
    logged: f64,
    /// CloudWatch metrics of our own.
    metrics: BTreeSet<String>,
}

impl Taken {
    /// Everything that a world's functions have taken so far.
    pub(crate) async fn so_far(world: &World) -> Result<Self> {
        // Each write costs by the size of its item, a kilobyte at a time; the largest one stands for all.
        let kilobytes = world.scan().await.iter().map(|item| item.to_string().len().div_ceil(1_024)).max().context("an empty table")?;
        let mut taken = Self { kilobytes, ..Self::default() };
        for name in FUNCTIONS {
            let function = world.dispatcher().function(name);
            taken.functions.insert(name, (f64::from(function.invocations()), function.worked().as_secs_f64() * 1e3));
            let counter = world.dispatcher().counter(name);
            for call in counter.calls() {
                *taken.calls.entry(call.action).or_default() += 1.0;
            }
            let units = counter.units();
            taken.writes += of_many(units.writes);
            taken.reads += of_many(units.reads);
        }
        for line in world.logs.lines() {
            taken.logged += of_many(line.text.len() + 1);
            taken.metrics.extend(metrics(&line.text));
        }
        Ok(taken)
    }

    /// The same, as if no metric had been counted yet: one that is counted again has to be paid again.
    pub(crate) fn without_metrics(mut self) -> Self {
        self.metrics.clear();
        self
    }

    /// The same, as if only these metrics had been counted yet.
    pub(crate) fn with_metrics(self, of: &Self) -> Self {
        Self { metrics: of.metrics.clone(), ..self }
    }

    /// What has been added since.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        for (name, (invocations, milliseconds)) in &before.functions {
            let function = self.functions.entry(name).or_default();
            *function = (function.0 - invocations, function.1 - milliseconds);
        }
        for (action, times) in &before.calls {
            *self.calls.entry(action.clone()).or_default() -= times;
        }
        self.writes -= before.writes;
        self.reads -= before.reads;
        self.logged -= before.logged;
        self.metrics.retain(|metric| !before.metrics.contains(metric));
        self
    }

    /// Units of DynamoDB that were written. An item of the table may stand in its index as well, where a change takes two more.
    fn written(&self) -> f64 {
        3.0 * self.writes * of_many(self.kilobytes)
    }

    /// For one of so many.
    pub(crate) fn for_each(mut self, count: usize) -> Self {
        let count = of_many(count);
        self.functions.values_mut().for_each(|function| *function = (function.0 / count, function.1 / count));
        self.calls.values_mut().for_each(|times| *times /= count);
        self.writes /= count;
        self.reads /= count;
        self.logged /= count;
        self
    }

    /// Invocations of all functions.
    pub(crate) fn invocations(&self) -> f64 {
        self.functions.values().map(|(invocations, _)| invocations).sum()
    }

    fn gigabyte_seconds(&self) -> f64 {
        self.functions.values().map(|(_, milliseconds)| milliseconds).sum::<f64>() / 1e3 * MEMORY
    }

    fn called(&self, service: &str) -> f64 {
        self.calls.iter().filter(|(action, _)| action.starts_with(service)).map(|(_, times)| times).sum()
    }

    /// Requests to SQS: the functions' own, and those by which Lambda fetches a batch and deletes it.
    fn sqs(&self) -> f64 {
        let queues = ["intake", "worker", "poster", "publisher", "caller"];
        let batches: f64 = queues.iter().filter_map(|name| self.functions.get(name)).map(|(invocations, _)| invocations).sum();
        self.called("AmazonSQS") + 2.0 * batches
    }

    /// Each function and each kind of call.
    pub(crate) fn table(&self) -> String {
        let functions =
            self.functions.iter().filter(|(_, (invocations, _))| *invocations > 0.0).map(|(name, (invocations, milliseconds))| {
                [format!("invocations of {name}"), format!("{invocations:.1}"), format!("{:.0} ms each", milliseconds / invocations)]
            });
        let calls = self.calls.iter().filter(|(_, times)| **times > 0.0);
        let calls = calls.map(|(action, times)| [format!("calls of {action}"), format!("{times:.1}"), String::new()]);
        let rest = [
            [
                "units of DynamoDB written".to_owned(),
                format!("{:.0}", self.written()),
                "each item as large as the largest, and in the index".to_owned(),
            ],
            ["units of DynamoDB read".to_owned(), format!("{:.0}", self.reads), String::new()],
            ["logged".to_owned(), format!("{:.1}", self.logged / 1e3), "KB".to_owned()],
        ];
        report::table(["what", "for an incident", ""], functions.chain(calls).chain(rest))
    }
}

/// The metrics that a line of the embedded metric format counts, each with its dimensions.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn metrics(line: &str) -> Vec<String> {
    let Ok(line) = serde_json::from_str::<Value>(line) else { return Vec::new() };
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for directive in list(line.pointer("/_aws/CloudWatchMetrics")) {
        for dimensions in list(directive.get("Dimensions")) {
            let values = list(Some(&dimensions)).iter().map(|name| line[name.as_str().unwrap_or_default()].to_string()).collect::<Vec<_>>();
            found.extend(list(directive.get("Metrics")).iter().map(|metric| format!("{} {}", metric["Name"], values.join(" "))));
        }
    }
    found
}

/// The table: a thousand incidents, and a month in which nothing happens; `tick` is what one tick of the clock takes.
pub(crate) fn table(incident: &Taken, tick: &Taken) -> Result<String> {
    let template = std::fs::read_to_string(binaries::root().join("template.yaml")).context("template.yaml")?;
    let resources = |kind: &str| of_many(template.lines().filter(|line| line.trim() == format!("Type: {kind}")).count());
    let incidents = |each: f64| each * 1_000.0;
    // Of a metric that is counted in some hours of a month, those hours are paid.
    let metrics = |taken: &Taken| of_many(taken.metrics.len()) * price::METRIC;
    let polls = of_many(Queue::ALL.len()) * POLLS_A_MINUTE * MINUTES;
    let rows = [
        ("Lambda, invocations", incidents(incident.invocations()) * price::INVOCATION, MINUTES * tick.invocations() * price::INVOCATION),
        (
            "Lambda, time (256 MB, arm64)",
            incidents(incident.gigabyte_seconds()) * price::GIGABYTE_SECOND,
            MINUTES * tick.gigabyte_seconds() * price::GIGABYTE_SECOND,
        ),
        ("SQS, requests; idle, Lambda's own", incidents(incident.sqs()) * price::SQS_REQUEST, polls * price::SQS_REQUEST),
        (
            "DynamoDB, reads and writes",
            incidents(incident.written() * price::WRITE + incident.reads * price::READ),
            MINUTES * (tick.written() * price::WRITE + tick.reads * price::READ),
        ),
        (
            "Secrets Manager",
            incidents(incident.called("secretsmanager")) * price::SECRET_CALL,
            resources("AWS::SecretsManager::Secret") * price::SECRET + MINUTES * tick.called("secretsmanager") * price::SECRET_CALL,
        ),
        ("EventBridge, events", incidents(incident.called("AWSEvents")) * price::EVENT, 0.0),
        (
            "CloudWatch, logs",
            incidents(incident.logged) / 1e9 * price::LOGGED_GIGABYTE,
            MINUTES * tick.logged / 1e9 * price::LOGGED_GIGABYTE,
        ),
        ("CloudWatch, alarms", 0.0, resources("AWS::CloudWatch::Alarm") * price::ALARM),
        ("CloudWatch, the dashboard", 0.0, resources("AWS::CloudWatch::Dashboard") * price::DASHBOARD),
        ("CloudWatch, metrics", 0.0, metrics(tick)),
    ];
    let sum = rows.iter().fold((0.0, 0.0), |sum, row| (sum.0 + row.1, sum.1 + row.2));
    let dollars = |amount: f64| if amount == 0.0 { "–".to_owned() } else { format!("${amount:.3}") };
    let busy = "and metrics of incidents, where there are some in every hour of the month";
    let rows = rows.into_iter().chain([("**in all**", sum.0, sum.1), (busy, 0.0, metrics(incident))]);
    Ok(report::table(
        ["US dollars", "1,000 incidents", "a month without any"],
        rows.map(|(what, incidents, idle)| [what.to_owned(), dollars(incidents), dollars(idle)]),
    ))
}
