//! What a model is shown of what happened.
//!
//! The log is what happened, and stays whole. What a model is shown is made from it each time, by a pure function: the
//! [`transcript`] puts a log's entries into pieces, a [`ContextStrategy`] chooses and changes pieces, and
//! [`request_at`] makes the request of them. The same log gives the same bytes, on whatever machine.

mod read;
mod request;
mod strategies;
mod tools;
mod transcript;

pub use read::{Material, read};
pub(crate) use request::request_for;
pub use request::{Purpose, request_at};
pub use strategies::{ClearedResults, Everything, LastTurns, Summary};
pub use transcript::{Call, Piece, Transcript, transcript};

use serde::{Deserialize, Serialize};

/// A way to choose what a model is shown.
///
/// # Contract
///
/// * `shape` is pure. It drops pieces from the beginning, and changes what others say; it keeps their order, and the
///   results of each reply that it keeps.
/// * What it needs of the log is what [`Self::reach`] says, so that nobody reads more.
pub trait ContextStrategy: Send + Sync {
    /// How far back it looks.
    fn reach(&self) -> Reach;

    /// What the model is shown, from what happened within reach.
    fn shape(&self, transcript: Transcript) -> Transcript;

    /// From how many tokens of context on the model is asked for a summary of it; `None` for never.
    fn compact_at_tokens(&self) -> Option<u64> {
        None
    }
}

/// How far back a strategy looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the session's beginning.
    Everything,
    /// So many turns, the present one included.
    Turns(u64),
    /// To what the latest summary covers, or to the beginning.
    Summary,
}

/// The strategies there are, as a session pins them: an object with `type`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Context {
    /// `everything`: all that happened.
    #[default]
    Everything,
    /// `last_turns`: the last turns only.
    LastTurns {
        /// How many, the present one included; at least 1.
        turns: u64,
    },
    /// `cleared_results`: everything, but old tool results are only mentioned.
    ClearedResults {
        /// How many results stay at least.
        keep: u64,
    },
    /// `summary`: a summary of what is long ago, and what came after it.
    Summary {
        /// From how many tokens of context on a new summary is made; or from a quarter more than was left after the latest,
        /// if that is more.
        at_tokens: u64,
    },
}

impl Context {
    /// The strategy.
    #[must_use]
    pub fn strategy(&self) -> Box<dyn ContextStrategy> {
        match *self {
            Self::Everything => Box::new(Everything),
            Self::LastTurns { turns } => Box::new(LastTurns { turns: turns.max(1) }),
            Self::ClearedResults { keep } => Box::new(ClearedResults { keep }),
            Self::Summary { at_tokens } => Box::new(Summary { at_tokens }),
        }
    }

    /// See [`ContextStrategy::compact_at_tokens`].
    #[must_use]
    pub fn compact_at_tokens(&self) -> Option<u64> {
        self.strategy().compact_at_tokens()
    }
}

/// As people write it, see its `FromStr`.
impl std::fmt::Display for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::LastTurns { turns } => write!(f, "last-turns={turns}"),
            Self::ClearedResults { keep } => write!(f, "clear-results={keep}"),
            Self::Summary { at_tokens } => write!(f, "summary={at_tokens}"),
        }
    }
}

/// A strategy as people write it: `everything`, `last-turns=N`, `clear-results=N`, `summary=TOKENS`; numbers from 1 on.
impl std::str::FromStr for Context {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            text.parse::<u64>().ok().filter(|number| *number > 0).ok_or("a whole number from 1 on".to_owned())
        };
        match text.split_once('=') {
            None if text == "everything" => Ok(Self::Everything),
            Some(("last-turns", count)) => Ok(Self::LastTurns { turns: number(count)? }),
            Some(("clear-results", count)) => Ok(Self::ClearedResults { keep: number(count)? }),
            Some(("summary", count)) => Ok(Self::Summary { at_tokens: number(count)? }),
            _ => Err("write everything, last-turns=N, clear-results=N or summary=TOKENS".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Context;

    #[test]
    fn strategies_are_named_with_their_numbers() {
        assert_eq!("last-turns=3".parse(), Ok(Context::LastTurns { turns: 3 }));
        for text in ["everything", "last-turns=3", "clear-results=5", "summary=150000"] {
            assert_eq!(text.parse::<Context>().map(|context| context.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["last-turns", "last-turns=0", "all"] {
            assert!(wrong.parse::<Context>().is_err(), "{wrong}");
        }
    }
}
