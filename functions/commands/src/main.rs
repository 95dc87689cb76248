//! Slash commands, called by Slack at a function URL.

use commands::App;
use shared::slack::receive;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::log::start();
    let app = App::start().await?;
    receive::serve(|request| app.handle(request)).await
}
