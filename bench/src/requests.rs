//! What Slack sends to the receivers, signed, and what others send to `api`, with keys that do not count, in the envelope in which a function URL hands it over (payload format 2.0).

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What all requests here are signed with, and what the endpoint in place of Secrets Manager hands out.
pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// One kind of request, and what it does when it is answered.
pub(crate) struct Case {
    /// Whose it is.
    pub(crate) function: &'static str,
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Whether answering it puts a job on the queue; else it makes no call at all.
    pub(crate) queues: bool,
    /// What is answered.
    pub(crate) status: u64,
    form: bool,
    signed: bool,
    path: &'static str,
    key: Option<(&'static str, String)>,
    body: String,
}

/// A key that is kept as revoked, and one that is not kept at all.
const REVOKED: &str = "tocsin_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
const WRONG: &str = "tocsin_QPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba";

/// The keys of `api`, as its secret holds them: the revoked one among some that count.
pub(crate) fn api_keys() -> Value {
    let kept = |key: &str| crate::hex(&Sha256::digest(key));
    let mut keys = json!({ "old": { "sha256": kept(REVOKED), "revoked": "2026-01-01" } });
    for name in ["ci", "grafana", "prometheus"] {
        keys[name] = json!({ "sha256": kept(name), "workspace": "T0TOCSIN" });
    }
    keys
}

/// Every kind of request that is measured. The bodies are what Slack sends for what Tocsin shows: a click carries its whole card.
pub(crate) fn cases() -> Result<Vec<Case>> {
    let case =
        |function, name, queues, form, body| Case { function, name, queues, status: 200, form, signed: true, path: "/", key: None, body };
    // All three are equally long, because an envelope costs by its length: a key that is missing stands where nobody looks for it.
    let refused = |name, header, key: &str| {
        let body = json!({ "title": "Checkout p99 above 2 s", "severity": "P2", "service": "checkout" }).to_string();
        let key = Some((header, format!("Bearer {key}")));
        Case { status: 401, signed: false, path: "/v1/incidents", key, ..case("api", name, false, false, body) }
    };
    let click = |text: &str| -> Result<String> {
        Ok(form_urlencoded::Serializer::new(String::new()).append_pair("payload", &compact(text)?).finish())
    };
    Ok(vec![
        case("commands", "help", false, true, command("help")),
        Case { signed: false, ..case("commands", "ssl_check", false, true, "token=gIkuvaNzQIHg97ATvDxqgjtO&ssl_check=1".to_owned()) },
        case("commands", "ack", true, true, command("ack INC-7K3QPF")),
        case("interactions", "link button", false, true, click(include_str!("../requests/click-link.json"))?),
        case("interactions", "Acknowledge button", true, true, click(include_str!("../requests/click-acknowledge.json"))?),
        case("events", "challenge", false, false, compact(include_str!("../requests/challenge.json"))?),
        case("events", "ignored reaction", false, false, compact(include_str!("../requests/reaction.json"))?),
        case("events", "mention", true, false, compact(include_str!("../requests/mention.json"))?),
        refused("missing key", "accreditation", WRONG),
        refused("wrong key", "authorization", WRONG),
        refused("revoked key", "authorization", REVOKED),
    ])
}

fn compact(text: &str) -> Result<String> {
    let value: Value = serde_json::from_str(text).context("a file of bench/requests is no JSON")?;
    Ok(value.to_string())
}

fn command(text: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("token", "gIkuvaNzQIHg97ATvDxqgjtO")
        .append_pair("team_id", "T0TOCSIN")
        .append_pair("team_domain", "tocsin")
        .append_pair("channel_id", "C0INCIDENTS")
        .append_pair("channel_name", "incidents")
        .append_pair("user_id", "U0JANE")
        .append_pair("user_name", "jane")
        .append_pair("command", "/incident")
        .append_pair("text", text)
        .append_pair("api_app_id", "A0TOCSIN")
        .append_pair("is_enterprise_install", "false")
        .append_pair("response_url", "https://hooks.slack.com/commands/T0TOCSIN/397700885554/96rGlfmibIGlgcZRskXaIFfN")
        .append_pair("trigger_id", "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")
        .finish()
}

impl Case {
    /// The invocation's event, signed now.
    pub(crate) fn event(&self) -> Result<String> {
        let now = Timestamp::now().as_second();
        // A function URL hands text over as it is and everything else, forms too, in base64.
        let (content_type, body) = if self.form {
            ("application/x-www-form-urlencoded", STANDARD.encode(&self.body))
        } else {
            ("application/json", self.body.clone())
        };
        let host = "k2hvq6g5cbzjrl7nq4wuyx3dle0tsoaf.lambda-url.eu-west-1.on.aws";
        let mut headers = json!({
            "accept": "*/*",
            "accept-encoding": "gzip,deflate",
            "content-length": self.body.len().to_string(),
            "content-type": content_type,
            "host": host,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
            "x-amzn-tls-version": "TLSv1.3",
            "x-amzn-trace-id": "Root=1-6967a3f0-5c1d2f3e4a5b6c7d8e9f0a1b",
            "x-forwarded-for": "192.0.2.10",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        });
        if self.signed {
            headers["x-slack-request-timestamp"] = now.to_string().into();
            headers["x-slack-signature"] = signature(now, &self.body)?.into();
        }
        if let Some((name, value)) = &self.key {
            headers[*name] = value.as_str().into();
        }
        Ok(json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "k2hvq6g5cbzjrl7nq4wuyx3dle0tsoaf",
                "domainName": host,
                "domainPrefix": "k2hvq6g5cbzjrl7nq4wuyx3dle0tsoaf",
                "http": {
                    "method": "POST",
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.10",
                    "userAgent": "Slackbot 1.0 (+https://api.slack.com/robots)"
                },
                "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
                "routeKey": "$default",
                "stage": "$default",
                "time": "15/Jan/2026:03:02:00 +0000",
                "timeEpoch": 1_768_446_120_000_u64
            },
            "body": body,
            "isBase64Encoded": self.form
        })
        .to_string())
    }
}

fn signature(now: i64, body: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).context("a key of any length serves")?;
    mac.update(format!("v0:{now}:{body}").as_bytes());
    Ok(format!("v0={}", crate::hex(&mac.finalize().into_bytes())))
}
