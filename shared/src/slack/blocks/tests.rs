//! Nothing that can be made here is more than Slack takes, or calls anybody by accident.

use jiff::Timestamp;
use serde::Serialize;

use super::*;
use crate::domain::ids::{Channel, UserId};
use crate::mrkdwn;
use crate::render::limits;

fn json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

fn broken(blocks: Vec<Block>) -> Vec<String> {
    limits::check(&json(&Message::new(mrkdwn!("text"), blocks, Vec::new())))
}

#[test]
fn every_constructor_cuts_to_its_limit() {
    for text in ["x".repeat(30_000), "👍".repeat(30_000), "&<>".repeat(10_000), " ".repeat(30_000)] {
        let raw = || Mrkdwn::escape(&text);
        let button = |number: usize| Button::open(&format!("link_{number}{text}"), &text, Href::parse("https://example.com").unwrap());
        let press = || Button::press("press", "Press", Some(Style::Danger), &text);
        let one_by_one = [
            Block::header(format!("x {text}")),
            Block::section(Plain::new(&text)),
            Block::section(raw()),
            Block::fields([raw()]),
            Block::context([raw()]),
            Block::actions(vec![press()]),
        ];
        for block in one_by_one {
            assert_eq!(broken(vec![block]), Vec::<String>::new());
        }
        let short = || Mrkdwn::escape(text.chars().take(20).collect::<String>());
        let many = vec![Block::fields((0..30).map(|_| short())), Block::context((0..30).map(|_| short()))];
        assert_eq!(broken(many), Vec::<String>::new());
        if !text.trim().is_empty() {
            assert_eq!(
                limits::check(&json(&Message::new(mrkdwn!("text"), vec![Block::actions(vec![button(1)])], Vec::new()))),
                Vec::<String>::new()
            );
        }
        let choices: Vec<_> = (0..300).map(|_| Choice::new(format!("x{text}"), "value")).collect();
        let blocks = vec![Block::input("block", "Label", Field::select("block", choices.clone(), choices.into_iter().next()), false, None)];
        let view = View::modal("callback", &format!("x{text}"), "Submit", "{}".into(), blocks);
        assert_eq!(limits::check(&json(&view)), Vec::<String>::new());
    }
    let field = Field::text("field", true, u16::MAX, Some("Placeholder"));
    let view = View::modal("callback", "Title", "Submit", "{}".into(), vec![Block::input("field", "Label", field, true, Some("Hint"))]);
    assert_eq!(limits::check(&json(&view)), Vec::<String>::new());
    let buttons = (0..60).map(|number| Button::open(&format!("link_{number}"), "Open", Href::parse("https://example.com").unwrap()));
    assert_eq!(broken(vec![Block::actions(buttons)]), Vec::<String>::new());
}

#[test]
fn a_message_that_is_too_long_ends_with_a_word_about_it() {
    let rest = "The rest is too long for Slack.";
    let long = || Block::section(Plain::new("x".repeat(3_000)));
    let message =
        json(&Message::new(mrkdwn!("text"), vec![long(), long()], vec![Attachment::new("#000000", (0..9).map(|_| long()).collect())]));
    assert_eq!(limits::check(&message), Vec::<String>::new());
    assert_eq!(message["attachments"][0]["blocks"].as_array().unwrap().last().unwrap()["elements"][0]["text"], rest);
    let many = json(&Message::new(mrkdwn!("text"), vec![Block::divider(); 60], Vec::new()));
    assert_eq!(limits::check(&many), Vec::<String>::new());
    assert_eq!((many["blocks"].as_array().unwrap().len(), many.to_string().matches(rest).count()), (50, 1));
    let small = || vec![Attachment::new("#000000", vec![Block::section(Plain::new("small"))])];
    let after = json(&Message::new(mrkdwn!("text"), (0..9).map(|_| long()).collect(), small()));
    assert_eq!(after.to_string().matches("small").count(), 0, "nothing follows what was left out");
    let short = json(&Message::new(mrkdwn!("text"), vec![long()], Vec::new()));
    assert_eq!(short.to_string().matches(rest).count(), 0);
}

#[test]
fn what_is_blank_is_not_sent() {
    let blank = || {
        vec![
            Block::section(mrkdwn!(" ")),
            Block::fields([]),
            Block::context([mrkdwn!("")]),
            Block::actions(Vec::<Button>::new()),
            Block::header("\u{0}"),
        ]
    };
    let message = json(&Message::new(mrkdwn!("text"), blank(), vec![Attachment::new("#000000", blank())]));
    assert_eq!(message, serde_json::json!({ "text": "text", "blocks": [], "attachments": [] }));
}

#[test]
fn a_cut_falls_between_characters_and_is_marked() {
    assert_eq!(cut("checkout", 8), "checkout");
    assert_eq!(cut("checkout", 5), "chec…");
    assert_eq!(cut("check out", 7), "check…");
    assert_eq!(cut("👍👍👍", 6), "👍👍👍");
    assert_eq!(cut("👍👍👍", 5), "👍👍…");
    assert_eq!(cut("👍👍👍", 4), "👍…");
}

#[test]
fn markup_is_not_cut_in_two() {
    let text = mrkdwn!("at {} and {}", Mrkdwn::ago(Timestamp::UNIX_EPOCH), "&");
    assert_eq!(text.clone().cut(200).as_str(), "at <!date^0^{ago}|1970-01-01 00:00 UTC> and &amp;");
    for limit in 5..39 {
        assert_eq!(text.clone().cut(limit).as_str(), "at…", "{limit}");
    }
    for limit in 45..49 {
        assert_eq!(text.clone().cut(limit).as_str(), "at <!date^0^{ago}|1970-01-01 00:00 UTC> and…", "{limit}");
    }
}

#[test]
fn values_are_escaped_and_markup_is_not_escaped_twice() {
    let inner = mrkdwn!("*{}*", "<!channel> & co");
    assert_eq!(inner.as_str(), "*&lt;!channel&gt; &amp; co*");
    assert_eq!(mrkdwn!("{}: {}", 7, inner).as_str(), "7: *&lt;!channel&gt; &amp; co*");
    assert_eq!(mrkdwn!("{} {}", "{}", "x").as_str(), "{} x", "a value's own braces are no holes");
}

#[test]
fn only_ids_become_mentions() {
    let user = |id: &str| Mrkdwn::user(&UserId::new(id)).as_str().to_owned();
    assert_eq!((user("U0JANE").as_str(), user("W0JANE").as_str(), user("Ute").as_str()), ("<@U0JANE>", "<@W0JANE>", "Ute"));
    assert_eq!(user("U1> <!channel"), "U1&gt; &lt;!channel");
    let call = |id: &str| Mrkdwn::call(id).map(|call| call.as_str().to_owned());
    assert_eq!((call("S0ONCALL"), call("U0LENA")), (Some("<!subteam^S0ONCALL>".into()), Some("<@U0LENA>".into())));
    assert_eq!((call("here"), call("channel"), call("C0GENERAL"), call("")), (None, None, None, None));
    let channel = |id: &str| Mrkdwn::channel(&Channel::new(id)).as_str().to_owned();
    assert_eq!(
        (channel("C0GENERAL").as_str(), channel("#incidents").as_str(), channel("U0JANE").as_str()),
        ("<#C0GENERAL>", "#incidents", "<@U0JANE>")
    );
}

#[test]
fn one_line_is_one_line() {
    assert_eq!(one_line("  a\n\tb\u{a0} c\u{0}\r\n", 100), "a b c");
    assert_eq!(one_line("a b c", 4), "a b…");
    assert_eq!(one_line("abcd", 4), "abcd");
    assert_eq!(one_line(" \n ", 4), "");
}
