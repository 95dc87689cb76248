//! SQS, in the order in which a job meets it: [`message`] is what is sent, [`delivery`] what comes, [`inbox`] works through a batch, [`parking`] is where a job
//! goes that nobody can do, and [`dead_letters`] how it gets back from there.

#[cfg(feature = "dead-letters")]
pub mod dead_letters;
pub mod delivery;
#[cfg(feature = "background")]
pub mod inbox;
pub mod message;
pub mod parking;

pub use delivery::{Delivery, Failure, Try};
#[cfg(feature = "background")]
pub use inbox::Inbox;
pub use message::{Message, SendFailed, Sender, Unreadable, VERSION, Wake, Written, open, seal};
pub use parking::DeadLetters;
