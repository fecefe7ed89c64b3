//! Programs that start another one.

use crate::options::{Known, read};
use crate::report;
use crate::spawn::{Stdin, Stdout, start};
use std::ffi::OsString;
use std::time::{Duration, Instant};

type Environment = Vec<(OsString, OsString)>;

/// Starts a command and gives its status.
pub(super) fn started(program: &str, command: &[OsString], environment: Option<Environment>) -> u8 {
    match start(command, environment, Stdin::Own, Stdout::Own) {
        Ok(child) => u8::try_from(child.wait()).unwrap_or(1),
        Err(refused) => {
            let (text, status) = refused.explain(&format!("‘{}’", command[0].to_string_lossy()));
            report(program, &text);
            status
        }
    }
}

fn words(operands: &[String]) -> Vec<OsString> {
    operands.iter().map(OsString::from).collect()
}

pub(super) fn env(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "iu:0C:S:v",
        names: &[("ignore-environment", 'i'), ("unset=", 'u'), ("null", '0'), ("chdir=", 'C'), ("split-string=", 'S')],
        ends_at_operand: true,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("env", &problem);
            return 125;
        }
    };
    let mut operands: Vec<String> = given.values('S').flat_map(str::split_whitespace).map(str::to_owned).collect();
    operands.extend(given.operands.iter().cloned());
    let ignored = given.has('i') || operands.first().is_some_and(|first| first == "-");
    if operands.first().is_some_and(|first| first == "-") {
        operands.remove(0);
    }
    let mut environment: Environment = if ignored { Vec::new() } else { std::env::vars_os().collect() };
    environment.retain(|(name, _)| !given.values('u').any(|unset| name == unset));
    let assignments = operands.iter().take_while(|operand| operand.contains('=')).count();
    let command = operands.split_off(assignments);
    for (name, value) in operands.iter().filter_map(|operand| operand.split_once('=')) {
        set(&mut environment, name, value);
    }
    if let Some(folder) = given.value('C') {
        let entered = std::env::set_current_dir(folder).and_then(|()| std::env::current_dir());
        match entered {
            // What it starts begins there; PWD is a shell's to say.
            Ok(folder) if environment.iter().any(|(name, _)| name == "PWD") => {
                set(&mut environment, "PWD", &folder.to_string_lossy());
            }
            Ok(_) => {}
            Err(error) => {
                report("env", &format!("cannot change directory to '{folder}': {}", crate::reason(&error)));
                return 125;
            }
        }
    }
    if command.is_empty() {
        let end = if given.has('0') { '\0' } else { '\n' };
        let lines = environment
            .iter()
            .map(|(name, value)| format!("{}={}{end}", name.to_string_lossy(), value.to_string_lossy()));
        return u8::from(!crate::print(lines.collect::<String>().as_bytes()));
    }
    started("env", &words(&command), Some(environment))
}

fn set(environment: &mut Environment, name: &str, value: &str) {
    match environment.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value.into(),
        None => environment.push((name.into(), value.into())),
    }
}

/// `nice`, `nohup`: there is nothing for them to change here.
pub(super) fn plain(args: &[OsString]) -> u8 {
    let known = Known { letters: "n:0123456789", names: &[("adjustment=", 'n')], ends_at_operand: true };
    let program = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match read(args, &known) {
        Ok(given) if given.operands.is_empty() && program == "nice" => u8::from(!crate::print(b"0\n")),
        Ok(given) if !given.operands.is_empty() => started(&program, &words(&given.operands), None),
        Ok(_) => {
            report(&program, "missing operand");
            125
        }
        Err(problem) => {
            report(&program, &problem);
            125
        }
    }
}

pub(super) fn time(args: &[OsString]) -> u8 {
    let command: Vec<OsString> = args.iter().skip(1).skip_while(|arg| *arg == "-p").cloned().collect();
    if command.is_empty() {
        return 0;
    }
    let begun = Instant::now();
    let status = started("time", &command, None);
    // How much of it was computing is not known here.
    eprintln!("real {:.2}\nuser 0.00\nsys 0.00", begun.elapsed().as_secs_f64());
    status
}

pub(super) fn timeout(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "s:k:pfv",
        names: &[
            ("signal=", 's'),
            ("kill-after=", 'k'),
            ("preserve-status", 'p'),
            ("foreground", 'f'),
            ("verbose", 'v'),
        ],
        ends_at_operand: true,
    };
    let given = match read(args, &known) {
        Ok(given) if given.operands.len() > 1 => given,
        Ok(_) => {
            report("timeout", "missing operand");
            return 125;
        }
        Err(problem) => {
            report("timeout", &problem);
            return 125;
        }
    };
    let Some(time) = duration(&given.operands[0]) else {
        report("timeout", &format!("invalid time interval ‘{}’", given.operands[0]));
        return 125;
    };
    let named = given.value('s').unwrap_or("TERM");
    let Some(signal) = number(named) else {
        report("timeout", &format!("{named}: invalid signal"));
        return 125;
    };
    let command = words(&given.operands[1..]);
    let mut child = match start(&command, None, Stdin::Own, Stdout::Own) {
        Ok(child) => child,
        Err(refused) => {
            let (text, status) = refused.explain(&format!("failed to run command ‘{}’", given.operands[1]));
            report("timeout", &text);
            return status;
        }
    };
    let ended = if time.is_zero() { None } else { child.wait_for(time) };
    match ended {
        Some(status) => u8::try_from(status).unwrap_or(1),
        None if time.is_zero() => u8::try_from(child.wait()).unwrap_or(1),
        None => {
            child.kill(signal);
            // Whoever catches it goes on, until it is done or is killed.
            let patience = given.value('k').and_then(duration);
            let ended = patience.and_then(|patience| child.wait_for(patience));
            let killed = patience.is_some() && ended.is_none();
            if killed {
                child.kill(9);
            }
            let status = ended.unwrap_or_else(|| child.wait());
            if given.has('p') {
                return u8::try_from(status).unwrap_or(1);
            }
            if signal == 9 || killed { 137 } else { 124 }
        }
    }
}

/// A signal by its number or its name.
fn number(signal: &str) -> Option<u8> {
    const NAMES: [(&str, u8); 8] =
        [("HUP", 1), ("INT", 2), ("QUIT", 3), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("ALRM", 14), ("TERM", 15)];
    let name = signal.trim_start_matches("SIG");
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    known.or_else(|| signal.parse().ok().filter(|number| (1..64).contains(number)))
}

/// `1.5`, `10s`, `2m`, `1h` or `1d`.
fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3600.0),
        (at, 'd') => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    Duration::try_from_secs_f64(digits.parse::<f64>().ok()? * unit).ok()
}
