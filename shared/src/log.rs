//! Structured logs: one JSON object a line, as CloudWatch Logs Insights reads them. One line per outcome, with ids; no body, token or secret.

use tracing::level_filters::LevelFilter;

/// Sends everything that is traced to standard output. `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging configuration, decides how
/// much; without it, `info`.
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.to_ascii_lowercase().parse().ok());
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .with_ansi(false)
        .init();
}
