//! Operands that are an empty text. They name no file, but a path that is made absolute takes them for the working folder.

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
const PROGRAMS: [(&str, &str, u8); 19] = [
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
];

/// Takes operands that are empty out of a program's words, and complains as the program would. One behind an option may be
/// its value, and stays.
pub fn without_nameless(name: &str, args: &mut Vec<OsString>) -> Nameless {
    let Some((_, what, status)) = PROGRAMS.iter().find(|(program, ..)| *program == name) else { return Nameless::None };
    let is_option = |word: &OsString| word.as_encoded_bytes().starts_with(b"-");
    // What `rm` and `rmdir` are told behind an option is no value of it.
    let takes_values = !matches!(name, "rm" | "rmdir");
    let is_nameless = |at: usize, args: &[OsString]| {
        at > 0 && args[at].is_empty() && !(takes_values && at > 1 && is_option(&args[at - 1]) && args[at - 1] != "--")
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
    for at in places.iter().rev() {
        args.remove(*at);
    }
    if !forced {
        let colon = if what.is_empty() { "" } else { ": " };
        places.iter().for_each(|_| eprintln!("{name}: {what}{colon}No such file or directory"));
    }
    let left = match name {
        // Its files come first; without one it takes the working folder.
        "find" => args.get(1).is_some_and(|word| !is_option(word) && word != "(" && word != "!"),
        _ => args.iter().skip(1).any(|word| !is_option(word)),
    };
    if left { Nameless::Some(status) } else { Nameless::Only(status) }
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
        assert_eq!(left("find _ -type f").0, Nameless::Only(1));
        assert_eq!(left("find a _ -type f").0, Nameless::Some(1));
        assert_eq!(left("touch -d _ a").0, Nameless::None, "a value");
        assert_eq!(left("echo _").0, Nameless::None);
    }
}
