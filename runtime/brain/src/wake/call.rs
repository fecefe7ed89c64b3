//! Running calls.

use super::WakeError;
use super::desk::{Desk, Intent};
use super::output::brief;
use super::say::{After, no_tool};
use super::watch::Watch;
use crate::hands::{Need, Provided};
use crate::step::Start;
use futures_util::future::join_all;
use handbox_hand::{Call, CallId, Hand, HandError, NoWatcher, Output, ToolName};
use handbox_session::fold::{CallEnded, CallStarted, HandProvisioned, OpenCall, Outcome};
use handbox_session::{Event, EventId};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A call that can be made.
struct Ready {
    call: OpenCall,
    attempt: u32,
    hand: Arc<dyn Hand>,
    hand_name: String,
    incarnation: u64,
    request: Call,
}

/// What a call needs before it is made.
enum Prepared {
    Ready(Box<Ready>, Option<HandProvisioned>),
    /// It cannot be made, which the model is told.
    Tell(OpenCall, String, Value),
}

/// The hands that calls need, by name, or why there is none.
type Made = BTreeMap<String, Result<Provided, Unready>>;

/// Why a hand is not there.
struct Unready {
    for_the_model: String,
    for_the_operator: String,
}

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
                return self.look().await;
            }
            () = self.pass(left) => return self.look().await,
            outcome = ready.hand.reconcile(ready.request.clone()) => outcome,
        };
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

    /// Has the hands made ready that calls need, all at once; `None` if that was cut off.
    async fn provide(&mut self, calls: &[(OpenCall, u32)], watch: &mut Watch<'_>) -> Result<Option<Made>, WakeError> {
        let mut needs: BTreeMap<&str, Need<'_>> = BTreeMap::new();
        for (call, _) in calls {
            let found = self.runs.tool(&call.name).and_then(|tool| Some((tool, tool.hand.as_deref()?)));
            let Some((tool, hand)) = found else { continue };
            let incarnation = self.fold.hands.get(hand).copied().unwrap_or(0) + 1;
            let (session, runs) = (self.session, &self.runs);
            needs.entry(hand).or_insert(Need { session, hand, tool: &tool.name, runs, incarnation });
        }
        let left = self.time_left();
        let made = tokio::select! {
            biased;
            interrupted = watch.interrupt(self.written()) => interrupted.map(|()| None)?,
            () = self.pass(left) => None,
            made = join_all(needs.into_values().map(|need| self.provide_one(need))) => Some(made),
        };
        if made.is_none() {
            // What was staged is written, or decided anew.
            self.intend(Vec::new()).await?;
        }
        Ok(made.map(|made| made.into_iter().collect()))
    }

    async fn provide_one(&self, need: Need<'_>) -> (String, Result<Provided, Unready>) {
        let longest = self.brain.settings.provide;
        let provided = tokio::select! {
            biased;
            provided = self.brain.hands.provide(need) => provided.map_err(|error| Unready {
                for_the_model: error.to_model(),
                for_the_operator: error.to_string(),
            }),
            () = self.brain.surroundings.sleep(longest) => {
                let what = format!("it took more than {} s", longest.as_secs());
                Err(Unready { for_the_model: what.clone(), for_the_operator: what })
            }
        };
        (need.hand.to_owned(), provided)
    }

    /// What a call needs: its input, as the log has it, and a hand whose tool is still the one that was pinned.
    async fn prepare(&self, call: OpenCall, attempt: u32, hands: &Made) -> Result<Prepared, WakeError> {
        let mut members = self.at(call.place).await?.members();
        let problem = members.get("handbox").and_then(|own| own.get("input_error")).and_then(Value::as_str);
        let brain = json!({"part": "brain"});
        if let Some(problem) = problem {
            let text = format!("invalid input: {problem}");
            return Ok(Prepared::Tell(call, text, brain));
        }
        let found = self.runs.tool(&call.name).and_then(|tool| Some((tool, tool.hand.as_deref()?)));
        let Some((tool, hand_name, made)) = found.and_then(|(tool, hand)| Some((tool, hand, hands.get(hand)?))) else {
            let text = no_tool(&call.name);
            return Ok(Prepared::Tell(call, text, brain));
        };
        let Provided { hand, incarnation, bundle, reason } = match made {
            Ok(provided) => provided.clone(),
            Err(why) => {
                let text = format!("The hand `{hand_name}` could not be made ready: {}", why.for_the_model);
                let own = json!({"part": "hand", "hand": hand_name, "why": brief(&why.for_the_operator)});
                return Ok(Prepared::Tell(call, text, own));
            }
        };
        if !hand.tools().iter().any(|present| tool.is(present)) {
            let text =
                format!("The tool {} is not what it was when this session began, so it is not called.", call.name);
            let own = json!({"part": "hand", "hand": hand_name, "incarnation": incarnation, "why": "tool_changed"});
            return Ok(Prepared::Tell(call, text, own));
        }
        let known = self.fold.hands.get(hand_name).copied().unwrap_or(0);
        let made =
            (incarnation > known).then(|| HandProvisioned { hand: hand_name.to_owned(), incarnation, bundle, reason });
        let input = members.remove("input").unwrap_or_else(|| json!({}));
        let request = request(&call, attempt, &tool.name, input);
        let hand_name = hand_name.to_owned();
        Ok(Prepared::Ready(Box::new(Ready { call, attempt, hand, hand_name, incarnation, request }), made))
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
                    return self.cut(running).await;
                }
                () = self.pass(time) => return self.cut(running).await,
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
    async fn cut(&mut self, mut running: JoinSet<Ended>) -> Result<(), WakeError> {
        running.abort_all();
        let gone = async { while running.join_next().await.is_some() {} };
        tokio::select! {
            () = gone => {}
            // A hand that does not let go does not hold up the session.
            () = self.brain.surroundings.sleep(self.brain.settings.cut) => {
                tracing::warn!(session = %self.session, "a call that was cut off is still there");
            }
        }
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
        match result {
            Some(Ok(output)) => {
                let events = self.committed(&ready, &output).await?;
                self.tell(events).await
            }
            Some(Err(error)) => {
                let events = self.went_wrong(&ready, &error).await?;
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

fn is_death(error: &HandError) -> bool {
    matches!(error, HandError::Gone(_) | HandError::Broken(_))
}

fn unknown(call: EventId) -> crate::step::Settlement {
    crate::step::Settlement { call, why: crate::step::Why::Unknown }
}

/// A call under the id that it has in each attempt: that of its event.
fn request(call: &OpenCall, attempt: u32, name: &ToolName, input: Value) -> Call {
    let id = call.attempt.as_ref().map_or_else(|| call.id.to_string(), |attempt| attempt.call_id.clone());
    Call { id: CallId(id), attempt, name: name.clone(), input, extra: Vec::new(), watcher: Arc::new(NoWatcher) }
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
