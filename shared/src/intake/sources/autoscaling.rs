//! Auto Scaling: groups that cannot launch or end instances, and instances that are replaced for a new version.
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html>
//!
//! - The same comes over EventBridge, and as JSON over SNS with `Event: autoscaling:…`, so a group is known by a name that both say.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html>
//! - A group that cannot launch is P2, one that cannot end an instance P3; each is over with the next one that succeeds. There is no scale.
//! - An instance refresh is a deployment of its group. Cancelled, it has not failed.
//!   <https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-eventbridge-events.html>
//! - Lifecycle hooks are for programs; what they wait with is a secret of theirs, and shows nowhere.

use serde_json::{Map, Value};

use crate::domain::kind::{Deployment, Progress};
use crate::domain::severity::Severity;
use crate::intake::event::{Arn, Event, time_in};
use crate::intake::fields::{plain_in, text};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if text(detail, "Event") == Some("autoscaling:TEST_NOTIFICATION") {
        return News::nothing("Auto Scaling tries whether its notifications arrive").only();
    }
    if text(detail, "LifecycleTransition").is_some() {
        return News::nothing("an instance waits for its lifecycle hook").only();
    }
    let group = Group::of(event, detail)?;
    // `EC2 Instance Launch Unsuccessful`, and `autoscaling:EC2_INSTANCE_LAUNCH_ERROR` over SNS.
    match text(detail, "Event").unwrap_or_else(|| event.detail_type()) {
        "EC2 Instance Launch Successful" | "autoscaling:EC2_INSTANCE_LAUNCH" => group.works("launch", "An instance was launched.", detail),
        "EC2 Instance Terminate Successful" | "autoscaling:EC2_INSTANCE_TERMINATE" => {
            group.works("terminate", "An instance was terminated.", detail)
        }
        "EC2 Instance Detach Successful" => group.works("detach", "An instance was detached.", detail),
        "EC2 Instance Launch Unsuccessful" | "autoscaling:EC2_INSTANCE_LAUNCH_ERROR" => {
            group.fails("launch", "cannot launch instances", Severity::P2, detail)
        }
        "EC2 Instance Terminate Unsuccessful" | "autoscaling:EC2_INSTANCE_TERMINATE_ERROR" => {
            group.fails("terminate", "cannot terminate an instance", Severity::P3, detail)
        }
        "EC2 Instance Detach Unsuccessful" => group.fails("detach", "cannot detach an instance", Severity::P3, detail),
        kind => match kind.strip_prefix("EC2 Auto Scaling Instance Refresh ") {
            Some(state) => group.refresh(state, detail),
            None => group.fails("other", &format!("says: {kind}"), Severity::P4, detail),
        },
    }
}

/// Whose event it is.
struct Group {
    name: String,
    key: String,
    place: Place,
}

impl Group {
    fn of(event: &Event, detail: &Map<String, Value>) -> Option<Self> {
        let name = text(detail, "AutoScalingGroupName")?.to_owned();
        let itself = text(detail, "AutoScalingGroupARN").and_then(Arn::parse).map(|arn| Place::of(&arn)).unwrap_or_default();
        let place = itself.or(event.place());
        // Not every event has the group's ARN, which has an id in it.
        let key = place.arn("autoscaling", &format!("autoScalingGroupName/{name}")).unwrap_or_else(|| format!("autoscaling:{name}"));
        Some(Self { name, key, place })
    }

    fn key(&self, what: &str) -> String {
        format!("{}#{what}", self.key)
    }

    fn page(&self, tab: &str) -> Option<String> {
        self.place.console(&format!("ec2/home#AutoScalingGroupDetails:id={};view={tab}", encoded(&self.name)))
    }

    fn works(&self, what: &str, why: &str, detail: &Map<String, Value>) -> Option<Vec<News>> {
        News::over(Some(why)).known_by(Some(self.key(what))).at(time_in(detail, "EndTime")).only()
    }

    fn fails(&self, what: &str, does: &str, severity: Severity, detail: &Map<String, Value>) -> Option<Vec<News>> {
        let instance = text(detail, "EC2InstanceId").filter(|id| id.starts_with("i-"));
        News::wrong(format!("Auto Scaling group {} {does}", self.name))
            .known_by(Some(self.key(what)))
            .at(time_in(detail, "EndTime"))
            .severity(Some(severity))
            .why(text(detail, "StatusMessage"))
            .affects(instance)
            .detail("Wanted because", text(detail, "Cause"))
            .detail("Availability zone", text(detail, "Details.Availability Zone"))
            .detail("Subnet", text(detail, "Details.Subnet ID"))
            .page(self.page("activity"))
            .in_place(self.place.clone())
            .only()
    }

    fn refresh(&self, state: &str, detail: &Map<String, Value>) -> Option<Vec<News>> {
        let key = Some(self.key("refresh"));
        let (progress, severity, how) = match state {
            "Cancelled" => return News::over(Some("The instance refresh was cancelled.")).known_by(key).only(),
            "Succeeded" => (Progress::Succeeded, Severity::P4, "is done"),
            "Failed" => (Progress::Failed, Severity::P3, "failed"),
            "Rollback Started" => (Progress::Failed, Severity::P3, "failed and is being rolled back"),
            "Rollback Succeeded" => (Progress::RolledBack, Severity::P3, "is rolled back"),
            "Rollback Failed" => (Progress::Failed, Severity::P2, "failed, and so did its rollback"),
            "Checkpoint Reached" => (Progress::Started, Severity::P4, "has reached a checkpoint"),
            "Started Baking" => (Progress::Started, Severity::P4, "has replaced all and waits"),
            _ => (Progress::Started, Severity::P4, "is under way"),
        };
        News::deployment(format!("Instance refresh of {} {how}", self.name), progress)
            .brings(Deployment { environment: Some(self.name.clone()), ..Deployment::default() })
            .known_by(key)
            .severity(Some(severity))
            .detail("Replaced", plain_in(detail, "CheckpointPercentage").map(|percent| format!("{percent} %")))
            .detail("Refresh", text(detail, "InstanceRefreshId"))
            .page(self.page("instanceRefresh"))
            .in_place(self.place.clone())
            .only()
    }
}
