//! `cargo run --manifest-path guest-tools/Cargo.toml -p rebuild`: see `HELP`.

use rebuild::{
    Component, Options, Problem, Result, build, components, describe, differences, digest, keep, lock, unpack,
    write_lock,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Builds the WebAssembly components that the repository keeps.

cargo run --manifest-path guest-tools/Cargo.toml -p rebuild -- [OPTIONS] [NAME]...

With names, only these components. The target wasm32-wasip2 must be installed, but for --sources.

  --check          build elsewhere and compare the bytes with the lock; changes nothing
  --sources        only compare sources and kept files with the lock; builds nothing
  --unpacked       leave the manifests out
  --handbox PATH   the program that packs, if not this repository's own
";

/// What is wanted.
struct Wanted {
    check: bool,
    sources: bool,
    unpacked: bool,
    handbox: Option<PathBuf>,
    names: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(problem) => {
            say(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut wanted = Wanted { check: false, sources: false, unpacked: false, handbox: None, names: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => wanted.check = true,
            "--sources" => wanted.sources = true,
            "--unpacked" => wanted.unpacked = true,
            "--handbox" => wanted.handbox = args.next().map(PathBuf::from),
            "-h" | "--help" => {
                say(HELP);
                return Ok(ExitCode::SUCCESS);
            }
            option if option.starts_with('-') => return Err(Problem(format!("unknown option {option}\n\n{HELP}"))),
            _ => wanted.names.push(arg),
        }
    }
    // Where this was compiled is the checkout that it is about.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    if wanted.sources {
        return Ok(report(&differences(root)?, "sources, lock and kept files agree"));
    }
    let chosen = choose(components(root)?, &wanted.names)?;
    if wanted.check { check(root, &chosen, &wanted) } else { renew(root, &chosen, &wanted) }
}

fn choose(all: Vec<Component>, names: &[String]) -> Result<Vec<Component>> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|component| component.name != **name)) {
        return Err(Problem(format!("there is no component {unknown} in components.toml")));
    }
    Ok(all.into_iter().filter(|component| names.is_empty() || names.contains(&component.name)).collect())
}

fn options(wanted: &Wanted, work: PathBuf) -> Options {
    Options { handbox: wanted.handbox.clone(), unpacked: wanted.unpacked, work }
}

/// Builds, keeps and locks.
fn renew(root: &Path, chosen: &[Component], wanted: &Wanted) -> Result<ExitCode> {
    let built = build(root, chosen, &options(wanted, root.join("target").join("components")))?;
    let mut locked = lock(root)?;
    for (component, (entry, bytes)) in chosen.iter().zip(built) {
        let same = locked.iter().any(|old| old.name == entry.name && old.sha256 == entry.sha256);
        // A newer compressor would change the kept file for nothing.
        let kept = same && unpack(&component.kept(root)).is_ok_and(|kept| digest(&kept) == entry.sha256);
        if kept {
            say(&format!("{}: {} bytes, as before", entry.name, entry.bytes));
        } else {
            let compressed = keep(root, component, &bytes)?;
            say(&format!("{}: {} bytes, kept as {compressed}", entry.name, entry.bytes));
        }
        describe(root, component, &bytes)?;
        locked.retain(|old| old.name != entry.name);
        locked.push(entry);
    }
    let all = components(root)?;
    locked.retain(|entry| all.iter().any(|component| component.name == entry.name));
    locked.sort_by(|a, b| a.name.cmp(&b.name));
    write_lock(root, locked)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds in a folder of its own and compares.
fn check(root: &Path, chosen: &[Component], wanted: &Wanted) -> Result<ExitCode> {
    // What cannot be compared is not built for nothing: its sources are compared below, and the lint compiles it.
    let (chosen, rest): (Vec<Component>, Vec<Component>) =
        chosen.iter().cloned().partition(|component| component.reproducible);
    for component in rest {
        say(&format!("{}: not built again: it is listed as not reproducible", component.name));
    }
    let work = std::env::temp_dir().join(format!("handbox-rebuild-{}", std::process::id()));
    let built = build(root, &chosen, &options(wanted, work.clone()));
    // Left behind it would only be rubbish, whatever came of the build.
    _ = std::fs::remove_dir_all(work);
    let mut lines = differences(root)?;
    let locked = lock(root)?;
    for (entry, _) in built? {
        let Some(old) = locked.iter().find(|old| old.name == entry.name) else { continue };
        if old.compiler != entry.compiler {
            lines.push(format!("{} was built by {}, and this is {}", entry.name, old.compiler, entry.compiler));
        } else if old.packed != entry.packed {
            lines.push(format!("{}: one of lock and build holds a manifest, the other does not", entry.name));
        } else if old.sha256 != entry.sha256 {
            lines.push(format!("{} builds to {}, but its lock says {}", entry.name, entry.sha256, old.sha256));
        }
    }
    Ok(report(&lines, "every component is what its sources give"))
}

fn report(lines: &[String], well: &str) -> ExitCode {
    if lines.is_empty() {
        say(well);
        return ExitCode::SUCCESS;
    }
    lines.iter().for_each(|line| say(line));
    ExitCode::FAILURE
}

fn say(line: &str) {
    eprintln!("{line}");
}
