//! What the terminal shows: each thing that happened on standard output, how the connection stands on standard error; with `--json` all of it as lines of JSON on standard output.

use anyhow::Result;
use serde::Serialize;

use super::message::Kind;
use crate::output::{BAD, FAINT, GOOD, Output, note, several};

/// Something that is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Said<'a> {
    /// What is connected with what.
    Begins { stack: &'a str, slack: &'a str },
    /// A connection is in use; `connections` are all that the app has.
    Connected { app_id: &'a str, connections: usize, others: usize },
    /// An envelope was handed over.
    Envelope {
        envelope: Kind,
        what: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry: Option<u64>,
        ms: u128,
        /// Of the function's answer; null where there was none.
        status: Option<u16>,
        /// Whether the acknowledgement brought an answer.
        answered: bool,
        acknowledged: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Slack said something that is not known, and nothing was done.
    Unknown { what: &'a str },
    /// Slack asks for a new connection in the place of an old one.
    Refreshing { reason: &'a str },
    /// There is no connection, and so long until there is another try.
    Waiting { why: &'a str, wait_ms: u128 },
    /// Nothing new is taken any more.
    Ending { under_way: usize },
}

/// Says it.
pub(super) fn tell(output: Output, said: &Said<'_>) -> Result<()> {
    if output.json {
        anstream::println!("{}", serde_json::to_string(said)?);
        return Ok(());
    }
    match said {
        Said::Envelope { what, retry, ms, status, answered, acknowledged, why, .. } => {
            let (style, mark) = if *acknowledged { (GOOD, '✓') } else { (BAD, '✗') };
            let again = retry.map(|number| format!(" (again, {number})")).unwrap_or_default();
            let status = status.map(|status| status.to_string()).unwrap_or_default();
            let answer = if *answered { ", with an answer" } else { "" };
            let why = why.as_ref().map(|why| format!(" not acknowledged: {why}")).unwrap_or_default();
            let what = format!("{what}{again}");
            let line = format!("{style}{mark}{style:#} {what:<44} {FAINT}{ms:>5} ms{FAINT:#}  {status}{answer}{why}");
            anstream::println!("{}", line.trim_end());
        }
        Said::Begins { stack, slack } => {
            note(format_args!("what happens in the Slack at {slack} goes to the functions of the stack {stack}, which answer there"));
        }
        Said::Connected { app_id, connections, others } => {
            note(format_args!("connected: {app_id}, {}", several(*connections, "connection", "connections")));
            if *others > 0 {
                note(format_args!(
                    "{} of this app somewhere else: Slack gives each a part of what happens, so some of it does not come here",
                    several(*others, "connection is open", "connections are open")
                ));
            }
        }
        Said::Unknown { what } => {
            note(format_args!("Slack says something that this version does not know ({what}), and nothing is done about it"));
        }
        Said::Refreshing { reason } => note(format_args!("Slack wants a new connection ({reason}); the old one goes once it is there")),
        Said::Waiting { why, wait_ms } => note(format_args!("not connected: {why}. Trying again in {} s", seconds(*wait_ms))),
        Said::Ending { under_way: 0 } => note("ending"),
        Said::Ending { under_way } => note(format_args!("ending, once {under_way} under way is done; Ctrl-C again ends at once")),
    }
    Ok(())
}

/// Seconds with a tenth.
fn seconds(ms: u128) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}
