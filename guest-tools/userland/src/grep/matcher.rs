//! The patterns of a command line, as one thing that lines are tried against.

use crate::pattern::{Kind, literal, translate};
use regex::bytes::{Regex, RegexBuilder};

/// How the patterns are meant.
pub(super) struct Wanted {
    /// One of `GEFP`.
    pub(super) kind: char,
    pub(super) ignore_case: bool,
    pub(super) words: bool,
    pub(super) lines: bool,
    pub(super) null_data: bool,
}

pub(super) enum Matcher {
    Fast(Regex),
    /// Refers back, or looks around.
    Slow(Box<fancy_regex::Regex>),
}

impl Matcher {
    pub(super) fn new(patterns: &[String], wanted: &Wanted) -> Result<Self, String> {
        let mut slow = wanted.kind == 'P';
        let mut parts = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let text = match wanted.kind {
                'F' => literal(pattern),
                'P' => pattern.clone(),
                kind => {
                    let kind = if kind == 'E' { Kind::Extended } else { Kind::Basic };
                    let translated = translate(pattern, kind)?;
                    slow |= translated.refers_back;
                    translated.text
                }
            };
            parts.push(if patterns.len() > 1 { format!("(?:{text})") } else { text });
        }
        // A file of patterns may have none in it: then nothing matches.
        let mut text = if parts.is_empty() { r"[^\s\S]".to_owned() } else { parts.join("|") };
        if wanted.words {
            text = if slow {
                format!(r"(?<!\w)(?:{text})(?!\w)")
            } else {
                format!(r"\b{{start-half}}(?:{text})\b{{end-half}}")
            };
        }
        if wanted.lines {
            text = format!("^(?:{text})$");
        }
        if slow && let Ok(regex) = fast(&text, wanted) {
            // Perl's way of writing is mostly the crate's own.
            return Ok(Self::Fast(regex));
        }
        if slow {
            let flags = if wanted.ignore_case { "(?mi)" } else { "(?m)" };
            let regex = fancy_regex::Regex::new(&format!("{flags}{text}"));
            return regex.map(|regex| Self::Slow(Box::new(regex))).map_err(|error| error.to_string());
        }
        fast(&text, wanted).map(Self::Fast).map_err(|error| error.to_string())
    }

    /// Where in a buffer of lines, from a place on, the next match may be.
    pub(super) fn candidate(&self, buffer: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Fast(regex) => regex.find_at(buffer, from).map(|found| found.start()),
            Self::Slow(_) => Some(from),
        }
    }

    /// The first match in a line from a place on.
    pub(super) fn find(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        match self {
            Self::Fast(regex) => regex.find_at(line, from).map(|found| (found.start(), found.end())),
            Self::Slow(regex) => {
                let text = std::str::from_utf8(line).ok()?;
                let found = regex.find_from_pos(text, from).ok()??;
                Some((found.start(), found.end()))
            }
        }
    }
}

fn fast(text: &str, wanted: &Wanted) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .multi_line(true)
        .line_terminator(if wanted.null_data { 0 } else { b'\n' })
        .case_insensitive(wanted.ignore_case)
        .size_limit(256 << 20)
        .build()
}
