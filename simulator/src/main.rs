//! The simulator as a program: prints its address and runs until it is interrupted.

use std::path::PathBuf;

use clap::Parser;
use simulator::Config;

/// A Slack on one machine, with a page to click on.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, env = "SIMULATOR_PORT", default_value_t = 0)]
    port: u16,
    /// What requests to the app are signed with.
    #[arg(long, env = "SLACK_SIGNING_SECRET", hide_env_values = true)]
    signing_secret: Option<String>,
    /// The bot token that the Web API accepts.
    #[arg(long, env = "SLACK_BOT_TOKEN", hide_env_values = true)]
    bot_token: Option<String>,
    /// The app's client id.
    #[arg(long, env = "SLACK_CLIENT_ID")]
    client_id: Option<String>,
    /// The app's client secret.
    #[arg(long, env = "SLACK_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// Where slash commands go.
    #[arg(long, env = "COMMANDS_URL")]
    commands_url: Option<String>,
    /// Where clicks, modal submissions and shortcuts go.
    #[arg(long, env = "INTERACTIONS_URL")]
    interactions_url: Option<String>,
    /// Where events go.
    #[arg(long, env = "EVENTS_URL")]
    events_url: Option<String>,
    /// The queue that sample files are dropped onto.
    #[arg(long, env = "INCIDENTS_QUEUE_URL")]
    incidents_queue_url: Option<String>,
    /// Folder of sample files.
    #[arg(long, env = "SAMPLES_DIR", default_value = "events")]
    samples: PathBuf,
    /// Folder of the built page.
    #[arg(long, env = "PAGE_DIR", default_value = "simulator/page/dist")]
    page: PathBuf,
    /// The app's manifest, for the steps that it brings to workflows; none: it brings none.
    #[arg(long, env = "APP_MANIFEST")]
    manifest: Option<PathBuf>,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is what this program tells")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let defaults = Config::default();
    let running = simulator::start(Config {
        port: flags.port,
        signing_secret: flags.signing_secret.unwrap_or(defaults.signing_secret),
        bot_token: flags.bot_token.unwrap_or(defaults.bot_token),
        client_id: flags.client_id.unwrap_or(defaults.client_id),
        client_secret: flags.client_secret.unwrap_or(defaults.client_secret),
        commands_url: flags.commands_url,
        interactions_url: flags.interactions_url,
        events_url: flags.events_url,
        incidents_queue_url: flags.incidents_queue_url,
        samples: flags.samples,
        page: flags.page,
        steps: flags.manifest.map_or(Ok(Vec::new()), |manifest| simulator::workflows::declared(&manifest))?,
        ..Config::default()
    })
    .await?;
    println!("simulator: {}", running.base_url);
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
