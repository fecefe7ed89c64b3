//! `awk`: POSIX's, with what of GNU's is used every day.

mod arrays;
mod builtins;
mod expressions;
mod fields;
mod format;
mod input;
mod interpret;
mod output;
mod parse;
mod statements;
mod syntax;
mod text;
mod tokens;
mod value;

use crate::pattern::{Kind, translate};
use crate::report;
use interpret::{Halt, Interpreter};
use regex::bytes::{Regex, RegexBuilder};
use std::ffi::OsString;

/// What is wrong with a program, or went wrong as it ran.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

const USAGE: &str = "usage: awk [-F fs] [-v var=value] [-f file | 'program'] [file ...]";

#[derive(Default)]
struct Options {
    separator: Option<Vec<u8>>,
    variables: Vec<String>,
    program: Option<Vec<u8>>,
    rest: Vec<String>,
}

/// Runs `awk`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let outcome = options(&args).and_then(|options| execute(&options));
    match outcome {
        Ok(status) => status,
        Err(Problem(text)) => {
            report("awk", &text);
            2
        }
    }
}

fn options(args: &[String]) -> Result<Options, Problem> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = |given: &str| {
            let given = (!given.is_empty()).then(|| given.to_owned());
            given
                .or_else(|| args.next().cloned())
                .ok_or_else(|| Problem(format!("option {arg} needs a value\n{USAGE}")))
        };
        if let Some(separator) = arg.strip_prefix("-F") {
            options.separator = Some(separator_text(&value(separator)?));
        } else if let Some(variable) = arg.strip_prefix("-v") {
            options.variables.push(value(variable)?);
        } else if let Some(file) = arg.strip_prefix("-f") {
            let file = value(file)?;
            let text = crate::read(&file).map_err(|error| Problem(format!("can't open file {file}: {error}")))?;
            let program = options.program.get_or_insert_default();
            program.extend(text);
            program.push(b'\n');
        } else if arg == "--" {
            options.rest.extend(args.by_ref().cloned());
        } else if arg == "--version" || arg == "-W" {
            crate::help::version("awk");
            options.program = Some(b"BEGIN { exit }".to_vec());
        } else if arg.starts_with("--") || arg == "-e" {
            return Err(Problem(format!("unknown option {arg}\n{USAGE}")));
        } else {
            options.rest.push(arg.clone());
            options.rest.extend(args.by_ref().cloned());
        }
    }
    if options.program.is_none() {
        if options.rest.is_empty() {
            return Err(Problem(USAGE.to_owned()));
        }
        options.program = Some(options.rest.remove(0).into_bytes());
    }
    Ok(options)
}

fn separator_text(given: &str) -> Vec<u8> {
    // A lone t has meant a tab since the first awk.
    if given == "t" { b"\t".to_vec() } else { tokens::unescape(given.as_bytes()) }
}

fn execute(options: &Options) -> Result<u8, Problem> {
    let program = parse::parse(options.program.as_deref().unwrap_or_default())?;
    let mut interpreter = Interpreter::new(&program, &options.rest);
    if let Some(separator) = &options.separator {
        interpreter.set_separator(separator);
    }
    for variable in &options.variables {
        if !interpreter.assign_text(variable) {
            return Err(Problem(format!("{variable} is no assignment")));
        }
    }
    let outcome = interpreter.run();
    let closed = interpreter.close_all();
    match outcome {
        Err(Halt::Problem(problem)) => Err(problem),
        _ if !closed => Ok(2),
        _ => Ok(interpreter.status()),
    }
}

/// Compiles a regular expression of awk.
fn regex(pattern: &[u8], ignore_case: bool) -> Result<Regex, Problem> {
    let text = String::from_utf8_lossy(pattern);
    let translated = translate(&text, Kind::Awk).map_err(|problem| Problem(format!("{problem}: /{text}/")))?;
    let built = RegexBuilder::new(&translated.text)
        .dot_matches_new_line(true)
        .case_insensitive(ignore_case)
        .size_limit(64 << 20)
        .build();
    built.map_err(|_| Problem(format!("bad regular expression /{text}/")))
}
