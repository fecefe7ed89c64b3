//! What a hand keeps is kept with its session, so that the next one begins with it, on whatever process.

use super::call::is_death;
use super::desk::Desk;
use super::ready::Ready;
use super::{STATE_BYTES_MAX, WakeError, runs_at};
use crate::hands::{Begins, Need, Provided};
use handbox_hand::HandError;
use handbox_session::fold::{HandKept, Kept};
use handbox_session::{Event, Hash, LogError};

/// How a call ended.
#[derive(Clone, Copy)]
pub(super) enum CallEnd<'a> {
    Answered,
    Failed(&'a HandError),
    /// Nobody waited for it any more.
    CutOff,
}

/// What a call left of what its hand keeps.
enum Left {
    /// The call did not run, so it is as it was.
    AsItWas,
    /// The hand ended with the call. The next one begins as this call did, if what was kept then is known.
    Died,
    /// The blob that it is now.
    State(Hash),
    /// It could not be saved. What was saved before is not what the hand keeps now.
    Unsaved,
}

impl Desk<'_> {
    /// What is to be said of what a hand keeps after a call: nothing, if that is what the log says already.
    ///
    /// It never fails the call. What cannot be saved ends with its hand, which the next one then says.
    pub(super) async fn kept(&mut self, ready: &Ready, ended: CallEnd<'_>) -> Result<Option<Event>, WakeError> {
        if !ready.keeps {
            return Ok(None);
        }
        let known = self.fold.kept.get(&ready.hand_name).copied();
        let state = match self.left(ready, ended).await {
            Left::AsItWas => return Ok(None),
            Left::Died if known.is_some() => return Ok(None),
            Left::Died | Left::Unsaved => None,
            Left::State(state) => Some(state),
        };
        let runs = self.runs_place();
        if known == Some(Kept { state, runs }) {
            return Ok(None);
        }
        let (hand, incarnation) = (ready.hand_name.clone(), ready.incarnation);
        self.body(&HandKept { hand, incarnation, state, runs }).map(Some)
    }

    async fn left(&self, ready: &Ready, ended: CallEnd<'_>) -> Left {
        match ended {
            CallEnd::Failed(HandError::Input(_) | HandError::Busy(_)) => return Left::AsItWas,
            CallEnd::Failed(error) if is_death(error) => return Left::Died,
            _ => {}
        }
        let (hand, longest) = (&ready.hand_name, self.brain.settings.save);
        let saved = tokio::select! {
            biased;
            saved = self.brain.hands.save(self.session, hand, ready.incarnation) => saved,
            () = self.brain.surroundings.sleep(longest) => {
                Err(HandError::Busy(format!("it took more than {} s", longest.as_secs())))
            }
        };
        let why = match saved {
            Ok(state) if state.len() > STATE_BYTES_MAX => format!("it has {} bytes", state.len()),
            Ok(state) => match self.brain.blobs.put(state).await {
                Ok(state) => return Left::State(state),
                Err(error) => error.to_string(),
            },
            Err(HandError::Gone(_)) if is_end(ended) => return Left::Died,
            Err(error) => error.to_string(),
        };
        tracing::warn!(session = %self.session, hand, why, "what a hand keeps cannot be saved");
        Left::Unsaved
    }

    /// The session's own hand. One that has to be made begins with what the one before kept.
    pub(super) async fn provide_kept(&self, need: Need<'_>) -> Result<Provided, HandError> {
        let known = self.fold.kept.get(need.hand).filter(|_| !self.brain.hands.lives(&need));
        let Some(known) = known else { return self.brain.hands.provide(need).await };
        let kept = self.read_kept(need.hand, *known).await?;
        let begins = kept.as_deref().map_or(Begins::Lost, Begins::Kept);
        self.brain.hands.provide(Need { begins, ..need }).await
    }

    /// What a hand kept; `None` if that is gone, or not for the hand that it would be now.
    async fn read_kept(&self, hand: &str, kept: Kept) -> Result<Option<Vec<u8>>, HandError> {
        let Some(state) = kept.state else { return Ok(None) };
        if !self.is_the_same(hand, kept).await {
            return Ok(None);
        }
        match self.brain.blobs.get(state).await {
            Ok(found) => Ok(found),
            Err(LogError::Damaged(_)) => Ok(None),
            // It may be there the next time.
            Err(error) => Err(HandError::Fatal(format!("what it kept cannot be read: {error}"))),
        }
    }

    /// Whether a hand has the bundle and the grants that it had when it kept this. What it was given then, such as values of
    /// its environment, may be in its state, and what it is given now is not.
    async fn is_the_same(&self, hand: &str, kept: Kept) -> bool {
        if kept.runs == self.runs_place() {
            return true;
        }
        let then = runs_at(&*self.brain.log, self.session, kept.runs).await;
        then.is_ok_and(|then| then.grants == self.runs.grants && then.bundles.get(hand) == self.runs.bundles.get(hand))
    }
}

/// Whether the hand may have been ended with the call. The model knows then that the call did not come to its end.
fn is_end(ended: CallEnd<'_>) -> bool {
    match ended {
        CallEnd::Answered => false,
        CallEnd::Failed(error) => !matches!(error, HandError::Tool(_)),
        CallEnd::CutOff => true,
    }
}
