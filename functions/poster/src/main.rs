//! Brings Slack up to date, one channel at a time; called with batches of `posts.fifo`.

use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{LambdaEvent, service_fn};
use poster::App;
use shared::metrics;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shared::log::start();
    metrics::start();
    let app = App::start()?;
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = event.context.deadline;
        metrics::measured(app.handle(event.payload, &event.context.request_id, deadline)).await.map_err(lambda_runtime::Error::from)
    }))
    .await
}
