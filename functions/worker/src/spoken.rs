//! Lines that only the workspace's configuration can tell the meaning of: `/incident` by another name, and commands of its own.

use jiff::Timestamp;
use shared::domain::Refusal;
use shared::domain::call::{About, Answered, Call, Command};
use shared::domain::ids::Workspace;
use shared::domain::intent::{ReplyTo, Spoken};
use shared::domain::people::may_act;
use shared::domain::settings::Settings;
use shared::queue::{Failure, Try};
use shared::render::answer;
use shared::slack::command::{self, INCIDENT, Wish};
use shared::slack::text;

use crate::App;

/// What a line comes to.
enum Meaning<'a> {
    /// What the grammar's own words say.
    Grammar(Result<Wish, Refusal>),
    /// A command of the workspace's, and what came after it.
    Own(&'a Command, &'a str),
    /// Nothing.
    Nothing(Refusal),
}

impl App {
    /// Does what a line means here.
    pub(crate) async fn spoken(&self, spoken: &Spoken, tried: Try) -> Result<(), Failure> {
        let workspace = match self.workspace(spoken.workspace.as_ref()).await? {
            Ok(workspace) => workspace,
            Err(refusal) => return self.refuse(None, &spoken.reply, &refusal, spoken.id.as_str()).await,
        };
        let wants = self.store.wants(&workspace).await.map_err(|error| Failure::later(&error))?;
        let settings = self.settings(wants, Timestamp::now());
        match meaning(spoken, &settings) {
            Meaning::Grammar(wish) => {
                let job = command::job(Spoken { workspace: Some(workspace), ..spoken.clone() }, wish);
                Box::pin(self.work(job, tried)).await
            }
            Meaning::Own(command, rest) => self.command(&workspace, spoken, (command, rest), &settings).await,
            Meaning::Nothing(refusal) => self.refuse(Some(&workspace), &spoken.reply, &refusal, spoken.id.as_str()).await,
        }
    }

    /// Has a command's endpoint called, if this person may.
    async fn command(
        &self,
        workspace: &Workspace,
        spoken: &Spoken,
        (command, rest): (&Command, &str),
        settings: &Settings,
    ) -> Result<(), Failure> {
        let profile = self.profile(workspace, &spoken.by).await?;
        let mut refusal = may_act(profile.standing, &spoken.by, &settings.configuration.people).err();
        if refusal.is_none() {
            refusal = match self.member_of(workspace, &spoken.by, &command.who).await? {
                Ok(member_of) if !command.who.includes(&spoken.by.id, &member_of) => Some(Refusal::new(format!(
                    "You may not use `{}` here. Whoever looks after Tocsin says in its configuration who may.",
                    command.name
                ))),
                Ok(_) => None,
                Err(refusal) => Some(refusal),
            };
        }
        if let Some(refusal) = refusal {
            return self.refuse(Some(workspace), &spoken.reply, &refusal, spoken.id.as_str()).await;
        }
        let mut by = spoken.by.clone();
        (by.name, by.email) = (Some(profile.name), profile.email);
        let about = About::Command {
            command: command.name.clone(),
            text: text::plain(rest),
            reply: spoken.reply.clone(),
            in_channel: command.in_channel,
        };
        let call =
            Call { id: spoken.id.clone(), workspace: workspace.clone(), at: spoken.at, by: Some(by), to: command.call.clone(), about };
        self.calls.send(&call).await?;
        tracing::info!(
            workspace = workspace.as_str(),
            intent = call.id.as_str(),
            user = spoken.by.id.as_str(),
            command = command.name,
            outcome = "called",
            "command"
        );
        Ok(())
    }

    /// Tells what a command came to.
    pub(crate) async fn answered(&self, answered: &Answered) -> Result<(), Failure> {
        let Answered { id, workspace, by, command, ok, reply, .. } = answered;
        tracing::info!(
            workspace = workspace.as_str(),
            intent = id.as_str(),
            user = by.id.as_str(),
            command,
            ok,
            outcome = "answered",
            "command"
        );
        let message = answer::answered(answered);
        match reply {
            ReplyTo::ResponseUrl(url) if answered.in_channel => self.say_to_all(url, &message, id.as_str()).await,
            _ => self.say(workspace, reply, &message, id.as_str()).await,
        }
    }
}

/// What a line means in a workspace with these settings.
fn meaning<'a>(spoken: &'a Spoken, settings: &'a Settings) -> Meaning<'a> {
    let configuration = &settings.configuration;
    let by_word = |word: &str| configuration.commands.iter().find(|own| own.word() == word);
    let name = spoken.command.as_deref().unwrap_or(INCIDENT);
    if let Some(own) = configuration.commands.iter().find(|own| own.name == name) {
        return Meaning::Own(own, &spoken.line);
    }
    if name != INCIDENT && !configuration.aliases.iter().any(|alias| alias == name) {
        return Meaning::Nothing(Refusal::new(format!(
            "`{name}` is not configured in this workspace: it is neither among the `aliases` nor the `commands` of its configuration. `{INCIDENT} help` lists what there is."
        )));
    }
    let (word, rest) = command::first_word(&spoken.line);
    match (command::read(&spoken.line, spoken.at), by_word(&word.to_lowercase())) {
        (Ok(Wish::Unknown), Some(own)) => Meaning::Own(own, rest),
        (Ok(Wish::Unknown), None) => {
            Meaning::Nothing(command::no_such_word(&spoken.line, configuration.commands.iter().map(Command::word)))
        }
        (wish, _) => Meaning::Grammar(wish),
    }
}
