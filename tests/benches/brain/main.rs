//! What a brain costs, beside the log that it writes to, in the same run.
//!
//! `cargo bench --bench brain` (three minutes); with `-- steps|wake|interrupt|many` one part.

#![expect(
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a benchmark prints figures for people"
)]

mod many;
mod steps;
mod wake;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let parts: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    if wanted("steps") {
        runtime.block_on(steps::measure());
    }
    if wanted("interrupt") {
        runtime.block_on(steps::interrupts());
    }
    if wanted("wake") {
        runtime.block_on(wake::measure());
    }
    if wanted("many") {
        runtime.block_on(many::measure());
    }
}
