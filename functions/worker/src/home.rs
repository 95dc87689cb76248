//! Home: painted when it is opened, and after what somebody did there.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::Refusal;
use shared::domain::ids::{UserId, Workspace};
use shared::domain::intent::Person;
use shared::domain::people::{Profile, may_act, may_set};
use shared::domain::surfaces::HomeOpened;
use shared::queue::Failure;
use shared::render::home::{self, Home};
use shared::slack::blocks::HomeView;
use shared::slack::client::SlackError;
use shared::store::StoreError;

use crate::App;
use crate::answer::OPEN_MOST;

#[derive(Serialize)]
struct Publish<'a> {
    user_id: &'a UserId,
    view: &'a HomeView,
}

impl App {
    /// Somebody looks at it.
    pub(crate) async fn open_home(&self, opened: &HomeOpened) -> Result<(), Failure> {
        let HomeOpened { id, workspace, by } = opened;
        let Ok(workspace) = self.workspace(Some(workspace)).await? else { return Ok(()) };
        let profile = self.profile(&workspace, by).await?;
        self.paint_home(&workspace, by, &profile, None, id.as_str()).await
    }

    /// Paints it; `trouble` is why what the person wanted just now was not done.
    pub(crate) async fn paint_home(
        &self,
        workspace: &Workspace,
        person: &Person,
        profile: &Profile,
        trouble: Option<&Refusal>,
        job: &str,
    ) -> Result<(), Failure> {
        let later = |error: StoreError| Failure::later(&error);
        let settings = self.settings(self.store.wants(workspace).await.map_err(later)?, Timestamp::now());
        let sight = match may_act(profile.standing, person, &settings.configuration.people) {
            Ok(()) => self.sight(workspace, person).await?,
            Err(refusal) => Err(refusal),
        };
        let view = match sight {
            Err(refusal) => home::closed(&refusal),
            Ok(sight) => {
                let (open, elsewhere) = sight.of(self.store.open(workspace, OPEN_MOST).await.map_err(later)?);
                let admin = may_set(profile).is_ok();
                home::home(&Home { person: &person.id, open: &open, elsewhere, settings: &settings, admin, trouble })
            }
        };
        let published = match self.bot(workspace).await {
            Ok(bot) => bot.call("views.publish", &Publish { user_id: &person.id, view: &view }).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let (workspace, user) = (workspace.as_str(), person.id.as_str());
        match published {
            Ok(()) => tracing::info!(workspace, user, intent = job, outcome = "painted", "home"),
            Err(error @ (SlackError::Closed(_) | SlackError::Never { .. })) => {
                tracing::warn!(workspace, user, %error, advice = error.advice(), outcome = "not_painted", "home");
            }
            Err(error) => return Err(Failure::Later(format!("views.publish: {error}"))),
        }
        Ok(())
    }
}
