//! What the shell says about commands and itself.

use crate::exec::simple::Who;
use crate::shell::{Run, Shell};
use crate::system;
use crate::text::single_quoted;
use std::rc::Rc;

pub(super) const KEYWORDS: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in",
    "select", "then", "time", "until", "while", "{", "}",
];

/// What a name is.
enum Kind {
    Alias(String),
    Keyword,
    Function,
    Builtin,
    File(String),
}

fn kind(shell: &Shell, name: &str) -> Option<Kind> {
    if let Some(text) = shell.state.aliases.get(name).filter(|_| shell.state.shopt(crate::state::EXPAND_ALIASES)) {
        return Some(Kind::Alias(text.clone()));
    }
    if KEYWORDS.contains(&name) {
        return Some(Kind::Keyword);
    }
    match shell.who(name) {
        Who::Function(_) => Some(Kind::Function),
        Who::Builtin(_) => Some(Kind::Builtin),
        Who::Program => file(shell, name).map(Kind::File),
    }
}

fn file(shell: &Shell, name: &str) -> Option<String> {
    if name.contains('/') {
        return system::executable(&shell.absolute(name)).then(|| name.to_owned());
    }
    let script = shell.var("PATH").and_then(|path| shell.script_on_path(name, &path));
    let script = script.filter(|file| system::executable(file));
    script.or_else(|| system::find_program(name, &shell.var("PATH").unwrap_or_default()))
}

/// `command -v` and `-V`.
pub(super) fn find_each(shell: &mut Shell, names: &[String], wordy: bool) -> Run {
    let mut status = 1;
    for name in names {
        match kind(shell, name) {
            Some(found) => {
                status = 0;
                let text = if wordy { sentence(shell, name, &found) } else { short(name, &found) };
                shell.out(&format!("{text}\n"))?;
            }
            None if wordy => shell.complain(&format!("command: {name}: not found")),
            None => {}
        }
    }
    Ok(status)
}

fn short(name: &str, kind: &Kind) -> String {
    match kind {
        Kind::Alias(text) => format!("alias {name}={}", single_quoted(text)),
        Kind::File(path) => path.clone(),
        _ => name.to_owned(),
    }
}

fn sentence(shell: &Shell, name: &str, kind: &Kind) -> String {
    match kind {
        Kind::Alias(text) => format!("{name} is aliased to `{text}'"),
        Kind::Keyword => format!("{name} is a shell keyword"),
        Kind::Builtin => format!("{name} is a shell builtin"),
        Kind::File(path) => format!("{name} is {path}"),
        Kind::Function => {
            let body = shell.state.functions.get(name).map(|function| function.body.to_string());
            format!("{name} is a function\n{name} () \n{}", body.unwrap_or_default())
        }
    }
}

/// `type`.
pub(super) fn types(shell: &mut Shell, args: &[String]) -> Run {
    let (mut word_only, mut path_only) = (false, false);
    let mut status = 0;
    for name in args {
        match name.as_str() {
            "-t" => word_only = true,
            "-p" | "-P" => path_only = true,
            "-a" | "-f" | "--" => {}
            name => {
                let found = if path_only { file(shell, name).map(Kind::File) } else { kind(shell, name) };
                let Some(found) = found else {
                    status = 1;
                    if !word_only && !path_only {
                        shell.complain(&format!("type: {name}: not found"));
                    }
                    continue;
                };
                let text = match (&found, word_only, path_only) {
                    (found, true, _) => match found {
                        Kind::Alias(_) => "alias",
                        Kind::Keyword => "keyword",
                        Kind::Function => "function",
                        Kind::Builtin => "builtin",
                        Kind::File(_) => "file",
                    }
                    .to_owned(),
                    (Kind::File(path), _, true) => path.clone(),
                    (found, ..) => sentence(shell, name, found),
                };
                shell.out(&format!("{text}\n"))?;
            }
        }
    }
    Ok(status)
}

/// `caller`: where this was called from.
pub(super) fn caller(shell: &mut Shell, args: &[String]) -> Run {
    let list = |shell: &mut Shell, name: &str| shell.dynamic(name).map(|value| value.values()).unwrap_or_default();
    let (lines, files) = (list(shell, "BASH_LINENO"), list(shell, "BASH_SOURCE"));
    let Some(level) = args.first() else {
        if files.is_empty() {
            return Ok(1);
        }
        let line = lines.first().map_or("0", String::as_str);
        let file = files.get(1).map_or("NULL", String::as_str);
        return shell.out(&format!("{line} {file}\n"));
    };
    let Ok(level) = level.parse::<usize>() else {
        shell.complain(&format!("caller: {level}: invalid number"));
        return Ok(2);
    };
    let functions = list(shell, "FUNCNAME");
    match (lines.get(level), functions.get(level + 1), files.get(level + 1)) {
        (Some(line), Some(function), Some(file)) => shell.out(&format!("{line} {function} {file}\n")),
        _ => Ok(1),
    }
}

pub(super) fn hash(shell: &mut Shell, args: &[String]) -> Run {
    if args.is_empty() { shell.out("hash: hash table empty\n") } else { Ok(0) }
}

pub(super) fn help(shell: &mut Shell, _: &[String]) -> Run {
    shell.out("This shell reads bash. `compgen -c` lists its commands, `type NAME` says what one is.\n")
}

pub(super) fn alias(shell: &mut Shell, args: &[String]) -> Run {
    if args.is_empty() {
        let text: String =
            shell.state.aliases.iter().map(|(name, text)| format!("alias {name}={}\n", single_quoted(text))).collect();
        return shell.out(&text);
    }
    let mut status = 0;
    for arg in args {
        if let Some((name, text)) = arg.split_once('=') {
            Rc::make_mut(&mut shell.state.aliases).insert(name.to_owned(), text.to_owned());
        } else if let Some(text) = shell.state.aliases.get(arg) {
            let line = format!("alias {arg}={}\n", single_quoted(text));
            shell.out(&line)?;
        } else {
            shell.complain(&format!("alias: {arg}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

pub(super) fn unalias(shell: &mut Shell, args: &[String]) -> Run {
    let aliases = Rc::make_mut(&mut shell.state.aliases);
    if args.first().is_some_and(|arg| arg == "-a") {
        aliases.clear();
        return Ok(0);
    }
    let missing: Vec<&String> = args.iter().filter(|name| aliases.remove(*name).is_none()).collect();
    for name in &missing {
        shell.complain(&format!("unalias: {name}: not found"));
    }
    Ok(i32::from(!missing.is_empty()))
}

pub(super) fn umask(shell: &mut Shell, args: &[String]) -> Run {
    match args.first().map(String::as_str) {
        None => {
            let text = format!("{:04o}\n", shell.state.umask);
            shell.out(&text)
        }
        Some("-S") => {
            let may = |shift: u32| {
                let bits = (!shell.state.umask >> shift) & 7;
                [(4, 'r'), (2, 'w'), (1, 'x')]
                    .iter()
                    .filter(|(bit, _)| bits & bit != 0)
                    .map(|(_, c)| *c)
                    .collect::<String>()
            };
            let text = format!("u={},g={},o={}\n", may(6), may(3), may(0));
            shell.out(&text)
        }
        Some("-p") => {
            let text = format!("umask {:04o}\n", shell.state.umask);
            shell.out(&text)
        }
        Some(mask) if !mask.starts_with(|c: char| c.is_ascii_digit()) => match symbolic(mask, shell.state.umask) {
            Some(mask) => {
                shell.state.umask = mask;
                Ok(0)
            }
            None => shell.fail(&format!("umask: `{mask}': invalid symbolic mode")),
        },
        Some(mask) => match u32::from_str_radix(mask, 8) {
            Ok(mask) if mask <= 0o777 => {
                shell.state.umask = mask;
                Ok(0)
            }
            _ => shell.fail(&format!("umask: {mask}: octal number out of range")),
        },
    }
}

/// The mask that `u=rwx,g-w,o=` makes of the present one: it names what is allowed.
fn symbolic(text: &str, mask: u32) -> Option<u32> {
    let mut allowed = !mask & 0o777;
    for clause in text.split(',') {
        let sign = clause.find(['=', '+', '-'])?;
        let (who, what) = (&clause[..sign], &clause[sign + 1..]);
        let mut places = 0;
        for c in who.chars() {
            places |= match c {
                'u' => 0o100,
                'g' => 0o010,
                'o' => 0o001,
                'a' => 0o111,
                _ => return None,
            };
        }
        let places = if who.is_empty() { 0o111 } else { places };
        let mut bits = 0;
        for c in what.chars() {
            bits |= match c {
                'r' => 4,
                'w' => 2,
                'x' | 'X' => 1,
                _ => return None,
            };
        }
        match &clause[sign..=sign] {
            "=" => allowed = (allowed & !(places * 7)) | (places * bits),
            "+" => allowed |= places * bits,
            _ => allowed &= !(places * bits),
        }
    }
    Some(!allowed & 0o777)
}

pub(super) fn ulimit(shell: &mut Shell, args: &[String]) -> Run {
    if args.iter().any(|arg| !arg.starts_with('-')) { Ok(0) } else { shell.out("unlimited\n") }
}

pub(super) fn times(shell: &mut Shell, _: &[String]) -> Run {
    shell.out("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n")
}
