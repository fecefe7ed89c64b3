//! Shows what a call reports while it runs, and keeps for its end what was not shown.

use crate::args::Global;
use crate::output::{self, Tone};
use handbox_hand::{LogLevel, Usage, Watcher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most that is shown of a crash, in characters; a tool may print as much as it likes.
const CRASH_CHARS_MAX: usize = 500;
/// How a Rust program ends the text of a panic.
const PANIC_ENDS: [&str; 2] = ["\nnote: run with `RUST_BACKTRACE", "\nstack backtrace:"];

/// Shows what a call reports.
pub(crate) struct Terminal {
    verbose: u8,
    quiet: bool,
    json: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    usage: Usage,
    /// What an operator should know if the tool crashed.
    crash: Option<Crash>,
}

struct Crash {
    text: String,
    /// Whether all that the tool printed was shown.
    shown: bool,
}

/// How the text of a panic begins, before its place.
const PANICKED: &str = "the tool panicked at ";

impl Terminal {
    pub(crate) fn new(global: &Global) -> Self {
        Self { verbose: global.verbose, quiet: global.quiet, json: global.json, seen: Mutex::default() }
    }

    /// Whether somebody has read the warnings that came before the call, as who gets JSON has not.
    pub(crate) fn showed_warnings(&self) -> bool {
        !self.quiet && !self.json
    }

    pub(crate) fn usage(&self) -> Usage {
        self.seen().usage
    }

    /// Says why the tool crashed, if it printed that and it was not shown. Only to people: the answer for programs may
    /// go to a model.
    pub(crate) fn tell_crash(&self) {
        let seen = self.seen();
        if let Some(crash) = seen.crash.as_ref().filter(|crash| !(crash.shown || self.quiet && self.json)) {
            output::clear_transient();
            output::note(Tone::Note, &crash.text);
        }
    }

    /// What to do about a tool that crashed.
    pub(crate) fn crash_hint(&self) -> &'static str {
        match (self.seen().crash.as_ref().is_some_and(|crash| !crash.shown), self.quiet) {
            (true, true) => "-v instead of -q shows all that it printed; if it is not yours, tell its author",
            (true, false) => "-v shows all that it printed; if it is not yours, tell its author",
            (false, _) => "if it is not yours, tell its author",
        }
    }

    /// With what the tool panicked, if it did.
    pub(crate) fn panic(&self) -> Option<String> {
        let seen = self.seen();
        let (_place, message) = seen.crash.as_ref()?.text.strip_prefix(PANICKED)?.split_once(": ")?;
        Some(message.to_owned())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Terminal {
    fn progress(&self, fraction: Option<f32>, message: &str) {
        let percent = fraction.map(|fraction| format!("{:3.0} % ", fraction * 100.0)).unwrap_or_default();
        output::transient(&format!("{percent}{message}"));
    }

    fn log(&self, level: LogLevel, message: &str) {
        let shown = match level {
            LogLevel::Warn | LogLevel::Error => true,
            LogLevel::Info => self.verbose > 0,
            LogLevel::Debug => self.verbose > 1,
        };
        if shown {
            output::clear_transient();
            output::note(Tone::Note, message.trim_end());
        }
        if level == LogLevel::Info
            && let Some(text) = crash(message)
        {
            self.seen().crash = Some(Crash { text, shown });
        }
    }

    fn finished(&self, usage: &Usage) {
        self.seen().usage = *usage;
    }
}

/// Why a tool that printed this may have crashed: where and with what it panicked, else its last line.
fn crash(printed: &str) -> Option<String> {
    let bounded = |text: &str| {
        // So many bytes hold more characters than are shown.
        let start = &text[..text.floor_char_boundary(CRASH_CHARS_MAX * 4)];
        output::one_line(start, CRASH_CHARS_MAX)
    };
    let panics = printed.match_indices("thread '").filter(|(at, _)| *at == 0 || printed[..*at].ends_with('\n'));
    let panic = panics.filter_map(|(at, _)| {
        let (first, place) = printed[at..].split_once("panicked at ")?;
        (!first.contains('\n')).then_some(place)
    });
    if let Some(panic) = panic.last() {
        let end = PANIC_ENDS.iter().filter_map(|end| panic.find(end)).min().unwrap_or(panic.len());
        return Some(format!("{PANICKED}{}", bounded(&panic[..end])));
    }
    let last = printed.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(format!("the last line that the tool printed: {}", bounded(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_place_and_its_message() {
        let panic = "one\n\nthread '<unnamed>' (1) panicked at src/lib.rs:8:5:\nno \u{1b}[31m notes\nat all\n\
                     note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(crash(panic).unwrap(), "the tool panicked at src/lib.rs:8:5: no \\u{1b}[31m notes at all");
        assert_eq!(
            crash("a\nassertion failed: x\n\n").unwrap(),
            "the last line that the tool printed: assertion failed: x"
        );
        assert_eq!(crash(" \n"), None);
    }

    #[test]
    fn a_long_panic_is_cut() {
        let shown = crash(&format!("thread 'main' panicked at {}", "é".repeat(100_000))).unwrap();
        assert!(shown.ends_with('…') && shown.chars().count() < CRASH_CHARS_MAX + 30, "{shown}");
    }
}
