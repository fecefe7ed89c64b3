//! What a hand says it can do.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of a tool: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(String);

/// A text that cannot name a tool.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} cannot name a tool: use 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct ToolNameError {
    name: String,
}

impl ToolName {
    /// Longest name, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// Checks `name`.
    ///
    /// # Errors
    ///
    /// If it is empty, too long or has a character that is not allowed. Look-alikes
    /// from other scripts are refused by that, too.
    pub fn new(name: impl Into<String>) -> Result<Self, ToolNameError> {
        let name = name.into();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > Self::LENGTH_MAX || !name.bytes().all(allowed) {
            let name = name.chars().take(80).collect();
            return Err(ToolNameError { name });
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ToolName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ToolName {
    type Error = ToolNameError;
    fn try_from(name: String) -> Result<Self, ToolNameError> {
        Self::new(name)
    }
}

impl From<ToolName> for String {
    fn from(name: ToolName) -> Self {
        name.0
    }
}

/// One thing that a hand can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Unique within its hand.
    pub name: ToolName,
    /// What it does and when to use it, written for a model.
    #[serde(default)]
    pub description: String,
    /// A JSON Schema of type `object`.
    pub input_schema: Value,
    /// A JSON Schema of the text output, if that is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// What the tool claims about itself.
    #[serde(default)]
    pub hints: Hints,
    /// What to do when a crash left a call without an outcome.
    #[serde(default)]
    pub recovery: Recovery,
    /// What a later version of the contract says of it, by name; unknown names mean nothing.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Room to grow, as the contract has it: names and values.
pub type Extra = Vec<(String, String)>;

/// What a tool claims about itself. It comes from an untrusted component, so
/// it may narrow what a call can do and never widens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hints {
    /// Changes nothing outside its instance; the host makes it true.
    pub read_only: bool,
    /// Twice is the same as once.
    pub idempotent: bool,
    /// May destroy what it cannot bring back.
    pub destructive: bool,
    /// Talks to things outside the granted folders.
    pub open_world: bool,
}

/// What to do when a crash left a call without an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Run it again under the same id.
    Retry,
    /// Ask the hand whether it happened.
    Reconcile,
    /// Say that the outcome is unknown.
    #[default]
    Ask,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_ascii_of_bounded_length() {
        for good in ["read", "a", "web_fetch", "x-1", &"a".repeat(64)] {
            assert!(ToolName::new(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "re ad", "r\u{435}ad", "a/b", "a.b", "a\n", &"a".repeat(65)] {
            assert!(ToolName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_about_a_huge_name_stays_short() {
        let error = ToolName::new("é".repeat(100_000)).unwrap_err();
        assert!(error.to_string().len() < 300);
    }
}
