//! `handbox sessions list`.

use super::count;
use super::show::{state, summary_json};
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::fold::{Summary, rfc3339, summary_of};
use handbox_session::{LogError, Record, SESSIONS_MAX, SessionId, SessionLog};
use serde_json::{Value, json};
use std::process::ExitCode;

const LIMIT: u64 = 50;
/// Characters of a title in the table.
const TITLE_SHOWN: usize = 32;

#[derive(clap::Args)]
pub(super) struct List {
    /// How many at most [default: 50]
    #[arg(long, value_name = "COUNT", value_parser = count)]
    limit: Option<u64>,
    /// Only sessions that began before this one
    #[arg(long, value_name = "ID")]
    before: Option<String>,
}

impl List {
    pub(super) fn is_plain(&self) -> bool {
        self.limit.is_none() && self.before.is_none()
    }
}

/// A session of the list; one that is damaged cannot be summed up.
struct Row {
    record: Record,
    summary: Result<Summary, LogError>,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &List) -> Result<ExitCode, Failure> {
    let limit = usize::try_from(command.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX);
    let (rows, more) = match (open::is_there(paths)?, &command.before) {
        (true, _) => open::with(paths, "handbox sessions", async |log| rows(log, command, limit).await)?,
        (false, None) => (Vec::new(), false),
        (false, Some(id)) => return Err(open::unknown(id).hint(open::none_kept(paths))),
    };
    let next = rows.last().filter(|_| more).map(|row| row.record.id);
    if global.json {
        let sessions: Vec<Value> = rows.iter().map(json).collect();
        output::json_line(&json!({ "sessions": sessions, "next": next }));
    } else {
        text(global, paths, command, &rows, next);
    }
    let damaged = rows.iter().filter(|row| row.summary.is_err()).count();
    if damaged == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if !global.json {
        let failure = Failure::new(Kind::Broken, format!("{damaged} of these are damaged"));
        failure.hint("`handbox log verify` says how far it reaches").report_text();
    }
    Ok(ExitCode::from(Kind::Broken.code()))
}

/// The sessions, and whether there are more.
async fn rows(log: &dyn SessionLog, command: &List, limit: usize) -> Result<(Vec<Row>, bool), Failure> {
    let mut before: Option<SessionId> = match &command.before {
        Some(id) => Some(open::resolve(log, id).await?),
        None => None,
    };
    let mut rows = Vec::new();
    loop {
        // One more than is shown says whether there are more.
        let wanted = (limit - rows.len()).saturating_add(1).min(SESSIONS_MAX);
        let records = log.sessions(before, wanted).await?;
        let ends = records.len() < wanted;
        for record in records {
            if rows.len() == limit {
                return Ok((rows, true));
            }
            before = Some(record.id);
            match summary_of(log, &record).await {
                // Somebody removed it meanwhile.
                Err(LogError::NoSession(_)) => {}
                Err(error @ LogError::Damaged(_)) => rows.push(Row { record, summary: Err(error) }),
                summary => rows.push(Row { record, summary: Ok(summary?) }),
            }
        }
        if ends {
            return Ok((rows, false));
        }
    }
}

fn json(row: &Row) -> Value {
    match &row.summary {
        Ok(summary) => summary_json(summary),
        Err(error) => {
            json!({ "id": row.record.id, "status": "damaged", "events": row.record.head, "damage": error.to_string() })
        }
    }
}

fn text(global: &Global, paths: &Paths, command: &List, rows: &[Row], next: Option<SessionId>) {
    if rows.is_empty() {
        let text = match &command.before {
            Some(id) => format!("no session is older than {id}"),
            None => {
                let data = paths.data.display();
                format!("no sessions in {data}; `handbox log import FILE` takes in one that was exported")
            }
        };
        if !global.quiet {
            output::note(Tone::Note, &text);
        }
        return;
    }
    let mut cells = vec![["ID", "STATUS", "TITLE", "EVENTS", "LAST ACTIVITY", "COST"].map(str::to_owned)];
    cells.extend(rows.iter().map(row));
    output::data(&aligned(&cells));
    if let Some(next) = next.filter(|_| !global.quiet) {
        output::note(Tone::Note, &format!("there are older ones: handbox sessions --before {next}"));
    }
}

fn row(row: &Row) -> [String; 6] {
    let (id, events) = (row.record.id.to_string(), row.record.head.to_string());
    match &row.summary {
        Ok(summary) => {
            let title = output::one_line(summary.title.as_deref().unwrap_or("-"), TITLE_SHOWN);
            // To the second: who wants it exactly asks for JSON.
            let time = rfc3339(summary.active_unix_ms);
            let time = format!("{}Z", time.split('.').next().unwrap_or(&time));
            [id, state(summary), title, events, time, summary.total.spend.to_string()]
        }
        Err(_) => [id, "DAMAGED".to_owned(), "-".to_owned(), events, "-".to_owned(), "-".to_owned()],
    }
}

/// Columns below each other; numbers end where their column does.
fn aligned(rows: &[[String; 6]]) -> String {
    let chars = |cell: &String| cell.chars().count();
    let width = |column: usize| rows.iter().map(|row| chars(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            3 | 5 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_below_each_other() {
        let row = |cells: [&str; 6]| cells.map(str::to_owned);
        let rows = [row(["ID", "S", "T", "EVENTS", "L", "COST"]), row(["a", "idle", "é…", "7", "x", "$1"])];
        assert_eq!(aligned(&rows), "ID  S     T   EVENTS  L  COST\na   idle  é…       7  x    $1");
    }
}
