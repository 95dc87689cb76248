//! The card: from an alarm to its end.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::inputs::Alarm;
use tests::world::World;

pub(crate) async fn an_alarm_becomes_a_card_and_a_thread_of_three(world: &World) {
    let jane = world.user("jane");
    let card = world.alarm_fires("checkout-cpu-high").await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;

    jane.clicks("Acknowledge", &card).await;
    card.has_buttons(&["Resolve"]).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;

    jane.clicks("Resolve", &card).await;
    jane.modal("resolve_incident").await;
    let submitted = jane.submits(&[("note", "Rolled back to v41"), ("root_cause", "Pool too small")]).await;
    assert_eq!(submitted.delivery.get("closed"), Some(&json!(true)), "the form closes: {}", submitted.delivery);
    card.shows("*Resolved* by <@U0JANE>").await;
    card.has_buttons(&[]).await;

    let thread = card.thread_of(3).await;
    let reads: Vec<_> = thread.iter().map(tests::slack::Message::reads).collect();
    assert!(reads[0].contains("*Triggered* by CloudWatch"), "{reads:?}");
    assert!(reads[1].contains("*Acknowledged* by <@U0JANE>"), "{reads:?}");
    assert!(
        reads[2].contains("*Resolved* by <@U0JANE>") && reads[2].contains("Rolled back to v41") && reads[2].contains("Pool too small"),
        "{reads:?}"
    );
    assert!(thread[2].is_broadcast() && !thread[1].is_broadcast(), "only the end is told to the whole channel");
    assert_eq!(world.cards("#incidents", "checkout-cpu-high").await.len(), 1);
}

pub(crate) async fn the_second_to_click_reads_who_has_it(world: &World) {
    let card = world.alarm_fires("search-latency").await;
    card.thread_of(1).await;
    // The card stays as it is while Slack takes no update, so that Omar still sees the button.
    world.slack.fault(&json!({ "kind": "rate_limited", "method": "chat.update", "times": 1, "retry_after": 4 })).await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    jane.clicks("Acknowledge", &card).await;
    let told = omar.clicks("Acknowledge", &card).await.answer().await;
    assert!(told.contains("<@U0JANE> had") && told.contains(&card.incident), "{told}");
    card.shows("*Acknowledged* by <@U0JANE>").await;
    card.thread_of(2).await;
    assert_eq!(card.times("acknowledged").await, 1);
}

pub(crate) async fn a_recovery_resolves_what_its_alarm_opened(world: &World) {
    let alarm = Alarm::named("disk-full");
    let now = Timestamp::now();
    world.drops(&alarm.fires(now - SignedDuration::from_mins(7))).await;
    let card = world.card("#incidents", "disk-full").await;
    world.drops(&alarm.recovers(now)).await;
    card.shows("*Resolved* by CloudWatch after 7 min").await;
    card.has_buttons(&[]).await;
    card.thread_of(2).await;

    // The next time is another incident with a card of its own.
    world.drops(&alarm.fires(now + SignedDuration::from_secs(1))).await;
    let cards = world
        .until("a second card", async || {
            let cards = world.cards("#incidents", "disk-full").await;
            if cards.len() == 2 { Ok(cards) } else { Err(tests::card::readable(&cards)) }
        })
        .await;
    assert_ne!(cards[0].incident(), cards[1].incident());
    assert_eq!(cards[1].labels().first().map(String::as_str), Some("Acknowledge"));
}

pub(crate) async fn repeats_raise_a_counter_on_the_one_card(world: &World) {
    let alarm = Alarm::named("queue-too-long");
    let start = Timestamp::now() - SignedDuration::from_mins(30);
    for minutes in [0, 5, 10] {
        world.drops(&alarm.fires(start + SignedDuration::from_mins(minutes))).await;
    }
    let card = world.card("#incidents", "queue-too-long").await;
    card.shows("3 times").await;
    card.thread_of(1).await;
    assert_eq!(world.cards("#incidents", "queue-too-long").await.len(), 1);
    assert_eq!(card.timeline().await.len(), 1, "repeats do not grow the timeline");
}

pub(crate) async fn a_rule_routes_to_two_channels(world: &World) {
    world
        .configures(
            r##"
            [routing]
            default = { channel = "#incidents" }

            [[routing.rules]]
            match = { service = "payments" }
            to = [{ channel = "#payments" }, { channel = "#general" }]
            "##,
        )
        .await;
    let alarm = Alarm::named("payments-errors").described("service: payments");
    world.drops(&alarm.fires(Timestamp::now())).await;
    let here = world.card("#payments", "payments-errors").await;
    let there = world.card("#general", "payments-errors").await;
    assert_eq!(here.incident, there.incident);

    world.user("lena").clicks("Acknowledge", &there).await;
    here.shows("*Acknowledged* by <@U0LENA>").await;
    there.shows("*Acknowledged* by <@U0LENA>").await;
    here.thread_of(2).await;
    there.thread_of(2).await;
    assert!(world.cards("#incidents", "payments-errors").await.is_empty());
}

pub(crate) async fn the_thread_can_be_turned_off(world: &World) {
    world.configures("thread = false").await;
    let card = world.alarm_fires("without-a-thread").await;
    world.user("jane").clicks("Acknowledge", &card).await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    card.thread_of(0).await;
    assert_eq!(card.timeline().await.len(), 2, "what happened is kept all the same");
}
