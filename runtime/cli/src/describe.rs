//! Components in words, for people: what `pack` and `inspect` print.

use crate::output::visible;
use handbox_bundle::{Asks, Mode};
use handbox_hand::Tool;
use handbox_hands::reflect::Skipped;
use serde_json::{Value, json};
use std::fmt::Write;

/// Lines of `label  text`, the texts below each other. What stands in `text` may come from a
/// component. A row without text is left out.
pub(crate) fn table(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let mut table = String::new();
    for (label, text) in rows.iter().filter(|(_, text)| !text.is_empty()) {
        for (index, line) in visible(text).lines().enumerate() {
            let label = if index == 0 { label } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{label:width$}  {line}");
        }
    }
    table
}

/// A line for each tool: its name, the first line of its description, its hints.
pub(crate) fn tools(tools: &[Tool]) -> String {
    let width = tools.iter().map(|tool| tool.name.as_str().len()).max().unwrap_or_default();
    let line = |tool: &Tool| {
        let summary = tool.description.lines().next().unwrap_or_default();
        format!("{:width$}  {summary}{}", tool.name.as_str(), crate::tools::hints(tool.hints))
    };
    tools.iter().map(|tool| line(tool).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A remark for each exported function that is no tool.
pub(crate) fn left_out(functions: &[Skipped]) -> Vec<String> {
    functions.iter().map(|Skipped { export, reason }| format!("left out: {export}: {reason}")).collect()
}

/// The same for programs.
pub(crate) fn left_out_json(functions: &[Skipped]) -> Vec<Value> {
    functions.iter().map(|Skipped { export, reason }| json!({ "export": export, "reason": reason })).collect()
}

/// A line for each thing that is asked for.
pub(crate) fn asks(asks: &Asks) -> String {
    let or_any = |text: &str, any: &str| {
        let (name, wish) = text.strip_suffix('?').map_or((text, ""), |name| (name, ", or none"));
        format!("{}{wish}", if name == "*" { any } else { name })
    };
    let folders = asks.folders.iter().map(|ask| {
        let mode = if ask.mode == Mode::ReadOnly { "to read" } else { "to read and write" };
        format!("folder {}, {mode}", or_any(&ask.path, "that the operator names"))
    });
    let env = asks.env.iter().map(|name| format!("environment value {}", or_any(name, "that the operator names")));
    let hosts = asks.hosts.iter().map(|host| format!("network host {}", or_any(host, "that the operator names")));
    let credentials =
        asks.credentials.iter().map(|kind| format!("the use of a credential: {}", or_any(kind, "of any kind")));
    let all: Vec<String> = folders.chain(env).chain(hosts).chain(credentials).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join("\n") }
}

/// A size for people, with the exact one behind it where that differs.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB ({bytes} bytes)", bytes / 1024),
        _ => format!("{:.1} MiB ({bytes} bytes)", bytes as f64 / 1_048_576.0),
    }
}

/// `word` as one argument of a POSIX shell.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::FolderAsk;

    #[test]
    fn a_table_keeps_its_columns_and_shows_control_characters() {
        let rows = [("a", "1\n2".to_owned()), ("empty", String::new()), ("long", "\u{1b}x".to_owned())];
        assert_eq!(table(&rows), "a      1\n       2\nlong   \\u{1b}x\n");
    }

    #[test]
    fn asks_say_what_a_star_means() {
        assert_eq!(asks(&Asks::default()), "nothing");
        let folders = vec![FolderAsk { path: "*".to_owned(), mode: Mode::ReadOnly }];
        let some = Asks { folders, env: vec!["LANG".to_owned()], ..Asks::default() };
        assert_eq!(asks(&some), "folder that the operator names, to read\nenvironment value LANG");
    }

    #[test]
    fn a_shell_takes_a_quoted_word_as_it_was() {
        assert_eq!(shell_word("./a-b.wasm"), "./a-b.wasm");
        assert_eq!(shell_word(r#"{"a":"it's"}"#), r#"'{"a":"it'\''s"}'"#);
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn sizes_are_readable_and_exact() {
        assert_eq!(size(12), "12 bytes");
        assert_eq!(size(2048), "2 KiB (2048 bytes)");
        assert_eq!(size(3 << 20), "3.0 MiB (3145728 bytes)");
    }
}
