//! `tocsin send`: incidents onto the queue, from files or from the command line itself.

mod foretold;
mod message;
mod wait;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Serialize;
use shared::domain::incident::State;
use shared::queue::dead_letters::Letter;
use shared::watch::Watch;

use self::foretold::Foretold;
use self::message::Made;
use self::wait::{Became, Stands};
use crate::deployment::{Deployment, Stack};
use crate::incidents::state;
use crate::output::{BAD, FAINT, GOOD, Output, WARN, note, plain, several};

/// Drop incidents onto the queue.
///
/// What each will come to is said first, by the very reading that the deployment makes of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tocsin send events/own-create.json --wait
  tocsin send --title 'Checkout p99 above 2 s' --severity P2 --service checkout --dedup-key checkout-latency
  tocsin send --resolve --dedup-key checkout-latency

Exit codes: 0 it is on the queue, and with --wait done; 1 it is not, or would go to the dead letters or has gone there, or was refused; 2 the command was not understood.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: Stack,
    /// Files that hold a message each, such as those of events/; `-` is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only say what would come of it; needs no AWS.
    #[arg(long, conflicts_with_all = ["wait", "force"])]
    dry_run: bool,
    /// Send also what will go to the dead letters.
    #[arg(long)]
    force: bool,
    /// Wait until it is in the table, or on the dead letters, and say how it stands there.
    #[arg(long)]
    wait: bool,
    /// How long to wait at most: `90s`, `5m`.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = length, requires = "wait")]
    timeout: Duration,
    #[command(flatten)]
    made: Made,
}

fn length(text: &str) -> Result<Duration, &'static str> {
    let read = shared::domain::duration(text).and_then(|length| Duration::try_from(length).ok());
    read.ok_or("a length of time is like 90s or 5m")
}

/// A message, and what is known of it.
#[derive(Debug, Serialize)]
struct Told {
    /// Where it is from.
    from: String,
    #[serde(skip)]
    body: String,
    #[serde(flatten)]
    foretold: Foretold,
    /// SQS's id, once it is on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// What became of each wish, where that was waited for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    became: Vec<Became>,
    /// The dead letter that it has become, or a part of it, where that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<()> {
    let mut messages = read(&arguments)?;
    ensure!(!messages.is_empty(), "there is nothing to send: name files, or say what is wrong with --title");
    if arguments.dry_run {
        output.print(&messages, || foretell_all(&messages))?;
        return refuse_dead(&messages, "would go");
    }
    let deployment = Deployment::read(&arguments.stack).await?;
    let watch = own_alarms(&deployment);
    for told in &mut messages {
        told.foretold = Foretold::of(&told.body, "", watch.as_ref());
    }
    if !output.json {
        foretell_all(&messages);
    }
    if !arguments.force
        && let Err(refused) = refuse_dead(&messages, "would go")
    {
        output.print(&messages, || {})?;
        return Err(refused.context("nothing is sent; --force sends it all the same"));
    }
    let sent = send(&deployment, &mut messages, output).await;
    let waited = match &sent {
        Ok(()) if arguments.wait => wait(&deployment, &mut messages, arguments.timeout, watch.as_ref(), output).await,
        _ => Ok(()),
    };
    if output.json {
        output.print(&messages, || {})?;
    }
    sent?;
    waited?;
    let refused = messages.iter().flat_map(|told| &told.became).filter(|became| became.refusal.is_some()).count();
    ensure!(refused == 0, "{} refused; `tocsin dead-letters list intents` has it", several(refused, "wish was", "wishes were"));
    let dead = messages.iter().filter(|told| told.letter.is_some()).count();
    ensure!(dead == 0, "{} on the dead letters; `tocsin dead-letters show` has it", several(dead, "message stands", "messages stand"));
    Ok(())
}

fn read(arguments: &Arguments) -> Result<Vec<Told>> {
    let tell = |from: String, body: String| Told {
        foretold: Foretold::of(&body, "", None),
        from,
        body,
        message_id: None,
        became: Vec::new(),
        letter: None,
    };
    if let Some(body) = arguments.made.message()? {
        return Ok(vec![tell("what was given".to_owned(), body)]);
    }
    arguments.files.iter().map(|path| body(path).map(|(from, body)| tell(from, body))).collect()
}

fn body(path: &Path) -> Result<(String, String)> {
    let is_input = path == Path::new("-");
    let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = String::new();
    let read = if is_input { std::io::stdin().read_to_string(&mut text).map(|_| text) } else { std::fs::read_to_string(path) };
    Ok((name.clone(), read.with_context(|| format!("{name} cannot be read"))?))
}

/// What the deployment's own alarms are known by; their ARNs are of the secret's account and region.
fn own_alarms(deployment: &Deployment) -> Option<Watch> {
    let secret = deployment.output("SlackSecretArn").ok()?;
    let parts: Vec<&str> = secret.split(':').collect();
    let (partition, region, account) = (parts.get(1)?, parts.get(3)?, parts.get(4)?);
    Watch::new(format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{}", deployment.alarms())).ok()
}

/// Says what each will come to.
fn foretell_all(messages: &[Told]) {
    for told in messages {
        foretell(told, messages.len());
    }
}

/// Says what a message will come to.
fn foretell(told: &Told, of: usize) {
    let from = prefix(&told.from, of);
    for does in &told.foretold.does {
        anstream::println!("{from}{does}");
    }
    if let Some(why) = &told.foretold.ignored {
        anstream::println!("{from}{WARN}ignored{WARN:#}: {why}");
    }
    if let Some(why) = &told.foretold.dead {
        let part = if told.foretold.does.is_empty() { "goes" } else { "and goes" };
        anstream::println!("{from}{BAD}{part} to the dead letters{BAD:#}: {why}");
    }
}

fn refuse_dead(messages: &[Told], verb: &str) -> Result<()> {
    let dead = messages.iter().filter(|told| told.foretold.dead.is_some()).count();
    if dead == 0 {
        return Ok(());
    }
    bail!("{} of {} {verb} to the dead letters", dead, several(messages.len(), "message", "messages"))
}

async fn send(deployment: &Deployment, messages: &mut [Told], output: Output) -> Result<()> {
    let (sqs, url) = (deployment.sqs(), deployment.output("IncidentsQueueUrl")?);
    let waiting = output.waiting("sending");
    let count = messages.len();
    for (number, told) in messages.iter_mut().enumerate() {
        waiting.set_message(format!("sending {} of {count}", number + 1));
        let sent = sqs.send_message().queue_url(url).message_body(&told.body).send().await.map_err(|error| anyhow!(shared::causes(&error)));
        let sent = sent.with_context(|| format!("SQS does not take {}, and {number} of {count} are on the queue", told.from))?;
        told.message_id = sent.message_id;
    }
    drop(waiting);
    note(format_args!("{} on the queue", several(count, "message is", "messages are")));
    Ok(())
}

async fn wait(deployment: &Deployment, messages: &mut [Told], patience: Duration, watch: Option<&Watch>, output: Output) -> Result<()> {
    let until = Instant::now() + patience;
    let count = messages.len();
    let waiting = output.waiting("waiting until it is worked off");
    for told in messages {
        // What has no id of its own is known by its message.
        let known = Foretold::of(&told.body, told.message_id.as_deref().unwrap_or_default(), watch);
        for intent in &known.intents {
            let became = wait::until_done(deployment, intent, until).await.with_context(|| told.from.clone())?;
            if !output.json {
                waiting.suspend(|| say(&became, &told.from, count));
            }
            told.became.push(became);
        }
        if let (Some(_), Some(message)) = (&known.dead, &told.message_id) {
            let letter = wait::until_parked(deployment, message, until).await.with_context(|| told.from.clone())?;
            if !output.json {
                waiting.suspend(|| say_dead(&letter, &told.from, count));
            }
            told.letter = Some(letter.id);
        }
    }
    Ok(())
}

fn say_dead(letter: &Letter, from: &str, of: usize) {
    let (from, id) = (prefix(from, of), letter.short_id());
    anstream::println!("{from}{BAD}stands on the dead letters{BAD:#}: `tocsin dead-letters show {id}`");
}

/// Where it is from, where there are others.
fn prefix(from: &str, of: usize) -> String {
    if of > 1 { format!("{FAINT}{from}: {FAINT:#}") } else { String::new() }
}

fn say(became: &Became, from: &str, of: usize) {
    let from = prefix(from, of);
    let Became { outcome, refusal, incident } = became;
    if let Some(refusal) = refusal {
        anstream::println!("{from}{BAD}refused{BAD:#}: {}", plain(refusal));
    } else if let Some(Stands { id, state: State::Expected, .. }) = incident {
        anstream::println!("{from}{WARN}{id}{WARN:#} {outcome}: nobody sees it before something says that it is wrong");
    } else if let Some(Stands { id, state: stands, severity, title }) = incident {
        anstream::println!("{from}{GOOD}{id}{GOOD:#} {outcome}: {severity}, {}, \"{title}\"", state(*stands));
    } else {
        anstream::println!("{from}{outcome}");
    }
}
