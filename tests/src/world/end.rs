//! How a world comes to rest and ends: waits until nothing is on its way, looks at what is left, and says what there is where a test fails.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::{Stack, World};
use crate::dispatcher::lock;
use crate::logs::Line;
use crate::ministack::Queue;

impl World {
    /// Waits until nothing is on its way any more: queues empty, no invocation running, nothing due in any channel.
    pub async fn settled(&self) {
        let what = "everything settles";
        // Twice, because a job may have been put back onto an earlier queue between two looks.
        self.until(what, async || self.unsettled().await.map_or(Ok(()), Err)).await;
        self.until(what, async || self.unsettled().await.map_or(Ok(()), Err)).await;
    }

    /// What is still on its way; queues are looked at in the order in which a job passes.
    async fn unsettled(&self) -> Option<String> {
        for queue in Queue::ALL {
            match self.aws.depth(self.queue_url(queue)).await {
                Ok(0) => {}
                Ok(depth) => return Some(format!("{depth} on {}", queue.name())),
                Err(error) => return Some(format!("{error:#}")),
            }
        }
        let running = self.in_flight();
        if running > 0 {
            return Some(format!("{running} invocations"));
        }
        let due = self.unposted().await;
        (!due.is_empty()).then(|| format!("due: {due:?}"))
    }

    /// How much is still on its way, in a line.
    pub async fn on_its_way(&self) -> String {
        let mut line = String::new();
        for queue in Queue::ALL {
            let _ = write!(line, "{} {}, ", queue.name(), self.depth(self.queue_url(queue)).await);
        }
        let _ = write!(line, "{} invocations", self.in_flight());
        line
    }

    /// How many messages are on a queue, for somebody to read.
    async fn depth(&self, url: &str) -> String {
        self.aws.depth(url).await.map_or_else(|error| format!("? ({error:#})"), |depth| depth.to_string())
    }

    /// How many invocations are running, as far as the dispatcher runs them.
    fn in_flight(&self) -> usize {
        if let Stack::Dispatched(dispatcher) = &self.runs { dispatcher.in_flight() } else { 0 }
    }

    /// Lets everything settle and makes room for the next scenario of the same world: no incidents, no settings, no faults. Slack's messages stay, since
    /// a simulator that begins anew would give out its ids a second time, and what has been seen before is rightly done only once.
    pub async fn clear(&self) {
        self.settled().await;
        for item in self.scan().await {
            let part = |name: &str| item.get(name).and_then(Value::as_str).map(|text| AttributeValue::S(text.to_owned()));
            let (Some(pk), Some(sk)) = (part("pk"), part("sk")) else { continue };
            let delete = self.aws.dynamodb.delete_item().table_name(&self.resources.table).key("pk", pk).key("sk", sk);
            delete.send().await.unwrap_or_else(|error| panic!("DynamoDB: {error:?}"));
        }
        self.slack.forget("faults").await;
        self.slack.forget("calls").await;
    }

    /// From now on lines at ERROR that contain `text` are no surprise; one has to come.
    pub fn expects_error(&self, text: &str) {
        lock(&self.memory.expected_errors).push(text.to_owned());
    }

    /// Ends the test: everything settles, and nothing is left that has to be looked at.
    pub async fn finish(self) {
        self.settled().await;
        let mut left = String::new();
        for queue in Queue::ALL {
            let depth = self.aws.depth(self.dead_letters_url(queue)).await.unwrap_or_else(|error| panic!("SQS: {error:#}"));
            if depth > 0 {
                let letter = self.takes_dead_letter(queue).await;
                let _ = writeln!(left, "{depth} dead letters of {}, one of them: {letter:?}", queue.name());
            }
        }
        let lines = self.all_logs().await;
        let expected = lock(&self.memory.expected_errors).clone();
        for line in lines.iter().filter(|line| line.is_error() && !expected.iter().any(|text| line.text.contains(text))) {
            let _ = writeln!(left, "an error in the log of {}: {}", line.function, line.text);
        }
        for text in expected.iter().filter(|text| !lines.iter().any(|line| line.is_error() && line.text.contains(*text))) {
            let _ = writeln!(left, "no error in the log contains {text:?}");
        }
        for call in self.not_allowed() {
            let _ = writeln!(left, "{call}");
        }
        self.check_secrets(&lines).await;
        self.memory.finished.store(true, Ordering::SeqCst);
        assert!(left.is_empty(), "at the end there is:\n{left}");
    }

    /// Ends a test that left jobs on purpose, for a world that cannot settle any more. Secrets in the log and calls that no role allows count all the same.
    pub async fn finish_unsettled(self) {
        self.check_secrets(&self.all_logs().await).await;
        self.memory.finished.store(true, Ordering::SeqCst);
        let not_allowed = self.not_allowed();
        assert!(not_allowed.is_empty(), "{not_allowed:?}");
    }

    fn not_allowed(&self) -> Vec<String> {
        if let Stack::Dispatched(dispatcher) = &self.runs { dispatcher.not_allowed() } else { Vec::new() }
    }

    async fn check_secrets(&self, lines: &[Line]) {
        let leaks = self.leaks_in(lines).await;
        assert!(leaks.is_empty(), "secrets are seen in: {leaks:?}");
    }

    /// Where secrets are seen, of all that anybody could read; and forgets them, so that the world can end.
    pub async fn leaks(&self) -> Vec<String> {
        let leaks = self.leaks_in(&self.all_logs().await).await;
        self.canaries.forget();
        leaks
    }

    /// Everything that anybody could read: logs and metrics, queues and dead letters, answers, the table, notices, Slack.
    async fn leaks_in(&self, lines: &[Line]) -> Vec<String> {
        let mut said: Vec<(String, String)> =
            lines.iter().map(|line| (format!("the log of {}", line.function), line.text.clone())).collect();
        if let Stack::Dispatched(dispatcher) = &self.runs {
            said.extend(dispatcher.traffic());
        }
        let text = |item: &Value| ("the table".to_owned(), item.to_string());
        said.extend(self.scan().await.iter().map(text));
        said.extend(lock(&self.memory.dead_letters).iter().map(|letter| ("a dead letter".to_owned(), letter.clone())));
        said.extend(self.notices().await.into_iter().map(|notice| ("a notice".to_owned(), format!("{} {}", notice.subject, notice.text))));
        said.extend(self.events().await.into_iter().map(|event| ("an event".to_owned(), event.to_string())));
        said.push(("Slack".to_owned(), self.slack.state().await.get("messages").cloned().unwrap_or_default().to_string()));
        self.canaries.leaks(&said)
    }

    async fn all_logs(&self) -> Vec<Line> {
        match &self.runs {
            Stack::Dispatched(_) => self.logs.lines(),
            Stack::Deployed(deployed) => deployed.logs(&self.http).await.unwrap_or_else(|error| panic!("CloudWatch Logs: {error:#}")),
        }
    }

    /// What there is: for a failure's message.
    pub(super) async fn portrait(&self) -> String {
        let mut portrait = String::from("Messages in Slack:\n");
        for message in self.slack.messages().await {
            let thread = message.thread().map(|thread| format!(" in the thread of {thread}")).unwrap_or_default();
            let only = message.only_for().map(|user| format!(" only for {user}")).unwrap_or_default();
            let text = message.reads().replace('\n', " | ");
            let _ = writeln!(portrait, "  {} {}{thread}{only}: {text} {:?}", message.channel(), message.ts(), message.labels());
        }
        for queue in Queue::ALL {
            let (jobs, letters) = (self.depth(self.queue_url(queue)).await, self.depth(self.dead_letters_url(queue)).await);
            let _ = writeln!(portrait, "{}: {jobs}, dead letters: {letters}", queue.name());
        }
        let _ = writeln!(portrait, "due: {:?}", self.unposted().await);
        for call in self.slack.ask("calls").await.as_array().into_iter().flatten().rev().take(15) {
            let part = |name: &str| call.get(name).cloned().unwrap_or_default();
            let _ = writeln!(portrait, "  called {}: {} {} {}", part("method"), part("http_status"), part("error"), part("fault"));
        }
        let lines = self.all_logs().await;
        let _ = writeln!(portrait, "Last lines of the functions:");
        for line in lines.iter().skip(lines.len().saturating_sub(30)) {
            let _ = writeln!(portrait, "  {}: {}", line.function, line.text);
        }
        portrait
    }
}
