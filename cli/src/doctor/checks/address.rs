//! What is wrong with the address of a function, and what mends it.
//!
//! CloudFormation does not see what somebody has changed or deleted beside it: a deployment that changes nothing brings none of that back.

use super::super::finding::{Check, Finding, Fix};
use super::{AS_MADE, changed, changing, logs, manifest};
use crate::chosen::Chosen;
use crate::deployment::Deployment;

/// The most that the parameter `ReceiverReservedConcurrency` takes.
const RESERVED: u32 = 1000;

/// A function that is called from outside.
#[derive(Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) chosen: &'a Chosen,
    /// By its name in the template.
    pub(super) function: &'static str,
}

impl Address<'_> {
    pub(super) fn unreachable(self, error: &str) -> Finding {
        let fix = self.gone("Is this machine on the network, and may it call the address?");
        Finding::broken(Check::Url, format!("nobody answers: {error}"), fix)
    }

    /// It answered a moment ago.
    pub(super) fn falters(self, error: &str) -> Finding {
        Finding::broken(
            Check::Url,
            format!("it answered once and then not: {error}"),
            self.log("Look again; where it stays so, its log says what it does."),
        )
    }

    /// An answer that the function does not give.
    pub(super) fn unexpected(self, status: u16) -> Finding {
        if let Some(fix) = self.elsewhere() {
            return Finding::broken(Check::Url, format!("the answer is {status}, which this function does not give"), fix);
        }
        match status {
            403 => Finding::broken(Check::Url, "AWS refuses it (403): the URL may not be called by everybody", self.open()),
            404 => Finding::broken(Check::Url, "nothing is there (404)", self.gone("The address may lead somewhere else.")),
            429 => Finding::broken(Check::Url, "AWS lets no more of them run (429)", self.more()),
            500..=599 => Finding::broken(Check::Url, format!("the function fails ({status})"), self.log("Its log says why.")),
            other => Finding::broken(
                Check::Url,
                format!("the answer is {other}, which this function does not give"),
                self.log("Its log says whether it was asked at all."),
            ),
        }
    }

    /// What answers is not the function of this version.
    pub(super) fn is_of_another(self, seen: &str) -> Finding {
        let fix =
            Fix::new("It is a function of another version, or somebody has put other code in its place: build this version and deploy it.")
                .paste(format!("sam build && sam deploy --stack-name {}", self.deployment.stack));
        Finding::broken(Check::Url, seen, fix)
    }

    pub(super) fn reads_another_secret(self) -> Finding {
        let fix = self.log(
            "It cannot read the Slack secret, as its log says then, or it reads another one than SlackSecretArn among the stack's outputs, because somebody has changed its environment. What was \
             changed by hand is changed back by hand.",
        );
        let reads =
            format!("aws lambda get-function-configuration --function-name {} --query Environment.Variables.SLACK_SECRET_ARN", self.name());
        Finding::broken(Check::Url, "it refuses what is signed with the signing secret of the Slack secret", fix.paste(reads))
    }

    /// By its name in Lambda.
    fn name(self) -> String {
        format!("{}-{}", self.deployment.stack, self.function.trim_end_matches("Function").to_ascii_lowercase())
    }

    fn log(self, say: &str) -> Fix {
        Fix::new(say).paste(logs(self.deployment, self.function))
    }

    fn entrance(self) -> &'static str {
        if self.deployment.parameter("Entrance") == Some("HttpApi") { "HttpApi" } else { "FunctionUrl" }
    }

    /// Where browsers come by an address that is none of the stack's.
    fn elsewhere(self) -> Option<Fix> {
        let base = self.deployment.parameter("InstallBaseUrl").filter(|_| self.function == "OAuthFunction")?;
        Some(Fix::new(format!("The parameter InstallBaseUrl says that browsers come by {base}: see to what stands there.")))
    }

    /// Whether there is an address at all, AWS says; only where there is none, all are made anew.
    fn gone(self, say: &str) -> Fix {
        if let Some(fix) = self.elsewhere() {
            return fix;
        }
        if self.entrance() == "HttpApi" {
            return self.anew(&format!("{say} Only where the API is gone (`aws apigatewayv2 get-apis`):"));
        }
        let look = format!("aws lambda get-function-url-config --function-name {}", self.name());
        let Fix { say, commands } =
            self.anew(&format!("{say} The first command asks AWS. Only where it answers ResourceNotFoundException:"));
        Fix { say, commands: [look].into_iter().chain(commands).collect() }
    }

    /// Makes all addresses anew, as only a change of the entrance does.
    fn anew(self, say: &str) -> Fix {
        let now = self.entrance();
        let other = if now == "HttpApi" { "FunctionUrl" } else { "HttpApi" };
        let say = format!(
            "{say} CloudFormation does not see that, so it makes an address anew only where the entrance changes: change it there and back. All addresses are others then, so give the app its \
             manifest, and tell whoever calls the HTTP API. {AS_MADE}"
        );
        Fix::new(say)
            .paste(changing(self.deployment, "Entrance", other))
            .paste(changing(self.deployment, "Entrance", now))
            .paste(manifest(self.deployment, self.chosen))
    }

    /// Lets everybody call the function's URL again, as the template does.
    fn open(self) -> Fix {
        if self.entrance() == "HttpApi" {
            return self.anew("Something refuses in its place.");
        }
        let (name, function) = (self.name(), self.function);
        let permission = |statement: &str, action: &str, only: &str| {
            format!(
                "aws lambda add-permission --function-name {name} --statement-id {function}{statement} --action lambda:{action} --principal '*' {only}"
            )
        };
        Fix::new(
            "What somebody took away no deployment brings back: give it anew, which keeps the address. Where AWS answers that there is no such URL, or where a policy of the organisation forbids \
             public ones, set Entrance to HttpApi; that changes the URLs, so give the app its manifest again.",
        )
        .paste(format!("aws lambda update-function-url-config --function-name {name} --auth-type NONE"))
        .paste(permission("UrlPublicPermissions", "InvokeFunctionUrl", "--function-url-auth-type NONE"))
        .paste(permission("URLInvokeAllowPublicAccess", "InvokeFunction", "--invoked-via-function-url"))
    }

    /// Lets more of them run at once: from what is reserved for them, else from what the account has.
    fn more(self) -> Fix {
        let reserved = self.deployment.parameter("ReceiverReservedConcurrency").and_then(|reserved| reserved.parse().ok()).unwrap_or(0);
        let limits = "aws lambda get-account-settings --query AccountLimit";
        if reserved == 0 || reserved >= RESERVED {
            return Fix::new("Ask AWS for a larger quota of concurrent executions, which all functions of the account share: the first command says how large it is, and 1000 is usual.")
                .paste(limits)
                .paste("aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value NUMBER");
        }
        let advice = "Raise ReceiverReservedConcurrency. Each of five functions gets as many, and AWS wants a hundred more to be left of the account's quota: the last command says how large that is.";
        changed(self.deployment, advice, "ReceiverReservedConcurrency", reserved.saturating_mul(2).min(RESERVED)).paste(limits)
    }
}
