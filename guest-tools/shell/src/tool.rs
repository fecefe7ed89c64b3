//! The tool `bash`: one shell, kept over its calls.

use crate::exec::jobs::Jobs;
use crate::io::Io;
use crate::run::start_folder;
use crate::shell::{Flow, Shell};
use crate::state::State;
use crate::system::{self, Capture, Input};
use crate::text::{from_owned_bytes, to_bytes};
use handbox_tool::{Fault, Output, SavedState, input, tool};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a command may take if the call does not say, in milliseconds.
const TIMEOUT_MS: u64 = 120_000;

/// How long it may take at most, in milliseconds. The host's own limit may be shorter.
const TIMEOUT_MS_MAX: u64 = 600_000;

/// How much of the output is shown, in characters.
const SHOWN_CHARS_MAX: usize = 30_000;

/// How many bytes surely hold half of what is shown, and a torn character.
const END_BYTES: usize = SHOWN_CHARS_MAX * 2 + 4;

/// The sources of the output.
const STDOUT: u8 = 1;
const STDERR: u8 = 2;

/// Where the rest of one stream is.
const SEE_OUTPUT: &str = "see the output";

/// The media type of a part that holds fields for programs.
const FIELDS_MEDIA_TYPE: &str = "application/vnd.handbox.fields+json";

/// How much of the output is kept, in bytes: what comes after is counted. The host holds it, and for a moment the
/// shell too, within the memory of one call.
const KEPT_BYTES_MAX: u64 = 16 << 20;

/// The largest state that can be handed on, in bytes: more does not cross to the host at once.
const SAVED_BYTES_MAX: usize = 2 << 20;

/// What stays from call to call.
struct Session {
    state: State,
    io: Io,
    jobs: Jobs,
    /// Where the shell, and what runs beside it, writes to.
    capture: Rc<Capture>,
}

thread_local! {
    static KEPT: RefCell<Option<Session>> = const { RefCell::new(None) };
    /// A state that a shell begins with.
    static RESTORED: RefCell<Option<State>> = const { RefCell::new(None) };
    static SPILLED: RefCell<u32> = const { RefCell::new(0) };
}

/// Input of `bash`.
#[expect(unreachable_pub, reason = "the tool names it in what it exports")]
#[input]
#[serde(deny_unknown_fields)]
pub struct Bash {
    /// The command to run: any bash script. Needed unless restart is true.
    command: Option<String>,
    /// Start a new shell: variables, functions and the working folder are forgotten.
    restart: Option<bool>,
    /// How long the command may take, in milliseconds. 120000 if left out; what one call may take
    /// bounds it.
    timeout_ms: Option<u64>,
    /// End the shell after the command: its trap on EXIT runs, and the next command gets a new shell.
    end: Option<bool>,
}

/// Runs a bash command in a shell that is kept: variables, functions and the working folder
/// stay from call to call.
///
/// What it prints to standard output and standard error comes back as it was printed, and
/// the exit status if that is not 0. Every program runs in a sandbox that sees only the
/// granted folders, /tmp and /mnt/session/outputs. There is no terminal: nothing can ask.
/// Background jobs (`command &`) run on between calls until the shell is restarted, with no network after the call that
/// started them; what they print comes with the next call.
#[tool(destructive, open_world)]
pub(crate) fn bash(input: Bash) -> Result<Output, Fault> {
    if input.restart == Some(true) {
        RESTORED.take();
        KEPT.take();
        system::end_beside();
        if input.command.is_none() {
            return Ok(Output::text("The shell was restarted."));
        }
    }
    let Some(command) = input.command else {
        return Err(Fault::invalid("command: nothing to run; give a command, or restart: true"));
    };
    let timeout = Duration::from_millis(input.timeout_ms.unwrap_or(TIMEOUT_MS).clamp(1, TIMEOUT_MS_MAX));
    run(&command, timeout, input.end == Some(true))
}

/// What the host leaves a call of its time, with a rest in which to answer.
fn call_time() -> Duration {
    let told = std::env::var("HANDBOX_CALL_TIME_MS").ok().and_then(|told| told.parse().ok());
    Duration::from_millis(told.map_or(TIMEOUT_MS_MAX, |told: u64| told.saturating_sub(told / 20).max(1)))
}

fn fresh() -> State {
    let environment = system::environment();
    let cwd = start_folder(&environment);
    let mut state = State::new(environment, cwd);
    state.give_home();
    state
}

impl Session {
    fn new(state: State) -> Result<Self, system::Fault> {
        let capture = Rc::new(Capture::new(KEPT_BYTES_MAX)?);
        Ok(Self { state, io: streams(&capture)?, jobs: Jobs::default(), capture })
    }
}

/// What a shell reads and writes if nothing else was said.
fn streams(capture: &Capture) -> Result<Io, system::Fault> {
    Ok(Io::new(Input::empty(), capture.output(STDOUT)?, capture.output(STDERR)?))
}

fn run(command: &str, asked: Duration, end: bool) -> Result<Output, Fault> {
    let timeout = asked.min(call_time());
    let unusable = |fault: system::Fault| Fault::failed(format!("the output cannot be kept: {fault}"));
    let session = match KEPT.take() {
        Some(session) => session,
        None => Session::new(RESTORED.take().unwrap_or_else(fresh)).map_err(unusable)?,
    };
    let Session { state, io, jobs, capture } = session;
    capture.renew();
    let mut shell = Shell::new(state, io);
    shell.jobs = jobs;
    shell.look_at_jobs();
    shell.deadline = Instant::now().checked_add(timeout);
    shell.scripted = false;
    let done = shell.run_text(command);
    let left = matches!(done, Err(Flow::Exit(_))) || (end && done != Err(Flow::TimedOut));
    // A kept shell has not ended, so its trap waits; but for one that left.
    let ended = if left {
        shell.finish(done)
    } else {
        done.or_else(|flow| if flow == Flow::TimedOut { Err(flow) } else { Ok(status_of(flow)) })
    };
    let streams_stay = shell.end_call();
    if end {
        shell.end_jobs();
    }
    let mut note = match ended {
        Ok(0) => None,
        Ok(status) => Some(format!("(exit status {status})")),
        Err(_) => Some(stopped(&shell, timeout, asked)),
    };
    if capture.dropped() > 0 {
        let dropped = format!("({} bytes of output were too many and are lost)", capture.dropped());
        note = Some(note.map_or(dropped.clone(), |note| format!("{dropped}\n{note}")));
    }
    let kept = capture.take();
    let status = ended.unwrap_or(124);
    shell.state.status = status;
    let stopped = ended.is_err().then_some(note.as_deref()).flatten();
    let fields = serde_json::json!({
        "stdout": cut(kept.runs(STDOUT), || SEE_OUTPUT.to_owned()),
        "stderr": cut(kept.runs(STDERR), || SEE_OUTPUT.to_owned()),
        "exit_code": status,
        "working_folder": shell.state.cwd,
        "left": left,
        "stopped": stopped,
    });
    if !end {
        let io = if streams_stay && !left { shell.io } else { streams(&capture).map_err(unusable)? };
        KEPT.set(Some(Session { state: between_calls(shell.state), io, jobs: shell.jobs, capture }));
    }
    Ok(Output::text(with_note(shown(&kept.bytes), note)).with(FIELDS_MEDIA_TYPE, fields.to_string()))
}

/// Why a command was ended early.
fn stopped(shell: &Shell, timeout: Duration, asked: Duration) -> String {
    let stays = "the shell and its variables are still there";
    if shell.deadline.is_some_and(|deadline| Instant::now() < deadline) {
        return format!("(stopped: all that one call may compute is used up; {stays})");
    }
    let after = timeout.as_millis();
    if timeout < asked {
        return format!(
            "(stopped after {after} ms; {stays}. One call gets no more time here, whatever timeout_ms says: the operator's \
             limit `time`)"
        );
    }
    if asked.as_millis() >= u128::from(TIMEOUT_MS_MAX) {
        return format!("(stopped after {after} ms, which is the most that a command gets; {stays})");
    }
    format!("(stopped after {after} ms; {stays}. Give timeout_ms for more time)")
}

fn status_of(flow: Flow) -> i32 {
    match flow {
        Flow::Exit(status) | Flow::Discard(status) | Flow::Return(status) => status,
        Flow::Break(_) | Flow::Continue(_) => 0,
        Flow::TimedOut => 124,
    }
}

/// A shell's state for the next call, outside of everything that was cut short.
fn between_calls(mut state: State) -> State {
    while state.vars.in_function() {
        std::rc::Rc::make_mut(&mut state.vars).leave();
    }
    state.frames = std::rc::Rc::default();
    state.loops = 0;
    state.in_condition = 0;
    state.line = 1;
    state
}

fn with_note(mut text: String, note: Option<String>) -> String {
    if let Some(note) = note {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&note);
    }
    text
}

/// The output, or its ends and where all of it lies.
fn shown(bytes: &[u8]) -> String {
    cut(std::iter::once(bytes), || {
        let number = SPILLED.with_borrow_mut(|number| {
            *number += 1;
            *number
        });
        let path = format!("/tmp/bash-{number}.txt");
        match std::fs::write(&path, bytes) {
            Ok(()) => format!("all of it is in {path}"),
            Err(error) => format!("the rest is lost, since {path} cannot be written: {error}"),
        }
    })
}

/// A text that comes in pieces, or its ends and where the rest `lies`. Nothing that is large is copied: the text and
/// what it was printed with share one memory.
fn cut<'a>(pieces: impl Iterator<Item = &'a [u8]> + Clone, lies: impl FnOnce() -> String) -> String {
    let length: usize = pieces.clone().map(<[u8]>::len).sum();
    let part = |from: usize, to: usize| {
        let (mut bytes, mut at) = (Vec::with_capacity(to - from), 0);
        for piece in pieces.clone() {
            let (start, end) = (from.clamp(at, at + piece.len()), to.clamp(at, at + piece.len()));
            bytes.extend_from_slice(&piece[start - at..end - at]);
            at += piece.len();
        }
        from_owned_bytes(bytes)
    };
    if length <= 2 * END_BYTES {
        let text = part(0, length);
        if text.chars().count() <= SHOWN_CHARS_MAX {
            return lossless(text);
        }
    }
    let half = SHOWN_CHARS_MAX / 2;
    let head: String = part(0, END_BYTES.min(length)).chars().take(half).collect();
    let tail = part(length.saturating_sub(END_BYTES), length);
    let tail: String = tail.chars().skip(tail.chars().count().saturating_sub(half)).collect();
    let starts = pieces.flatten().filter(|byte| **byte & 0xC0 != 0x80).count();
    let out = starts.saturating_sub(2 * half);
    format!("{}\n\n… {out} characters left out; {} …\n\n{}", lossless(head), lies(), lossless(tail))
}

/// Text for a model: bytes that are not UTF-8 are shown as such.
fn lossless(text: String) -> String {
    // Only a character of four bytes can stand for a byte that is none.
    if !text.as_bytes().contains(&0xF4) {
        return text;
    }
    String::from_utf8_lossy(&to_bytes(&text)).into_owned()
}

/// The shell, for hosts that pass it on.
pub(crate) struct Kept;

impl SavedState for Kept {
    fn save() -> Result<Vec<u8>, String> {
        let saved = KEPT.with_borrow(|kept| match kept {
            Some(session) => serde_json::to_vec(&session.state),
            None => RESTORED.with_borrow(serde_json::to_vec),
        });
        let saved = saved.map_err(|error| error.to_string())?;
        if saved.len() > SAVED_BYTES_MAX {
            return Err(format!("the shell's variables take {} bytes, which is too much to hand on", saved.len()));
        }
        Ok(saved)
    }

    fn restore(saved: Vec<u8>) -> Result<(), String> {
        KEPT.take();
        RESTORED.set(serde_json::from_slice(&saved).map_err(|error| error.to_string())?);
        Ok(())
    }
}

handbox_tool::export!(bash; state = Kept);

#[cfg(test)]
mod tests {
    use super::*;

    fn text(output: Output) -> String {
        String::from_utf8(output.parts.into_iter().next().unwrap().data).unwrap()
    }

    fn call(command: &str) -> String {
        text(
            bash(Bash { command: Some(command.to_owned()), restart: None, timeout_ms: Some(20_000), end: None })
                .unwrap(),
        )
    }

    #[test]
    fn a_shell_is_kept_until_it_is_restarted() {
        assert_eq!(call("x=1; f() { echo \"f $x\"; }; cd /usr"), "");
        assert_eq!(call("f; pwd"), "f 1\n/usr\n");
        let saved = Kept::save().unwrap();
        bash(Bash { command: None, restart: Some(true), timeout_ms: None, end: None }).unwrap();
        assert_eq!(call("echo \"[$x]\""), "[]\n");
        Kept::restore(saved).unwrap();
        assert_eq!(call("f"), "f 1\n");
    }

    #[test]
    fn jobs_and_streams_are_kept_too() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let log = log.display();
        // Started by name: what runs as a shell of ours would be this test.
        call(&format!("env sh -c 'sleep 0.3; echo late; exit 3' & job=$!; exec 5>{log}; true"));
        assert_eq!(call("jobs -p | grep -c $job; echo to the log >&5"), "1\n");
        assert_eq!(call("wait $job; echo \"status $?\"; wait $job; echo \"again $?\""), "late\nstatus 3\nagain 3\n");
        assert_eq!(call(&format!("exec 5>&-; cat {log}; jobs")), "to the log\n");
    }

    #[test]
    fn a_job_outlives_the_call_that_waits_for_it_in_vain() {
        call("sleep 0.5 & job=$!");
        let input = Bash { command: Some("wait $job".to_owned()), restart: None, timeout_ms: Some(50), end: None };
        assert!(text(bash(input).unwrap()).contains("stopped after 50 ms"));
        assert_eq!(call("wait $job; echo $?"), "0\n");
    }

    #[test]
    fn what_is_printed_comes_in_order_with_the_status() {
        assert_eq!(call("echo a; echo b >&2; echo c; (exit 3)"), "a\nb\nc\n(exit status 3)");
        assert!(call("nosuchprogram").contains("nosuchprogram: command not found"));
    }

    #[test]
    fn a_call_that_takes_too_long_is_stopped_and_the_shell_stays() {
        call("kept=yes");
        let stopped = |command: &str| {
            text(
                bash(Bash { command: Some(command.to_owned()), restart: None, timeout_ms: Some(50), end: None })
                    .unwrap(),
            )
        };
        assert!(stopped("while :; do :; done").contains("stopped after 50 ms"));
        assert!(stopped("sleep 100").contains("stopped after 50 ms"));
        for waits in ["read x", "mapfile x", "select x in a; do :; done", "source /dev/stdin", "read -t 9 x"] {
            let text = stopped(&format!("echo before; sleep 5 | {waits}; echo after"));
            assert!(text.contains("before") && text.contains("stopped after 50 ms"), "{waits}: {text}");
        }
        assert_eq!(call("echo $kept"), "yes\n");
    }

    #[test]
    fn much_output_is_spilled() {
        let text = call("i=0; while ((i++ < 5000)); do echo 'a line of this text'; done");
        assert!(text.contains("characters left out; all of it is in /tmp/bash-"), "{}", &text[..200]);
        assert!(text.chars().count() < SHOWN_CHARS_MAX + 200);
    }

    #[test]
    fn a_shell_that_ends_runs_its_trap_and_is_gone() {
        let input = |command: &str, end| Bash {
            command: Some(command.to_owned()),
            restart: None,
            timeout_ms: Some(20_000),
            end: Some(end),
        };
        let command = "x=1; trap 'echo \"bye $? $BASH_COMMAND\"' EXIT; trap 'echo \"E $BASH_COMMAND\"' ERR; false";
        assert_eq!(text(bash(input(command, true)).unwrap()), "E false\nbye 1 false\n(exit status 1)");
        assert_eq!(text(bash(input("echo \"[$x]\"", false)).unwrap()), "[]\n");
    }

    #[test]
    fn only_the_ends_of_a_stream_in_pieces_are_shown() {
        let (many, few) = ("ä".repeat(40_000), "end");
        let cut_text = cut([many.as_bytes(), few.as_bytes()].into_iter(), || "here".to_owned());
        assert!(cut_text.starts_with("ää") && cut_text.ends_with("äend"));
        assert!(cut_text.contains("… 10003 characters left out; here …"), "{}", &cut_text[29_990..30_100]);
        assert_eq!(cut([&b"a\xff"[..], b"b"].into_iter(), String::new), "a\u{fffd}b");
    }

    #[test]
    fn who_limits_the_time_is_named() {
        let shell = Shell::new(fresh(), Io::closed());
        let said = |timeout, asked| stopped(&shell, Duration::from_millis(timeout), Duration::from_millis(asked));
        assert!(said(50, 50).contains("Give timeout_ms"));
        assert!(said(50, 100).contains("the operator's limit"));
        assert!(said(TIMEOUT_MS_MAX, TIMEOUT_MS_MAX).contains("the most that a command gets"));
    }
}
