//! The strategies there are.

use super::{ContextStrategy, Piece, Reach, Transcript};
use serde_json::json;

/// Shows everything.
#[derive(Debug, Clone, Copy)]
pub struct Everything;

impl ContextStrategy for Everything {
    fn reach(&self) -> Reach {
        Reach::Everything
    }

    fn shape(&self, transcript: Transcript) -> Transcript {
        transcript.into_iter().filter(|piece| !matches!(piece, Piece::Summary { .. })).collect()
    }
}

/// Shows the last turns.
#[derive(Debug, Clone, Copy)]
pub struct LastTurns {
    /// How many, the present one included; at least 1.
    pub turns: u64,
}

impl ContextStrategy for LastTurns {
    fn reach(&self) -> Reach {
        Reach::Turns(self.turns)
    }

    fn shape(&self, transcript: Transcript) -> Transcript {
        let mut pieces = Everything.shape(transcript);
        // The end of the last turn is the beginning of none, as long as nothing came after it.
        while pieces.last().is_some_and(|piece| matches!(piece, Piece::TurnEnd { .. })) {
            pieces.pop();
        }
        let ends = pieces.iter().enumerate().rev().filter(|(_, piece)| matches!(piece, Piece::TurnEnd { .. }));
        let nth = usize::try_from(self.turns.saturating_sub(1)).unwrap_or(usize::MAX);
        let cut = ends.map(|(index, _)| index + 1).nth(nth).unwrap_or(0);
        pieces.split_off(cut)
    }
}

/// Shows everything, but only mentions old tool results.
#[derive(Debug, Clone, Copy)]
pub struct ClearedResults {
    /// How many results stay at least.
    pub keep: u64,
}

impl ContextStrategy for ClearedResults {
    fn reach(&self) -> Reach {
        Reach::Everything
    }

    fn shape(&self, transcript: Transcript) -> Transcript {
        let mut pieces = Everything.shape(transcript);
        let keep = usize::try_from(self.keep.max(1)).unwrap_or(usize::MAX);
        let count = pieces.iter().filter(|piece| matches!(piece, Piece::Result { .. })).count();
        // In steps of as many as stay, so that the beginning of requests changes rarely and providers can cache it.
        let clear = count.saturating_sub(keep) / keep * keep;
        let results = pieces.iter_mut().filter_map(|piece| match piece {
            Piece::Result { content, .. } => Some(content),
            _ => None,
        });
        for content in results.take(clear) {
            *content =
                vec![json!({"type": "text", "text": "(This result was cleared. Call the tool again if you need it.)"})];
        }
        pieces
    }
}

/// Shows a summary of what is long ago, and what came after it.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// From how many tokens of context on a new summary is made; or from a quarter more than was left after the latest,
    /// if that is more.
    pub at_tokens: u64,
}

impl ContextStrategy for Summary {
    fn reach(&self) -> Reach {
        Reach::Summary
    }

    fn shape(&self, transcript: Transcript) -> Transcript {
        let latest = transcript.iter().rev().find_map(|piece| match piece {
            Piece::Summary { through, text, .. } => Some((*through, text.clone())),
            _ => None,
        });
        let pieces = Everything.shape(transcript);
        let Some((through, text)) = latest else { return pieces };
        let text = format!("<summary of the conversation so far>\n{text}\n</summary>\nGo on from here.");
        let summary = Piece::Input { place: through, blocks: vec![json!({"type": "text", "text": text})] };
        let rest = pieces.into_iter().filter(|piece| piece.place() > through);
        std::iter::once(summary).chain(rest).collect()
    }

    fn compact_at_tokens(&self) -> Option<u64> {
        Some(self.at_tokens.max(1))
    }
}
