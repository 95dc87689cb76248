//! Installing Tocsin by a link, called by browsers at a function URL.

use oauth::App;
use shared::slack::receive;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::log::start();
    let app = App::start()?;
    receive::serve(|request| app.handle(request)).await
}
