//! Why a transfer ends, as curl numbers and words it.

/// What curl's exit codes are called here.
pub(crate) mod code {
    pub(crate) const PROTOCOL: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const URL: u8 = 3;
    pub(crate) const RESOLVE: u8 = 6;
    pub(crate) const CONNECT: u8 = 7;
    pub(crate) const STATUS: u8 = 22;
    pub(crate) const WRITE: u8 = 23;
    pub(crate) const READ: u8 = 26;
    pub(crate) const TIMEOUT: u8 = 28;
    pub(crate) const RANGE: u8 = 33;
    pub(crate) const TLS: u8 = 35;
    pub(crate) const REDIRECTS: u8 = 47;
    pub(crate) const EMPTY: u8 = 52;
    pub(crate) const SEND: u8 = 55;
    pub(crate) const RECEIVE: u8 = 56;
    pub(crate) const CERTIFICATE: u8 = 60;
    pub(crate) const SIZE: u8 = 63;
    pub(crate) const REWIND: u8 = 65;
}

/// The end of a transfer that did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What curl exits with; see [`code`].
    pub(crate) code: u8,
    /// What stands behind `curl: (7) `.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(code: u8, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// A file or stream to send that cannot be read.
    pub(crate) fn reading(name: &str, error: &std::io::Error) -> Self {
        Self::new(code::READ, format!("Failed to open {name}: {}", reason(error)))
    }

    /// A file or stream that cannot be written.
    pub(crate) fn writing(name: &str, error: &std::io::Error) -> Self {
        Self::new(code::WRITE, format!("Failure writing output to destination {name}: {}", reason(error)))
    }
}

/// The text of an error without the number behind it.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Why no answer came, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The host does not let the request out.
    Refused,
    /// There is no host of that name.
    Name,
    /// Nobody answers there, for this reason.
    Connect(String),
    /// It took longer than the host allows.
    Slow(String),
    /// It took longer than the command line allows.
    Late,
    /// No secure connection, for this reason.
    Tls(String),
    /// The server's certificate is not to be believed.
    Certificate,
    /// The connection was made, and then ended without an answer.
    Empty,
    /// The request could not be sent, for this reason.
    Send(String),
    /// The answer ended before its end, for this reason.
    Receive(String),
    /// What was to be sent could not be read.
    Reading(Failure),
}
