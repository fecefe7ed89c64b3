//! The values that cross the border, as a tool sees them.

use serde::de::DeserializeOwned;
use std::fmt;

/// One call of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Unique for each call the model makes; the same again if this call is repeated
    /// after a crash, so it can be an idempotency key.
    pub id: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// The tool's name as it was listed.
    pub name: String,
    /// The input: a JSON object that the host has validated against the tool's schema.
    pub input: String,
    /// Named values for needs that the contract does not foresee. Ignore unknown keys.
    pub extra: Vec<(String, String)>,
}

impl Call {
    /// Reads the input. What does not fit is an [`Fault::InvalidInput`] that names the
    /// place.
    ///
    /// A reconcile function uses this; a tool's own input arrives read.
    ///
    /// # Errors
    ///
    /// The input is not JSON, or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let reader = &mut serde_json::Deserializer::from_str(&self.input);
        serde_path_to_error::deserialize(reader).map_err(|error| {
            let path = error.path().to_string();
            let why = error.into_inner();
            if path == "." {
                Fault::InvalidInput(why.to_string())
            } else {
                Fault::InvalidInput(format!("{path}: {why}"))
            }
        })
    }
}

/// A piece of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// An RFC 9110 media type; `text/plain` is UTF-8.
    pub media_type: String,
    /// The bytes.
    pub data: Vec<u8>,
}

/// What a tool gives back: parts, in order. The text parts, joined, are what the model
/// reads; images and files are parts beside them.
///
/// A `String` or `&str` is an output, so most tools never name this type.
///
/// ```
/// use handbox_tool::Output;
///
/// let chart = Output::text("Sales by month:").with("image/png", vec![0x89, b'P']);
/// assert_eq!(chart.parts.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// In the order in which they are shown.
    pub parts: Vec<Part>,
}

impl Output {
    /// One piece of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().and_text(text)
    }

    /// One image or file, with its media type.
    pub fn file(media_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self::default().with(media_type, data)
    }

    /// Adds a piece of text.
    #[must_use]
    pub fn and_text(self, text: impl Into<String>) -> Self {
        self.with("text/plain", text.into())
    }

    /// Adds an image or a file.
    #[must_use]
    pub fn with(mut self, media_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        self.parts.push(Part { media_type: media_type.into(), data: data.into() });
        self
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Part> for Output {
    fn from(part: Part) -> Self {
        Self { parts: vec![part] }
    }
}

impl From<Vec<Part>> for Output {
    fn from(parts: Vec<Part>) -> Self {
        Self { parts }
    }
}

/// Nothing to say: an empty result.
impl From<()> for Output {
    fn from((): ()) -> Self {
        Self::default()
    }
}

/// Why a call gave no result. The model is shown every text in here, so say what to try
/// instead.
///
/// `?` makes one of an [`std::io::Error`], a `String` or a `&str`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This hand has no tool of that name.
    UnknownTool,
    /// The input is well-formed but makes no sense; says what would.
    InvalidInput(String),
    /// The tool was not permitted to do what it needed.
    Denied(String),
    /// It did not work.
    Failed(String),
}

impl Fault {
    /// The input makes no sense.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::InvalidInput(why.into())
    }

    /// The tool was not permitted to do what it needed.
    pub fn denied(why: impl Into<String>) -> Self {
        Self::Denied(why.into())
    }

    /// It did not work.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTool => f.write_str("there is no such tool"),
            Self::InvalidInput(why) => write!(f, "invalid input: {why}"),
            Self::Denied(why) => write!(f, "denied: {why}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match error.kind() {
            PermissionDenied | ReadOnlyFilesystem => Self::Denied(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What became of an earlier call, as a reconcile function finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened, and this is its result.
    Committed(Output),
    /// It happened and failed, for this reason.
    Failed(String),
    /// It never began; running it now is safe.
    NotStarted,
    /// Even the tool cannot tell.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Trip {
        stops: Vec<Stop>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Stop {
        minutes: u8,
    }

    fn reading(input: &str) -> Result<Trip, Fault> {
        Call { input: input.to_owned(), ..Call::default() }.parse()
    }

    #[test]
    fn input_that_does_not_fit_names_the_place() {
        let fault = reading(r#"{"stops":[{"minutes":3},{"minutes":"x"}]}"#).unwrap_err();
        let Fault::InvalidInput(why) = fault else { panic!("{fault:?}") };
        assert!(why.starts_with("stops[1].minutes: invalid type: string \"x\", expected u8"), "{why}");
    }

    #[test]
    fn missing_input_says_what_is_missing() {
        let fault = reading("{}").unwrap_err();
        assert!(fault.to_string().starts_with("invalid input: missing field `stops`"), "{fault}");
    }

    #[test]
    fn an_io_error_is_denied_only_if_it_was() {
        let denied: Fault = std::io::Error::from(std::io::ErrorKind::PermissionDenied).into();
        let failed: Fault = std::io::Error::from(std::io::ErrorKind::NotFound).into();
        assert!(matches!(denied, Fault::Denied(_)));
        assert!(matches!(failed, Fault::Failed(_)));
    }
}
