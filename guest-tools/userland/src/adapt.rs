//! Command lines of programs that are taken as they are, as these can do them here.

use std::ffi::OsString;

/// Programs that read standard input where they are told `-`.
const READ_DASH: &[&str] = &[
    "b2sum",
    "base32",
    "base64",
    "basenc",
    "cksum",
    "comm",
    "csplit",
    "cut",
    "expand",
    "fmt",
    "fold",
    "head",
    "join",
    "md5sum",
    "nl",
    "od",
    "pr",
    "ptx",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
    "shuf",
    "sort",
    "split",
    "sum",
    "tail",
    "tsort",
    "unexpand",
    "uniq",
    "wc",
];

/// The arguments that a program gets instead of its own: `/dev/stdin`, which need not be a file
/// here, as `-`; a start below 0 for `nl`; and `cp` keeps no modes and owners, for there are none.
#[must_use]
pub fn arguments(name: &str, args: Vec<OsString>) -> Vec<OsString> {
    let mut adapted: Vec<OsString> = Vec::with_capacity(args.len());
    let mut options = true;
    for arg in args {
        options = options && arg != "--";
        let is_start = name == "nl" && options && adapted.last().is_some_and(|before| before == "-v");
        if READ_DASH.contains(&name) && arg == "/dev/stdin" {
            adapted.push("-".into());
        } else if is_start {
            let _ = adapted.pop();
            adapted.push(format!("--starting-line-number={}", arg.to_string_lossy()).into());
        } else if name == "cp" && options && !adapted.is_empty() {
            adapted.extend(kept(arg));
        } else {
            adapted.push(arg);
        }
    }
    adapted
}

/// An argument of `cp` without what it cannot keep. None if nothing is left of it.
fn kept(arg: OsString) -> Option<OsString> {
    let text = arg.to_string_lossy().into_owned();
    if text == "--archive" {
        return Some("-RP".into());
    }
    if text.starts_with("--preserve") || text.starts_with("--no-preserve") {
        return None;
    }
    let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty() && !letters.starts_with('-'))
    else {
        return Some(arg);
    };
    // What stands behind these is their value.
    let end = letters.find(['S', 't']).unwrap_or(letters.len());
    let cluster = letters[..end].replace('p', "").replace('a', "RP").replace('d', "P");
    let letters = format!("{cluster}{}", &letters[end..]);
    (!letters.is_empty()).then(|| format!("-{letters}").into())
}

#[cfg(test)]
mod tests {
    fn adapted(line: &str) -> String {
        let args: Vec<std::ffi::OsString> = line.split(' ').map(Into::into).collect();
        let name = line.split(' ').next().unwrap_or_default();
        let shown: Vec<String> =
            super::arguments(name, args).iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        shown.join(" ")
    }

    #[test]
    fn standard_input_is_named_as_a_program_knows_it() {
        assert_eq!(adapted("head -n 1 /dev/stdin a"), "head -n 1 - a");
        assert_eq!(adapted("ls /dev/stdin"), "ls /dev/stdin");
    }

    #[test]
    fn nl_starts_below_zero() {
        assert_eq!(adapted("nl -v -1 a"), "nl --starting-line-number=-1 a");
    }

    #[test]
    fn cp_is_not_asked_for_what_it_cannot_keep() {
        assert_eq!(adapted("cp -p a b"), "cp a b");
        assert_eq!(adapted("cp -av a b"), "cp -RPv a b");
        assert_eq!(adapted("cp -rp --preserve=mode a b"), "cp -r a b");
        assert_eq!(adapted("cp -tapa a"), "cp -tapa a");
        assert_eq!(adapted("cp -- -p b"), "cp -- -p b");
    }
}
