//! Two things timed in turns, and the line that says how they compare.

use std::time::{Duration, Instant};

/// How often two things are called. A first tenth of the rounds is not counted.
#[derive(Clone, Copy)]
pub(crate) struct Turns {
    /// Turns of each side; the median is taken over these.
    pub(crate) rounds: usize,
    /// Calls in one turn. More than one, because a call that unmaps memory leaves the
    /// caches cold for whoever comes next.
    pub(crate) calls: u32,
}

/// The median of one call, of both sides.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) ours: Duration,
    pub(crate) peer: Duration,
}

impl Pair {
    /// How many of our calls fit into one of the peer's.
    pub(crate) fn ratio(self) -> f64 {
        self.peer.as_secs_f64() / self.ours.as_secs_f64()
    }
}

/// Calls both sides in turns.
///
/// # Errors
///
/// The first error of either side.
pub(crate) fn in_turns<E>(
    turns: Turns,
    mut ours: impl FnMut() -> Result<(), E>,
    mut peer: impl FnMut() -> Result<(), E>,
) -> Result<Pair, E> {
    let unmeasured = turns.rounds / 10;
    let mut times = (Vec::with_capacity(turns.rounds), Vec::with_capacity(turns.rounds));
    for round in 0..turns.rounds + unmeasured {
        let started = Instant::now();
        (0..turns.calls).try_for_each(|_| ours())?;
        let between = Instant::now();
        (0..turns.calls).try_for_each(|_| peer())?;
        let ended = Instant::now();
        if round >= unmeasured {
            times.0.push((between - started) / turns.calls);
            times.1.push((ended - between) / turns.calls);
        }
    }
    Ok(Pair { ours: median(times.0), peer: median(times.1) })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Prints the names of the columns.
pub(crate) fn print_head(title: &str, peer: &str) {
    println!("\n{title:<58} {:>10} {peer:>10} {:>8}", "Handbox", "ratio");
}

/// Prints one line; with a goal, whether the ratio reaches it.
pub(crate) fn print_row(name: &str, pair: Pair, goal: Option<f64>) {
    let micros = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
    let ratio = pair.ratio();
    let verdict = goal.map_or_else(String::new, |goal| {
        format!("  goal >= {goal}x: {}", if ratio >= goal { "met" } else { "missed" })
    });
    println!("{name:<58} {:>10} {:>10} {ratio:>7.1}x{verdict}", micros(pair.ours), micros(pair.peer));
}
