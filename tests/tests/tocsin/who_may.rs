//! Who may act: members. Everybody else reads why not.

use serde_json::json;
use tests::inputs::own;
use tests::world::World;

pub(crate) async fn guests_strangers_and_the_deactivated_read_why_not(world: &World) {
    // All of them are in the channel and see the card.
    let members = ["U0JANE", "U0OMAR", "U0LENA", "U0GUEST", "U0GONE", "U0EXT", "U0BOT"];
    world.slack.tell("channels", &json!({ "id": "C0INCIDENTS", "members": members })).await;
    let card = world.alarm_fires("not-for-everybody").await;
    card.thread_of(1).await;
    // A command of somebody from another company comes under the name of their own workspace, where Tocsin is not.
    let all = [
        ("guest", "Guests cannot act", "Guests cannot act"),
        ("ext", "Only members of the workspace", "not installed"),
        ("gone", "deactivated", "deactivated"),
    ];
    for (name, why, why_no_list) in all {
        let user = world.user(name);
        let told = user.clicks("Acknowledge", &card).await.answer().await;
        assert!(told.contains(why), "{name} reads: {told}");
        let told = user.types_in("incidents", "/incident list").await.answer().await;
        assert!(told.contains(why_no_list) && !told.contains("not-for-everybody"), "{name} reads: {told}");
    }
    world.settled().await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;
    card.thread_of(1).await;
    assert_eq!(card.times("acknowledged").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_and_strangers_act_where_the_configuration_says() {
    let world = World::start().await;
    world.configures("[people]\nguests = [\"C0INCIDENTS\"]\nstrangers = [\"C0INCIDENTS\"]").await;
    let (guest, ext) = (world.user("guest"), world.user("ext"));
    let card = world.alarm_fires("for-partners").await;
    guest.clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0GUEST>").await;
    ext.chooses("Hand it back", &card).await;
    card.shows("*Triggered*").await;
    let elsewhere = guest.types_in("general", "/incident list").await.answer().await;
    assert!(elsewhere.contains("Guests cannot act"), "{elsewhere}");
    let listed = guest.types_in("incidents", "/incident list").await.answer().await;
    assert!(listed.contains("for-partners"), "{listed}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_what_ones_channels_show() {
    let world = World::start().await;
    world.slack.tell("channels", &json!({ "id": "C0SECURITY", "members": ["U0JANE", "U0BOT"], "is_member": true })).await;
    let routing = "[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { service = \"vault\" }\nto = [{ channel = \"C0SECURITY\" }]";
    world.configures(routing).await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let open = world.alarm_fires("for-everybody").await;
    let fields = json!({ "title": "somebody is in the vault", "service": "vault" });
    world.drops(&own("create", "vault", jiff::Timestamp::now(), &fields)).await;
    let secret = world.card("C0SECURITY", "in the vault").await;
    for (who, sees) in [(&jane, true), (&omar, false)] {
        let list = who.types("/incident list").await.answer().await;
        assert!(list.contains(&open.incident) && list.contains(&secret.incident) == sees, "{}: {list}", who.name);
        let show = who.types(&format!("/incident show {}", secret.incident)).await.answer().await;
        assert_eq!(show.contains("in the vault"), sees, "{}: {show}", who.name);
        let status = who.types("/incident status").await.answer().await;
        assert_eq!(status.contains("2 open incidents"), sees, "{}: {status}", who.name);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_or_ends_what_shows_elsewhere_by_guessing() {
    let world = World::start().await;
    world.slack.tell("channels", &json!({ "id": "C0SECURITY", "members": ["U0JANE", "U0BOT"], "is_member": true })).await;
    let routing = "[people]\nguests = [\"C0INCIDENTS\"]\n[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { service = \"vault\" }\nto = [{ channel = \"C0SECURITY\" }]";
    world.configures(routing).await;
    for name in ["vault-a", "vault-b"] {
        let fields = json!({ "title": format!("SECRET {name}"), "service": "vault" });
        world.drops(&own("create", name, jiff::Timestamp::now(), &fields)).await;
        world.card("C0SECURITY", name).await;
    }
    let (jane, omar, guest) = (world.user("jane"), world.user("omar"), world.user("guest"));
    for line in ["/incident show", "/incident ack", "/incident show IN", "/incident list", "/incident status"] {
        for told in [omar.types(line).await.answer().await, guest.types_in("incidents", line).await.answer().await] {
            assert!(!told.contains("SECRET") && !told.contains("All quiet"), "{line}: {told}");
        }
    }
    let list = omar.types("/incident list").await.answer().await;
    assert!(list.contains("Nothing is open in your channels") && list.contains("2 open incidents only in channels"), "{list}");
    let which = jane.types("/incident show").await.answer().await;
    assert!(which.contains("SECRET vault-a") && which.contains("SECRET vault-b"), "{which}");

    // A guest who has heard of the id may not act upon it either; a member may, and sees it from then on.
    let secret = world.card("C0SECURITY", "vault-a").await;
    let told = guest.types_in("incidents", &format!("/incident resolve {} bye", secret.incident)).await.answer().await;
    assert!(told.contains("shows only in channels that you are not in") && !told.contains("SECRET"), "{told}");
    secret.shows("*Triggered*").await;
    omar.types(&format!("/incident ack {}", secret.incident)).await.answer().await;
    let list = omar.types("/incident list").await.answer().await;
    assert!(list.contains("SECRET vault-a") && !list.contains("SECRET vault-b"), "{list}");
    world.finish().await;
}
