//! How a command fails: a kind with a stable exit code, a message, and what to do.

use crate::output;
use handbox_bundle::BundleError;
use handbox_hand::{HandError, ToolFault};
use handbox_hands::{EngineError, ToolboxError};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What went wrong, sorted by who must act. The codes are stable: scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 1: the tool ran and failed.
    Tool,
    /// 2: what was typed or configured makes no sense.
    Usage,
    /// 3: not permitted.
    Denied,
    /// 4: a limit was reached.
    Limit,
    /// 5: the component or bundle is broken or refused.
    Broken,
    /// 70: our fault.
    Internal,
}

impl Kind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Tool => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::Limit => 4,
            Self::Broken => 5,
            Self::Internal => 70,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Usage => "usage",
            Self::Denied => "denied",
            Self::Limit => "limit",
            Self::Broken => "broken",
            Self::Internal => "internal",
        }
    }
}

/// A failed command.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// For [`Kind::Limit`]: which.
    pub(crate) limit: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, limit: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(Kind::Internal, message.to_string())
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// The `error` object of every `--json` answer.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "kind": self.kind.name(), "message": self.message, "hint": self.hint });
        if let Some(limit) = self.limit {
            error["limit"] = limit.into();
        }
        error
    }

    /// Says it and gives the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if json {
            output::json_line(&json!({ "error": self.to_json() }));
        } else {
            self.report_text();
        }
        ExitCode::from(self.kind.code())
    }

    pub(crate) fn report_text(&self) {
        output::note(output::Tone::Error, &self.message);
        if let Some(hint) = &self.hint {
            output::note(output::Tone::Hint, hint);
        }
        if self.kind == Kind::Internal {
            output::note(
                output::Tone::Hint,
                "this is a fault of Handbox; please report it with the output of `handbox --version`",
            );
        }
    }
}

/// Reports what clap found: help and version are answers, the rest is misuse.
pub(crate) fn usage(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        // What is wrong, a blank line, then tips and the usage.
        let text = error.render().to_string();
        let (message, hint) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.trim_start_matches("error: ").trim_end();
        return Failure::usage(message).hint(hint.trim()).report(json);
    }
    if json && error.kind() == clap::error::ErrorKind::DisplayVersion {
        output::json_line(&crate::wiring::version_json());
        return ExitCode::SUCCESS;
    }
    // Nothing can be done if the terminal is gone.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(Kind::Usage.code()) } else { ExitCode::SUCCESS }
}

impl From<HandError> for Failure {
    fn from(error: HandError) -> Self {
        let message = error.to_string();
        match error {
            HandError::Tool(ToolFault::UnknownTool(_)) | HandError::Input(_) => Self::usage(message),
            HandError::Tool(ToolFault::Denied(_)) => Self::new(Kind::Denied, message),
            HandError::Tool(_) => Self::new(Kind::Tool, message),
            HandError::Denied(refusal) => Self::new(Kind::Denied, refusal.reason).hint(refusal.hint),
            HandError::Limit(hit) => {
                let name = hit.limit.name();
                let hint = match hit.limit {
                    handbox_hand::Limit::Stack => "the tool recurses too deeply; this limit is fixed".to_owned(),
                    handbox_hand::Limit::Time | handbox_hand::Limit::Cpu => format!(
                        "ask for less, or raise it: --limit {name}=… or --profile roomy; or the tool does not end: then it is \
                         for its author to mend"
                    ),
                    _ => format!("ask for less, or raise it: --limit {name}=… or --profile roomy"),
                };
                Self { limit: Some(name), ..Self::new(Kind::Limit, message).hint(hint) }
            }
            HandError::Busy(_) => {
                Self { limit: Some("sandboxes"), ..Self::new(Kind::Limit, message).hint("try again later") }
            }
            HandError::Broken(_) | HandError::Gone(_) => {
                Self::new(Kind::Broken, message).hint("tell the author of the component")
            }
            HandError::Fatal(_) => Self::internal(message),
        }
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        let kind = match error {
            BundleError::Invalid { .. } | BundleError::NotFound { .. } | BundleError::Unreadable { .. } => Kind::Usage,
            BundleError::Refused { .. } => Kind::Denied,
            BundleError::Broken { .. } | BundleError::Changed { .. } => Kind::Broken,
            _ => Kind::Internal,
        };
        Self::new(kind, error.to_string()).hint(error.hint())
    }
}

impl From<ToolboxError> for Failure {
    fn from(error: ToolboxError) -> Self {
        match error {
            ToolboxError::Bundle(error) => error.into(),
            ToolboxError::Hand(error) => error.into(),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::internal(error)
    }
}
