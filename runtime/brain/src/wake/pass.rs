//! Passing a hand from one session to another.

use super::desk::{APPEND_TRIES, Desk, Intent};
use super::tenure::Tenure;
use super::{Brain, WakeError};
use handbox_hand::HandError;
use handbox_session::fold::{HandPassed, Passed, Status, Way, bodies::Body};
use handbox_session::{Batch, Event, Hash, LogError, SessionId, Writer};
use std::sync::Arc;

/// The most bytes of a hand's state that can be passed on.
pub const STATE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often others may write into one of the two sessions while a hand is passed. What they write seldom matters to it; that
/// it does not is looked at each time.
const ROUNDS_MAX: u32 = 64;

/// Why a hand was not passed, sorted by what the caller has to do. The giver still has it, unless the log was lost in the
/// middle of the append ([`LogError::Unavailable`]): then both sessions say that it was passed, or neither.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// As the two sessions are, it cannot be passed: the text says what to do first.
    #[error("{0}")]
    Refused(String),
    /// The hand did not give its state.
    #[error("the hand `{hand}` of session {session} did not give its state: {error}")]
    Hand {
        /// The session that has it.
        session: SessionId,
        /// The hand.
        hand: String,
        /// Why.
        error: HandError,
    },
    /// As for [`Brain::wake`], with the session that it is about.
    #[error(transparent)]
    Session(#[from] WakeError),
}

impl From<LogError> for PassError {
    fn from(error: LogError) -> Self {
        Self::Session(error.into())
    }
}

impl Brain {
    /// Passes a hand with the state that it keeps from one session to another. From then on the giver cannot use it: calls
    /// of its tools are answered with the receiver's id. The receiver's next incarnation of it begins with the state; what
    /// a hand of the receiver's of that name kept is given up. Passed back, it is there again.
    ///
    /// Both sessions must run it from the same bundle, and have no open call of its tools; no brain may be at work on either.
    /// The state is the hand's own, and what it holds the receiver's tools can say: whoever passes a hand decides that the
    /// receiver may know what the hand learnt under the giver's grants. What it may *do* is what the receiver's grants say.
    ///
    /// Both sessions say so in one append. Dropping the future before it leaves the giver with its hand, and both sessions
    /// held until their leases end; after it the receiver has it.
    ///
    /// # Errors
    ///
    /// [`PassError`]: among them [`WakeError::Held`] with the session that a brain is at work on.
    pub async fn pass_hand(&self, from: SessionId, to: SessionId, hand: &str) -> Result<(), PassError> {
        if from == to {
            return Err(PassError::Refused(format!(
                "session {from} has its hands already; name another to pass one to"
            )));
        }
        // Always in the same order, so that of two who pass hands between the same sessions one gets on.
        let first = Tenure::claim(self, from.min(to)).await?;
        let second = match Tenure::claim(self, from.max(to)).await {
            Ok(second) => second,
            Err(error) => {
                first.release().await;
                return Err(error.into());
            }
        };
        let (giver, receiver) = if from < to { (&first, &second) } else { (&second, &first) };
        let passed = tokio::select! {
            // Whoever lost a lease does nothing more, whatever it was at.
            biased;
            lost = first.keep() => Err(lost.into()),
            lost = second.keep() => Err(lost.into()),
            passed = pass(self, giver, receiver, hand) => passed,
        };
        first.release().await;
        second.release().await;
        passed
    }
}

/// A hand between two sessions.
struct Pass<'a> {
    brain: &'a Brain,
    hand: &'a str,
    giver: Desk<'a>,
    receiver: Desk<'a>,
}

async fn pass<'a>(
    brain: &'a Brain,
    giver: &'a Arc<Tenure>,
    receiver: &'a Arc<Tenure>,
    hand: &'a str,
) -> Result<(), PassError> {
    let (giver, receiver) = (Desk::open(brain, giver).await?, Desk::open(brain, receiver).await?);
    let mut pass = Pass { brain, hand, giver, receiver };
    let bundle = pass.check()?;
    let state = pass.state().await?;
    let events = pass.events(bundle, state)?;
    let mut rounds = 0;
    while pass.append(&events).await? == Intent::Overtaken {
        rounds += 1;
        if rounds >= ROUNDS_MAX {
            let (giver, receiver) = (pass.giver.session, pass.receiver.session);
            let what = "others write into them all the time; pass the hand once they rest";
            return Err(PassError::Refused(format!("sessions {giver} and {receiver}: {what}")));
        }
        for desk in [&mut pass.giver, &mut pass.receiver] {
            desk.look().await?;
            desk.refresh().await?;
        }
        pass.check()?;
    }
    pass.retire().await;
    Ok(())
}

impl Pass<'_> {
    /// Whether it can be passed as things are; gives the digest of its bundle.
    fn check(&self) -> Result<String, PassError> {
        let Self { hand, giver, receiver, .. } = self;
        let refused = |what: String| Err(PassError::Refused(what));
        for desk in [giver, receiver] {
            if let Some(what) = &desk.unusable {
                return Err(WakeError::Unusable(format!("{what} (session {})", desk.session)).into());
            }
        }
        let (from, to) = (giver.session, receiver.session);
        let Some(bundle) = giver.runs.bundles.get(*hand) else {
            let there: Vec<&str> = giver.runs.bundles.keys().map(String::as_str).collect();
            return refused(format!(
                "session {from} pinned no bundle as `{hand}`; its hands are: {}",
                there.join(", ")
            ));
        };
        if let Some(other) = giver.fold.passed_on(hand) {
            return refused(format!(
                "the hand `{hand}` of session {from} was passed on to session {other}; pass it on from there"
            ));
        }
        for desk in [giver, receiver] {
            if let Some(call) = desk.fold.calls.iter().find(|call| desk.runs.hand_of(&call.name) == Some(*hand)) {
                let session = desk.session;
                return refused(format!(
                    "session {session} has an open call of the hand `{hand}` ({}); wake it until that is answered, or interrupt it",
                    call.id
                ));
            }
        }
        if giver.fold.incarnation(hand) == 0 && !giver.fold.passed.contains_key(*hand) {
            return refused(format!(
                "the hand `{hand}` was not used in session {from} yet, so there is nothing to pass on; session {to} can use \
                 its own"
            ));
        }
        if receiver.runs.bundles.get(*hand) != Some(bundle) || !has_tools(receiver, hand) {
            let has = receiver.runs.bundles.get(*hand).map_or("no bundle", String::as_str);
            return refused(format!(
                "session {from} runs the hand `{hand}` from {bundle}, and session {to} has {has} of that name, or none of its \
                 tools; give it the same bundle under the same name first"
            ));
        }
        if receiver.fold.status == Status::Terminated {
            return refused(format!("session {to} has ended for good; pass the hand to one that goes on"));
        }
        Ok(bundle.clone())
    }

    /// The blob with the hand's state. One that came and was not made ready since is passed on as it came.
    async fn state(&self) -> Result<Hash, PassError> {
        let (giver, brain, hand) = (&self.giver, self.brain, self.hand);
        if let Some(Passed::Here { state, .. }) = giver.fold.passed.get(hand) {
            return Ok(*state);
        }
        let longest = brain.settings.provide;
        let saved = tokio::select! {
            biased;
            saved = brain.hands.save(giver.session, hand, giver.fold.incarnation(hand)) => saved,
            () = brain.surroundings.sleep(longest) => {
                Err(HandError::Busy(format!("it took more than {} s", longest.as_secs())))
            }
        };
        let saved = saved.and_then(|state| {
            let bytes = state.len();
            if bytes <= STATE_BYTES_MAX {
                return Ok(state);
            }
            Err(HandError::Broken(format!("its state has {bytes} bytes; the most is {STATE_BYTES_MAX}")))
        });
        match saved {
            Ok(state) => Ok(brain.blobs.put(state).await?),
            Err(error) => Err(PassError::Hand { session: giver.session, hand: hand.to_owned(), error }),
        }
    }

    /// What the giver says, and what the receiver says.
    fn events(&mut self, bundle: String, state: Hash) -> Result<[Event; 2], WakeError> {
        let (from, to) = (self.giver.session, self.receiver.session);
        let (hand, incarnation) = (self.hand.to_owned(), self.giver.fold.incarnation(self.hand));
        let gives = HandPassed { hand, way: Way::To(to), state, bundle, incarnation };
        let takes = HandPassed { way: Way::From(from), ..gives.clone() };
        Ok([gives.to_event(self.giver.mint())?, takes.to_event(self.receiver.mint())?])
    }

    /// Writes both, unless somebody else wrote into either session meanwhile.
    ///
    /// An append whose outcome is not known is looked for before it is tried again, and before what the next try says
    /// counts.
    async fn append(&self, events: &[Event; 2]) -> Result<Intent, WakeError> {
        let mut tries = 0;
        loop {
            self.giver.tenure.hold().await?;
            self.receiver.tenure.hold().await?;
            let error = match self.brain.log.append(self.batches(events)).await {
                Ok(_) => return Ok(Intent::Written),
                Err(error) => error,
            };
            let lost = matches!(error, LogError::Unavailable(_));
            if lost || tries > 0 {
                tries += 1;
                if lost {
                    self.giver.pause(tries).await;
                }
                if self.giver.find(events[0].id()).await?.is_some() {
                    return Ok(Intent::Written);
                }
            }
            match error {
                LogError::Moved { .. } => return Ok(Intent::Overtaken),
                _ if lost && tries < APPEND_TRIES => {}
                error => return Err(error.into()),
            }
        }
    }

    /// The one append: each session's event where the session is as it was looked at, both or none.
    fn batches(&self, [gives, takes]: &[Event; 2]) -> Vec<Batch> {
        let batch = |desk: &Desk<'_>, event: &Event| Batch {
            session: desk.session,
            writer: Writer::Brain(desk.tenure.epoch()),
            after: Some(desk.written()),
            events: vec![event.clone()],
        };
        vec![batch(&self.giver, gives), batch(&self.receiver, takes)]
    }

    /// Says that the giver's hand is no longer used, nor one that the receiver had.
    async fn retire(&self) {
        let of = |desk: &Desk<'_>| (desk.session, desk.fold.incarnation(self.hand));
        for (session, incarnation) in [of(&self.giver), of(&self.receiver)] {
            if incarnation == 0 {
                continue;
            }
            tokio::select! {
                () = self.brain.hands.retire(session, self.hand, incarnation) => {}
                () = self.brain.surroundings.sleep(self.brain.settings.cut) => {
                    tracing::warn!(%session, hand = self.hand, "a hand that was passed is not taken away yet");
                }
            }
        }
    }
}

fn has_tools(desk: &Desk<'_>, hand: &str) -> bool {
    desk.runs.tools.iter().any(|tool| tool.hand.as_deref() == Some(hand))
}
