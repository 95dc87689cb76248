//! Amazon Q Developer in chat applications, once AWS Chatbot: the custom notifications that programs send to its topics. Whoever sends those sends them here as
//! they are. <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>
//!
//! - What has the same `threadId` is about the same thing, and is known by it; without one each is an incident of its own.
//! - There is no scale, so nobody grades it, unless the context that its sender adds has a `severity` or `priority`. A `status` or `state` there that says
//!   `resolved`, `ok`, `recovered` or `closed` ends the thread.
//! - Its texts are written in the markdown of the chat. They are read as plain text, and their links become buttons.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::domain::sources::RUNBOOK;
use crate::intake::event::Event;
use crate::intake::fields::{is_link, object, plain, plain_in, text, texts};
use crate::intake::limits;
use crate::intake::news::News;

/// Names in the sender's context that are told elsewhere.
const TOLD: [&str; 5] = ["severity", "priority", "status", "state", "service"];

/// How much of the sender's context is shown.
const CONTEXT_SHOWN: usize = 5;

/// How many of a text's links become buttons, the first of them that is no runbook its page.
const LINKS_SHOWN: usize = 4;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let body = event.object()?;
    let said = object(body, "content")?;
    let metadata = object(body, "metadata");
    let meta = |name: &str| text(metadata?, name);
    let context = metadata.and_then(|metadata| object(metadata, "additionalContext"));
    let from_context = |name: &str| plain_in(context?, name);
    let key = meta("threadId").map(|thread| format!("amazonq:{thread}"));
    let description = text(said, "description").map(read_markdown);
    let why = description.as_ref().map(|read| read.text.clone()).or_else(|| meta("summary").map(str::to_owned));
    if key.is_some() && from_context("status").or_else(|| from_context("state")).is_some_and(|state| is_end(&state)) {
        return News::over(why.or_else(|| text(said, "title").map(|title| read_markdown(title).text))).known_by(key).only();
    }
    let title = text(said, "title").map(|title| read_markdown(title).text).or_else(|| meta("summary").map(str::to_owned));
    let title = title.filter(|title| !title.is_empty()).or_else(|| Some(why.as_deref()?.lines().next()?.to_owned()))?;
    let steps: Vec<String> = texts(said, "nextSteps").map(|step| read_markdown(step).text).collect();
    let keywords: Vec<&str> = texts(said, "keywords").collect();
    let why = why.filter(|why| *why != title);
    let news = News::wrong(title)
        .known_by(key)
        .severity(from_context("severity").or_else(|| from_context("priority")).and_then(|severity| Severity::parse(&severity)))
        .service(from_context("service"))
        .why(why)
        .hint((!steps.is_empty()).then(|| steps.join("\n")))
        .affects(metadata.into_iter().flat_map(|metadata| texts(metadata, "relatedResources")))
        .detail("Event", meta("eventType"))
        .detail("Keywords", (!keywords.is_empty()).then(|| keywords.join(", ")));
    with_links(with_context(news, context), description.map(|read| read.links).unwrap_or_default()).only()
}

fn is_end(state: &str) -> bool {
    matches!(state.trim().to_ascii_lowercase().as_str(), "resolved" | "ok" | "recovered" | "closed")
}

fn with_context(news: News, context: Option<&Map<String, Value>>) -> News {
    let told = |name: &str| TOLD.contains(&name.to_ascii_lowercase().as_str());
    let others = context.into_iter().flatten().filter(|(name, _)| !told(name)).take(CONTEXT_SHOWN);
    others.fold(news, |news, (name, value)| news.detail(name, plain(value)))
}

fn with_links(news: News, links: Vec<(String, String)>) -> News {
    let is_runbook = |(label, _): &(String, String)| label.to_ascii_lowercase().contains("runbook");
    let (runbooks, pages): (Vec<_>, Vec<_>) = links.into_iter().take(LINKS_SHOWN).partition(is_runbook);
    let mut pages = pages.into_iter();
    let news = news.page(pages.next().map(|(_, url)| url)).link(RUNBOOK, runbooks.into_iter().next().map(|(_, url)| url));
    pages.fold(news, |news, (label, url)| news.link(&label, Some(url)))
}

/// A text without its markup.
#[derive(Debug, PartialEq, Eq)]
struct Markdown {
    text: String,
    /// What links are called, and where they lead.
    links: Vec<(String, String)>,
}

/// Reads `*bold*`, `` `code` ``, `:warning:`, `<https://wiki.example.com|the wiki>` and `&amp;`.
fn read_markdown(said: &str) -> Markdown {
    let said = limits::cut(said, limits::PROSE);
    let mut out = String::with_capacity(said.len());
    let mut links = Vec::new();
    let mut rest = said.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inner, after)) = after.split_once('>').filter(|(inner, _)| is_link(inner.split('|').next().unwrap_or_default())) else {
            out.push('<');
            rest = after;
            continue;
        };
        let (url, label) = inner.split_once('|').unwrap_or((inner, inner));
        out.push_str(label);
        links.push((if label == url { "Link".to_owned() } else { label.to_owned() }, url.to_owned()));
        rest = after;
    }
    out.push_str(rest);
    let text = out.lines().map(plain_line).collect::<Vec<_>>().join("\n");
    Markdown { text: text.trim().to_owned(), links }
}

fn plain_line(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').filter(|word| !is_emoji(word)).collect();
    let words = words.iter().map(|word| if *word == "*" { (*word).to_owned() } else { word.replace(['*', '`'], "") });
    let line = words.collect::<Vec<_>>().join(" ");
    line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
}

/// `:rotating_light:`, and not `10:30:45`.
fn is_emoji(word: &str) -> bool {
    let name = word.strip_prefix(':').and_then(|word| word.strip_suffix(':'));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_left_out_and_links_are_kept() {
        let read = read_markdown(
            ":warning: *Refresh* of `web` failed, see <https://wiki.example.com/web|the page> &amp; <i-1> at 10:30:45\n* 2 * 3",
        );
        assert_eq!(read.text, "Refresh of web failed, see the page & <i-1> at 10:30:45\n* 2 * 3");
        assert_eq!(read.links, [("the page".to_owned(), "https://wiki.example.com/web".to_owned())]);
    }
}
