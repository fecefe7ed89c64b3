//! What a call sends, shown to whoever made it.

use crate::args::Global;
use crate::output::{self, Tone};
use async_trait::async_trait;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, Verdict};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most requests that an answer for programs lists. The number of all stands beside them.
const LISTED_MAX: usize = 100;

/// The record of one call without a session: shown with `-v`, and part of the answer for programs. A refusal is always
/// shown, with what would allow it.
pub(crate) struct Shown {
    verbose: bool,
    quiet: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    count: usize,
    /// By the number of the request.
    requests: BTreeMap<u64, Value>,
    /// Refusals that were shown: a tool may try the same a thousand times.
    refused: Vec<String>,
}

impl Shown {
    pub(crate) fn new(global: &Global) -> Self {
        Self { verbose: global.verbose > 0, quiet: global.quiet, seen: Mutex::default() }
    }

    /// For an answer to programs; `None` if nothing was to be sent.
    pub(crate) fn to_json(&self) -> Option<Value> {
        let seen = self.seen();
        (seen.count > 0).then(|| json!({ "count": seen.count, "list": seen.requests.values().collect::<Vec<_>>() }))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Audit for Shown {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        let mut seen = self.seen();
        seen.count += 1;
        if seen.requests.len() < LISTED_MAX
            && let Ok(record) = serde_json::to_value(egress)
        {
            seen.requests.insert(egress.id, record);
        }
        let line = line(egress);
        match &egress.verdict {
            Verdict::Allowed { .. } if self.verbose => going(egress),
            Verdict::Refused { .. }
                if !self.quiet && !seen.refused.contains(&line) && seen.refused.len() < LISTED_MAX =>
            {
                refused(egress);
                seen.refused.push(line);
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        if self.verbose {
            came(end, &line(egress));
        }
        if let (Some(record), Ok(end)) = (self.seen().requests.get_mut(&egress.id), serde_json::to_value(end)) {
            record["end"] = end;
        }
    }
}

/// What a session's log says of requests, as whoever watches the session is shown it.
pub(crate) struct Watched {
    verbose: bool,
    /// Those that have not ended, by their numbers.
    going: HashMap<u64, String>,
}

impl Watched {
    /// With `verbose`, every request is shown; a refusal always.
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, going: HashMap::new() }
    }

    pub(crate) fn decided(&mut self, egress: &Egress) {
        refused(egress);
        if self.verbose && matches!(egress.verdict, Verdict::Allowed { .. }) {
            going(egress);
            self.going.insert(egress.id, line(egress));
        }
    }

    /// Whether the end of a request is to be shown.
    pub(crate) fn awaits(&self, request: u64) -> bool {
        self.going.contains_key(&request)
    }

    pub(crate) fn ended(&mut self, request: u64, end: &EgressEnd) {
        if let Some(line) = self.going.remove(&request) {
            came(end, &line);
        }
    }
}

/// Says that a request goes out, and what lets it.
fn going(egress: &Egress) {
    if let Verdict::Allowed { rule, credential } = &egress.verdict {
        let with = credential.as_ref().map(|name| format!(" with the credential {name}")).unwrap_or_default();
        output::note(Tone::Note, &format!("→ {} ({rule}{with})", line(egress)));
    }
}

/// Says what came of it.
fn came(end: &EgressEnd, line: &str) {
    let what = end.status.map_or_else(|| end.error.clone().unwrap_or_default(), |status| status.to_string());
    let (bytes, ms) = (end.response_bytes, end.duration_ms);
    output::note(Tone::Note, &format!("← {what}, {bytes} B, {ms} ms: {line}"));
}

/// Method and address, for people.
fn line(egress: &Egress) -> String {
    output::one_line(&format!("{} {}{}", egress.method, egress.origin, egress.path), 200)
}

/// Says that a request was refused, and what would allow it.
fn refused(egress: &Egress) {
    if let Verdict::Refused { reason, hint } = &egress.verdict {
        output::clear_transient();
        output::note(Tone::Note, &format!("not sent: {}: {}", line(egress), output::one_line(reason, 400)));
        if !hint.is_empty() {
            output::note(Tone::Hint, &output::one_line(hint, 400));
        }
    }
}
