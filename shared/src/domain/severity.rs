//! How bad it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// P1 is the worst. The urgencies of other systems map to it: HIGH, MEDIUM and LOW are P1, P2 and P3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum Severity {
    /// Everything stops; somebody gets up at night.
    P1,
    /// Much is broken.
    P2,
    /// Something is broken and can wait a little.
    P3,
    /// Good to know.
    P4,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::P1, Self::P2, Self::P3, Self::P4];

    /// Reads `P1`…`P4`, `1`…`4`, `SEV1`…`SEV4` and the words other systems use, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_uppercase().as_str() {
            "P1" | "1" | "SEV1" | "HIGH" | "CRITICAL" => Some(Self::P1),
            "P2" | "2" | "SEV2" | "MEDIUM" | "ERROR" => Some(Self::P2),
            "P3" | "3" | "SEV3" | "LOW" | "WARNING" => Some(Self::P3),
            "P4" | "4" | "SEV4" | "INFO" | "INFORMATIONAL" => Some(Self::P4),
            _ => None,
        }
    }

    /// 1 for P1 … 4 for P4: sorts the worst first.
    pub fn rank(self) -> u8 {
        match self {
            Self::P1 => 1,
            Self::P2 => 2,
            Self::P3 => 3,
            Self::P4 => 4,
        }
    }

    /// Whether this is worse than `other`.
    pub fn worse_than(self, other: Self) -> bool {
        self.rank() < other.rank()
    }

    /// `P1` … `P4`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

impl TryFrom<String> for Severity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no severity: P1, P2, P3 or P4, or HIGH, MEDIUM, LOW"))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
