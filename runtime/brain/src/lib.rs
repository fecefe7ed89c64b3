//! The loop that asks a model and routes its tool calls.
//!
//! A brain holds nothing: what it knows it reads from its session's log, and what it does is in that log before anything
//! is built on it. Whoever wakes a session, on whatever process, goes on from its last event.
//!
//! This crate *never* opens a socket or a file, and knows no engine: models are reached over [`handbox_hand::Http`], hands
//! are [`handbox_hand::Hand`]s, the log is a [`handbox_session::SessionLog`].
//!
//! * [`Brain::wake`] works on a session until it rests.
//! * [`Brain::pass_hand`] passes a hand from one session to another.
//! * [`step::next_step`] is the pure function that it obeys, with the table of states.
//! * [`context`] makes requests from the log, for the brain and for whoever wants to see them.
//! * [`RunsWith`] is what a session runs with; [`Brain::create`] begins one.
//!
//! The caller owns the tokio runtime, and everything else too:
//!
//! ```
//! use handbox_brain::model::script::Script;
//! use handbox_brain::{Agent, Brain, Machine, NoHands, NoScratch, RunsWith, Settings};
//! use handbox_session::{SessionId, memory::MemoryLog};
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = MemoryLog::new(std::time::Instant::now);
//! let brain = Brain {
//!     log: Arc::new(log.clone()),
//!     blobs: Arc::new(log.clone()),
//!     model: Arc::new(Script::parse("greeter", r#"[{"reply": [{"text": "Hello to you, too."}]}]"#)?),
//!     hands: Arc::new(NoHands),
//!     scratch: Arc::new(NoScratch),
//!     surroundings: Arc::new(Machine),
//!     settings: Settings::usual("an example"),
//! };
//! let session = SessionId::at(0, [0; 10]);
//! brain.create(session, &RunsWith::new(Agent::new("greeter")), None, Default::default()).await?;
//!
//! brain.say(session, "Hello!").await?;
//! let rest = brain.wake(session).await?;
//! assert_eq!(rest.stop_reason, Some(handbox_session::fold::StopReason::EndTurn));
//! # Ok(())
//! # }
//! ```

pub mod context;
mod hands;
pub mod model;
mod pool;
mod prices;
mod runs;
mod say;
pub mod step;
mod surroundings;
mod wake;

pub use hands::{Begins, Hands, Need, NoHands, NoScratch, Provided, Scratch};
pub use pool::Pool;
pub use prices::{AmountError, PriceTable, dollars, dollars_per_million};
pub use runs::{Agent, Allowance, Cache, Limits, ModelChoice, Policy, Price, Prices, RunsError, RunsWith, ToolSpec};
pub use surroundings::{Machine, Surroundings};
pub use wake::{Brain, PassError, Rest, STATE_BYTES_MAX, Settings, WakeError, runs_with};
