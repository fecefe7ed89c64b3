//! `printf`.

use super::extended;
use crate::shell::{Run, Shell};
use crate::text::{Escapes, backslashed, unescape};

/// A conversion of a format.
#[derive(Default)]
struct Conversion {
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    hash: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Printer<'a> {
    shell: &'a mut Shell,
    args: &'a [String],
    used: usize,
    out: String,
    status: i32,
    ended: bool,
}

pub(super) fn printf(shell: &mut Shell, args: &[String]) -> Run {
    let (variable, args) = match args {
        [option, name, rest @ ..] if option == "-v" => (Some(name.clone()), rest),
        [option, rest @ ..] if option == "--" => (None, rest),
        args => (None, args),
    };
    let [format, args @ ..] = args else {
        shell.err("printf: usage: printf [-v var] format [arguments]\n");
        return Ok(2);
    };
    let mut printer = Printer { shell, args, used: 0, out: String::new(), status: 0, ended: false };
    loop {
        let before = printer.used;
        printer.pass(format);
        if printer.ended || printer.used >= args.len() || printer.used == before {
            break;
        }
        printer.shell.check_time()?;
    }
    let (out, status) = (crate::text::settled(&printer.out), printer.status);
    if let Some(name) = variable {
        let (name, index) = crate::expand::split_reference(&name);
        return Ok(if shell.assign((&name, index.as_ref()), &out, false).is_ok() { status } else { 1 });
    }
    let written = shell.out(&out)?;
    Ok(if written == 0 { status } else { written })
}

impl Printer<'_> {
    fn pass(&mut self, format: &str) {
        let chars: Vec<char> = format.chars().collect();
        let mut i = 0;
        while i < chars.len() && !self.ended {
            match chars[i] {
                '\\' => {
                    let end = escape_end(&chars, i);
                    let source: String = chars[i..end].iter().collect();
                    self.out.push_str(&raw_unescaped(&source));
                    i = end;
                }
                '%' if chars.get(i + 1) == Some(&'%') => {
                    self.out.push('%');
                    i += 2;
                }
                '%' => i = self.conversion(&chars, i + 1),
                c => {
                    self.out.push(c);
                    i += 1;
                }
            }
        }
    }

    fn next(&mut self) -> Option<String> {
        let arg = self.args.get(self.used).cloned();
        self.used += 1;
        arg
    }

    /// Past `%`; gives where the conversion ends.
    fn conversion(&mut self, chars: &[char], mut i: usize) -> usize {
        let mut conversion = Conversion::default();
        while let Some(c) = chars.get(i) {
            match c {
                '-' => conversion.minus = true,
                '+' => conversion.plus = true,
                ' ' => conversion.space = true,
                '0' => conversion.zero = true,
                '#' => conversion.hash = true,
                _ => break,
            }
            i += 1;
        }
        let width = self.count(chars, &mut i);
        conversion.minus |= width.is_some_and(|width| width < 0);
        conversion.width = width.and_then(|width| usize::try_from(width.unsigned_abs()).ok());
        if chars.get(i) == Some(&'.') {
            i += 1;
            let precision = self.count(chars, &mut i).unwrap_or(0);
            conversion.precision = usize::try_from(precision).ok();
        }
        while chars.get(i).is_some_and(|c| "hlLqjzt".contains(*c))
            && chars.get(i + 1).is_some_and(char::is_ascii_alphabetic)
        {
            i += 1;
        }
        if chars.get(i) == Some(&'(')
            && let Some(length) = chars[i..].iter().position(|c| *c == ')')
        {
            let format: String = chars[i + 1..i + length].iter().collect();
            self.time(&conversion, &format);
            return i + length + 2;
        }
        let Some(kind) = chars.get(i) else {
            self.shell.complain("printf: `%': missing format character");
            self.status = 1;
            self.ended = true;
            return i;
        };
        self.convert(*kind, &conversion);
        i + 1
    }

    fn count(&mut self, chars: &[char], i: &mut usize) -> Option<i64> {
        if chars.get(*i) == Some(&'*') {
            *i += 1;
            let arg = self.next().unwrap_or_default();
            return Some(self.number(&arg));
        }
        let from = *i;
        while chars.get(*i).is_some_and(char::is_ascii_digit) {
            *i += 1;
        }
        chars[from..*i].iter().collect::<String>().parse().ok()
    }

    fn convert(&mut self, kind: char, conversion: &Conversion) {
        match kind {
            's' => {
                let arg = self.next().unwrap_or_default();
                self.text(conversion, &arg);
            }
            'b' => {
                let arg = self.next().unwrap_or_default();
                let unescaped = unescape(&arg, Escapes::Echo);
                self.text(conversion, &unescaped.text);
                self.ended |= unescaped.ended;
            }
            'q' => {
                let arg = self.next().unwrap_or_default();
                self.text(conversion, &backslashed(&arg));
            }
            'c' => {
                let arg = self.next().unwrap_or_default();
                let first: String = arg.chars().take(1).collect();
                self.text(conversion, &first);
            }
            'd' | 'i' => {
                let arg = self.next().unwrap_or_default();
                let value = self.number(&arg);
                self.integer(conversion, value.unsigned_abs().to_string(), "", Some(value < 0));
            }
            'u' | 'o' | 'x' | 'X' => {
                let arg = self.next().unwrap_or_default();
                let value = self.number(&arg).cast_unsigned();
                let (digits, prefix) = match kind {
                    'u' => (value.to_string(), ""),
                    'o' => (format!("{value:o}"), "0"),
                    'x' => (format!("{value:x}"), "0x"),
                    _ => (format!("{value:X}"), "0X"),
                };
                let prefix = if conversion.hash && value != 0 { prefix } else { "" };
                self.integer(conversion, digits, prefix, None);
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'a' | 'A' => {
                let arg = self.next().unwrap_or_default();
                self.float(kind, conversion, &arg);
            }
            'n' => {}
            other => {
                self.shell.complain(&format!("printf: `{other}': invalid format character"));
                self.status = 1;
                self.ended = true;
            }
        }
    }

    fn text(&mut self, conversion: &Conversion, text: &str) {
        let text: String = match conversion.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        self.padded(conversion, &text, ' ');
    }

    fn padded(&mut self, conversion: &Conversion, text: &str, with: char) {
        let width = conversion.width.unwrap_or(0).min(1 << 20);
        // The width counts bytes, as in C.
        let missing = width.saturating_sub(crate::text::to_bytes(text).len());
        let padding = std::iter::repeat_n(with, missing);
        if conversion.minus {
            self.out.push_str(text);
            self.out.extend(std::iter::repeat_n(' ', missing));
        } else {
            self.out.extend(padding);
            self.out.push_str(text);
        }
    }

    fn integer(&mut self, conversion: &Conversion, digits: String, prefix: &str, negative: Option<bool>) {
        let sign = match negative {
            Some(true) => "-",
            Some(false) if conversion.plus => "+",
            Some(false) if conversion.space => " ",
            _ => "",
        };
        let mut digits = digits;
        let least = conversion.precision.unwrap_or(1);
        if least == 0 && digits == "0" {
            digits.clear();
        }
        let zeros = if conversion.precision.is_none() && conversion.zero && !conversion.minus {
            conversion.width.unwrap_or(0).saturating_sub(sign.len() + prefix.len() + digits.len())
        } else {
            least.saturating_sub(digits.len())
        };
        let zeros = "0".repeat(zeros.min(1 << 20));
        self.padded(conversion, &format!("{sign}{prefix}{zeros}{digits}"), ' ');
    }

    fn float(&mut self, kind: char, conversion: &Conversion, arg: &str) {
        let value = match arg.trim().parse::<f64>() {
            Ok(value) => value,
            Err(_) if arg.is_empty() => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "it is what was asked for")]
            Err(_) => self.number(arg) as f64,
        };
        let digits = conversion.precision.unwrap_or(6);
        let text = match kind {
            'f' | 'F' => extended::fixed(arg.trim().trim_start_matches(['-', '+']), digits)
                .unwrap_or_else(|| format!("{:.digits$}", value.abs())),
            'e' | 'E' => scientific(value.abs(), digits),
            _ => general(value.abs(), digits.max(1), conversion.hash),
        };
        let text = if kind.is_uppercase() { text.to_uppercase() } else { text };
        let finite = value.is_finite();
        let sign = match (value.is_sign_negative(), conversion.plus, conversion.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let text = text.replace("NaN", "nan");
        if conversion.zero && !conversion.minus && finite {
            let zeros = conversion.width.unwrap_or(0).saturating_sub(sign.len() + text.len());
            self.padded(conversion, &format!("{sign}{}{text}", "0".repeat(zeros.min(1 << 20))), ' ');
        } else {
            self.padded(conversion, &format!("{sign}{text}"), ' ');
        }
    }

    fn number(&mut self, arg: &str) -> i64 {
        let text = arg.trim_start();
        if let Some(rest) = text.strip_prefix(['\'', '"']) {
            return rest.chars().next().map_or(0, |c| i64::from(u32::from(c)));
        }
        if text.is_empty() {
            return 0;
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (radix, digits) = match digits {
            hex if hex.starts_with("0x") || hex.starts_with("0X") => (16, &hex[2..]),
            octal if octal.len() > 1 && octal.starts_with('0') => (8, &octal[1..]),
            decimal => (10, decimal),
        };
        let valid = digits.chars().take_while(|c| c.is_digit(radix)).count();
        let value = u64::from_str_radix(&digits[..valid], radix).unwrap_or(if valid == 0 {
            0
        } else {
            i64::MAX.cast_unsigned()
        });
        if valid < digits.len() || valid == 0 {
            self.shell.complain(&format!("printf: {arg}: invalid number"));
            self.status = 1;
        }
        if negative { value.cast_signed().wrapping_neg() } else { value.cast_signed() }
    }

    fn time(&mut self, conversion: &Conversion, format: &str) {
        let arg = self.next().unwrap_or_else(|| "-1".to_owned());
        let seconds = match self.number(&arg) {
            -1 => crate::clock::seconds(),
            -2 => self.shell.state.began,
            seconds => seconds,
        };
        let format = if format.is_empty() { "%H:%M:%S" } else { format };
        let text = crate::clock::format(format, seconds);
        self.text(conversion, &text);
    }
}

fn raw_unescaped(source: &str) -> String {
    unescape(source, Escapes::Format).text
}

/// Where the escape that begins here ends.
fn escape_end(chars: &[char], at: usize) -> usize {
    let Some(kind) = chars.get(at + 1) else { return at + 1 };
    let (radix, most, from) = match kind {
        'x' => (16, 2, at + 2),
        'u' => (16, 4, at + 2),
        'U' => (16, 8, at + 2),
        '0'..='7' => (8, 3, at + 1),
        _ => return at + 2,
    };
    from + chars[from..].iter().take(most).take_while(|c| c.is_digit(radix)).count()
}

fn scientific(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let exponent: i32 = exponent.parse().unwrap_or(0);
            format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        None => text,
    }
}

fn general(value: f64, digits: usize, keeps_zeros: bool) -> String {
    let scientific_form = scientific(value, digits - 1);
    let exponent: i32 = scientific_form.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let digits = i32::try_from(digits).unwrap_or(i32::MAX);
    let trim = |text: &str| -> String {
        if text.contains('.') && !keeps_zeros {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if exponent < -4 || exponent >= digits {
        return match scientific_form.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", trim(mantissa)),
            None => scientific_form,
        };
    }
    let places = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    trim(&format!("{value:.places$}"))
}
