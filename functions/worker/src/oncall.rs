//! Who takes over in a rotation for a while.

use jiff::Timestamp;
use shared::domain::Refusal;
use shared::domain::configuration::Configuration;
use shared::domain::intent::TakeOver;
use shared::domain::people::may_anywhere;
use shared::queue::Failure;
use shared::render::answer;

use crate::App;

/// How often it is tried when others say something at the same moment.
const TRIES: u32 = 5;

impl App {
    /// Remembers it, and tells the person who is on call now.
    pub(crate) async fn take_over(&self, wish: &TakeOver) -> Result<(), Failure> {
        let TakeOver { id, workspace, by, rotation, taken, reply } = wish;
        let workspace = match self.workspace(workspace.as_ref()).await? {
            Ok(workspace) => workspace,
            Err(refusal) => return self.refuse(None, reply, &refusal, id.as_str()).await,
        };
        let later = |error| Failure::later(&error);
        let wants = self.store.wants(&workspace).await.map_err(later)?;
        // It concerns everybody, so those who may act only in some channels may not.
        let allowed = may_anywhere(self.profile(&workspace, by).await?.standing);
        let meant = allowed.and_then(|()| meant(&wants.configuration, rotation.as_deref()));
        let rotation = match meant {
            Ok(rotation) => rotation,
            Err(refusal) => return self.refuse(Some(&workspace), reply, &refusal, id.as_str()).await,
        };
        let now = Timestamp::now();
        let mut said = false;
        for _ in 0..TRIES {
            said = self.store.take_over(&workspace, &rotation, taken, now).await.map_err(later)?;
            if said {
                break;
            }
        }
        if !said {
            return Err(Failure::Later(format!("{TRIES} others were faster")));
        }
        let (user, person) = (by.id.as_str(), taken.person.as_str());
        tracing::info!(workspace = workspace.as_str(), intent = id.as_str(), user, rotation, person, outcome = "taken_over", "on call");
        let wants = self.store.wants(&workspace).await.map_err(later)?;
        self.say(&workspace, reply, &answer::on_call(&self.settings(wants, now)), id.as_str()).await
    }
}

/// The rotation of this name, in any case, or the only one.
fn meant(configuration: &Configuration, name: Option<&str>) -> Result<String, Refusal> {
    let names = || configuration.rotations.iter().map(|rotation| format!("`{}`", rotation.name)).collect::<Vec<_>>().join(", ");
    match (name, configuration.rotations.as_slice()) {
        (_, []) => Err(Refusal::new("No rotation is configured here, so nobody can take over.")),
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => Err(Refusal::new(format!("In which rotation? There are {}.", names()))),
        (Some(name), rotations) => {
            let found = rotations.iter().find(|rotation| rotation.name.eq_ignore_ascii_case(name));
            let unknown = || Refusal::new(format!("There is no rotation `{name}`. There is: {}.", names()));
            found.map(|rotation| rotation.name.clone()).ok_or_else(unknown)
        }
    }
}
