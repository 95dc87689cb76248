//! A workspace's settings: checked before they are stored.

use serde_json::Value;
use shared::domain::ids::Workspace;
use shared::store::Store;
use shared::store::workspaces::Stored;
use tests::inputs::Alarm;
use tests::paths;
use tests::world::{WORKSPACE, World};

const GOOD: &str = "[routing]\ndefault = { channel = \"C0PAYMENTS\" }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_document_is_refused_at_its_place_and_the_one_before_stays_in_force() {
    let world = World::start().await;
    let store = Store::new(world.aws.dynamodb.clone(), world.resources.table.clone());
    let workspace = Workspace::new(WORKSPACE);
    let put = async |read: Option<&str>, document: &str| store.replace_configuration(&workspace, read, document).await.expect("an answer");
    assert_eq!(put(None, GOOD).await, Stored::Done);
    let file = paths::repository().join("shared/src/domain/configuration/wrong.json");
    let wrong: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).expect("a file of the repository")).expect("a list");
    assert!(wrong.len() >= 50, "{}", wrong.len());
    for case in &wrong {
        let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default();
        let Stored::Wrong(mistakes) = put(Some(GOOD), text("document")).await else { panic!("it is stored: {case}") };
        let line = case.get("line").and_then(Value::as_u64);
        let at_its_place = mistakes
            .iter()
            .any(|mistake| u64::try_from(mistake.line).ok() == line && mistake.key == text("key") && mistake.what.contains(text("says")));
        assert!(at_its_place, "{case}\n{mistakes:#?}");
    }
    // Nor does anybody put a document in the place of one that they have not read.
    assert_eq!(put(None, "thread = false").await, Stored::Raced);
    assert_eq!(store.configuration(&workspace).await.expect("an answer").as_deref(), Some(GOOD));
    world.drops(&Alarm::named("routed-as-before").fires(jiff::Timestamp::now())).await;
    world.card("C0PAYMENTS", "routed-as-before").await;
    world.finish().await;
}
