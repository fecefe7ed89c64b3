//! A file of JSON lines: each event is written whole with one call, and synced or not.

use crate::child;
use crate::event::Name;
use crate::pattern::{Pattern, Sync};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::path::Path;

const FILE: &str = "events.jsonl";

pub(crate) fn write(pattern: &Pattern, sync: Sync, folder: &Path) -> Result<()> {
    let mut file = File::options().create(true).append(true).open(folder.join(FILE))?;
    child::drive(pattern, |name| {
        file.write_all(line(name).as_bytes())?;
        if sync == Sync::Fdatasync {
            file.sync_data()?;
        }
        Ok(())
    })
}

fn line(name: Name) -> String {
    format!("{}\n", serde_json::json!({ "writer": name.writer, "number": name.number, "text": name.text() }))
}

/// All whole lines; what follows the last line's end is a line that was being written.
pub(crate) fn count(folder: &Path) -> Result<Vec<Name>> {
    let bytes = std::fs::read(folder.join(FILE))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
    lines.map(parse).collect()
}

fn parse(line: &[u8]) -> Result<Name> {
    let value: serde_json::Value = serde_json::from_slice(line).context("a line that is not JSON")?;
    let number = |key: &str| value[key].as_u64().context("a line without a number");
    let name = Name { writer: number("writer")?, number: number("number")? };
    ensure!(line == self::line(name).as_bytes(), "event {name} is not what was written");
    Ok(name)
}
