//! Data to standard output, everything else to standard error, colour only on a terminal.

use handbox_hand::misleads;
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
    write(text, if text.ends_with('\n') || text.is_empty() { "" } else { "\n" });
}

/// Prints data piece by piece, otherwise as [`data`] does.
pub(crate) fn piece(text: &str) {
    write(text, "");
}

/// Prints what a program printed. A pipe gets it as it is; a terminal obeys its colours and nothing else.
pub(crate) fn raw(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let bytes = if out.is_terminal() { Cow::Owned(coloured(bytes)) } else { Cow::Borrowed(bytes) };
    note_written(out.write_all(&bytes).and_then(|()| out.flush()));
}

/// What a program coloured stays its own: what comes after it on a terminal has no colour.
pub(crate) fn plain_again() {
    if !COLOURED.swap(false, Ordering::Relaxed) {
        return;
    }
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let terminal: &mut dyn Write = if out.is_terminal() { &mut out } else { &mut err };
    // Nobody is left to be told.
    let _ = terminal.write_all(b"\x1b[0m").and_then(|()| terminal.flush());
}

/// Whether a program may have set a colour.
static COLOURED: AtomicBool = AtomicBool::new(false);

/// How a file that a tool left is told of.
pub(crate) fn output_file(path: &std::path::Path) -> String {
    format!("output file: {}", handbox_hand::one_line(&path.display().to_string()))
}

/// As [`raw`], to standard error.
pub(crate) fn raw_error(bytes: &[u8]) {
    let mut err = std::io::stderr().lock();
    let bytes = if err.is_terminal() { Cow::Owned(coloured(bytes)) } else { Cow::Borrowed(bytes) };
    // Nobody is left to be told.
    let _ = err.write_all(&bytes);
}

/// Text with control characters shown, but for those that set colours (ECMA-48, SGR).
fn coloured(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    let mut pieces = text.split("\x1b[");
    COLOURED.fetch_or(text.contains("\x1b["), Ordering::Relaxed);
    shown.push_str(&visible(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let end = piece.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(piece.len());
        if piece[end..].starts_with('m') {
            shown.push_str("\x1b[");
            shown.push_str(&piece[..=end]);
            shown.push_str(&visible(&piece[end + 1..]));
        } else {
            shown.push_str(&visible(&format!("\x1b[{piece}")));
        }
    }
    shown.into_bytes()
}

fn write(text: &str, end: &str) {
    let mut out = std::io::stdout().lock();
    let text = if out.is_terminal() { Cow::Owned(visible(text)) } else { Cow::Borrowed(text) };
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes())).and_then(|()| out.flush());
    note_written(written);
}

fn note_written(written: std::io::Result<()>) {
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

/// JSON without any character that a terminal obeys or hides: they may stand in strings as they
/// are, and stand nowhere else.
fn json_text(value: &Value) -> String {
    let escaped = |c: char| c.is_control() || misleads(c);
    let text = value.to_string();
    if !text.contains(escaped) {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped(c) {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            safe.push_str(&units);
        } else {
            safe.push(c);
        }
    }
    safe
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

/// Whether standard error takes colours.
pub(crate) fn colours() -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && std::io::stderr().is_terminal()
}

/// Text on one line, of at most so many characters.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let line = visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() <= chars_max {
        return line;
    }
    line.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

/// Text that a component may have made, with control characters shown instead of obeyed.
pub(crate) fn visible(text: &str) -> String {
    let control = |c: char| (c.is_control() && c != '\n' && c != '\t') || misleads(c);
    if !text.contains(control) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if control(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::{coloured, json_text, one_line, visible};

    #[test]
    fn of_what_programs_print_a_terminal_obeys_colours_alone() {
        let shown = |text: &str| String::from_utf8(coloured(text.as_bytes())).unwrap();
        assert_eq!(shown("a\u{1b}[1;31mred\u{1b}[0m\n"), "a\u{1b}[1;31mred\u{1b}[0m\n");
        assert_eq!(shown("\u{1b}[2J\u{1b}]0;t\u{7}\u{1b}["), "\\u{1b}[2J\\u{1b}]0;t\\u{7}\\u{1b}[");
    }

    #[test]
    fn a_tool_cannot_drive_the_terminal() {
        assert_eq!(visible("a\u{1b}[31mb\n\tc"), "a\\u{1b}[31mb\n\tc");
    }

    #[test]
    fn what_is_not_seen_is_shown() {
        for hidden in ["\u{61c}", "\u{200b}", "\u{200d}", "\u{2060}", "\u{202e}", "\u{feff}", "\u{e0041}"] {
            let text = format!("a{hidden}b");
            assert_eq!(visible(&text), format!("a{}b", hidden.escape_unicode()));
            let json = json_text(&text.clone().into());
            assert!(json.is_ascii(), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn a_line_is_one_and_no_longer_than_asked() {
        assert_eq!(one_line("a\n b\tc", 10), "a b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("\u{1b}[2J", 40), "\\u{1b}[2J");
    }

    #[test]
    fn json_is_the_same_without_control_characters() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{1b}\u{7f}\n", "é"] });
        let text = json_text(&value);
        assert!(!text.contains(char::is_control) && text.contains('é'), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
