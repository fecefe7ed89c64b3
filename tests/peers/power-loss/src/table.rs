//! What is printed.

use crate::pattern::Pattern;
use crate::trial::Outcome;

/// Trials of one pattern, together.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    trials: u64,
    acknowledged: u64,
    lost_by_kill: u64,
    pub(crate) lost: u64,
    trials_with_loss: u64,
    damages: Vec<String>,
    vain: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.trials += 1;
        self.acknowledged += outcome.acknowledged;
        self.lost_by_kill += outcome.lost_by_kill;
        self.lost += outcome.lost;
        self.trials_with_loss += u64::from(outcome.lost > 0);
        self.vain += outcome.vain;
        self.damages.extend(outcome.damage);
    }

    pub(crate) fn has_loss(&self) -> bool {
        self.lost > 0 || !self.damages.is_empty()
    }
}

pub(crate) fn print_head() {
    println!("{:<34}{:>8}{:>14}{:>26}{:>26}{:>12}", "", "", "", "lost after", "lost after", "damaged or");
    println!(
        "{:<34}{:>8}{:>14}{:>26}{:>26}{:>12}",
        "pattern", "trials", "acknowledged", "SIGKILL alone", "loss of power", "unopenable"
    );
}

pub(crate) fn print_row(pattern: &Pattern, sum: &Sum) {
    let percent = 100.0 * sum.lost as f64 / sum.acknowledged.max(1) as f64;
    let lost = match sum.trials_with_loss {
        0 => "0".to_owned(),
        trials => format!("{} ({percent:.1} %) in {trials}", sum.lost),
    };
    println!(
        "{:<34}{:>8}{:>14}{:>26}{lost:>26}{:>12}",
        pattern.name,
        sum.trials,
        sum.acknowledged,
        sum.lost_by_kill,
        sum.damages.len()
    );
}

/// Prints what does not fit into the table.
pub(crate) fn print_rest(sums: &[(&Pattern, Sum)]) {
    for (pattern, sum) in sums {
        if let Some(damage) = sum.damages.first() {
            println!("{}: the first that was damaged or unopenable: {damage}", pattern.name);
        }
    }
    let vain: u64 = sums.iter().map(|(_, sum)| sum.vain).sum();
    println!("copies made again because the kernel wrote meanwhile: {vain}");
}
