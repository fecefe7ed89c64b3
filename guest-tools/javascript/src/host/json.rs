//! `JSON.parse`: the engine's own goes as deep as the text does and stops at 128; this one takes no stack at all.
//! What is wrong is said in the words of V8, which people search for.

use super::Named;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsArray;
use boa_engine::property::PropertyKey;
use boa_engine::{Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue};

pub(super) const FUNCTIONS: &[Named] = &[("parseJson", parse_json)];

/// How much of a long text is shown on each side of what is wrong.
const SHOWN_MAX: usize = 10;

/// What is begun and not ended.
enum Open {
    Array(Vec<JsValue>),
    Object(JsObject, JsString),
}

struct Reader {
    text: Vec<u16>,
    at: usize,
}

fn parse_json(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?.to_vec();
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<Open> = Vec::new();
    loop {
        let Some(mut value) = reader.begin(&mut open, context)? else { continue };
        // A value may be the last of what it stands in, and that the last of what that stands in.
        loop {
            let Some(outer) = open.pop() else {
                reader.blank();
                return match reader.peek() {
                    None => Ok(value),
                    Some(_) => Err(reader.wrong_at("Unexpected non-whitespace character after JSON")),
                };
            };
            match reader.put(outer, value, context)? {
                Put::Whole(whole) => value = whole,
                Put::More(outer) => {
                    open.push(outer);
                    break;
                }
            }
        }
    }
}

/// What putting a value into what it stands in led to.
enum Put {
    Whole(JsValue),
    More(Open),
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).map(|unit| char::from_u32(u32::from(*unit)).unwrap_or('\u{fffd}'))
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, letter: char) -> bool {
        let found = self.peek() == Some(letter);
        self.at += usize::from(found);
        found
    }

    /// A value, or None if an array or object was begun that is not empty.
    fn begin(&mut self, open: &mut Vec<Open>, context: &mut Context) -> JsResult<Option<JsValue>> {
        self.blank();
        match self.peek() {
            Some('[') => {
                self.at += 1;
                self.blank();
                if self.take(']') {
                    return JsArray::new(context).map(|array| Some(array.into()));
                }
                open.push(Open::Array(Vec::new()));
                Ok(None)
            }
            Some('{') => {
                self.at += 1;
                self.blank();
                let object = JsObject::with_object_proto(context.intrinsics());
                if self.take('}') {
                    return Ok(Some(object.into()));
                }
                let key = self.key("Expected property name or '}'")?;
                open.push(Open::Object(object, key));
                Ok(None)
            }
            Some('"') => self.string().map(|string| Some(string.into())),
            Some('-' | '0'..='9') => self.number().map(Some),
            Some('t') => self.word("true", JsValue::from(true)).map(Some),
            Some('f') => self.word("false", JsValue::from(false)).map(Some),
            Some('n') => self.word("null", JsValue::null()).map(Some),
            _ => Err(self.unexpected()),
        }
    }

    fn put(&mut self, outer: Open, value: JsValue, context: &mut Context) -> JsResult<Put> {
        match outer {
            Open::Array(mut items) => {
                items.push(value);
                self.blank();
                if self.take(',') {
                    return Ok(Put::More(Open::Array(items)));
                }
                if self.take(']') {
                    return Ok(Put::Whole(JsArray::from_iter(items, context).into()));
                }
                Err(self.wrong_at("Expected ',' or ']' after array element"))
            }
            Open::Object(object, key) => {
                object.create_data_property_or_throw(PropertyKey::from(key), value, context)?;
                self.blank();
                if self.take(',') {
                    self.blank();
                    let key = self.key("Expected double-quoted property name")?;
                    return Ok(Put::More(Open::Object(object, key)));
                }
                if self.take('}') {
                    return Ok(Put::Whole(object.into()));
                }
                Err(self.wrong_at("Expected ',' or '}' after property value"))
            }
        }
    }

    /// A name and its colon.
    fn key(&mut self, otherwise: &str) -> JsResult<JsString> {
        if self.peek() != Some('"') {
            return Err(self.wrong_at(otherwise));
        }
        let key = self.string()?;
        self.blank();
        if self.take(':') { Ok(key) } else { Err(self.wrong_at("Expected ':' after property name")) }
    }

    fn string(&mut self) -> JsResult<JsString> {
        self.at += 1;
        let mut units = Vec::new();
        loop {
            let Some(unit) = self.text.get(self.at).copied() else {
                return Err(self.wrong_at("Unterminated string"));
            };
            match unit {
                0x22 => {
                    self.at += 1;
                    return Ok(JsString::from(units.as_slice()));
                }
                0x5c => {
                    self.at += 1;
                    units.push(self.escape()?);
                }
                0..0x20 => return Err(self.wrong_at("Bad control character in string literal")),
                _ => units.push(unit),
            }
            self.at += 1;
        }
    }

    /// What stands behind a backslash; its last letter is not passed.
    fn escape(&mut self) -> JsResult<u16> {
        Ok(match self.peek() {
            Some('b') => 8,
            Some('t') => 9,
            Some('n') => 10,
            Some('f') => 12,
            Some('r') => 13,
            Some('u') => {
                let mut unit = 0;
                for _ in 0..4 {
                    self.at += 1;
                    let digit =
                        self.peek().and_then(|digit| digit.to_digit(16)).and_then(|digit| u16::try_from(digit).ok());
                    unit = unit << 4 | digit.ok_or_else(|| self.wrong_at("Bad Unicode escape"))?;
                }
                unit
            }
            Some('"' | '\\' | '/') => self.text[self.at],
            None => return Err(self.wrong_at("Unterminated string")),
            Some(_) => return Err(self.wrong_at("Bad escaped character")),
        })
    }

    fn digits(&mut self) -> bool {
        let from = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        self.at > from
    }

    fn number(&mut self) -> JsResult<JsValue> {
        let from = self.at;
        if self.take('-') && !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.wrong_at("No number after minus sign"));
        }
        if self.take('0') {
            if matches!(self.peek(), Some('0'..='9')) {
                return Err(self.wrong_at("Unexpected number"));
            }
        } else {
            self.digits();
        }
        if self.take('.') && !self.digits() {
            return Err(self.wrong_at("Unterminated fractional number"));
        }
        if self.take('e') || self.take('E') {
            let _ = self.take('+') || self.take('-');
            if !self.digits() {
                return Err(self.wrong_at("Exponent part is missing a number"));
            }
        }
        let number = String::from_utf16_lossy(&self.text[from..self.at]).parse::<f64>().unwrap_or(f64::NAN);
        Ok(JsValue::from(number))
    }

    fn word(&mut self, word: &str, value: JsValue) -> JsResult<JsValue> {
        for letter in word.chars() {
            if !self.take(letter) {
                return Err(self.unexpected());
            }
        }
        Ok(value)
    }

    fn wrong_at(&self, what: &str) -> JsError {
        JsNativeError::syntax()
            .with_message(format!("{what} in JSON at position {}", self.at).replace("after JSON in JSON", "after JSON"))
            .into()
    }

    fn unexpected(&self) -> JsError {
        let Some(letter) = self.peek() else {
            return JsNativeError::syntax().with_message("Unexpected end of JSON input").into();
        };
        if String::from_utf16_lossy(&self.text) == "undefined" {
            return JsNativeError::syntax().with_message("\"undefined\" is not valid JSON").into();
        }
        if letter == '"' {
            return self.wrong_at("Unexpected string");
        }
        if letter.is_ascii_digit() || letter == '-' {
            return self.wrong_at("Unexpected number");
        }
        let whole = self.text.len() <= 2 * SHOWN_MAX;
        let (from, to) = if whole {
            (0, self.text.len())
        } else {
            (self.at.saturating_sub(SHOWN_MAX), (self.at + SHOWN_MAX).min(self.text.len()))
        };
        let shown = String::from_utf16_lossy(&self.text[from..to]);
        let before = if from > 0 { "..." } else { "" };
        let after = if to < self.text.len() { "... " } else { " " };
        let letter = String::from_utf16_lossy(&self.text[self.at..=self.at]);
        JsNativeError::syntax()
            .with_message(format!("Unexpected token '{letter}', {before}\"{shown}\"{after}is not valid JSON"))
            .into()
    }
}
