//! Data to standard output, everything else to standard error, colour only on a terminal.

use serde_json::Value;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What kind of remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Error,
    Warning,
    Hint,
    Note,
}

/// Prints data, ending it with a line break if it has none. A pipe gets it as it is; on a
/// terminal its control characters are shown instead of obeyed.
pub(crate) fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let text = if out.is_terminal() { Cow::Owned(visible(text)) } else { Cow::Borrowed(text) };
    let end: &[u8] = if text.ends_with('\n') || text.is_empty() { b"" } else { b"\n" };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(end)).and_then(|()| out.flush());
    match written {
        Ok(()) => {}
        // A reader that went away (`| head`) is no error of ours.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => GONE.store(true, Ordering::Relaxed),
        Err(error) => {
            let _ = LOST.set(error.to_string());
        }
    }
}

/// Whether the reader of standard output went away.
static GONE: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads standard output any more, so that there is no use in printing further.
pub(crate) fn is_done() -> bool {
    GONE.load(Ordering::Relaxed) || LOST.get().is_some()
}

/// Why data did not reach standard output.
static LOST: OnceLock<String> = OnceLock::new();

/// Why data that was printed did not arrive, such as a full disk. Asked once, at the end.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// Prints one JSON value on a line.
pub(crate) fn json_line(value: &Value) {
    data(&json_text(value));
}

/// JSON without any control character: the rest of those that a terminal obeys may stand in
/// strings as they are, and stand nowhere else.
fn json_text(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// Prints a remark.
pub(crate) fn note(tone: Tone, text: &str) {
    let (label, colour) = match tone {
        Tone::Error => ("error", "31;1"),
        Tone::Warning => ("warning", "33;1"),
        Tone::Hint => ("hint", "36"),
        Tone::Note => ("", ""),
    };
    let mut err = std::io::stderr().lock();
    let text = visible(text);
    let _ = match (label.is_empty(), colours()) {
        (true, _) => writeln!(err, "{text}"),
        (false, true) => writeln!(err, "\x1b[{colour}m{label}:\x1b[0m {text}"),
        (false, false) => writeln!(err, "{label}: {text}"),
    };
}

/// Shows a line that the next remark replaces. Only where somebody watches.
pub(crate) fn transient(text: &str) {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{}", visible(text));
    }
}

/// Removes a transient line.
pub(crate) fn clear_transient() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
    }
}

fn colours() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::io::stderr().is_terminal()
}

/// Characters that show a line in another order than it has, or break it unseen.
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text that a component may have made, with control characters shown instead of obeyed.
pub(crate) fn visible(text: &str) -> String {
    let control = |c: char| (c.is_control() && c != '\n' && c != '\t') || reorders(c);
    if !text.contains(control) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if control(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::{json_text, visible};

    #[test]
    fn a_tool_cannot_drive_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\n\tc"), "a\\u{1b}[31mb\n\tc");
    }

    #[test]
    fn json_is_the_same_without_control_characters() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{1b}\u{7f}\n", "é"] });
        let text = json_text(&value);
        assert!(!text.contains(char::is_control) && text.contains('é'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
