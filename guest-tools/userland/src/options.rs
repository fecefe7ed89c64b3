//! Reads command lines as GNU's `getopt_long` does.

use std::ffi::OsString;

/// What options a program has.
pub(crate) struct Known {
    /// Its letters; one with a colon behind it takes a value, two colons take one only
    /// right behind the letter.
    pub(crate) letters: &'static str,
    /// Its long names; `name=` takes a value, `name?` may. With the letter each stands for, or
    /// a letter of its own.
    pub(crate) names: &'static [(&'static str, char)],
    /// Whether options end at the first operand.
    pub(crate) ends_at_operand: bool,
}

/// What a command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Options in their order, by letter, with their values.
    pub(crate) options: Vec<(char, String)>,
    pub(crate) operands: Vec<String>,
    /// For each option, how many operands stand before it.
    pub(crate) before: Vec<usize>,
}

impl Given {
    pub(crate) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(given, _)| *given == letter)
    }

    /// The value that was given last.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(given, _)| *given == letter).map(|(_, value)| value.as_str())
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(given, _)| *given == letter).map(|(_, value)| value.as_str())
    }
}

/// Reads a command line; its first argument is the program's name. What is wrong in words. Where `--help` or `--version` is
/// asked for, and the program has no answer of its own, the process prints what it knows and ends well.
pub(crate) fn read(args: &[OsString], known: &Known) -> Result<Given, String> {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut given = Given::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        given.before.resize(given.options.len(), given.operands.len());
        if arg == "--" {
            given.operands.extend(args.by_ref());
        } else if let Some(long) = arg.strip_prefix("--") {
            answer(name, long, known);
            long_option(long, known, &mut args, &mut given)?;
        } else if arg.len() > 1 && arg.starts_with('-') {
            letters(&arg[1..], known, &mut args, &mut given)?;
        } else {
            given.operands.push(arg);
            if known.ends_at_operand {
                given.operands.extend(args.by_ref());
            }
        }
    }
    given.before.resize(given.options.len(), given.operands.len());
    Ok(given)
}

/// Answers what every program is asked, and ends.
fn answer(name: &str, asked: &str, known: &Known) {
    let itself = known.names.iter().any(|(entry, _)| *entry == asked);
    let printed = match asked {
        "help" if !itself => crate::print(help(name, known).as_bytes()),
        "version" if !itself => crate::help::version(name),
        _ => return,
    };
    std::process::exit(i32::from(crate::output::finish(name, u8::from(!printed))));
}

/// What a program knows, in the manner of `--help`.
fn help(name: &str, known: &Known) -> String {
    let mut text =
        format!("Usage: {name} [OPTION]... [OPERAND]...\nOptions, which mean what they mean in the GNU program:\n");
    let mut letters: Vec<char> = known.letters.chars().filter(|letter| *letter != ':').collect();
    for (entry, letter) in known.names {
        let long = match entry.strip_suffix('=') {
            Some(long) => format!("--{long}=VALUE"),
            None => entry.strip_suffix('?').map_or(format!("--{entry}"), |long| format!("--{long}[=VALUE]")),
        };
        // Of names of the same meaning the first stands with the letter.
        let short = letters.iter().position(|known| known == letter).map(|at| letters.remove(at));
        text += &short.map_or(format!("      {long}\n"), |letter| format!("  -{letter}, {long}\n"));
    }
    for letter in letters {
        let takes = known.letters.contains(&format!("{letter}:"));
        text += &format!("  -{letter}{}\n", if takes { " VALUE" } else { "" });
    }
    text
}

fn letters(
    cluster: &str,
    known: &Known,
    args: &mut impl Iterator<Item = String>,
    given: &mut Given,
) -> Result<(), String> {
    for (at, letter) in cluster.char_indices() {
        let rest = &cluster[at + letter.len_utf8()..];
        let known_at = known.letters.find(letter).filter(|_| letter != ':');
        let Some(known_at) = known_at else {
            return Err(format!("invalid option -- '{letter}'"));
        };
        let behind = &known.letters[known_at + letter.len_utf8()..];
        if behind.starts_with("::") {
            given.options.push((letter, rest.to_owned()));
            return Ok(());
        }
        if behind.starts_with(':') {
            let value = if rest.is_empty() { args.next() } else { Some(rest.to_owned()) };
            let value = value.ok_or_else(|| format!("option requires an argument -- '{letter}'"))?;
            given.options.push((letter, value));
            return Ok(());
        }
        given.options.push((letter, String::new()));
    }
    Ok(())
}

fn long_option(
    long: &str,
    known: &Known,
    args: &mut impl Iterator<Item = String>,
    given: &mut Given,
) -> Result<(), String> {
    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
    let plain = |entry: &str| entry.trim_end_matches(['=', '?']).to_owned();
    let exact = known.names.iter().find(|(entry, _)| plain(entry) == name);
    let mut starting = known.names.iter().filter(|(entry, _)| entry.starts_with(name));
    // A beginning is enough where it fits one alone.
    let found = exact.or_else(|| starting.next().filter(|_| starting.next().is_none()));
    let Some((entry, letter)) = found else {
        return Err(format!("unrecognized option '--{name}'"));
    };
    let value = match value {
        Some(_) if !entry.ends_with(['=', '?']) => {
            return Err(format!("option '--{}' doesn't allow an argument", plain(entry)));
        }
        None if entry.ends_with('=') => {
            Some(args.next().ok_or_else(|| format!("option '--{}' requires an argument", plain(entry)))?)
        }
        value => value,
    };
    given.options.push((*letter, value.unwrap_or_default()));
    Ok(())
}
