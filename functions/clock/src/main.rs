//! What falls due with time; called by a schedule, every minute.

use clock::App;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::metrics;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::log::start();
    metrics::start();
    let app = App::start()?;
    let app = &app;
    // What the schedule sends says nothing that the time does not say as well.
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        let tick = app.tick(&event.context.request_id, event.context.deadline);
        metrics::measured(tick).await.map_err(|failed| lambda_runtime::Error::from(failed.to_string()))
    }))
    .await
}
