//! The host side of the contract: what a hand is, whatever stands behind it.
//!
//! A [`Hand`] lists tools and executes them. It may be a WebAssembly component,
//! an MCP server or a process somewhere else; callers cannot tell. This crate
//! holds the trait and the values that cross it, and *never* an engine, a socket,
//! a file or an event, so that everything above it builds and tests in seconds.

mod call;
mod destination;
mod egress;
mod error;
mod http;
mod target;
mod text;
mod tool;

pub use call::{Call, CallId, LogLevel, NoWatcher, Outcome, Output, Part, Stream, Usage, Watcher};
pub use destination::{Destination, DestinationError, Difference};
pub use egress::{Audit, AuditError, Egress, EgressEnd, NoAudit, Sender, Verdict};
pub use error::{HandError, Limit, LimitHit, Refusal, ToolFault};
pub use http::{Http, HttpBody, HttpError, HttpRequest, HttpResponse, Obstacle, Principal, RequestBody, Unreachable};
pub use target::Target;
pub use text::{bounded, misleads, one_line, plain};
pub use tool::{Extra, Hints, Recovery, Tool, ToolName, ToolNameError};

use std::sync::Arc;

/// Anything that acts.
///
/// # Contract
///
/// * `tools` gives the same list for the life of the hand.
/// * `execute` may be called from many tasks at once. Dropping its future cancels
///   the call: whatever it ran in is thrown away, and nothing leaks.
/// * Whatever happens, the hand stays usable or says [`HandError::Gone`]; a failing
///   call never takes the process with it.
#[async_trait::async_trait]
pub trait Hand: Send + Sync {
    /// The tools this hand has, in the order in which a model should see them.
    fn tools(&self) -> &[Tool];

    /// Runs one call to its end.
    ///
    /// # Errors
    ///
    /// Sorted by who must act, see [`HandError`].
    async fn execute(&self, call: Call) -> Result<Output, HandError>;

    /// Says what became of a call whose outcome was lost in a crash.
    ///
    /// Hands that have no tool with [`Recovery::Reconcile`] answer
    /// [`Outcome::Unknown`], which is the default.
    ///
    /// # Errors
    ///
    /// As `execute`.
    async fn reconcile(&self, _call: Call) -> Result<Outcome, HandError> {
        Ok(Outcome::Unknown)
    }
}

#[async_trait::async_trait]
impl<H: Hand + ?Sized> Hand for Arc<H> {
    fn tools(&self) -> &[Tool] {
        (**self).tools()
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        (**self).execute(call).await
    }

    async fn reconcile(&self, call: Call) -> Result<Outcome, HandError> {
        (**self).reconcile(call).await
    }
}
