//! Fields as they grow.

/// A field: parts that were quoted, and parts that were not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    chunks: Vec<(String, bool)>,
}

impl Field {
    fn push(&mut self, text: &str, quoted: bool) {
        match self.chunks.last_mut() {
            Some((last, was)) if *was == quoted => last.push_str(text),
            _ => self.chunks.push((text.to_owned(), quoted)),
        }
    }

    pub(crate) fn plain(&self) -> String {
        self.chunks.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// With backslashes before what was quoted.
    pub(crate) fn pattern(&self) -> String {
        let mut pattern = String::new();
        for (text, quoted) in &self.chunks {
            for c in text.chars() {
                if *quoted && "*?[]\\()|!@+-^".contains(c) {
                    pattern.push('\\');
                }
                pattern.push(c);
            }
        }
        pattern
    }

    /// As a regular expression in which what was quoted means itself.
    pub(crate) fn regex(&self) -> String {
        let mut regex = String::new();
        for (text, quoted) in &self.chunks {
            if *quoted {
                regex.push_str(&regex_lite::escape(text));
            } else {
                regex.push_str(text);
            }
        }
        regex
    }

    pub(crate) fn may_be_pattern(&self) -> bool {
        self.chunks.iter().any(|(text, quoted)| !quoted && text.contains(['*', '?', '[', '(']))
    }
}

/// How values become several fields.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Splitting {
    Never,
    At(String),
}

/// The fields of a word, as they grow.
pub(super) struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    splitting: Splitting,
    /// Text itself is split too: it is the word of `${x:-word}`.
    text: bool,
    /// A separator other than white space ended the last field.
    in_quotes: usize,
}

impl Fields {
    pub(super) fn new(splitting: Splitting) -> Self {
        Self { done: Vec::new(), current: None, splitting, text: false, in_quotes: 0 }
    }

    pub(super) fn finish(mut self) -> Vec<Field> {
        self.done.extend(self.current.take());
        self.done
    }

    /// Where nothing is split there is one field.
    pub(super) fn into_one(self) -> Field {
        let mut fields = self.finish().into_iter();
        fields.next().unwrap_or_default()
    }

    pub(super) fn splits(&self) -> bool {
        self.splitting != Splitting::Never
    }

    pub(super) fn splits_text(&self) -> bool {
        self.text && self.splits()
    }

    /// Says whether text is split from here on; gives what was so before.
    pub(super) fn split_text(&mut self, split: bool) -> bool {
        std::mem::replace(&mut self.text, split)
    }

    pub(super) fn push(&mut self, text: &str, quoted: bool) {
        if !text.is_empty() || quoted {
            self.current.get_or_insert_default().push(text, quoted);
        }
    }

    /// Quotes open: there is a field, if only an empty one.
    pub(super) fn open_quotes(&mut self, empty: bool) {
        self.in_quotes += 1;
        if empty {
            self.push("", true);
        }
    }

    /// Quotes close. Without anything in them they are an empty field, unless they held
    /// nothing but a list without members.
    pub(super) fn close_quotes(&mut self, list_only: bool) {
        self.in_quotes -= 1;
        if !list_only {
            self.push("", true);
        }
    }

    /// The value of an expansion.
    pub(super) fn value(&mut self, text: &str, quoted: bool) {
        if quoted || !self.splits() {
            self.push(text, quoted);
        } else {
            self.split(text);
        }
    }

    /// Ends the field that grows.
    pub(super) fn next(&mut self) {
        self.done.extend(self.current.take());
    }

    /// Several values, each a field of its own.
    pub(super) fn values(&mut self, values: &[String], quoted: bool) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.next();
            }
            if quoted {
                self.push(value, true);
            } else {
                self.split(value);
            }
        }
    }

    /// Splits at what separates.
    pub(super) fn split(&mut self, text: &str) {
        let Splitting::At(ifs) = self.splitting.clone() else {
            self.push(text, false);
            return;
        };
        let white = |c: char| ifs.contains(c) && matches!(c, ' ' | '\t' | '\n');
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if white(c) {
                while chars.next_if(|c| white(*c)).is_some() {}
                if self.current.is_some() {
                    // White space around another separator belongs to it.
                    if chars.next_if(|c| ifs.contains(*c)).is_some() {
                        while chars.next_if(|c| white(*c)).is_some() {}
                    }
                    self.next();
                }
            } else if ifs.contains(c) {
                self.current.get_or_insert_default();
                self.next();
                while chars.next_if(|c| white(*c)).is_some() {}
            } else {
                self.push(c.encode_utf8(&mut [0; 4]), false);
            }
        }
    }
}
