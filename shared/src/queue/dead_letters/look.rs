//! Looking through a dead-letter queue: each letter comes once, as far as SQS shows it.
//!
//! What was shown is hidden from others for a minute at most, and locks its FIFO group: SQS shows what stands behind it only once it is released. So the groups are
//! released one after the other, and looked at again. Of a group SQS shows no more than ten, so what stands behind ten that stay is not seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{DeadLetterQueue, Letter, QueueError};

/// How many letters of a group SQS shows at most.
const OF_A_GROUP: usize = 10;

/// A look at what stands there.
#[derive(Debug)]
pub(super) struct Look<'a> {
    queue: &'a DeadLetterQueue,
    /// Once so many letters were shown, no more are looked for behind others.
    enough: usize,
    /// The place of each letter that was shown, in their order.
    places: HashMap<String, usize>,
    /// What is there still and hidden from others, each with its newest handle: only that one deletes it.
    held: BTreeMap<usize, Letter>,
    /// The groups of which more may stand behind what was shown.
    locked: BTreeSet<String>,
    /// The group that was released last.
    released: Option<String>,
    /// How many were shown a second time, since their minute was over, without anything new in between.
    again: usize,
}

impl<'a> Look<'a> {
    pub(super) fn new(queue: &'a DeadLetterQueue, enough: usize) -> Self {
        Self { queue, enough, places: HashMap::new(), held: BTreeMap::new(), locked: BTreeSet::new(), released: None, again: 0 }
    }

    /// The next letters, within a group in their order; none once SQS shows no others.
    pub(super) async fn next(&mut self) -> Result<Vec<Letter>, QueueError> {
        loop {
            let came = self.queue.receive().await?;
            let is_answer = came.is_empty() || came.iter().any(|letter| letter.group.is_some() && letter.group == self.released);
            let new = self.hold(came);
            if !new.is_empty() {
                return Ok(new);
            }
            // What is held is there again after a minute. Once as much came again as there is of it, nothing else is left.
            if is_answer || self.again > self.held.len() {
                self.released = self.unlock().await;
                if self.released.is_none() {
                    return Ok(new);
                }
            }
        }
    }

    /// Notes what came, and gives those that came for the first time.
    fn hold(&mut self, came: Vec<Letter>) -> Vec<Letter> {
        let mut new = Vec::new();
        for letter in came {
            if let Some(place) = self.places.get(&letter.id) {
                self.again += 1;
                if let Some(before) = self.held.get_mut(place) {
                    *before = letter;
                }
                continue;
            }
            self.locked.extend(letter.group.clone());
            self.held.insert(self.places.len(), letter.clone());
            self.places.insert(letter.id.clone(), self.places.len());
            new.push(letter);
        }
        new
    }

    /// Releases the next group behind which more may stand, and says which.
    async fn unlock(&mut self) -> Option<String> {
        self.again = 0;
        while self.places.len() < self.enough {
            let group = self.locked.pop_first()?;
            let letters: Vec<Letter> = self.held.values().filter(|letter| letter.group.as_ref() == Some(&group)).cloned().collect();
            if !letters.is_empty() && letters.len() < OF_A_GROUP {
                self.queue.release(&letters).await;
                return Some(group);
            }
        }
        None
    }

    /// This letter is no longer there.
    pub(super) fn gone(&mut self, letter: &Letter) {
        if let Some(place) = self.places.get(&letter.id) {
            self.held.remove(place);
        }
    }

    /// What was shown and is still there, within a group in their order.
    pub(super) fn letters(&self) -> Vec<Letter> {
        self.held.values().cloned().collect()
    }

    /// Whether of some group ten stay, so that SQS would not show what stands behind them.
    pub(super) fn is_full(&self) -> bool {
        let mut groups: HashMap<&str, usize> = HashMap::new();
        for group in self.held.values().filter_map(|letter| letter.group.as_deref()) {
            *groups.entry(group).or_default() += 1;
        }
        groups.values().any(|count| *count >= OF_A_GROUP)
    }

    /// Lets others see again what is still there.
    pub(super) async fn end(self) -> Vec<Letter> {
        let letters: Vec<Letter> = self.held.into_values().collect();
        self.queue.release(&letters).await;
        letters
    }
}
