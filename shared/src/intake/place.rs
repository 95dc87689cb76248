//! Where in AWS something is, and the pages of the console that show it, in the site of its partition: aws, aws-cn, aws-us-gov.

use super::event::Arn;
use super::fields::is_link;

/// A partition, a region, an account; what is not known is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
}

impl Place {
    /// What a resource's name says about where it is.
    pub(super) fn of(arn: &Arn) -> Self {
        let said = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            partition: said(&arn.partition),
            region: arn.region.clone().filter(|region| is_region(region)),
            account: arn.account.clone(),
        }
    }

    /// What is known here, and elsewhere where it is not.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            partition: self.partition.or(other.partition),
            region: self.region.or(other.region),
            account: self.account.or(other.account),
        }
    }

    /// A page of the console: `codesuite/codepipeline/pipelines/checkout/view`, `cloudwatch/home#alarmsV2:alarm/checkout-down`. Names in it are
    /// [`encoded`]. The region is added. `None` where the region is not known, or its partition has no console that one can link to.
    pub(super) fn console(&self, page: &str) -> Option<String> {
        let region = self.region.as_deref()?;
        let site = match self.partition() {
            "aws" => format!("{region}.console.aws.amazon.com"),
            "aws-cn" => format!("{region}.console.amazonaws.cn"),
            "aws-us-gov" => format!("{region}.console.amazonaws-us-gov.com"),
            _ => return None,
        };
        let (path, fragment) = page.find('#').map_or((page, ""), |at| page.split_at(at));
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("https://{site}/{path}{joint}region={region}{fragment}");
        is_link(&url).then_some(url)
    }

    /// The console's page of a log group: `/aws/codebuild/checkout`.
    pub(super) fn log_group(&self, name: &str) -> Option<String> {
        // The console encodes twice, and writes `%` as `$`.
        let name = encoded(&encoded(name)).replace('%', "$");
        self.console(&format!("cloudwatch/home#logsV2:log-groups/log-group/{name}"))
    }

    fn partition(&self) -> &str {
        self.partition.as_deref().or_else(|| Some(partition_of(self.region.as_deref()?))).unwrap_or("aws")
    }

    /// `arn:aws:cloudwatch:eu-west-1:123456789012:alarm:checkout-down`, for what an event names without one. `None` where region or account is not known.
    pub(super) fn arn(&self, service: &str, resource: &str) -> Option<String> {
        Some(format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region.as_deref()?, self.account.as_deref()?))
    }
}

/// `eu-west-1`, `us-gov-west-1`, and not `EU (Ireland)`.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let words = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.split_last() {
        Some((last, rest)) => (2..=4).contains(&rest.len()) && rest.iter().all(words) && number(last) && text.len() <= 32,
        None => false,
    }
}

/// The partition that a region belongs to.
pub(super) fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// Percent-encoded, so that a name with spaces and slashes is one part of a link.
pub(super) fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}
