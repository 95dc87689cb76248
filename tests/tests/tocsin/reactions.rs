//! What people do at a card without pressing anything: an emoji acts, a reply in its thread is a note.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::inputs::Alarm;
use tests::world::World;

/// How many items are kept for something that was applied, or refused.
async fn markers(world: &World) -> usize {
    let of_intents = |item: &&Value| item.get("pk").and_then(Value::as_str).is_some_and(|pk| pk.contains("#intent#"));
    world.scan().await.iter().filter(of_intents).count()
}

pub(crate) async fn eyes_acknowledge_and_a_check_mark_resolves(world: &World) {
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("reacted-to").await;
    jane.reacts("eyes", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    let late = omar.reacts("eyes", &card).await.answer().await;
    assert!(late.contains("<@U0JANE> had") && late.contains("already"), "{late}");
    omar.reacts("white_check_mark", &card).await;
    card.shows("*Resolved* by <@U0OMAR>").await;
    let thread = card.thread_of(3).await;
    assert!(thread[1].reads().contains("*Acknowledged* by <@U0JANE>"), "{}", thread[1].reads());
}

pub(crate) async fn a_reply_under_a_card_is_a_note_and_not_told_there_again(world: &World) {
    let jane = world.user("jane");
    let card = world.alarm_fires("talked-about-here").await;
    card.thread_of(1).await;
    jane.replies("the pool is <full> & @omar knows why", &card).await;
    let noted = async || if card.times("noted").await == 1 { Ok(()) } else { Err(format!("{:?}", card.timeline().await)) };
    world.until("the reply is a note", noted).await;
    let thread = card.thread_of(2).await;
    assert!(!thread[1].is_ours(), "what Jane said, and nothing of ours: {}", thread[1].reads());
    let shown = jane.types(&format!("/incident show {}", card.incident)).await.answer().await;
    assert!(shown.contains("*Note* by <@U0JANE>: the pool is &lt;full&gt; &amp; @U0OMAR knows why"), "{shown}");
    jane.types(&format!("/incident resolve {}", card.incident)).await.answer().await;
    card.thread_of(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_under_one_card_is_told_under_the_others() {
    let world = World::start().await;
    world
        .configures("[routing]\ndefault = { channel = \"#incidents\" }\n[[routing.rules]]\nmatch = { kind = \"cloudwatch\" }\nto = [{ channel = \"#incidents\" }, { channel = \"#payments\" }]")
        .await;
    world.drops(&Alarm::named("in-two-places").fires(Timestamp::now())).await;
    let (here, there) = (world.card("#incidents", "in-two-places").await, world.card("#payments", "in-two-places").await);
    here.thread_of(1).await;
    world.user("omar").replies("draining it by hand", &here).await;
    let thread = there.thread_of(2).await;
    assert!(
        thread[1].reads().contains("*Note* by <@U0OMAR>") && thread[1].reads().contains("draining it by hand"),
        "{}",
        thread[1].reads()
    );
    here.thread_of(2).await;
    world.finish().await;
}

/// A team chooses its own emoji; what it does not choose means nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_chooses_which_emoji_mean_what() {
    let world = World::start().await;
    world.configures("[reactions]\nacknowledge = [\"raised_hand\"]\nresolve = []\nreopen = [\"repeat\"]").await;
    let jane = world.user("jane");
    let card = world.alarm_fires("own-emoji").await;
    jane.reacts("eyes", &card).await;
    jane.reacts("white_check_mark", &card).await;
    jane.reacts("raised_hand::skin-tone-3", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    jane.reacts("repeat", &card).await;
    card.shows("*Triggered*, reopened by <@U0JANE>").await;
    card.thread_of(3).await;
    assert_eq!((card.times("acknowledged").await, card.times("resolved").await), (1, 0));
    world.finish().await;
}

/// The channel is full of messages that are no cards, and about those nothing is said, written or asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_at_other_messages_is_nobodys_business() {
    let world = World::start().await;
    let (jane, guest) = (world.user("jane"), world.user("guest"));
    let card = world.alarm_fires("the-only-card").await;
    card.thread_of(1).await;
    let before = (markers(&world).await, world.slack.calls("users.info").await.len());
    let said = jane.says("incidents", "lunch?").await.delivery;
    let ts = said.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned();
    let nothing = [
        jane.reacts_to("eyes", &card.channel, &ts).await,
        jane.replies_to("yes, please", &card.channel, &ts).await,
        jane.reacts("tada", &card).await,
        guest.reacts_to("white_check_mark", &card.channel, &ts).await,
    ];
    // What was edited, deleted or said by another bot, under the card itself.
    let other = |more: Value| {
        let mut event = json!({ "type": "message", "channel": card.channel, "user": "U0JANE", "text": "x", "ts": "1700000000.000100", "thread_ts": card.ts });
        event.as_object_mut().into_iter().for_each(|event| event.extend(more.as_object().cloned().unwrap_or_default()));
        json!({ "event": event })
    };
    for more in [
        json!({ "subtype": "message_changed" }),
        json!({ "bot_id": "B0OTHER" }),
        json!({ "subtype": "message_deleted" }),
        json!({ "text": " " }),
    ] {
        world.slack.tell("event", &other(more)).await;
    }
    let removed = json!({ "user": "jane", "channel": "incidents", "ts": card.ts, "name": "tada", "remove": true });
    world.slack.tell("reaction", &removed).await;
    world.settled().await;
    for done in nothing {
        assert_eq!(done.answers().await.len(), 0, "{}", done.delivery);
    }
    assert_eq!((markers(&world).await, world.slack.calls("users.info").await.len()), before, "nothing was written, and nobody asked about");
    card.thread_of(1).await;
    world.finish().await;
}

/// A guest may talk in a thread, but neither that nor an emoji acts on the incident; the emoji was meant to, so it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guests_emoji_is_refused_and_a_guests_reply_is_only_a_reply() {
    let world = World::start().await;
    let guest = world.user("guest");
    let card = world.alarm_fires("guests-look-on").await;
    card.thread_of(1).await;
    let refused = guest.reacts("eyes", &card).await.answer().await;
    assert!(refused.contains("Guests cannot act"), "{refused}");
    let talked = guest.replies("what does it mean?", &card).await;
    card.thread_of(2).await;
    assert_eq!((talked.answers().await.len(), card.times("noted").await), (0, 0));
    world.finish().await;
}

/// A mention under a card is a question, and comes as a message as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_to_the_bot_under_a_card_is_answered_and_leaves_no_note() {
    let world = World::start().await;
    let card = world.alarm_fires("asked-under").await;
    card.thread_of(1).await;
    let answer = world.user("jane").replies("@tocsin status", &card).await.answer().await;
    assert!(answer.contains("1 open incident"), "{answer}");
    world.settled().await;
    assert_eq!(card.times("noted").await, 0);
    world.finish().await;
}

/// Slack sends the same event several times, under several ids too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_reaction_and_the_same_reply_count_once() {
    let world = World::start().await;
    let card = world.alarm_fires("said-twice").await;
    card.thread_of(1).await;
    let reaction = json!({
        "type": "reaction_added", "user": "U0JANE", "reaction": "eyes", "item_user": "U0BOT", "event_ts": "1700000000.000200",
        "item": { "type": "message", "channel": card.channel, "ts": card.ts },
    });
    let reply = json!({
        "type": "message", "channel": card.channel, "user": "U0JANE", "text": "once", "ts": "1700000000.000300", "event_ts": "1700000000.000300",
        "thread_ts": card.ts, "parent_user_id": "U0BOT",
    });
    for event_id in ["Ev1", "Ev2"] {
        for event in [&reaction, &reply] {
            world.slack.tell("event", &json!({ "event": event, "event_id": event_id, "deliveries": 3 })).await;
        }
    }
    card.shows("*Acknowledged* by <@U0JANE>").await;
    let noted = async || if card.times("noted").await == 1 { Ok(()) } else { Err(String::new()) };
    world.until("the reply is a note", noted).await;
    card.thread_of(2).await;
    assert_eq!((card.times("acknowledged").await, card.times("noted").await), (1, 1));
    assert_eq!(card.timeline().await.len(), 3, "{:?}", card.timeline().await);
    world.finish().await;
}

/// In a storm there is no card to react to: a page of the digest shows many incidents, so nothing at it means one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_at_a_digest_means_no_incident() {
    let world = World::start().await;
    world.configures("[storm]\nabove = 2").await;
    let alarms: Vec<Value> = (0..8).map(|number| Alarm::named(&format!("storm-{number}")).fires(Timestamp::now())).collect();
    world.drops_several(&alarms).await;
    let page = world
        .until("there is a digest with a page", async || {
            let messages = world.slack.messages().await;
            let page =
                messages.into_iter().find(|message| message.is_ours() && message.thread().is_some() && message.reads().contains("storm-"));
            let page = page.filter(|page| page.reads().matches("storm-").count() > 2);
            page.ok_or_else(|| "none yet".to_owned())
        })
        .await;
    world.settled().await;
    let before = markers(&world).await;
    let jane = world.user("jane");
    let digest = page.thread().unwrap_or_default();
    let done = [
        jane.reacts_to("eyes", page.channel(), page.ts()).await,
        jane.reacts_to("white_check_mark", page.channel(), digest).await,
        jane.replies_to("which of them?", page.channel(), digest).await,
    ];
    world.settled().await;
    for done in done {
        assert_eq!(done.answers().await.len(), 0, "{}", done.delivery);
    }
    assert_eq!(markers(&world).await, before, "nothing was written");
    world.finish().await;
}
