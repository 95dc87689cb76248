//! A workspace's settings: one TOML document. A workspace without one works too: everything goes into the default channel.
//!
//! ```toml
//! thread = true                      # false: the card alone, no replies under it
//!
//! [storm]
//! above = 30                         # more new cards than this in a channel within a minute come in one digest; 0: never
//!
//! [flapping]
//! times = 4                          # what begins so often within so many minutes is held as one incident; 0: nothing is
//! minutes = 10
//!
//! [routing]
//! default = { channel = "C0INCIDENTS" }
//!
//! [[routing.rules]]
//! match = { service = "checkout" }   # or { kind = "…" }, or { severity = "P1" }
//! to = [{ channel = "C0PAYMENTS", mentions = ["S0ONCALL"] }]
//! ```

use serde::Deserialize;

use super::flapping::FlappingRate;
use super::routing::Routing;
use super::storm::StormRate;

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Whether what happens is told in the card's thread.
    #[serde(default = "yes")]
    pub thread: bool,
    /// When there are so many that one digest carries them.
    #[serde(default)]
    pub storm: StormRate,
    /// What is flapping and held as one incident.
    #[serde(default)]
    pub flapping: FlappingRate,
    /// Where incidents go; `None`: into the default channel.
    #[serde(default)]
    pub routing: Option<Routing>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { thread: true, storm: StormRate::default(), flapping: FlappingRate::default(), routing: None }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::severity::Severity;

    const DOCUMENT: &str = r##"
        thread = false

        [storm]
        above = 100

        [flapping]
        times = 3

        [routing]
        default = { channel = "#incidents" }

        [[routing.rules]]
        match = { service = "checkout" }
        to = [{ channel = "C0PAYMENTS", mentions = ["S0ONCALL"], name = "Payments", labels = ["tier-1"] }]

        [[routing.rules]]
        match = { severity = "HIGH" }
        to = [{ channel = "#war-room" }, { channel = "U0JANE" }]
    "##;

    #[test]
    fn a_document_says_where_incidents_go() {
        let configuration: Configuration = toml::from_str(DOCUMENT).expect("a document");
        let routing = configuration.routing.expect("routing");
        let channels = |service, severity| {
            routing.targets(service, None, severity).iter().map(|target| target.channel.to_string()).collect::<Vec<_>>()
        };
        assert!(!configuration.thread);
        assert_eq!(configuration.storm.above, 100);
        assert_eq!(configuration.flapping, FlappingRate { times: 3, minutes: 10 });
        assert_eq!(channels(Some("checkout"), Severity::P4), ["C0PAYMENTS"]);
        assert_eq!(channels(None, Severity::P2), ["#war-room", "U0JANE"]);
        assert_eq!(channels(None, Severity::P3), ["#incidents"]);
    }

    #[test]
    fn a_word_that_is_not_a_setting_is_refused() {
        for wrong in [
            "treads = true",
            "[storm]\nabove = -1",
            "[routing]\ndefault = { chanel = \"C1\" }",
            "[routing]\ndefault = { channel = \"C1\" }\nrules = [{ match = { severity = \"P9\" }, to = [] }]",
        ] {
            assert!(toml::from_str::<Configuration>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(toml::from_str::<Configuration>(""), Ok(Configuration::default()));
    }
}
