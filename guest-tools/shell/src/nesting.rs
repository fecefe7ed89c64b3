//! How deep a script's constructs stand in each other.
//!
//! The parser goes down a level of the stack for each, so that a text which only opens
//! brackets would end the shell. It is looked at before the parser sees it.

/// How many constructs may stand in each other. People write ten; each takes the parser 4.5 KiB of stack.
const LEVELS_MAX: usize = 40;

/// Whether the parser would go too deep. Where quotes or here-documents mislead one of the two readers, the other
/// is right.
pub(crate) fn is_too_deep(source: &str) -> bool {
    if source.contains("! ! ! ! ! ! ! !") && source.contains(&"! ".repeat(LEVELS_MAX)) {
        return true;
    }
    counted(source) > LEVELS_MAX && Scan::deepest(source.as_bytes()) > LEVELS_MAX
}

/// What stands open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Paren,
    Brace,
    Quote,
    Backquote,
    Case,
    Block,
}

/// The most that is open at once if nothing is quoted.
fn counted(source: &str) -> usize {
    let (mut parens, mut braces, mut blocks, mut most) = (0_usize, 0_usize, 0_usize, 0);
    for word in source.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let name = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        match name {
            _ if opens(name) => blocks += 1,
            "fi" | "done" | "esac" => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        match word.bytes().last() {
            Some(b'(' | b'`') => parens += 1,
            Some(b')') => parens = parens.saturating_sub(1),
            Some(b'{') => braces += 1,
            Some(b'}') => braces = braces.saturating_sub(1),
            _ => {}
        }
        most = most.max(parens + braces + blocks);
    }
    most
}

fn opens(word: &str) -> bool {
    matches!(word, "if" | "while" | "until" | "for" | "select" | "case")
}

/// Reads the text as the shell does, roughly.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
    /// A command's name may stand here.
    begins: bool,
    /// Here-documents that begin at the next line.
    here: Vec<&'a [u8]>,
}

impl<'a> Scan<'a> {
    fn deepest(bytes: &'a [u8]) -> usize {
        let mut scan = Scan { bytes, at: 0, open: Vec::new(), begins: true, here: Vec::new() };
        let mut most = 0;
        while let Some(byte) = bytes.get(scan.at) {
            if scan.open.last() == Some(&Open::Quote) {
                scan.quoted(*byte);
            } else {
                scan.code(*byte);
            }
            most = most.max(scan.open.len());
        }
        most
    }

    fn next(&self) -> Option<u8> {
        self.bytes.get(self.at + 1).copied()
    }

    fn push(&mut self, what: Open, length: usize) {
        self.open.push(what);
        self.at += length;
    }

    fn pop(&mut self, what: &[Open]) {
        if self.open.last().is_some_and(|last| what.contains(last)) {
            self.open.pop();
        }
    }

    fn quoted(&mut self, byte: u8) {
        match (byte, self.next()) {
            (b'\\', _) => self.at += 2,
            (b'"', _) => {
                self.open.pop();
                self.at += 1;
            }
            (b'$', Some(b'(')) => {
                self.push(Open::Paren, 2);
                self.begins = true;
            }
            (b'$', Some(b'{')) => self.push(Open::Brace, 2),
            (b'`', _) => self.backquote(),
            _ => self.at += 1,
        }
    }

    fn backquote(&mut self) {
        self.begins = true;
        if self.open.contains(&Open::Backquote) {
            while self.open.pop().is_some_and(|last| last != Open::Backquote) {}
            self.at += 1;
        } else {
            self.push(Open::Backquote, 1);
        }
    }

    fn code(&mut self, byte: u8) {
        let begins = std::mem::replace(&mut self.begins, false);
        match byte {
            b'\\' => self.at += 2,
            b'\'' => self.at += 2 + self.until(self.at + 1, b"'"),
            b'"' => self.push(Open::Quote, 1),
            b'`' => self.backquote(),
            b'#' if self.at == 0 || b" \t\n;&|(".contains(&self.bytes[self.at - 1]) => {
                self.at += self.until(self.at, b"\n");
                self.begins = begins;
            }
            b'<' if self.next() == Some(b'<') => self.here_document(),
            b'(' => self.opens(Open::Paren),
            b'{' => self.opens(Open::Brace),
            b')' => self.closes(&[Open::Paren]),
            b'}' => self.closes(&[Open::Brace]),
            b'\n' => {
                self.at += 1;
                self.begins = true;
                self.skip_here_documents();
            }
            b';' | b'&' | b'|' | b'!' => {
                self.at += 1;
                self.begins = true;
            }
            b' ' | b'\t' => {
                self.at += 1;
                self.begins = begins;
            }
            _ => self.word(begins),
        }
    }

    fn opens(&mut self, what: Open) {
        self.push(what, 1);
        self.begins = true;
    }

    fn closes(&mut self, what: &[Open]) {
        self.pop(what);
        self.at += 1;
        self.begins = true;
    }

    fn word(&mut self, begins: bool) {
        let length = self.until(self.at, b" \t\n;&|()<>'\"`\\{}$").max(1);
        let word = std::str::from_utf8(&self.bytes[self.at..self.at + length]).unwrap_or_default();
        self.at += length;
        if !begins {
            return;
        }
        match word {
            "case" => self.open.push(Open::Case),
            word if opens(word) => {
                self.open.push(Open::Block);
                self.begins = matches!(word, "if" | "while" | "until");
            }
            "fi" | "done" | "esac" => self.pop(&[Open::Block, Open::Case]),
            "then" | "do" | "else" | "elif" => self.begins = true,
            _ => {}
        }
    }

    /// How far it is to one of these, or to the end.
    fn until(&self, from: usize, stops: &[u8]) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        rest.iter().position(|byte| stops.contains(byte)).unwrap_or(rest.len())
    }

    /// At `<<`.
    fn here_document(&mut self) {
        self.at += 2;
        if self.bytes.get(self.at) == Some(&b'<') {
            self.at += 1;
            return;
        }
        while self.bytes.get(self.at).is_some_and(|byte| b"- \t'\"\\".contains(byte)) {
            self.at += 1;
        }
        let length = self.until(self.at, b" \t\n;&|()<>'\"");
        // `1 << 2` is none.
        if length > 0 && !self.bytes[self.at].is_ascii_digit() {
            self.here.push(&self.bytes[self.at..self.at + length]);
            self.at += length;
            if self.bytes.get(self.at).is_some_and(|byte| b"'\"".contains(byte)) {
                self.at += 1;
            }
        }
    }

    /// At the beginning of a line.
    fn skip_here_documents(&mut self) {
        for delimiter in std::mem::take(&mut self.here) {
            while self.at < self.bytes.len() {
                let end = self.at + self.until(self.at, b"\n");
                let line = self.bytes[self.at..end].trim_ascii_start();
                self.at = end + 1;
                if line == delimiter {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_opens_is_too_deep() {
        for opener in [
            "(",
            "{ ",
            "$(",
            "\"$(",
            "${x:-",
            "`",
            "if ",
            "while ",
            "case x in a) ",
            "f() { ",
            "[[ ( ",
            "((",
            "{a,",
            "! ",
        ] {
            let deep = opener != "`";
            assert_eq!(is_too_deep(&opener.repeat(5000)), deep, "{opener}");
            assert!(!is_too_deep(&opener.repeat(20)), "{opener}");
        }
    }

    #[test]
    fn what_is_quoted_or_closed_is_not() {
        let texts = [
            "echo ':('\n",
            "cat <<'E'\n:( { if\nE\n",
            "echo waiting for it if {\n",
            "case $x in a) echo a;; (b) echo b;; esac\n",
            "f() { if x; then echo \"$(y \"${z[@]}\")\"; fi; }\n",
            "# ( if {\n",
            "x=$((1 << 2)); y=`echo (`\n",
            "for i in 1 2; do case $i in 1) break;; esac; done < <(seq 3)\n",
        ];
        for text in &texts[..2] {
            assert!(!is_too_deep(&text.repeat(500)), "{text}");
        }
        for text in &texts[3..] {
            assert!(!is_too_deep(&text.repeat(500)), "{text}");
        }
        assert!(!is_too_deep(&texts.concat().repeat(20)));
    }
}
