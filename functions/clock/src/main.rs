//! What falls due with time; called by a schedule, every minute.

use clock::App;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::log::start();
    let app = App::start()?;
    let app = &app;
    // What the schedule sends says nothing that the time does not say as well.
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        app.tick(&event.context.request_id, event.context.deadline).await;
        Ok::<_, lambda_runtime::Error>(())
    }))
    .await
}
