//! What the secrets of a Slack app look like, so that one that was cut short or put in the wrong place is told before it is written.

/// A part of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    SigningSecret,
    BotToken,
    ClientId,
    ClientSecret,
}

impl Field {
    pub(crate) const ALL: [Self; 4] = [Self::SigningSecret, Self::BotToken, Self::ClientId, Self::ClientSecret];

    /// In the secret.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SigningSecret => "signing_secret",
            Self::BotToken => "bot_token",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
        }
    }

    /// For people, and where Slack shows it.
    pub(super) fn prompt(self) -> &'static str {
        match self {
            Self::SigningSecret => "Signing Secret (Basic Information)",
            Self::BotToken => "Bot User OAuth Token (OAuth & Permissions)",
            Self::ClientId => "Client ID (Basic Information)",
            Self::ClientSecret => "Client Secret (Basic Information)",
        }
    }

    /// What is wrong with the form of a value; nothing of it is said again.
    pub(super) fn wrong(self, value: &str) -> Option<String> {
        let what = match self {
            Self::SigningSecret if is_token(value) => "this is a token; the signing secret is 32 hexadecimal digits",
            Self::SigningSecret if !is_hexadecimal(value) => "a signing secret is 32 hexadecimal digits",
            Self::ClientSecret if !is_hexadecimal(value) => "a client secret is 32 hexadecimal digits",
            Self::ClientId if !is_client_id(value) => "a client id is two numbers with a dot between them",
            Self::BotToken if value.starts_with("xoxe") => {
                "this token expires after hours, since the app rotates its tokens: such an app is installed by the link, with client_id and client_secret"
            }
            Self::BotToken if value.starts_with("xoxp-") => "this is a person's token; the bot's begins with xoxb-",
            Self::BotToken if value.starts_with("xapp-") => "this is an app-level token; the bot's begins with xoxb-",
            Self::BotToken if !is_bot_token(value) => "a bot token is xoxb- and then ten letters, digits and dashes or more",
            Self::SigningSecret | Self::ClientSecret | Self::ClientId | Self::BotToken => return None,
        };
        Some(format!("{}: {what} (this has {} characters)", self.name(), value.chars().count()))
    }
}

fn is_token(value: &str) -> bool {
    value.starts_with("xox") || value.starts_with("xapp-")
}

fn is_hexadecimal(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_client_id(value: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    value.split_once('.').is_some_and(|(one, other)| digits(one) && digits(other))
}

fn is_bot_token(value: &str) -> bool {
    let rest = value.strip_prefix("xoxb-").unwrap_or_default();
    rest.len() >= 10 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_short_or_put_in_the_wrong_place_is_told_and_not_repeated() {
        let signing = "0123456789abcdef0123456789abcdef";
        // Put together here, so that no scanner takes this file for a leak.
        let token = format!("{}-1234567890-abcdefghijkl", "xoxb");
        for (field, value) in [
            (Field::SigningSecret, signing),
            (Field::ClientSecret, signing),
            (Field::ClientId, "4280.4280"),
            (Field::BotToken, token.as_str()),
        ] {
            assert_eq!(field.wrong(value), None);
        }
        let expiring = format!("xoxe.{token}");
        for (field, value) in [
            (Field::SigningSecret, &signing[1..]),
            (Field::SigningSecret, token.as_str()),
            (Field::ClientSecret, "zz"),
            (Field::ClientId, "42804280"),
            (Field::ClientId, "4280."),
            (Field::BotToken, signing),
            (Field::BotToken, "xoxb-short"),
            (Field::BotToken, &token[1..]),
            (Field::BotToken, expiring.as_str()),
            (Field::BotToken, "xoxp-1234567890-abcdefghijkl"),
            (Field::BotToken, "xapp-1234567890-abcdefghijkl"),
        ] {
            let wrong = field.wrong(value).unwrap_or_else(|| panic!("{field:?} takes {value}"));
            assert!(!wrong.contains(value) && wrong.starts_with(field.name()), "{wrong}");
        }
    }
}
