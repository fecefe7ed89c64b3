//! The types of events that Handbox knows: those of Managed Agents that are stored, and its own.

use crate::Kind;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Kind = Kind::known($text);)*
        /// All of them, by name.
        pub const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    /// A message of the user.
    USER_MESSAGE = "user.message";
    /// The user ends what is going on.
    USER_INTERRUPT = "user.interrupt";
    /// The user allows or denies a tool call.
    USER_TOOL_CONFIRMATION = "user.tool_confirmation";
    /// The client's own tool answered.
    USER_CUSTOM_TOOL_RESULT = "user.custom_tool_result";
    /// A worker of the client's answered.
    USER_TOOL_RESULT = "user.tool_result";
    /// What the session shall achieve.
    USER_DEFINE_OUTCOME = "user.define_outcome";
    /// A message of the operator.
    SYSTEM_MESSAGE = "system.message";
    /// The model said something.
    AGENT_MESSAGE = "agent.message";
    /// The model thought.
    AGENT_THINKING = "agent.thinking";
    /// The model calls a tool.
    AGENT_TOOL_USE = "agent.tool_use";
    /// What a tool answered.
    AGENT_TOOL_RESULT = "agent.tool_result";
    /// The model calls a tool of an MCP server.
    AGENT_MCP_TOOL_USE = "agent.mcp_tool_use";
    /// What that answered.
    AGENT_MCP_TOOL_RESULT = "agent.mcp_tool_result";
    /// The model calls a tool that the client has.
    AGENT_CUSTOM_TOOL_USE = "agent.custom_tool_use";
    /// A thread was sent a message.
    AGENT_THREAD_MESSAGE_SENT = "agent.thread_message_sent";
    /// A thread got a message of another.
    AGENT_THREAD_MESSAGE_RECEIVED = "agent.thread_message_received";
    /// What the model is shown was summarised.
    AGENT_THREAD_CONTEXT_COMPACTED = "agent.thread_context_compacted";
    /// A turn begins.
    SESSION_STATUS_RUNNING = "session.status_running";
    /// A turn is interrupted by an error that passes.
    SESSION_STATUS_RESCHEDULED = "session.status_rescheduled";
    /// A turn ended; its stop reason says how.
    SESSION_STATUS_IDLE = "session.status_idle";
    /// The session ended for good.
    SESSION_STATUS_TERMINATED = "session.status_terminated";
    /// Something went wrong.
    SESSION_ERROR = "session.error";
    /// Title, metadata, budget or agent changed.
    SESSION_UPDATED = "session.updated";
    /// What was used so far.
    SESSION_USAGE = "session.usage";
    /// The session is removed: the last that its followers see.
    SESSION_DELETED = "session.deleted";
    /// A further thread begins.
    SESSION_THREAD_CREATED = "session.thread_created";
    /// A thread's turn begins.
    SESSION_THREAD_STATUS_RUNNING = "session.thread_status_running";
    /// A thread's turn is interrupted by an error that passes.
    SESSION_THREAD_STATUS_RESCHEDULED = "session.thread_status_rescheduled";
    /// A thread's turn ended; its stop reason says how.
    SESSION_THREAD_STATUS_IDLE = "session.thread_status_idle";
    /// A thread ended for good.
    SESSION_THREAD_STATUS_TERMINATED = "session.thread_status_terminated";
    /// A model is asked.
    SPAN_MODEL_REQUEST_START = "span.model_request_start";
    /// A model answered, or failed.
    SPAN_MODEL_REQUEST_END = "span.model_request_end";
    /// Whether the outcome is reached is looked at.
    SPAN_OUTCOME_EVALUATION_START = "span.outcome_evaluation_start";
    /// That goes on.
    SPAN_OUTCOME_EVALUATION_ONGOING = "span.outcome_evaluation_ongoing";
    /// What was found.
    SPAN_OUTCOME_EVALUATION_END = "span.outcome_evaluation_end";
    /// A workflow is to run.
    WORKFLOW_RUN_CREATED = "workflow_run.created";
    /// It runs.
    WORKFLOW_RUN_STATUS_RUNNING = "workflow_run.status_running";
    /// It waits.
    WORKFLOW_RUN_STATUS_IDLE = "workflow_run.status_idle";
    /// It ended; its result says how.
    WORKFLOW_RUN_STATUS_ENDED = "workflow_run.status_ended";
    /// A phase of it begins.
    WORKFLOW_RUN_PHASE_STARTED = "workflow_run.phase_started";
    /// A phase of it ended.
    WORKFLOW_RUN_PHASE_ENDED = "workflow_run.phase_ended";
    /// Something in it went wrong.
    WORKFLOW_RUN_ERROR = "workflow_run.error";
    /// What the session runs with: its first event.
    HANDBOX_SESSION_CREATED = "handbox.session_created";
    /// What the session runs with from here on.
    HANDBOX_SESSION_CHANGED = "handbox.session_changed";
    /// A wait for the client ended without an answer, and its default took effect.
    HANDBOX_WAIT_EXPIRED = "handbox.wait_expired";
    /// A brain took the session up.
    HANDBOX_BRAIN_WOKE = "handbox.brain_woke";
    /// The queued input of these ids became part of the transcript.
    HANDBOX_INPUT_TAKEN = "handbox.input_taken";
    /// A model's reply, verbatim.
    HANDBOX_MODEL_REPLY = "handbox.model_reply";
    /// A hand is about to be called.
    HANDBOX_CALL_STARTED = "handbox.call_started";
    /// What became of that call.
    HANDBOX_CALL_ENDED = "handbox.call_ended";
    /// A call wants to send a request: where, and whether it may.
    HANDBOX_EGRESS = "handbox.egress";
    /// What came of that request.
    HANDBOX_EGRESS_ENDED = "handbox.egress_ended";
    /// A hand was made ready.
    HANDBOX_HAND_PROVISIONED = "handbox.hand_provisioned";
    /// What a hand keeps was saved, or could not be.
    HANDBOX_HAND_KEPT = "handbox.hand_kept";
    /// A hand with its state went to another session, or came from one.
    HANDBOX_HAND_PASSED = "handbox.hand_passed";
    /// What a brain needs of everything before.
    HANDBOX_CHECKPOINT = "handbox.checkpoint";
}
