//! `handbox sh`: the shell of the sandbox, for people.

mod complete;
mod line;

use crate::args::{self, Global};
use crate::call::call_id;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::{Paths, current_folder};
use crate::workplace::{Wanted, Workplace, told_by_others};
use crate::{egress, wiring};
use handbox_bundle::Bundle;
use handbox_hand::{Call, Hand, LogLevel, Stream, ToolName, Watcher};
use handbox_hands::{Environment, Toolbox};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The tool that is the shell.
const TOOL: &str = "bash";

/// How long a command may take, in milliseconds: as long as the tool allows. The limits of a call may be shorter.
const TIMEOUT_MS: u64 = 600_000;

/// How often it is looked whether a line is typed, once the shell is to end.
const TYPING_INTERVAL: Duration = Duration::from_millis(20);

/// Open the shell that agents get, or run a command or a script in it
///
/// It reads bash. Every program it starts is a sandbox of its own that sees the granted folders, /tmp and nothing else of
/// this machine. A script of this machine is read from a file, or from standard input if there is no terminal. The exit status
/// is the command's.
///
/// Programs have no terminal and no standard input but what a pipe or `<` gives them. Background jobs run on while the shell
/// is open.
#[derive(clap::Args)]
pub(crate) struct Sh {
    /// Run this and end
    #[arg(short = 'c', long, value_name = "TEXT")]
    pub(crate) command: Option<String>,
    /// Run the script in this file of this machine and end; with -c, the first argument
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
    /// What the script, or the text of -c, gets as $1, $2, …
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
    /// The bundle that has the shell
    #[arg(long, default_value = "std", value_name = "BUNDLE")]
    pub(crate) bundle: String,
    /// Keep what is left in /mnt/session/outputs in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) outputs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) grants: args::Grants,
}

pub(crate) fn run(global: &Global, command: Sh) -> Result<ExitCode, Failure> {
    // Before anything is made that a signal would leave behind: whoever sends a script may take long.
    let text = match given(command.command, command.file, command.args)? {
        None if !std::io::stdin().is_terminal() => Some(script()?),
        given => given,
    };
    let paths = Paths::find(global)?;
    let cwd = current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let opened = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?;
    let (bundle, name) = (opened.bundle, opened.name.as_deref());
    let (typed, outputs) = (&command.grants, command.outputs.as_deref());
    let wanted = Wanted { by: "sh", bundle: &bundle, name, typed, outputs, config: &config, paths: &paths, cwd: &cwd };
    let workplace = Workplace::make(wanted, global.quiet)?;
    let environment = &workplace.environment;
    let runtime = wiring::wide_runtime()?;
    let ending = Ending::heeded(&runtime, workplace.sweeper());
    let opened = runtime.block_on(Shell::open(global, &paths, &bundle, environment, ending));
    let ended = opened.and_then(|mut shell| match &text {
        Some(text) => shell.once(&runtime, text),
        None => {
            shell.on_terminal = true;
            line::talk(&mut shell, &runtime, &paths, &bundle, environment)
        }
    });
    for file in workplace.leave(runtime, global.quiet, true) {
        output::note(Tone::Note, &output::output_file(&file));
    }
    ended.map(ExitCode::from)
}

/// What is to be run at once, with what it gets as its arguments.
fn given(text: Option<String>, file: Option<String>, args: Vec<String>) -> Result<Option<String>, Failure> {
    let (text, args) = match (text, file) {
        (Some(text), first) => (text, first.into_iter().chain(args).collect()),
        (None, Some(file)) => {
            let read = std::fs::read_to_string(&file);
            let text = read.map_err(|error| unreadable(&file, &error))?;
            (text, args)
        }
        (None, None) => return Ok(None),
    };
    if args.is_empty() {
        return Ok(Some(text));
    }
    let words: Vec<String> = args.iter().map(|arg| format!("'{}'", arg.replace('\'', r"'\''"))).collect();
    Ok(Some(format!("set -- {}\n{text}", words.join(" "))))
}

fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    let text = error.to_string();
    let why = text.split(" (os error").next().unwrap_or_default();
    Failure::usage(format!("the script {file} cannot be read: {why}")).hint(
        "name a text file of this machine; `handbox sh -c TEXT` runs a command, and in it `bash FILE` a file of the sandbox",
    )
}

fn script() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("the script cannot be read from standard input: {error}")))?;
    Ok(text)
}

/// Somebody else wants this process to end.
struct Ending {
    /// The signal's number; 0 before one comes.
    signal: watch::Receiver<u8>,
    /// Whether a line is typed at this time. Nobody waits for a signal then.
    typing: Arc<AtomicBool>,
}

impl Ending {
    /// Waits for a signal beside all else. A command that runs is ended by whoever waits for it; while a line is typed, the
    /// folders go, and the process.
    fn heeded(runtime: &tokio::runtime::Runtime, sweep: impl FnOnce() + Send + 'static) -> Self {
        let (told, signal) = watch::channel(0);
        let typing = Arc::new(AtomicBool::new(false));
        let is_typing = Arc::clone(&typing);
        let terminal = Terminal::now();
        runtime.spawn(async move {
            let number = told_by_others().await;
            // Who ended meanwhile needs no signal any more.
            let _ = told.send(number);
            while !is_typing.load(Ordering::SeqCst) {
                tokio::time::sleep(TYPING_INTERVAL).await;
            }
            sweep();
            terminal.restore();
            std::process::exit(i32::from(128 + number));
        });
        Self { signal, typing }
    }

    /// Waits for a signal; gives its number.
    async fn told(&self) -> u8 {
        let mut signal = self.signal.clone();
        match signal.wait_for(|number| *number > 0).await {
            Ok(number) => *number,
            Err(_) => std::future::pending().await,
        }
    }
}

/// How the terminal was before lines were edited on it.
struct Terminal {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Terminal {
    fn now() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(std::io::stdin()).ok(),
        }
    }

    fn restore(self) {
        #[cfg(unix)]
        if let Some(modes) = self.modes {
            use rustix::termios::{OptionalActions, tcsetattr};
            // It may be gone.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &modes);
        }
    }
}

/// An open shell.
struct Shell {
    ending: Ending,
    toolbox: Arc<Toolbox>,
    tool: ToolName,
    watcher: Arc<Live>,
    sent: Arc<egress::Shown>,
    json: bool,
    quiet: bool,
    /// Somebody types, and the next prompt needs a line of its own.
    on_terminal: bool,
}

/// How a command ended.
#[derive(Default)]
struct Ended {
    status: u8,
    /// Where the shell is now.
    folder: Option<String>,
    /// It was told to end.
    left: bool,
    /// What programs get of it.
    fields: Value,
}

impl Shell {
    async fn open(
        global: &Global,
        paths: &Paths,
        bundle: &Bundle,
        environment: &Environment,
        ending: Ending,
    ) -> Result<Self, Failure> {
        let mut toolbox = wiring::toolbox(paths, global.quiet)?;
        toolbox.add(bundle, environment).await?;
        let tool = toolbox.tools().iter().find(|tool| tool.name.as_str() == TOOL).map(|tool| tool.name.clone());
        let tool = tool.ok_or_else(|| {
            Failure::usage(format!("the bundle `{}` has no tool `{TOOL}`, which is the shell", bundle.name))
                .hint("leave --bundle out for the one that comes with Handbox")
        })?;
        let watcher = Arc::new(Live { shown: !global.json, verbose: global.verbose, line: Mutex::new(Line::Remark) });
        let sent = Arc::new(egress::Shown::new(global));
        Ok(Self {
            ending,
            toolbox: Arc::new(toolbox),
            tool,
            watcher,
            sent,
            json: global.json,
            quiet: global.quiet,
            on_terminal: false,
        })
    }

    /// Runs one text; gives its status.
    fn once(&mut self, runtime: &tokio::runtime::Runtime, text: &str) -> Result<u8, Failure> {
        // The shell ends with its text, as one that was given `-c` does: a trap on EXIT runs.
        let ended = runtime.block_on(self.run(text, true))?;
        if self.json {
            output::json_line(&ended.fields);
        }
        Ok(ended.status)
    }

    /// Runs one text. An interrupt from the keyboard ends what it runs and leaves the shell.
    async fn run(&self, text: &str, end: bool) -> Result<Ended, Failure> {
        let input = json!({ "command": text, "timeout_ms": TIMEOUT_MS, "end": end });
        let call = Call::new(call_id(), self.tool.clone(), input);
        let call = Call { watcher: self.watcher.clone(), audit: self.sent.clone(), ..call };
        self.watcher.begin();
        let result = tokio::select! {
            result = self.toolbox.execute(call) => result,
            _ = tokio::signal::ctrl_c() => {
                self.watcher.end(true);
                return Ok(Ended { status: 130, ..Ended::default() });
            }
            signal = self.ending.told() => {
                self.watcher.end(true);
                return Ok(Ended { status: 128 + signal, left: true, ..Ended::default() });
            }
        };
        self.watcher.end(self.on_terminal);
        let fields = result.map_err(Failure::from)?.fields;
        let told = ["stopped", "limit_reached"].iter().filter_map(|name| fields.get(*name)?.as_str());
        told.filter(|_| !self.quiet).for_each(|why| output::note(Tone::Note, why));
        Ok(Ended {
            status: fields
                .get("exit_code")
                .and_then(Value::as_u64)
                .and_then(|code| u8::try_from(code).ok())
                .unwrap_or(1),
            folder: fields.get("working_folder").and_then(Value::as_str).map(str::to_owned),
            left: fields.get("left").and_then(Value::as_bool).unwrap_or(false),
            fields: Value::Object(fields),
        })
    }
}

/// Prints what programs print, when they do.
struct Live {
    shown: bool,
    verbose: u8,
    line: Mutex<Line>,
}

/// What stands on the terminal's last line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Perhaps a remark that is to go, such as what is being compiled.
    Remark,
    /// Nothing.
    Empty,
    /// The beginning of a line that a program printed.
    Begun,
}

impl Live {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command begins.
    fn begin(&self) {
        *self.line() = Line::Remark;
    }

    /// It ended: what stands on the last line is a remark that goes, or a line that is kept.
    fn end(&self, on_terminal: bool) {
        match std::mem::replace(&mut *self.line(), Line::Empty) {
            Line::Remark => output::clear_transient(),
            Line::Begun if on_terminal => output::raw(b"\n"),
            Line::Begun | Line::Empty => {}
        }
        output::plain_again();
    }
}

impl Watcher for Live {
    fn log(&self, level: LogLevel, message: &str) {
        if self.verbose > 0 || matches!(level, LogLevel::Warn | LogLevel::Error) {
            output::note(Tone::Note, message.trim_end());
        }
    }

    fn printed(&self, stream: Stream, bytes: &[u8]) {
        if !self.shown {
            return;
        }
        let mut line = self.line();
        if *line == Line::Remark {
            output::clear_transient();
        }
        *line = if bytes.ends_with(b"\n") { Line::Empty } else { Line::Begun };
        match stream {
            Stream::Output => output::raw(bytes),
            Stream::Error => output::raw_error(bytes),
        }
    }
}
