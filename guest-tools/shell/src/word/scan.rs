//! Finding the end of what has brackets.

/// Finds the `)` that closes what begins at `from`, past the opening one. Knows quotes,
/// comments, here-documents and the lone brackets of `case`.
pub(super) fn closing_paren(chars: &[char], from: usize) -> Option<usize> {
    let mut scan = Scan { chars, at: from, depth: 1, cases: Vec::new(), here: Vec::new(), word: String::new() };
    scan.run()
}

struct Scan<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
    /// How deep each open `case` stands.
    cases: Vec<usize>,
    /// Here-documents that begin at the next line: the delimiter, and whether tabs go.
    here: Vec<(String, bool)>,
    /// The unquoted word before this place.
    word: String,
}

impl Scan<'_> {
    fn run(&mut self) -> Option<usize> {
        while self.at < self.chars.len() {
            let c = self.chars[self.at];
            let word_before = self.word.is_empty();
            match c {
                '\\' => self.at += 1,
                '\'' => self.at = after_single(self.chars, self.at)? - 1,
                '"' => self.at = after_double(self.chars, self.at)? - 1,
                '`' => self.at = after_backquote(self.chars, self.at)? - 1,
                '$' if self.peek(1) == Some('{') => self.at = closing_brace(self.chars, self.at + 2)?,
                '#' if word_before && self.starts_word() => {
                    while self.peek(1).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '<' if self.peek(1) == Some('<') => self.here_document(),
                '(' => {
                    self.end_word();
                    self.depth += 1;
                }
                ')' => {
                    self.end_word();
                    if self.cases.last() != Some(&self.depth) {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Some(self.at);
                        }
                    }
                }
                '\n' => {
                    self.end_word();
                    self.skip_here_documents();
                }
                c if c.is_whitespace() || ";&|<>".contains(c) => self.end_word(),
                c => self.word.push(c),
            }
            self.at += 1;
        }
        None
    }

    fn peek(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    fn starts_word(&self) -> bool {
        self.at == 0 || self.chars.get(self.at - 1).is_none_or(|c| c.is_whitespace() || ";&|(".contains(*c))
    }

    fn end_word(&mut self) {
        match self.word.as_str() {
            "case" => self.cases.push(self.depth),
            "esac" => {
                self.cases.pop();
            }
            _ => {}
        }
        self.word.clear();
    }

    /// At `<<`.
    fn here_document(&mut self) {
        self.end_word();
        self.at += 1;
        if self.peek(1) == Some('<') {
            self.at += 1;
            return;
        }
        let tabs = self.peek(1) == Some('-');
        if tabs {
            self.at += 1;
        }
        while self.peek(1).is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let mut delimiter = String::new();
        while let Some(c) = self.peek(1).filter(|c| !c.is_whitespace() && !";&|<>()".contains(*c)) {
            if !"'\"\\".contains(c) {
                delimiter.push(c);
            }
            self.at += 1;
        }
        if !delimiter.is_empty() && !delimiter.starts_with(|c: char| c.is_ascii_digit()) {
            self.here.push((delimiter, tabs));
        }
    }

    /// At a newline.
    fn skip_here_documents(&mut self) {
        for (delimiter, tabs) in std::mem::take(&mut self.here) {
            let mut at = self.at + 1;
            loop {
                let end =
                    self.chars[at..].iter().position(|c| *c == '\n').map_or(self.chars.len(), |length| at + length);
                let line: String = self.chars[at..end].iter().collect();
                let line = if tabs { line.trim_start_matches('\t') } else { &line };
                if line == delimiter {
                    self.at = end.min(self.chars.len() - 1);
                    break;
                }
                if end >= self.chars.len() {
                    return;
                }
                at = end + 1;
            }
        }
    }
}

/// Past the quote that closes the one at `at`.
pub(super) fn after_single(chars: &[char], at: usize) -> Option<usize> {
    let dollar = at > 0 && chars[at - 1] == '$';
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' if dollar => i += 1,
            '\'' => return Some(i + 1),
            _ => {}
        }
        i += 1;
    }
    None
}

fn after_double(chars: &[char], at: usize) -> Option<usize> {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '"' => return Some(i + 1),
            '$' if chars.get(i + 1) == Some(&'(') => i = closing_paren(chars, i + 2)?,
            '$' if chars.get(i + 1) == Some(&'{') => i = closing_brace(chars, i + 2)?,
            '`' => i = after_backquote(chars, i)? - 1,
            _ => {}
        }
        i += 1;
    }
    None
}

/// Past the backquote that closes the one at `at`.
pub(super) fn after_backquote(chars: &[char], at: usize) -> Option<usize> {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '`' => return Some(i + 1),
            _ => {}
        }
        i += 1;
    }
    None
}

/// The `}` that closes what begins at `from`.
pub(super) fn closing_brace(chars: &[char], from: usize) -> Option<usize> {
    let mut i = from;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '}' => return Some(i),
            '\'' => i = after_single(chars, i).map_or(i, |end| end - 1),
            '"' => i = after_double(chars, i)? - 1,
            '`' => i = after_backquote(chars, i)? - 1,
            '$' if chars.get(i + 1) == Some(&'(') => i = closing_paren(chars, i + 2)?,
            '$' if chars.get(i + 1) == Some(&'{') => i = closing_brace(chars, i + 2)?,
            _ => {}
        }
        i += 1;
    }
    None
}

/// The end of `((…))` that begins at `from`, past both brackets: where its `))` stands.
/// None if it is no arithmetic.
pub(super) fn closing_arithmetic(chars: &[char], from: usize) -> Option<usize> {
    let (mut i, mut depth) = (from, 0_usize);
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '\'' => i = after_single(chars, i)? - 1,
            '"' => i = after_double(chars, i)? - 1,
            '`' => i = after_backquote(chars, i)? - 1,
            '$' if chars.get(i + 1) == Some(&'{') => i = closing_brace(chars, i + 2)?,
            '$' if chars.get(i + 1) == Some(&'(') => i = closing_paren(chars, i + 2)?,
            '(' => depth += 1,
            ')' if depth == 0 => return (chars.get(i + 1) == Some(&')')).then_some(i),
            ')' => depth -= 1,
            _ => {}
        }
        i += 1;
    }
    None
}

/// The `]` that closes what begins at `from`.
pub(super) fn closing_bracket(chars: &[char], from: usize) -> Option<usize> {
    let (mut i, mut depth) = (from, 0_usize);
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 1,
            '\'' => i = after_single(chars, i)? - 1,
            '"' => i = after_double(chars, i)? - 1,
            '$' if chars.get(i + 1) == Some(&'{') => i = closing_brace(chars, i + 2)?,
            '$' if chars.get(i + 1) == Some(&'(') => i = closing_paren(chars, i + 2)?,
            '[' => depth += 1,
            ']' if depth == 0 => return Some(i),
            ']' => depth -= 1,
            _ => {}
        }
        i += 1;
    }
    None
}

/// A script whose command substitutions with a `case` in them hand it to `eval` in quotes:
/// the parser takes the lone brackets of a `case` for the end. None if there are none.
pub(crate) fn with_cases_quoted(source: &str) -> Option<String> {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::new();
    let (mut i, mut changed) = (0, false);
    while i < chars.len() {
        if chars[i] == '$'
            && chars.get(i + 1) == Some(&'(')
            && chars.get(i + 2) != Some(&'(')
            && let Some(end) = closing_paren(&chars, i + 2)
        {
            let inner: String = chars[i + 2..end].iter().collect();
            if inner.split_whitespace().any(|word| word == "case") {
                out.push_str(&format!("$(eval '{}')", inner.replace('\'', "'\\''")));
                i = end + 1;
                changed = true;
                continue;
            }
        }
        out.push(chars[i]);
        i += 1;
    }
    changed.then_some(out)
}
