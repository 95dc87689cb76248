//! The page on which somebody allows the app, or does not.

use std::sync::Arc;

use axum::extract::{Form, Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::{Consent, allow, check_redirect, with_query};
use crate::people::Refused;
use crate::state::{Slack, State};

/// What the app sends the browser with, and what the form sends along again.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    redirect_uri: String,
    /// Chosen in advance, or by the person.
    #[serde(default)]
    team: String,
    #[serde(default)]
    decision: String,
}

/// `GET /oauth/v2/authorize`.
pub(crate) async fn show(Shared(slack): Shared<Arc<Slack>>, Query(request): Query<Request>) -> Response {
    let state = slack.lock();
    match check(&state, &request) {
        Ok(()) => Html(page(&state, &request)).into_response(),
        Err(refused) => trouble(&refused),
    }
}

/// `POST /oauth/v2/authorize`: the form of that page.
pub(crate) async fn decide(Shared(slack): Shared<Arc<Slack>>, Form(request): Form<Request>) -> Response {
    let mut state = slack.lock();
    if let Err(refused) = check(&state, &request) {
        return trouble(&refused);
    }
    if request.decision != "allow" {
        let location = with_query(&request.redirect_uri, &[("error", "access_denied"), ("state", &request.state)]);
        return redirect(location);
    }
    let consent = Consent {
        installation: &request.team,
        user: None,
        scope: &request.scope,
        redirect_uri: &request.redirect_uri,
        state: &request.state,
    };
    match allow(&mut state, &consent) {
        Ok((_, location)) => redirect(location),
        Err(refused) => trouble(&refused),
    }
}

fn redirect(location: String) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

fn check(state: &State, request: &Request) -> Result<(), Refused> {
    if request.client_id != state.oauth.client_id {
        return Err(Refused::bad("invalid_client_id: there is no app with this client id"));
    }
    if request.scope.is_empty() {
        return Err(Refused::bad("invalid_scope: no scopes are asked for"));
    }
    check_redirect(&request.redirect_uri)
}

/// The mark-up of a page in the simulator's colours.
fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Slack simulator</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
}

const STYLE: &str = "\
    :root{color:#1d1c1d;font:15px/1.46 Lato,'Segoe UI','Helvetica Neue',Arial,'Noto Sans','DejaVu Sans',sans-serif}\
    *{box-sizing:border-box}\
    body{margin:0;min-height:100vh;background:#f8f8f8;border-top:6px solid #3f0e40}\
    main{max-width:520px;margin:40px auto;padding:28px 32px;background:#fff;border:1px solid #ddd;border-radius:12px}\
    h1{margin:0 0 4px;font-size:22px;line-height:1.3}\
    h2{margin:22px 0 8px;font-size:15px}\
    p{margin:0;color:#616061}\
    fieldset{margin:22px 0 0;padding:0;border:0}\
    legend{margin:0 0 8px;padding:0;font-weight:700}\
    label{display:flex;gap:10px;align-items:center;min-height:44px;padding:8px 12px;border:1px solid #ddd;cursor:pointer}\
    label+label{border-top:0}\
    label:first-of-type{border-radius:8px 8px 0 0}\
    label:last-of-type{border-radius:0 0 8px 8px}\
    label:only-of-type{border-radius:8px}\
    label:hover{background:#f8f8f8}\
    label:has(:checked){background:#1264a314}\
    label small{margin-left:auto;color:#616061;text-align:right}\
    input{width:18px;height:18px;margin:0;accent-color:#1264a3}\
    ul{display:flex;flex-wrap:wrap;gap:6px;margin:0;padding:0;list-style:none}\
    li{padding:2px 8px;border-radius:4px;background:#1d1c1d0f;font:13px/1.5 Menlo,Consolas,'DejaVu Sans Mono',monospace}\
    footer{display:flex;gap:12px;justify-content:flex-end;margin-top:28px}\
    button{min-height:44px;padding:0 20px;border:1px solid #bbb;border-radius:8px;background:#fff;color:inherit;font:inherit;font-weight:700;cursor:pointer}\
    button:hover{background:#f8f8f8}\
    button.allow{border-color:#007a5a;background:#007a5a;color:#fff}\
    button.allow:hover{background:#006a4e}\
    :focus-visible{outline:2px solid #1264a3;outline-offset:1px}\
    @media(max-width:600px){main{margin:0;padding:24px 16px;border-width:0 0 1px;border-radius:0}footer button{flex:1}}";

fn page(state: &State, request: &Request) -> String {
    let teams = state.world.teams.iter().map(|team| {
        let of = state.world.enterprise_of(&team.id).map_or_else(|| team.domain.clone(), |enterprise| format!("of {}", enterprise.name));
        (team.id.as_str(), team.name.as_str(), of)
    });
    let organisations = state
        .world
        .enterprises
        .iter()
        .map(|enterprise| (enterprise.id.as_str(), enterprise.name.as_str(), "all of its workspaces".to_owned()));
    let places: Vec<(&str, &str, String)> = teams.chain(organisations).collect();
    let chosen = places.iter().position(|(id, ..)| *id == request.team).unwrap_or(0);
    let choices: Vec<String> = places
        .iter()
        .enumerate()
        .map(|(index, (id, name, note))| {
            let checked = if index == chosen { " checked" } else { "" };
            let (id, name, note) = (escape(id), escape(name), escape(note));
            format!(
                "<label data-testid=\"workspace-{id}\"><input type=\"radio\" name=\"team\" value=\"{id}\"{checked}><span>{name}</span>\
                 <small>{note}</small></label>"
            )
        })
        .collect();
    let scopes: Vec<String> =
        request.scope.split([',', ' ']).filter(|scope| !scope.is_empty()).map(|scope| format!("<li>{}</li>", escape(scope))).collect();
    let kept: Vec<String> =
        [("client_id", &request.client_id), ("scope", &request.scope), ("state", &request.state), ("redirect_uri", &request.redirect_uri)]
            .iter()
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value)))
            .collect();
    let (choices, scopes, kept) = (choices.concat(), scopes.concat(), kept.concat());
    let body = format!(
        "<h1>Tocsin asks for access</h1><p>A workspace of the simulator: nothing here is real.</p>\
         <form method=\"post\" action=\"/oauth/v2/authorize\">{kept}<fieldset><legend>Where do you want to use it?</legend>{choices}</fieldset>\
         <h2>What it will be able to do</h2><ul>{scopes}</ul>\
         <footer><button name=\"decision\" value=\"cancel\" data-testid=\"cancel\">Cancel</button>\
         <button class=\"allow\" name=\"decision\" value=\"allow\" data-testid=\"allow\">Allow</button></footer></form>"
    );
    frame("Allow Tocsin", &body)
}

/// Slack says on a page of its own what is wrong: there is nowhere to go back to.
fn trouble(refused: &Refused) -> Response {
    let body = format!("<h1>Something went wrong when authorizing this app</h1><p data-testid=\"trouble\">{}</p>", escape(&refused.1));
    (refused.0, Html(frame("Something went wrong", &body))).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
