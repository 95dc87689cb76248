//! Tocsin's one library, in the order in which data flows: what arrives ([`slack`], [`intake`]) becomes an intent ([`domain`]), travels over
//! the queues ([`queue`]), is applied and kept (`store`), and is shown ([`render`]; to other systems: [`public`]) with the token of the installation that is meant (`installation`).

pub mod aws;
pub mod config;
pub mod domain;
#[cfg(feature = "fallback")]
pub mod fallback;
#[cfg(feature = "slack-client")]
pub mod http;
#[cfg(all(feature = "background", feature = "slack-client", feature = "store"))]
pub mod installation;
pub mod intake;
pub mod log;
#[cfg(feature = "background")]
pub mod metrics;
pub mod public;
pub mod queue;
pub mod render;
pub mod secrets;
pub mod slack;
#[cfg(feature = "store")]
pub mod store;
pub mod watch;

/// An error with its causes, in one line for the log. The SDK's errors say "service error" by themselves and the rest in their sources.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
