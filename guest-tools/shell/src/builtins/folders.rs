//! The working directory.

use crate::shell::{Run, Shell};
use std::path::Path;

pub(super) fn pwd(shell: &mut Shell, args: &[String]) -> Run {
    let mut cwd = shell.state.cwd.clone();
    if physical(shell, args) {
        cwd = crate::shell::real(&cwd).unwrap_or(cwd);
    }
    shell.out(&format!("{cwd}\n"))
}

/// Whether links are resolved: the last of `-P` and `-L` counts.
fn physical(shell: &Shell, args: &[String]) -> bool {
    let asked = args.iter().rev().find(|arg| matches!(arg.as_str(), "-P" | "-L"));
    asked.map_or(shell.state.has(crate::state::PHYSICAL), |asked| asked == "-P")
}

pub(super) fn cd(shell: &mut Shell, args: &[String]) -> Run {
    let physical = physical(shell, args);
    let args: Vec<&String> = args.iter().filter(|arg| !matches!(arg.as_str(), "-P" | "-L" | "-e" | "--")).collect();
    if args.len() > 1 {
        return shell.fail("cd: too many arguments");
    }
    let mut shows = false;
    let target = match args.first().map(|arg| arg.as_str()) {
        None => match shell.var("HOME") {
            Some(home) => home,
            None => return shell.fail("cd: HOME not set"),
        },
        Some("-") => match shell.var("OLDPWD") {
            Some(old) => {
                shows = true;
                old
            }
            None => return shell.fail("cd: OLDPWD not set"),
        },
        Some(path) => path.to_owned(),
    };
    let found = if target.is_empty() { Some(shell.state.cwd.clone()) } else { search(shell, &target, &mut shows) };
    let mut folder = found.unwrap_or_else(|| shell.absolute(&target));
    if physical {
        let whole = if target.starts_with('/') { target.clone() } else { format!("{}/{target}", shell.state.cwd) };
        folder = crate::shell::real(&whole).unwrap_or(folder);
    }
    if let Err(why) = change(shell, &folder) {
        return shell.fail(&format!("cd: {target}: {why}"));
    }
    if shows { pwd(shell, &[]) } else { Ok(0) }
}

fn search(shell: &Shell, target: &str, shows: &mut bool) -> Option<String> {
    if target.starts_with(['/', '.']) {
        return None;
    }
    let path = shell.var("CDPATH")?;
    let mut folders =
        path.split(':').filter(|folder| !folder.is_empty()).map(|folder| shell.absolute(&format!("{folder}/{target}")));
    let found = folders.find(|folder| Path::new(folder).is_dir());
    *shows |= found.is_some();
    found
}

fn change(shell: &mut Shell, path: &str) -> Result<(), &'static str> {
    match std::fs::metadata(path) {
        // The root holds the granted folders and may not be a folder itself.
        Err(_) if path != "/" => return Err("No such file or directory"),
        Ok(about) if !about.is_dir() => return Err("Not a directory"),
        _ => {}
    }
    let old = std::mem::replace(&mut shell.state.cwd, path.to_owned());
    shell.set_own("OLDPWD", old);
    shell.set_own("PWD", path);
    Ok(())
}

pub(super) fn dirs(shell: &mut Shell, args: &[String]) -> Run {
    let (mut long, mut format, mut only) = (false, 's', None);
    for arg in args {
        match arg.as_str() {
            "-c" => {
                shell.state.dirs.clear();
                return Ok(0);
            }
            place if is_place(place) => match at(shell, place) {
                Some(at) => only = Some(at),
                None => return out_of_range(shell, "dirs", &place[1..]),
            },
            letters => {
                long |= letters.contains('l');
                format = letters.chars().find(|c| matches!(c, 'p' | 'v')).unwrap_or(format);
            }
        }
    }
    let shown = |path: String| if long { path } else { short(shell, &path) };
    let all: Vec<(usize, String)> = stack(shell).into_iter().map(shown).enumerate().collect();
    let chosen = all.into_iter().filter(|(at, _)| only.is_none_or(|only| only == *at));
    let text = match format {
        'v' => chosen.map(|(at, path)| format!("{at:2}  {path}\n")).collect(),
        'p' => chosen.map(|(_, path)| format!("{path}\n")).collect(),
        _ => chosen.map(|(_, path)| path).collect::<Vec<_>>().join(" ") + "\n",
    };
    shell.out(&text)
}

/// The working folder and those below it.
fn stack(shell: &Shell) -> Vec<String> {
    std::iter::once(&shell.state.cwd).chain(&shell.state.dirs).cloned().collect()
}

/// Whether it is `+N` or `-N`.
fn is_place(arg: &str) -> bool {
    arg.strip_prefix(['+', '-']).is_some_and(|digits| digits.parse::<usize>().is_ok())
}

/// Which of the stack `+N` or `-N` means: from its top, or from its end.
fn at(shell: &Shell, place: &str) -> Option<usize> {
    let number: usize = place[1..].parse().ok()?;
    let count = shell.state.dirs.len() + 1;
    if place.starts_with('+') { Some(number).filter(|at| *at < count) } else { count.checked_sub(number + 1) }
}

fn out_of_range(shell: &Shell, name: &str, place: &str) -> Run {
    let empty = shell.state.dirs.is_empty() && name != "dirs";
    if empty {
        return shell.fail(&format!("{name}: directory stack empty"));
    }
    shell.fail(&format!("{name}: {place}: directory stack index out of range"))
}

/// With `~` for the home folder.
fn short(shell: &Shell, path: &str) -> String {
    match shell.var("HOME").filter(|home| home.len() > 1) {
        Some(home) if path == home || path.starts_with(&format!("{home}/")) => path.replacen(&home, "~", 1),
        _ => path.to_owned(),
    }
}

pub(super) fn pushd(shell: &mut Shell, args: &[String]) -> Run {
    let stays = args.iter().any(|arg| arg == "-n");
    let arg = args.iter().find(|arg| !matches!(arg.as_str(), "-n" | "--"));
    let mut stack = stack(shell);
    match arg {
        Some(place) if is_place(place) => match at(shell, place).filter(|_| stack.len() > 1) {
            Some(at) => stack.rotate_left(at),
            None => return out_of_range(shell, "pushd", place),
        },
        Some(path) => {
            let mut path = path.clone();
            if path == "-" {
                path = shell.var("OLDPWD").unwrap_or_default();
                shell.out(&format!("{path}\n"))?;
            }
            stack.insert(usize::from(stays), shell.absolute(&path));
        }
        None if stack.len() < 2 => return shell.fail("pushd: no other directory"),
        None => stack.swap(0, 1),
    }
    if !stays && let Err(why) = change(shell, &stack[0]) {
        return shell.fail(&format!("pushd: {}: {why}", arg.unwrap_or(&stack[0])));
    }
    shell.state.dirs = stack.split_off(1);
    dirs(shell, &[])
}

pub(super) fn popd(shell: &mut Shell, args: &[String]) -> Run {
    let stays = args.iter().any(|arg| arg == "-n");
    let place = args.iter().find(|arg| is_place(arg));
    let mut stack = stack(shell);
    if stack.len() < 2 {
        return shell.fail("popd: directory stack empty");
    }
    let at = match place {
        Some(place) => match at(shell, place) {
            Some(at) => at,
            None => return out_of_range(shell, "popd", place),
        },
        None => usize::from(stays),
    };
    stack.remove(at);
    if at == 0
        && !stays
        && let Err(why) = change(shell, &stack[0])
    {
        return shell.fail(&format!("popd: {}: {why}", stack[0]));
    }
    shell.state.dirs = stack.split_off(1);
    dirs(shell, &[])
}
