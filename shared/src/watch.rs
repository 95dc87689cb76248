//! What Tocsin says about itself: its alarms and its notices. Somebody may route all alarms of an account to the incidents queue, and Tocsin's own would come back as
//! incidents of the very thing that is broken. They are told by the name that template.yaml gives them, in this account and region: `{stack}/watch/…`.

use crate::config::ConfigError;

/// The beginning of the ARNs of this deployment's alarms: `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    arns: String,
}

impl Watch {
    /// Where it stands in the environment.
    pub const VARIABLE: &str = "OWN_ALARMS";

    /// Takes the beginning of the ARNs.
    pub fn new(arns: String) -> Result<Self, ConfigError> {
        let own = Self { arns };
        let name = own.name();
        if own.arns.starts_with("arn:") && own.arns.split(':').count() >= 7 && name.len() > 1 && name.ends_with('/') {
            Ok(own)
        } else {
            Err(ConfigError::Unusable { name: Self::VARIABLE, expected: "the beginning of an alarm's ARN, up to a slash" })
        }
    }

    /// What the names of the alarms, and the subjects of the notices, begin with: `tocsin/watch/`.
    pub fn name(&self) -> &str {
        self.arns.split_once(":alarm:").map_or("", |(_, name)| name)
    }

    /// Whether an alarm is one of these.
    pub fn is_own_alarm(&self, arn: &str) -> bool {
        arn.starts_with(&self.arns)
    }

    /// Whether a notification is one of this deployment's notices: by its subject, and the account and region of its topic.
    pub fn is_own_notice(&self, subject: &str, region: &str, account: &str) -> bool {
        subject.starts_with(self.name()) && self.arns.split(':').skip(3).take(2).eq([region, account])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_an_alarms_arn_will_do() {
        assert!(Watch::new("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin/watch/".to_owned()).is_ok());
        for nothing in [
            "",
            "tocsin/watch/",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tocsin",
        ] {
            assert!(Watch::new(nothing.to_owned()).is_err(), "{nothing}");
        }
    }
}
