//! The HTTP API, called at a function URL by those who have no SQS.

use api::App;
use shared::slack::receive;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::log::start();
    let app = App::start().await?;
    receive::serve(|request| app.handle(request)).await
}
