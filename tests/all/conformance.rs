//! The shell and its programs, in their sandboxes, beside this machine's bash and its programs.
//!
//! `tests/scripts/GROUP.lines` and the shell's own `guest-tools/shell/tests/scripts/GROUP.lines` have a script in each line,
//! `GROUP.sh` has scripts after lines `### NAME`. Each is run by both in an empty folder. What is printed, how it ended and
//! whether it complained must be the same, but for what `tests/scripts/KNOWN` lists: `GROUP:NAME` and why.

use handbox_tests::{Machine, figure, finish, repository, skipped};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many scripts must agree, in thousandths of all.
const REACHED: usize = 970;

/// What agents type; and how many of these must agree, in thousandths.
const AGENTS: &str = "agent";
const AGENTS_REACHED: usize = 1_000;

/// How long one script may take.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(60);

struct Script {
    group: String,
    name: String,
    text: String,
}

/// What must be the same.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    stdout: String,
    status: Option<i32>,
    complained: bool,
}

fn scripts() -> Vec<Script> {
    let folders = ["tests/scripts", "guest-tools/shell/tests/scripts"].map(|folder| repository().join(folder));
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("scripts are kept there"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    files.iter().flat_map(|file| of_file(file)).collect()
}

fn of_file(file: &Path) -> Vec<Script> {
    let group = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let own = file.starts_with(repository().join("tests"));
    let group = if own { group } else { format!("shell-{group}") };
    let text = std::fs::read_to_string(file).expect("it can be read");
    let script = |name: &str, text: &str| Script {
        name: format!("{group}:{name}"),
        group: group.clone(),
        text: format!("{}\n", text.trim_end_matches('\n')),
    };
    match file.extension().and_then(|end| end.to_str()) {
        Some("lines") => {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
            lines.map(|(at, line)| script(&(at + 1).to_string(), line)).collect()
        }
        Some("sh") => {
            let parts = text.split("### ").skip(1).filter_map(|part| part.split_once('\n'));
            parts.map(|(name, text)| script(name.trim(), text)).collect()
        }
        _ => Vec::new(),
    }
}

/// Which scripts differ, and why.
fn known() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(repository().join("tests/scripts/KNOWN")).expect("the list is kept");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once(" -- ").unwrap_or_else(|| panic!("no reason: {line}")));
    pairs.map(|(name, why)| (name.trim().to_owned(), why.to_owned())).collect()
}

fn by_bash(text: &str) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let work = folder.path().canonicalize().expect("it was just made");
    // Whoever runs this may ignore signals, which a shell inherits and shows.
    let mut command = Command::new("env");
    command.args(["--default-signal", "bash", "-c", text]).current_dir(&work).env_clear();
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/tmp").env("LC_ALL", "C.UTF-8").env("PWD", &work);
    let ran = finish(command, Vec::new(), SCRIPT_TIME_MAX);
    ended(&ran, &work.to_string_lossy())
}

fn by_handbox(machine: &Machine, text: &str) -> (Ended, String) {
    let ran = machine.run(&["sh", "-q", "--write", "-c", text]);
    (ended(&ran, "/workspace"), String::from_utf8_lossy(&ran.stderr).into_owned())
}

fn ended(ran: &handbox_tests::Ran, folder: &str) -> Ended {
    let stdout = String::from_utf8_lossy(&ran.stdout).replace(folder, "WORK");
    Ended { stdout, status: ran.code, complained: !ran.stderr.is_empty() }
}

/// What differs of all scripts, by name.
fn differences(scripts: &[Script]) -> BTreeMap<&str, String> {
    let next = AtomicUsize::new(0);
    let different = Mutex::new(BTreeMap::new());
    let beside = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..beside {
            scope.spawn(|| {
                while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let wanted = by_bash(&script.text);
                    let (got, errors) = by_handbox(&Machine::warmed(), &script.text);
                    if wanted != got {
                        let report = format!("{}  bash: {wanted:?}\n  ours: {got:?}\n  {errors}", script.text);
                        different.lock().expect("no thread panicked").insert(script.name.as_str(), report);
                    }
                }
            });
        }
    });
    different.into_inner().expect("no thread panicked")
}

#[test]
fn scripts_do_in_the_sandbox_what_they_do_in_bash() {
    let missing = ["bash", "jq", "tar", "patch", "rg", "zip"].iter().filter(|name| !on_this_machine(name));
    let missing: Vec<&str> = missing.copied().collect();
    if missing.contains(&"bash") {
        return skipped("there is no bash here to compare the shell with");
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut scripts = scripts();
    scripts.retain(|script| script.name.starts_with(&only));
    let all = scripts.len();
    let names: Vec<String> = scripts.iter().map(|script| script.name.clone()).collect();
    let uses = |text: &str, program: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == program);
    scripts.retain(|script| !missing.iter().any(|program| uses(&script.text, program)));
    if scripts.len() < all {
        skipped(&format!("{} scripts, since there is no {} here", all - scripts.len(), missing.join(", ")));
    }
    let different = differences(&scripts);
    if only.is_empty() {
        let known = known();
        let unknown: Vec<&String> = known.keys().filter(|name| !names.contains(name)).collect();
        assert!(unknown.is_empty(), "there are no such scripts: {unknown:?}");
    }
    judge(&scripts, &different);
}

/// Whether the list was made with this bash and these programs: others differ in other things.
fn is_listed_machine() -> bool {
    let text = std::fs::read_to_string(repository().join("tests/scripts/KNOWN")).expect("the list is kept");
    let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# With: ")).collect();
    let first_line = |program: &str| {
        let mut command = Command::new(program);
        command.arg("--version");
        let ran = finish(command, Vec::new(), SCRIPT_TIME_MAX);
        String::from_utf8_lossy(&ran.stdout).lines().next().unwrap_or_default().to_owned()
    };
    ["bash", "sort"].iter().all(|program| listed.contains(&first_line(program).as_str()))
}

fn on_this_machine(name: &str) -> bool {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(name).is_file())
}

fn judge(scripts: &[Script], different: &BTreeMap<&str, String>) {
    let known = known();
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for script in scripts {
        let (same, all) = groups.entry(&script.group).or_default();
        *all += 1;
        *same += usize::from(!different.contains_key(script.name.as_str()));
    }
    for (group, (same, all)) in &groups {
        figure(&format!("{group:20} {same:4} of {all:4} agree"));
    }
    let new: Vec<String> = different
        .iter()
        .filter(|(name, _)| !known.contains_key(**name))
        .map(|(name, report)| format!("{name}: {report}"))
        .collect();
    let listed_here = is_listed_machine();
    if !listed_here {
        figure(&format!("other versions than those of the list; what is not on it:\n{}", new.join("\n")));
    }
    assert!(new.is_empty() || !listed_here, "{} differ that did not:\n{}", new.len(), new.join("\n"));
    let mended: Vec<&String> = known
        .keys()
        .filter(|name| scripts.iter().any(|script| script.name == **name) && !different.contains_key(name.as_str()))
        .collect();
    assert!(mended.is_empty() || !listed_here, "these agree now; take them off the list: {mended:?}");
    let same = scripts.len() - different.len();
    assert!(same * 1000 >= scripts.len() * REACHED, "{same} of {} agree", scripts.len());
    let of_agents = groups.iter().filter(|(group, _)| group.ends_with(AGENTS)).map(|(_, counts)| counts);
    let (same, all) = of_agents.fold((0, 0), |sum, (same, all)| (sum.0 + same, sum.1 + all));
    assert!(same * 1000 >= all * AGENTS_REACHED, "{same} of {all} that agents write agree");
}
