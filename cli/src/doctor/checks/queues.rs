//! The queues, and what nobody could handle.
//!
//! How long the oldest message has waited, SQS does not tell; CloudWatch does, and alarms watch that. What is told here is whether anybody works on what waits.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::future::{join, join_all};
use shared::queue::dead_letters::{Contents, DeadLetterQueue, Filter, Letter};

use super::super::finding::{Check, Finding, Fix};
use super::{gone, logs, of, unreadable};
use crate::deployment::Deployment;

/// How many letters a command to paste names at most.
const UNREADABLE: usize = 10;

/// A queue of the stack.
pub(super) struct Queue {
    name: &'static str,
    pub(super) contents: Contents,
    pub(super) url: &'static str,
    pub(super) dead_letters: &'static str,
    function: &'static str,
    /// The parameter that says how long a message is hidden, and how often it may come.
    pub(super) visibility: &'static str,
    pub(super) receives: u32,
}

const QUEUES: [Queue; 5] = [
    Queue {
        name: "incidents",
        contents: Contents::Incidents,
        url: "IncidentsQueueUrl",
        dead_letters: "IncidentsDeadLettersUrl",
        function: "IntakeFunction",
        visibility: "IncidentsVisibilityTimeout",
        receives: 30,
    },
    Queue {
        name: "intents",
        contents: Contents::Intents,
        url: "IntentsQueueUrl",
        dead_letters: "IntentsDeadLettersUrl",
        function: "WorkerFunction",
        visibility: "IntentsVisibilityTimeout",
        receives: 30,
    },
    Queue {
        name: "posts",
        contents: Contents::Posts,
        url: "PostsQueueUrl",
        dead_letters: "PostsDeadLettersUrl",
        function: "PosterFunction",
        visibility: "PostsVisibilityTimeout",
        receives: 1000,
    },
    Queue {
        name: "calls",
        contents: Contents::Calls,
        url: "CallsQueueUrl",
        dead_letters: "CallsDeadLettersUrl",
        function: "CallerFunction",
        visibility: "CallsVisibilityTimeout",
        receives: 30,
    },
    Queue {
        name: "timeline",
        contents: Contents::Timeline,
        url: "TimelineQueueUrl",
        dead_letters: "TimelineDeadLettersUrl",
        function: "PublisherFunction",
        visibility: "TimelineVisibilityTimeout",
        receives: 30,
    },
];

/// Between two looks at a queue on which something waits: whoever works on it takes it away in less.
const PAUSE: Duration = Duration::from_secs(3);

/// So many reasons are told.
const REASONS: usize = 3;

pub(in super::super) async fn look(deployment: &Deployment) -> Vec<Finding> {
    let sqs = deployment.sqs();
    let each = QUEUES.iter().map(|queue| join(queue.look(deployment, &sqs), queue.letters(deployment, &sqs)));
    join_all(each).await.into_iter().flat_map(|(queue, letters)| [queue, letters]).collect()
}

/// How many messages there are: waiting, and being worked on.
#[derive(Clone, Copy)]
struct Depth {
    waiting: u64,
    at_work: u64,
}

/// Why there is no depth.
enum Failed {
    Gone,
    Other(String),
}

async fn depth(sqs: &Client, url: &str) -> Result<Depth, Failed> {
    let names = [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
    let answer = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await;
    let attributes: HashMap<_, _> = answer
        .map_err(|error| {
            let gone = error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist);
            if gone { Failed::Gone } else { Failed::Other(shared::causes(&error)) }
        })?
        .attributes
        .unwrap_or_default();
    let [waiting, at_work] = names.map(|name| attributes.get(&name).and_then(|count| count.parse().ok()).unwrap_or_default());
    Ok(Depth { waiting, at_work })
}

impl Queue {
    async fn look(&self, deployment: &Deployment, sqs: &Client) -> Finding {
        let Ok(url) = deployment.output(self.url) else {
            return Finding::skipped(Check::Queue, &format!("the stack has no output {}", self.url)).about(self.name);
        };
        let finding = match self.twice(sqs, url).await {
            Err(Failed::Gone) => self.gone(deployment, url, true),
            Err(Failed::Other(error)) => unreadable(Check::Queue, "it", &error),
            Ok((_, Depth { waiting: 0, .. })) => Finding::well(Check::Queue, "nothing waits"),
            Ok((before, now)) if before.waiting > 0 && now.at_work == 0 && now.waiting >= before.waiting => Finding::look(
                Check::Queue,
                format!("{} waiting and nobody works on them; for how long, only CloudWatch knows (ApproximateAgeOfOldestMessage)", many(now.waiting)),
                Fix::new("Is its trigger disabled, or does its function die? What waits is handled as soon as somebody takes it.")
                    .paste(format!("aws lambda list-event-source-mappings --event-source-arn {} --query 'EventSourceMappings[].[UUID,State]' --output text", arn(deployment, url)))
                    .paste("aws lambda update-event-source-mapping --enabled --uuid UUID")
                    .paste(logs(deployment, self.function)),
            ),
            Ok((_, now)) => Finding::well(Check::Queue, format!("{} waiting, {} being worked on", many(now.waiting), now.at_work)),
        };
        finding.about(self.name)
    }

    /// Once where nothing waits.
    async fn twice(&self, sqs: &Client, url: &str) -> Result<(Depth, Depth), Failed> {
        let before = depth(sqs, url).await?;
        if before.waiting == 0 {
            return Ok((before, before));
        }
        tokio::time::sleep(PAUSE).await;
        Ok((before, depth(sqs, url).await?))
    }

    async fn letters(&self, deployment: &Deployment, sqs: &Client) -> Finding {
        let (Ok(url), Ok(origin)) = (deployment.output(self.dead_letters), deployment.output(self.url)) else {
            return Finding::skipped(Check::DeadLetters, &format!("the stack has no output {}", self.dead_letters)).about(self.name);
        };
        let finding = match depth(sqs, url).await {
            Err(Failed::Gone) => self.gone(deployment, url, false),
            Err(Failed::Other(error)) => unreadable(Check::DeadLetters, "they", &error),
            Ok(Depth { waiting: 0, at_work: 0 }) => Finding::well(Check::DeadLetters, "none"),
            Ok(Depth { waiting, at_work }) => {
                let queue = DeadLetterQueue::new(sqs.clone(), self.contents, url.to_owned(), origin.to_owned());
                let (reasons, fix) = match queue.list(&Filter::default()).await {
                    Ok(listing) => (reasons(listing.letters.iter().map(why)), self.fix(&listing.letters, deployment)),
                    Err(error) => (format!("why cannot be read: {error}"), self.fix(&[], deployment)),
                };
                Finding::broken(Check::DeadLetters, format!("{} that nobody could handle: {reasons}", many(waiting + at_work)), fix)
            }
        };
        finding.about(self.name)
    }

    /// What to do about letters: what can be read goes back, what cannot would only come here again.
    fn fix(&self, letters: &[Letter], deployment: &Deployment) -> Fix {
        let (name, of) = (self.name, of(deployment));
        if letters.iter().any(|letter| letter.is_newer) {
            return Fix::new(
                "Some are of a newer version of Tocsin, which can read them: deploy that one, install its `tocsin`, and put them back with it: nothing happens twice.",
            )
            .paste(format!("tocsin dead-letters redrive {name}{of}"));
        }
        let unreadable: Vec<&str> = letters.iter().filter(|letter| letter.said.is_err()).map(Letter::short_id).collect();
        if unreadable.is_empty() || unreadable.len() < letters.len() {
            let rest = if unreadable.is_empty() { "" } else { " What cannot be read stays." };
            let advice = format!(
                "Mend what the reason says, then put them back: nothing happens twice.{rest} `tocsin dead-letters delete` is for what nobody needs."
            );
            return Fix::new(advice).paste(format!("tocsin dead-letters redrive {name}{of}"));
        }
        let some: Vec<&str> = unreadable.into_iter().take(UNREADABLE).collect();
        Fix::new("They cannot be read, so putting them back would not help. `tocsin dead-letters show ID` has the text: mend whoever sends it, then delete them.")
            .paste(format!("tocsin dead-letters delete {name} {}{of}", some.join(" ")))
    }

    fn gone(&self, deployment: &Deployment, url: &str, takes: bool) -> Finding {
        let name = url.rsplit('/').next().unwrap_or_default();
        let (check, costs) = if takes {
            (Check::Queue, "what would be put on it is refused")
        } else {
            (Check::DeadLetters, "what nobody can handle comes again and again")
        };
        Finding::broken(check, format!("the queue {name} is gone: {costs}"), gone::anew(self, deployment, takes))
    }
}

fn many(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Why a letter is there: what the function said that parked it, or what can be told by looking at it.
fn why(letter: &Letter) -> String {
    match (&letter.reason, &letter.said) {
        (Some(reason), _) => reason.clone(),
        (None, Err(unreadable)) => format!("it cannot be read: {unreadable}"),
        (None, Ok(_)) => "whatever handled it died each time".to_owned(),
    }
}

/// The most frequent reasons, each with how often it is there.
fn reasons(all: impl Iterator<Item = String>) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for reason in all {
        *counted.entry(reason).or_default() += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let others = counted.len().saturating_sub(REASONS);
    let one = |(reason, count): (String, usize)| if count == 1 { reason } else { format!("{reason} ({count} times)") };
    let mut told: Vec<String> = counted.into_iter().take(REASONS).map(one).collect();
    if others > 0 {
        told.push(format!("and {others} other reasons"));
    }
    told.join("; ")
}

/// The ARN of the queue at `url`, whose last two parts are the account and the name.
pub(super) fn arn(deployment: &Deployment, url: &str) -> String {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let region = deployment.aws.region().map_or("us-east-1", |region| region.as_ref());
    let partition = if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else if region.starts_with("cn-") {
        "aws-cn"
    } else {
        "aws"
    };
    format!("arn:{partition}:sqs:{region}:{account}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_the_most_frequent_are_told() {
        let all = ["is_archived", "c", "not_in_channel", "not_in_channel", "a", "b"].map(str::to_owned);
        assert_eq!(reasons(all.into_iter()), "not_in_channel (2 times); a; b; and 2 other reasons");
    }
}
