//! Where a brain gets hands from, and where it puts what is too long for a model: both are the caller's.

use crate::runs::RunsWith;
use async_trait::async_trait;
use handbox_hand::{Hand, HandError, ToolName};
use handbox_session::SessionId;
use std::sync::Arc;

/// Whoever makes hands ready.
///
/// # Contract
///
/// * A hand is made ready by the first call that needs it, and not before. The same hand of the same session is given
///   again as long as it lives; after [`Self::retire`] another one is.
/// * Dropping a future leaves nothing half made behind that a later call would be given: an interrupt drops what is being
///   made ready.
/// * Hands of different names are asked for at the same time.
/// * [`Self::retire`] takes note at once; what it does besides is not waited for.
/// * What a hand begins with that has to be made is said by [`Need::begins`].
#[async_trait]
pub trait Hands: Send + Sync {
    /// The hand that has a tool.
    ///
    /// # Errors
    ///
    /// Why there is none; the model is told as if the call itself had failed so.
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError>;

    /// Whether a call of this tool may change what a hand that was provided keeps, so that it is to be saved afterwards.
    fn keeps(&self, session: SessionId, hand: &str, tool: &ToolName) -> bool {
        let _ = (session, hand, tool);
        false
    }

    /// Whether [`Self::provide`] would give a hand that is there already, with all that it keeps. What the one before kept is
    /// read only if not.
    fn lives(&self, need: &Need<'_>) -> bool {
        let _ = need;
        true
    }

    /// Takes note that a hand is dead. The next call that needs it is given another.
    async fn retire(&self, session: SessionId, hand: &str, incarnation: u64) {
        let _ = (session, hand, incarnation);
    }

    /// The state of a hand that lives, for another to begin with: of another session, or of this one on another process. The
    /// hand stays as it is, also if nobody waits for it any more.
    ///
    /// The session's log knows this incarnation as the last. Where another one lives, or none, there is no such state:
    /// [`HandError::Gone`].
    ///
    /// # Errors
    ///
    /// Why there is none. Hands keep no state unless whoever provides them says so.
    async fn save(&self, session: SessionId, hand: &str, incarnation: u64) -> Result<Vec<u8>, HandError> {
        let _ = (session, incarnation);
        Err(HandError::Input(format!("the hand `{hand}` keeps no state that can be passed on")))
    }

    /// Takes note that a session rests and waits for nobody, for all that is known. Hands that keep no state can be let go:
    /// the next call that needs one is given another.
    async fn rests(&self, session: SessionId) {
        let _ = session;
    }
}

/// What is needed.
#[derive(Clone, Copy)]
pub struct Need<'a> {
    /// For which session.
    pub session: SessionId,
    /// The hand's name in the session, as [`ToolSpec::hand`](crate::ToolSpec::hand) says it.
    pub hand: &'a str,
    /// The tool that is about to be called.
    pub tool: &'a ToolName,
    /// What the session runs with: bundles and grants among it.
    pub runs: &'a RunsWith,
    /// Which incarnation it is if it has to be made now: one more than the session's log knows of.
    pub incarnation: u64,
    /// What it begins with if it has to be made now.
    pub begins: Begins<'a>,
}

/// What a hand begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins<'a> {
    /// Nothing: the session knows of nothing that it kept.
    Anew,
    /// The state of the hand that the session was given, as none began with that yet. It is made anew with it, also where
    /// one lives, and if it cannot take it there is none.
    Given(&'a [u8]),
    /// What the one before kept. If it cannot take that, it begins as if that were [`Lost`](Self::Lost).
    ///
    /// The first answer of a tool that [keeps](Hands::keeps) says that the hand was made anew, since what ran in the
    /// background is in no state.
    Kept(&'a [u8]),
    /// Without what the one before kept, which is gone. The first answer of a tool that keeps says so.
    Lost,
}

/// A hand that is ready.
#[derive(Clone)]
pub struct Provided {
    /// The hand.
    pub hand: Arc<dyn Hand>,
    /// How often it was made ready in this session, from 1. The brain logs it where the log does not know it yet.
    pub incarnation: u64,
    /// The digest of its bundle.
    pub bundle: Option<String>,
    /// Why it was made: `first_call`, `died`, `anew` (by another process, or after a rest), `passed`, `restored` (with what
    /// the one before kept), …
    pub reason: String,
}

/// Where long results are put for the session's own tools to read: the session's scratch folder.
#[async_trait]
pub trait Scratch: Send + Sync {
    /// Keeps text as a file, and gives the path under which the session's tools find it.
    ///
    /// `name` is safe as a file's name. The same name again replaces what it named.
    ///
    /// # Errors
    ///
    /// Why it could not be kept, for the operator; the model gets the preview all the same.
    async fn keep(&self, session: SessionId, name: &str, content: &[u8]) -> Result<String, String>;
}

/// No scratch folder: of long results the model sees the preview only. They are kept as blobs all the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoScratch;

#[async_trait]
impl Scratch for NoScratch {
    async fn keep(&self, _: SessionId, _: &str, _: &[u8]) -> Result<String, String> {
        Err("there is no scratch folder".to_owned())
    }
}

/// No hands at all: for sessions that only talk.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHands;

#[async_trait]
impl Hands for NoHands {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        Err(HandError::Gone(format!("nobody provides the hand `{}`", need.hand)))
    }
}
