//! Installing Tocsin by a link. `GET /install` sends the browser to Slack, `GET /callback` takes what Slack sends it back with.
//!
//! A link that somebody follows has a *state*: 256 random bits that travel through Slack, bound by a cookie to the browser that began, good once and for ten minutes. Without
//! it, anybody could make somebody else's browser finish an installation that they had begun. The table keeps digests of both; the state is taken away before the code is
//! exchanged, so whoever is interrupted after that starts again at `/install`.
//!
//! The cookie is a `__Host-` cookie: only over HTTPS, only for this host. Browsers take it over plain HTTP too where the host is this machine (`localhost`, `127.0.0.1`), so
//! there is no second kind for local use.

mod page;

use std::time::Duration;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use page::{Again, page};
use shared::aws::{self, Patience};
use shared::config;
use shared::domain::ids::Workspace;
use shared::http::StartError;
use shared::installation::Installations;
use shared::secrets::Secret;
use shared::secrets::app::{Access, AppSecret};
use shared::slack::client::{Client, SlackError};
use shared::slack::features::SCOPES;
use shared::slack::oauth::{Grant, random};
use shared::slack::reply::Reply;
use shared::store::Store;
use shared::store::states::{LIFE, State};
use url::Url;

/// How long Slack may take to exchange a code: a person waits.
const SLACK_TIMEOUT: Duration = Duration::from_secs(5);

/// What binds a state to the browser that began.
const COOKIE: &str = "__Host-tocsin-install";

/// How often, and how far apart, the installation's lock is tried: a refresh holds it for a second at most.
const LOCK_TRIES: u32 = 12;
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// What the function holds while it is warm.
#[derive(Debug)]
pub struct App {
    installations: Installations,
    store: Store,
    slack: Client,
    authorize: Url,
    base: Option<Url>,
}

/// What Slack sent the browser back with.
#[derive(Default)]
struct Returned {
    code: Option<Secret>,
    state: Option<Secret>,
    error: Option<String>,
}

impl App {
    /// Reads the environment and gets ready.
    pub fn start() -> Result<Self, StartError> {
        let aws = aws::sdk_config(Patience::BACKGROUND)?;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config::required("TABLE_NAME")?);
        Ok(Self {
            installations: Installations::start(&aws, store.clone())?,
            store,
            slack: Client::new(config::base_url("SLACK_API_URL")?, SLACK_TIMEOUT)?,
            authorize: config::url("SLACK_AUTHORIZE_URL")?,
            base: config::optional("INSTALL_BASE_URL").map(|_| config::base_url("INSTALL_BASE_URL")).transpose()?,
        })
    }

    /// One request.
    pub async fn handle(&self, request: Request) -> Reply {
        let path = request.uri().path().trim_end_matches('/').to_owned();
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "Not like this", "This address is for browsers that follow a link.", Again::No);
        }
        match path.as_str() {
            "/install" => self.install(&request, Timestamp::now()).await,
            "/callback" => {
                let mut reply = self.callback(&request, Timestamp::now()).await;
                // Whatever came of it, this state is over for this browser.
                page::set_cookie(&mut reply, &format!("{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"));
                reply
            }
            _ => page(StatusCode::NOT_FOUND, "Nothing here", "Tocsin is installed at /install.", Again::No),
        }
    }

    /// Sends the browser to Slack.
    async fn install(&self, request: &Request, now: Timestamp) -> Reply {
        let app = match self.app_secret().await {
            Ok(app) => app,
            Err(reply) => return reply,
        };
        let Access::ByLink { client_id, .. } = app.access() else { return not_by_link() };
        let (Some(redirect_uri), Some(state), Some(browser)) = (self.redirect_uri(request), random(), random()) else {
            tracing::error!(outcome = "failed", "there is no address to come back to, or no randomness");
            return failed();
        };
        if let Err(error) = self.store.expect_install(&state.digest("state"), browser.digest("browser"), now).await {
            tracing::error!(%error, outcome = "failed", "an installation could not begin");
            return failed();
        }
        let mut authorize = self.authorize.clone();
        authorize
            .query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("scope", &SCOPES.join(","))
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("state", state.expose());
        // Only which workspace Slack offers first.
        let team = parameters(request).find(|(name, _)| name == "team").map(|(_, team)| team);
        if let Some(team) = team.filter(|team| !team.is_empty() && team.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            authorize.query_pairs_mut().append_pair("team", &team);
        }
        let mut reply = page(StatusCode::FOUND, "On to Slack", "Your browser should go on to Slack by itself.", Again::No);
        let Ok(location) = header::HeaderValue::from_str(authorize.as_str()) else { return failed() };
        reply.headers_mut().insert(header::LOCATION, location);
        let life = LIFE.as_secs();
        page::set_cookie(&mut reply, &format!("{COOKIE}={}; Max-Age={life}; Path=/; Secure; HttpOnly; SameSite=Lax", browser.expose()));
        tracing::info!(outcome = "sent_to_slack", "an installation begins");
        reply
    }

    /// Takes what Slack sent the browser back with. Nothing is asked of Slack, and nothing changed, before the state is known to be this browser's.
    async fn callback(&self, request: &Request, now: Timestamp) -> Reply {
        let returned = returned(request);
        let (Some(state), Some(browser)) = (&returned.state, cookie(request)) else {
            return refused(
                "the state or the cookie is missing",
                "It has to be finished in the browser in which it was begun, with cookies allowed.",
            );
        };
        let (state, browser) = (state.digest("state"), browser.digest("browser"));
        let expected = match self.store.expected_install(&state).await {
            Ok(expected) => expected,
            Err(error) => {
                tracing::error!(%error, outcome = "failed", "an installation could not go on");
                return failed();
            }
        };
        if let Err(reply) = check(expected.as_ref(), &browser, now) {
            return *reply;
        }
        match self.store.take_install(&state, &browser).await {
            Ok(true) => {}
            Ok(false) => return refused("the state is used up", "This link has been used already."),
            Err(error) => {
                tracing::error!(%error, outcome = "failed", "an installation could not go on");
                return failed();
            }
        }
        if let Some(error) = returned.error {
            let error: String = error.chars().take(40).collect();
            tracing::info!(error, outcome = "declined", "an installation was not wanted");
            return page(
                StatusCode::FORBIDDEN,
                "Not installed",
                "Slack says that the installation was not allowed. Nothing was changed. If your workspace asks an admin first, start again once they have agreed.",
                Again::Yes,
            );
        }
        let Some(code) = returned.code else { return refused("the code is missing", "Slack sent no code along.") };
        self.finish(request, &code).await
    }

    /// Exchanges the code and keeps what Slack grants.
    async fn finish(&self, request: &Request, code: &Secret) -> Reply {
        let app = match self.app_secret().await {
            Ok(app) => app,
            Err(reply) => return reply,
        };
        let Access::ByLink { client_id, client_secret } = app.access() else { return not_by_link() };
        let Some(redirect_uri) = self.redirect_uri(request) else { return failed() };
        let arguments = [
            ("client_id", client_id),
            ("client_secret", client_secret.expose()),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        let answer = match self.slack.access(&arguments).await {
            Ok(answer) => answer,
            Err(error @ SlackError::Never { .. }) => {
                tracing::error!(%error, outcome = "refused", "Slack did not exchange the code; with bad_client_secret or bad_redirect_uri, the app is set up otherwise than the stack");
                return page(StatusCode::BAD_REQUEST, "Not installed", "Slack did not accept it.", Again::Yes);
            }
            Err(error) => {
                tracing::warn!(%error, outcome = "failed", "Slack did not exchange the code");
                return page(StatusCode::SERVICE_UNAVAILABLE, "Not installed", "Slack does not answer at the moment.", Again::Yes);
            }
        };
        let now = Timestamp::now();
        let Some(grant) = Grant::read(&answer, now) else {
            tracing::error!(outcome = "failed", "Slack granted no bot token or named no workspace");
            return failed();
        };
        let (workspace, name) = (grant.workspace.clone(), grant.name.clone());
        match self.keep(grant, now).await {
            Ok(()) => {
                tracing::info!(workspace = workspace.as_str(), outcome = "installed", "Tocsin was installed");
                let name = name.unwrap_or_else(|| workspace.to_string());
                let text = format!("Tocsin is installed in {name}. Invite it into a channel: /invite @Tocsin. You can close this page.");
                page(StatusCode::OK, "Installed", &text, Again::No)
            }
            Err(error) => {
                tracing::error!(workspace = workspace.as_str(), %error, outcome = "failed", "an installation could not be kept; it has to be begun again");
                failed()
            }
        }
    }

    async fn keep(&self, grant: Grant, now: Timestamp) -> Result<(), SlackError> {
        let workspace = grant.workspace.clone();
        let owner = grant.secret.bot_token.digest("install");
        self.locked(&workspace, &owner).await?;
        let kept = self.installations.install(grant, now).await;
        self.installations.unlock(&workspace, &owner).await;
        kept
    }

    async fn locked(&self, workspace: &Workspace, owner: &str) -> Result<(), SlackError> {
        for _ in 0..LOCK_TRIES {
            if self.installations.lock(workspace, owner).await? {
                return Ok(());
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Err(SlackError::Later("somebody else is writing the installation's secret".to_owned()))
    }

    async fn app_secret(&self) -> Result<std::sync::Arc<AppSecret>, Reply> {
        self.installations.tokens().app.fresh().await.map_err(|error| {
            tracing::error!(%error, outcome = "failed", "the app's secret cannot be read");
            failed()
        })
    }

    /// Where Slack sends the browser back to: the parameter, else this function's own address as Lambda knows it. What the caller says in a header is no part of it, or they
    /// could have a code sent to a host of theirs.
    fn redirect_uri(&self, request: &Request) -> Option<String> {
        if let Some(base) = &self.base {
            return Some(base.join("callback").ok()?.into());
        }
        match request.request_context_ref()? {
            RequestContext::ApiGatewayV2(context) => context.domain_name.as_ref().map(|domain| format!("https://{domain}/callback")),
            _ => None,
        }
    }
}

/// Whether the state is still there, in time, and this browser's.
fn check(expected: Option<&State>, browser: &str, now: Timestamp) -> Result<(), Box<Reply>> {
    let Some(expected) = expected else {
        return Err(Box::new(refused("the state is unknown or used up", "This link has been used already, or was never given out.")));
    };
    if expected.expires_at <= now.as_second() {
        return Err(Box::new(refused("the state has expired", "It took longer than ten minutes.")));
    }
    if !same(&expected.browser, browser) {
        return Err(Box::new(refused("another browser", "It has to be finished in the browser in which it was begun.")));
    }
    Ok(())
}

/// Compares two digests in constant time.
fn same(one: &str, other: &str) -> bool {
    let differences = one.bytes().zip(other.bytes()).fold(0, |differences, (one, other)| differences | (one ^ other));
    one.len() == other.len() && std::hint::black_box(differences) == 0
}

fn parameters(request: &Request) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned()
}

fn returned(request: &Request) -> Returned {
    let mut returned = Returned::default();
    for (name, value) in parameters(request).filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "code" => returned.code = Some(Secret::new(value)),
            "state" => returned.state = Some(Secret::new(value)),
            "error" => returned.error = Some(value),
            _ => {}
        }
    }
    returned
}

/// What this browser was given to keep.
fn cookie(request: &Request) -> Option<Secret> {
    let all = request.headers().get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut ours = all.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == COOKIE);
    ours.next().map(|(_, value)| Secret::new(value)).filter(|value| !value.is_blank())
}

fn refused(why: &str, text: &str) -> Reply {
    tracing::info!(why, outcome = "refused", "an installation was refused");
    page(StatusCode::FORBIDDEN, "Not installed", text, Again::Yes)
}

fn failed() -> Reply {
    let text = "Something on our side did not work. Nothing is lost by trying again.";
    page(StatusCode::SERVICE_UNAVAILABLE, "Not installed", text, Again::Yes)
}

fn not_by_link() -> Reply {
    tracing::warn!(outcome = "refused", "an install link was followed, and the Slack secret holds no client_id and client_secret");
    let text = "This Tocsin cannot be installed by a link: whoever looks after it has to put the app's client_id and client_secret into its Slack secret first.";
    page(StatusCode::NOT_FOUND, "Not by link", text, Again::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_same_or_not() {
        assert!(same("abc", "abc"));
        for other in ["abd", "ab", "abcd", ""] {
            assert!(!same("abc", other), "{other}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let request = |line: &str| {
            let request = lambda_http::http::Request::builder().header("cookie", line).body(lambda_http::Body::Empty);
            request.unwrap_or_else(|error| panic!("{error}"))
        };
        let found = |line| cookie(&request(line)).map(|cookie| cookie.expose().to_owned());
        assert_eq!(found("a=b; __Host-tocsin-install=xyz; c=d").as_deref(), Some("xyz"));
        assert_eq!(found("__Host-tocsin-install="), None);
        assert_eq!(found("tocsin-install=xyz"), None);
    }
}
