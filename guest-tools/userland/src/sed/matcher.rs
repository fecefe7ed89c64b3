//! A pattern that lines are tried against.

use crate::pattern::{Kind, translate};

/// Start and end of each group that took part; the first is the whole match.
pub(super) type Found = Vec<Option<(usize, usize)>>;

#[derive(Debug)]
enum Engine {
    Fast(regex::bytes::Regex),
    /// Refers back.
    Slow(Box<fancy_regex::Regex>),
}

#[derive(Debug)]
pub(super) struct Pattern {
    engine: Engine,
    pub(super) groups: usize,
}

/// How a pattern is meant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meant {
    pub(super) extended: bool,
    pub(super) ignore_case: bool,
    pub(super) lines: bool,
}

impl Pattern {
    /// What is wrong in words.
    pub(super) fn new(text: &str, meant: Meant) -> Result<Self, String> {
        let kind = if meant.extended { Kind::Extended } else { Kind::Basic };
        let translated = translate(text, kind)?;
        if translated.refers_back {
            let flags =
                format!("(?s{}{})", if meant.ignore_case { "i" } else { "" }, if meant.lines { "m" } else { "" });
            let regex = fancy_regex::Regex::new(&format!("{flags}{}", translated.text));
            let regex = regex.map_err(|_| "Invalid back reference".to_owned())?;
            let groups = regex.captures_len().saturating_sub(1);
            return Ok(Self { engine: Engine::Slow(Box::new(regex)), groups });
        }
        let built = regex::bytes::RegexBuilder::new(&translated.text)
            .dot_matches_new_line(true)
            .multi_line(meant.lines)
            .case_insensitive(meant.ignore_case)
            .size_limit(64 << 20)
            .build();
        let regex = built.map_err(|error| words(&error))?;
        let groups = regex.captures_len() - 1;
        Ok(Self { engine: Engine::Fast(regex), groups })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        match &self.engine {
            Engine::Fast(regex) => regex.is_match(text),
            Engine::Slow(_) => self.find(text, 0, 0).is_some(),
        }
    }

    /// The first match from a place on, with its groups if any are asked for.
    pub(super) fn find(&self, text: &[u8], from: usize, groups: usize) -> Option<Found> {
        match &self.engine {
            Engine::Fast(regex) if groups == 0 => {
                regex.find_at(text, from).map(|found| vec![Some((found.start(), found.end()))])
            }
            Engine::Fast(regex) => {
                let captures = regex.captures_at(text, from)?;
                Some(captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect())
            }
            Engine::Slow(regex) => slow(regex, text, from),
        }
    }
}

/// This engine knows characters only: where there are other bytes, each byte stands as one.
fn slow(regex: &fancy_regex::Regex, bytes: &[u8], from: usize) -> Option<Found> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let captures = regex.captures_from_pos(text, from).ok()??;
        return Some(captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect());
    }
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let mut places = Vec::with_capacity(bytes.len() + 1);
    places.extend(text.char_indices().map(|(at, _)| at));
    places.push(text.len());
    let captures = regex.captures_from_pos(&text, *places.get(from)?).ok()??;
    let back = |at: usize| places.binary_search(&at).unwrap_or_else(|after| after);
    Some(captures.iter().map(|group| group.map(|group| (back(group.start()), back(group.end())))).collect())
}

fn words(error: &regex::Error) -> String {
    let text = error.to_string();
    if text.contains("repetition quantifier expects a valid decimal") || text.contains("invalid repetition count") {
        "Invalid content of \\{\\}".to_owned()
    } else if text.contains("invalid character class range") {
        "Invalid range end".to_owned()
    } else if matches!(error, regex::Error::CompiledTooBig(_)) {
        "Regular expression too big".to_owned()
    } else {
        "Invalid preceding regular expression".to_owned()
    }
}
