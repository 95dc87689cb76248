//! What a workspace says about its sources: what the accounts are called, and what a source says too loudly, too quietly or not at all.

use super::intent::{Actor, Changes, Link};
use super::severity::Severity;

/// The label of the fact that says which AWS account it is.
pub const ACCOUNT: &str = "Account";

/// The label of the button that leads to what to do.
pub const RUNBOOK: &str = "Runbook";

/// The words of all sources that can be configured, in alphabetical order. A test holds them against the table of those that are read.
pub const WORDS: &[&str] = &[
    "accessanalyzer",
    "acm",
    "alertmanager",
    "amazonq",
    "autoscaling",
    "backup",
    "batch",
    "budgets",
    "cloudformation",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "config",
    "costanomaly",
    "devopsguru",
    "dms",
    "ec2",
    "ecr",
    "ecs",
    "elasticache",
    "elasticbeanstalk",
    "emr",
    "glue",
    "grafana",
    "guardduty",
    "health",
    "inspector",
    "kms",
    "lambda",
    "macie",
    "rds",
    "s3",
    "sagemaker",
    "secretsmanager",
    "securityhub",
    "ses",
    "stepfunctions",
    "systemsmanager",
    "trustedadvisor",
];

/// What is said about all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Accounts by their twelve digits, and what people call them.
    pub accounts: Vec<(String, String)>,
    /// What is said about a source.
    pub wishes: Vec<Wish>,
}

/// What is said about one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Its word, `guardduty`.
    pub source: String,
    /// Instead of its own.
    pub severity: Option<Severity>,
    /// Where it names none.
    pub service: Option<String>,
    /// Where it brings none.
    pub runbook: Option<String>,
}

/// The word of a source, out of the name that people know it by: `Security Hub` is `securityhub`.
pub fn word(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

impl Sources {
    /// What a source says, as this workspace wants it.
    #[must_use]
    pub fn heeded(&self, by: &Actor, changes: &Changes) -> Changes {
        let mut changes = changes.clone();
        if let Actor::Source(name) = by {
            self.name_account(&mut changes);
            let word = word(name);
            if let Some(wish) = self.wishes.iter().find(|wish| wish.source == word) {
                wish.heeded(&mut changes);
            }
        }
        changes
    }

    fn name_account(&self, changes: &mut Changes) {
        for detail in changes.details.iter_mut().flatten().filter(|detail| detail.label == ACCOUNT) {
            if let Some((digits, name)) = self.accounts.iter().find(|(digits, _)| *digits == detail.value) {
                detail.value = format!("{name} ({digits})");
            }
        }
    }
}

impl Wish {
    fn heeded(&self, changes: &mut Changes) {
        changes.severity = self.severity.or(changes.severity);
        if changes.service.is_none() {
            changes.service.clone_from(&self.service);
        }
        if let Some(url) = &self.runbook {
            let links = changes.links.get_or_insert_default();
            if !links.iter().any(|link| link.label == RUNBOOK) {
                links.insert(0, Link { label: RUNBOOK.to_owned(), url: url.clone() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::intent::Detail;
    use super::*;

    fn told(source: &str, changes: &Changes) -> Changes {
        let sources = Sources {
            accounts: vec![("123456789012".into(), "production".into())],
            wishes: vec![Wish {
                source: "securityhub".into(),
                severity: Some(Severity::P4),
                service: Some("security".into()),
                runbook: Some("https://wiki.example.com/security".into()),
            }],
        };
        sources.heeded(&Actor::Source(source.into()), changes)
    }

    fn detail(label: &str, value: &str) -> Detail {
        Detail { label: label.into(), value: value.into() }
    }

    #[test]
    fn an_account_is_told_by_its_name_and_by_its_number() {
        let details = vec![detail("Region", "eu-west-1"), detail(ACCOUNT, "123456789012")];
        let told = told("CloudWatch", &Changes { details: Some(details), ..Changes::default() });
        assert_eq!(told.details, Some(vec![detail("Region", "eu-west-1"), detail(ACCOUNT, "production (123456789012)")]));
        assert_eq!((told.severity, told.service), (None, None), "nothing is said about CloudWatch");
    }

    #[test]
    fn a_source_is_as_loud_as_the_workspace_says_and_keeps_what_it_says_itself() {
        let quiet = told("Security Hub", &Changes { severity: Some(Severity::P1), ..Changes::default() });
        assert_eq!((quiet.severity, quiet.service.as_deref()), (Some(Severity::P4), Some("security")));
        let own = Link { label: RUNBOOK.into(), url: "https://example.com/own".into() };
        let said = Changes { service: Some("checkout".into()), links: Some(vec![own.clone()]), ..Changes::default() };
        let said = told("Security Hub", &said);
        assert_eq!((said.service.as_deref(), said.links), (Some("checkout"), Some(vec![own])));
    }
}
