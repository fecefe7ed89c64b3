//! Measures the session log beside SQLite, in turns, in one process: what counts is the ratio.
//!
//! Never a test: it passes no verdict on a machine, it prints what it found.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

mod floor;
mod handbox;
mod sqlite;

use anyhow::{Context, Result};
use handbox_session::{Event, EventId, SessionId, kinds};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How long one side of a turn appends.
const TURN: Duration = Duration::from_millis(1500);
/// Turns of each side; the median is taken over these.
const TURNS: usize = 5;
/// Bytes of an event, about.
const EVENT_BYTES: usize = 1024;

fn main() -> Result<()> {
    // Two threads, as for the log's own benchmark; who waits for a commit needs none.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("Handbox {} beside SQLite {} (WAL, synchronous=FULL)", env!("CARGO_PKG_VERSION"), rusqlite::version());
    println!("each: one commit for each event, behind one lock; grouped: one commit for all that wait, by a thread");
    println!("medians of {TURNS} turns of {} ms, and the range\n", TURN.as_millis());
    println!(
        "{:<10} {:>24} {:>24} {:>24} {:>9} {:>12} {:>22}",
        "1 KiB", "Handbox", "SQLite, each", "SQLite, grouped", "of each", "of grouped", "fdatasync alone, µs"
    );
    for writers in [1, 8, 64] {
        compare(&runtime, writers)?;
    }
    Ok(())
}

/// Prints the appends a second of all sides, with so many writers.
fn compare(runtime: &Runtime, writers: u64) -> Result<()> {
    let mut rates: [Vec<f64>; 3] = Default::default();
    let mut floor = Vec::new();
    for _ in 0..TURNS {
        floor.push(floor::fdatasync_micros()?);
        rates[0].push(handbox::appends(runtime, writers)?);
        rates[1].push(sqlite::one_commit_each(writers)?);
        rates[2].push(sqlite::grouped(runtime, writers)?);
    }
    let [ours, each, grouped] = rates.map(Rates::of);
    println!(
        "{:<10} {:>24} {:>24} {:>24} {:>8.2}x {:>11.2}x {:>22}",
        format!("{writers} writers"),
        ours.to_string(),
        each.to_string(),
        grouped.to_string(),
        ours.median / each.median,
        ours.median / grouped.median,
        Rates::of(floor).to_string()
    );
    Ok(())
}

/// A figure over the turns.
struct Rates {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Rates {
    fn of(mut rates: Vec<f64>) -> Self {
        rates.sort_by(f64::total_cmp);
        let at = |place: usize| rates.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(rates.len() / 2), lowest: at(0), highest: at(rates.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} ({:.0}-{:.0})", self.median, self.lowest, self.highest)
    }
}

/// How often something was done, from a start on.
fn rate(count: u64, started: Instant) -> f64 {
    count as f64 / started.elapsed().as_secs_f64()
}

/// A writer's own session.
fn session(writer: u64) -> SessionId {
    SessionId::from((1_700_000_000_000 << 80) + u128::from(writer))
}

/// A writer's event. Both sides store what this gives, and pay for making it.
fn event(writer: u64, place: u64) -> Result<Event> {
    let id = EventId::from((1_700_000_000_000 << 80) + (u128::from(writer) << 40) + u128::from(place));
    let members = serde_json::json!({ "text": "x".repeat(EVENT_BYTES - 80) });
    let members = members.as_object().cloned().context("an object")?;
    Ok(Event::new(id, kinds::AGENT_MESSAGE, members)?)
}
