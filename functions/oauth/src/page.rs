//! The pages that people see: a heading, a sentence, and where to start again.

use lambda_http::Body;
use lambda_http::http::{HeaderValue, Response, StatusCode, header};
use shared::slack::reply::Reply;

/// Whether starting again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Yes,
    No,
}

/// A page. Nothing in it is loaded from anywhere, nothing keeps it, and nobody learns the address that it was seen at.
pub(crate) fn page(status: StatusCode, title: &str, text: &str, again: Again) -> Reply {
    let (title, text) = (escaped(title), escaped(text));
    let link = if again == Again::Yes { "<p><a href=\"install\">Start again</a></p>" } else { "" };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Tocsin</title></head>\n<body><h1>{title}</h1><p>{text}</p>{link}</body></html>\n"
    );
    let mut reply = Response::new(Body::Text(html));
    *reply.status_mut() = status;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

/// Gives the browser a cookie.
pub(crate) fn set_cookie(reply: &mut Reply, cookie: &str) {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        reply.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace is called as its people please.
    #[test]
    fn nothing_that_is_shown_is_markup() {
        let reply = page(StatusCode::OK, "Installed", "in <script>alert('1 & \"2\"')</script>", Again::No);
        let Body::Text(html) = reply.body() else { panic!("a page is text") };
        assert!(html.contains("in &lt;script&gt;alert(&#39;1 &amp; &quot;2&quot;&#39;)&lt;/script&gt;"), "{html}");
        assert_eq!(reply.headers().get(header::CACHE_CONTROL).map(HeaderValue::as_bytes), Some(b"no-store".as_slice()));
    }
}
