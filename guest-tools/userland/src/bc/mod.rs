//! `bc`: a calculator with as many digits as one likes.

mod execute;
mod number;
mod parse;
mod series;

use crate::options::{Known, read};
use crate::report;
use std::ffi::OsString;
use std::io::Write;

/// Runs `bc`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "lqswiVhe:",
        names: &[
            ("mathlib", 'l'),
            ("quiet", 'q'),
            ("standard", 's'),
            ("warn", 'w'),
            ("interactive", 'i'),
            ("expression=", 'e'),
            ("version", 'V'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("bc", &problem);
            return 1;
        }
    };
    if given.has('V') {
        return u8::from(!crate::help::version("bc"));
    }
    let mut machine = execute::Machine::new(given.has('l'));
    let mut texts: Vec<String> = given.values('e').map(|text| format!("{text}\n")).collect();
    let reads_input = texts.is_empty();
    for path in &given.operands {
        match crate::read(path) {
            Ok(bytes) => texts.push(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => {
                report("bc", &format!("File {path} is unavailable."));
                return 1;
            }
        }
    }
    for text in texts {
        if !machine.run(&text) {
            return machine.end();
        }
    }
    if reads_input {
        let bytes = crate::read("-").unwrap_or_default();
        machine.run(&String::from_utf8_lossy(&bytes));
    }
    machine.end()
}

/// Says what is wrong; the rest of the line is left.
fn complain(text: &str) {
    // Where nobody listens, nobody is told.
    let _ = writeln!(std::io::stderr(), "{text}");
}
