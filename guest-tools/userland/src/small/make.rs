//! Programs that make files and folders: `mkdir` and `mktemp`.

use crate::about::{self, set_mode, umask};
use crate::mode::{self, Mode};
use crate::options::{Known, read};
use crate::quote::quoted;
use crate::{print, report};
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// How often another name is tried.
const TRIES_MAX: usize = 100;

/// Runs `mkdir`; the first argument is its name.
pub(super) fn mkdir(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "pvm:Z",
        names: &[("parents", 'p'), ("verbose", 'v'), ("mode=", 'm'), ("context?", 'Z')],
        ends_at_operand: false,
    };
    let fail = |text: &str| {
        report("mkdir", text);
        1
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => return fail("missing operand\nTry 'mkdir --help' for more information."),
        Err(problem) => return fail(&format!("{problem}\nTry 'mkdir --help' for more information.")),
    };
    let mode = match given.value('m').map(|text| (text, mode::parse(text))) {
        Some((text, None)) => return fail(&format!("invalid mode {}", quoted(text))),
        Some((_, mode)) => mode,
        None => None,
    };
    let told = given.has('v').then_some("mkdir");
    let mut status = 0;
    for path in &given.operands {
        let made = if given.has('p') { with_parents(path, told) } else { one(path, told).map(|()| true) };
        let set = made.and_then(|made| match &mode {
            Some(mode) if made => bits(mode, path),
            _ => Ok(()),
        });
        if let Err((at, reason)) = set {
            status = fail(&format!("cannot create directory {}: {reason}", quoted(&at)));
        }
    }
    status
}

/// Where something was not done, and why in words.
pub(crate) type Refused = (String, String);

fn one(path: &str, told: Option<&str>) -> Result<(), Refused> {
    fs::create_dir(path).map_err(|error| (path.to_owned(), crate::reason(&error)))?;
    about::masked_folder(path);
    if let Some(program) = told {
        let by = if program == "mkdir" { "mkdir: created" } else { "install: creating" };
        print(format!("{by} directory {}\n", quoted(path)).as_bytes());
    }
    Ok(())
}

fn bits(mode: &Mode, path: &str) -> Result<(), Refused> {
    let refused = |error: std::io::Error| (path.to_owned(), crate::reason(&error));
    // As of a folder that everybody may use but for the mask.
    set_mode(path, mode.apply(0o777, true, umask())).map_err(refused)
}

/// Makes a folder and those above it. Whether it was not there.
pub(crate) fn with_parents(path: &str, told: Option<&str>) -> Result<bool, Refused> {
    let mut made = false;
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends.filter(|end| *end > 0) {
        let part = &path[..end];
        if part.ends_with('/')
            || matches!(Path::new(part).components().next_back(), Some(std::path::Component::ParentDir))
        {
            continue;
        }
        made = false;
        match fs::metadata(part) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let reason = if end == path.len() { "File exists" } else { "Not a directory" };
                return Err((part.to_owned(), reason.to_owned()));
            }
            Err(_) => {
                one(part, told)?;
                made = true;
            }
        }
    }
    Ok(made)
}

/// Runs `mktemp`; the first argument is its name.
pub(super) fn mktemp(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "duqp:tV",
        names: &[("directory", 'd'), ("dry-run", 'u'), ("quiet", 'q'), ("suffix=", 's'), ("tmpdir?", 'T')],
        ends_at_operand: false,
    };
    let fail = |text: &str, quiet: bool| {
        if !quiet {
            report("mktemp", text);
        }
        1
    };
    let given = match read(args, &known) {
        Ok(given) if given.operands.len() < 2 => given,
        Ok(_) => return fail("too many templates", false),
        Err(problem) => return fail(&problem, false),
    };
    let quiet = given.has('q');
    let template = given.operands.first().map_or("tmp.XXXXXXXXXX", String::as_str);
    let environment = std::env::var("TMPDIR").ok().filter(|folder| !folder.is_empty());
    let usual = || environment.clone().unwrap_or_else(|| "/tmp".to_owned());
    let folder = if given.has('t') {
        Some(environment.clone().or_else(|| given.value('p').map(str::to_owned)).unwrap_or_else(usual))
    } else if let Some((_, folder)) = given.options.iter().rev().find(|(letter, _)| matches!(letter, 'p' | 'T')) {
        Some(if folder.is_empty() { usual() } else { folder.clone() })
    } else {
        given.operands.is_empty().then(usual)
    };
    let suffixed = given.value('s');
    let end = match suffixed {
        Some(_) if !template.ends_with('X') => {
            return fail(&format!("with --suffix, template {} must end in X", quoted(template)), quiet);
        }
        Some(_) => template.len(),
        None => template.rfind('X').map_or(0, |at| at + 1),
    };
    let start = template[..end].trim_end_matches('X').len();
    let suffix = suffixed.unwrap_or(&template[end..]);
    if end - start < 3 {
        return fail(&format!("too few X's in template {}", quoted(template)), quiet);
    }
    if suffix.contains('/') || folder.is_some() && given.has('t') && template.contains('/') {
        return fail(&format!("invalid template, {}, contains directory separator", quoted(template)), quiet);
    }
    let place = |name: &str| match &folder {
        Some(folder) => format!("{}/{name}", folder.trim_end_matches('/')),
        None => name.to_owned(),
    };
    for _ in 0..TRIES_MAX {
        let path = place(&format!("{}{}{suffix}", &template[..start], letters(end - start)));
        match make(&path, given.has('d'), given.has('u')) {
            Ok(()) => return u8::from(!print(format!("{path}\n").as_bytes())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                let what = if given.has('d') { "directory" } else { "file" };
                let shown = quoted(&place(&format!("{}{suffix}", &template[..end])));
                return fail(
                    &format!("failed to create {what} via template {shown}: {}", crate::reason(&error)),
                    quiet,
                );
            }
        }
    }
    fail("no free name was found", quiet)
}

/// Makes what nobody else may read.
fn make(path: &str, folder: bool, dry: bool) -> std::io::Result<()> {
    if dry {
        return match fs::symlink_metadata(path) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => Ok(()),
        };
    }
    let mode = if folder {
        fs::create_dir(path)?;
        0o700
    } else {
        fs::File::create_new(path)?;
        0o600
    };
    set_mode(path, mode)
}

/// So many letters and digits that cannot be guessed.
fn letters(count: usize) -> String {
    use std::hash::{BuildHasher, Hasher};
    const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let state = std::collections::hash_map::RandomState::new();
    let sign = |place: usize| {
        let mut hasher = state.build_hasher();
        hasher.write_usize(place);
        let at = hasher.finish() % SIGNS.len() as u64;
        char::from(SIGNS[usize::try_from(at).unwrap_or(0)])
    };
    (0..count).map(sign).collect()
}
