//! Putting letters back.
//!
//! Meant are those of the list that was shown before, and what SQS hid from that list. No clock says what came since: that of this machine may differ from that of AWS.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::look::Look;
use super::{DeadLetterQueue, Filter, Hidden, Letter, Listing, QueueError, names};

/// After so many looks in a row that brought nothing but what came since the list, the rest is of that kind as well.
const LATE: usize = 3;

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is back on its queue and no longer here.
    PutBack,
    /// It is back on its queue, and for this reason still here as well: putting it back again does no harm.
    StillHere(String),
    /// Nobody can read it, and that was not asked for explicitly: why.
    Unreadable(String),
    /// It came from another queue.
    Foreign,
    /// SQS did not take it, so it stays: why.
    Failed(String),
    /// One before it in its group stays, so it stays too.
    Behind,
    /// SQS did not show it again: somebody else looks at it, or has taken it away.
    Unseen,
}

/// A letter that was meant, and what became of it.
#[derive(Debug)]
pub struct Redriven {
    /// Which.
    pub letter: Letter,
    /// What became of it.
    pub fate: Fate,
}

/// What came of putting letters back.
#[derive(Debug)]
pub struct Outcome {
    /// What was meant, each with its fate.
    pub told: Vec<Redriven>,
    /// What else stands there, of which some may be meant: what SQS hid from the list, and now.
    pub hidden: Hidden,
    /// Why it ended before its end. What was done before is told all the same.
    pub failed: Option<QueueError>,
}

/// Whether a letter is to be put back.
#[derive(PartialEq, Eq)]
enum Choice {
    Meant,
    LeftOut,
    CameSince,
}

struct Redrive<'a, T> {
    queue: &'a DeadLetterQueue,
    filter: &'a Filter,
    unreadable: bool,
    tell: T,
    look: Look<'a>,
    /// Those of the list that were not shown again yet.
    listed: BTreeMap<&'a str, &'a Letter>,
    left_out: &'a BTreeSet<String>,
    /// How many stood there that the list did not show, and that were not shown yet.
    hidden: usize,
    /// The messages that are back: what is one of them has failed again.
    put_back: BTreeSet<String>,
    /// The groups in which one stays that SQS did not take.
    stuck: BTreeSet<String>,
    told: Vec<Redriven>,
}

impl DeadLetterQueue {
    /// Puts back what was listed, in order, and what SQS hid then and the filter takes; says what became of each: `tell` hears it at once.
    /// `unreadable`: also what nobody can read, since somebody has seen to that.
    ///
    /// What comes back here meanwhile, because it failed again, is left alone.
    pub async fn redrive(&self, listing: &Listing, filter: &Filter, unreadable: bool, tell: impl FnMut(&Redriven)) -> Outcome {
        let redrive = Redrive {
            queue: self,
            filter,
            unreadable,
            tell,
            look: Look::new(self, usize::MAX),
            listed: listing.letters.iter().map(|letter| (letter.id.as_str(), letter)).collect(),
            left_out: &listing.left_out,
            hidden: listing.hidden().count,
            put_back: BTreeSet::new(),
            stuck: BTreeSet::new(),
            told: Vec::new(),
        };
        redrive.run(listing).await
    }
}

impl<T: FnMut(&Redriven)> Redrive<'_, T> {
    async fn run(mut self, listing: &Listing) -> Outcome {
        let mut failed = self.go().await.err();
        let unseen: Vec<Letter> = listing.letters.iter().filter(|letter| self.listed.contains_key(letter.id.as_str())).cloned().collect();
        let missing = unseen.len();
        for letter in unseen {
            self.say(letter, Fate::Unseen);
        }
        let Self { queue, look, told, hidden, .. } = self;
        let is_full = look.is_full();
        let stay = look.end().await.len();
        // The list may have counted what was gone already: SQS counts roughly.
        let others = match queue.standing().await {
            Ok(standing) => standing.saturating_sub(stay + missing),
            Err(error) => {
                failed.get_or_insert(error);
                usize::MAX
            }
        };
        Outcome { told, hidden: Hidden { count: hidden.min(others), is_behind: is_full }, failed }
    }

    async fn go(&mut self) -> Result<(), QueueError> {
        let mut late = 0;
        // Behind what is left of other groups, nothing more is looked for than there is to be found.
        while late < LATE && !(self.listed.is_empty() && self.hidden == 0) {
            let letters = self.look.next().await?;
            if letters.is_empty() {
                break;
            }
            late += 1;
            for letter in letters {
                let choice = self.choice(&letter);
                if choice != Choice::CameSince {
                    late = 0;
                }
                if choice == Choice::Meant {
                    let fate = self.fate(&letter).await;
                    self.say(letter, fate);
                }
            }
        }
        Ok(())
    }

    fn choice(&mut self, letter: &Letter) -> Choice {
        if self.listed.remove(letter.id.as_str()).is_some() {
            return Choice::Meant;
        }
        if self.left_out.contains(&letter.id) {
            return Choice::LeftOut;
        }
        if self.put_back.contains(&letter.message_id) {
            return Choice::CameSince;
        }
        if self.hidden == 0 {
            return Choice::CameSince;
        }
        self.hidden -= 1;
        if self.filter.takes(letter, Timestamp::now()) { Choice::Meant } else { Choice::LeftOut }
    }

    async fn fate(&mut self, letter: &Letter) -> Fate {
        let fate = match (&letter.said, &letter.group) {
            (Err(why), _) if !self.unreadable => Fate::Unreadable(why.clone()),
            (_, Some(group)) if self.stuck.contains(group) => Fate::Behind,
            _ if letter.origin.as_ref().is_some_and(|arn| !names(arn, &self.queue.origin)) => Fate::Foreign,
            _ => self.queue.put_back(letter).await,
        };
        match &fate {
            Fate::PutBack => {
                self.put_back.insert(letter.message_id.clone());
                self.look.gone(letter);
            }
            Fate::StillHere(_) => {
                self.put_back.insert(letter.message_id.clone());
            }
            Fate::Failed(_) => self.stuck.extend(letter.group.clone()),
            Fate::Unreadable(_) | Fate::Foreign | Fate::Behind | Fate::Unseen => {}
        }
        fate
    }

    fn say(&mut self, letter: Letter, fate: Fate) {
        let one = Redriven { letter, fate };
        (self.tell)(&one);
        self.told.push(one);
    }
}
