//! `test` and `[`: of a file's permissions; all else is as it is taken.

use crate::about::{About, executable, readable, writable};
use std::ffi::OsString;

/// Runs it where it asks for permissions, links or the same file alone; None where it asks for anything else.
pub(super) fn test(args: &[OsString]) -> Option<u8> {
    let name = args.first()?.to_string_lossy().into_owned();
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = if name.ends_with('[') { words.strip_suffix(&["]"])? } else { &words };
    let (wanted, words) = match words {
        ["!", rest @ ..] => (false, rest),
        words => (true, words),
    };
    let holds = match *words {
        ["-r", path] => About::of(path).is_ok_and(|about| readable(path, &about)),
        ["-w", path] => About::of(path).is_ok_and(|about| writable(path, &about)),
        ["-x", path] => About::of(path).is_ok_and(|about| executable(&about)),
        [left, "-ef", right] => match (About::of(left), About::of(right)) {
            (Ok(left), Ok(right)) => left.same_file(&right),
            _ => false,
        },
        _ => return None,
    };
    Some(u8::from(holds != wanted))
}
