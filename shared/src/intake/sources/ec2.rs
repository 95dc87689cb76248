//! EC2: instances, spot capacity that is taken back, and what EBS says about volumes, snapshots and images.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ec2.html>
//!
//! - An instance is known by its ARN. That one stopped is P4, because mostly somebody wanted it; it is over when it runs again or is gone. That spot
//!   capacity is taken back within two minutes is P3. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
//! - A volume is known by its ARN: P2 where an instance does not get it, else P3; over with what next succeeds. A snapshot is known by what it is
//!   made of, so that the next one that succeeds ends it; P3. <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html>
//! - An image is known by its ARN. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html>
//!
//! There is no scale: these grades are ours.

use serde_json::{Map, Value};

use crate::domain::severity::Severity;
use crate::intake::event::{Event, last_name, time_in};
use crate::intake::fields::text;
use crate::intake::news::News;
use crate::intake::place::encoded;

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    match event.detail_type() {
        "EC2 Instance State-change Notification" => instance(event, detail),
        "EC2 Spot Instance Interruption Warning" => interrupted(event, detail),
        "EC2 Instance Rebalance Recommendation" | "EC2 Spot Instance Rebalance Recommended" => endangered(event, detail),
        "EBS Volume Notification" => volume(event, detail),
        "EBS Snapshot Notification" | "EBS Multi-Volume Snapshots Completion Status" => snapshot(event, detail),
        "EC2 AMI State Change" => image(event, detail),
        "EC2 Fast Launch State-change Notification" => fast_launch(detail),
        _ => News::nothing("a spot request was fulfilled, or snapshots are restored faster or not any more").only(),
    }
}

/// An instance's id, its key and its page.
fn of_instance(event: &Event, detail: &Map<String, Value>) -> Option<(String, Option<String>, Option<String>)> {
    let id = text(detail, "instance-id")?;
    let place = event.place();
    let page = place.console(&format!("ec2/home#InstanceDetails:instanceId={}", encoded(id)));
    Some((id.to_owned(), place.arn("ec2", &format!("instance/{id}")).or_else(|| Some(id.to_owned())), page))
}

fn instance(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, key, page) = of_instance(event, detail)?;
    match text(detail, "state")? {
        "pending" | "stopping" | "shutting-down" => News::nothing("an instance is on its way to another state, which is told").only(),
        "running" => News::over(Some("The instance runs.")).known_by(key).only(),
        // What was said about it is over, and that it is gone is told by itself.
        "terminated" => {
            let over = News::over(Some("The instance was terminated.")).known_by(key);
            Some(vec![News::notice(format!("Instance {id} was terminated")).page(page), over])
        }
        "stopped" => News::wrong(format!("Instance {id} is stopped")).known_by(key).severity(Some(Severity::P4)).page(page).only(),
        other => News::wrong(format!("Instance {id} is {other}")).known_by(key).severity(Some(Severity::P4)).page(page).only(),
    }
}

fn interrupted(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, key, page) = of_instance(event, detail)?;
    let does = match text(detail, "instance-action").unwrap_or("terminate") {
        "terminate" => "terminated",
        "stop" => "stopped",
        "hibernate" => "hibernated",
        _ => "taken back",
    };
    News::wrong(format!("Spot instance {id} will be {does} in two minutes"))
        .known_by(key)
        .severity(Some(Severity::P3))
        .why(Some("EC2 takes its spot capacity back."))
        .page(page)
        .only()
}

fn endangered(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, _, page) = of_instance(event, detail)?;
    News::notice(format!("Spot instance {id} may be taken back soon"))
        .why(Some("EC2 says that its spot capacity is at a higher risk and recommends to replace it."))
        .page(page)
        .only()
}

fn volume(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (action, result) = (text(detail, "event")?, text(detail, "result")?);
    let arn = event.resources().first()?;
    let (does, severity) = match action {
        "attachVolume" | "reattachVolume" => ("could not be attached", Severity::P2),
        "createVolume" => ("could not be created", Severity::P3),
        "modifyVolume" => ("could not be changed", Severity::P3),
        _ => ("is in trouble", Severity::P3),
    };
    match result {
        "failed" => {}
        "available" | "completed" | "deleted" | "attached" => {
            return News::over(Some(format!("The volume is {result}."))).known_by(Some(arn.clone())).only();
        }
        _ => return News::nothing("a volume is being changed").only(),
    }
    let id = last_name(arn);
    News::wrong(format!("Volume {id} {does}"))
        .known_by(Some(arn.clone()))
        .severity(Some(severity))
        .why(text(detail, "cause"))
        .page(event.place().console(&format!("ec2/home#VolumeDetails:volumeId={}", encoded(id))))
        .only()
}

fn snapshot(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (action, result) = (text(detail, "event")?, text(detail, "result")?);
    let snapshot = text(detail, "snapshot_id")
        .or_else(|| text(detail, "snapshots.0.snapshot_id"))
        .or(event.resources().first().map(String::as_str))?;
    let source = text(detail, "source").or_else(|| text(detail, "snapshots.0.source"));
    let of = source.map_or_else(|| last_name(snapshot), last_name);
    let key = Some(format!("{}#{action}", source.unwrap_or(snapshot)));
    if action == "shareSnapshot" {
        return News::notice(format!("Another account shared snapshot {} with this one", last_name(snapshot))).only();
    }
    if result != "failed" {
        return News::over(Some("The next snapshot succeeded.")).known_by(key).at(time_in(detail, "endTime")).only();
    }
    let title = match action {
        "createSnapshot" => format!("Snapshot of {of} failed"),
        "createSnapshots" => "Snapshots of several volumes failed".to_owned(),
        "copySnapshot" => format!("Copy of {of} failed"),
        _ => format!("Snapshot {} is in trouble: {action} failed", last_name(snapshot)),
    };
    News::wrong(title)
        .known_by(key)
        .at(time_in(detail, "endTime"))
        .severity(Some(Severity::P3))
        .why(text(detail, "cause"))
        .affects(source.map(last_name))
        .page(event.place().console(&format!("ec2/home#SnapshotDetails:snapshotId={}", encoded(last_name(snapshot)))))
        .only()
}

fn image(event: &Event, detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, state) = (text(detail, "ImageId")?, text(detail, "State")?);
    let place = event.place();
    let key = place.arn("ec2", &format!("image/{id}")).or_else(|| Some(id.to_owned()));
    match state {
        "available" => News::over(Some("The image is available.")).known_by(key).only(),
        "failed" => News::wrong(format!("Image {id} could not be made"))
            .known_by(key)
            .severity(Some(Severity::P3))
            .why(text(detail, "ErrorMessage"))
            .page(place.console(&format!("ec2/home#ImageDetails:imageId={}", encoded(id))))
            .only(),
        _ => News::nothing("an image was disabled or given up").only(),
    }
}

fn fast_launch(detail: &Map<String, Value>) -> Option<Vec<News>> {
    let (id, state) =
        (text(detail, "imageId").or_else(|| text(detail, "ImageId"))?, text(detail, "state").or_else(|| text(detail, "State"))?);
    if !state.ends_with("failed") {
        return News::nothing("an image launches faster, or not any more").only();
    }
    News::wrong(format!("Image {id} cannot launch faster"))
        .known_by(Some(format!("ec2:fast-launch:{id}")))
        .severity(Some(Severity::P4))
        .why(text(detail, "stateTransitionReason").or_else(|| text(detail, "StateTransitionReason")))
        .only()
}
