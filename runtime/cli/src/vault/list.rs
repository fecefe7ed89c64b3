//! `handbox vault list`.

use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::fold::rfc3339;
use handbox_vault::keep::{Bind, GuestHeader, Listed};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// List credentials: names, kinds, bindings, age, last use. Never a value.
#[derive(clap::Args)]
pub(super) struct List {}

pub(super) fn run(global: &Global, paths: &Paths, _: &List) -> Result<ExitCode, Failure> {
    let keep = super::keep(paths);
    let all = if keep.is_there() { keep.list()? } else { Vec::new() };
    if global.json {
        let all: Vec<Value> = all.iter().map(json).collect();
        output::json_line(&json!({ "credentials": all }));
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        if !global.quiet {
            let text = format!("no credentials in {}; take one in: handbox vault set NAME", paths.data.display());
            output::note(Tone::Note, &text);
        }
        return Ok(ExitCode::SUCCESS);
    }
    output::data(&text(&all));
    Ok(ExitCode::SUCCESS)
}

fn json(one: &Listed) -> Value {
    let time = |seconds: u64| rfc3339(seconds.saturating_mul(1000));
    json!({
        "name": one.name,
        "kind": one.kind.name(),
        "place": one.kind,
        "from": one.from,
        "bindings": one.bindings,
        "created": time(one.created),
        "rotated": time(one.rotated),
        "age_s": now().saturating_sub(one.rotated),
        "expires": one.expires.map(time),
        "last_used": one.last_used.map(time),
        "note": one.note,
    })
}

fn text(all: &[Listed]) -> String {
    let mut rows = vec![["NAME", "KIND", "FROM", "AGE", "LAST USED"].map(str::to_owned)];
    rows.extend(all.iter().map(|one| {
        let used = one.last_used.map_or_else(|| "never".to_owned(), |time| format!("{} ago", ago(time)));
        [one.name.clone(), one.kind.name().to_owned(), output::one_line(&one.from, 40), ago(one.rotated), used]
    }));
    let chars = |cell: &String| cell.chars().count();
    let widths: Vec<usize> =
        (0..5).map(|column| rows.iter().map(|row| chars(&row[column])).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
        for bind in at.checked_sub(1).and_then(|at| all.get(at)).iter().flat_map(|one| &one.bindings) {
            let _ = writeln!(text, "  -> {}", binding(bind));
        }
    }
    text
}

fn binding(bind: &Bind) -> String {
    let methods = if bind.methods.is_empty() { String::new() } else { format!("{} ", bind.methods.join(",")) };
    let pinned = bind.digest.as_ref().map_or_else(|| "any version".to_owned(), |digest| output::one_line(digest, 19));
    let replaces = if bind.guest_header == GuestHeader::Replace { ", replaces the guest's header" } else { "" };
    format!("{methods}{} for {} ({pinned}){replaces}", bind.to, output::one_line(&bind.bundle, 80))
}

/// How long ago, in the largest unit.
fn ago(time: u64) -> String {
    let seconds = now().saturating_sub(time);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
