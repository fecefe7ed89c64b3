//! What the log costs, beside what it could cost at best, in the same run.
//!
//! These machines are shared, so a figure alone says little: what is compared is measured in turns, A B A B, and what
//! counts is the ratio of the medians. A word after `--` runs one part: `append`, `large`, `kill`, `followers`, `resting`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops where it fails")]

mod appends;
mod followers;
mod kill;
mod large;
mod resting;
mod support;

fn main() {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        // What parts of this start this again for.
        ["child-kill", folder, commit, count] => kill::child(folder.as_ref(), commit, count.parse().unwrap()),
        ["child-resting", count, cache] => resting::child(count.parse().unwrap(), cache.parse().unwrap()),
        _ => parts(words.first().copied()),
    }
}

fn parts(only: Option<&str>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("append") {
        appends::run(&runtime);
    }
    if wanted("large") {
        large::run(&runtime);
    }
    if wanted("kill") {
        kill::run();
    }
    if wanted("followers") {
        followers::run(&runtime);
    }
    if wanted("resting") {
        resting::run();
    }
}
