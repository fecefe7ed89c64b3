//! `jq`, over jaq.

use super::meaning;
use crate::{print, report};
use jaq_all::fmts::{Format, write};
use jaq_all::jaq_core::{Vars, unwrap_valr};
use jaq_all::json::{Num, Val};
use jaq_all::{data, json};
use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::rc::Rc;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Options {
    null_input: bool,
    raw_input: bool,
    slurp: bool,
    exit_status: bool,
    ascii: bool,
    raw: bool,
    join: bool,
    null_ends: bool,
    sorted: bool,
    indent: Option<usize>,
    tabs: bool,
    program: Option<String>,
    files: Vec<String>,
    names: Vec<String>,
    values: Vec<Val>,
    positional: Vec<Val>,
}

/// Runs `jq`; the first argument is its name.
pub(super) fn jq(args: &[OsString]) -> u8 {
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let options = match options(&args) {
        Ok(options) => options,
        Err(problem) => {
            report("jq", &problem);
            return 2;
        }
    };
    let Some(program) = &options.program else {
        report("jq", "usage: jq [OPTION]... FILTER [FILE]...");
        return 2;
    };
    if program == "--version" {
        print(b"jq-1.7.1 (jaq)\n");
        return 0;
    }
    execute(&options, program)
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    let (mut texts, mut jsons) = (false, false);
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("{arg} takes a value"));
        match arg.as_str() {
            "--arg" => options.set(value()?, Val::from(value()?)),
            "--argjson" => {
                let (name, text) = (value()?, value()?);
                let parsed = json::read::parse_single(text.as_bytes());
                options.set(name, parsed.map_err(|_| format!("Invalid JSON text passed to --argjson: {text}"))?);
            }
            "--slurpfile" | "--rawfile" => {
                let (name, path) = (value()?, value()?);
                let text = crate::read(&path).map_err(|reason| format!("Could not open {path}: {reason}"))?;
                let parsed = if arg == "--rawfile" {
                    Val::from(String::from_utf8_lossy(&text).into_owned())
                } else {
                    let values: Result<Vec<Val>, _> = json::read::parse_many(&text).collect();
                    values.map_err(|error| format!("{path}: {error}"))?.into_iter().collect()
                };
                options.set(name, parsed);
            }
            "--indent" => options.indent = value()?.parse().ok(),
            "--tab" => options.tabs = true,
            "-f" | "--from-file" => {
                let path = value()?;
                let text = crate::read(&path).map_err(|reason| format!("Could not open {path}: {reason}"))?;
                options.program = Some(String::from_utf8_lossy(&text).into_owned());
            }
            "--args" => (texts, jsons) = (true, false),
            "--jsonargs" => (texts, jsons) = (false, true),
            "--version" | "-V" => options.program = Some("--version".to_owned()),
            "-" => options.files.push("-".to_owned()),
            _ if arg.starts_with("--") => options.named(arg)?,
            _ if arg.starts_with('-') => arg[1..].chars().try_for_each(|letter| options.letter(letter))?,
            _ if options.program.is_none() => options.program = Some(arg.clone()),
            _ if texts => options.positional.push(Val::from(arg.clone())),
            _ if jsons => {
                let parsed = json::read::parse_single(arg.as_bytes());
                options.positional.push(parsed.map_err(|_| format!("Invalid JSON text passed to --jsonargs: {arg}"))?);
            }
            _ => options.files.push(arg.clone()),
        }
    }
    Ok(options)
}

impl Options {
    fn set(&mut self, name: String, value: Val) {
        self.names.push(name);
        self.values.push(value);
    }

    fn named(&mut self, name: &str) -> Result<(), String> {
        let letter = match name {
            "--null-input" => 'n',
            "--raw-input" => 'R',
            "--slurp" => 's',
            "--compact-output" => 'c',
            "--raw-output" => 'r',
            "--join-output" => 'j',
            "--ascii-output" => 'a',
            "--sort-keys" => 'S',
            "--exit-status" => 'e',
            "--color-output" => 'C',
            "--monochrome-output" => 'M',
            "--raw-output0" => '0',
            "--unbuffered" | "--stream" | "--seq" => 'M',
            _ => return Err(format!("Unknown arguments: {name}")),
        };
        self.letter(letter)
    }

    fn letter(&mut self, letter: char) -> Result<(), String> {
        match letter {
            'n' => self.null_input = true,
            'R' => self.raw_input = true,
            's' => self.slurp = true,
            'c' => self.indent = Some(0),
            'r' => self.raw = true,
            'j' => (self.raw, self.join) = (true, true),
            'a' => self.ascii = true,
            'S' => self.sorted = true,
            'e' => self.exit_status = true,
            '0' => (self.raw, self.join, self.null_ends) = (true, true, true),
            'C' | 'M' => {}
            _ => return Err(format!("Unknown arguments: -{letter}")),
        }
        Ok(())
    }

    fn runner(&self) -> data::Runner {
        let indent = match (self.tabs, self.indent) {
            (true, _) => Some("\t".to_owned()),
            (_, Some(0)) => None,
            (_, width) => Some(" ".repeat(width.unwrap_or(2))),
        };
        let pp =
            json::write::Pp { indent, sort_keys: self.sorted, sep_space: self.indent != Some(0), ..Default::default() };
        let format = if self.raw { Format::Raw } else { Format::Json };
        data::Runner {
            null_input: self.null_input,
            writer: write::Writer { format, pp, join: self.join },
            ..Default::default()
        }
    }

    /// What the filter gets, or why it cannot be had.
    fn inputs(&self) -> (Vec<Result<Val, String>>, bool) {
        let own = ["-".to_owned()];
        let paths = if self.files.is_empty() { &own[..] } else { &self.files };
        let mut inputs = Vec::new();
        let mut whole = Vec::new();
        let mut failed = false;
        for path in paths {
            match crate::read(path) {
                Ok(bytes) if self.raw_input => whole.extend(bytes),
                Ok(bytes) => {
                    for value in json::read::parse_many(&bytes) {
                        let failed = value.is_err();
                        inputs.push(value.map_err(|error| error.to_string()));
                        // The parser says the same of what it cannot read again and again.
                        if failed {
                            break;
                        }
                    }
                }
                Err(reason) => {
                    report("jq", &format!("error: Could not open {path}: {reason}"));
                    failed = true;
                }
            }
        }
        if self.raw_input {
            let text = String::from_utf8_lossy(&whole).into_owned();
            if self.slurp {
                return (vec![Ok(Val::from(text))], failed);
            }
            return (text.lines().map(|line| Ok(Val::from(line.to_owned()))).collect(), failed);
        }
        if self.slurp {
            let all: Result<Val, String> = inputs.into_iter().collect();
            return (vec![all], failed);
        }
        (inputs, failed)
    }
}

/// Rows for tables, which jaq has only as formats of whole files.
const ROWS: &str = r#"
def handbox_row(name; text; sep):
  if isarray then
    [.[] | if isstring then text
           elif . == null then ""
           elif isboolean or isnumber then tostring
           else error("\(type) (\(tojson)) is not valid in a \(name) row") end] | join(sep)
  else error("\(type) (\(tojson)) cannot be \(name)-formatted, only an array can be") end;
def tostring: if isstring then . elif isnumber and . == floor and (. < 1e16 and . > -1e16) then floor | tojson
  else tojson end;
def @text: tostring;
def @csv: handbox_row("csv"; "\"\(split("\"") | join("\"\""))\""; ",");
def @tsv: handbox_row("tsv"; split("\\") | join("\\\\") | split("\t") | join("\\t")
  | split("\n") | join("\\n") | split("\r") | join("\\r"); "\t");
"#;

/// The variables that a program finds, and their values.
fn variables(options: &Options) -> (Vec<String>, Vec<Val>) {
    let mut names = options.names.clone();
    let mut values = options.values.clone();
    let text = |name: &str| Val::from(name.to_owned());
    let named: Vec<(Val, Val)> = names.iter().map(|name| text(name)).zip(values.iter().cloned()).collect();
    let environment = std::env::vars().map(|(name, value)| (Val::from(name), Val::from(value)));
    names.push("ENV".to_owned());
    values.push(Val::obj(environment.collect()));
    names.push("ARGS".to_owned());
    let positional: Val = options.positional.iter().cloned().collect();
    let arguments = [(text("positional"), positional), (text("named"), Val::obj(named.into_iter().collect()))];
    values.push(Val::obj(arguments.into_iter().collect()));
    (names, values)
}

fn execute(options: &Options, program: &str) -> u8 {
    let text = |name: &str| Val::from(name.to_owned());
    let (names, values) = variables(options);
    let rows = jaq_all::jaq_core::load::parse(ROWS, |parser| parser.defs()).unwrap_or_default();
    let known = || jaq_all::defs().chain(meaning::definitions()).chain(rows.clone());
    let filter = match jaq_all::compile_with(program, known(), data::base_funs(), &names) {
        // What is wrong is said of it as it was written; what runs is what it means.
        Ok(filter) => meaning::program(program)
            .and_then(|meant| {
                let known = known().chain([meant]);
                jaq_all::compile_with(meaning::NAME, known, data::base_funs(), &names).ok()
            })
            .unwrap_or(filter),
        Err(problems) => {
            let texts = problems.iter().map(|problem| jaq_all::load::FileReportsDisp::new(problem).to_string());
            report("jq", &format!("error: compile error\n{}", texts.collect::<String>()));
            return 3;
        }
    };
    let runner = options.runner();
    let (inputs, failed) = if options.null_input && options.files.is_empty() && !program.contains("input") {
        (Vec::new(), false)
    } else {
        options.inputs()
    };
    let mut out = BufWriter::new(crate::output::stdout());
    let mut last = None;
    let name = text("<stdin>");
    let mut problem = None;
    let run = data::run(
        &runner,
        &filter,
        Vars::new(values),
        (&name, inputs.into_iter()),
        |bad| (2, format!("error (at {name}): {bad}")),
        |value| {
            let value = match unwrap_valr(value) {
                Ok(value) => value,
                Err(error) => {
                    // The next input is tried all the same.
                    report("jq", &format!("error (at {name}): {error}"));
                    problem = Some(5);
                    return Ok(());
                }
            };
            last = Some(!matches!(value, Val::Null | Val::Bool(false)));
            let mut text = Vec::new();
            let written = render(&mut text, &runner.writer, &value).and_then(|()| {
                if options.null_ends {
                    text.push(0);
                }
                out.write_all(&if options.ascii { ascii(&text) } else { text })
            });
            written.map_err(|error| (2, crate::reason(&error)))
        },
    );
    let flushed = out.flush();
    if let Err((status, text)) = run {
        report("jq", &text);
        return status;
    }
    match (problem, flushed) {
        (Some(status), _) => status,
        (_, Err(_)) => 2,
        _ if failed => 2,
        _ if options.exit_status => last.map_or(4, |truth| u8::from(!truth)),
        _ => 0,
    }
}

/// A value whose numbers are written as jq writes them: `1.0` as `1`. Integers are kept, however big.
fn with_numbers(value: &Val) -> Val {
    match value {
        Val::Num(Num::Float(number)) if number.is_finite() => Val::Num(Num::Dec(Rc::new(number_text(*number)))),
        Val::Num(Num::Dec(text)) if text.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_KEPT => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.map_or_else(|| value.clone(), |number| Val::Num(Num::Dec(Rc::new(number_text(number)))))
        }
        Val::Arr(values) => values.iter().map(with_numbers).collect(),
        Val::Obj(entries) => Val::obj(entries.iter().map(|(key, value)| (key.clone(), with_numbers(value))).collect()),
        value => value.clone(),
    }
}

/// More digits than these a floating-point number does not have.
const DIGITS_KEPT: usize = 17;

fn number_text(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let count = i32::try_from(digits.bytes().filter(u8::is_ascii_digit).count()).unwrap_or(0);
    if exponent < -4 || exponent >= count + 15 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    number.to_string()
}

fn render(out: &mut Vec<u8>, writer: &write::Writer, value: &Val) -> std::io::Result<()> {
    let value = &with_numbers(value);
    match (value, writer.format) {
        (Val::BStr(text) | Val::TStr(text), Format::Raw) => out.extend_from_slice(text),
        _ => json::write::write(out, &writer.pp, 0, value)?,
    }
    if !writer.join {
        out.push(b'\n');
    }
    Ok(())
}

/// Everything beyond ASCII is escaped.
fn ascii(text: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for character in String::from_utf8_lossy(text).chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out.into_bytes()
}
