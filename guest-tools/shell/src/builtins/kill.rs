//! Signals, traps and jobs.

use crate::shell::{Flow, Run, Shell};
use crate::state::Traps;
use crate::text::single_quoted;
use std::rc::Rc;

/// How far apart the numbers of subshells are that are no processes: no process gets as far.
const SUBSHELL_NUMBERS: u32 = 1_000_000;

const SIGNALS: &[(u8, &str, &str)] = &[
    (1, "HUP", "Hangup"),
    (2, "INT", "Interrupt"),
    (3, "QUIT", "Quit"),
    (4, "ILL", "Illegal instruction"),
    (5, "TRAP", "Trace/breakpoint trap"),
    (6, "ABRT", "Aborted"),
    (7, "BUS", "Bus error"),
    (8, "FPE", "Floating point exception"),
    (9, "KILL", "Killed"),
    (10, "USR1", "User defined signal 1"),
    (11, "SEGV", "Segmentation fault"),
    (12, "USR2", "User defined signal 2"),
    (13, "PIPE", "Broken pipe"),
    (14, "ALRM", "Alarm clock"),
    (15, "TERM", "Terminated"),
    (16, "STKFLT", "Stack fault"),
    (17, "CHLD", "Child exited"),
    (18, "CONT", "Continued"),
    (19, "STOP", "Stopped (signal)"),
    (20, "TSTP", "Stopped"),
    (21, "TTIN", "Stopped (tty input)"),
    (22, "TTOU", "Stopped (tty output)"),
    (23, "URG", "Urgent I/O condition"),
    (24, "XCPU", "CPU time limit exceeded"),
    (25, "XFSZ", "File size limit exceeded"),
    (26, "VTALRM", "Virtual timer expired"),
    (27, "PROF", "Profiling timer expired"),
    (28, "WINCH", "Window changed"),
    (29, "IO", "I/O possible"),
    (30, "PWR", "Power failure"),
    (31, "SYS", "Bad system call"),
];

/// Whether a signal ends what it is sent to and nothing catches it. Nothing stops here, so nothing is continued.
fn ends(signal: u8) -> bool {
    !matches!(signal, 0 | 17..=23 | 28)
}

/// The signals that shall not end a shell with these traps: those that have one, and those at which the trap of its end runs.
fn caught_for(traps: &Traps) -> Vec<u8> {
    let at_end: &[u8] = if traps.contains_key("EXIT") { &[1, 2, 15] } else { &[] };
    let trapped = SIGNALS.iter().filter(|(_, name, _)| traps.contains_key(*name)).map(|(number, ..)| *number);
    trapped.chain(at_end.iter().copied()).collect()
}

impl Shell {
    /// What `$BASHPID` is: the number of this process, and another one for a subshell that is none.
    pub(crate) fn own_number(&self) -> u32 {
        let own = crate::system::process_id();
        if own == self.state.pid { own + self.state.subshell * SUBSHELL_NUMBERS } else { own }
    }

    /// Takes note of signals that came: their traps are to run, or the shell is to end.
    pub(crate) fn look_for_signals(&mut self) -> Result<(), Flow> {
        if !Rc::ptr_eq(&self.state.traps, &self.caught) {
            self.caught = Rc::clone(&self.state.traps);
            let signals = caught_for(&self.caught);
            if self.catches || !signals.is_empty() {
                crate::system::catch(&signals);
            }
            self.catches = !signals.is_empty();
        }
        if !self.catches {
            return Ok(());
        }
        for signal in crate::system::caught() {
            let name = SIGNALS.iter().find(|(number, ..)| *number == signal).map_or("", |(_, name, _)| *name);
            match self.state.traps.get(name) {
                Some(command) if command.is_empty() => {}
                Some(_) => self.jobs.pending.push(name.to_owned()),
                None => return Err(Flow::Exit(128 + i32::from(signal))),
            }
        }
        Ok(())
    }
}

/// The names of all signals.
pub(super) fn names() -> Vec<String> {
    SIGNALS.iter().map(|(_, name, _)| format!("SIG{name}")).collect()
}

/// What a signal is called when it ended something.
pub(crate) fn description(signal: u8) -> &'static str {
    SIGNALS.iter().find(|(number, ..)| *number == signal).map_or("Killed", |(_, _, text)| text)
}

pub(crate) fn number(name: &str) -> Option<u8> {
    if let Ok(number) = name.parse::<u8>() {
        return Some(number);
    }
    let name = name.to_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name).to_owned();
    SIGNALS.iter().find(|(_, known, _)| *known == name).map(|(number, ..)| *number)
}

pub(super) fn kill(shell: &mut Shell, args: &[String]) -> Run {
    let mut signal = 15;
    let mut rest = args;
    match args {
        [list, codes @ ..] if list == "-l" || list == "-L" => return list_signals(shell, codes),
        [option, name, more @ ..] if option == "-s" || option == "-n" => {
            let Some(number) = number(name) else {
                return shell.fail(&format!("kill: {name}: invalid signal specification"));
            };
            (signal, rest) = (number, more);
        }
        [option, more @ ..] if option.starts_with('-') && option.len() > 1 && option != "--" => {
            let Some(number) = number(&option[1..]) else {
                return shell.fail(&format!("kill: {}: invalid signal specification", &option[1..]));
            };
            (signal, rest) = (number, more);
        }
        _ => {}
    }
    let mut status = 0;
    for target in rest.iter().filter(|target| *target != "--") {
        status |= kill_one(shell, target, signal)?;
    }
    Ok(status)
}

fn list_signals(shell: &mut Shell, codes: &[String]) -> Run {
    if codes.is_empty() {
        let all: Vec<String> = SIGNALS.iter().map(|(number, name, _)| format!("{number}) SIG{name}")).collect();
        return shell.out(&format!("{}\n", all.join(" ")));
    }
    for code in codes {
        let text = match code.parse::<u8>() {
            Ok(code) => {
                SIGNALS.iter().find(|(number, ..)| *number == code & 127).map(|(_, name, _)| (*name).to_owned())
            }
            Err(_) => number(code).map(|number| number.to_string()),
        };
        let Some(text) = text else { return shell.fail(&format!("kill: {code}: invalid signal specification")) };
        shell.out(&format!("{text}\n"))?;
    }
    Ok(0)
}

fn kill_one(shell: &mut Shell, target: &str, signal: u8) -> Run {
    shell.look_at_jobs();
    let found = place(shell, target);
    if let Some(job) = found.map(|at| &shell.jobs.all[at]) {
        if job.status.is_some() {
            return shell.fail(&format!("kill: ({}) - No such process", job.id));
        }
        if ends(signal)
            && let Some(child) = &job.child
        {
            child.kill(signal);
        }
        return Ok(0);
    }
    if let Some(child) = shell.jobs.strays.iter().find(|child| target.parse() == Ok(child.id())) {
        if ends(signal) {
            child.kill(signal);
        }
        return Ok(0);
    }
    if let Ok(number) = target.parse::<u32>() {
        if [crate::system::process_id(), shell.own_number()].contains(&number) {
            return signal_self(shell, signal, number);
        }
        if crate::system::send(number, if ends(signal) { signal } else { 0 }) {
            return Ok(0);
        }
        // `$$` of the shell that a call begins with, which gets no signals.
        if number == shell.state.pid {
            return signal_self(shell, signal, number);
        }
    }
    match target.parse::<u32>() {
        Ok(_) => shell.fail(&format!("kill: ({target}) - No such process")),
        Err(_) if target.starts_with('%') => shell.fail(&format!("kill: {target}: no such job")),
        Err(_) => shell.fail(&format!("kill: {target}: arguments must be process or job IDs")),
    }
}

fn signal_self(shell: &mut Shell, signal: u8, number: u32) -> Run {
    let name = SIGNALS.iter().find(|(number, ..)| *number == signal).map_or("", |(_, name, _)| *name);
    match shell.state.traps.get(name) {
        Some(command) if command.is_empty() => Ok(0),
        Some(_) => {
            shell.jobs.pending.push(name.to_owned());
            Ok(0)
        }
        None if !ends(signal) => Ok(0),
        None => {
            // Its parent sees what ended it, unless something is to be done at the end.
            if number == crate::system::process_id() && !shell.state.traps.contains_key("EXIT") {
                crate::system::send(number, signal);
            }
            Err(Flow::Exit(128 + i32::from(signal)))
        }
    }
}

/// The job of a number as `$!` gives it, or of `%n`.
fn place(shell: &Shell, target: &str) -> Option<usize> {
    let jobs = &shell.jobs.all;
    match target.strip_prefix('%') {
        Some("" | "%" | "+") => jobs.len().checked_sub(1),
        Some("-") => jobs.len().checked_sub(2),
        Some(text) => match text.parse::<usize>() {
            Ok(number) => jobs.iter().position(|job| job.number == number),
            Err(_) => jobs.iter().position(|job| job.command.starts_with(text)),
        },
        None => {
            let id: u32 = target.parse().ok()?;
            jobs.iter().position(|job| job.id == id)
        }
    }
}

pub(super) fn jobs(shell: &mut Shell, args: &[String]) -> Run {
    shell.look_at_jobs();
    let ids = args.iter().any(|arg| arg == "-p");
    let last = shell.jobs.all.len();
    let line = |(at, job): (usize, &crate::exec::jobs::Job)| {
        let mark = if at + 1 == last {
            '+'
        } else if at + 2 == last {
            '-'
        } else {
            ' '
        };
        let (state, and) = match job.status {
            None => ("Running".to_owned(), " &"),
            Some(0) => ("Done".to_owned(), ""),
            Some(status) => (format!("Exit {status}"), ""),
        };
        if ids { format!("{}\n", job.id) } else { format!("[{}]{mark}  {state:<24}{}{and}\n", job.number, job.command) }
    };
    let text: String = shell.jobs.all.iter().enumerate().map(line).collect();
    if shell.jobs.own_from == 0 {
        shell.jobs.all.retain(|job| job.status.is_none());
    }
    shell.out(&text)
}

pub(super) fn no_job_control(shell: &mut Shell, _: &[String]) -> Run {
    shell.fail("no job control")
}

pub(super) fn wait(shell: &mut Shell, args: &[String]) -> Run {
    let (mut next, mut variable) = (false, None);
    let mut rest = args;
    while let [first, more @ ..] = rest
        && first.starts_with('-')
    {
        rest = more;
        match first.as_str() {
            "-n" => next = true,
            "-p" => {
                let [name, more @ ..] = rest else { return shell.fail("wait: -p: option requires an argument") };
                (variable, rest) = (Some(name.clone()), more);
            }
            "--" => break,
            _ => {}
        }
    }
    let (status, id) = if next { wait_for_next(shell, rest)? } else { wait_for_each(shell, rest)? };
    match (variable, id) {
        (Some(name), Some(id)) => shell.set_own(&name, id.to_string()),
        (Some(name), None) => drop(shell.vars().remove(&name)),
        (None, _) => {}
    }
    Ok(status)
}

/// How it ended, and which one that was.
type Waited = Result<(i32, Option<u32>), Flow>;

fn wait_for_each(shell: &mut Shell, targets: &[String]) -> Waited {
    if targets.is_empty() {
        while shell.jobs.all.len() > shell.jobs.own_from {
            shell.wait_for_job(shell.jobs.own_from)?;
        }
        shell.jobs.ended.clear();
        return Ok((0, None));
    }
    let mut last = (0, None);
    for target in targets {
        last = match place(shell, target).filter(|at| *at >= shell.jobs.own_from) {
            Some(at) => {
                let id = shell.jobs.all[at].id;
                (shell.wait_for_job(at)?, Some(id))
            }
            None => before(shell, target).unwrap_or_else(|| {
                let what = if target.starts_with('%') {
                    format!("{target}: no such job")
                } else {
                    format!("pid {target} is not a child of this shell")
                };
                shell.complain(&format!("wait: {what}"));
                (127, None)
            }),
        };
    }
    Ok(last)
}

/// What was waited for once already.
fn before(shell: &Shell, target: &str) -> Option<(i32, Option<u32>)> {
    let id: u32 = target.parse().ok()?;
    shell.jobs.ended.get(&id).map(|status| (*status, Some(id)))
}

/// Waits for the first of these to end, or of all.
fn wait_for_next(shell: &mut Shell, targets: &[String]) -> Waited {
    shell.look_at_jobs();
    let own = shell.jobs.own_from;
    let mut places: Vec<usize> = if targets.is_empty() {
        (own..shell.jobs.all.len()).collect()
    } else {
        targets.iter().filter_map(|target| place(shell, target)).filter(|at| *at >= own).collect()
    };
    places.sort_unstable();
    if places.is_empty() {
        return Ok(targets.iter().find_map(|target| before(shell, target)).unwrap_or((127, None)));
    }
    let ended = places.iter().copied().find(|at| shell.jobs.all[*at].child.is_none());
    let at = match ended {
        Some(at) => at,
        None => {
            let jobs = places.iter().map(|at| &shell.jobs.all[*at]);
            let children: Vec<&crate::system::Child> = jobs.filter_map(|job| job.child.as_ref()).collect();
            let left = shell.deadline.map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
            let first = crate::system::wait_any(&children, left).ok_or(Flow::TimedOut)?;
            places.get(first).copied().ok_or(Flow::TimedOut)?
        }
    };
    let id = shell.jobs.all[at].id;
    Ok((shell.wait_for_job(at)?, Some(id)))
}

pub(super) fn trap(shell: &mut Shell, args: &[String]) -> Run {
    let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
    match args {
        [] => show(shell, &[]),
        [option] if option == "-l" => list_signals(shell, &[]),
        [option, names @ ..] if option == "-p" => show(shell, names),
        [only] if canonical(only).is_none() => {
            shell.err("trap: usage: trap [-lp] [[arg] signal_spec ...]\n");
            Ok(2)
        }
        [only] => set(shell, None, std::slice::from_ref(only)),
        [command, names @ ..] if command == "-" => set(shell, None, names),
        [command, names @ ..] => set(shell, Some(command), names),
    }
}

fn set(shell: &mut Shell, command: Option<&String>, names: &[String]) -> Run {
    let mut status = 0;
    for name in names {
        let Some(name) = canonical(name) else {
            shell.complain(&format!("trap: {name}: invalid signal specification"));
            status = 1;
            continue;
        };
        shell.state.outer_traps = None;
        shell.state.notes_commands = true;
        let traps = Rc::make_mut(&mut shell.state.traps);
        match command {
            Some(command) => traps.insert(name, command.clone()),
            None => traps.remove(&name),
        };
    }
    Ok(status)
}

fn canonical(name: &str) -> Option<String> {
    let upper = name.to_uppercase();
    match upper.as_str() {
        "EXIT" | "0" => Some("EXIT".to_owned()),
        "ERR" | "DEBUG" | "RETURN" => Some(upper),
        _ => {
            let number = number(name)?;
            SIGNALS.iter().find(|(known, ..)| *known == number).map(|(_, name, _)| (*name).to_owned())
        }
    }
}

fn show(shell: &mut Shell, names: &[String]) -> Run {
    let wanted: Vec<String> = names.iter().filter_map(|name| canonical(name)).collect();
    let traps = shell.state.outer_traps.as_ref().unwrap_or(&shell.state.traps);
    let chosen = traps.iter().filter(|(name, _)| names.is_empty() || wanted.contains(name));
    let shown = |name: &str| {
        if SIGNALS.iter().any(|(_, known, _)| *known == name) { format!("SIG{name}") } else { name.to_owned() }
    };
    let mut lines: Vec<(u8, String)> = chosen
        .map(|(name, command)| {
            (
                number(name).unwrap_or(if name == "EXIT" { 0 } else { 99 }),
                format!("trap -- {} {}\n", single_quoted(command), shown(name)),
            )
        })
        .collect();
    lines.sort();
    let text: String = lines.into_iter().map(|(_, line)| line).collect();
    shell.out(&text)
}
