//! The sandbox's shell beside the machine's bash: the same scripts, in the same run, in turns.
//!
//! `cargo bench --bench shell` (about five minutes). A kept shell runs each script in one call, as an agent's does; bash runs
//! it as `bash -c`. Needs bash and the usual programs on the machine.

#![expect(clippy::print_stdout, reason = "a benchmark prints figures for people")]

use handbox_bundle::{Bundle, FolderGrant, Mode, Profile};
use handbox_hand::{Call, Hand, ToolName};
use handbox_hands::{Allocation, Cache, Engine, Environment, Library, QuietLoad, Toolbox};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Programs that are started in a row.
const STARTS: u32 = 500;

/// One comparison.
struct Case {
    what: &'static str,
    script: String,
    /// What the time is divided by.
    count: u32,
    turns: usize,
    goal: &'static str,
    /// Done on the host before each turn.
    before: fn(&Path),
}

fn nothing(_: &Path) {}

/// Five thousand small files in fifty folders.
fn tree(folder: &Path) {
    let tree = folder.join("tree");
    for number in 0..5000_u32 {
        let folder = tree.join(format!("d{}", number % 50));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("f{number}.txt")), "one alpha two\nthree alpha\n").expect("a file");
    }
}

fn cases() -> Vec<Case> {
    let starts = |program: &str| format!("for ((i = 0; i < {STARTS}; i++)); do {program}; done");
    vec![
        Case {
            what: "start of `/bin/true`, spawn to exit",
            script: starts("/bin/true"),
            count: STARTS,
            turns: 7,
            goal: "< 1x",
            before: nothing,
        },
        Case {
            what: "`cat | tr | wc -c` of 100 MB",
            script: "cat big | tr a b | wc -c".to_owned(),
            count: 1,
            turns: 5,
            goal: "<= 3x",
            before: nothing,
        },
        Case {
            what: "`cat | grep | wc -l` of 100 MB",
            script: "cat big | grep 999 | wc -l".to_owned(),
            count: 1,
            turns: 5,
            goal: "<= 3x",
            before: nothing,
        },
        Case {
            what: "1 000 greps of a small file, each",
            script: "for ((i = 0; i < 1000; i++)); do grep -q alpha small; done".to_owned(),
            count: 1000,
            turns: 5,
            goal: "",
            before: nothing,
        },
        Case {
            what: "`find | xargs sed -i` on 5 000 files",
            script: "find tree -name '*.txt' | xargs sed -i s/alpha/beta/".to_owned(),
            count: 1,
            turns: 5,
            goal: "",
            before: tree,
        },
        Case {
            what: "a loop of 100 000 arithmetic steps",
            script: "s=0; for ((i = 0; i < 100000; i++)); do s=$((s + i % 7)); done; echo $s".to_owned(),
            count: 1,
            turns: 5,
            goal: "",
            before: nothing,
        },
    ]
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let bench = Bench::new();
        bench.fill();
        println!("| what | Handbox | bash | ratio | goal |\n|---|---|---|---|---|");
        bench.first_call().await;
        let shell = bench.toolbox().await;
        for case in cases() {
            bench.compare(&shell, &case).await;
        }
    });
}

struct Bench {
    folder: tempfile::TempDir,
    cache: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path().join("cache");
        std::fs::create_dir(folder.path().join("work")).expect("a folder");
        Self { folder, cache }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn fill(&self) {
        let line = |number: u32| format!("line {number:08} of a file that is long\n");
        let big: String = (0..2_700_000).map(line).collect();
        std::fs::write(self.work().join("big"), big).expect("a file");
        std::fs::write(self.work().join("small"), "one\nalpha\ntwo\n").expect("a file");
    }

    /// A toolbox as a new process has it: nothing loaded, everything in the cache but the first time.
    async fn toolbox(&self) -> Toolbox {
        let engine = Engine::new(Allocation::Pool { instances: 100 }).expect("an engine");
        let library = Library::new(engine, Some(Cache::open(&self.cache).expect("a cache")), Arc::new(QuietLoad));
        let mut environment = Environment::bare(Profile::Roomy);
        let host = self.work().canonicalize().expect("it is there");
        environment.grants.folders.push(FolderGrant { host, guest: "/workspace".to_owned(), mode: Mode::ReadWrite });
        let std = Bundle::open("std", Path::new("."), &handbox_std_bundle::bundles()).expect("the bundle");
        let mut toolbox = Toolbox::new(library);
        toolbox.add(&std, &environment).await.expect("it loads");
        toolbox
    }

    /// From a process that has loaded nothing to the first answer.
    async fn first_call(&self) {
        run(&self.toolbox().await, "true; /bin/true").await;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let toolbox = self.toolbox().await;
            let began = Instant::now();
            run(&toolbox, "echo hi").await;
            ours.push(began.elapsed());
            theirs.push(self.bash("echo hi"));
        }
        row("first `bash` call of a fresh session, warm cache", median(&mut ours), median(&mut theirs), 1, "< 10 ms");
    }

    async fn compare(&self, shell: &Toolbox, case: &Case) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..case.turns {
            (case.before)(&self.work());
            let began = Instant::now();
            run(shell, &case.script).await;
            ours.push(began.elapsed());
            (case.before)(&self.work());
            theirs.push(self.bash(&case.script));
        }
        row(case.what, median(&mut ours), median(&mut theirs), case.count, case.goal);
    }

    fn bash(&self, script: &str) -> Duration {
        let began = Instant::now();
        let mut bash = Command::new("bash");
        let status = bash.args(["-c", script]).current_dir(self.work()).stdout(Stdio::null()).status();
        assert!(status.expect("bash is here").success(), "bash: {script}");
        began.elapsed()
    }
}

async fn run(shell: &Toolbox, script: &str) {
    let name = ToolName::new("bash").expect("a name");
    let call = Call::new("bench", name, json!({ "command": script, "timeout_ms": 600_000 }));
    let output = shell.execute(call).await.expect("it answers");
    assert_eq!(output.fields["exit_code"], 0, "{script}: {}", output.text());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn row(what: &str, ours: Duration, theirs: Duration, count: u32, goal: &str) {
    let show = |time: Duration| match time / count {
        time if time < Duration::from_millis(1) => format!("{} us", time.as_micros()),
        time => format!("{:.1} ms", time.as_secs_f64() * 1e3),
    };
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!("| {what} | {} | {} | {ratio:.2}x | {goal} |", show(ours), show(theirs));
}
