//! Operands that are an empty text, and those of `rm` that are dots. An empty text names no file, but a path that is made
//! absolute takes it for the working folder.

use std::ffi::OsString;

/// What was found of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nameless {
    /// There is none.
    None,
    /// Some were taken out and complained of; the program ends with this status at least.
    Some(u8),
    /// Nothing is left to do; this is the status.
    Only(u8),
}

/// Programs all of whose operands are files: what they say of one, and their status then.
const PROGRAMS: [(&str, &str, u8); 22] = [
    ("rm", "cannot remove ''", 1),
    ("rmdir", "failed to remove ''", 1),
    ("ls", "cannot access ''", 2),
    ("dir", "cannot access ''", 2),
    ("vdir", "cannot access ''", 2),
    ("du", "cannot access ''", 1),
    ("stat", "cannot statx ''", 1),
    ("touch", "cannot touch ''", 1),
    ("chmod", "cannot access ''", 1),
    ("cp", "cannot stat ''", 1),
    ("mv", "cannot stat ''", 1),
    ("mkdir", "cannot create directory ''", 1),
    ("tree", "''", 1),
    ("find", "''", 1),
    ("tar", "''", 2),
    ("zip", "''", 12),
    ("rg", "", 2),
    ("shred", "''", 1),
    ("truncate", "cannot open '' for writing", 1),
    ("install", "cannot stat ''", 1),
    ("realpath", "''", 1),
    ("readlink", "''", 1),
];

/// Takes operands that are empty out of a program's words, and complains as the program would. One behind an option may be
/// its value, and stays.
pub fn without_nameless(name: &str, args: &mut Vec<OsString>) -> Nameless {
    let Some((_, what, status)) = PROGRAMS.iter().find(|(program, ..)| *program == name) else { return Nameless::None };
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    let is_nameless = |at: usize, args: &[OsString]| {
        at > 0 && args[at].is_empty() && !(at > 1 && takes_value(name, &args[at - 1].to_string_lossy()))
    };
    let places: Vec<usize> = (0..args.len()).filter(|at| is_nameless(*at, args)).collect();
    if places.is_empty() {
        return Nameless::None;
    }
    let forced = name == "rm"
        && args.iter().take_while(|word| *word != "--").skip(1).any(|word| {
            let word = word.to_string_lossy();
            word == "--force" || word.starts_with('-') && !word.starts_with("--") && word.contains('f')
        });
    let status = if forced { 0 } else { *status };
    if let Some(text) = nowhere(name, args, &places) {
        eprintln!("{name}: {text}: No such file or directory");
        return Nameless::Only(status);
    }
    for at in places.iter().rev() {
        args.remove(*at);
    }
    // It never says why there is no link.
    if !forced && name != "readlink" {
        let colon = if what.is_empty() { "" } else { ": " };
        places.iter().for_each(|_| eprintln!("{name}: {what}{colon}No such file or directory"));
    }
    let operands = args.iter().skip(1).filter(|word| !is_option(word)).count();
    let left = match name {
        // One file alone goes nowhere.
        "cp" | "mv" if !names_folder(args) => operands > 1,
        // Its files come first; without one it takes the working folder.
        "find" => args.get(1).is_some_and(|word| !is_option(word) && word != "(" && word != "!"),
        // The first of its words is the mode.
        "chmod" => operands > 1,
        _ => operands > 0,
    };
    if left { Nameless::Some(status) } else { Nameless::Only(status) }
}

/// Whether what stands behind a word is its value.
fn takes_value(name: &str, word: &str) -> bool {
    const LONG: [&str; 9] = [
        "--date",
        "--exclude",
        "--format",
        "--mode",
        "--reference",
        "--size",
        "--suffix",
        "--target-directory",
        "--time",
    ];
    let letters = match name {
        "chmod" | "readlink" | "realpath" | "rm" | "rmdir" => "",
        "cp" | "mv" => "tS",
        "dir" | "ls" | "vdir" => "ITw",
        "du" => "BdtX",
        "install" => "gmoSt",
        "mkdir" => "m",
        "shred" => "ns",
        "stat" => "c",
        "touch" => "drt",
        "truncate" => "rs",
        // Of these any may.
        _ => return word.starts_with('-') && word != "--",
    };
    match word.strip_prefix('-') {
        Some(long) if long.starts_with('-') => LONG.contains(&word),
        Some(short) => short.ends_with(|last| letters.contains(last)),
        None => false,
    }
}

/// Whether the folder that files go to stands behind an option.
fn names_folder(args: &[OsString]) -> bool {
    let words = args.iter().take_while(|word| *word != "--").map(|word| word.to_string_lossy());
    words.into_iter().any(|word| word.starts_with("-t") || word.starts_with("--t"))
}

/// What a program says that shall put files where nothing is named. None if what is nameless is one of the files.
fn nowhere(name: &str, args: &[OsString], places: &[usize]) -> Option<String> {
    let last = args.len() - 1;
    if !matches!(name, "cp" | "mv") || places.last() != Some(&last) || names_folder(args) {
        return None;
    }
    let words = args[1..last].iter().map(|word| word.to_string_lossy());
    let files: Vec<String> = words.filter(|word| !word.starts_with('-')).map(|word| word.into_owned()).collect();
    match (&files[..], name) {
        ([], _) => None,
        ([file], "mv") => Some(format!("cannot move '{file}' to ''")),
        ([_], _) => Some("cannot create regular file ''".to_owned()),
        _ => Some("target ''".to_owned()),
    }
}

/// Takes out of `rm`'s words what names a folder by where one stands: it is refused, also where the folder above is none that
/// was granted, and so seems not to be there.
pub fn without_dots(name: &str, args: &mut Vec<OsString>) -> Nameless {
    let end = args.iter().position(|word| word == "--").unwrap_or(args.len());
    let options = args[..end].iter().skip(1).map(|word| word.to_string_lossy());
    let recursive = options.into_iter().any(|word| match word.strip_prefix("--") {
        Some(long) => long.starts_with("rec"),
        None => word.starts_with('-') && word.contains(['r', 'R']),
    });
    if name != "rm" || !recursive {
        return Nameless::None;
    }
    let is_dots = |at: usize, word: &OsString| {
        let word = word.to_string_lossy();
        let last = word.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        at > 0 && matches!(last, "." | "..") && (at > end || !word.starts_with('-'))
    };
    let refused: Vec<usize> = (0..args.len()).filter(|at| is_dots(*at, &args[*at])).collect();
    for at in &refused {
        let shown = args[*at].to_string_lossy();
        eprintln!("rm: refusing to remove '.' or '..' directory: skipping '{shown}'");
    }
    for at in refused.iter().rev() {
        args.remove(*at);
    }
    let left = args.iter().skip(1).any(|word| word != "--" && !word.as_encoded_bytes().starts_with(b"-"));
    match (refused.is_empty(), left) {
        (true, _) => Nameless::None,
        (false, true) => Nameless::Some(1),
        (false, false) => Nameless::Only(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(words: &str) -> (Nameless, Vec<String>) {
        let mut args: Vec<OsString> = words.split(' ').map(|word| if word == "_" { "" } else { word }.into()).collect();
        let name = args[0].to_string_lossy().into_owned();
        let found = without_nameless(&name, &mut args);
        (found, args.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn what_names_nothing_is_never_taken_for_the_working_folder() {
        assert_eq!(left("rm -rf _"), (Nameless::Only(0), vec!["-rf".to_owned()]));
        assert_eq!(left("rm -r _ a"), (Nameless::Some(1), vec!["-r".to_owned(), "a".to_owned()]));
        assert_eq!(left("rm _"), (Nameless::Only(1), vec![]));
        assert_eq!(left("ls _"), (Nameless::Only(2), vec![]));
        assert_eq!(left("readlink -f _").0, Nameless::Only(1), "told behind an option that takes no value");
        assert_eq!(left("find _ -type f").0, Nameless::Only(1));
        assert_eq!(left("find a _ -type f").0, Nameless::Some(1));
        assert_eq!(left("touch -d _ a").0, Nameless::None, "a value");
        assert_eq!(left("echo _").0, Nameless::None);
        assert_eq!(left("mv _ a").0, Nameless::Only(1), "one file alone goes nowhere");
        assert_eq!(left("cp -r _ a b"), (Nameless::Some(1), ["-r", "a", "b"].map(str::to_owned).to_vec()));
        assert_eq!(left("cp a _").0, Nameless::Only(1));
        assert_eq!(left("ls -la _").0, Nameless::Only(2));
        assert_eq!(left("chmod -R 755 _").0, Nameless::Only(1));
    }

    #[test]
    fn what_stands_above_is_not_removed() {
        let left = |words: &str| {
            let mut args: Vec<OsString> = words.split(' ').map(Into::into).collect();
            let name = args[0].to_string_lossy().into_owned();
            (without_dots(&name, &mut args), args.len() - 1)
        };
        assert_eq!(left("rm -rf .."), (Nameless::Only(1), 1));
        assert_eq!(left("rm -fR ../. a"), (Nameless::Some(1), 2));
        assert_eq!(left("rm --recursive /workspace/../"), (Nameless::Only(1), 1));
        assert_eq!(left("rm -rf -- .."), (Nameless::Only(1), 2));
        assert_eq!(left("rm -r ..a a.. ../b").0, Nameless::None);
        assert_eq!(left("rm ..").0, Nameless::None);
        assert_eq!(left("ls -R ..").0, Nameless::None);
    }
}
