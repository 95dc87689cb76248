//! Channels by number, for loads that are spread over many of them.

use std::fmt::Write;
use std::ops::Range;

use serde_json::json;

use crate::world::{WORKSPACE, World};

/// The id of the channel with this number.
pub fn channel(number: usize) -> String {
    format!("C0LOAD{number:03}")
}

/// Makes channels, and rules that lead the service `service-{number}` there; `settings` come before the rules.
pub async fn channels(world: &World, count: usize, settings: &str) {
    channels_of(world, WORKSPACE, 0..count, settings).await;
}

/// The same for the channels of these numbers in one of several workspaces.
pub async fn channels_of(world: &World, workspace: &str, numbers: Range<usize>, settings: &str) {
    let mut document = format!("{settings}\n[routing]\ndefault = {{ channel = \"#incidents\" }}\n");
    for number in numbers {
        let id = channel(number);
        world.slack.tell("channels", &json!({ "id": id, "name": id.to_lowercase(), "is_member": true, "team_id": workspace })).await;
        let _ = write!(document, "[[routing.rules]]\nmatch = {{ service = \"service-{number}\" }}\nto = [{{ channel = \"{id}\" }}]\n");
    }
    world.configures_for(workspace, &document).await;
}
