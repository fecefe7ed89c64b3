//! What is told of a request that leaves, or may not leave.

use crate::{CallId, Principal};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// On whose behalf something is sent, and who is told of it.
#[derive(Clone)]
pub struct Sender {
    /// Whose rules, connections and quotas they are.
    pub principal: Principal,
    /// The tool whose call sends it; `None` for the brain itself.
    pub tool: Option<Arc<str>>,
    /// That call.
    pub call: Option<CallId>,
    /// Whether `GET` and `HEAD` alone may be sent: the tool says of itself that it only reads.
    pub read_only: bool,
    /// Told of each decision before anything is sent.
    pub audit: Arc<dyn Audit>,
}

impl Sender {
    /// Somebody whose requests are on record elsewhere, as a brain's are: they stand in the log before they are sent.
    #[must_use]
    pub fn new(principal: Principal) -> Self {
        Self { principal, tool: None, call: None, read_only: false, audit: Arc::new(NoAudit) }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("principal", &self.principal)
            .field("tool", &self.tool)
            .field("call", &self.call)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// Keeps a record of what leaves.
///
/// # Contract
///
/// * `decided` is awaited before anything is sent. If it fails, nothing is sent.
/// * When it returns for an [`Egress`] with `durable`, the record survives a crash. Others may be kept in memory, at most
///   64 of them, until the call that sends them ends.
/// * `ended` is told once for each decision that let something through, also if the request was dropped.
#[async_trait]
pub trait Audit: Send + Sync {
    /// A decision, before anything is sent.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if it cannot be kept.
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError>;

    /// What came of it. Called from the request's own task, so it must return at once.
    fn ended(&self, egress: &Egress, end: &EgressEnd);
}

/// Keeps nothing. For requests that are on record elsewhere, and for tests.
pub struct NoAudit;

#[async_trait]
impl Audit for NoAudit {
    async fn decided(&self, _: &Egress) -> Result<(), AuditError> {
        Ok(())
    }

    fn ended(&self, _: &Egress, _: &EgressEnd) {}
}

/// Why a record could not be kept. An operator must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is sent, since it could not be put on record: {0}")]
pub struct AuditError(pub String);

/// One decision: who wanted to send what where, and whether they may. Holds no credential, and no query of a URL, since
/// anything may stand there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Egress {
    /// Names it, within one process.
    pub id: u64,
    /// Who.
    pub principal: String,
    /// The tool whose call it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// `GET`, `POST`, …; at most 32 bytes of it.
    pub method: String,
    /// Scheme, host and port: `https://api.example.com`. Empty if the URL is none.
    pub origin: String,
    /// The path, at most 1024 bytes of it.
    pub path: String,
    /// What was decided.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Whether the record must outlive a crash before anything is sent: a credential goes along, or the method may change
    /// something.
    pub durable: bool,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It is sent.
    Allowed {
        /// The rule that allows it, as the operator wrote it.
        rule: String,
        /// The name of the credential that goes along.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credential: Option<String>,
    },
    /// It is not sent.
    Refused {
        /// Why, for the operator.
        reason: String,
        /// What would allow it, for the operator.
        hint: String,
    },
}

/// What came of a request that was let through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressEnd {
    /// The status of the response; `None` if none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why not all came, in words without a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether the server may have got the request.
    pub sent: bool,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the response's body, decoded.
    pub response_bytes: u64,
    /// How often a credential was taken out of what came back.
    pub redacted: u64,
    /// From the decision to the end, in milliseconds.
    pub duration_ms: u64,
}
