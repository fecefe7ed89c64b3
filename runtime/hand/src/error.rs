//! Why a call gave no output, sorted by who must act.

use std::fmt;

/// Why a call gave no output.
#[derive(Debug, thiserror::Error)]
pub enum HandError {
    /// The tool ran and answered with a fault. The model can do something about it.
    #[error("{0}")]
    Tool(ToolFault),
    /// The input does not match the tool's schema; the tool did not run. The model
    /// can do something about it; the text points at the place in the JSON.
    #[error("{0}")]
    Input(String),
    /// Not permitted; the tool did not run, or was stopped. An operator can allow it.
    #[error("{0}")]
    Denied(Refusal),
    /// The call reached a limit and was ended. The model can ask for less, an
    /// operator can raise the limit.
    #[error("{0}")]
    Limit(LimitHit),
    /// Too many calls at once. Trying again later is right.
    #[error("busy: {0}")]
    Busy(String),
    /// The component is broken: it trapped, does not match its manifest, or cannot be
    /// loaded. Its author must act.
    #[error("{0}")]
    Broken(String),
    /// The hand died and cannot come back. Provision another.
    #[error("the hand is gone: {0}")]
    Gone(String),
    /// The host is at fault. We must act.
    #[error("internal fault: {0}")]
    Fatal(String),
}

/// A tool's own answer that it did not work. The texts are the component's and
/// are meant for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolFault {
    /// The hand has no such tool.
    UnknownTool(String),
    /// The input makes no sense to the tool.
    InvalidInput(String),
    /// The tool was not permitted something it needed.
    Denied(String),
    /// It did not work.
    Failed(String),
}

impl fmt::Display for ToolFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTool(name) => write!(f, "there is no tool {name:?} here"),
            Self::InvalidInput(text) => write!(f, "invalid input: {text}"),
            Self::Denied(text) => write!(f, "denied: {text}"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}

/// A refusal, with the two texts that must never be mixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused and why, for the operator.
    pub reason: String,
    /// The exact line or flag that would allow it, for the operator.
    pub hint: String,
}

impl Refusal {
    /// All that a model is told: it must not learn the shape of the fence.
    pub const TO_MODEL: &'static str = "This was not permitted here. Ask the operator if it is needed.";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Which limit a call reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Instructions, metered as fuel.
    Cpu,
    /// Wall time, waiting included.
    Time,
    /// Linear memory and tables together.
    Memory,
    /// The call stack.
    Stack,
    /// Elements of tables.
    Tables,
    /// Resource handles.
    Handles,
    /// Open files and folders.
    OpenFiles,
    /// Bytes returned or copied across the border.
    Output,
    /// Bytes written to files.
    FileBytes,
    /// Files and folders created.
    Files,
    /// Calls into the host.
    HostCalls,
    /// Programs at once.
    Processes,
}

impl Limit {
    /// The name used in configuration, on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Tables => "tables",
            Self::Handles => "handles",
            Self::OpenFiles => "open-files",
            Self::Output => "output",
            Self::FileBytes => "file-bytes",
            Self::Files => "files",
            Self::HostCalls => "host-calls",
            Self::Processes => "processes",
        }
    }
}

/// A limit that a call reached, with what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitHit {
    /// Which one.
    pub limit: Limit,
    /// How much one call may use, with its unit ("64 MiB", "30 s").
    pub allowed: String,
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tool was stopped at its {} limit: one call may use {}", self.limit.name(), self.allowed)
    }
}

impl HandError {
    /// The text that a model is shown. Refusals are constant; internal faults say
    /// nothing about the host; a tool's own words are marked as such, so that they
    /// cannot pass for those of the host or of a person.
    pub fn to_model(&self) -> String {
        match self {
            Self::Denied(_) => Refusal::TO_MODEL.to_owned(),
            Self::Fatal(_) => "The tool could not be run because of a fault of the host.".to_owned(),
            Self::Broken(_) => "The tool is broken and gave no result.".to_owned(),
            Self::Tool(fault @ (ToolFault::InvalidInput(_) | ToolFault::Denied(_) | ToolFault::Failed(_))) => {
                format!("the tool says: {fault}")
            }
            Self::Tool(_) | Self::Input(_) | Self::Limit(_) | Self::Busy(_) | Self::Gone(_) => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_reads_a_constant_text_for_a_refusal() {
        let refusal = |reason: &str| HandError::Denied(Refusal { reason: reason.into(), hint: "--dir".into() });
        assert_eq!(refusal("/etc is not granted").to_model(), refusal("other").to_model());
        assert!(!refusal("/etc is not granted").to_model().contains("/etc"));
    }

    #[test]
    fn a_tool_cannot_speak_for_the_host() {
        let text = HandError::Tool(ToolFault::Failed(Refusal::TO_MODEL.to_owned())).to_model();
        assert!(text.starts_with("the tool says: ") && text != Refusal::TO_MODEL);
    }
}
