//! The working directory.

use crate::shell::{Run, Shell};
use std::path::Path;

pub(super) fn pwd(shell: &mut Shell, _: &[String]) -> Run {
    let cwd = shell.state.cwd.clone();
    shell.out(&format!("{cwd}\n"))
}

pub(super) fn cd(shell: &mut Shell, args: &[String]) -> Run {
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
    if let Err(why) = change(shell, &found.unwrap_or_else(|| shell.absolute(&target))) {
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
    if args.first().is_some_and(|arg| arg == "-c") {
        shell.state.dirs.clear();
        return Ok(0);
    }
    let all: Vec<String> =
        std::iter::once(&shell.state.cwd).chain(&shell.state.dirs).map(|path| short(shell, path)).collect();
    match args.first().map(String::as_str) {
        Some("-p") => shell.out(&format!("{}\n", all.join("\n"))),
        Some("-v") => {
            let lines: String = all.iter().enumerate().map(|(at, path)| format!("{at:2}  {path}\n")).collect();
            shell.out(&lines)
        }
        _ => shell.out(&format!("{}\n", all.join(" "))),
    }
}

/// With `~` for the home folder.
fn short(shell: &Shell, path: &str) -> String {
    match shell.var("HOME").filter(|home| home.len() > 1) {
        Some(home) if path == home || path.starts_with(&format!("{home}/")) => path.replacen(&home, "~", 1),
        _ => path.to_owned(),
    }
}

pub(super) fn pushd(shell: &mut Shell, args: &[String]) -> Run {
    let old = shell.state.cwd.clone();
    let target = match args.iter().find(|arg| *arg != "-n") {
        Some(path) => {
            let path = if path.starts_with(['+', '-']) && path.len() > 1 {
                nth(shell, path)
            } else {
                Some(shell.absolute(path))
            };
            match path {
                Some(path) => path,
                None => return shell.fail(&format!("pushd: {}: directory stack index out of range", args[0])),
            }
        }
        None if shell.state.dirs.is_empty() => return shell.fail("pushd: no other directory"),
        None => shell.state.dirs.remove(0),
    };
    if let Err(why) = change(shell, &target) {
        return shell.fail(&format!("pushd: {}: {why}", args.first().map_or(target.as_str(), String::as_str)));
    }
    shell.state.dirs.insert(0, old);
    dirs(shell, &[])
}

fn nth(shell: &Shell, text: &str) -> Option<String> {
    let at: usize = text[1..].parse().ok()?;
    let count = shell.state.dirs.len() + 1;
    let at = if text.starts_with('+') { at } else { count.checked_sub(at + 1)? };
    std::iter::once(&shell.state.cwd).chain(&shell.state.dirs).nth(at).cloned()
}

pub(super) fn popd(shell: &mut Shell, _: &[String]) -> Run {
    if shell.state.dirs.is_empty() {
        return shell.fail("popd: directory stack empty");
    }
    let target = shell.state.dirs.remove(0);
    if let Err(why) = change(shell, &target) {
        return shell.fail(&format!("popd: {target}: {why}"));
    }
    dirs(shell, &[])
}
