//! What calls need before they are made: hands, and their input.

use super::WakeError;
use super::desk::Desk;
use super::egress::EgressLog;
use super::output::brief;
use super::say::no_tool;
use super::watch::Watch;
use crate::hands::{Begins, Need, Provided};
use futures_util::future::join_all;
use handbox_hand::{Audit, Call, CallId, Hand, HandError, NoAudit, NoWatcher, ToolName};
use handbox_session::fold::{HandProvisioned, OpenCall, Passed};
use handbox_session::{EventId, Hash};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call that can be made.
pub(super) struct Ready {
    pub(super) call: OpenCall,
    pub(super) attempt: u32,
    pub(super) hand: Arc<dyn Hand>,
    pub(super) hand_name: String,
    pub(super) incarnation: u64,
    pub(super) request: Call,
    /// Whether it may change what the hand keeps.
    pub(super) keeps: bool,
    /// What the call sends.
    pub(super) egress: Arc<EgressLog>,
}

/// What a call needs before it is made.
pub(super) enum Prepared {
    Ready(Box<Ready>, Option<HandProvisioned>),
    /// It cannot be made, which the model is told.
    Tell(OpenCall, String, Value),
}

/// The hands that calls need, by name, or why there is none.
pub(super) type Made = BTreeMap<String, Result<Provided, Unready>>;

/// Why a hand is not there.
pub(super) struct Unready {
    for_the_model: String,
    for_the_operator: String,
}

impl Desk<'_> {
    /// Has the hands made ready that calls need, all at once; `None` if that was cut off.
    pub(super) async fn provide(
        &mut self,
        calls: &[(OpenCall, u32)],
        watch: &mut Watch<'_>,
    ) -> Result<Option<Made>, WakeError> {
        let mut needs: BTreeMap<&str, Need<'_>> = BTreeMap::new();
        for (call, _) in calls {
            let found = self.runs.tool(&call.name).and_then(|tool| Some((tool, tool.hand.as_deref()?)));
            let Some((tool, hand)) = found else { continue };
            let incarnation = self.fold.incarnation(hand) + 1;
            let (session, runs) = (self.session, &self.runs);
            needs.entry(hand).or_insert(Need {
                session,
                hand,
                tool: &tool.name,
                runs,
                incarnation,
                begins: Begins::Anew,
            });
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
            self.look().await?;
        }
        Ok(made.map(|made| made.into_iter().collect()))
    }

    async fn provide_one(&self, need: Need<'_>) -> (String, Result<Provided, Unready>) {
        let longest = self.brain.settings.provide;
        let provided = tokio::select! {
            biased;
            provided = self.provide_with_state(need) => provided.map_err(|error| Unready {
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

    async fn provide_with_state(&self, need: Need<'_>) -> Result<Provided, HandError> {
        match self.fold.passed.get(need.hand) {
            Some(Passed::Here { state, .. }) => self.provide_given(need, *state).await,
            _ => self.provide_kept(need).await,
        }
    }

    /// A hand that the session was given begins with its state, until one did so: no incarnation that the log does not
    /// know ever answered a call.
    async fn provide_given(&self, need: Need<'_>, state: Hash) -> Result<Provided, HandError> {
        let kept = self.brain.blobs.get(state).await;
        let kept = kept.map_err(|error| HandError::Fatal(format!("its state cannot be read: {error}")))?;
        let kept = kept.ok_or_else(|| HandError::Gone(format!("its state is lost: there is no blob {state}")))?;
        let provided = self.brain.hands.provide(Need { begins: Begins::Given(&kept), ..need }).await?;
        if provided.incarnation < need.incarnation {
            return Err(HandError::Fatal("it was not made anew with the state that it came with".to_owned()));
        }
        Ok(provided)
    }

    /// What a call needs: its input, as the log has it, and a hand whose tool is still the one that was pinned.
    pub(super) async fn prepare(&self, call: OpenCall, attempt: u32, hands: &Made) -> Result<Prepared, WakeError> {
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
        let known = self.fold.incarnation(hand_name);
        let made =
            (incarnation > known).then(|| HandProvisioned { hand: hand_name.to_owned(), incarnation, bundle, reason });
        let input = members.remove("input").unwrap_or_else(|| json!({}));
        let egress = Arc::new(self.egress_log(call.id));
        let keeps = self.brain.hands.keeps(self.session, hand_name, &tool.name);
        let mut request = request(&call, attempt, &tool.name, input);
        request.audit = Arc::clone(&egress) as Arc<dyn Audit>;
        let hand_name = hand_name.to_owned();
        Ok(Prepared::Ready(
            Box::new(Ready { call, attempt, hand, hand_name, incarnation, request, keeps, egress }),
            made,
        ))
    }
}

impl Desk<'_> {
    fn egress_log(&self, call: EventId) -> EgressLog {
        EgressLog {
            log: Arc::clone(&self.brain.log),
            surroundings: Arc::clone(&self.brain.surroundings),
            session: self.session,
            tenure: Arc::clone(self.tenure),
            call,
            waiting: Arc::default(),
            writing: Arc::default(),
        }
    }
}

/// A call under the id that it has in each attempt: that of its event.
fn request(call: &OpenCall, attempt: u32, name: &ToolName, input: Value) -> Call {
    let id = call.attempt.as_ref().map_or_else(|| call.id.to_string(), |attempt| attempt.call_id.clone());
    let (watcher, audit) = (Arc::new(NoWatcher), Arc::new(NoAudit));
    Call { id: CallId(id), attempt, name: name.clone(), input, extra: Vec::new(), watcher, audit }
}
