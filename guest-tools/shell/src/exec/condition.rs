//! Conditions: `[[ … ]]` and `test`.

use crate::pattern::Pattern;
use crate::shell::{Flow, Run, Shell};
use crate::state::{NOCASEMATCH, SET};
use brush_parser::ast::{BinaryPredicate as B, ExtendedTestExpr, UnaryPredicate as U, Word};
use std::fs::Metadata;
use std::path::Path;

impl Shell {
    pub(crate) fn run_extended_test(&mut self, expr: &ExtendedTestExpr) -> Run {
        match self.extended_test(expr) {
            Ok(answer) => Ok(i32::from(!answer)),
            Err(Flow::Discard(2)) => Ok(2),
            Err(flow) => Err(flow),
        }
    }

    fn extended_test(&mut self, expr: &ExtendedTestExpr) -> Result<bool, Flow> {
        match expr {
            ExtendedTestExpr::And(left, right) => Ok(self.extended_test(left)? && self.extended_test(right)?),
            ExtendedTestExpr::Or(left, right) => Ok(self.extended_test(left)? || self.extended_test(right)?),
            ExtendedTestExpr::Not(inner) => Ok(!self.extended_test(inner)?),
            ExtendedTestExpr::Parenthesized(inner) => self.extended_test(inner),
            ExtendedTestExpr::UnaryTest(op, word) => {
                let text = self.expand_one(&word.value)?;
                self.unary(op, &text)
            }
            ExtendedTestExpr::BinaryTest(op, left, right) => self.extended_binary(op, left, right),
        }
    }

    fn extended_binary(&mut self, op: &B, left: &Word, right: &Word) -> Result<bool, Flow> {
        let text = self.expand_one(&left.value)?;
        match op {
            B::StringExactlyMatchesPattern | B::StringDoesNotExactlyMatchPattern => {
                let pattern = self.expand_pattern(&right.value)?;
                let ignore = self.state.shopt(NOCASEMATCH);
                let fits = Pattern::new(&pattern).ignoring_case(ignore).matches(&text);
                Ok(fits == matches!(op, B::StringExactlyMatchesPattern))
            }
            B::StringMatchesRegex => {
                let regex = self.expand_field(&right.value, 'w')?.regex();
                self.match_regex(&text, &regex)
            }
            B::StringContainsSubstring => {
                let part = self.expand_one(&right.value)?;
                self.match_regex(&text, &regex_lite::escape(&part))
            }
            op => {
                let right = self.expand_one(&right.value)?;
                self.binary(op, &text, &right, true)
            }
        }
    }

    fn match_regex(&mut self, text: &str, regex: &str) -> Result<bool, Flow> {
        let ignore = self.state.shopt(NOCASEMATCH);
        let built =
            regex_lite::RegexBuilder::new(&posix(regex)).case_insensitive(ignore).dot_matches_new_line(true).build();
        let Ok(built) = built else { return Err(Flow::Discard(2)) };
        let found = built.captures(text);
        let groups = found.as_ref().map(|found| {
            (0..found.len()).map(|at| found.get(at).map_or("", |part| part.as_str()).to_owned()).collect()
        });
        self.set_list("BASH_REMATCH", groups.unwrap_or_default());
        Ok(found.is_some())
    }

    /// A test of one operand.
    pub(crate) fn unary(&mut self, op: &U, text: &str) -> Result<bool, Flow> {
        let path = self.absolute(text);
        let device = matches!(path.as_str(), "/dev/null" | "/dev/zero" | "/dev/urandom" | "/dev/random");
        let stream = super::redirect::fd_number(&path).is_some_and(|number| self.io.get(number).is_some());
        // Programs have no files, but scripts look for them in the usual folders.
        let program = path.rsplit_once('/').is_some_and(|(folder, name)| {
            super::simple::is_usual(folder) && crate::system::programs().iter().any(|program| program == name)
        });
        let there = device || stream || program;
        let about = || -> Option<Metadata> { if text.is_empty() { None } else { std::fs::metadata(&path).ok() } };
        Ok(match op {
            U::StringHasZeroLength => text.is_empty(),
            U::StringHasNonZeroLength => !text.is_empty(),
            U::FileExists => there || about().is_some(),
            U::FileExistsAndIsReadable => there || about().is_some_and(|about| readable(&path, &about)),
            U::FileExistsAndIsWritable => {
                device || stream || about().is_some_and(|about| crate::system::writable(&path, &about))
            }
            U::FileExistsAndIsDir => about().is_some_and(|about| about.is_dir()),
            U::FileExistsAndIsRegularFile => program || !there && about().is_some_and(|about| about.is_file()),
            U::FileExistsAndIsSymlink => !text.is_empty() && Path::new(&path).is_symlink(),
            U::FileExistsAndIsNotZeroLength => program || !there && about().is_some_and(|about| about.len() > 0),
            U::FileExistsAndIsExecutable => program || about().is_some() && crate::system::permits_running(&path),
            U::FileExistsAndIsCharSpecialFile => device,
            U::FileExistsAndOwnedByEffectiveGroupId | U::FileExistsAndOwnedByEffectiveUserId => about().is_some(),
            U::ShellOptionEnabled => SET.iter().any(|(name, _, bit)| *name == text && self.state.has(*bit)),
            U::ShellVariableIsSetAndAssigned => {
                let (name, index) = crate::expand::split_reference(text);
                let got = self.parameter(&name, index.as_ref())?;
                match got {
                    crate::expand::Got::Unset => false,
                    crate::expand::Got::One(_) => true,
                    crate::expand::Got::Many { values, .. } => !values.is_empty(),
                }
            }
            U::ShellVariableIsSetAndNameRef => self.state.vars.get(text).is_some_and(|variable| variable.has.nameref),
            U::FileExistsAndIsBlockSpecialFile
            | U::FileExistsAndIsSetgid
            | U::FileExistsAndHasStickyBit
            | U::FileExistsAndIsFifo
            | U::FdIsOpenTerminal
            | U::FileExistsAndIsSetuid
            | U::FileExistsAndModifiedSinceLastRead
            | U::FileExistsAndIsSocket => false,
        })
    }

    /// A test of two operands, none of which is a pattern. `loose`: numbers may be expressions.
    pub(crate) fn binary(&mut self, op: &B, left: &str, right: &str, loose: bool) -> Result<bool, Flow> {
        let time =
            |shell: &Self, path: &str| std::fs::metadata(shell.absolute(path)).and_then(|about| about.modified()).ok();
        Ok(match op {
            B::StringExactlyMatchesString | B::StringExactlyMatchesPattern => left == right,
            B::StringDoesNotExactlyMatchString | B::StringDoesNotExactlyMatchPattern => left != right,
            B::LeftSortsBeforeRight => left < right,
            B::LeftSortsAfterRight => left > right,
            B::StringMatchesRegex | B::StringContainsSubstring => self.match_regex(left, right)?,
            B::FilesReferToSameDeviceAndInodeNumbers => {
                crate::system::same_file(&self.absolute(left), &self.absolute(right))
            }
            B::LeftFileIsNewerOrExistsWhenRightDoesNot => time(self, left) > time(self, right),
            B::LeftFileIsOlderOrDoesNotExistWhenRightDoes => time(self, left) < time(self, right),
            numbers => {
                let (left, right) = (self.operand(left, loose)?, self.operand(right, loose)?);
                match numbers {
                    B::ArithmeticEqualTo => left == right,
                    B::ArithmeticNotEqualTo => left != right,
                    B::ArithmeticLessThan => left < right,
                    B::ArithmeticLessThanOrEqualTo => left <= right,
                    B::ArithmeticGreaterThan => left > right,
                    _ => left >= right,
                }
            }
        })
    }

    fn operand(&mut self, text: &str, loose: bool) -> Result<i64, Flow> {
        if loose {
            return self
                .arithmetic(text)
                .map_err(|flow| if flow == Flow::Discard(1) { Flow::Discard(1) } else { flow });
        }
        text.trim().parse().map_err(|_| {
            self.complain(&format!("[: {text}: integer expression expected"));
            Flow::Discard(2)
        })
    }
}

/// Whether it can be read, which is tried: who may is not said by the bits alone.
fn readable(path: &str, about: &Metadata) -> bool {
    if about.is_dir() { std::fs::read_dir(path).is_ok() } else { std::fs::File::open(path).is_ok() }
}

/// A POSIX expression in the words of the crate: inside of brackets a backslash is a letter.
fn posix(regex: &str) -> String {
    let chars: Vec<char> = regex.chars().collect();
    let mut out = String::new();
    let (mut i, mut set) = (0, false);
    while i < chars.len() {
        let c = chars[i];
        match c {
            '\\' if !set => {
                out.push(c);
                i += 1;
                out.extend(chars.get(i));
            }
            '[' if !set => {
                set = true;
                out.push('[');
                if chars.get(i + 1) == Some(&'^') {
                    out.push('^');
                    i += 1;
                }
                if chars.get(i + 1) == Some(&']') {
                    out.push_str("\\]");
                    i += 1;
                }
            }
            '[' if chars.get(i + 1) == Some(&':') => {
                while i < chars.len() && !(chars[i] == ':' && chars.get(i + 1) == Some(&']')) || out.ends_with('[') {
                    out.push(chars[i]);
                    i += 1;
                    if i >= chars.len() {
                        break;
                    }
                }
                out.push_str(":]");
                i += 1;
            }
            ']' if set => {
                set = false;
                out.push(']');
            }
            '[' | '\\' | '&' | '~' if set => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        i += 1;
    }
    out
}
