//! Calls internal APIs because of what people decided or asked for; called with batches of `calls.fifo`.

use aws_lambda_events::sqs::SqsEvent;
use caller::App;
use lambda_runtime::{LambdaEvent, service_fn};
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
