//! What changes where the shell goes on.

use crate::exec::simple::{Parts, Who};
use crate::shell::{Flow, Run, Shell, takes};
use std::rc::Rc;

fn count(shell: &Shell, name: &str, args: &[String]) -> Result<u32, i32> {
    match args.first() {
        None => Ok(1),
        Some(text) => match text.parse::<u32>() {
            Ok(0) => {
                shell.complain(&format!("{name}: {text}: loop count out of range"));
                Err(1)
            }
            Ok(count) => Ok(count),
            Err(_) => {
                shell.complain(&format!("{name}: {text}: numeric argument required"));
                Err(128)
            }
        },
    }
}

fn loops(shell: &mut Shell, name: &str, args: &[String], flow: fn(u32) -> Flow) -> Run {
    if shell.state.loops == 0 {
        shell.complain(&format!("{name}: only meaningful in a `for', `while', or `until' loop"));
        return Ok(0);
    }
    match count(shell, name, args) {
        Ok(count) => Err(flow(count.min(shell.state.loops))),
        Err(status) => Ok(status),
    }
}

pub(super) fn leave(shell: &mut Shell, args: &[String]) -> Run {
    loops(shell, "break", args, Flow::Break)
}

pub(super) fn next(shell: &mut Shell, args: &[String]) -> Run {
    loops(shell, "continue", args, Flow::Continue)
}

fn status(shell: &Shell, name: &str, args: &[String]) -> i32 {
    match args.first() {
        None => shell.state.status,
        Some(text) => text.trim().parse::<i64>().map_or_else(
            |_| {
                shell.complain(&format!("{name}: {text}: numeric argument required"));
                2
            },
            |status| i32::from(status.to_le_bytes()[0]),
        ),
    }
}

pub(super) fn give_back(shell: &mut Shell, args: &[String]) -> Run {
    if shell.state.frames.is_empty() {
        shell.complain("return: can only `return' from a function or sourced script");
        return Ok(2);
    }
    Err(Flow::Return(status(shell, "return", args)))
}

pub(super) fn exit(shell: &mut Shell, args: &[String]) -> Run {
    Err(Flow::Exit(status(shell, "exit", args)))
}

pub(super) fn eval(shell: &mut Shell, args: &[String]) -> Run {
    if shell.is_deep() {
        return shell.fail("eval: maximum eval nesting level exceeded");
    }
    let text = args.join(" ");
    let line = shell.state.line;
    shell.depth += takes::TEXT;
    shell.state.status = 0;
    let done = shell.run_text(&text);
    shell.depth -= takes::TEXT;
    shell.state.line = line;
    done
}

pub(super) fn source(shell: &mut Shell, args: &[String]) -> Run {
    let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
    let Some(path) = args.first() else {
        shell.complain("source: filename argument required");
        return Ok(2);
    };
    let input = match shell.open_input(path) {
        Ok(input) => input,
        Err(fault) => return shell.fail(&format!("{path}: {fault}")),
    };
    let bytes = shell.read_all(&input)?;
    let rest = (args.len() > 1).then(|| args[1..].to_vec());
    shell.state.status = 0;
    shell.run_file(path, &crate::text::from_bytes(&bytes), rest)
}

pub(super) fn shift(shell: &mut Shell, args: &[String]) -> Run {
    let by = match args.first().map(|arg| arg.parse::<usize>()) {
        None => 1,
        Some(Ok(by)) => by,
        Some(Err(_)) => return shell.fail(&format!("shift: {}: numeric argument required", args[0])),
    };
    if by > shell.state.args.len() {
        return Ok(1);
    }
    Rc::make_mut(&mut shell.state.args).drain(..by);
    Ok(0)
}

/// `exec` where its redirections end with it: in `command exec`.
pub(super) fn exec_only(shell: &mut Shell, args: &[String]) -> Run {
    if args.is_empty() {
        return Ok(0);
    }
    replace(shell, args)
}

fn replace(shell: &mut Shell, args: &[String]) -> Run {
    let args = match args {
        [option, name, rest @ ..] if option == "-a" && !rest.is_empty() => {
            let _ = name;
            rest
        }
        [option, rest @ ..] if option == "-c" || option == "-l" || option == "--" => rest,
        args => args,
    };
    if args.is_empty() {
        return Ok(0);
    }
    let env = shell.environment();
    match shell.start_program(args, env) {
        Ok(child) => {
            Rc::make_mut(&mut shell.state.traps).remove("EXIT");
            Err(Flow::Exit(shell.wait_for(&child)?))
        }
        Err(status) => Err(Flow::Exit(status)),
    }
}

impl Shell {
    /// `exec`: its redirections stay.
    pub(crate) fn run_exec(&mut self, parts: &Parts<'_>, args: &[String]) -> Run {
        if let ([word], [redirect]) = (args, parts.redirects.as_slice())
            && let Some(name) = word
                .strip_prefix('{')
                .and_then(|word| word.strip_suffix('}'))
                .filter(|name| crate::state::is_name(&crate::expand::split_reference(name).0))
        {
            return self.redirect_named(name, redirect);
        }
        if let Err(done) = self.redirect(&parts.redirects) {
            return done;
        }
        if args.is_empty() {
            for assignment in &parts.assignments {
                self.assign_parsed(assignment)?;
            }
            return Ok(0);
        }
        self.assign_for_a_while(&parts.assignments)?;
        replace(self, args)
    }
}

pub(super) fn builtin(shell: &mut Shell, args: &[String]) -> Run {
    let Some(name) = args.first() else { return Ok(0) };
    match super::find(name) {
        Some(builtin) => {
            if super::takes_assignments(name) {
                return super::declare::of_texts(shell, name, &args[1..]);
            }
            builtin(shell, &args[1..])
        }
        None => shell.fail(&format!("builtin: {name}: not a shell builtin")),
    }
}

pub(super) fn command(shell: &mut Shell, args: &[String]) -> Run {
    let mut args = args;
    while let Some(option) = args.first() {
        match option.as_str() {
            "-v" => return super::info::find_each(shell, &args[1..], false),
            "-V" => return super::info::find_each(shell, &args[1..], true),
            "-p" | "--" => args = &args[1..],
            _ => break,
        }
    }
    let Some(name) = args.first() else { return Ok(0) };
    if super::find(name).is_some() {
        return builtin(shell, args);
    }
    let hidden = shell.state.functions.get(name).cloned();
    if hidden.is_some() {
        Rc::make_mut(&mut shell.state.functions).remove(name);
    }
    debug_assert!(matches!(shell.who(name), Who::Program));
    let done = shell.run_expanded(args);
    if let Some(function) = hidden {
        Rc::make_mut(&mut shell.state.functions).insert(name.clone(), function);
    }
    done
}
