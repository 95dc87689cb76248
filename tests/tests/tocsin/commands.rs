//! `/incident`: everything that can be typed.

use tests::slack::incident_in;
use tests::world::World;

pub(crate) async fn an_incident_from_create_to_reopen(world: &World) {
    let (jane, omar) = (world.user("jane"), world.user("omar"));

    let answer = jane.types("/incident list").await.answer().await;
    assert!(answer.contains("All quiet"), "{answer}");

    let answer = jane.types("/incident create P1 checkout is down").await.answer().await;
    assert!(answer.contains("is open: P1 checkout is down"), "{answer}");
    let card = world.card("#incidents", "checkout is down").await;
    assert_eq!(incident_in(&answer), Some(card.incident.clone()));
    let id = card.incident.as_str();
    let short = id.get(..7).expect("INC- and six characters").to_lowercase();

    let answer = omar.types("/incident list").await.answer().await;
    assert!(answer.contains("1 open incident") && answer.contains(id) && answer.contains("checkout is down"), "{answer}");

    let answer = omar.types(&format!("/incident ack {short}")).await.answer().await;
    assert!(answer.contains("You have") && answer.contains(id), "{answer}");
    card.shows("*Acknowledged* by <@U0OMAR>").await;
    let answer = jane.types("/incident ack").await.answer().await;
    assert!(answer.contains("<@U0OMAR> had"), "{answer}");

    let answer = jane.types(&format!("/incident note {id} the pool is exhausted")).await.answer().await;
    assert!(answer.contains("note"), "{answer}");
    let answer = jane.types("/incident status").await.answer().await;
    assert!(answer.contains("1 open incident") && answer.contains("Somebody has each of them"), "{answer}");

    let answer = jane.types(&format!("/incident resolve {id} rolled back")).await.answer().await;
    assert!(answer.contains("is resolved"), "{answer}");
    card.shows("*Resolved* by <@U0JANE>").await;
    let answer = omar.types(&format!("/incident reopen {id}")).await.answer().await;
    assert!(answer.contains("is open again"), "{answer}");
    card.shows("reopened by <@U0OMAR>").await;
    card.has_buttons(&["Acknowledge", "Resolve"]).await;

    let answer = jane.types(&format!("/incident show {short}")).await.answer().await;
    for line in [
        "checkout is down",
        "*Triggered* by <@U0JANE>",
        "*Acknowledged* by <@U0OMAR>",
        "the pool is exhausted",
        "rolled back",
        "*Reopened*",
    ] {
        assert!(answer.contains(line), "no {line:?} in {answer}");
    }
    // Triggered, acknowledged, noted, resolved, reopened.
    let thread = card.thread_of(5).await;
    assert!(thread[2].reads().contains("the pool is exhausted"), "{}", thread[2].reads());

    let help = jane.types("/incident help").await.answer().await;
    for word in ["create", "list", "show", "ack", "resolve", "reopen", "note", "status", "help"] {
        assert!(help.contains(word), "help does not know {word:?}: {help}");
    }
    jane.types(&format!("/incident resolve {id}")).await.answer().await;
    card.shows("*Resolved*").await;
}

pub(crate) async fn a_mistake_reads_what_to_do(world: &World) {
    let jane = world.user("jane");
    let told = async |line: &str| jane.types(line).await.answer().await;
    let answer = told("/incident acknowlege INC-1").await;
    assert!(answer.contains("Did you mean `acknowledge`?"), "{answer}");
    let answer = told("/incident ack INC-000000").await;
    assert!(answer.contains("No incident's id begins with INC-000000"), "{answer}");
    let answer = told("/incident ack").await;
    assert!(answer.contains("Nothing is open"), "{answer}");
    let answer = told("/incident note 7k3").await;
    assert!(answer.contains("note ID TEXT"), "{answer}");
}

/// Of many, those are offered that one would look at first, and not those whose ids happen to begin the alphabet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_say_which_one_reads_the_worst_first() {
    let world = World::start().await;
    let jane = world.user("jane");
    for (severity, title) in
        [("P3", "third"), ("P1", "first"), ("P4", "last"), ("P2", "second"), ("P4", "next to last"), ("P4", "last but two")]
    {
        let created = jane.types(&format!("/incident create {severity} {title}")).await.answer().await;
        assert!(created.contains("is open"), "{created}");
    }
    let answer = jane.types("/incident ack").await.answer().await;
    let offered = answer.lines().filter_map(|line| Some(line.split_once("INC-")?.1.split_once(' ')?.1));
    // The answer is there twice: as a text to be notified of, and as blocks.
    let offered: Vec<&str> = offered.take(5).collect();
    assert_eq!(offered, ["first", "second", "third", "last", "next to last"], "{answer}");
    assert!(answer.contains("and more"), "{answer}");
    world.finish().await;
}
