//! One connection in use: what comes over it is handed over, all of it at once, and acknowledged where it came from.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message as Frame};

use super::desk::{Desk, Handled};
use super::link::{Socket, broken};
use super::message::Message;
use super::said::Said;

/// How long Slack may take to answer a close. It keeps the TCP connection open after that, which is nobody's concern.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a connection reports.
#[derive(Debug)]
pub(super) enum Report {
    /// Slack told that it ends soon, for this reason; it is used until then.
    Leaving(String),
    /// It ended because Socket Mode was turned off.
    Disabled,
    /// It ended, and why.
    Ended(String),
    /// It ended because it was told to.
    Left,
}

/// The same, with the number of the connection.
pub(super) type Reported = (u64, Report);

/// One connection.
pub(super) struct Talk {
    pub(super) number: u64,
    pub(super) socket: Socket,
    pub(super) silence: Duration,
    pub(super) desk: Arc<Desk>,
    pub(super) reports: mpsc::UnboundedSender<Reported>,
    /// From this moment on it takes nothing new, and ends once what is under way is done.
    pub(super) until: watch::Receiver<Option<Instant>>,
}

type UnderWay = FuturesUnordered<BoxFuture<'static, Handled>>;

impl Talk {
    /// Talks until one of the two sides ends it. What is under way then is still waited for, so that nothing is broken off half-way.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut under_way = UnderWay::new();
        let ended = self.talk(&mut under_way).await?;
        // Whoever listens has ended, too.
        _ = self.reports.send((self.number, ended));
        // Where it was Slack who closed it, Slack waits for this.
        _ = timeout(FAREWELL, self.socket.close(None)).await;
        while let Some(handled) = under_way.next().await {
            self.desk.tell_handled(&handled, false)?;
        }
        Ok(())
    }

    async fn talk(&mut self, under_way: &mut UnderWay) -> Result<Report> {
        let (mut pings, mut heard) = (pings(self.silence), Instant::now());
        let mut until = self.until.clone();
        loop {
            tokio::select! {
                frame = self.socket.next() => {
                    heard = Instant::now();
                    if let Some(ended) = self.hears(frame, under_way)? {
                        return Ok(ended);
                    }
                }
                Some(handled) = under_way.next() => self.acknowledges(&handled).await?,
                _ = pings.tick() => {
                    if heard.elapsed() >= self.silence {
                        return Ok(Report::Ended(format!("Slack has said nothing for {} s", self.silence.as_secs())));
                    }
                    if let Err(error) = self.socket.send(Frame::Ping("tocsin".into())).await {
                        return Ok(Report::Ended(broken(&error)));
                    }
                }
                () = due(&mut until) => return self.leaves(under_way).await,
            }
        }
    }

    /// Does what a frame says; the end of the connection, where it is that.
    fn hears(&self, frame: Option<Result<Frame, tungstenite::Error>>, under_way: &UnderWay) -> Result<Option<Report>> {
        let text = match frame {
            Some(Ok(Frame::Text(text))) => text,
            // tungstenite answers pings by itself.
            Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Binary(_) | Frame::Frame(_))) => return Ok(None),
            Some(Ok(Frame::Close(_))) | None => return Ok(Some(Report::Ended("Slack has closed the connection".to_owned()))),
            Some(Err(error)) => return Ok(Some(Report::Ended(broken(&error)))),
        };
        match Message::read(&text) {
            Ok(Message::Envelope(envelope)) => {
                let desk = Arc::clone(&self.desk);
                under_way.push(async move { desk.handle(envelope).await }.boxed());
            }
            Ok(Message::Disconnect(reason)) if reason == "link_disabled" => return Ok(Some(Report::Disabled)),
            Ok(Message::Disconnect(reason)) => {
                _ = self.reports.send((self.number, Report::Leaving(reason)));
            }
            Ok(Message::Hello(_)) => {}
            Ok(Message::Other(what)) | Err(what) => self.desk.tell(&Said::Unknown { what: &what })?,
        }
        Ok(None)
    }

    /// Tells Slack that it was taken, over the connection that it came by; and the terminal what became of it.
    async fn acknowledges(&mut self, handled: &Handled) -> Result<()> {
        let sent = match handled.acknowledgement() {
            // That the connection is broken is noticed where it is read.
            Some(said) => self.socket.send(Frame::text(said)).await.is_ok(),
            None => false,
        };
        self.desk.tell_handled(handled, sent)
    }

    /// Finishes what is under way and closes. What still comes is not taken, and Slack sends it somewhere else.
    async fn leaves(&mut self, under_way: &mut UnderWay) -> Result<Report> {
        while !under_way.is_empty() {
            tokio::select! {
                Some(handled) = under_way.next() => self.acknowledges(&handled).await?,
                // Read on, since else no ping would be answered.
                frame = self.socket.next() => if !matches!(frame, Some(Ok(_))) {
                    return Ok(Report::Left);
                },
            }
        }
        let close = async {
            if self.socket.close(None).await.is_ok() {
                while let Some(Ok(_)) = self.socket.next().await {}
            }
        };
        _ = timeout(FAREWELL, close).await;
        Ok(Report::Left)
    }
}

/// When to ask whether Slack is there: three times before the silence is too long.
fn pings(silence: Duration) -> Interval {
    let mut pings = interval(silence / 3);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings
}

/// Waits for the moment at which a connection is to end, which may be told and told anew meanwhile.
async fn due(until: &mut watch::Receiver<Option<Instant>>) {
    loop {
        let moment = *until.borrow_and_update();
        let Some(moment) = moment else {
            if until.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            () = sleep_until(moment) => return,
            changed = until.changed() => if changed.is_err() { return },
        }
    }
}
