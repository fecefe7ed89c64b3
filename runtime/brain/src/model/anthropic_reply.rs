//! Anthropic's stream of events, put together into a reply.

use super::anthropic_block::{Block, Members, written};
use super::wire::{Caller, REPLY_BYTES_MAX};
use super::{Listener, ModelError, Reply};
use handbox_session::fold::Tokens;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The most blocks of a reply. Each costs some hundred bytes, whatever it says.
const BLOCKS_MAX: usize = 10_000;

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Assembly {
    model: String,
    blocks: Vec<Block>,
    usage: Tokens,
    stop_reason: Option<String>,
    bytes: usize,
    begun: bool,
}

/// Whether there is more to come.
pub(super) enum Progress {
    More,
    Whole,
}

/// An event. What depends on its type is read once that is known, so that types of tomorrow are no errors.
#[derive(Deserialize)]
struct Event {
    r#type: String,
    index: Option<Box<RawValue>>,
    message: Option<Box<RawValue>>,
    content_block: Option<Box<RawValue>>,
    delta: Option<Box<RawValue>>,
    usage: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    model: String,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct Stop {
    stop_reason: Option<String>,
}

/// Counts are running totals; what is missing has not changed.
#[derive(Deserialize, Default)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Creation>,
}

#[derive(Deserialize)]
struct Creation {
    ephemeral_5m_input_tokens: Option<u64>,
    ephemeral_1h_input_tokens: Option<u64>,
}

impl Usage {
    fn update(&self, tokens: &mut Tokens) {
        let set = |own: &mut u64, new: Option<u64>| *own = new.unwrap_or(*own);
        set(&mut tokens.input_tokens, self.input_tokens);
        set(&mut tokens.output_tokens, self.output_tokens);
        set(&mut tokens.cache_read_input_tokens, self.cache_read_input_tokens);
        let cache = &mut tokens.cache_creation;
        if let Some(creation) = &self.cache_creation {
            set(&mut cache.ephemeral_5m_input_tokens, creation.ephemeral_5m_input_tokens);
            set(&mut cache.ephemeral_1h_input_tokens, creation.ephemeral_1h_input_tokens);
        } else if let Some(sum) = self.cache_creation_input_tokens {
            // Without a word on how long, it is the five minutes that are the default.
            cache.ephemeral_5m_input_tokens = sum.saturating_sub(cache.ephemeral_1h_input_tokens);
        }
    }
}

impl Assembly {
    /// Takes the next event.
    pub(super) fn take(
        &mut self,
        caller: &Caller,
        data: &str,
        listener: &mut dyn Listener,
    ) -> Result<Progress, ModelError> {
        self.bytes += data.len();
        // The events are larger than the content that they bring.
        if self.bytes > 8 * REPLY_BYTES_MAX || self.blocks.len() > BLOCKS_MAX {
            return Err(self.cut(caller, "sent more than a reply may have"));
        }
        self.step(caller, data, listener).unwrap_or_else(|error| {
            // The error may quote the text, which is the reply's and not for a message.
            let place = format!("sent an event that is none (line {}, column {})", error.line(), error.column());
            Err(self.cut(caller, &place))
        })
    }

    fn step(
        &mut self,
        caller: &Caller,
        data: &str,
        listener: &mut dyn Listener,
    ) -> Result<Result<Progress, ModelError>, serde_json::Error> {
        let event: Event = serde_json::from_str(data)?;
        match event.r#type.as_str() {
            "message_start" => {
                let start: Start = read(event.message)?;
                self.begun = true;
                self.model = start.model;
                start.usage.update(&mut self.usage);
                listener.counted(self.usage);
            }
            "content_block_start" => {
                let block = Block::start(read(event.content_block)?);
                let index = self.blocks.len();
                if !self.begun || read::<usize>(event.index)? != index {
                    return Ok(Err(self.cut(caller, "sent a block out of order")));
                }
                listener.block(index, &block.kind);
                listener.wrote(block.first_bytes());
                let text = block.first_text();
                if block.kind == "text" && !text.is_empty() {
                    listener.text(index, &text);
                }
                self.blocks.push(block);
            }
            "content_block_delta" => {
                let delta: Members = read(event.delta)?;
                listener.wrote(written(&delta));
                let Some((index, block)) = self.open(read(event.index)?) else {
                    return Ok(Err(self.cut(caller, "sent a part of no block")));
                };
                if let Some(text) = block.grow(&delta)? {
                    listener.text(index, &text);
                }
            }
            "content_block_stop" => match self.open(read(event.index)?) {
                Some((_, block)) => block.open = false,
                None => return Ok(Err(self.cut(caller, "ended a block that is none"))),
            },
            "message_delta" => {
                let stop: Stop = read(event.delta)?;
                self.stop_reason = stop.stop_reason.or(self.stop_reason.take());
                if event.usage.is_some() {
                    read::<Usage>(event.usage)?.update(&mut self.usage);
                    listener.counted(self.usage);
                }
            }
            "message_stop" if self.begun && self.blocks.iter().all(|block| !block.open) => {
                return Ok(Ok(Progress::Whole));
            }
            "message_stop" => return Ok(Err(self.cut(caller, "ended a reply that is not whole"))),
            "error" => {
                let body: Value = serde_json::from_str(data)?;
                return Ok(Err(caller.sent_error(&body, self.usage)));
            }
            // `ping`, and what comes to be.
            _ => {}
        }
        Ok(Ok(Progress::More))
    }

    fn open(&mut self, index: usize) -> Option<(usize, &mut Block)> {
        self.blocks.get_mut(index).filter(|block| block.open).map(|block| (index, block))
    }

    /// That it did not come whole, with what it took all the same.
    pub(super) fn cut(&self, caller: &Caller, what: &str) -> ModelError {
        self.with_usage(caller.cut(what))
    }

    /// An error, with what the reply took all the same.
    pub(super) fn with_usage(&self, error: ModelError) -> ModelError {
        ModelError { usage: self.begun.then_some(self.usage), ..error }
    }

    /// The reply, once it is whole.
    pub(super) fn finish(self, caller: &Caller) -> Result<Reply, ModelError> {
        let Self { model, blocks, usage, stop_reason, .. } = self;
        let mut content = String::from("[");
        for (index, block) in blocks.into_iter().enumerate() {
            if index > 0 {
                content.push(',');
            }
            block.write(&mut content).map_err(|_| caller.cut("sent a block that cannot be written"))?;
        }
        content.push(']');
        if content.len() > REPLY_BYTES_MAX {
            let usage = Some(usage);
            return Err(ModelError { usage, ..caller.cut("sent more than a reply may have") });
        }
        Ok(Reply { model, content, stop_reason, usage: Some(usage) })
    }
}

fn read<T: for<'de> Deserialize<'de>>(member: Option<Box<RawValue>>) -> Result<T, serde_json::Error> {
    serde_json::from_str(member.as_deref().map_or("null", RawValue::get))
}
