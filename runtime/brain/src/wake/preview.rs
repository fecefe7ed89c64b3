//! Showing a reply while it comes.

use crate::Surroundings;
use crate::model::Listener;
use handbox_session::fold::Tokens;
use handbox_session::{EventId, Minter, Preview, SessionId, SessionLog};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Shows followers the texts of a reply while it comes, under the ids that their events will have.
pub(super) struct Previewer<'a> {
    /// `None` if nobody is to see it.
    log: Option<&'a dyn SessionLog>,
    surroundings: &'a dyn Surroundings,
    session: SessionId,
    minter: Minter,
    /// The event of each block that was begun, by its index.
    pub(super) ids: BTreeMap<usize, EventId>,
    /// How much came.
    pub(super) heard: Heard,
}

/// How much came of a reply.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    /// How many blocks were begun.
    pub(super) blocks: u64,
    /// How many bytes the model wrote.
    pub(super) bytes: u64,
    /// What the provider had counted.
    pub(super) counted: Option<Tokens>,
}

impl<'a> Previewer<'a> {
    pub(super) fn new(log: Option<&'a dyn SessionLog>, surroundings: &'a dyn Surroundings, session: SessionId) -> Self {
        Self { log, surroundings, session, minter: Minter::default(), ids: BTreeMap::new(), heard: Heard::default() }
    }

    fn show(&self, preview: &Value) {
        if let Some(log) = self.log {
            log.preview(self.session, Preview(preview.to_string()));
        }
    }

    fn begin(&mut self, index: usize, kind: &str) -> EventId {
        if let Some(id) = self.ids.get(&index) {
            return *id;
        }
        let mut chance = [0; 10];
        self.surroundings.chance(&mut chance);
        let id: EventId = self.minter.mint(self.surroundings.now_unix_ms(), chance);
        self.ids.insert(index, id);
        self.show(&json!({"type": "event_start", "event": {"type": kind, "id": id}}));
        id
    }
}

impl Listener for Previewer<'_> {
    fn block(&mut self, index: usize, kind: &str) {
        self.heard.blocks += 1;
        match kind {
            "text" => self.begin(index, "agent.message"),
            "thinking" | "redacted_thinking" => self.begin(index, "agent.thinking"),
            _ => return,
        };
    }

    fn text(&mut self, index: usize, text: &str) {
        let id = self.begin(index, "agent.message");
        let content = json!({"type": "text", "text": text});
        let delta = json!({"type": "content_delta", "index": 0, "content": content});
        self.show(&json!({"type": "event_delta", "event_id": id, "delta": delta}));
    }

    fn wrote(&mut self, bytes: usize) {
        self.heard.bytes += bytes as u64;
    }

    fn counted(&mut self, tokens: Tokens) {
        self.heard.counted = Some(tokens);
    }
}
