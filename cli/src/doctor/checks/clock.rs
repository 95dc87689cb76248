//! What time it is, here and there. Slack's signatures allow five minutes.

use super::super::finding::{Check, Finding, Fix};

/// So much off is said, in seconds: the answers tell whole seconds, and take a while themselves.
const LOOK: i64 = 30;

/// So much off leaves too little of Slack's five minutes.
const BROKEN: i64 = 240;

/// How far somebody's clock is ahead of this machine's, in seconds.
#[derive(Debug, Clone)]
pub(in super::super) struct Time {
    /// Whose.
    pub(in super::super) whose: &'static str,
    /// Seconds; behind where it is negative.
    pub(in super::super) ahead: i64,
}

/// The clock of AWS, which the functions go by.
pub(in super::super) const AWS: &str = "AWS";
/// Slack's, which signs.
pub(in super::super) const SLACK: &str = "Slack";

pub(in super::super) fn look(times: &[Time]) -> Finding {
    let of = |whose| times.iter().find(|time| time.whose == whose).map(|time| time.ahead);
    let (aws, slack) = (of(AWS), of(SLACK));
    let Some(ahead) = aws.or(slack) else { return Finding::skipped(Check::Clock, "nobody answered who could say what time it is") };
    if let (Some(aws), Some(slack)) = (aws, slack)
        && (aws - slack).abs() > LOOK
    {
        let fix = Fix::new(
            "Neither can be set from here. Something between this machine and one of them may answer in its place: a proxy, perhaps.",
        );
        let seen = format!("AWS and Slack are {} s apart; Slack's signatures allow 300", (aws - slack).abs());
        return if (aws - slack).abs() > BROKEN {
            Finding::broken(Check::Clock, seen, fix)
        } else {
            Finding::look(Check::Clock, seen, fix)
        };
    }
    if ahead.abs() <= LOOK {
        return Finding::well(Check::Clock, "this machine, AWS and Slack agree");
    }
    let fix =
        Fix::new("Let this machine keep its clock by itself. The functions go by AWS's, so nothing of Slack's is refused because of it.")
            .paste("sudo timedatectl set-ntp true");
    Finding::look(Check::Clock, format!("this machine is {} s {}", ahead.abs(), if ahead > 0 { "behind" } else { "ahead" }), fix)
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_said_and_whose_it_is() {
        let state = |aws: Option<i64>, slack: Option<i64>| {
            let times: Vec<_> =
                [(AWS, aws), (SLACK, slack)].into_iter().filter_map(|(whose, ahead)| Some(Time { whose, ahead: ahead? })).collect();
            let found = look(&times);
            (found.state, found.seen)
        };
        assert_eq!(state(Some(1), Some(-1)).0, State::Well);
        assert_eq!(state(None, None).0, State::Skipped);
        assert_eq!(state(Some(400), Some(401)), (State::Look, "this machine is 400 s behind".to_owned()));
        assert_eq!(state(None, Some(-90)), (State::Look, "this machine is 90 s ahead".to_owned()));
        assert_eq!(state(Some(0), Some(60)).0, State::Look);
        assert_eq!(state(Some(0), Some(290)).0, State::Broken);
    }
}
