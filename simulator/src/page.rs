//! The page, as the Makefile built it.

use std::path::Path;

use axum::Router;
use axum::routing::get;
use tower_http::services::ServeDir;

/// What `/` says while there is no page.
const NOT_BUILT: &str = "The page is not built. Build it with:  cd simulator/page && npm ci && npm run build\n\
                         The Web API is under /api/, the control API under /sim/ (start with /sim/state).\n";

/// Serves the folder, or says how to build it. Looked at per request: the page may be built while the simulator runs.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(folder: &Path) -> Router<S> {
    let missing = axum::handler::HandlerWithoutStateExt::into_service(get_missing);
    Router::new().fallback_service(ServeDir::new(folder).fallback(missing)).route("/favicon.ico", get(|| async {}))
}

async fn get_missing(uri: axum::http::Uri) -> (axum::http::StatusCode, &'static str) {
    if uri.path() == "/" { (axum::http::StatusCode::OK, NOT_BUILT) } else { (axum::http::StatusCode::NOT_FOUND, "nothing here\n") }
}
