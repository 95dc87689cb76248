//! `CodeCommit`: branches, pull requests and what is said about them. <https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html>
//!
//! - Nothing of it is wrong, so all of it is a notice, each of its own: a branch that moved, a pull request that was opened, merged or closed, a comment.
//!   What nobody waits for (reactions, the commits that a merge leaves behind) is left out.
//! - A repository's triggers send records of their own, by SNS or to a function.
//!   <https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-notify-lambda.html>

use serde_json::{Map, Value};

use crate::intake::event::{Arn, Event, last_name, time_in};
use crate::intake::fields::{get, objects, text, texts};
use crate::intake::news::News;
use crate::intake::place::{Place, encoded};

/// The types of its events.
pub(super) const TYPES: &[&str] = &[
    "CodeCommit Repository State Change",
    "CodeCommit Pull Request State Change",
    "CodeCommit Comment on Commit",
    "CodeCommit Comment on Pull Request",
    "CodeCommit Comment Reaction Change",
    "CodeCommit Approval Rule Template Change",
];

pub(super) fn read(event: &Event) -> Option<Vec<News>> {
    let detail = event.object()?;
    if event.bridge.is_none() {
        return triggered(event, detail);
    }
    let kind = text(detail, "event")?;
    if text(detail, "pullRequestId").is_some() {
        return pull_request(event, detail, kind);
    }
    match kind {
        "referenceCreated" => moved(event, detail, "was created"),
        "referenceUpdated" => moved(event, detail, "was updated"),
        "referenceDeleted" => moved(event, detail, "was deleted"),
        "unreferencedMergeCommitCreated" | "commentReactionCreated" | "commentReactionUpdated" => {
            News::nothing("nobody waits for a reaction, or for a commit that no branch has").only()
        }
        "commentOnCommitCreated" => commented(event, detail, "commented on a commit in"),
        "commentOnCommitUpdated" => commented(event, detail, "changed a comment on a commit in"),
        _ => other(detail, kind),
    }
}

fn repository_page(place: &Place, repository: &str, page: &str) -> Option<String> {
    place.console(&format!("codesuite/codecommit/repositories/{}/{page}", encoded(repository)))
}

/// The name at the end of who did it.
fn who(detail: &Map<String, Value>) -> Option<&str> {
    let caller = || text(detail, "callerUserArn")?.rsplit(['/', '\\']).next();
    text(detail, "displayName").or_else(caller)
}

/// A branch or a tag.
fn moved(event: &Event, detail: &Map<String, Value>, says: &str) -> Option<Vec<News>> {
    let (repository, name) = (text(detail, "repositoryName")?, text(detail, "referenceName")?);
    let kind = text(detail, "referenceType").unwrap_or("branch");
    let place = event.place();
    let commit = text(detail, "commitId");
    let page = match commit {
        Some(commit) => repository_page(&place, repository, &format!("commit/{}", encoded(commit))),
        None => repository_page(&place, repository, "branches"),
    };
    let title = format!("{} {name} of {repository} {says}", if kind == "tag" { "Tag" } else { "Branch" });
    News::notice(title)
        .affects([repository])
        .detail("Commit", commit)
        .detail("Before", text(detail, "oldCommitId"))
        .detail("By", who(detail))
        .page(page)
        .only()
}

fn pull_request(event: &Event, detail: &Map<String, Value>, kind: &str) -> Option<Vec<News>> {
    let id = text(detail, "pullRequestId")?;
    let repository = texts(detail, "repositoryNames").next().or_else(|| text(detail, "repositoryName"))?;
    let is_merged = text(detail, "isMerged").is_some_and(|merged| merged.eq_ignore_ascii_case("true"));
    let says = match kind {
        "pullRequestCreated" => "was opened",
        "pullRequestSourceBranchUpdated" => "has new commits",
        // A merge closes it, and is said by itself.
        "pullRequestStatusChanged" if is_merged => return News::nothing("the merge of the pull request is told").only(),
        "pullRequestStatusChanged" if text(detail, "pullRequestStatus") == Some("Open") => "was opened again",
        "pullRequestStatusChanged" => "was closed",
        "pullRequestMergeStatusUpdated" if is_merged => "was merged",
        "pullRequestApprovalStateChanged" if text(detail, "approvalStatus") == Some("REVOKE") => "is no longer approved by somebody",
        "pullRequestApprovalStateChanged" => "was approved",
        "pullRequestApprovalRuleOverridden" if text(detail, "overrideStatus") == Some("REVOKE") => "needs its approvals again",
        "pullRequestApprovalRuleOverridden" => "needs no approvals any more",
        "pullRequestApprovalRuleCreated" => "has a new approval rule",
        "pullRequestApprovalRuleUpdated" => "has a changed approval rule",
        "pullRequestApprovalRuleDeleted" => "lost an approval rule",
        "commentOnPullRequestCreated" => "has a new comment",
        "commentOnPullRequestUpdated" => "has a changed comment",
        _ => "changed",
    };
    let branch = |name: &str| text(detail, name).map(|full| full.strip_prefix("refs/heads/").unwrap_or(full));
    let goes = branch("sourceReference").zip(branch("destinationReference")).map(|(from, to)| format!("{from} → {to}"));
    News::notice(format!("Pull request {id} of {repository} {says}"))
        .why(text(detail, "title"))
        .affects([repository])
        .detail("Branches", goes)
        .detail("By", who(detail))
        .page(repository_page(&event.place(), repository, &format!("pull-requests/{}", encoded(id))))
        .only()
}

fn commented(event: &Event, detail: &Map<String, Value>, says: &str) -> Option<Vec<News>> {
    let repository = text(detail, "repositoryName")?;
    let commit = text(detail, "afterCommitId");
    News::notice(format!("{} {says} {repository}", who(detail).unwrap_or("Somebody")))
        .affects([repository])
        .detail("Commit", commit)
        .page(repository_page(&event.place(), repository, &format!("commit/{}", encoded(commit?))))
        .only()
}

/// Templates of approval rules, and what is new.
fn other(detail: &Map<String, Value>, kind: &str) -> Option<Vec<News>> {
    let title = match text(detail, "approvalRuleTemplateName") {
        None => format!("{}: {kind}", text(detail, "repositoryName")?),
        Some(name) => {
            let says = match kind {
                "approvalRuleTemplateCreated" => "was created",
                "approvalRuleTemplateUpdated" => "was changed",
                "approvalRuleTemplateDeleted" => "was deleted",
                _ if kind.to_ascii_lowercase().contains("disassociate") => "no longer counts for a repository",
                _ => "counts for another repository",
            };
            format!("Approval rule template {name} {says}")
        }
    };
    News::notice(title).detail("By", who(detail)).only()
}

/// A record of a repository's trigger.
fn triggered(event: &Event, record: &Map<String, Value>) -> Option<Vec<News>> {
    if text(record, "eventName") == Some("TriggerEventTest") {
        return News::nothing("somebody tries out a trigger").only();
    }
    let arn = Arn::parse(text(record, "eventSourceARN")?)?;
    let place = Place::of(&arn).or(event.place());
    let repository = arn.resource.as_str();
    let by = text(record, "userIdentityARN").map(last_name);
    let all: Vec<News> = objects(record, "codecommit.references")
        .filter_map(|reference| {
            let full = text(reference, "ref")?;
            let (kind, name) = match full.strip_prefix("refs/tags/") {
                Some(tag) => ("Tag", tag),
                None => ("Branch", full.strip_prefix("refs/heads/").unwrap_or(full)),
            };
            let is = |name: &str| get(reference, name).and_then(Value::as_bool) == Some(true);
            let says = if is("created") { "was created" } else { "was updated" };
            let says = if is("deleted") { "was deleted" } else { says };
            let commit = text(reference, "commit");
            let page = commit.filter(|_| !is("deleted")).map(|commit| format!("commit/{}", encoded(commit)));
            let news = News::notice(format!("{kind} {name} of {repository} {says}"))
                .at(time_in(record, "eventTime"))
                .affects([repository])
                .detail("Commit", commit)
                .detail("By", by)
                .page(repository_page(&place, repository, page.as_deref().unwrap_or("branches")))
                .in_place(place.clone());
            Some(news)
        })
        .collect();
    (!all.is_empty()).then_some(all)
}
