//! Sees to it that there is always a connection: a new one before an old one goes, another one where one broke, none once it is over.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::signal::ctrl_c;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::desk::Desk;
use super::link::{Failure, Link, Slack, disabled};
use super::said::Said;
use super::talk::{Report, Reported, Talk};

/// How long an old connection is kept for what still comes over it, once there is a new one. Slack mostly closes it before.
const OVERLAP: Duration = Duration::from_secs(30);

/// A connection that lasted so long was a good one: the waits begin anew.
const LASTED: Duration = Duration::from_mins(1);

/// Everything that is connected.
pub(super) struct Session {
    slack: Arc<Slack>,
    desk: Arc<Desk>,
    /// Connections in use, and what they still do after their end.
    talks: JoinSet<Result<()>>,
    opening: JoinSet<Result<Link, Failure>>,
    reports: (mpsc::UnboundedSender<Reported>, mpsc::UnboundedReceiver<Reported>),
    open: Vec<Open>,
    opened: u64,
    waits: ExponentialBackoff,
}

/// A connection that is open.
struct Open {
    number: u64,
    since: Instant,
    /// Slack told that it ends.
    leaving: bool,
    until: watch::Sender<Option<Instant>>,
}

impl Session {
    pub(super) fn new(slack: Arc<Slack>, desk: Arc<Desk>) -> Self {
        Self {
            slack,
            desk,
            talks: JoinSet::new(),
            opening: JoinSet::new(),
            reports: mpsc::unbounded_channel(),
            open: Vec::new(),
            opened: 0,
            waits: waits(),
        }
    }

    /// Until Ctrl-C, or until it cannot go on. Either way, what is under way is finished.
    pub(super) async fn run(mut self) -> Result<()> {
        let over = self.connected().await;
        self.opening.abort_all();
        if over.is_ok() {
            self.desk.tell(&Said::Ending { under_way: self.desk.under_way() })?;
        }
        for open in &self.open {
            open.until.send_replace(Some(Instant::now()));
        }
        let finished = async {
            while let Some(talk) = self.talks.join_next().await {
                talk.context("a connection was given up")??;
            }
            Ok(())
        };
        tokio::select! {
            finished = finished => over.and(finished),
            _ = ctrl_c() => bail!("ended before everything that was under way was done"),
        }
    }

    /// Keeps a connection; `Ok` once somebody presses Ctrl-C.
    async fn connected(&mut self) -> Result<()> {
        self.connect(Duration::ZERO);
        let interrupted = ctrl_c();
        tokio::pin!(interrupted);
        loop {
            tokio::select! {
                interrupted = &mut interrupted => return interrupted.context("Ctrl-C cannot be heard"),
                Some(opened) = self.opening.join_next() => self.has_opened(opened.context("opening was given up")?)?,
                Some((number, report)) = self.reports.1.recv() => self.hears(number, report)?,
                Some(talk) = self.talks.join_next() => talk.context("a connection was given up")??,
            }
        }
    }

    /// Begins to open a connection, if none is being opened.
    fn connect(&mut self, wait: Duration) {
        if !self.opening.is_empty() {
            return;
        }
        let slack = Arc::clone(&self.slack);
        self.opening.spawn(async move {
            sleep(wait).await;
            slack.open().await
        });
    }

    fn has_opened(&mut self, opened: Result<Link, Failure>) -> Result<()> {
        match opened {
            Ok(link) => self.uses(link),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Passing { why, wait }) => {
                // What Slack says counts; it is not undercut, and not lengthened either.
                let wait = wait.unwrap_or_else(|| self.next_wait());
                self.waits_for(&why, wait)
            }
        }
    }

    /// Uses a connection, and lets those go that it takes the place of.
    fn uses(&mut self, Link { socket, hello }: Link) -> Result<()> {
        let connections = hello.connections.max(1);
        let others = connections.saturating_sub(self.open.len() + 1);
        self.desk.tell(&Said::Connected { app_id: hello.app(), connections, others })?;
        for old in &self.open {
            old.until.send_replace(Some(Instant::now() + OVERLAP));
        }
        self.opened += 1;
        let (number, (until, told)) = (self.opened, watch::channel(None));
        let talk = Talk {
            number,
            socket,
            silence: self.slack.silence,
            desk: Arc::clone(&self.desk),
            reports: self.reports.0.clone(),
            until: told,
        };
        self.talks.spawn(talk.run());
        self.open.push(Open { number, since: Instant::now(), leaving: false, until });
        Ok(())
    }

    fn hears(&mut self, number: u64, report: Report) -> Result<()> {
        let why = match report {
            Report::Disabled => return Err(disabled()),
            Report::Leaving(reason) => return self.refreshes(number, &reason),
            Report::Ended(why) => Some(why),
            Report::Left => None,
        };
        let Some(place) = self.open.iter().position(|open| open.number == number) else { return Ok(()) };
        let ended = self.open.remove(place);
        // One that was told to leave is not missed: another one is there, or on its way.
        let missed = self.open.iter().all(|open| open.leaving) && self.opening.is_empty();
        match why {
            Some(why) if missed => {
                if ended.since.elapsed() >= LASTED {
                    self.waits = waits();
                }
                let wait = self.next_wait();
                self.waits_for(&why, wait)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Opens a new connection while the old one is still in use.
    fn refreshes(&mut self, number: u64, reason: &str) -> Result<()> {
        let Some(open) = self.open.iter_mut().find(|open| open.number == number && !open.leaving) else { return Ok(()) };
        open.leaving = true;
        if self.open.iter().any(|open| !open.leaving) {
            return Ok(());
        }
        self.desk.tell(&Said::Refreshing { reason })?;
        self.connect(Duration::ZERO);
        Ok(())
    }

    fn waits_for(&mut self, why: &str, wait: Duration) -> Result<()> {
        self.desk.tell(&Said::Waiting { why, wait_ms: wait.as_millis() })?;
        self.connect(wait);
        Ok(())
    }

    fn next_wait(&mut self) -> Duration {
        // They never end.
        self.waits.next().unwrap_or(LASTED)
    }
}

/// Half a second, and twice as long after each failure, up to half a minute; a part of it by chance, so that many do not come back in one moment.
fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(30))
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}
