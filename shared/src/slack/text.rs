//! Text as Slack sends it: `&`, `<` and `>` escaped, and mentions and links in angle brackets where the app has "escape channels, users and links" on.
//!
//! <https://docs.slack.dev/messaging/formatting-message-text>

/// What a person would read: `<@U1|jane>` becomes `@jane`, `<#C1|ops>` becomes `#ops`, `<https://x|label>` becomes `label (https://x)`.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((token, after)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        out.push_str(&token_text(token));
        rest = after;
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn token_text(token: &str) -> String {
    let (target, label) = token.split_once('|').map_or((token, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.is_empty());
    match target.split_at_checked(1) {
        Some((sigil @ ("@" | "#"), id)) => format!("{sigil}{}", label.unwrap_or(id).trim_start_matches(sigil)),
        Some(("!", special)) => {
            // `!here`, `!subteam^S1`, `!date^…^…`: the label is what a person reads.
            let name = special.split('^').next().unwrap_or(special);
            label.map_or_else(|| format!("@{name}"), str::to_owned)
        }
        _ => match label {
            Some(label) if label != target && !target.ends_with(label) => format!("{label} ({target})"),
            _ => target.to_owned(),
        },
    }
}

/// The id in a mention of a user: `U1` of `<@U1|jane>` and of `<@U1>`.
pub fn mentioned_user(token: &str) -> Option<&str> {
    let inner = token.strip_prefix("<@")?.strip_suffix('>')?;
    Some(inner.split('|').next().unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_names_not_ids() {
        assert_eq!(
            plain("<@U1|jane> says <#C1|ops> is down, see <https://x.io/a|the graph>"),
            "@jane says #ops is down, see the graph (https://x.io/a)"
        );
        assert_eq!(plain("<!here> <!subteam^S1|@oncall> <@U2> <https://x.io>"), "@here @oncall @U2 https://x.io");
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(plain("p99 &gt; 2 s &amp;&amp; a &lt; b, &amp;lt;"), "p99 > 2 s && a < b, &lt;");
    }

    #[test]
    fn a_bracket_that_never_closes_stays() {
        assert_eq!(plain("a < b <@U1"), "a < b <@U1");
    }

    #[test]
    fn a_mention_names_its_user() {
        assert_eq!(mentioned_user("<@U1|jane>"), Some("U1"));
        assert_eq!(mentioned_user("<@U1>"), Some("U1"));
        assert_eq!(mentioned_user("jane"), None);
    }
}
