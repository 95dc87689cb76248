//! Home: what somebody has to look at, and for admins the settings.

use serde_json::{Value, json};
use tests::world::World;

pub(crate) async fn home_shows_what_is_ones_own_and_what_is_open(world: &World) {
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    jane.finds_at_home("All quiet").await;
    let card = world.alarm_fires("shown-at-home").await;
    jane.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    // The list of what is open is an index, which learns of a write a moment later.
    world
        .until("Jane finds hers at Home", async || {
            let home = jane.finds_at_home("").await.reads();
            if home.contains("Yours") && home.matches("shown-at-home").count() == 2 { Ok(()) } else { Err(home) }
        })
        .await;
    let his = omar.finds_at_home("1 open incident").await.reads();
    assert!(!his.contains("Yours") && his.contains("<@U0JANE> has it"), "{his}");
    assert!(!his.contains("Settings"), "only admins change settings: {his}");
    omar.presses_at_home("Create incident").await;
    omar.modal("create_incident").await;
    omar.submits(&[("title", "Made at Home")]).await;
    let second = world.card("#incidents", "Made at Home").await;
    for card in [card, second] {
        jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    }
}

const DOCUMENT: &str = r##"# kept in our repository
thread = true

[notify]
acknowledged = true   # somebody wanted this

[[oncall]]
name = "checkout"
start = "2026-01-05T09:00"
people = ["U0OMAR"]

[routing]
default = { channel = "#incidents" } # the old place
"##;

/// Home changes one value of the one document, and the person's Home shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_changes_a_setting_and_nothing_else_in_the_document() {
    let world = World::start().await;
    world.configures(DOCUMENT).await;
    let lena = world.user("lena");
    let home = lena.finds_at_home("Settings").await;
    assert!(home.reads().contains("*checkout*: <@U0OMAR>") && home.reads().contains("*#incidents*"), "{}", home.reads());
    assert!(home.labels().contains(&"✅ Acknowledged".to_owned()), "{:?}", home.labels());

    lena.presses_at_home("✅ Acknowledged").await;
    lena.home_shows("⬜ Acknowledged").await;
    let quiet = DOCUMENT.replace("acknowledged = true ", "acknowledged = false ");
    assert_eq!(world.document().await, quiet);
    lena.chooses_default_channel("C0PAYMENTS").await;
    lena.home_shows("*<#C0PAYMENTS>*").await;
    assert_eq!(world.document().await, quiet.replace("#incidents", "C0PAYMENTS"));

    let card = {
        world.drops(&tests::inputs::Alarm::named("goes-elsewhere").fires(jiff::Timestamp::now())).await;
        world.card("#payments", "goes-elsewhere").await
    };
    card.thread_of(1).await;
    lena.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0LENA>").await;
    card.thread_of(1).await;
    world.finish().await;
}

/// What cannot be is said at its place, and changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_set_is_said_at_home() {
    let world = World::start().await;
    let lena = world.user("lena");
    lena.finds_at_home("Settings").await;
    lena.chooses_default_channel("C0RANDOM").await;
    lena.home_shows("Tocsin is not in that channel yet").await;
    lena.finds_at_home("Settings").await;
    lena.chooses_default_channel("C0OLD").await;
    lena.home_shows("That channel is archived").await;
    assert_eq!(world.document().await, "");

    world.configures("[notify]\nacknowleged = true").await;
    world.expects_error("the configuration cannot be read");
    lena.presses_at_home("✅ Resolved").await;
    lena.home_shows("line 2, column 1").await;
    assert_eq!(world.document().await, "[notify]\nacknowleged = true", "a document with a mistake is left alone");
    world.finish().await;
}

/// Who may is decided on the server: a button that somebody should not see changes nothing, and who is no admin any more is none at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_admins_change_settings() {
    let world = World::start().await;
    let (lena, guest) = (world.user("lena"), world.user("guest"));
    lena.finds_at_home("Settings").await;
    world.slack.tell("users", &json!({ "id": "U0LENA", "is_admin": false })).await;
    lena.presses_at_home("✅ Resolved").await;
    world
        .until("the settings are gone from Lena's Home", async || {
            let home = lena.home().await.map(|home| home.reads()).unwrap_or_default();
            if home.contains("Settings") { Err(home) } else { Ok(()) }
        })
        .await;
    assert_eq!(world.document().await, "");
    let closed = guest.finds_at_home("Guests cannot act").await;
    assert!(closed.buttons().is_empty(), "{}", closed.reads());
    world.finish().await;
}

/// Two admins at the same moment: both changes are in the document.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_admins_do_not_overwrite_each_other() {
    let world = World::start().await;
    world.slack.tell("users", &json!({ "id": "U0JANE", "is_owner": true })).await;
    let (lena, jane) = (world.user("lena"), world.user("jane"));
    lena.finds_at_home("Settings").await;
    jane.finds_at_home("Settings").await;
    tokio::join!(lena.presses_at_home("✅ Resolved"), jane.presses_at_home("✅ Notes"));
    lena.home_shows("⬜ Resolved").await;
    jane.home_shows("⬜ Notes").await;
    let document = world.document().await;
    assert!(document.contains("resolved = false") && document.contains("noted = false"), "{document}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_tab_is_not_home() {
    let world = World::start().await;
    world.slack.tell("home", &json!({ "user": "jane", "tab": "messages" })).await;
    world.settled().await;
    assert_eq!(world.slack.calls("views.publish").await, Vec::<Value>::new());
    world.finish().await;
}
