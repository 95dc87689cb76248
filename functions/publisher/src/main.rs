//! Tells systems outside what happened to incidents; called with batches of `timeline.fifo`.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use publisher::App;
use shared::metrics;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::log::start();
    metrics::start();
    let app = App::start()?;
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        Ok::<_, lambda_runtime::Error>(metrics::measured(app.handle(event.payload, event.context.deadline)).await)
    }))
    .await
}
