//! What happens in a session, shown while it happens.

use super::advise::Hints;
use crate::egress::Watched;
use crate::output::{self, Tone};
use handbox_hand::{Egress, EgressEnd};
use handbox_session::fold::bodies::Body;
use handbox_session::fold::{CallStarted, HandProvisioned, OpenCall};
use handbox_session::{Entry, EventId, Followed, Seq, kinds};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;

/// Characters of a tool's input or result that are shown.
const SHOWN_MAX: usize = 110;

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The model's words on standard output, everything else on standard error.
    Text,
    /// Every event of clients on standard output, one a line.
    Json,
}

/// Shows a session to whoever watches it.
pub(super) struct Screen {
    form: Form,
    quiet: bool,
    /// The place of the last event that was shown.
    pub(super) last: Option<Seq>,
    /// The message whose beginning was seen.
    seen_begin: Option<String>,
    /// The message that is being written, and what of it stands there.
    begun: Option<(String, String)>,
    /// What stands there of messages of the same reply that came before it.
    above: HashMap<String, String>,
    /// The tools that were called: their names, and when they began.
    calls: HashMap<String, (String, u64)>,
    /// What the operator can do about calls that failed.
    hints: Hints,
    said: HashSet<String>,
    /// Whether such a hint was shown.
    pub(super) advised: bool,
    requests: Watched,
}

impl Screen {
    pub(super) fn new(form: Form, quiet: bool, last: Option<Seq>) -> Self {
        let (begun, calls, hints) = (None, HashMap::new(), Hints::default());
        Self {
            form,
            quiet,
            last,
            seen_begin: None,
            begun,
            above: HashMap::new(),
            calls,
            hints,
            said: HashSet::new(),
            advised: false,
            requests: Watched::new(false),
        }
    }

    /// Shows each request that its tools send.
    pub(super) fn requests(&mut self) {
        self.requests = Watched::new(true);
    }

    /// Shows these hints, too.
    pub(super) fn hints(&mut self, hints: Hints) {
        self.hints = hints;
    }

    /// A call that was made before anything was shown.
    pub(super) fn knows(&mut self, call: &OpenCall) {
        self.calls.insert(call.id.to_string(), (call.name.clone(), call.id.unix_ms()));
    }

    pub(super) fn followed(&mut self, followed: &Followed) {
        match followed {
            Followed::Event(entry) => self.event(entry),
            // Where no person reads along, a text is printed once it is whole: a try that fails is followed by another.
            Followed::Preview(preview) if self.form == Form::Text && std::io::stdout().is_terminal() => {
                if let Ok(preview) = serde_json::from_str(&preview.0) {
                    self.preview(&preview);
                }
            }
            Followed::Preview(_) => {}
        }
    }

    fn preview(&mut self, preview: &Value) {
        let text = |pointer: &str| preview.pointer(pointer).and_then(Value::as_str);
        if let Some(begun) = text("/event/id") {
            self.seen_begin = Some(begun.to_owned());
        }
        let (Some(id), Some(more)) = (text("/event_id"), text("/delta/content/text")) else { return };
        // Of one that began before somebody looked, the whole comes at its end.
        if self.seen_begin.as_deref() != Some(id) {
            return;
        }
        if self.begun.as_ref().is_some_and(|(begun, _)| begun != id) {
            self.end_line();
        }
        let (_, written) = self.begun.get_or_insert_with(|| (id.to_owned(), String::new()));
        output::piece(more);
        written.push_str(more);
    }

    fn event(&mut self, entry: &Entry) {
        self.last = Some(entry.seq);
        let event = &entry.event;
        let members = Value::Object(event.members());
        if self.form == Form::Json {
            if !event.kind().as_str().starts_with("handbox.") {
                output::data(event.json());
            }
            if *event.kind() == kinds::AGENT_TOOL_RESULT {
                self.advise(members["tool_use_id"].as_str().unwrap_or_default(), &members["handbox"]);
            }
            return;
        }
        let kind = event.kind();
        if *kind == kinds::AGENT_MESSAGE {
            self.message(&event.id().to_string(), &text_of(&members["content"]));
        } else if *kind == kinds::AGENT_TOOL_USE || *kind == kinds::AGENT_CUSTOM_TOOL_USE {
            self.end_line();
            let name = members["name"].as_str().unwrap_or_default().to_owned();
            self.note(&format!("→ {} {}", output::one_line(&name, 128), clip(&members["input"].to_string())));
            self.calls.insert(event.id().to_string(), (name, event.id().unix_ms()));
        } else if *kind == kinds::HANDBOX_CALL_STARTED {
            // A person may have been asked before.
            let started = CallStarted::from_event(event).ok();
            let call = started.and_then(|started| self.calls.get_mut(&started.tool_use_id.to_string()));
            if let Some((_, since)) = call {
                *since = event.id().unix_ms();
            }
        } else if *kind == kinds::AGENT_TOOL_RESULT {
            self.end_line();
            self.result(event.id(), &members);
        } else if *kind == kinds::SESSION_ERROR {
            self.end_line();
            self.error(event.id(), &members);
        } else if *kind == kinds::HANDBOX_EGRESS {
            if let Ok(egress) = serde_json::from_value::<Egress>(record(members)) {
                self.end_line();
                self.requests.decided(&egress);
            }
        } else if *kind == kinds::HANDBOX_EGRESS_ENDED {
            let request = members["request"].as_u64().filter(|request| self.requests.awaits(*request));
            if let (Some(request), Ok(end)) = (request, serde_json::from_value::<EgressEnd>(members)) {
                self.end_line();
                self.requests.ended(request, &end);
            }
        } else if *kind == kinds::HANDBOX_HAND_PROVISIONED {
            match HandProvisioned::from_event(event) {
                Ok(made) if made.reason == "died" => {
                    self.note(&format!("the hand `{}` died and was made ready again", made.hand));
                }
                // That each process makes its own is nothing that happened to the agent.
                _ => {}
            }
        }
    }

    /// A message that is whole now. What stands there already is not repeated.
    fn message(&mut self, id: &str, text: &str) {
        if self.above.remove(id).is_some_and(|written| written == text) {
            return;
        }
        match self.begun.take() {
            Some((begun, written)) if begun == id && text.starts_with(&written) => {
                output::piece(&text[written.len()..])
            }
            Some(_) => output::piece(&format!("\n{text}")),
            None => output::piece(text),
        }
        output::piece("\n");
    }

    fn result(&mut self, at: EventId, members: &Value) {
        let id = members["tool_use_id"].as_str().unwrap_or_default();
        let (name, since) = self.calls.remove(id).unwrap_or_else(|| ("a tool".to_owned(), at.unix_ms()));
        let text = text_of(&members["content"]);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = clip(lines.next().unwrap_or("nothing"));
        let more = match lines.count() {
            0 => String::new(),
            more => format!(" (+{})", counted(more as u64, "line")),
        };
        let failed = if members["is_error"] == true { " failed," } else { "" };
        let own = &members["handbox"];
        // What the brain answered took no time, and a call whose outcome nobody knows took nobody knows how long.
        let time = match own["part"] == "brain" {
            true => failed.trim_end_matches(',').to_owned(),
            false => format!("{failed} {}", duration(at.unix_ms().saturating_sub(since))),
        };
        self.note(&format!("← {}{time}: {first}{more}", output::one_line(&name, 128)));
        self.advise(id, own);
    }

    /// Says what the operator can do about a call that failed, once for all calls that failed so.
    fn advise(&mut self, call: &str, own: &Value) {
        let unready = own["hand"].as_str().filter(|_| own["incarnation"].is_null());
        if let Some(why) = own["why"].as_str().filter(|_| unready.is_some()) {
            output::note(Tone::Warning, why);
        }
        let hint = self.hints.take(call).or_else(|| self.hints.take(unready?));
        if let Some(hint) = hint.filter(|hint| !self.quiet && self.said.insert(hint.clone())) {
            output::note(Tone::Hint, &hint);
            self.advised = true;
        }
    }

    /// What the turn ends with is said at its end.
    fn error(&self, at: EventId, members: &Value) {
        let error = &members["error"];
        if error["retry_status"]["type"] == "retrying" {
            let message = error["message"].as_str().unwrap_or("something went wrong");
            let wait = members["handbox"]["retry_at_unix_ms"].as_u64().map(|retry| retry.saturating_sub(at.unix_ms()));
            let wait = wait.map(|ms| format!(" in {}", duration(ms))).unwrap_or_default();
            output::note(Tone::Warning, &format!("{message}; trying again{wait}"));
        }
    }

    /// Ends what is being written, if anything is.
    pub(super) fn end_line(&mut self) {
        if let Some((id, written)) = self.begun.take() {
            if !written.ends_with('\n') {
                output::piece("\n");
            }
            self.above.insert(id, written);
        }
    }

    pub(super) fn note(&self, text: &str) {
        if self.form == Form::Text && !self.quiet {
            output::note(Tone::Note, text);
        }
    }
}

/// `1 line`, `2 lines`.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The text blocks of some content.
fn text_of(content: &Value) -> String {
    let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |block: &Value| match block["text"].as_str() {
        Some(text) => text.to_owned(),
        None => format!("[{}]", block["type"].as_str().unwrap_or("?")),
    };
    blocks.iter().map(text).collect()
}

pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `12 ms`, `3.4 s`, `2 min 5 s`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

/// A record as it was told; in the log its number has another name.
fn record(mut members: Value) -> Value {
    members["id"] = members["request"].take();
    members
}

#[cfg(test)]
mod tests {
    use super::{SHOWN_MAX, clip, duration, text_of};
    use serde_json::json;

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!([duration(7), duration(1250), duration(125_000)], ["7 ms", "1.2 s", "2 min 5 s"]);
    }

    #[test]
    fn what_is_shown_of_a_result_is_short_and_whole_characters() {
        let long = "é".repeat(SHOWN_MAX + 1);
        assert_eq!(clip(&long).chars().count(), SHOWN_MAX + 1);
        assert_eq!(text_of(&json!([{ "type": "text", "text": "a" }, { "type": "image" }])), "a[image]");
    }
}
