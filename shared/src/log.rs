//! Structured logs: one JSON object a line, as CloudWatch Logs Insights reads them. One line per outcome, with ids; no body, token or secret.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends everything that is traced to standard output. `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging configuration, decides how
/// much; without it, `info`.
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.to_ascii_lowercase().parse().ok());
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_ansi(false);
    // Spans are nobody's lines, and the runtime opens one for every invocation.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not general enough over its lifetime to be a layer")]
    let events = filter_fn(|metadata| metadata.is_event());
    tracing_subscriber::registry().with(lines).with(events).with(level.unwrap_or(LevelFilter::INFO)).init();
}
