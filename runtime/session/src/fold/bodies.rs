//! What the events of Handbox's own say: the members they have besides `id` and `type`.
//!
//! The shapes are fixed. Members are in snake_case; one that is `None` or empty is not written; members that a reader
//! does not know are passed over, so that a later Handbox may add some. Taking one away, or another meaning, needs a
//! new kind.

use super::{Money, Outcome, Tokens};
use crate::{Epoch, Event, EventError, EventId, Hash, Kind, Seq, SessionId, kinds};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most bytes of a reply's content in its event; more goes to a blob.
pub const REPLY_INLINE_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of a name that a body holds: of a call, a hand, a holder.
pub const NAME_BYTES_MAX: usize = 128;

/// An event's members besides `id` and `type`, as a struct.
pub trait Body: Serialize + DeserializeOwned {
    /// The type of event that it is of.
    const KIND: Kind;

    /// Its members.
    ///
    /// # Errors
    ///
    /// [`EventError::Shape`] if it is not an object.
    fn members(&self) -> Result<Map<String, Value>, EventError> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(EventError::Shape("a body is an object".to_owned())),
            Err(error) => Err(EventError::Shape(error.to_string())),
        }
    }

    /// The event that says it.
    ///
    /// # Errors
    ///
    /// As [`Event::new`]: above all, if it is too large.
    fn to_event(&self, id: EventId) -> Result<Event, EventError> {
        Event::new(id, Self::KIND, self.members()?)
    }

    /// What an event says.
    ///
    /// # Errors
    ///
    /// [`EventError::Shape`] for an event of another type and for members of another shape.
    fn from_event(event: &Event) -> Result<Self, EventError> {
        if *event.kind() != Self::KIND {
            return Err(EventError::Shape(format!("{} where {} was expected", event.kind(), Self::KIND)));
        }
        serde_json::from_str(event.json()).map_err(|error| EventError::Shape(error.to_string()))
    }
}

/// `handbox.session_created`: what the session runs with. It is a session's first event.
///
/// This crate reads only the title and the metadata; whoever owns the other members fixes their inner shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionCreated {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The client's own notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The agent as the client would be shown it, with model and name.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub agent: Value,
    /// The system prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The tools as the model is shown them, with their schemas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Value>,
    /// The digests of the bundles, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, String>,
    /// What its hands may do; folders as absolute paths.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub grants: Value,
    /// What a turn and the session may use.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub limits: Value,
    /// The context strategy.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub context: Value,
    /// The price table.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub prices: Value,
}

impl Body for SessionCreated {
    const KIND: Kind = kinds::HANDBOX_SESSION_CREATED;
}

/// `handbox.session_changed`: what the session runs with from here on, all of it. Title and metadata do not count here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionChanged(pub SessionCreated);

impl Body for SessionChanged {
    const KIND: Kind = kinds::HANDBOX_SESSION_CHANGED;
}

/// `handbox.wait_expired`: the client did not answer in time, and the default took effect: the call was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitExpired {
    /// The call that waited.
    pub tool_use_id: EventId,
    /// For how long, in milliseconds.
    pub waited_ms: u64,
    /// What took effect: `deny`.
    pub default: String,
}

impl Body for WaitExpired {
    const KIND: Kind = kinds::HANDBOX_WAIT_EXPIRED;
}

/// `handbox.brain_woke`: a brain took the session up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrainWoke {
    /// Who it is, as it claimed the session.
    pub holder: String,
    /// Under which claim it writes.
    pub epoch: Epoch,
    /// Why, in a few words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Body for BrainWoke {
    const KIND: Kind = kinds::HANDBOX_BRAIN_WOKE;
}

/// `handbox.input_taken`: the input of these ids is part of the transcript from here on, in this order.
///
/// It gives them their place and, by the time its own id was minted, their `processed_at`. Input that is given up
/// unread, as after `retries_exhausted`, is taken as well. An interrupt is named once it was obeyed outside of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputTaken {
    /// The events taken.
    pub ids: Vec<EventId>,
}

impl Body for InputTaken {
    const KIND: Kind = kinds::HANDBOX_INPUT_TAKEN;
}

/// `handbox.model_reply`: the truth of one model call.
///
/// It stands in the batch of the Managed Agents events that show it, before them and before the
/// `span.model_request_end` of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelReply {
    /// The `span.model_request_start` that it answers.
    pub model_request_start_id: EventId,
    /// Who was asked: `anthropic`, `openai`, `script`, …
    pub provider: String,
    /// Which model, as it named itself.
    pub model: String,
    /// The array of content blocks, as the JSON *text* that it had. As JSON values its members would be sorted and its
    /// large numbers rounded, and it would no longer be verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The blob that holds this text if it has more than [`REPLY_INLINE_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_blob: Option<Hash>,
    /// Why it stopped, in its provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// The tokens it took.
    pub usage: Tokens,
    /// What these cost by the session's price table.
    pub cost: Money,
}

impl Body for ModelReply {
    const KIND: Kind = kinds::HANDBOX_MODEL_REPLY;
}

/// `handbox.call_started`: a hand is about to be called. It is on disk before that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStarted {
    /// The `agent.tool_use`, `agent.mcp_tool_use` or `agent.custom_tool_use`.
    pub tool_use_id: EventId,
    /// The id under which the hand is called: the same for each attempt. At most [`NAME_BYTES_MAX`].
    pub call_id: String,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// The hand. At most [`NAME_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand: Option<String>,
}

impl Body for CallStarted {
    const KIND: Kind = kinds::HANDBOX_CALL_STARTED;
}

/// `handbox.call_ended`: what became of a call that was started. Where it closes the tool use, the result that the
/// model is shown stands in the same batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEnded {
    /// As in [`CallStarted`].
    pub tool_use_id: EventId,
    /// As in [`CallStarted`].
    pub call_id: String,
    /// As in [`CallStarted`].
    pub attempt: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Body for CallEnded {
    const KIND: Kind = kinds::HANDBOX_CALL_ENDED;
}

/// `handbox.hand_provisioned`: a hand was made ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandProvisioned {
    /// Its name in the session. At most [`NAME_BYTES_MAX`].
    pub hand: String,
    /// How often it was made ready in this session, from 1.
    pub incarnation: u64,
    /// The digest of its bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// Why: `first_call`, `died`, `restored` (with the state of the one before), …
    pub reason: String,
}

impl Body for HandProvisioned {
    const KIND: Kind = kinds::HANDBOX_HAND_PROVISIONED;
}

/// `handbox.hand_kept`: what a hand keeps, as a call left it. It stands in the batch of that call's outcome, and only where
/// it is not what was said before.
///
/// The next incarnation begins with it, on whatever process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandKept {
    /// Its name in the session. At most [`NAME_BYTES_MAX`].
    pub hand: String,
    /// The incarnation that keeps it.
    pub incarnation: u64,
    /// The blob that is its state. Without one it keeps something that could not be saved: when this incarnation ends, that
    /// is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Hash>,
    /// The place of the event that says what the session ran with. Of a hand with other grants or another bundle it is not
    /// the state.
    pub runs: Seq,
}

impl Body for HandKept {
    const KIND: Kind = kinds::HANDBOX_HAND_KEPT;
}

/// `handbox.hand_passed`: a hand went from one session to another. Both say so, in one append.
///
/// Of the giver it is no longer a hand. The receiver's next incarnation of it begins with its state; what a hand of the
/// receiver's of that name kept is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandPassed {
    /// Its name, in both sessions. At most [`NAME_BYTES_MAX`].
    pub hand: String,
    /// The other session: the member `to` or `from`.
    #[serde(flatten)]
    pub way: Way,
    /// The blob that is its state.
    pub state: Hash,
    /// The digest of its bundle, which both sessions run it from.
    pub bundle: String,
    /// How often it was made ready in the giver: of the last of these is the state. One that was given to the giver and not
    /// made ready there since is passed on as it came.
    pub incarnation: u64,
}

/// Whether a hand goes or comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To that session.
    To(SessionId),
    /// From that session.
    From(SessionId),
}

impl Body for HandPassed {
    const KIND: Kind = kinds::HANDBOX_HAND_PASSED;
}
