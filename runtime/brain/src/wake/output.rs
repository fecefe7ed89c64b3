//! What a hand gave, as the content of a result.

use super::WakeError;
use super::desk::Desk;
use data_encoding::BASE64;
pub(super) use handbox_hand::plain;
use handbox_hand::{Output, Part};
use handbox_session::fold::OpenCall;
use serde_json::{Map, Value, json};

/// The most characters of a result that a model is shown; of a longer one it sees the beginning and the end.
pub(super) const RESULT_CHARS_MAX: usize = 100_000;
/// How many characters of the beginning.
const HEAD_CHARS: usize = 4_000;
/// How many of the end.
const TAIL_CHARS: usize = 1_000;
/// The most bytes of a result's content in its event; what is larger goes to a blob.
const CONTENT_BYTES_MAX: usize = 512 * 1024;
/// The most bytes of an image that a model is shown, which is what providers take.
const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// The images that models read.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// The most parts of a result besides its text.
const PARTS_MAX: usize = 64;
/// The most characters of a reason or an error in an event; what is longer is cut.
const BRIEF_CHARS: usize = 1000;

/// A result's content, and what Handbox itself notes of it.
#[derive(Default)]
pub(super) struct Content {
    pub(super) blocks: Vec<Value>,
    pub(super) own: Map<String, Value>,
}

impl Desk<'_> {
    /// The content of a result, what is too long put where it can be read from.
    pub(super) async fn content(&self, call: &OpenCall, output: &Output) -> Result<Content, WakeError> {
        let mut content = Content::default();
        self.text(call, &output.text(), &mut content).await?;
        for part in output.attachments().take(PARTS_MAX) {
            content.blocks.push(self.attached(part).await?);
        }
        let further = output.attachments().count().saturating_sub(PARTS_MAX);
        if further > 0 {
            content.blocks.push(said(&format!("({further} further parts are left out; the most are {PARTS_MAX}.)")));
        }
        if content.blocks.is_empty() {
            content.blocks.push(said("(The tool gave no output.)"));
        }
        if !output.fields.is_empty() && Value::Object(output.fields.clone()).to_string().len() <= 4096 {
            content.own.insert("fields".to_owned(), Value::Object(output.fields.clone()));
        }
        self.within_an_event(content).await
    }

    /// The content of a result that is a text of whoever: an error, a refusal, what a hand says of an earlier call.
    pub(super) async fn told(&self, call: &OpenCall, text: &str) -> Result<Content, WakeError> {
        let mut content = Content::default();
        self.text(call, text, &mut content).await?;
        self.within_an_event(content).await
    }

    async fn text(&self, call: &OpenCall, text: &str, content: &mut Content) -> Result<(), WakeError> {
        let shown = if is_long(text) { None } else { Some(plain(text)) };
        // Some characters become ten.
        match shown.filter(|shown| !is_long(shown)) {
            Some(shown) if shown.is_empty() => {}
            Some(shown) => content.blocks.push(said(&shown)),
            None => {
                let shown = self.spilled(call, text, &mut content.own).await?;
                content.blocks.push(said(&shown));
            }
        }
        Ok(())
    }

    /// Puts content that is too large for its event beside the log, and as much of its text as there is room for into it.
    async fn within_an_event(&self, mut content: Content) -> Result<Content, WakeError> {
        let whole = Value::Array(content.blocks.clone()).to_string();
        if whole.len() > CONTENT_BYTES_MAX {
            let digest = self.brain.blobs.put(whole.into_bytes()).await?;
            content.own.insert("content_blob".to_owned(), json!(digest));
            let mut room = CONTENT_BYTES_MAX / 2;
            content.blocks.retain(|block| {
                let bytes = block.to_string().len();
                let fits = block["type"] == "text" && bytes <= room;
                room -= if fits { bytes } else { 0 };
                fits
            });
            content.blocks.push(said("(The whole content is kept beside the log, and is what the model sees.)"));
        }
        Ok(content)
    }

    async fn spilled(&self, call: &OpenCall, text: &str, own: &mut Map<String, Value>) -> Result<String, WakeError> {
        let chars = text.chars().count();
        let digest = self.brain.blobs.put(text.as_bytes().to_vec()).await?;
        own.insert("blob".to_owned(), json!(digest));
        own.insert("chars".to_owned(), chars.into());
        let name = format!("{}.txt", call.id);
        let place = match self.brain.scratch.keep(self.session, &name, text.as_bytes()).await {
            Ok(path) => format!("All of it is in the file {path}."),
            Err(error) => {
                tracing::warn!(session = %self.session, call = %call.id, error, "a long result was not put into the scratch folder");
                "The rest cannot be read from here; ask for less.".to_owned()
            }
        };
        let (begins, ends) = (fitting(text.chars(), HEAD_CHARS), fitting(text.chars().rev(), TAIL_CHARS));
        let head: String = text.chars().take(begins).collect();
        let tail: String = text.chars().skip(chars - ends).collect();
        let left_out = chars.saturating_sub(begins + ends);
        Ok(format!(
            "(The result has {chars} characters, more than are shown. {place})\n{}\n(… {left_out} characters left out …)\n{}",
            plain(&head),
            plain(&tail)
        ))
    }

    async fn attached(&self, part: &Part) -> Result<Value, WakeError> {
        let essence = part.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if IMAGES.contains(&essence.as_str()) && part.data.len() <= IMAGE_BYTES_MAX {
            let source = json!({"type": "base64", "media_type": essence, "data": BASE64.encode(&part.data)});
            return Ok(json!({"type": "image", "source": source}));
        }
        let digest = self.brain.blobs.put(part.data.clone()).await?;
        let kind: String = plain(&part.media_type).chars().take(100).collect();
        Ok(said(&format!(
            "(A part of type {kind} with {} bytes is kept as {digest}; it cannot be shown.)",
            part.data.len()
        )))
    }
}

fn said(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// A text of whoever as a reason or an error: its beginning, made visible.
pub(super) fn brief(text: &str) -> String {
    let beginning: String = text.chars().take(BRIEF_CHARS).collect();
    plain(&beginning)
}

/// How many of these characters fit into so many, once they are all visible.
fn fitting(chars: impl Iterator<Item = char>, chars_max: usize) -> usize {
    let mut room = chars_max;
    let fits = |c: &char| {
        let left = room.checked_sub(plain(c.encode_utf8(&mut [0; 4])).chars().count());
        room = left.unwrap_or(0);
        left.is_some()
    };
    chars.take_while(fits).count()
}

/// Whether a text has more characters than are shown.
fn is_long(text: &str) -> bool {
    // Only a text of so many bytes can have so many characters.
    text.len() > RESULT_CHARS_MAX && text.chars().count() > RESULT_CHARS_MAX
}
