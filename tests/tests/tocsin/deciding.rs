//! What people decide, and whom that is told: approvals, buttons of an incident's own, and commands of a workspace's own.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::card::Card;
use tests::inputs::own;
use tests::internal_api::{Behaviour, InternalApi};
use tests::ministack::Queue;
use tests::world::World;

/// A world with an endpoint `deploys`, which is that API.
async fn world_and_api() -> (World, InternalApi) {
    let world = World::start().await;
    let api = InternalApi::start(&world, "deploys").await;
    configures(&world, &api, "").await;
    (world, api)
}

async fn configures(world: &World, api: &InternalApi, rest: &str) {
    let document = format!("{rest}\n[[endpoints]]\nname = \"deploys\"\nurl = \"{}\"\ntimeout = \"1s\"\n", api.url);
    world.configures(&document).await;
}

/// Asks for an approval, and waits for its card.
async fn asks<'w>(world: &'w World, title: &str, approval: &Value) -> Card<'w> {
    world.drops(&own("create", title, Timestamp::now(), &json!({ "title": title, "approval": approval }))).await;
    world.card("#incidents", title).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_asked_decided_by_two_and_told_once() {
    let (world, api) = world_and_api().await;
    let (jane, omar, lena) = (world.user("jane"), world.user("omar"), world.user("lena"));
    let asked = json!({ "who": ["U0JANE", "S0ONCALL"], "quorum": 2, "approve": "Deploy", "call": "deploys", "confirm": "Deploy it now?" });
    let card = asks(&world, "deploy checkout 1.42", &asked).await;
    card.has_buttons(&["Deploy", "Reject"]).await;
    card.shows("*Deploy / Reject?*").await;
    jane.clicks("Deploy", &card).await;
    card.shows("1 of 2 for *Deploy*: <@U0JANE>").await;
    let again = jane.clicks("Deploy", &card).await.answer().await;
    assert!(again.contains("it needs 1 more"), "{again}");
    assert_eq!(api.requests(), [] as [Value; 0], "one alone decides nothing");
    // Omar is in the usergroup.
    omar.clicks("Deploy", &card).await;
    card.shows("✅ deploys: triggered").await;
    card.shows("*Decided*").await;
    card.has_buttons(&[]).await;
    let effects = api.effects();
    let [told] = effects.as_slice() else { panic!("{effects:?}") };
    let field = |pointer: &str| told.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(field("/type"), "incident.decided");
    assert_eq!((field("/data/option"), field("/data/incident/id")), (json!("approve"), json!(card.incident)));
    assert_eq!((field("/data/by/id"), field("/data/voters/0/id")), (json!("U0OMAR"), json!("U0JANE")));
    let late = lena.types(&format!("/incident show {}", card.incident)).await.answer().await;
    assert!(late.contains("*Deploy* by <@U0OMAR>"), "{late}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_decide_reads_who_may_and_a_no_says_why() {
    let (world, api) = world_and_api().await;
    let (jane, lena) = (world.user("jane"), world.user("lena"));
    let card = asks(&world, "deploy search 7", &json!({ "who": ["S0RELEASE"], "reason": true, "call": "deploys" })).await;
    let refused = lena.clicks("Approve", &card).await.answer().await;
    assert!(refused.contains("You may not decide this") && refused.contains("S0RELEASE"), "{refused}");
    jane.clicks("Reject", &card).await;
    jane.modal("reason_incident").await;
    let empty = jane.submits(&[("reason", " ")]).await;
    assert_eq!(empty.delivery.get("closed"), Some(&json!(false)), "{}", empty.delivery);
    jane.submits(&[("reason", "The error rate is too high")]).await;
    card.shows("*Reject* by <@U0JANE>: The error rate is too high").await;
    card.shows("*Decided*").await;
    // The card says what was decided before anybody was told.
    card.shows("✅ deploys: ").await;
    assert_eq!(api.effects()[0].pointer("/data/reason"), Some(&json!("The error rate is too high")));
    world.finish().await;
}

/// The id under which somebody was called because of this incident.
fn call_of(world: &World, incident: &str) -> String {
    let lines = world.logs.lines().into_iter().filter(|line| line.function == "caller" && line.text.contains(incident));
    let call =
        lines.filter_map(|line| serde_json::from_str::<Value>(&line.text).ok()?.get("intent")?.as_str().map(str::to_owned)).next_back();
    call.unwrap_or_else(|| panic!("no call for {incident}:\n{}", world.logs.tail(20)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_is_slow_or_stumbles_or_hears_it_twice_does_it_once() {
    let (world, api) = world_and_api().await;
    let jane = world.user("jane");
    let down = || [500, 502, 503, 500].map(|status| Behaviour::Says(status, "sorry"));
    let cases = [
        ("stumbles", vec![Behaviour::Says(500, "sorry")]),
        ("is down for longer than one batch", down().to_vec()),
        ("is slow", vec![Behaviour::DoesAndIsSlow(Duration::from_secs(3))]),
    ];
    for (number, (case, behaviours)) in cases.into_iter().enumerate() {
        api.answers(behaviours);
        let card = asks(&world, &format!("deploy while it {case}"), &json!({ "call": "deploys" })).await;
        jane.clicks("Approve", &card).await;
        card.shows("✅ deploys: ").await;
        assert_eq!(api.effects().len(), number + 1, "{case}: {:?}", api.requests());
    }
    // The queue brings the call a second time.
    let asked_before = api.requests().len();
    let card = asks(&world, "deploy twice", &json!({ "call": "deploys" })).await;
    jane.clicks("Approve", &card).await;
    card.shows("✅ deploys: triggered").await;
    let call = call_of(&world, &card.incident);
    let again = json!({ "version": 1, "message": {
        "id": call, "workspace": "T0TOCSIN", "at": Timestamp::now(), "by": { "id": "U0JANE" }, "to": "deploys",
        "about": { "decision": { "incident": card.incident, "decision": "approval" } },
    }});
    world.queues_again(Queue::Calls, &again.to_string()).await;
    world.settled().await;
    assert_eq!((api.effects().len(), api.requests().len()), (4, asked_before + 1), "what is done is not asked again");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_on_the_card_and_can_be_called_again() {
    let (world, api) = world_and_api().await;
    let jane = world.user("jane");
    api.answers([Behaviour::Says(422, "there is no version 9")]);
    let card = asks(&world, "deploy nothing", &json!({ "call": "deploys" })).await;
    jane.clicks("Approve", &card).await;
    card.shows("*failed*, deploys: HTTP 422: there is no version 9").await;
    card.shows("*Decided*").await;
    world.expects_error("there is no version 9");
    let letter = world.takes_dead_letter(Queue::Calls).await;
    assert!(letter.reason.contains("there is no version 9"), "{}", letter.reason);
    world.puts_back(Queue::Calls, &letter).await;
    card.shows("✅ deploys: triggered").await;
    card.shows("*Decided*").await;
    assert_eq!(api.effects().len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_called_who_is_not_configured_allowed_and_known() {
    let (world, api) = world_and_api().await;
    let jane = world.user("jane");
    let elsewhere = "\n[[endpoints]]\nname = \"elsewhere\"\nurl = \"https://internal.example.com/\"\n[[endpoints]]\nname = \"unsigned\"\nurl = \"http://127.0.0.1:9/\"";
    configures(&world, &api, elsewhere).await;
    for (endpoint, why) in [
        ("nowhere", "no endpoint `nowhere` is configured"),
        ("elsewhere", "the host internal.example.com is not among the deployment's CallHosts"),
        ("unsigned", "there is no signing secret for `unsigned`"),
    ] {
        let card = asks(&world, &format!("deploy to {endpoint}"), &json!({ "call": endpoint })).await;
        jane.clicks("Approve", &card).await;
        card.shows(&format!("*failed*, {endpoint}: {why}")).await;
        world.expects_error(why);
        assert!(world.takes_dead_letter(Queue::Calls).await.reason.contains(why));
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_decides_in_time_expires_by_itself() {
    let (world, api) = world_and_api().await;
    let expires = Timestamp::now() + jiff::SignedDuration::from_secs(2);
    let card = asks(&world, "deploy in time", &json!({ "expires_at": expires, "call": "deploys" })).await;
    world
        .until("it expires", async || {
            world.ticks().await;
            let reads = card.message().await.reads();
            if reads.contains("*Nobody decided in time*") { Ok(()) } else { Err(reads) }
        })
        .await;
    card.has_buttons(&[]).await;
    card.thread_of(2).await;
    assert!(api.requests().is_empty());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incidents_own_buttons_do_what_they_say() {
    let (world, api) = world_and_api().await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    let actions = json!([
        { "name": "rollback", "label": "Roll back", "style": "danger", "confirm": "Roll back to 1.41?", "call": "deploys" },
        { "name": "restart", "label": "Restart", "call": "deploys" },
    ]);
    world.drops(&own("create", "broken", Timestamp::now(), &json!({ "title": "checkout is broken", "actions": actions }))).await;
    let card = world.card("#incidents", "checkout is broken").await;
    card.has_buttons(&["Acknowledge", "Resolve", "Roll back", "Restart"]).await;
    let message = card.message().await;
    let (one, other) = tokio::join!(jane.clicks_on("Roll back", &message, 2), omar.clicks_on("Roll back", &message, 2));
    card.shows("✅ deploys: triggered").await;
    card.has_buttons(&["Acknowledge", "Resolve", "Restart"]).await;
    let first = if card.message().await.reads().contains("*Roll back* by <@U0JANE>") { "<@U0JANE>" } else { "<@U0OMAR>" };
    let second = if first == "<@U0JANE>" { other } else { one }.answer().await;
    assert!(second.contains(&format!("{first} chose *Roll back*")), "{second}");
    assert_eq!(api.effects().len(), 1);
    card.thread_of(3).await;
    world.finish().await;
}

/// All at once, from the same card; who was first is on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_press_at_once_one_decides_and_the_other_reads_who() {
    let (world, api) = world_and_api().await;
    let (jane, omar) = (world.user("jane"), world.user("omar"));
    for round in 0..5 {
        let card = asks(&world, &format!("round {round}"), &json!({ "call": "deploys" })).await;
        let message = card.has_buttons(&["Approve", "Reject"]).await;
        let (one, other) = tokio::join!(jane.clicks_on("Approve", &message, 2), omar.clicks_on("Reject", &message, 2));
        card.shows("✅ deploys: triggered").await;
        let decided = card.message().await.reads();
        let (loser, winner) = if decided.contains("*Approve* by <@U0JANE>") {
            (other, "<@U0JANE> chose *Approve*")
        } else {
            (one, "<@U0OMAR> chose *Reject*")
        };
        let told = loser.answer().await;
        assert!(told.contains(winner), "{told}\n{decided}");
        assert_eq!(api.effects().len(), round + 1);
    }
    world.finish().await;
}

const COMMANDS: &str = r#"
aliases = ["/opsknight"]

[[commands]]
name = "/deploy"
usage = "SERVICE [VERSION]"
help = "deploys a service"
call = "deploys"
who = ["S0RELEASE"]
answer = "channel"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_of_ones_own_is_called_and_its_answer_shown() {
    let (world, api) = world_and_api().await;
    let (jane, lena) = (world.user("jane"), world.user("lena"));
    let document = format!("{COMMANDS}\n[[endpoints]]\nname = \"deploys\"\nurl = \"{}\"\ntimeout = \"1s\"\n", api.url);
    world.configures(&document).await;
    api.answers([Behaviour::Says(200, "checkout 1.42 is on its way")]);
    jane.types("/deploy checkout 1.42 for @omar").await;
    let answer = world.until("everybody sees it", async || {
        let messages = world.slack.messages().await;
        messages.into_iter().find(|message| message.reads().contains("is on its way")).ok_or_else(String::new)
    });
    let answer = answer.await;
    assert!(answer.only_for().is_none() && answer.reads().contains("*/deploy* by <@U0JANE>"), "{}", answer.reads());
    let told = api.effects().remove(0);
    assert_eq!(told.pointer("/data/arguments"), Some(&json!(["checkout", "1.42", "for", "@omar"])), "{told}");
    let not_hers = lena.types("/deploy checkout 1.43").await.answer().await;
    assert!(not_hers.contains("You may not use `/deploy`"), "{not_hers}");
    api.answers([500, 500, 500].map(|status| Behaviour::Says(status, "out of order")));
    jane.types("/incident deploy checkout 1.44").await;
    world
        .until("it is told that it was not done", async || {
            let messages = world.slack.messages().await;
            messages.into_iter().find(|message| message.reads().contains("It was not done: HTTP 500: out of order")).ok_or_else(String::new)
        })
        .await;
    assert_eq!(api.effects().len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_names_and_slips_of_the_pen_are_understood() {
    let (world, api) = world_and_api().await;
    let jane = world.user("jane");
    let document = format!("{COMMANDS}\n[[endpoints]]\nname = \"deploys\"\nurl = \"{}\"\ntimeout = \"1s\"\n", api.url);
    world.configures(&document).await;
    let card = world.alarm_fires("by-another-name").await;
    let listed = jane.types("/opsknight list").await.answer().await;
    assert!(listed.contains("by-another-name"), "{listed}");
    jane.types(&format!("/opsknight ack {}", card.incident)).await.answer().await;
    card.shows("*Acknowledged* by <@U0JANE>").await;
    for (line, says) in [
        ("/incident depoly checkout", "Did you mean `deploy`?"),
        ("/opsknight acknowlege", "Did you mean `acknowledge`?"),
        ("/nobody list", "`/nobody` is not configured in this workspace"),
        ("/opsknight create", "What is wrong?"),
        ("/opsknight help", "/incident"),
        ("/incident commands", "`/deploy SERVICE [VERSION]`  deploys a service"),
    ] {
        let answer = jane.types(line).await.answer().await;
        assert!(answer.contains(says), "{line}: {answer}");
    }
    assert!(api.requests().is_empty());
    world.finish().await;
}
