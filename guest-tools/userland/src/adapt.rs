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
/// here, as `-`; a start below 0 for `nl`; `-t=` in two, as the sign would be taken for a part of the option; and
/// a date, where it is understood, as seconds.
#[must_use]
pub fn arguments(name: &str, args: Vec<OsString>) -> Vec<OsString> {
    let mut adapted: Vec<OsString> = Vec::with_capacity(args.len());
    let mut options = true;
    for arg in args {
        options = options && arg != "--";
        if options && let Some(split) = separated(name, &arg) {
            adapted.extend(split);
            continue;
        }
        let is_date = options && adapted.last().is_some_and(|before| before == "-d" || before == "--date");
        if matches!(name, "date" | "touch")
            && (is_date || options)
            && let Some(date) = dated(&arg, is_date)
        {
            adapted.push(date);
            continue;
        }
        let is_start = name == "nl" && options && adapted.last().is_some_and(|before| before == "-v");
        if READ_DASH.contains(&name) && arg == "/dev/stdin" {
            adapted.push("-".into());
        } else if is_start {
            let _ = adapted.pop();
            adapted.push(format!("--starting-line-number={}", arg.to_string_lossy()).into());
        } else {
            adapted.push(arg);
        }
    }
    if name == "ln" && links_absolutely(&adapted) {
        adapted.insert(1, "--relative".into());
    }
    adapted
}

/// Whether symbolic links are asked for to absolute paths, in the granted folder that they lie in: the host makes none but
/// relative ones, which lead to the same.
fn links_absolutely(args: &[OsString]) -> bool {
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let options: Vec<&String> = words.iter().filter(|word| word.starts_with('-')).collect();
    let letter = |letter| options.iter().any(|option| !option.starts_with("--") && option.contains(letter));
    let symbolic = letter('s') || options.iter().any(|option| *option == "--symbolic");
    let otherwise = letter('r') || letter('t') || letter('S') || options.iter().any(|option| option.contains("rela"));
    let paths: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let (targets, to) = match paths.split_last() {
        Some((to, targets)) if !targets.is_empty() => (targets, (*to).clone()),
        Some((only, _)) => (std::slice::from_ref(only), ".".to_owned()),
        None => return false,
    };
    let here = std::env::current_dir().unwrap_or_default().join(to);
    let top = |path: &std::path::Path| path.components().nth(1).map(|part| part.as_os_str().to_owned());
    let into = top(&here);
    let same = |target: &&String| target.starts_with('/') && top(std::path::Path::new(target)) == into;
    symbolic && !otherwise && targets.iter().all(same)
}

/// An option whose value begins with an equals sign, as two arguments.
fn separated(name: &str, arg: &OsString) -> Option<[OsString; 2]> {
    let letters = match name {
        "join" | "sort" | "split" => "t",
        "numfmt" | "cut" => "d",
        "seq" | "nl" => "s",
        _ => return None,
    };
    let text = arg.to_str()?.strip_prefix('-')?;
    let (letter, value) = text.split_at_checked(1)?;
    (letters.contains(letter) && value.starts_with('=')).then(|| [format!("-{letter}").into(), value.into()])
}

/// A date in the way that every program understands. `alone`: it is the whole argument.
fn dated(arg: &OsString, alone: bool) -> Option<OsString> {
    let zone = std::env::var("TZ").unwrap_or_default();
    if !matches!(zone.as_str(), "" | "UTC" | "UTC0" | "GMT" | "Etc/UTC") {
        return None;
    }
    let text = arg.to_str()?;
    let (option, date) = match (alone, text.strip_prefix("--date="), text.strip_prefix("-d")) {
        (true, ..) => ("", text),
        (_, Some(date), _) => ("--date=", date),
        (_, _, Some(date)) if !date.is_empty() => ("-d", date),
        _ => return None,
    };
    let moment = crate::when::parse(date, crate::about::Moment::now())?;
    Some(format!("{option}@{}.{:09}", moment.seconds, moment.nanos).into())
}

/// The operands of a program that makes files, which are not there yet: those it makes get the mask of new
/// files, as the system knows the usual one alone.
#[must_use]
pub fn missing(name: &str, args: &[OsString]) -> Vec<String> {
    if !matches!(name, "touch" | "truncate") {
        return Vec::new();
    }
    let operands = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    operands.filter(|path| std::fs::symlink_metadata(path).is_err()).collect()
}

/// A file that is moved: what it was called, what it is called, and its bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    from: String,
    to: String,
    mode: u32,
}

/// The files that `mv` moves: between two folders that were granted apart they are copied, and would lose their bits.
#[must_use]
pub fn moved(name: &str, args: &[OsString]) -> Vec<Moved> {
    if name != "mv" {
        return Vec::new();
    }
    let words: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let files: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    // With options that name the folder otherwise, nothing is known.
    let Some((to, from)) = files.split_last() else { return Vec::new() };
    if words.iter().any(|word| word.starts_with("-t") || word.starts_with("--target-directory")) {
        return Vec::new();
    }
    let folder = std::fs::metadata(to).is_ok_and(|about| about.is_dir());
    let place = |path: &str| {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        if folder { format!("{}/{name}", to.trim_end_matches('/')) } else { (*to).clone() }
    };
    let files = from.iter().filter_map(|path| Some((path, crate::about::About::of_link(path).ok()?)));
    let files = files.filter(|(_, about)| about.is_file());
    files.map(|(from, about)| Moved { from: (*from).clone(), to: place(from), mode: about.mode }).collect()
}

/// Gives files their bits again, where they were moved.
pub fn keep(moved: &[Moved]) {
    let there = |path: &str| crate::about::About::of_link(path).ok();
    for Moved { to, mode, .. } in moved.iter().filter(|moved| there(&moved.from).is_none()) {
        if there(to).is_some_and(|about| about.is_file() && about.mode != *mode) {
            // It was moved, and has other bits at worst.
            let _ = crate::about::set_mode(to, *mode);
        }
    }
}

/// Takes from files that were made what the mask of new files takes.
pub fn mask(made: &[String]) {
    for path in made.iter().filter(|path| std::fs::symlink_metadata(path).is_ok()) {
        crate::about::masked(path);
    }
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
    fn a_separator_may_be_an_equals_sign() {
        assert_eq!(adapted("join -t= a b"), "join -t = a b");
        assert_eq!(adapted("sort -t=x -k2"), "sort -t =x -k2");
        assert_eq!(adapted("join -- -t= b"), "join -- -t= b");
    }

    #[test]
    fn a_date_is_given_in_seconds() {
        assert_eq!(adapted("date -u -d 1970-01-02 +%F"), "date -u -d @86400.000000000 +%F");
        assert_eq!(adapted("date --date=1970-01-02"), "date --date=@86400.000000000");
        assert_eq!(adapted("date -d nonsense"), "date -d nonsense");
    }

    #[test]
    fn an_absolute_link_is_made_a_relative_one() {
        let here = std::env::current_dir().unwrap().display().to_string();
        assert_eq!(adapted(&format!("ln -sfn {here}/a l")), format!("ln --relative -sfn {here}/a l"));
        assert_eq!(adapted(&format!("ln -s {here}/a")), format!("ln --relative -s {here}/a"));
        for line in ["ln -s a l", "ln /x/a l", "ln -s /elsewhere/a l", "ln -s a /b/l"] {
            assert_eq!(adapted(line), line);
        }
    }

    #[test]
    fn nl_starts_below_zero() {
        assert_eq!(adapted("nl -v -1 a"), "nl --starting-line-number=-1 a");
    }
}
