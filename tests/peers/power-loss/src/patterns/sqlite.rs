//! A table in SQLite in WAL mode, one commit for each event.

use crate::child;
use crate::event::Name;
use crate::pattern::{Pattern, Synchronous};
use anyhow::{Result, ensure};
use rusqlite::Connection;
use std::path::Path;

fn open(folder: &Path, synchronous: Synchronous) -> Result<Connection> {
    let connection = Connection::open(folder.join("log.sqlite"))?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    let (word, number) = match synchronous {
        Synchronous::Normal => ("NORMAL", 1),
        Synchronous::Full => ("FULL", 2),
    };
    connection.pragma_update(None, "synchronous", word)?;
    let found: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    ensure!(mode == "wal" && found == number, "SQLite is in mode {mode}, synchronous={found}");
    Ok(connection)
}

pub(crate) fn write(pattern: &Pattern, synchronous: Synchronous, folder: &Path) -> Result<()> {
    let connection = open(folder, synchronous)?;
    connection.execute_batch(
        "CREATE TABLE events (writer INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (writer, number))",
    )?;
    child::drive(pattern, |name| {
        let mut insert = connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3)")?;
        insert.execute((i64::try_from(name.writer)?, i64::try_from(name.number)?, name.text()))?;
        Ok(())
    })
}

/// Opens the database, checks it, and reads all rows.
pub(crate) fn count(synchronous: Synchronous, folder: &Path) -> Result<Vec<Name>> {
    let connection = open(folder, synchronous)?;
    let check: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    ensure!(check == "ok", "integrity_check: {check}");
    let mut rows = connection.prepare("SELECT writer, number, text FROM events ORDER BY writer, number")?;
    let mut rows = rows.query(())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = Name { writer: row.get::<_, i64>(0)?.try_into()?, number: row.get::<_, i64>(1)?.try_into()? };
        ensure!(row.get::<_, String>(2)? == name.text(), "event {name} is not what was written");
        found.push(name);
    }
    Ok(found)
}
