//! `set` and `shopt`.

use crate::shell::{Run, Shell};
use crate::state::{SET, SHOPT};
use crate::text::quoted_if_needed;
use std::rc::Rc;

/// The names of the options that are on, as `SHELLOPTS` has them.
pub(crate) fn enabled(options: u64) -> String {
    let names: Vec<&str> = SET.iter().filter(|(_, _, bit)| options & bit != 0).map(|(name, ..)| *name).collect();
    names.join(":")
}

pub(super) fn set(shell: &mut Shell, args: &[String]) -> Run {
    if args.is_empty() {
        let visible = shell.state.vars.visible();
        let shown = visible.into_iter().map(|(name, variable)| match &variable.value {
            crate::vars::Value::Scalar(text) => format!("{name}={}\n", quoted_if_needed(text)),
            crate::vars::Value::Unset => String::new(),
            _ => super::declare::shown(name, variable).split_once(' ').map_or(String::new(), |(_, rest)| {
                rest.split_once(' ').map_or(String::new(), |(_, rest)| format!("{rest}\n"))
            }),
        });
        let text: String = shown.collect();
        return shell.out(&text);
    }
    let mut rest = args;
    while let [first, more @ ..] = rest {
        if first == "--" || first == "-" {
            shell.state.args = Rc::new(more.to_vec());
            return Ok(0);
        }
        let (on, letters) = match (first.strip_prefix('-'), first.strip_prefix('+')) {
            (Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => break,
        };
        rest = more;
        for letter in letters.chars() {
            if letter == 'o' {
                let [name, more @ ..] = rest else { return show_all(shell, on) };
                rest = more;
                if !set_named(shell, name, on) {
                    shell.complain(&format!("set: {name}: invalid option name"));
                    return Ok(2);
                }
            } else if let Some((_, _, bit)) = SET.iter().find(|(_, known, _)| *known == Some(letter)) {
                apply(&mut shell.state.options, *bit, on);
            } else {
                shell.complain(&format!("set: -{letter}: invalid option"));
                shell.err("set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n");
                return Ok(2);
            }
        }
    }
    if !rest.is_empty() {
        shell.state.args = Rc::new(rest.to_vec());
    }
    Ok(0)
}

fn apply(options: &mut u64, bit: u64, on: bool) {
    if on {
        *options |= bit;
    } else {
        *options &= !bit;
    }
}

fn set_named(shell: &mut Shell, name: &str, on: bool) -> bool {
    let known = SET.iter().find(|(known, ..)| *known == name);
    if let Some((_, _, bit)) = known {
        apply(&mut shell.state.options, *bit, on);
    }
    known.is_some()
        || matches!(
            name,
            "emacs"
                | "vi"
                | "history"
                | "histexpand"
                | "ignoreeof"
                | "keyword"
                | "nolog"
                | "notify"
                | "onecmd"
                | "privileged"
                | "interactive-comments"
        )
}

fn show_all(shell: &mut Shell, table: bool) -> Run {
    let line = |(name, _, bit): &(&str, Option<char>, u64)| {
        let on = shell.state.has(*bit);
        if table {
            format!("{name:<15}\t{}\n", if on { "on" } else { "off" })
        } else {
            format!("set {}o {name}\n", if on { '-' } else { '+' })
        }
    };
    let text: String = SET.iter().map(line).collect();
    shell.out(&text)
}

pub(super) fn shopt(shell: &mut Shell, args: &[String]) -> Run {
    let (mut on, mut quiet, mut of_set, mut print) = (None, false, false, false);
    let mut rest = args;
    while let [first, more @ ..] = rest
        && let Some(letters) = first.strip_prefix('-')
    {
        for letter in letters.chars() {
            match letter {
                's' => on = Some(true),
                'u' => on = Some(false),
                'q' => quiet = true,
                'o' => of_set = true,
                'p' => print = true,
                _ => return shell.fail(&format!("shopt: -{letter}: invalid option")),
            }
        }
        rest = more;
    }
    let table = if of_set { SET } else { SHOPT };
    if rest.is_empty() {
        let bits = if of_set { shell.state.options } else { shell.state.shopts };
        let chosen = table.iter().filter(|(_, _, bit)| on.is_none_or(|on| (bits & bit != 0) == on));
        let text: String = chosen.map(|(name, _, bit)| line(name, bits & bit != 0, print)).collect();
        return shell.out(&text);
    }
    let mut status = 0;
    for name in rest {
        let Some((_, _, bit)) = table.iter().find(|(known, ..)| known == name) else {
            shell.complain(&format!("shopt: {name}: invalid shell option name"));
            status = 1;
            continue;
        };
        let bits = if of_set { &mut shell.state.options } else { &mut shell.state.shopts };
        match on {
            Some(on) => apply(bits, *bit, on),
            None => {
                let set = *bits & bit != 0;
                status |= i32::from(!set);
                if !quiet {
                    shell.out(&line(name, set, print))?;
                }
            }
        }
    }
    Ok(status)
}

fn line(name: &str, on: bool, print: bool) -> String {
    if print {
        format!("shopt -{} {name}\n", if on { 's' } else { 'u' })
    } else {
        format!("{name:<15}\t{}\n", if on { "on" } else { "off" })
    }
}
