//! What RDS means by its events, by their numbers. Their categories alone do not tell: `failover` holds the beginning, the end and the failure of one.

use crate::domain::kind::Progress::{self, Failed, Started, Succeeded};
use crate::domain::severity::Severity::{self, P2, P3};
use About::{Backups, Export, Itself, Key, Replication, Storage, Upkeep};
use Means::{Goes, Hurts, Nothing, Over, Told};

/// What an event means to somebody who needs the database.
#[derive(Clone, Copy)]
pub(super) enum Means {
    /// Something is wrong.
    Hurts(Severity),
    /// That is over.
    Over,
    /// Good to know.
    Told,
    /// A blue/green deployment got further.
    Goes(Progress),
    /// Nobody has to hear of it.
    Nothing,
}

/// What it is about: a failover that ended says nothing about the disk that runs full.
#[derive(Clone, Copy)]
pub(super) enum About {
    Itself,
    Storage,
    Replication,
    Key,
    Backups,
    Export,
    Upkeep,
}

impl About {
    /// What stands behind the database's name in the key.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Itself => "",
            Storage => "/storage",
            Replication => "/replication",
            Key => "/key",
            Backups => "/backups",
            Export => "/export",
            Upkeep => "/upkeep",
        }
    }
}

/// Events that mean the same.
#[derive(Clone, Copy)]
pub(super) struct Known {
    numbers: &'static [u16],
    pub(super) means: Means,
    pub(super) about: About,
    /// What stands behind the database's name in the title; empty: RDS's own first sentence does.
    pub(super) says: &'static str,
}

const fn known(numbers: &'static [u16], means: Means, about: About, says: &'static str) -> Known {
    Known { numbers, means, about, says }
}

const KNOWN: &[Known] = &[
    // It does not answer, or not for long.
    known(&[4], Hurts(P2), Itself, "was shut down"),
    known(&[13], Hurts(P2), Itself, "is failing over to its standby"),
    known(&[72, 73], Hurts(P2), Itself, "is failing over"),
    known(&[69], Hurts(P2), Itself, "could not fail over"),
    known(&[70], Hurts(P2), Itself, "goes back to its previous primary"),
    known(&[187, 239], Hurts(P2), Itself, "could not switch regions"),
    known(&[391], Hurts(P2), Itself, "may lose writes in the switch of regions"),
    known(&[20], Hurts(P2), Itself, "is being recovered"),
    known(&[50], Hurts(P2), Itself, "is being activated again"),
    known(&[22], Hurts(P2), Itself, "cannot be restarted"),
    known(&[31], Hurts(P2), Itself, "is broken and should be restored to a point in time"),
    known(&[35], Hurts(P2), Itself, "does not start with its parameters"),
    known(&[36, 315], Hurts(P2), Itself, "does not fit its network"),
    known(&[275], Hurts(P2), Itself, "turns connections away"),
    known(&[243], Hurts(P2), Itself, "has no IP addresses left to grow"),
    known(&[403, 404], Hurts(P2), Itself, "is critically low on memory"),
    known(&[52], Hurts(P3), Itself, "is being prepared for a failover"),
    known(&[361], Hurts(P3), Itself, "is rebuilding its standby"),
    known(&[66], Hurts(P3), Itself, "is slow while its mirror is set up again"),
    known(&[165], Hurts(P3), Itself, "is outside the support perimeter"),
    known(&[6, 15, 21, 49, 51, 53, 65, 71, 88, 151, 166, 185, 238, 362], Over, Itself, ""),
    // The disk.
    known(&[7], Hurts(P2), Storage, "has no storage left"),
    known(&[221], Hurts(P2), Storage, "was shut down: its storage is full"),
    known(&[222], Hurts(P2), Storage, "will be shut down when its storage gets any fuller"),
    known(&[227], Hurts(P2), Storage, "is dangerously low on storage"),
    known(&[330], Hurts(P2), Storage, "will be shut down when its log volume gets any fuller"),
    known(&[331], Hurts(P3), Storage, "is running out of room for its log"),
    known(&[89], Hurts(P3), Storage, "is running out of storage"),
    known(&[223, 224, 254], Hurts(P3), Storage, "can no longer add storage by itself"),
    known(&[189], Hurts(P3), Storage, "is running out of I/O credits"),
    known(&[17, 218, 296, 332], Over, Storage, ""),
    known(&[18, 217, 219, 220, 237, 295], Nothing, Storage, ""),
    // Its copies.
    known(&[45, 358], Hurts(P2), Replication, "stopped replicating"),
    known(&[57], Hurts(P3), Replication, "lost its replication"),
    known(&[202], Hurts(P3), Replication, "got no read replica"),
    known(&[46, 357, 415], Over, Replication, ""),
    known(&[416], Nothing, Replication, ""),
    // The key that it is encrypted with.
    known(&[418], Hurts(P2), Key, "cannot use its encryption key"),
    known(&[419], Hurts(P2), Key, "becomes inaccessible without its encryption key"),
    known(&[420], Over, Key, ""),
    // Backups, snapshots and exports.
    known(&[28], Hurts(P3), Backups, "has no automated backups any more"),
    known(&[32], Over, Backups, ""),
    known(&[1, 2, 40, 42, 59, 60, 74, 75, 90, 91, 168, 169, 196, 197], Nothing, Backups, ""),
    known(&[159, 162, 234, 484, 489], Hurts(P3), Export, "could not be exported"),
    known(&[160, 161, 163, 164, 235, 236], Over, Export, ""),
    known(&[486, 487, 488, 491, 492, 493], Nothing, Export, ""),
    // Maintenance, upgrades and options.
    known(&[26], Hurts(P3), Upkeep, "is down for maintenance"),
    known(&[266], Hurts(P3), Upkeep, "is down for an upgrade"),
    known(&[270], Hurts(P3), Upkeep, "could not be upgraded and is what it was"),
    known(&[85, 158, 174, 188, 389, 425, 429], Hurts(P3), Upkeep, "cannot be upgraded"),
    known(&[67], Hurts(P3), Upkeep, "kept its password: it could not be reset"),
    known(&[58, 79, 80, 81, 82, 83, 84, 86, 143, 152, 157, 195, 198, 277, 278, 279, 280, 281, 282], Hurts(P3), Upkeep, ""),
    known(&[283, 284, 285, 306, 320, 324, 327, 328, 329, 353, 354, 355, 356, 387, 421], Hurts(P3), Upkeep, ""),
    known(&[27, 47, 173, 176, 268, 289, 290], Over, Upkeep, ""),
    known(&[12, 24, 30, 177, 178, 264, 265, 267, 269, 286, 288, 363, 388, 398, 399], Nothing, Upkeep, ""),
    // Blue/green deployments.
    known(&[247, 250, 259], Goes(Started), Itself, ""),
    known(&[248, 251, 260], Goes(Succeeded), Itself, ""),
    known(&[245, 249, 252, 261, 310, 314], Goes(Failed), Itself, ""),
    known(&[307, 308, 311, 312, 405, 406], Nothing, Itself, ""),
    // Somebody did something, or it takes its usual course.
    known(&[87, 150], Told, Itself, "was stopped"),
    known(&[3, 171], Told, Itself, "was deleted"),
    known(&[5, 170], Told, Itself, "was created"),
    known(&[141, 142, 144, 145, 146, 147, 148, 149, 370, 371, 372, 373, 374], Nothing, Itself, ""),
    known(&[182, 183, 184, 240, 241, 385, 390, 397, 423, 316, 317, 318, 321, 322], Nothing, Itself, ""),
];

/// What is known about the event with this number.
pub(super) fn by_number(number: u16) -> Option<Known> {
    KNOWN.iter().find(|known| known.numbers.contains(&number)).copied()
}

/// What an event means that stands nowhere above, by its categories (which SNS does not send) and the words of its message.
pub(super) fn by_words(categories: &[&str], message: &str) -> Known {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let of = |category: &str| categories.iter().any(|all| all.eq_ignore_ascii_case(category));
    let is_bad = says(&["fail", "unable", "can't", "cannot", "error"]);
    let is_good = !is_bad && says(&["complete", "finished", "restarted", "recovered", "available", "resumed"]);
    let (means, about) = match () {
        () if of("low storage") => (Hurts(P2), Storage),
        () if of("read replica") && is_good => (Over, Replication),
        () if of("read replica") => (if is_bad { Hurts(P3) } else { Told }, Replication),
        () if of("availability") || of("failover") || of("global failover") || of("recovery") => {
            (if is_good { Over } else { Hurts(P2) }, Itself)
        }
        () if of("failure") => (Hurts(P3), Upkeep),
        () if is_bad => (Hurts(P3), Upkeep),
        () => (Told, Itself),
    };
    known(&[], means, about, "")
}
