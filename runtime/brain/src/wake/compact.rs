//! Having the model sum up what it was shown.

use super::WakeError;
use super::ask::{Asked, Request, Shown};
use super::desk::Desk;
use super::preview::Previewer;
use super::say::After;
use super::watch::Watch;
use crate::Price;
use crate::context::{Piece, summary_request, transcript};
use crate::model::{ModelErrorKind, Reply};
use handbox_session::fold::bodies::REPLY_INLINE_BYTES_MAX;
use handbox_session::fold::{Money, Tokens};
use handbox_session::{Event, EventId, Seq, kinds};
use serde::Deserialize;
use serde_json::json;

/// How much of what the user said last is kept where all else is left out.
const LAST_SAID_CHARS: usize = 4000;

#[derive(Deserialize)]
struct Block {
    #[serde(default)]
    text: String,
}

impl Desk<'_> {
    /// Has everything up to a place summed up, and keeps the summary. The log stays as it is.
    pub(super) async fn compact(&mut self, shown: &mut Shown, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let (material, position) = shown.material(self).await?;
        let pieces = transcript(&material.entries, &material.blobs);
        let through = cut(&pieces, position);
        let request = Request::new(summary_request(material, &self.runs, through));
        let Some(start) = self.begin_request(&request, "summary", shown).await? else { return Ok(()) };
        shown.forget();
        // Nobody follows a summary: what it says is not for the client.
        let mut previewer = Previewer::new(None, &*self.brain.surroundings, self.lease.session);
        let events = match self.exchange(&request, &mut previewer, watch).await? {
            Asked::Reply(reply) => match summary(&reply) {
                Some(text) => self.summed_up(start, &reply, through, text).await?,
                None => {
                    let why = "the model gave an empty summary";
                    self.left_out(start, reply.usage, self.price().cost(reply.usage), &pieces, position, why)?
                }
            },
            Asked::Failed(error) if error.kind == ModelErrorKind::Rejected => {
                let cost = self.cost_of_failure(&request, &error, previewer.heard);
                let usage = error.usage.unwrap_or_default();
                self.left_out(start, usage, cost, &pieces, position, &error.message)?
            }
            Asked::Failed(error) => self.failed(start, &request, &error, previewer.heard)?,
            Asked::Cut => vec![self.cut_off(start, &request, previewer.heard)?],
        };
        self.tell(events).await
    }

    /// What follows from a summary that is refused, as one that is too long will be each time: what it was to cover is left
    /// out without one. The log stays as it is, and the session can go on.
    fn left_out(
        &mut self,
        start: EventId,
        usage: Tokens,
        cost: Money,
        pieces: &[Piece],
        position: Seq,
        why: &str,
    ) -> Result<Vec<Event>, WakeError> {
        let end = self.request_end(start, usage, Some(cost))?;
        let message = format!("what was said so far could not be summed up, so it is left out from here on: {why}");
        let own = json!({"part": "model", "incarnation": self.brain.model.provider()});
        let error = self.error("compaction_limit_reached_error", &message, After::Retrying, own)?;
        let through = before_turn(pieces).unwrap_or(position);
        let mut text = "(What was said before was too long to be summed up, and is left out.)".to_owned();
        if through == position
            && let Some(last) = last_said(pieces)
        {
            text = format!("{text}\nThe last that the user said begins with:\n{last}");
        }
        let own = json!({"through": through, "model_request_start_id": start, "summary": text});
        let compacted = self.event(kinds::AGENT_THREAD_CONTEXT_COMPACTED, json!({"handbox": own}))?;
        Ok(vec![end, error, compacted])
    }

    fn price(&self) -> Price {
        self.runs.prices.of(&self.runs.agent.model.id)
    }

    async fn summed_up(
        &mut self,
        start: EventId,
        reply: &Reply,
        through: Seq,
        text: String,
    ) -> Result<Vec<Event>, WakeError> {
        let cost = self.price().cost(reply.usage);
        let mut own = json!({
            "through": through, "model_request_start_id": start, "provider": self.brain.model.provider(),
            "model": reply.model, "usage": reply.usage, "cost": cost,
        });
        if text.len() <= REPLY_INLINE_BYTES_MAX {
            own["summary"] = text.into();
        } else {
            own["content_blob"] = json!(self.brain.blobs.put(text.into_bytes()).await?);
        }
        let compacted = self.event(kinds::AGENT_THREAD_CONTEXT_COMPACTED, json!({"handbox": own}))?;
        let end = self.summary_end(start, reply.usage, cost)?;
        Ok(vec![compacted, end])
    }
}

/// What a reply sums up, if it says anything.
fn summary(reply: &Reply) -> Option<String> {
    let blocks: Vec<Block> = serde_json::from_str(&reply.content).unwrap_or_default();
    let text: String = blocks.into_iter().map(|block| block.text).collect();
    (!text.trim().is_empty()).then_some(text)
}

/// Up to where is summed up: to the beginning of the present turn, so that its own words stay as they are; but all of
/// it where the turn is the longer part.
fn cut(pieces: &[Piece], position: Seq) -> Seq {
    before_turn(pieces).filter(|_| turn_begins(pieces) * 2 >= pieces.len()).unwrap_or(position)
}

/// The end of the turn before the present one, unless that is summed up already.
fn before_turn(pieces: &[Piece]) -> Option<Seq> {
    let covered = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Summary { through, .. } => Some(*through),
        _ => None,
    });
    let end = pieces.get(turn_begins(pieces).checked_sub(1)?)?.place();
    (Some(end) > covered).then_some(end)
}

fn turn_begins(pieces: &[Piece]) -> usize {
    pieces.iter().rposition(|piece| matches!(piece, Piece::TurnEnd { .. })).map_or(0, |index| index + 1)
}

/// The beginning of what the user said last.
fn last_said(pieces: &[Piece]) -> Option<String> {
    let blocks = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Input { blocks, .. } => Some(blocks),
        _ => None,
    })?;
    let text = blocks.iter().filter_map(|block| block.get("text")?.as_str());
    Some(text.flat_map(str::chars).take(LAST_SAID_CHARS).collect())
}
