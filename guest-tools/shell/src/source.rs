//! From a script's text to its commands.

use crate::nesting::is_too_deep;
use brush_parser::{ParseError, Parser, ParserOptions, ast};
use std::io::Cursor;

/// Reads a whole script.
pub(crate) fn parse(source: &str) -> Result<ast::Program, ParseError> {
    if is_too_deep(source) {
        return Err(ParseError::ParsingAtEndOfInput);
    }
    parse_as_it_is(source).or_else(|error| match repaired(source) {
        Some(repaired) => parse_as_it_is(&repaired).map_err(|_| error),
        None => Err(error),
    })
}

/// What `select` begins its variable with once it has become a `for`.
pub(crate) const SELECT: &str = "__handbox_select_";

/// Writes what the parser does not know in words that it does: `for ((;;))` with spaces,
/// `select` as a `for` over a marked name, `f() [[ … ]]` with braces, and `$(case …)` as `$(eval 'case …')`.
/// Only asked for when the text could not be read.
fn repaired(source: &str) -> Option<String> {
    let empty = regex_lite::Regex::new(r"(?m)(\bfor[ \t]*\(\([^()\n]*?);;").ok()?;
    let select = regex_lite::Regex::new(
        r"(?m)(^|[;&|({]|\bdo|\bthen|\belse)([ \t]*)select[ \t]+([A-Za-z_]\w*)([ \t]+in\b|[ \t]*;|[ \t]*\n)",
    )
    .ok()?;
    let test = regex_lite::Regex::new(r"(?m)([\w.:-][ \t]*\(\)[ \t]*)(\[\[[ \t].*?[ \t]\]\])").ok()?;
    let cases = crate::word::with_cases_quoted(source);
    if cases.is_none() && !empty.is_match(source) && !select.is_match(source) && !test.is_match(source) {
        return None;
    }
    let source = cases.as_deref().unwrap_or(source);
    let spaced = empty.replace_all(source, "$1; ;");
    let spaced = test.replace_all(&spaced, "$1{ $2; }");
    Some(select.replace_all(&spaced, format!("${{1}}${{2}}for {SELECT}${{3}}${{4}}").as_str()).into_owned())
}

fn parse_as_it_is(source: &str) -> Result<ast::Program, ParseError> {
    Parser::new(Cursor::new(source.as_bytes()), &ParserOptions::default()).parse_program()
}

/// The lines of a script before the one that cannot be read, if those can be.
pub(crate) fn readable_part<'a>(source: &'a str, error: &ParseError) -> Option<&'a str> {
    let last = match error {
        ParseError::ParsingNear(place) | ParseError::Tokenizing { position: Some(place), .. } => place.line,
        _ => source.lines().count(),
    };
    let starts: Vec<usize> = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let tries = starts.iter().take(last).skip(1).rev().take(50);
    tries.map(|end| &source[..*end]).find(|part| parse(part).is_ok())
}

/// What is said about it.
pub(crate) fn complaint(source: &str, error: &ParseError) -> (usize, String) {
    match error {
        ParseError::ParsingNear(place) => {
            let token: String = source.chars().skip(place.index).take_while(|c| !c.is_whitespace()).take(40).collect();
            let token = if token.is_empty() { "newline".to_owned() } else { token };
            (place.line, format!("syntax error near unexpected token `{token}'"))
        }
        ParseError::ParsingAtEndOfInput if is_too_deep(source) => (1, "syntax error: nested too deeply".to_owned()),
        ParseError::ParsingAtEndOfInput => {
            (source.lines().count() + 1, "syntax error: unexpected end of file".to_owned())
        }
        ParseError::Tokenizing { inner, position } => {
            (position.as_ref().map_or(1, |place| place.line), format!("syntax error: {inner}"))
        }
    }
}
