//! The integration tests: one binary, a module for each thing that people and services count on.
//!
//! What needs nothing but Slack, the queue and time is written over any [`World`] and runs in both kinds, see [`worlds`]. What counts calls, delivers
//! things twice or stops functions needs the dispatcher and stands in a test of its own.
#![expect(clippy::expect_used, reason = "a test says what it takes for granted")]

mod ack_path;
mod acting;
mod api;
mod api_conformance;
mod batches;
mod book;
mod card;
mod cli;
mod clock;
mod commands;
mod configuration;
mod connect;
mod dead_letters;
mod deciding;
mod entrance;
mod events;
mod faults;
mod flapping;
mod forms;
mod home;
mod install;
mod joined;
mod kinds;
mod links;
mod once;
mod order;
mod outbound;
mod page;
mod poison;
mod reactions;
mod reports;
mod rotation;
mod samples;
mod shortcut;
mod signatures;
mod stack;
mod steps;
mod storm;
mod templates;
mod tokens;
mod verdicts;
mod watch;
mod webhooks;
mod who_may;
mod worlds;
