//! Who may act: members. Everybody else reads why not.

use serde_json::json;
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
