//! One look at everything: what needs nothing of each other side by side, and what needs something after it.

use std::cell::RefCell;

use futures_util::future::{LocalBoxFuture, join, join4};
use indicatif::ProgressBar;

use super::checks::{alarms, clock, keys, queues, secret, slack, stack, table, urls};
use super::finding::Finding;
use crate::chosen::Chosen;
use crate::deployment::{Deployment, Stack};
use crate::output::Output;

/// Looks at everything there is.
pub(super) async fn everything(stack: &Stack, chosen: &Chosen, output: Output) -> Vec<Finding> {
    let progress = Progress { bar: output.waiting("looking at the stack"), waited_for: RefCell::default() };
    let deployment = match Box::pin(Deployment::read(stack)).await {
        Ok(deployment) => deployment,
        Err(error) => return vec![stack::unknown(stack, &error)],
    };
    let (mut findings, queues, keys, alarms) = join4(
        Box::pin(slack_side(&deployment, chosen, &progress)),
        progress.during("the queues", queues::look(&deployment)),
        progress.during("the API's keys", keys::look(&deployment)),
        progress.during("the alarms", alarms::look(&deployment)),
    )
    .await;
    findings.extend(stack::look(&deployment));
    findings.extend(queues);
    findings.extend(keys);
    findings.extend(alarms);
    findings
}

/// What has to do with Slack: its secret first, since everything else is asked with what stands in it.
async fn slack_side(deployment: &Deployment, chosen: &Chosen, progress: &Progress) -> Vec<Finding> {
    let (secret, table) =
        join(progress.during("the Slack secret", secret::read(deployment)), progress.during("the table", table::read(deployment))).await;
    let (urls, slack) = join(
        progress.during("the URLs", urls::look(deployment, chosen, &secret)),
        progress.during("Slack", slack::look(deployment, chosen, &secret, &table)),
    )
    .await;
    let times: Vec<_> = urls.times.into_iter().chain(slack.time).collect();
    let mut findings = vec![clock::look(&times)];
    for some in [secret.findings, table.findings, urls.findings, slack.findings] {
        findings.extend(some);
    }
    findings
}

/// Says what is still waited for.
struct Progress {
    bar: ProgressBar,
    waited_for: RefCell<Vec<&'static str>>,
}

impl Progress {
    /// Boxed, because the SDK's futures are large.
    fn during<'a, T: 'a>(&'a self, what: &'static str, look: impl Future<Output = T> + 'a) -> LocalBoxFuture<'a, T> {
        Box::pin(async move {
            self.waited_for.borrow_mut().push(what);
            self.say();
            let seen = look.await;
            self.waited_for.borrow_mut().retain(|waited_for| *waited_for != what);
            self.say();
            seen
        })
    }

    fn say(&self) {
        self.bar.set_message(format!("looking at {}", self.waited_for.borrow().join(", ")));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
