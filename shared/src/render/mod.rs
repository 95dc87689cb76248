//! From the incident to what people see in Slack. Pure: the same incident always makes the same message, so a repeated post is harmless.
//!
//! [`card`] is the one live message of an incident, [`thread`] the replies under it, [`digest`] what there is instead in a storm, [`report`] what is posted by the calendar, [`answer`] and [`help`] what only the person who asked
//! sees, [`home`] what somebody finds at Home, [`link`] what stands under a link, [`notice`] what is told once, [`modal`] the forms. [`words`] are what several of them say in the same way.

pub mod answer;
pub mod card;
mod decision;
pub mod digest;
pub mod help;
pub mod home;
pub mod link;
pub mod modal;
pub mod notice;
pub mod report;
pub mod thread;
mod words;

pub use card::card;
pub use help::help;
pub use thread::{headline, reply};
pub use words::duration;

#[cfg(test)]
mod kind_tests;
#[cfg(any(test, feature = "limits"))]
pub mod limits;
#[cfg(all(test, feature = "configuration"))]
mod template_tests;
#[cfg(test)]
mod tests;
