//! What was typed, option by option.

use crate::failure::code;
use crate::flags::{self, Flag, Kind};
use std::time::Duration;

/// How many redirects are followed unless `--max-redirs` says otherwise.
const REDIRECTS_MAX: i64 = 10;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Help,
    Version,
    /// Each with its URLs: what stands between `--next`.
    Transfers(Vec<Options>),
}

/// A command line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) code: u8,
    /// What stands behind `curl: `.
    pub(crate) text: String,
}

impl Usage {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { code: code::USAGE, text: text.into() }
    }
}

/// What is done with an answer of 400 or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fail {
    /// It is an answer like others.
    #[default]
    Never,
    /// It is not shown.
    WithoutBody,
    WithBody,
}

/// Where a body goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    File(String),
    /// The last part of the URL's path.
    RemoteName,
}

/// A piece of what is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) kind: DataKind,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataKind {
    /// `-d`: files lose their line ends.
    Ascii,
    Binary,
    /// `@` means nothing.
    Raw,
    UrlEncoded,
    Json,
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    /// `--form-string`: neither `@`, `<` nor `;type=` means anything.
    pub(crate) literal: bool,
}

/// Where a download goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    At(u64),
    /// `-C -`: where the file ends.
    File,
}

/// The options of a group of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) urls: Vec<String>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) uploads: Vec<String>,
    pub(crate) silent: bool,
    pub(crate) show_error: bool,
    pub(crate) verbose: bool,
    pub(crate) fail: Fail,
    pub(crate) fail_early: bool,
    pub(crate) location: bool,
    pub(crate) location_trusted: bool,
    /// Below 0 for as many as there are.
    pub(crate) redirects_max: i64,
    /// Which of 301, 302 and 303 leave a POST one.
    pub(crate) keep_post: Vec<u16>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) data: Vec<Data>,
    pub(crate) form: Vec<Field>,
    pub(crate) get: bool,
    pub(crate) head: bool,
    pub(crate) include: bool,
    pub(crate) dump_header: Option<String>,
    pub(crate) write_out: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) bearer: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) referer: Option<String>,
    pub(crate) cookies: Vec<String>,
    pub(crate) cookie_jar: Option<String>,
    pub(crate) junk_session_cookies: bool,
    pub(crate) url_query: Vec<String>,
    pub(crate) range: Option<String>,
    pub(crate) resume: Option<Resume>,
    pub(crate) globoff: bool,
    pub(crate) create_dirs: bool,
    pub(crate) output_dir: Option<String>,
    pub(crate) remote_name_all: bool,
    pub(crate) header_name: bool,
    pub(crate) no_clobber: bool,
    pub(crate) skip_existing: bool,
    pub(crate) remove_on_error: bool,
    pub(crate) max_time: Option<Duration>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) file_bytes_max: Option<u64>,
    pub(crate) retries: u32,
    pub(crate) retry_delay: Option<Duration>,
    pub(crate) retry_time_max: Option<Duration>,
    pub(crate) retry_refused: bool,
    pub(crate) retry_all: bool,
    pub(crate) protocols: Option<String>,
    pub(crate) redirect_protocols: Option<String>,
    /// What the user is told about options that do not count here.
    pub(crate) notes: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            outputs: Vec::new(),
            uploads: Vec::new(),
            silent: false,
            show_error: false,
            verbose: false,
            fail: Fail::Never,
            fail_early: false,
            location: false,
            location_trusted: false,
            redirects_max: REDIRECTS_MAX,
            keep_post: Vec::new(),
            method: None,
            headers: Vec::new(),
            data: Vec::new(),
            form: Vec::new(),
            get: false,
            head: false,
            include: false,
            dump_header: None,
            write_out: None,
            user: None,
            bearer: None,
            agent: None,
            referer: None,
            cookies: Vec::new(),
            cookie_jar: None,
            junk_session_cookies: false,
            url_query: Vec::new(),
            range: None,
            resume: None,
            globoff: false,
            create_dirs: false,
            output_dir: None,
            remote_name_all: false,
            header_name: false,
            no_clobber: false,
            skip_existing: false,
            remove_on_error: false,
            max_time: None,
            connect_timeout: None,
            file_bytes_max: None,
            retries: 0,
            retry_delay: None,
            retry_time_max: None,
            retry_refused: false,
            retry_all: false,
            protocols: None,
            redirect_protocols: None,
            notes: Vec::new(),
        }
    }
}

/// Reads a command line, without the name of the program.
pub(crate) fn parse(args: &[String]) -> Result<Asked, Usage> {
    let mut reading = Reading { rest: args.iter(), groups: Vec::new(), now: Options::default() };
    while let Some(arg) = reading.rest.next() {
        if arg == "--" {
            reading.now.urls.extend(reading.rest.by_ref().cloned());
        } else if let Some(name) = arg.strip_prefix("--") {
            if let Some(asked) = reading.long(name)? {
                return Ok(asked);
            }
        } else if let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            if let Some(asked) = reading.short(letters)? {
                return Ok(asked);
            }
        } else {
            reading.now.urls.push(arg.clone());
        }
    }
    reading.groups.push(reading.now);
    if reading.groups.iter().any(|group| group.urls.is_empty()) {
        return Err(Usage::new("(2) no URL specified"));
    }
    for group in &reading.groups {
        check(group)?;
    }
    Ok(Asked::Transfers(reading.groups))
}

/// What cannot be asked for together.
fn check(options: &Options) -> Result<(), Usage> {
    let ways = [
        !options.data.is_empty() && !options.get,
        !options.form.is_empty(),
        !options.uploads.is_empty(),
        options.head && !options.get,
    ];
    if ways.into_iter().filter(|&way| way).count() > 1 {
        return Err(Usage::new(
            "(2) only one of -d (POST), -F (multipart POST), -T (PUT) and -I (HEAD) can be asked for at once; \
             another method is -X's",
        ));
    }
    if options.resume.is_some() && options.range.is_some() {
        return Err(Usage::new("(2) --continue-at and --range exclude each other"));
    }
    Ok(())
}

struct Reading<'a> {
    rest: std::slice::Iter<'a, String>,
    groups: Vec<Options>,
    now: Options,
}

impl Reading<'_> {
    fn long(&mut self, name: &str) -> Result<Option<Asked>, Usage> {
        let negated = name.strip_prefix("no-").and_then(flags::long).filter(|flag| !flag.takes_value());
        let (flag, on) = match (flags::long(name), negated) {
            (Some(flag), _) => (flag, true),
            (None, Some(flag)) => (flag, false),
            (None, None) => return Err(Usage::new(format!("option --{name}: is unknown"))),
        };
        let value = if flag.takes_value() { Some(self.value_of(&format!("--{name}"))?) } else { None };
        self.set(flag, on, value.as_deref())
    }

    fn short(&mut self, letters: &str) -> Result<Option<Asked>, Usage> {
        for (at, letter) in letters.char_indices() {
            let Some(flag) = flags::short(letter) else {
                return Err(Usage::new(format!("option -{letters}: is unknown")));
            };
            if flag.takes_value() {
                let attached = &letters[at + letter.len_utf8()..];
                let value =
                    if attached.is_empty() { self.value_of(&format!("-{letter}"))? } else { attached.to_owned() };
                return self.set(flag, true, Some(&value));
            }
            if let Some(asked) = self.set(flag, true, None)? {
                return Ok(Some(asked));
            }
        }
        Ok(None)
    }

    fn value_of(&mut self, option: &str) -> Result<String, Usage> {
        let value = self.rest.next().cloned();
        value.ok_or_else(|| Usage::new(format!("option {option}: requires parameter")))
    }

    fn set(&mut self, flag: Flag, on: bool, value: Option<&str>) -> Result<Option<Asked>, Usage> {
        let value = value.unwrap_or_default();
        match (flag.kind, flag.long) {
            (Kind::Switch, "help" | "manual") => return Ok(Some(Asked::Help)),
            (Kind::Switch, "version") => return Ok(Some(Asked::Version)),
            (Kind::Switch, "next") => {
                // What is said about the whole command goes on.
                let kept = Options {
                    silent: self.now.silent,
                    show_error: self.now.show_error,
                    verbose: self.now.verbose,
                    fail_early: self.now.fail_early,
                    ..Options::default()
                };
                self.groups.push(std::mem::replace(&mut self.now, kept));
            }
            // Only what is asked of `-h` may follow it.
            (Kind::Switch, name) => {
                self.now.switch(name, on);
            }
            (Kind::Value, name) => self.now.value(name, value)?,
            (Kind::NothingSwitch | Kind::NothingValue, _) => {}
            (Kind::Unheeded, name) => {
                self.now.notes.push(format!("--{name} does not count here: the host makes the connection"));
            }
            (Kind::Refused, name) => {
                return Err(Usage::new(format!("option --{name}: is not supported in this sandbox")));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(args: &[&str]) -> Options {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        match parse(&args) {
            Ok(Asked::Transfers(mut groups)) => groups.remove(0),
            other => panic!("{args:?}: {other:?}"),
        }
    }

    fn refused(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let usage = parse(&args).unwrap_err();
        assert_eq!(usage.code, 2, "{args:?}");
        usage.text
    }

    #[test]
    fn letters_stand_together_and_the_last_may_take_a_value() {
        let one = group(&["-sSLofile", "-XPUT", "-d@in", "a.test"]);
        assert!(one.silent && one.show_error && one.location);
        assert_eq!(one.outputs, [Output::File("file".into())]);
        assert_eq!(one.method.as_deref(), Some("PUT"));
        assert_eq!(one.data, [Data { kind: DataKind::Ascii, text: "@in".into() }]);
        assert_eq!(group(&["-fsSLo", "file", "a.test"]).outputs, one.outputs);
        assert_eq!(group(&["-H", "A: -x", "-o", "-", "a.test"]).headers, ["A: -x"]);
    }

    #[test]
    fn long_names_are_whole_and_take_the_next_argument() {
        let one =
            group(&["--max-time", "1.5", "--url", "a.test", "--no-silent", "--no-progress-meter", "--", "-b.test"]);
        assert_eq!(one.max_time, Some(Duration::from_millis(1500)));
        assert_eq!(one.urls, ["a.test", "-b.test"]);
        assert!(!one.silent);
        assert_eq!(refused(&["--max-time=1", "a.test"]), "option --max-time=1: is unknown");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (args, part) in [
            (&[][..], "no URL specified"),
            (&["--nothing", "a"], "option --nothing: is unknown"),
            (&["-s~", "a"], "option -s~: is unknown"),
            (&["a", "-o"], "option -o: requires parameter"),
            (&["-m", "soon", "a"], "proper numerical parameter"),
            (&["-m", "-1", "a"], "proper numerical parameter"),
            (&["-F", "a", "a"], "name=content"),
            (&["-d", "a", "-F", "a=b", "a"], "only one of"),
            (&["--unix-socket", "/s", "a"], "not supported in this sandbox"),
            (&["a", "--digest"], "option --digest: is not supported in this sandbox"),
            (&["a", "--next"], "no URL specified"),
        ] {
            let text = refused(args);
            assert!(text.contains(part), "{args:?}: {text}");
        }
    }

    #[test]
    fn what_the_host_decides_is_passed_over_or_said() {
        let args = ["-k", "--compressed", "--http1.1", "-4", "--cacert", "f", "-N", "-q", "-#", "--tlsv1.2", "a.test"];
        assert_eq!(group(&args), Options { urls: vec!["a.test".into()], ..Options::default() });
        assert_eq!(group(&["-x", "proxy:80", "a.test"]).notes.len(), 1);
    }

    #[test]
    fn headers_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        std::fs::write(&path, "A: 1\r\n\nB: 2\n").unwrap();
        let one = group(&["-H", &format!("@{}", path.display()), "-H", "C: 3", "a.test"]);
        assert_eq!(one.headers, ["A: 1", "B: 2", "C: 3"]);
        let missing = parse(&["-H".into(), "@/no/such/file".into(), "a.test".into()]).unwrap_err();
        assert_eq!(missing.code, 26);
    }

    #[test]
    fn the_next_group_begins_anew() {
        let args = ["-s", "-d", "x", "a.test", "-:", "b.test"].map(str::to_owned);
        let Ok(Asked::Transfers(groups)) = parse(&args) else { panic!("two groups") };
        assert_eq!(groups.len(), 2);
        assert!(groups[1].silent && groups[1].data.is_empty());
    }
}
