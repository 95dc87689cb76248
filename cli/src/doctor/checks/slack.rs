//! What Slack says: whose the tokens are, what they were granted, and whether the bot is where incidents go; for each workspace that this deployment serves.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{join, join_all};
use shared::domain::configuration::{self, Configuration};
use shared::domain::escalation::Callee;
use shared::domain::ids::{Channel, Workspace};
use shared::secrets::app::{Access, AppSecret};
use shared::secrets::vault::Vault;
use shared::secrets::{Secret, SecretError};
use shared::slack::client::{Client, Identity, SlackError};
use shared::slack::connection::{self, missing};
use shared::slack::features::Usual;
use shared::store::installations::Installation;

use super::super::finding::{Check, Finding, Fix};
use super::clock::{SLACK, Time};
use super::secret::{INCOMPLETE, Seen};
use super::table::{self, Table};
use super::{AS_MADE, changing, manifest, of, unreadable, urls};
use crate::chosen::Chosen;
use crate::deployment::Deployment;

/// How long Slack may take to say what time it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many mistakes of a configuration are told.
const MISTAKES: usize = 3;

/// What Slack said.
#[derive(Debug, Default)]
pub(in super::super) struct Said {
    pub(in super::super) findings: Vec<Finding>,
    pub(in super::super) time: Option<Time>,
}

/// What all of it is asked with.
struct Visit<'a> {
    deployment: &'a Deployment,
    chosen: &'a Chosen,
    client: Client,
    secret: &'a Seen,
    app: Option<&'a AppSecret>,
    installations: &'a [Installation],
}

/// With what places are looked at.
type Bot<'a> = Option<(&'a Identity, &'a Secret)>;

pub(in super::super) async fn look(deployment: &Deployment, chosen: &Chosen, secret: &Seen, table: &Table) -> Said {
    let client = match deployment.slack() {
        Ok(client) => client,
        Err(error) => return Said { findings: vec![Finding::skipped(Check::Token, &format!("{error:#}"))], time: None },
    };
    let installations = table.installations.as_deref().unwrap_or_default();
    let visit = Visit { deployment, chosen, client, secret, app: secret.app.as_deref(), installations };
    let (findings, time) = join(visit.workspaces(), time(deployment)).await;
    Said { findings, time }
}

/// What time it is at Slack, which says so beside whatever it answers.
async fn time(deployment: &Deployment) -> Option<Time> {
    let api = deployment.parameter("SlackApiUrl").unwrap_or("https://slack.com/api/");
    let http = shared::http::client(PATIENCE).ok()?;
    let answer = urls::answer(http.post(format!("{api}api.test"))).await.ok()?;
    Some(Time { whose: SLACK, ahead: answer.ahead? })
}

impl Visit<'_> {
    async fn workspaces(&self) -> Vec<Finding> {
        match self.app.map(AppSecret::access) {
            Some(Access::Pasted(token)) => self.pasted(token).await,
            Some(Access::ByLink { .. }) => self.by_link().await,
            Some(Access::None) if self.secret.is_webhooks_alone => self.webhooks_alone().await,
            Some(Access::None) | None => {
                let mut findings = vec![Finding::skipped(Check::Token, INCOMPLETE)];
                if let Some(workspace) = self.known() {
                    findings.extend(self.configuration(&workspace).await.1);
                }
                findings
            }
        }
    }

    /// The workspace that a deployment with a pasted token serves, as far as that is known without Slack.
    fn known(&self) -> Option<Workspace> {
        let only =
            || self.installations.iter().find(|known| !known.by_link && known.removed_at.is_none()).map(|known| known.workspace.clone());
        self.deployment.parameter("DefaultWorkspace").map(Workspace::new).or_else(only)
    }

    /// Without any bot. The functions take the workspace from an address, which names its team.
    async fn webhooks_alone(&self) -> Vec<Finding> {
        let mut addresses = self.app.into_iter().flat_map(|app| app.webhooks.values());
        let team = |address: &Secret| {
            let team = address.expose().split_once("/services/")?.1.split('/').next()?;
            Workspace::parse(team)
        };
        let (configuration, mut findings) = match addresses.find_map(team).or_else(|| self.known()) {
            Some(workspace) => self.configuration(&workspace).await,
            None => (Configuration::default(), Vec::new()),
        };
        findings.push(Finding::well(Check::Token, "none, and webhooks need none"));
        findings.extend(join_all(self.places(&configuration).iter().map(|channel| self.channel(None, channel))).await);
        findings
    }

    async fn pasted(&self, token: &Secret) -> Vec<Finding> {
        let rotate =
            Fix::new("Hand over the app's current token: Bot User OAuth Token under OAuth & Permissions at https://api.slack.com/apps.")
                .paste(format!("tocsin secrets rotate bot{}", of(self.deployment)));
        let digest = token.digest("token");
        let found = self.client.identity(token).await;
        let identity = match found {
            Ok(identity) => identity,
            Err(error) => {
                let mut findings = vec![refused(&error, rotate)];
                if let Some(workspace) = self.known() {
                    findings.extend(self.configuration(&workspace).await.1);
                }
                return findings;
            }
        };
        // As the functions decide it: a token of another workspace than the one that is served is not used.
        let is_known = self.installations.iter().any(|known| known.token_digest == digest && known.workspace == identity.workspace);
        let served = self.known().filter(|served| *served != identity.workspace);
        if let Some(served) = served.filter(|_| !is_known || self.deployment.parameter("DefaultWorkspace").is_some()) {
            let seen = format!(
                "it is of {} ({}), and this deployment serves {served}: nothing is called with it",
                identity.team, identity.workspace
            );
            let fix = Fix::new(format!(
                "Hand over the token of {served}. Or, if it is to serve {} from now on, say so, in samconfig.toml too:",
                identity.workspace
            ))
            .paste(format!("tocsin secrets rotate bot{}", of(self.deployment)))
            .paste(changing(self.deployment, "DefaultWorkspace", &identity.workspace));
            return vec![Finding::broken(Check::Token, seen, fix)];
        }
        let mut findings = self.workspace(&identity, token).await;
        let known = self.installations.iter().find(|known| known.workspace == identity.workspace);
        findings.extend(known.map(|known| table::installation(self.deployment, known, Some(&digest), &rotate)));
        findings
    }

    async fn by_link(&self) -> Vec<Finding> {
        let install = self.install();
        let installed: Vec<_> = self.installations.iter().filter(|known| known.by_link && known.removed_at.is_none()).collect();
        if installed.is_empty() {
            return vec![Finding::broken(Check::Installation, "no workspace has installed it yet", install)];
        }
        let mut findings = Vec::new();
        if let Some(default) = self.deployment.parameter("DefaultWorkspace")
            && !installed.iter().any(|known| known.workspace.as_str() == default)
        {
            let seen = "DefaultWorkspace names it, and it has not installed the app: what names no workspace is lost to the dead letters";
            findings.push(Finding::broken(Check::Installation, seen, install.clone()).about(default));
        }
        let prefix = self
            .deployment
            .output("InstallationSecretsPrefix")
            .map_or_else(|_| format!("{}/installations/", self.deployment.stack), str::to_owned);
        let vault = Vault::new(self.deployment.secrets(), prefix);
        let each = installed.iter().map(|known| self.installed(known, &vault));
        findings.extend(join_all(each).await.into_iter().flatten());
        findings
    }

    fn install(&self) -> Fix {
        Fix::new("Open the link in a browser, choose the workspace and allow it.")
            .paste(format!("tocsin install-link{}", of(self.deployment)))
    }

    /// One of many workspaces.
    async fn installed(&self, known: &Installation, vault: &Vault) -> Vec<Finding> {
        let workspace = &known.workspace;
        let held = match vault.now(workspace).await {
            Ok(held) => held,
            Err(error) => {
                let finding = match error {
                    SecretError::Absent | SecretError::Malformed(_) => {
                        Finding::broken(Check::Token, "there is none, or none that can be read: nothing can be posted", self.install())
                    }
                    SecretError::Unavailable(error) => unreadable(Check::Token, "its secret", &error),
                };
                return vec![finding.about(workspace.as_str()), table::installation(self.deployment, known, None, &self.install())];
            }
        };
        let digest = held.bot_token.digest("token");
        let mut findings = match self.client.identity(&held.bot_token).await {
            Ok(identity) if identity.workspace == *workspace => self.workspace(&identity, &held.bot_token).await,
            Ok(identity) => {
                let seen = format!("it is of {} ({}): nothing is called with it", identity.team, identity.workspace);
                vec![Finding::broken(Check::Token, seen, self.install())]
            }
            Err(error) => vec![refused(&error, self.install())],
        };
        findings.push(table::installation(self.deployment, known, Some(&digest), &self.install()));
        // Of several workspaces, each finding says whose it is.
        for finding in &mut findings {
            if !finding.about.as_ref().is_some_and(|about| about.starts_with(workspace.as_str())) {
                finding.about =
                    Some(finding.about.as_ref().map_or_else(|| workspace.to_string(), |about| format!("{about} of {workspace}")));
            }
        }
        findings
    }

    /// What is asked with a token that Slack knows.
    async fn workspace(&self, identity: &Identity, token: &Secret) -> Vec<Finding> {
        let (configuration, said) = self.configuration(&identity.workspace).await;
        let seen = format!("{} of {} ({})", identity.bot, identity.team, identity.workspace);
        let mut findings = vec![Finding::well(Check::Token, seen)];
        findings.extend(self.scopes(identity));
        findings.extend(said);
        let places = self.places(&configuration);
        findings.extend(join_all(places.iter().map(|channel| self.channel(Some((identity, token)), channel))).await);
        findings
    }

    /// Nothing works without those of the core; of the others somebody may do without, and says so.
    fn scopes(&self, identity: &Identity) -> Vec<Finding> {
        let lacking = self.chosen.features().filter_map(|feature| {
            let missing = missing(identity, feature.scopes.iter().copied());
            (!missing.is_empty()).then_some((feature, missing))
        });
        let again = match self.app.map(AppSecret::access) {
            Some(Access::ByLink { .. }) => format!("tocsin install-link{}", of(self.deployment)),
            _ => "https://api.slack.com/apps".to_owned(),
        };
        let fix = |say: &str| {
            Fix::new(format!(
                "Give the app the manifest of this version, and install it again (Install App, or the link): scopes count from then on.{say} {AS_MADE}"
            ))
            .paste(manifest(self.deployment, self.chosen))
            .paste(&again)
        };
        let findings: Vec<_> = lacking
            .map(|(feature, missing)| {
                let seen = format!("{} not granted: {}", missing.join(", "), feature.without);
                let finding = match feature.usual {
                    Usual::Always => Finding::broken(Check::Scopes, seen, fix("")),
                    Usual::Chosen | Usual::Asked => Finding::look(Check::Scopes, seen, fix(" Or do without, and say so with --without.")),
                };
                finding.about(feature.word)
            })
            .collect();
        if findings.is_empty() {
            vec![Finding::well(Check::Scopes, format!("all {} granted", self.chosen.scopes().count()))]
        } else {
            findings
        }
    }

    /// The workspace's settings; the defaults where they cannot be read, which are in force then.
    async fn configuration(&self, workspace: &Workspace) -> (Configuration, Vec<Finding>) {
        let nothing = Configuration::default;
        let Ok(store) = self.deployment.store() else {
            return (nothing(), vec![Finding::skipped(Check::Configuration, "the stack has no output TableName")]);
        };
        let (read, finding) = match store.configuration(workspace).await {
            Err(error) => (nothing(), unreadable(Check::Configuration, "it", &error.to_string())),
            Ok(None) => (nothing(), Finding::well(Check::Configuration, "none: everything goes to DefaultChannel")),
            Ok(Some(document)) => match configuration::read(&document) {
                Ok(read) => (read, Finding::well(Check::Configuration, "can be read")),
                Err(mistakes) => {
                    let told: Vec<_> = mistakes.iter().take(MISTAKES).map(ToString::to_string).collect();
                    let more = if mistakes.len() > MISTAKES { format!("; and {} more", mistakes.len() - MISTAKES) } else { String::new() };
                    let named = format!(" --workspace {workspace}{}", of(self.deployment));
                    let fix = Fix::new("Until it can be read the defaults are in force. Take it, mend it, and put it in force:")
                        .paste(format!("tocsin config show{named} > tocsin.toml"))
                        .paste("tocsin config check tocsin.toml")
                        .paste(format!("tocsin config apply tocsin.toml{named}"));
                    (nothing(), Finding::broken(Check::Configuration, format!("it cannot be read: {}{more}", told.join("; ")), fix))
                }
            },
        };
        (read, vec![finding])
    }

    /// Everywhere that something is posted to.
    fn places(&self, configuration: &Configuration) -> BTreeSet<Channel> {
        let default = || Channel::new(self.deployment.parameter("DefaultChannel").unwrap_or("#incidents"));
        let mut places: BTreeSet<Channel> = BTreeSet::new();
        match &configuration.routing {
            None => _ = places.insert(default()),
            Some(routing) => {
                places.insert(routing.default.channel.clone());
                places.extend(routing.rules.iter().flat_map(|rule| rule.to.iter().map(|target| target.channel.clone())));
            }
        }
        places.extend(configuration.reports.iter().map(|report| report.channel.clone()));
        let called = configuration.policies.iter().flat_map(|policy| policy.steps.iter()).flat_map(|step| &step.call);
        places.extend(called.filter_map(|callee| if let Callee::Channel(channel) = callee { Some(channel.clone()) } else { None }));
        places
    }

    async fn channel(&self, bot: Bot<'_>, channel: &Channel) -> Finding {
        let about = |finding: Finding| finding.about(channel.as_str());
        if let Some(name) = channel.webhook() {
            let known = self.app.is_some_and(|app| app.webhooks.contains_key(name));
            let fix = Fix::new(format!(
                "Hand its address over in a file, webhooks.json: {{\"webhooks\": {{\"{name}\": \"https://hooks.slack.com/services/…\"}}}}. Or route elsewhere."
            ))
            .paste(format!("tocsin secrets set --from webhooks.json{}", of(self.deployment)));
            return about(if known {
                Finding::well(Check::Channel, "the Slack secret has it")
            } else {
                Finding::broken(Check::Channel, "the Slack secret has no webhook of this name", fix)
            });
        }
        let Some((identity, token)) = bot else {
            let fix = Fix::new(
                "Route to a webhook, as `webhook:NAME`, or set DefaultChannel to one. Or hand over the app's signing secret and bot token.",
            )
            .paste(format!("tocsin secrets set{}", of(self.deployment)));
            return about(Finding::broken(Check::Channel, "only a bot can post there, and there is none", fix));
        };
        let needed = missing(identity, ["channels:read", "groups:read"]);
        if !needed.is_empty() && channel.person().is_none() {
            return about(Finding::skipped(Check::Channel, &format!("{} is not granted", needed.join(", "))));
        }
        let found = connection::Finding::membership(&self.client, token, identity, channel).await;
        let seen = found.detail.trim_end_matches('.').to_owned();
        about(match found.fix {
            None => Finding::well(Check::Channel, seen),
            Some(fix) => match fix.find("/invite") {
                Some(at) => Finding::broken(
                    Check::Channel,
                    seen,
                    Fix::new("Write this in the channel, in Slack. Or route to another, or set DefaultChannel; best by the channel's id.")
                        .paste(fix.get(at..).unwrap_or_default()),
                ),
                None => Finding::broken(Check::Channel, seen, Fix::new(fix)),
            },
        })
    }
}

/// Slack does not take a token, or does not answer.
fn refused(error: &SlackError, fix: Fix) -> Finding {
    match error {
        SlackError::Token(code) => Finding::broken(Check::Token, format!("Slack does not accept it: {code}"), fix),
        SlackError::RateLimited { .. } | SlackError::Later(_) | SlackError::Ambiguous(_) => {
            let fix = Fix::new(
                "Is this machine on the network, and does https://slack-status.com say that Slack is well? What is to be posted waits, and nothing is lost.",
            );
            Finding::broken(Check::Token, format!("Slack does not answer: {error}"), fix)
        }
        SlackError::Closed(_) | SlackError::Never { .. } => Finding::broken(Check::Token, error.to_string(), Fix::new(error.advice())),
    }
}
