//! Having the model sum up what it was shown.

use super::WakeError;
use super::ask::{Asked, Shown};
use super::desk::Desk;
use super::preview::Previewer;
use super::say::After;
use super::used::{Request, Used};
use super::watch::Watch;
use crate::context::{Piece, Purpose, request_for, transcript};
use crate::model::content::blocks;
use crate::model::{ModelErrorKind, Reply};
use handbox_session::fold::bodies::REPLY_INLINE_BYTES_MAX;
use handbox_session::{Event, EventId, Seq, kinds};
use serde_json::json;

/// How much of what the user said last is kept where all else is left out.
const LAST_SAID_CHARS: usize = 4000;

impl Desk<'_> {
    /// Has everything up to a place summed up, and keeps the summary. The log stays as it is.
    pub(super) async fn compact(&mut self, shown: &mut Shown, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let (material, position) = shown.material(self).await?;
        let pieces = transcript(&material.entries, &material.blobs);
        let through = cut(&pieces, position);
        let purpose = Purpose::Summary { through };
        let request = Request::new(request_for(purpose, material, &self.runs, position));
        let Some(start) = self.begin_request(&request, purpose, shown).await? else { return Ok(()) };
        shown.forget();
        // Nobody follows a summary: what it says is not for the client.
        let mut previewer = Previewer::new(None, &*self.brain.surroundings, self.session);
        let events = match self.exchange(&request, &mut previewer, watch).await? {
            Asked::Reply(reply) => {
                let used = self.used(&request, &reply);
                match summary(&reply) {
                    Some(text) => self.summed_up(start, &reply, used, through, text).await?,
                    None => self.left_out(start, used, &pieces, position, "the model gave an empty summary")?,
                }
            }
            Asked::Failed(error) if error.kind == ModelErrorKind::Rejected => {
                let used = self.used_failing(&request, &error, previewer.heard);
                self.left_out(start, used, &pieces, position, &error.message)?
            }
            Asked::Failed(error) => self.failed(start, &request, &error, previewer.heard)?,
            Asked::Cut => vec![self.lost_end(start, self.used_cut_off(&request, previewer.heard))?],
        };
        self.tell(events).await
    }

    /// What follows from a summary that is refused, as one that is too long will be each time: what it was to cover is left
    /// out without one. The log stays as it is, and the session can go on.
    fn left_out(
        &mut self,
        start: EventId,
        used: Used,
        pieces: &[Piece],
        position: Seq,
        why: &str,
    ) -> Result<Vec<Event>, WakeError> {
        let end = self.lost_end(start, used)?;
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

    async fn summed_up(
        &mut self,
        start: EventId,
        reply: &Reply,
        used: Used,
        through: Seq,
        text: String,
    ) -> Result<Vec<Event>, WakeError> {
        let mut own = json!({
            "through": through, "model_request_start_id": start, "provider": self.brain.model.provider(),
            "model": reply.model, "usage": used.tokens, "cost": used.cost,
        });
        if text.len() <= REPLY_INLINE_BYTES_MAX {
            own["summary"] = text.into();
        } else {
            own["content_blob"] = json!(self.brain.blobs.put(text.into_bytes()).await?);
        }
        let compacted = self.event(kinds::AGENT_THREAD_CONTEXT_COMPACTED, json!({"handbox": own}))?;
        let end = self.summary_end(start, used)?;
        Ok(vec![compacted, end])
    }
}

/// What a reply sums up, if it says anything.
fn summary(reply: &Reply) -> Option<String> {
    let text: String = blocks(&reply.content).unwrap_or_default().into_iter().map(|block| block.text).collect();
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
