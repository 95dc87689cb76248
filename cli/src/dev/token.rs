//! The app-level token, which opens connections and does nothing else. <https://docs.slack.dev/authentication/tokens#app-level>

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use shared::secrets::Secret;

/// Where the token may stand.
const VARIABLE: &str = "SLACK_APP_TOKEN";

/// Where there is one.
pub(super) const WHERE: &str = "generate one with the scope connections:write under Basic Information, App-Level Tokens, at https://api.slack.com/apps; it begins with xapp-";

/// Where the token comes from. It is never an argument: those stand in the shell's history.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// A file that holds the app-level token and nothing else; `-` is standard input. Without it `SLACK_APP_TOKEN` counts, and where that is not set, it is asked for at a terminal.
    #[arg(long, value_name = "FILE")]
    app_token_file: Option<PathBuf>,
}

impl Source {
    /// The token, looked at.
    pub(super) fn token(&self) -> Result<Secret> {
        let (text, whence) = match &self.app_token_file {
            Some(path) => (read(path)?, "the file"),
            None => match std::env::var(VARIABLE) {
                Ok(text) => (text, VARIABLE),
                Err(_) if std::io::stdin().is_terminal() => (
                    rpassword::prompt_password("App-Level Token (Basic Information): ").context("the terminal cannot be read")?,
                    "what you typed",
                ),
                Err(_) => bail!(
                    "there is no app-level token: set {VARIABLE}, name a file by --app-token-file, or be at a terminal and be asked. {WHERE}"
                ),
            },
        };
        let text = text.trim();
        match wrong(text) {
            None => Ok(Secret::new(text)),
            Some(wrong) => bail!("{whence} holds {wrong}, and no app-level token: {WHERE}"),
        }
    }
}

fn read(path: &Path) -> Result<String> {
    if path != Path::new("-") {
        return std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Ok(text)
}

/// What it is instead; nothing of it is said again.
fn wrong(text: &str) -> Option<&'static str> {
    let begins = |start: &str| text.starts_with(start);
    match text {
        "" => Some("nothing"),
        _ if begins("xapp-") && text.bytes().all(|byte| byte.is_ascii_graphic()) => None,
        _ if begins("xapp-") => Some("a token with spaces or other characters that none has"),
        _ if begins("xoxb-") => Some("a bot token"),
        _ if begins("xoxp-") => Some("a person's token"),
        _ if begins("xoxe") => Some("a token that expires, as the app's configuration and token rotation have them"),
        _ if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => Some("a signing secret or a client secret"),
        _ => Some("something else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_another_kind_is_called_what_it_is() {
        assert_eq!(wrong("xapp-1-A0TOCSIN-1-0a"), None);
        for (text, what) in [
            ("", "nothing"),
            ("xapp-1 2", "spaces"),
            ("xoxb-1", "bot token"),
            ("xoxp-1", "person"),
            ("xoxe.xoxp-1", "expires"),
            ("0123456789abcdef0123456789abcdef", "signing secret"),
            ("hello", "something else"),
        ] {
            assert!(wrong(text).unwrap_or_else(|| panic!("{text} is taken")).contains(what), "{text}");
        }
    }
}
