//! What a responder does beyond acknowledging and resolving: putting it off, calling others, saying how bad it is.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::card::Card;
use tests::slack::Message;
use tests::world::World;

/// Lets the clock tick until the card shows this.
async fn ticks_until(world: &World, card: &Card<'_>, what: &str) {
    world
        .until(what, async || {
            world.ticks().await;
            let reads = card.message().await.reads();
            if reads.contains(what) { Ok(()) } else { Err(reads) }
        })
        .await;
}

/// The cards in somebody's direct messages.
async fn direct(world: &World, channel: &str) -> Vec<Message> {
    let mut messages = world.slack.messages().await;
    messages.retain(|message| message.channel() == channel && message.is_ours() && message.thread().is_none());
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_snoozed_sleeps_until_somebody_or_the_time_wakes_it() {
    let world = World::start().await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("can-wait").await;
    jane.chooses("15 min", &card).await;
    card.shows("*Snoozed* until").await;
    card.has_buttons(&["Wake up", "Resolve"]).await;
    omar.clicks("Wake up", &card).await;
    card.shows("*Triggered*").await;
    card.thread_of(3).await;

    jane.chooses("Until …", &card).await;
    jane.modal("snooze_incident").await;
    let in_seconds = |seconds| (Timestamp::now() + SignedDuration::from_secs(seconds)).as_second().to_string();
    let wrong = jane.submits(&[("until", &in_seconds(-60))]).await;
    assert_eq!(wrong.delivery.get("closed"), Some(&json!(false)), "{}", wrong.delivery);
    let view = jane.modal("snooze_incident").await;
    assert!(view.pointer("/errors/until").and_then(Value::as_str).is_some_and(|error| error.contains("over already")), "{view}");
    jane.submits(&[("until", &in_seconds(3))]).await;
    card.shows("*Snoozed* until").await;
    ticks_until(&world, &card, "*Triggered*").await;
    let thread = card.thread_of(5).await;
    assert!(thread[4].reads().contains("*Woke up*"), "{}", thread[4].reads());
    world.finish().await;
}

pub(crate) async fn whoever_it_is_assigned_to_has_the_card_at_hand(world: &World) {
    let (jane, lena) = (world.user("jane"), world.user("lena"));
    let card = world.alarm_fires("for-lena").await;
    jane.chooses("Assign …", &card).await;
    jane.modal("assign_incident").await;
    jane.submits(&[("to", "U0LENA")]).await;
    card.shows("*Assignee:* <@U0LENA>").await;
    let told = async || direct(world, "D0LENA").await.pop().ok_or_else(String::new);
    let hers = world.until("Lena has the card", told).await;
    lena.clicks_on("Acknowledge", &hers, 1).await;
    card.shows("*Acknowledged* by <@U0LENA>").await;
    let shows = async || if told().await?.reads().contains("*Acknowledged* by <@U0LENA>") { Ok(()) } else { Err(String::new()) };
    world.until("hers shows it too", shows).await;
    card.thread_of(3).await;
    let again = jane.types(&format!("/incident assign {} @lena", card.incident)).await.answer().await;
    assert!(again.contains("assigned to <@U0LENA> already"), "{again}");
}

pub(crate) async fn what_gets_worse_and_what_was_seen_is_said_from_the_card(world: &World) {
    let jane = world.user("jane");
    let card = world.alarm_fires("gets-worse").await;
    jane.chooses("Change severity …", &card).await;
    let form = jane.modal("severity_incident").await;
    let initial = form.pointer("/blocks/0/element/initial_option/value").and_then(Value::as_str);
    assert_eq!(initial, Some("P2"), "the form begins with what it is: {form}");
    jane.submits(&[("severity", "P1")]).await;
    card.shows("🔴 P1").await;
    jane.chooses("Add a note …", &card).await;
    jane.modal("note_incident").await;
    let empty = jane.submits(&[("note", " ")]).await;
    assert_eq!(empty.delivery.get("closed"), Some(&json!(false)), "{}", empty.delivery);
    jane.submits(&[("note", "The queue is draining")]).await;
    let thread = card.thread_of(3).await;
    assert!(thread[1].reads().contains("*Severity P2 → P1*") && thread[1].is_broadcast(), "{}", thread[1].reads());
    assert!(thread[2].reads().contains("The queue is draining"), "{}", thread[2].reads());
}

const POLICY: &str = r#"
    [[oncall]]
    name = "checkout"
    zone = "Europe/Berlin"
    start = "2026-01-05T09:00"
    people = ["U0OMAR"]

    [[escalation]]
    name = "everything"
    steps = [{ call = ["rotation:checkout"] }, { after = "1h", call = ["U0LENA"] }]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_on_call_gets_the_card_and_whoever_needs_help_calls_the_next() {
    let world = World::start().await;
    world.configures(POLICY).await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let card = world.alarm_fires("calls").await;
    card.thread_of(1).await;
    world.ticks().await;
    let has = async |channel: &'static str| {
        let card = async || direct(&world, channel).await.pop().ok_or_else(String::new);
        world.until("it is called", card).await
    };
    let his = has("D0OMAR").await;
    assert!(his.reads().contains("calls") && his.labels().contains(&"Acknowledge".to_owned()), "{}", his.reads());
    let thread = card.thread_of(2).await;
    assert!(thread[1].reads().contains("*Escalated* (step 1): <@U0OMAR>"), "{}", thread[1].reads());

    jane.types(&format!("/incident escalate {} the database is beyond me", card.incident)).await.answer().await;
    has("D0LENA").await;
    let thread = card.thread_of(3).await;
    let reads = thread[2].reads();
    assert!(reads.contains("*Escalated* by <@U0JANE> (step 2): <@U0LENA>") && reads.contains("beyond me"), "{reads}");
    omar.clicks_on("Acknowledge", &his, 1).await;
    card.shows("*Acknowledged* by <@U0OMAR>").await;
    card.thread_of(4).await;
    world.settled().await;
    let incident = world.incident(&card.incident).await;
    assert!(incident.get("escalation").is_none_or(Value::is_null), "nobody is called any more: {incident}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_and_not_kept_is_told() {
    let world = World::start().await;
    world.configures("[sla.P2]\nacknowledge = \"1m\"\nresolve = \"2h\"").await;
    let alarm = tests::inputs::Alarm::named("promised");
    world.drops(&alarm.fires(Timestamp::now() - SignedDuration::from_mins(5))).await;
    let card = world.card("#incidents", "promised").await;
    card.shows("*SLA:*").await;
    card.thread_of(1).await;
    world.ticks().await;
    let thread = card.thread_of(2).await;
    assert!(thread[1].reads().contains("*SLA breached*: it should have been acknowledged by"), "{}", thread[1].reads());
    world.ticks().await;
    card.thread_of(2).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_over_is_called_instead() {
    let world = World::start().await;
    world.configures(POLICY).await;
    let jane = world.user("jane");
    let on_call = jane.types("/incident oncall").await.answer().await;
    assert!(on_call.contains("*checkout*: <@U0OMAR> until"), "{on_call}");
    let wrong = jane.types("/incident oncall override search @lena 4h").await.answer().await;
    assert!(wrong.contains("There is no rotation `search`") && wrong.contains("`checkout`"), "{wrong}");
    let taken = jane.types("/incident oncall override @lena 4h").await.answer().await;
    assert!(taken.contains("*checkout*: <@U0LENA> until") && taken.contains("then <@U0OMAR>"), "{taken}");
    let card = world.alarm_fires("calls-lena").await;
    card.thread_of(1).await;
    world.ticks().await;
    world.until("Lena is called", async || direct(&world, "D0LENA").await.pop().map(|_| ()).ok_or_else(String::new)).await;
    card.thread_of(2).await;
    world.finish().await;
}
