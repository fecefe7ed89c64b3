//! Running calls.

use super::WakeError;
use super::desk::{Desk, Intent};
use super::keep::CallEnd;
use super::output::brief;
use super::ready::{Prepared, Ready};
use super::say::After;
use super::watch::Watch;
use crate::step::Start;
use handbox_hand::{HandError, Output};
use handbox_session::fold::{CallEnded, CallStarted, HandProvisioned, OpenCall, Outcome};
use handbox_session::{Event, EventId};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A call that was run; `None` if it was not begun.
type Ended = (EventId, Option<Result<Output, HandError>>);

impl Desk<'_> {
    /// Runs calls, and writes each result as it comes. Returns once none is left, or when they were cut off.
    pub(super) async fn start(&mut self, starts: &[Start], watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let calls: Vec<(OpenCall, u32)> =
            starts.iter().filter_map(|start| Some((self.fold.call(start.call)?.clone(), start.attempt))).collect();
        let Some(hands) = self.provide(&calls, watch).await? else { return Ok(()) };
        let mut ready = Vec::new();
        for (call, attempt) in calls {
            match self.prepare(call, attempt, &hands).await? {
                Prepared::Ready(one, made) => {
                    self.note(made)?;
                    ready.push(*one);
                }
                Prepared::Tell(call, text, own) => {
                    let events = self.not_made(&call, &text, own).await?;
                    self.stage(events)?;
                }
            }
        }
        let mut intents = Vec::new();
        for one in &ready {
            intents.extend(self.lost_attempt(&one.call)?);
            intents.push(self.body(&CallStarted {
                tool_use_id: one.call.id,
                call_id: one.request.id.0.clone(),
                attempt: one.attempt,
                hand: Some(one.hand_name.clone()),
            })?);
        }
        if self.intend(intents).await? == Intent::Overtaken || ready.is_empty() {
            return Ok(());
        }
        self.run(ready, watch).await
    }

    /// Asks a hand what became of a call whose brain died over it.
    pub(super) async fn reconcile(&mut self, id: EventId, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let Some((call, number)) =
            self.fold.call(id).and_then(|call| Some((call.clone(), call.attempt.as_ref()?.number)))
        else {
            return Ok(());
        };
        let calls = [(call, number)];
        let Some(hands) = self.provide(&calls, watch).await? else { return Ok(()) };
        let [(call, number)] = calls;
        let ready = match self.prepare(call, number, &hands).await? {
            Prepared::Ready(ready, made) => {
                self.note(made)?;
                ready
            }
            Prepared::Tell(call, text, own) => {
                let events = self.not_made(&call, &text, own).await?;
                return self.tell(events).await;
            }
        };
        if self.intend(Vec::new()).await? == Intent::Overtaken {
            return Ok(());
        }
        self.tenure.hold().await?;
        let left = self.time_left();
        let outcome = tokio::select! {
            biased;
            interrupted = watch.interrupt(self.written()) => {
                interrupted?;
                self.tell(ready.egress.end()).await?;
                return self.look().await;
            }
            () = self.pass(left) => {
                self.tell(ready.egress.end()).await?;
                return self.look().await;
            }
            outcome = ready.hand.reconcile(ready.request.clone()) => outcome,
        };
        self.stage(ready.egress.end())?;
        self.reconciled(&ready, outcome).await
    }

    async fn reconciled(
        &mut self,
        ready: &Ready,
        outcome: Result<handbox_hand::Outcome, HandError>,
    ) -> Result<(), WakeError> {
        use handbox_hand::Outcome as Said;
        let (call, call_id, number) = (&ready.call, &ready.request.id.0, ready.attempt);
        let own = self.hand_of(ready);
        let events = match outcome {
            Ok(Said::Committed(output)) => self.committed(ready, &output).await?,
            Ok(Said::Failed(text)) => {
                let content = self.told(call, &text).await?;
                vec![
                    self.ended(call, call_id, number, Outcome::Failed, Some(&text))?,
                    self.result(call, content, true, own)?,
                ]
            }
            Ok(Said::NotStarted) => vec![self.ended(call, call_id, number, Outcome::NotStarted, None)?],
            Ok(Said::Unknown) => self.settle(&[unknown(call.id)]).await?,
            Err(error) => {
                tracing::warn!(session = %self.session, call = %call.id, %error, "the hand cannot say what became of a call");
                let events = self.settle(&[unknown(call.id)]).await?;
                self.tell(events).await?;
                self.bury(ready, &error).await;
                return Ok(());
            }
        };
        self.tell(events).await
    }

    /// The answer to a call that cannot be made. What an earlier attempt at it did nobody can tell then.
    async fn not_made(&mut self, call: &OpenCall, text: &str, own: Value) -> Result<Vec<Event>, WakeError> {
        let mut events = Vec::from_iter(self.lost_attempt(call)?);
        let content = self.told(call, &self.with_doubt(call, text)).await?;
        events.push(self.result(call, content, true, own)?);
        Ok(events)
    }

    fn note(&mut self, made: Option<HandProvisioned>) -> Result<(), WakeError> {
        // Of several calls that need the same new hand, the first one notes it.
        match made.filter(|made| self.fold.hands.get(&made.hand) != Some(&made.incarnation)) {
            Some(made) => {
                let event = self.body(&made)?;
                self.stage(vec![event])
            }
            None => Ok(()),
        }
    }

    /// What is known of an attempt over which a brain died: nothing.
    fn lost_attempt(&mut self, call: &OpenCall) -> Result<Option<Event>, WakeError> {
        let Some(attempt) = call.attempt.as_ref().filter(|attempt| attempt.outcome.is_none()) else { return Ok(None) };
        let (call_id, number) = (attempt.call_id.clone(), attempt.number);
        self.ended(call, &call_id, number, Outcome::Unknown, Some("what ran it died")).map(Some)
    }

    async fn run(&mut self, ready: Vec<Ready>, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let mut running = JoinSet::new();
        let until = self.tenure.hold().await?;
        for one in &ready {
            let (id, hand, request) = (one.call.id, Arc::clone(&one.hand), one.request.clone());
            let surroundings = Arc::clone(&self.brain.surroundings);
            running.spawn(async move {
                // A task may begin much later than it was spawned.
                let may = until.holds(&*surroundings);
                (id, if may { Some(hand.execute(request).await) } else { None })
            });
        }
        let mut left = ready;
        while !left.is_empty() {
            let time = self.time_left();
            let ended = tokio::select! {
                biased;
                // What has ended has ended, also if somebody interrupts right now.
                ended = running.join_next() => ended,
                interrupted = watch.interrupt(self.written()) => {
                    interrupted?;
                    return self.cut(running, &left).await;
                }
                () = self.pass(time) => return self.cut(running, &left).await,
            };
            match ended {
                Some(Ok(ended)) => self.conclude(&mut left, ended).await?,
                Some(Err(died)) => {
                    // Which one it was is not said; what is left when all others are done is answered then.
                    tracing::error!(session = %self.session, error = %died, "a hand panicked");
                }
                None => return self.panicked(left).await,
            }
        }
        Ok(())
    }

    /// Ends what still runs. What became of it is not known, which the next step sees.
    async fn cut(&mut self, mut running: JoinSet<Ended>, left: &[Ready]) -> Result<(), WakeError> {
        running.abort_all();
        let gone = async { while running.join_next().await.is_some() {} };
        tokio::select! {
            () = gone => {}
            // A hand that does not let go does not hold up the session.
            () = self.brain.surroundings.sleep(self.brain.settings.cut) => {
                tracing::warn!(session = %self.session, "a call that was cut off is still there");
            }
        }
        for one in left {
            let kept = self.kept(one, CallEnd::CutOff).await?;
            self.stage(Vec::from_iter(kept))?;
        }
        let sent: Vec<Event> = left.iter().flat_map(|one| one.egress.end()).collect();
        self.tell(sent).await?;
        self.look().await
    }

    async fn panicked(&mut self, left: Vec<Ready>) -> Result<(), WakeError> {
        let mut rest = left;
        while let Some(id) = rest.first().map(|one| one.call.id) {
            let error = HandError::Fatal("the hand panicked".to_owned());
            self.conclude(&mut rest, (id, Some(Err(error)))).await?;
        }
        Ok(())
    }

    /// Writes what became of a call.
    async fn conclude(&mut self, left: &mut Vec<Ready>, (id, result): Ended) -> Result<(), WakeError> {
        let Some(index) = left.iter().position(|one| one.call.id == id) else { return Ok(()) };
        let ready = left.remove(index);
        self.stage(ready.egress.end())?;
        match result {
            Some(Ok(output)) => {
                let mut events = self.committed(&ready, &output).await?;
                events.extend(self.kept(&ready, CallEnd::Answered).await?);
                self.tell(events).await
            }
            Some(Err(error)) => {
                let mut events = self.went_wrong(&ready, &error).await?;
                events.extend(self.kept(&ready, CallEnd::Failed(&error)).await?);
                // Its outcome is written first: whoever takes note of dead hands may take his time.
                self.tell(events).await?;
                self.bury(&ready, &error).await;
                Ok(())
            }
            None => {
                let (call_id, number) = (&ready.request.id.0, ready.attempt);
                let why = Some("the brain's lease was about to end");
                let ended = self.ended(&ready.call, call_id, number, Outcome::NotStarted, why)?;
                self.tell(vec![ended]).await
            }
        }
    }

    async fn committed(&mut self, ready: &Ready, output: &Output) -> Result<Vec<Event>, WakeError> {
        let content = self.content(&ready.call, output).await?;
        let own = self.hand_of(ready);
        Ok(vec![
            self.ended(&ready.call, &ready.request.id.0, ready.attempt, Outcome::Committed, None)?,
            self.result(&ready.call, content, false, own)?,
        ])
    }

    async fn went_wrong(&mut self, ready: &Ready, error: &HandError) -> Result<Vec<Event>, WakeError> {
        let reads = self.runs.tool(&ready.call.name).is_some_and(|tool| tool.hints.read_only);
        let outcome = outcome(error, reads);
        let mut text = error.to_model();
        if is_death(error) {
            text = format!(
                "{text} (The hand `{}`, incarnation {}, is dead; the next call gets another.)",
                ready.hand_name, ready.incarnation
            );
        }
        let text = if outcome == Outcome::Unknown {
            format!("{text} {}", super::say::MAY_HAVE)
        } else {
            self.with_doubt(&ready.call, &text)
        };
        let content = self.told(&ready.call, &text).await?;
        let own = self.hand_of(ready);
        let mut events = vec![
            self.ended(&ready.call, &ready.request.id.0, ready.attempt, outcome, Some(&error.to_string()))?,
            self.result(&ready.call, content, true, own.clone())?,
        ];
        if matches!(error, HandError::Fatal(_)) {
            events.push(self.error("unknown_error", &error.to_model(), After::Retrying, own)?);
        }
        Ok(events)
    }

    /// Says that a hand is dead, if it is.
    async fn bury(&self, ready: &Ready, error: &HandError) {
        if !is_death(error) {
            return;
        }
        tokio::select! {
            () = self.brain.hands.retire(self.session, &ready.hand_name, ready.incarnation) => {}
            () = self.brain.surroundings.sleep(self.brain.settings.cut) => {
                tracing::warn!(session = %self.session, hand = ready.hand_name, "a dead hand is not taken away yet");
            }
        }
    }

    fn ended(
        &mut self,
        call: &OpenCall,
        call_id: &str,
        attempt: u32,
        outcome: Outcome,
        reason: Option<&str>,
    ) -> Result<Event, WakeError> {
        let reason = reason.map(brief);
        self.body(&CallEnded { tool_use_id: call.id, call_id: call_id.to_owned(), attempt, outcome, reason })
    }

    #[expect(clippy::unused_self, reason = "reads beside its siblings")]
    fn hand_of(&self, ready: &Ready) -> Value {
        json!({"part": "hand", "hand": ready.hand_name, "incarnation": ready.incarnation})
    }
}

pub(super) fn is_death(error: &HandError) -> bool {
    matches!(error, HandError::Gone(_) | HandError::Broken(_))
}

fn unknown(call: EventId) -> crate::step::Settlement {
    crate::step::Settlement { call, why: crate::step::Why::Unknown }
}

/// What is known of a call that gave no output.
fn outcome(error: &HandError, reads: bool) -> Outcome {
    match error {
        HandError::Tool(_) => Outcome::Failed,
        HandError::Input(_) | HandError::Busy(_) => Outcome::NotStarted,
        // Cut off in the middle: what only reads has done nothing that matters.
        HandError::Denied(_)
        | HandError::Limit(_)
        | HandError::Broken(_)
        | HandError::Gone(_)
        | HandError::Fatal(_) => {
            if reads {
                Outcome::Failed
            } else {
                Outcome::Unknown
            }
        }
    }
}
