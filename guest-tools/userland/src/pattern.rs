//! Regular expressions of POSIX, as GNU's tools read them, for the crate `regex`; and wildcards.

use globset::{GlobBuilder, GlobMatcher};

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `\(a\)\{2\}`: of `grep` and `sed`.
    Basic,
    /// `(a){2}`: of `grep -E` and `sed -E`.
    Extended,
    /// As extended, and a backslash escapes in brackets too.
    Awk,
}

/// A pattern in the crate's own way of writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Translated {
    pub(crate) text: String,
    /// Whether it refers back to a group, which only a slower engine can.
    pub(crate) refers_back: bool,
}

/// Says a pattern in the crate's own way. What is wrong in words, if it cannot be said.
pub(crate) fn translate(pattern: &str, kind: Kind) -> Result<Translated, String> {
    let mut translator = Translator {
        rest: pattern.chars().collect(),
        at: 0,
        kind,
        out: String::with_capacity(pattern.len() + 8),
        open: 0,
        start: true,
        refers_back: false,
    };
    translator.run()?;
    Ok(Translated { text: translator.out, refers_back: translator.refers_back })
}

/// Escapes a text so that it stands for itself.
pub(crate) fn literal(text: &str) -> String {
    regex::escape(text)
}

/// Reads a wildcard, as `fnmatch` does without flags: a slash is nothing special. What is wrong in words.
pub(crate) fn wildcard(pattern: &str, ignore_case: bool) -> Result<GlobMatcher, String> {
    // Braces are nothing special to it.
    let pattern = pattern.replace('{', "[{]").replace('}', "[}]").replace("**", "*");
    let built = GlobBuilder::new(&pattern)
        .case_insensitive(ignore_case)
        .literal_separator(false)
        .backslash_escape(true)
        .build();
    built.map(|glob| glob.compile_matcher()).map_err(|_| format!("bad pattern `{pattern}'"))
}

struct Translator {
    rest: Vec<char>,
    at: usize,
    kind: Kind,
    out: String,
    /// Groups that are open.
    open: usize,
    /// Whether a branch has just begun: what repeats stands for itself there.
    start: bool,
    refers_back: bool,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at + ahead).copied()
    }

    fn literal(&mut self, character: char) {
        self.out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
        self.start = false;
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.start = false;
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(character) = self.peek(0) {
            self.at += 1;
            match character {
                '\\' => self.escape()?,
                '[' => self.brackets()?,
                '.' => self.push("."),
                '*' if self.start => self.literal('*'),
                '*' => self.repeat("*"),
                '^' if self.kind != Kind::Basic || self.start => self.out.push('^'),
                '$' if self.kind != Kind::Basic || self.branch_ends() => self.push("$"),
                _ if self.kind == Kind::Basic => self.literal(character),
                '(' => self.group(),
                ')' => self.end_group(')')?,
                '|' => self.branch(),
                '+' | '?' if self.start => self.literal(character),
                '+' => self.repeat("+"),
                '?' => self.repeat("?"),
                '{' => self.interval(),
                _ => self.literal(character),
            }
        }
        if self.open > 0 { Err("Unmatched ( or \\(".to_owned()) } else { Ok(()) }
    }

    /// Something repeated is repeated again: `a**`.
    fn repeat(&mut self, sign: &str) {
        if self.out.ends_with(['*', '+', '?'])
            && !self.out.ends_with("\\*")
            && !self.out.ends_with("\\+")
            && !self.out.ends_with("\\?")
        {
            if sign == "*" || !self.out.ends_with(sign) {
                self.out.pop();
                self.out.push('*');
            }
            return;
        }
        self.push(sign);
    }

    fn group(&mut self) {
        self.open += 1;
        self.out.push('(');
        self.start = true;
    }

    fn end_group(&mut self, sign: char) -> Result<(), String> {
        if self.open == 0 {
            if self.kind == Kind::Basic {
                return Err("Unmatched ) or \\)".to_owned());
            }
            self.literal(sign);
            return Ok(());
        }
        self.open -= 1;
        self.push(")");
        Ok(())
    }

    fn branch(&mut self) {
        self.out.push('|');
        self.start = true;
    }

    /// Whether a `$` here is the end of a branch.
    fn branch_ends(&self) -> bool {
        matches!((self.peek(0), self.peek(1)), (None, _) | (Some('\\'), Some(')' | '|')))
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(character) = self.peek(0) else {
            return Err("Trailing backslash".to_owned());
        };
        self.at += 1;
        let basic = self.kind == Kind::Basic;
        match character {
            '(' if basic => self.group(),
            ')' if basic => self.end_group(')')?,
            '|' if basic => self.branch(),
            '{' if basic && !self.start => self.interval(),
            '+' | '?' if basic && !self.start => self.repeat(if character == '+' { "+" } else { "?" }),
            '<' => self.push(r"\b{start}"),
            '>' => self.push(r"\b{end}"),
            'y' if self.kind == Kind::Awk => self.push(r"\b"),
            'b' if self.kind != Kind::Awk => self.push(r"\b"),
            'B' => self.push(r"\B"),
            '`' => self.push(r"\A"),
            '\'' => self.push(r"\z"),
            'w' => self.push(r"[\w]"),
            'W' => self.push(r"[^\w]"),
            's' => self.push(r"\s"),
            'S' => self.push(r"\S"),
            'n' => self.push("\\n"),
            't' => self.push("\\t"),
            'r' => self.push("\\r"),
            'f' => self.push("\\x0c"),
            'v' => self.push("\\x0b"),
            'a' if self.kind == Kind::Awk => self.push("\\x07"),
            '1'..='9' if self.kind != Kind::Awk => {
                self.refers_back = true;
                self.push(&format!("(?:\\{character})"));
            }
            _ => self.literal(character),
        }
        Ok(())
    }

    /// `{2,3}`; what is no such thing stands for itself.
    fn interval(&mut self) {
        let close: &[char] = if self.kind == Kind::Basic { &['\\', '}'] } else { &['}'] };
        let rest = &self.rest[self.at..];
        let length = rest.windows(close.len()).position(|window| window == close);
        let inside: Option<String> = length.map(|length| rest[..length].iter().collect());
        let valid = inside.filter(|inside| {
            let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() < 5;
            digits(least) && digits(most) && !inside.is_empty() && inside != ","
        });
        match valid {
            Some(inside) if !self.start => {
                self.at += inside.len() + close.len();
                let inside = if inside.starts_with(',') { format!("0{inside}") } else { inside };
                if self.out.ends_with(['*', '+', '?', '}']) && !self.out.ends_with("\\}") {
                    // Repeated already: the crate would take `+{2}` for something else.
                    self.out.insert_str(last_item(&self.out), "(?:");
                    self.out.push(')');
                }
                self.push(&format!("{{{inside}}}"));
            }
            _ => self.literal('{'),
        }
    }

    fn brackets(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.peek(0) == Some('^') {
            self.at += 1;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(character) = self.peek(0) else {
                return Err("Unmatched [, [^, [:, [., or [=".to_owned());
            };
            self.at += 1;
            match character {
                ']' if !first => break,
                '[' if matches!(self.peek(0), Some(':' | '.' | '=')) => self.class()?,
                '\\' if self.kind == Kind::Awk => self.bracket_escape(),
                '\\' if matches!(self.peek(0), Some('n' | 't' | 'r' | 'f' | 'v')) => self.bracket_escape(),
                '-' => {
                    let ends = first || self.peek(0) == Some(']');
                    self.out.push_str(if ends { "\\-" } else { "-" });
                }
                _ => self.in_brackets(character),
            }
            first = false;
        }
        self.push("]");
        Ok(())
    }

    fn in_brackets(&mut self, character: char) {
        // The crate takes a backslash only before what could mean something there.
        if matches!(character, '\\' | '[' | ']' | '^' | '-' | '&' | '~') {
            self.out.push('\\');
        }
        self.out.push(character);
    }

    fn bracket_escape(&mut self) {
        let Some(character) = self.peek(0) else {
            return;
        };
        self.at += 1;
        match character {
            'n' => self.out.push_str("\\n"),
            't' => self.out.push_str("\\t"),
            'r' => self.out.push_str("\\r"),
            'f' => self.out.push_str("\\x0c"),
            'v' => self.out.push_str("\\x0b"),
            's' | 'S' | 'w' | 'W' | 'd' => {
                self.out.push('\\');
                self.out.push(character);
            }
            _ => self.in_brackets(character),
        }
    }

    /// `[:alpha:]`, or one character as `[.-.]`.
    fn class(&mut self) -> Result<(), String> {
        let sign = self.peek(0).unwrap_or(':');
        self.at += 1;
        let rest = &self.rest[self.at..];
        let Some(length) = rest.windows(2).position(|two| two == [sign, ']']) else {
            return Err("Unmatched [, [^, [:, [., or [=".to_owned());
        };
        let name: String = rest[..length].iter().collect();
        self.at += length + 2;
        if sign != ':' {
            name.chars().for_each(|character| self.in_brackets(character));
            return Ok(());
        }
        let known = [
            "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit",
        ];
        if !known.contains(&name.as_str()) {
            return Err("Invalid character class name".to_owned());
        }
        match name.as_str() {
            // Those that mean more than ASCII in any language.
            "alpha" => self.out.push_str("\\p{Alphabetic}"),
            "lower" => self.out.push_str("\\p{Lowercase}"),
            "upper" => self.out.push_str("\\p{Uppercase}"),
            "alnum" => self.out.push_str("\\p{Alphabetic}0-9"),
            _ => {
                self.out.push_str("[:");
                self.out.push_str(&name);
                self.out.push_str(":]");
            }
        }
        Ok(())
    }
}

/// Where the last item of a translated pattern starts: what a repetition applies to.
fn last_item(out: &str) -> usize {
    let trimmed = out.trim_end_matches(['*', '+', '?']);
    let trimmed =
        if trimmed.ends_with('}') { trimmed.rfind('{').map_or(trimmed, |at| &trimmed[..at]) } else { trimmed };
    match trimmed.chars().last() {
        Some(')') => matching(trimmed, '(', ')'),
        Some(']') => matching(trimmed, '[', ']'),
        Some(character) => {
            let start = trimmed.len() - character.len_utf8();
            if trimmed[..start].ends_with('\\') { start - 1 } else { start }
        }
        None => 0,
    }
}

fn matching(text: &str, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, character) in text.char_indices().rev() {
        if character == close {
            depth += 1;
        } else if character == open {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    0
}
