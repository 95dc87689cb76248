//! A card of the workspace's own: what it shows, and that acting works all the same.

use jiff::Timestamp;
use tests::inputs::Alarm;
use tests::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_is_what_the_card_says_and_the_buttons_work() {
    let world = World::start().await;
    world
        .configures(
            r#"
[[templates]]
match = { kind = "cloudwatch" }
text = "{{ incident.priority }}: {{ incident.title }}"
blocks = '''[{"type": "section", "text": {"type": "mrkdwn", "text": "Ours: *{{ incident.priority }}* {{ incident.title }}, {{ incident.state }}"}}]'''
"#,
        )
        .await;
    world.drops(&Alarm::named("<!channel> & co").fires(Timestamp::now())).await;
    let card = world.card("#incidents", "& co").await;
    card.shows("Ours: *P2* &lt;!channel&gt; &amp; co, triggered").await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("acknowledged").await;
    world.settled().await;
    world.finish().await;
}
