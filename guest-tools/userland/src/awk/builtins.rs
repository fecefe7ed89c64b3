//! The functions that awk has itself.

use super::Problem;
use super::fields::split_by;
use super::interpret::{Halt, Interpreter, Slot};
use super::syntax::{Builtin, Expr, FS, Place, RLENGTH, RSTART};
use super::text::{Which, replace};
use super::value::{Text, Value, character_count, characters};
use crate::spawn::{Stdin, Stdout, start_shell};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

impl Interpreter<'_> {
    pub(super) fn builtin(&mut self, builtin: Builtin, arguments: &[Expr]) -> Result<Value, Halt> {
        match builtin {
            Builtin::Length => return self.length(arguments),
            Builtin::Sub | Builtin::Gsub => return self.substitute(builtin == Builtin::Gsub, arguments),
            Builtin::Gensub => return self.gensub(arguments),
            Builtin::Match => return self.match_text(arguments),
            Builtin::Split => return self.split(arguments),
            Builtin::Asort | Builtin::Asorti => return self.sort(builtin == Builtin::Asorti, arguments),
            Builtin::Sprintf => return Ok(Value::String(Rc::from(self.formatted(arguments)?))),
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        let number = |place: usize| values.get(place).map_or(0.0, Value::number);
        Ok(Value::Number(match builtin {
            Builtin::Atan2 => number(0).atan2(number(1)),
            Builtin::Cos => number(0).cos(),
            Builtin::Exp => number(0).exp(),
            Builtin::Int => number(0).trunc(),
            Builtin::Log => number(0).ln(),
            Builtin::Sin => number(0).sin(),
            Builtin::Sqrt => number(0).sqrt(),
            Builtin::Rand => self.random.next(),
            Builtin::Srand => {
                let before = self.random.seed;
                let seed = if values.is_empty() { now() } else { number(0) };
                self.random.sow(seed);
                before
            }
            Builtin::Systime => now(),
            Builtin::And => whole(whole_bits(number(0)) & whole_bits(number(1))),
            Builtin::Or => whole(whole_bits(number(0)) | whole_bits(number(1))),
            Builtin::Xor => whole(whole_bits(number(0)) ^ whole_bits(number(1))),
            Builtin::Lshift => whole(whole_bits(number(0)) << (whole_bits(number(1)) & 63)),
            Builtin::Rshift => whole(whole_bits(number(0)) >> (whole_bits(number(1)) & 63)),
            _ => return self.of_text(builtin, &values),
        }))
    }

    /// Functions whose first argument is a text.
    fn of_text(&mut self, builtin: Builtin, values: &[Value]) -> Result<Value, Halt> {
        let texts: Vec<Text> = values.iter().map(|value| self.text(value)).collect();
        let text = |place: usize| texts.get(place).map_or(&b""[..], |text| &text[..]);
        Ok(match builtin {
            Builtin::Index => {
                let found = memchr::memmem::find(text(0), text(1)).filter(|_| !text(1).is_empty());
                count(found.map_or(0, |at| character_count(&text(0)[..at]) + 1))
            }
            Builtin::Substr => Value::String(Rc::from(substring(text(0), &values[1..]))),
            Builtin::Tolower => Value::string(in_case(text(0), str::to_lowercase)),
            Builtin::Toupper => Value::string(in_case(text(0), str::to_uppercase)),
            Builtin::Strtonum => Value::Number(from_any_base(text(0))),
            Builtin::Fflush => {
                self.outputs.flush();
                Value::Number(0.0)
            }
            Builtin::Close => {
                let name = String::from_utf8_lossy(text(0)).into_owned();
                let status = self.outputs.close(&name).or_else(|| self.inputs.close(&name));
                Value::Number(f64::from(status.unwrap_or(-1)))
            }
            Builtin::System => {
                self.outputs.flush();
                let command = String::from_utf8_lossy(text(0)).into_owned();
                let child = start_shell(&command, Stdin::Own, Stdout::Own).map_err(Problem)?;
                Value::Number(f64::from(child.wait()))
            }
            Builtin::Strftime => {
                let form = if values.is_empty() {
                    "%a %b %e %H:%M:%S UTC %Y".into()
                } else {
                    String::from_utf8_lossy(text(0))
                };
                let at = values.get(1).map_or_else(now, Value::number);
                Value::string(crate::calendar::format(&form, at))
            }
            _ => return Err(Problem("a function is not there".to_owned()).into()),
        })
    }

    fn length(&mut self, arguments: &[Expr]) -> Result<Value, Halt> {
        let place = match arguments {
            [] => return Ok(count(character_count(&self.record.text()))),
            [Expr::Variable(place) | Expr::Array(place)] => Some(*place),
            _ => None,
        };
        if let Some(place) = place
            && let Slot::Array(array) = self.slot(place)
        {
            return Ok(count(array.borrow().len()));
        }
        let value = self.eval(&arguments[0])?;
        Ok(count(character_count(&self.text(&value))))
    }

    fn substitute(&mut self, all: bool, arguments: &[Expr]) -> Result<Value, Halt> {
        let [pattern, by, rest @ ..] = arguments else {
            return Err(Problem("sub and gsub take a pattern and a replacement".to_owned()).into());
        };
        let record = Expr::Field(Box::new(Expr::Number(0.0)));
        let target = rest.first().unwrap_or(&record);
        let regex = self.pattern(pattern)?;
        let by = self.eval(by)?;
        let by = self.text(&by);
        let old = self.eval(target)?;
        let old = self.text(&old);
        let which = if all { Which::All } else { Which::Nth(1) };
        let (new, replaced) = replace(&old, &regex, &by, which, false);
        if replaced > 0 {
            self.assign(target, Value::string(new))?;
        }
        Ok(count(replaced))
    }

    fn gensub(&mut self, arguments: &[Expr]) -> Result<Value, Halt> {
        let [pattern, by, how, rest @ ..] = arguments else {
            return Err(Problem("gensub takes a pattern, a replacement and which".to_owned()).into());
        };
        let regex = self.pattern(pattern)?;
        let by = self.eval(by)?;
        let how = self.eval(how)?;
        let text = match rest.first() {
            Some(text) => self.eval(text)?,
            None => Value::String(self.record.text()),
        };
        let global = matches!(self.text(&how).first(), Some(b'g' | b'G'));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1")]
        let which = if global { Which::All } else { Which::Nth(how.number().max(1.0) as usize) };
        let (new, _) = replace(&self.text(&text), &regex, &self.text(&by), which, true);
        Ok(Value::string(new))
    }

    fn match_text(&mut self, arguments: &[Expr]) -> Result<Value, Halt> {
        let [text, pattern, rest @ ..] = arguments else {
            return Err(Problem("match takes a text and a pattern".to_owned()).into());
        };
        let text = self.eval(text)?;
        let text = self.text(&text);
        let regex = self.pattern(pattern)?;
        let found = regex.captures(&text);
        if let Some(Expr::Array(place)) = rest.first() {
            let array = self.array(*place)?;
            let mut array = array.borrow_mut();
            array.clear();
            for (number, group) in found.iter().flat_map(|found| found.iter().enumerate()) {
                if let Some(group) = group {
                    array.insert(Rc::from(number.to_string().as_bytes()), Value::read(group.as_bytes()));
                }
            }
        }
        let whole = found.and_then(|found| found.get(0));
        let (start, length) = whole.map_or((0, None), |whole| {
            (character_count(&text[..whole.start()]) + 1, Some(character_count(whole.as_bytes())))
        });
        let start = count(start);
        self.set_special(RSTART, start.number());
        self.set_special(RLENGTH, length.map_or(-1.0, |length| count(length).number()));
        Ok(start)
    }

    fn split(&mut self, arguments: &[Expr]) -> Result<Value, Halt> {
        let [text, Expr::Array(place), rest @ ..] = arguments else {
            return Err(Problem("split takes a text and an array".to_owned()).into());
        };
        let text = self.eval(text)?;
        let text = self.text(&text);
        let parts = match rest.first() {
            Some(Expr::Regex(regex)) if text.is_empty() => {
                let _ = regex;
                Vec::new()
            }
            Some(pattern @ Expr::Regex(_)) => split_by(&text, &*self.pattern(pattern)?),
            Some(separator) => {
                let separator = self.eval(separator)?;
                let separator = self.text(&separator);
                self.split_text(&text, &separator)?
            }
            None => {
                let separator = self.special(FS);
                self.split_text(&text, &separator)?
            }
        };
        self.fill_array(*place, parts.into_iter().map(Value::Read))
    }

    fn fill_array(&mut self, place: Place, values: impl Iterator<Item = Value>) -> Result<Value, Halt> {
        let array = self.array(place)?;
        let mut array = array.borrow_mut();
        array.clear();
        for (number, value) in (1_usize..).zip(values) {
            array.insert(Rc::from(number.to_string().as_bytes()), value);
        }
        Ok(count(array.len()))
    }

    fn sort(&mut self, keys: bool, arguments: &[Expr]) -> Result<Value, Halt> {
        let Some(Expr::Array(from)) = arguments.first() else {
            return Err(Problem("asort takes an array".to_owned()).into());
        };
        let to = if let Some(Expr::Array(to)) = arguments.get(1) { to } else { from };
        let array = self.array(*from)?;
        let mut values: Vec<Value> = if keys {
            array.borrow().keys().cloned().map(Value::String).collect()
        } else {
            array.borrow().values().cloned().collect()
        };
        values.sort_by(|left, right| left.compare(right, "%.6g").unwrap_or(std::cmp::Ordering::Equal));
        self.fill_array(*to, values.into_iter())
    }
}

fn count(count: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "no text is that long")]
    Value::Number(count as f64)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64().trunc())
}

fn whole_bits(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as C does it")]
    let bits = number as u64;
    bits
}

fn whole(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "numbers are floats here")]
    let number = bits as f64;
    number
}

/// From a place counted from 1, by characters. Places outside the text count as empty.
fn substring(text: &[u8], range: &[Value]) -> Vec<u8> {
    let start = range.first().map_or(1.0, Value::number);
    let start = round_even(start);
    let end = range.get(1).map_or(f64::INFINITY, |length| start + round_even(length.number()));
    if start.is_nan() || end.is_nan() {
        return Vec::new();
    }
    let starts = if text.is_ascii() { None } else { Some(characters(text)) };
    let most = starts.as_ref().map_or(text.len(), Vec::len);
    #[expect(clippy::cast_precision_loss, reason = "no text is that long")]
    let past = most as f64 + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the text")]
    let place = |number: f64| (number.clamp(1.0, past) - 1.0) as usize;
    let (from, to) = (place(start), place(end));
    let byte = |place: usize| match &starts {
        Some(starts) => starts.get(place).copied().unwrap_or(text.len()),
        None => place,
    };
    text.get(byte(from)..byte(to)).map(<[u8]>::to_vec).unwrap_or_default()
}

fn round_even(number: f64) -> f64 {
    number.round_ties_even()
}

fn in_case(text: &[u8], change: fn(&str) -> String) -> Vec<u8> {
    match std::str::from_utf8(text) {
        Ok(text) => change(text).into_bytes(),
        Err(_) => text.to_vec(),
    }
}

/// `0x1f`, `017` or a decimal number.
fn from_any_base(text: &[u8]) -> f64 {
    let trimmed = String::from_utf8_lossy(text.trim_ascii()).into_owned();
    let parsed = if let Some(digits) = trimmed.strip_prefix("0x").or_else(|| trimmed.strip_prefix("0X")) {
        let end = digits.find(|digit: char| !digit.is_ascii_hexdigit()).unwrap_or(digits.len());
        u64::from_str_radix(&digits[..end], 16).ok()
    } else if trimmed.len() > 1 && trimmed.starts_with('0') && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        u64::from_str_radix(&trimmed, 8).ok()
    } else {
        None
    };
    parsed.map_or_else(|| super::value::leading_number(text).0, whole)
}
