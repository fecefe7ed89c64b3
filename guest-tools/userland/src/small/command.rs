//! Programs that help scripts: `getopt` and `flock`.

use super::starters::started;
use crate::options::{Known, read};
use crate::report;
use std::ffi::OsString;

/// Puts a command line into order, so that a script can read it.
pub(super) fn getopt(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "ao:l:n:qQs:Tu+",
        names: &[
            ("alternative", 'a'),
            ("options=", 'o'),
            ("longoptions=", 'l'),
            ("name=", 'n'),
            ("quiet", 'q'),
            ("quiet-output", 'Q'),
            ("shell=", 's'),
            ("test", 'T'),
            ("unquoted", 'u'),
        ],
        ends_at_operand: true,
    };
    let mut given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("getopt", &problem);
            return 2;
        }
    };
    if given.has('T') {
        return 4;
    }
    // The old way: the letters first, and nothing quoted.
    let old = !given.has('o');
    let letters = match given.value('o') {
        Some(letters) => letters.to_owned(),
        None if given.operands.is_empty() => {
            report("getopt", "missing optstring argument");
            return 2;
        }
        None => given.operands.remove(0),
    };
    if old && given.operands.first().is_some_and(|first| first == "--") {
        given.operands.remove(0);
    }
    let names: Vec<&str> =
        given.values('l').flat_map(|names| names.split([',', ' '])).filter(|name| !name.is_empty()).collect();
    let program = given.value('n').unwrap_or("getopt").to_owned();
    let stops = letters.starts_with('+') || std::env::var_os("POSIXLY_CORRECT").is_some();
    let asked = Asked { letters: letters.trim_start_matches(['+', '-', ':']), names, stops };
    let (options, operands, problems) = asked.sort(&given.operands);
    if !given.has('q') {
        problems.iter().for_each(|problem| report(&program, problem));
    }
    let quote = |text: &String| {
        if old || given.has('u') { text.clone() } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    let mut out = String::new();
    for (option, value) in &options {
        out.push_str(&format!(" {option}"));
        if let Some(value) = value {
            out.push_str(&format!(" {}", quote(value)));
        }
    }
    out.push_str(" --");
    operands.iter().for_each(|operand| out.push_str(&format!(" {}", quote(operand))));
    if !given.has('Q') {
        crate::print(format!("{out}\n").as_bytes());
    }
    u8::from(!problems.is_empty())
}

struct Asked<'a> {
    letters: &'a str,
    names: Vec<&'a str>,
    /// Whether the first operand ends the options.
    stops: bool,
}

/// An option as it is said again, with its value.
type Option_ = (String, Option<String>);

impl Asked<'_> {
    /// Options, operands, and what is wrong.
    fn sort(&self, words: &[String]) -> (Vec<Option_>, Vec<String>, Vec<String>) {
        let (mut options, mut operands, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                operands.extend(words.by_ref().cloned());
            } else if let Some(long) = word.strip_prefix("--") {
                match self.long(long, &mut words) {
                    Ok(option) => options.push(option),
                    Err(problem) => problems.push(problem),
                }
            } else if word.len() > 1 && word.starts_with('-') {
                self.cluster(&word[1..], &mut words, &mut options, &mut problems);
            } else {
                operands.push(word.clone());
                if self.stops {
                    operands.extend(words.by_ref().cloned());
                }
            }
        }
        (options, operands, problems)
    }

    fn long<'w>(&self, long: &str, words: &mut impl Iterator<Item = &'w String>) -> Result<Option_, String> {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
        let plain = |known: &str| known.trim_end_matches(':').to_owned();
        let starting: Vec<&&str> = self.names.iter().filter(|known| known.starts_with(name)).collect();
        let exact = starting.iter().find(|known| plain(known) == name);
        let known = match (exact, starting.as_slice()) {
            (Some(known), _) => known,
            (None, [known]) => known,
            (None, []) => return Err(format!("unrecognized option '--{name}'")),
            (None, several) => {
                let names: String = several.iter().map(|known| format!(" '--{}'", plain(known))).collect();
                return Err(format!("option '--{name}' is ambiguous; possibilities:{names}"));
            }
        };
        let shown = format!("--{}", plain(known));
        let value = match (known.len() - plain(known).len(), value) {
            (0, Some(_)) => return Err(format!("option '{shown}' doesn't allow an argument")),
            (0, None) => None,
            (1, None) => {
                let value = words.next().cloned();
                Some(value.ok_or_else(|| format!("option '{shown}' requires an argument"))?)
            }
            (_, value) => Some(value.unwrap_or_default()),
        };
        Ok((shown, value))
    }

    fn cluster<'w>(
        &self,
        cluster: &str,
        words: &mut impl Iterator<Item = &'w String>,
        options: &mut Vec<Option_>,
        problems: &mut Vec<String>,
    ) {
        for (at, letter) in cluster.char_indices() {
            let rest = &cluster[at + letter.len_utf8()..];
            let Some(place) = self.letters.find(letter).filter(|_| letter != ':') else {
                problems.push(format!("invalid option -- '{letter}'"));
                continue;
            };
            let behind = &self.letters[place + letter.len_utf8()..];
            if !behind.starts_with(':') {
                options.push((format!("-{letter}"), None));
                continue;
            }
            let value = if behind.starts_with("::") || !rest.is_empty() {
                Some(rest.to_owned())
            } else {
                words.next().cloned()
            };
            match value {
                Some(value) => options.push((format!("-{letter}"), Some(value))),
                None => problems.push(format!("option requires an argument -- '{letter}'")),
            }
            return;
        }
    }
}

/// Runs a command. Who else could hold the lock is of the same call and waits for nobody, so that it is always free.
pub(super) fn flock(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "sexunw:E:oFc:",
        names: &[
            ("shared", 's'),
            ("exclusive", 'e'),
            ("unlock", 'u'),
            ("nonblock", 'n'),
            ("nb", 'n'),
            ("timeout=", 'w'),
            ("wait=", 'w'),
            ("conflict-exit-code=", 'E'),
            ("close", 'o'),
            ("no-fork", 'F'),
            ("command=", 'c'),
            ("verbose", '.'),
        ],
        ends_at_operand: true,
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => {
            report("flock", "not enough arguments");
            return 64;
        }
        Err(problem) => {
            report("flock", &problem);
            return 64;
        }
    };
    let (file, words) = (&given.operands[0], &given.operands[1..]);
    let command: Vec<OsString> = match words {
        [] if file.bytes().all(|byte| byte.is_ascii_digit()) => return 0,
        [] => {
            report("flock", "bad file descriptor");
            return 64;
        }
        [option, text] if option == "-c" || option == "--command" => ["sh", "-c", text].map(OsString::from).to_vec(),
        words => words.iter().map(OsString::from).collect(),
    };
    if std::fs::metadata(file).is_err()
        && let Err(error) = std::fs::File::create(file)
    {
        report("flock", &format!("cannot open lock file {file}: {}", crate::reason(&error)));
        return 66;
    }
    started("flock", &command, None)
}
