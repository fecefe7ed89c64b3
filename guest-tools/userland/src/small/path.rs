//! `pathchk`.

use crate::options::{Known, read};
use crate::quote::quoted;
use crate::report;
use std::ffi::OsString;
use std::io::ErrorKind;

/// What POSIX has every system take, and what this one takes, in bytes: of a name, and of a path.
const PORTABLE: (usize, usize) = (14, 255);
const HERE: (usize, usize) = (255, 4095);

/// Says which paths could not be used.
pub(super) fn pathchk(args: &[OsString]) -> u8 {
    let known = Known { letters: "pP", names: &[("portability", 'a')], ends_at_operand: false };
    let fail = |text: &str| {
        report("pathchk", text);
        1
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => return fail("missing operand"),
        Err(problem) => return fail(&problem),
    };
    let strict = given.has('p') || given.has('a');
    let careful = given.has('P') || given.has('a');
    let mut status = 0;
    for path in &given.operands {
        if let Err(problem) = checked(path, strict, careful) {
            status = fail(&problem);
        }
    }
    status
}

fn checked(path: &str, strict: bool, careful: bool) -> Result<(), String> {
    if careful && path.split('/').any(|part| part.starts_with('-')) {
        return Err(format!("leading '-' in a component of file name {}", quoted(path)));
    }
    if path.is_empty() {
        let text = if strict || careful { "empty file name" } else { "'': No such file or directory" };
        return Err(text.to_owned());
    }
    let (name, whole) = if strict { PORTABLE } else { HERE };
    if strict {
        let fits = |c: &char| c.is_ascii_alphanumeric() || "._-/".contains(*c);
        if let Some(c) = path.chars().find(|c| !fits(c)) {
            return Err(format!("nonportable character {} in file name {}", quoted(&c.to_string()), quoted(path)));
        }
    } else if let Err(error) = std::fs::symlink_metadata(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(format!("{path}: {}", crate::reason(&error)));
    }
    if path.len() > whole {
        return Err(format!("limit {whole} exceeded by length {} of file name {}", path.len(), quoted(path)));
    }
    match path.split('/').find(|part| part.len() > name) {
        Some(part) => {
            Err(format!("limit {name} exceeded by length {} of file name component {}", part.len(), quoted(part)))
        }
        None => Ok(()),
    }
}
