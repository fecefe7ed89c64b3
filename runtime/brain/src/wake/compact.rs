//! Having the model sum up what it was shown.

use super::WakeError;
use super::ask::{Asked, Shown};
use super::desk::Desk;
use super::preview::Previewer;
use super::used::Request;
use super::watch::Watch;
use crate::context::{Piece, Purpose, request_for, transcript};
use crate::model::content::blocks;
use crate::model::{ModelError, ModelErrorKind, Reply};
use handbox_session::fold::bodies::REPLY_INLINE_BYTES_MAX;
use handbox_session::{Event, EventId, Seq, kinds};
use serde_json::json;

impl Desk<'_> {
    /// Has everything up to a place summed up, and keeps the summary. The log stays as it is.
    pub(super) async fn compact(&mut self, shown: &mut Shown, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let (material, position) = shown.material(self).await?;
        let pieces = transcript(&material.entries, &material.blobs);
        let through = cut(&pieces, position);
        let purpose = Purpose::Summary { through };
        let request = Request::new(request_for(purpose, material, &self.runs, position));
        let begun = self.begin_request(&request, purpose).await?;
        shown.forget();
        let Some(start) = begun else { return Ok(()) };
        // Nobody follows a summary: what it says is not for the client.
        let mut previewer = Previewer::new(None, &*self.brain.surroundings, self.session);
        let events = match self.exchange(&request, &mut previewer, watch).await? {
            Asked::Reply(reply) => self.summed_up(start, &reply, through, &request, &previewer).await?,
            Asked::Failed(error) => self.failed(start, &request, &error, previewer.heard)?,
            Asked::Cut => vec![self.lost_end(start, self.used_cut_off(&request, previewer.heard))?],
        };
        self.tell(events).await
    }

    async fn summed_up(
        &mut self,
        start: EventId,
        reply: &Reply,
        through: Seq,
        request: &Request,
        previewer: &Previewer<'_>,
    ) -> Result<Vec<Event>, WakeError> {
        let text: String = blocks(&reply.content).unwrap_or_default().into_iter().map(|block| block.text).collect();
        if text.trim().is_empty() {
            let message = "the model gave an empty summary".to_owned();
            let usage = reply.usage;
            let error = ModelError { kind: ModelErrorKind::Failed, message, retry_after: None, usage };
            return self.failed(start, request, &error, previewer.heard);
        }
        let used = self.used(request, reply);
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

/// Up to where is summed up: to the beginning of the present turn, so that its own words stay as they are; but all of
/// it where the turn is the longer part.
fn cut(pieces: &[Piece], position: Seq) -> Seq {
    let turn = pieces.iter().rposition(|piece| matches!(piece, Piece::TurnEnd { .. })).map_or(0, |index| index + 1);
    let covered = pieces.iter().rev().find_map(|piece| match piece {
        Piece::Summary { through, .. } => Some(*through),
        _ => None,
    });
    match pieces.get(turn.wrapping_sub(1)) {
        // What is summed up already is not summed up again.
        Some(end) if turn * 2 >= pieces.len() && Some(end.place()) > covered => end.place(),
        _ => position,
    }
}
