//! `install`.

use super::backup::Backup;
use super::settings::Settings;
use super::{Run, join, last};
use crate::about::{About, set_mode, set_times, umask};
use crate::mode::{self, Mode};
use crate::options::{Given, Known, read};
use crate::quote::quoted;
use crate::{print, report};
use std::ffi::OsString;
use std::fs;

const KNOWN: Known = Known {
    letters: "bcCdDg:m:o:psS:t:TvZ",
    names: &[
        ("backup?", 'B'),
        ("compare", 'C'),
        ("directory", 'd'),
        ("group=", 'g'),
        ("mode=", 'm'),
        ("owner=", 'o'),
        ("preserve-timestamps", 'p'),
        ("strip", 's'),
        ("suffix=", 'S'),
        ("target-directory=", 't'),
        ("no-target-directory", 'T'),
        ("verbose", 'v'),
    ],
    ends_at_operand: false,
};

/// Runs `install`; the first argument is its name.
pub(crate) fn install(args: &[OsString]) -> u8 {
    match read(args, &KNOWN).and_then(|given| execute(&given)) {
        Ok(failed) => u8::from(failed),
        Err(problem) => {
            report("install", &problem);
            1
        }
    }
}

/// Whether something was not done; or what is wrong with the command line.
fn execute(given: &Given) -> Result<bool, String> {
    let mode = given.value('m').unwrap_or("755");
    let mode = mode::parse(mode).ok_or_else(|| format!("invalid mode {}", quoted(mode)))?;
    let told = given.has('v').then_some("install");
    if given.operands.is_empty() {
        return Err("missing file operand\nTry 'install --help' for more information.".to_owned());
    }
    if given.has('d') {
        let mut failed = false;
        for path in &given.operands {
            let made = crate::small::with_parents(path, told);
            let set = made.and_then(|_| bits(&mode, path, true));
            if let Err((at, reason)) = set {
                report("install", &format!("cannot create directory {}: {reason}", quoted(&at)));
                failed = true;
            }
        }
        return Ok(failed);
    }
    let mut settings = Settings::plain(given.operands.clone());
    settings.unlink = true;
    settings.times = given.has('p');
    for (letter, value) in &given.options {
        if matches!(letter, 'b' | 'B') {
            settings.backup = Backup::named(value)?;
        }
    }
    if let Some(suffix) = given.value('S') {
        suffix.clone_into(&mut settings.suffix);
        settings.backup = Backup::named("")?;
    }
    if given.has('D') {
        let folder = match (given.value('t'), given.operands.last()) {
            (Some(folder), _) => Some(folder),
            (None, Some(to)) => to.trim_end_matches('/').rsplit_once('/').map(|(folder, _)| folder),
            (None, None) => None,
        };
        if let Some(folder) = folder.filter(|folder| !folder.is_empty()) {
            let made = crate::small::with_parents(folder, told);
            made.map_err(|(at, reason)| format!("cannot create directory {}: {reason}", quoted(&at)))?;
        }
    }
    settings.place(given)?;
    Ok(copies(&settings, &mode, given))
}

fn copies(settings: &Settings, mode: &Mode, given: &Given) -> bool {
    let mut run = Run::new("install", settings);
    if let Some(folder) = &settings.into
        && !fs::metadata(folder).is_ok_and(|about| about.is_dir())
    {
        let reason = if fs::metadata(folder).is_ok() { "Not a directory" } else { "No such file or directory" };
        run.fail(&format!("target {}: {reason}", quoted(folder)));
        return true;
    }
    for source in &settings.sources {
        if fs::metadata(source).is_ok_and(|about| about.is_dir()) {
            run.fail(&format!("omitting directory {}", quoted(source)));
            continue;
        }
        let to = settings.into.as_ref().map_or_else(|| settings.to.clone(), |folder| join(folder, last(source)));
        if given.has('C') && same(source, &to, mode) {
            continue;
        }
        let there = fs::symlink_metadata(&to).is_ok();
        let failed = std::mem::take(&mut run.failed);
        run.one(source, &to, true);
        if run.failed {
            continue;
        }
        run.failed = failed;
        if given.has('v') {
            let removed =
                if there && settings.backup.is_none() { format!("removed {}\n", quoted(&to)) } else { String::new() };
            print(format!("{removed}{} -> {}\n", quoted(source), quoted(&to)).as_bytes());
        }
        if let Err((_, reason)) = bits(mode, &to, false) {
            run.fail(&format!("cannot change permissions of {}: {reason}", quoted(&to)));
        }
        if settings.times
            && let Ok(about) = About::of(source)
        {
            // Setting the bits does not change them; a host may say otherwise.
            let _ = set_times(&to, about.accessed, about.modified, false);
        }
    }
    run.failed
}

fn bits(mode: &Mode, path: &str, folder: bool) -> Result<(), (String, String)> {
    set_mode(path, mode.apply(0, folder, umask())).map_err(|error| (path.to_owned(), crate::reason(&error)))
}

/// Whether a copy would change nothing.
fn same(from: &str, to: &str, mode: &Mode) -> bool {
    let bits = |about: About| about.is_file() && about.mode == mode.apply(0, false, umask());
    About::of_link(to).is_ok_and(bits)
        && matches!((fs::read(from), fs::read(to)), (Ok(left), Ok(right)) if left == right)
}
