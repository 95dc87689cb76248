//! The harness of the integration tests: real functions as processes, the real SDK against ministack, and the simulator as Slack.
//!
//! Reading order: [`world`] is what tests speak to; [`people`], [`card`], [`workflow`], [`browser`] and [`api`] are its words; [`inputs`] is what is dropped on the queue, [`channels`] where much of it goes;
//! [`dispatcher`] is Lambda in miniature; [`ministack`] is AWS; [`rights`] is IAM; [`slack`] is the simulator, and [`socket_mode`] what
//! stands between it and the functions where nobody has a URL.
#![expect(clippy::expect_used, reason = "a harness that cannot go on says why and thereby fails the test")]
#![expect(clippy::missing_panics_doc, reason = "every step of a test panics where what it waits for does not happen")]

pub mod api;
pub mod binaries;
pub mod browser;
pub mod canaries;
pub mod card;
pub mod channels;
pub mod cli;
pub mod connectors;
pub mod deployed;
pub mod dispatcher;
pub mod http;
pub mod inputs;
pub mod internal_api;
pub mod logs;
pub mod ministack;
pub mod paths;
pub mod people;
pub mod rights;
pub mod slack;
pub mod socket_mode;
pub mod watchdog;
pub mod workflow;
pub mod world;
