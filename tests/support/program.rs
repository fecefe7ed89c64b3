//! The program as people type it: the real binary, on a machine of its own.

use crate::{guest_bytes, repository};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Compiling everything takes minutes, and another build may hold the lock meanwhile.
const BUILD_TIME_MAX: Duration = Duration::from_secs(45 * 60);
/// Compiling every built-in component takes half a minute, and other tests compile meanwhile.
const WARM_TIME_MAX: Duration = Duration::from_secs(10 * 60);
/// Nothing that people type takes near as long.
const RUN_TIME_MAX: Duration = Duration::from_secs(60);

/// The binary `handbox`, built as this test was: same profile, same target folder.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build(&built_into()))
}

/// Says on standard error, past the test runner's own capture, that a test did not run.
pub fn skipped(why: &str) {
    // Nothing can be done if nobody listens.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Says a figure on standard error, past the test runner's own capture.
pub fn figure(text: &str) {
    // As above.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Where Cargo put this test.
struct BuiltInto {
    /// The target folder.
    target: PathBuf,
    /// `--target`, if one was given.
    triple: Option<OsString>,
    /// `target/[TRIPLE/]PROFILE`.
    folder: PathBuf,
}

fn built_into() -> BuiltInto {
    let exe = std::env::current_exe().expect("a test knows where it is");
    let folder = exe.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_owned();
    let mut above = folder.ancestors().skip(1);
    // Whoever made the folder, Cargo writes down there which compiler it uses.
    let target = above.find(|folder| folder.join(".rustc_info.json").exists()).expect("Cargo marks its target folder");
    let between = folder.parent().filter(|parent| *parent != target);
    let triple = between.and_then(Path::file_name).map(OsStr::to_owned);
    BuiltInto { target: target.to_owned(), triple, folder }
}

fn build(into: &BuiltInto) -> PathBuf {
    let profile = into.folder.file_name().expect("a folder has a name");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository()).args(["build", "--package", "handbox", "--target-dir"]).arg(&into.target);
    command.arg("--profile").arg(if profile == "debug" { OsStr::new("dev") } else { profile });
    if let Some(triple) = &into.triple {
        command.arg("--target").arg(triple);
    }
    finish(command, Vec::new(), BUILD_TIME_MAX).ok();
    into.folder.join(format!("handbox{}", std::env::consts::EXE_SUFFIX))
}

/// Runs a command to its end, within `time_max`.
pub fn finish(mut command: Command, stdin: Vec<u8>, time_max: Duration) -> Ran {
    let shown = format!("{command:?}");
    let input = if stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
    let feeder = child.stdin.take().map(|mut pipe| {
        // A program need not read what it is given.
        std::thread::spawn(move || drop(pipe.write_all(&stdin)))
    });
    let stdout = reader(child.stdout.take().expect("it is piped"));
    let stderr = reader(child.stderr.take().expect("it is piped"));
    let status = loop {
        match child.try_wait().expect("our own child") {
            Some(status) => break status,
            None if started.elapsed() < time_max => std::thread::sleep(Duration::from_millis(2)),
            None => {
                let _ = child.kill();
                panic!("{shown} did not end within {time_max:?}");
            }
        }
    };
    let text = |reader: std::thread::JoinHandle<Vec<u8>>| reader.join().expect("a reader does not panic");
    let (stdout, stderr) = (text(stdout), text(stderr));
    feeder.map(std::thread::JoinHandle::join);
    Ran { line: shown, code: status.code(), stdout, stderr }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a fault is what the test is shown.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// How a command ended.
pub struct Ran {
    line: String,
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: Vec<u8>,
    /// Everything else.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// The same, if it exited with `code`.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The same, if it worked.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.code(0)
    }

    /// Standard output.
    #[track_caller]
    pub fn out(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("not UTF-8: {self:?}"))
    }

    /// Standard error.
    #[track_caller]
    pub fn err(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap_or_else(|_| panic!("not UTF-8: {self:?}"))
    }

    /// The one JSON object that standard output is.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.out().strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!text.contains('\n'), "more than a line: {self:?}");
        let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert!(value.is_object(), "{self:?}");
        value
    }

    /// The same, if standard error has every one of `parts`.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err().contains(part), "{part:?} is not said: {self:?}");
        }
        self
    }
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&self.stdout), text(&self.stderr));
        write!(f, "{}\nexit status {:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---", self.line, self.code)
    }
}

/// A machine with one user, who has a home, a folder to work in, and nothing configured.
pub struct Machine {
    folder: TempDir,
    root: PathBuf,
    cache: PathBuf,
}

impl Machine {
    /// A machine that has compiled what other tests compiled.
    pub fn new() -> Self {
        let shared = built_into().target.join("tmp/cli-cache");
        std::fs::create_dir_all(&shared).expect("the target folder can be written");
        Self::with_cache(shared)
    }

    /// A machine that has compiled the shell and its programs, which takes long enough to end a test that waits for it.
    pub fn warmed() -> Self {
        static WARM: Once = Once::new();
        let machine = Self::new();
        WARM.call_once(|| {
            finish(machine.line(&["warm", "std"]).command, Vec::new(), WARM_TIME_MAX).ok();
        });
        machine
    }

    /// A machine that has compiled nothing.
    pub fn fresh() -> Self {
        let mut machine = Self::with_cache(PathBuf::new());
        machine.cache = machine.root.join("cache");
        machine
    }

    fn with_cache(cache: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it was just made");
        // `.git` ends the search for a project, whatever lies above.
        for name in ["home", "work", "tmp", ".git"] {
            std::fs::create_dir(root.join(name)).expect("a folder");
        }
        Self { folder, root, cache }
    }

    /// A path in the folder that commands run in.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join("work").join(name)
    }

    /// A path in the user's home.
    pub fn home(&self, name: &str) -> PathBuf {
        self.root.join("home").join(name)
    }

    /// A path beside home and work.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file into the folder that commands run in.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        write(self.path(name), contents.as_ref())
    }

    /// What a file there holds.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes the operator's configuration.
    pub fn config(&self, text: &str) -> PathBuf {
        let path = PathBuf::from(self.run(&["config", "path"]).ok().out().trim_end());
        assert!(path.starts_with(self.folder.path().canonicalize().expect("it is there")), "{}", path.display());
        write(path, text.as_bytes())
    }

    /// Runs `handbox` with these arguments.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.line(args).run()
    }

    /// A command line, to be changed before it runs.
    pub fn line(&self, args: &[&str]) -> Line {
        let mut command = Command::new(program());
        command.args(args).env_clear().current_dir(self.path("")).env("PATH", "/usr/bin:/bin");
        for (name, folder) in [("HOME", "home"), ("XDG_CONFIG_HOME", "home/.config"), ("XDG_DATA_HOME", "home/.data")] {
            command.env(name, self.root.join(folder));
        }
        command.env("XDG_CACHE_HOME", &self.cache).env("TMPDIR", self.root.join("tmp"));
        Line { command, stdin: Vec::new() }
    }

    /// Packs a kept guest with `handbox pack`; it asks for every folder and value. Gives the
    /// path of the packed component, outside the folder that commands run in.
    pub fn guest(&self, name: &str) -> String {
        let called = name.replace('_', "-");
        let manifest = "[asks]\nfolders = [{ path = \"*\", mode = \"rw\" }]\nenv = [\"*\"]\n";
        let manifest = format!("name = \"{called}\"\nversion = \"0.1.0\"\n{manifest}");
        let manifest = write(self.root.join(format!("guests/{name}.toml")), manifest.as_bytes());
        let built = write(self.root.join(format!("guests/{name}.built.wasm")), &guest_bytes(name));
        let packed = self.root.join(format!("guests/{name}.wasm")).display().to_string();
        let (built, manifest) = (built.display().to_string(), manifest.display().to_string());
        self.run(&["pack", &built, "-o", &packed, "--manifest", &manifest]).ok();
        packed
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

fn write(path: PathBuf, contents: &[u8]) -> PathBuf {
    std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
    std::fs::write(&path, contents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// A command line that was not yet entered.
pub struct Line {
    command: Command,
    stdin: Vec<u8>,
}

impl Line {
    /// With something on standard input.
    #[must_use]
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.as_bytes().to_owned();
        self
    }

    /// With a variable in the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In another folder.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it, to be watched while it runs.
    pub fn start(self) -> crate::Running {
        crate::Running::new(self.command)
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        finish(self.command, self.stdin, RUN_TIME_MAX)
    }

    /// Runs it with a terminal for its output, standard error included; `None` where no
    /// terminal can be had.
    pub fn on_a_terminal(self) -> Option<Ran> {
        let stdin = self.stdin.clone();
        Some(finish(self.with_a_terminal()?, stdin, RUN_TIME_MAX))
    }

    /// Starts it with a terminal for all that it reads and prints; `None` where no terminal can be had.
    pub fn start_on_a_terminal(self) -> Option<crate::Running> {
        Some(crate::Running::typed_to(self.with_a_terminal()?))
    }

    fn with_a_terminal(self) -> Option<Command> {
        let mut command = Command::new("script");
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        let words: Vec<String> = words.map(quoted).collect();
        // Of util-linux: quiet, with the command's own exit status, keeping no record.
        command.args(["-qec", &words.join(" "), "/dev/null"]).env_clear();
        command.envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(self.command.get_current_dir().expect("it is set")).env("TERM", "xterm");
        let there = cfg!(target_os = "linux") && Path::new("/usr/bin/script").exists();
        there.then_some(command)
    }
}
