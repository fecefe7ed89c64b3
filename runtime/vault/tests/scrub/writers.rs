//! How servers write a value, and how others read it: independent of what is tested.

/// Random numbers that a seed decides; before them those that somebody chose, such as a fuzzer.
pub(crate) struct Dice {
    pub(crate) seed: u64,
    /// The next one last.
    pub(crate) choices: Vec<u8>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, choices: Vec::new() }
    }

    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        if let Some(choice) = self.choices.pop() {
            // One byte is enough for most; what it cannot reach, the seed does.
            return usize::from(choice) % sides;
        }
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }
}

/// An encoding of all of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Raw,
    Upper,
    Lower,
    Wide(usize),
    WideBig(usize),
    Hex,
    Decimal,
    Base64,
    Base32,
}

pub(crate) const FORMS: [Form; 11] = [
    Form::Raw,
    Form::Upper,
    Form::Lower,
    Form::Wide(1),
    Form::Wide(3),
    Form::WideBig(1),
    Form::WideBig(3),
    Form::Hex,
    Form::Decimal,
    Form::Base64,
    Form::Base32,
];

/// A family of escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    None,
    Percent,
    Backslash,
    Html,
    QuotedPrintable,
}

pub(crate) const ESCAPES: [Escape; 5] =
    [Escape::None, Escape::Percent, Escape::Backslash, Escape::Html, Escape::QuotedPrintable];

/// A value in a form, with something in front and behind that the form takes in.
pub(crate) fn write_form(form: Form, value: &[u8], dice: &mut Dice) -> Vec<u8> {
    let around = |dice: &mut Dice| {
        let before: Vec<u8> = (0..dice.roll(9)).map(|_| dice.roll(256) as u8).collect();
        let after: Vec<u8> = (0..dice.roll(9)).map(|_| dice.roll(256) as u8).collect();
        [before, value.to_vec(), after].concat()
    };
    match form {
        Form::Raw => value.to_vec(),
        Form::Upper => value.to_ascii_uppercase(),
        Form::Lower => value.to_ascii_lowercase(),
        Form::Wide(zeros) => value.iter().flat_map(|byte| [vec![*byte], vec![0; zeros]].concat()).collect(),
        Form::WideBig(zeros) => value.iter().flat_map(|byte| [vec![0; zeros], vec![*byte]].concat()).collect(),
        Form::Hex => {
            let between = dice.pick(&["", "", ":", " ", ", 0x", "-"]);
            let digits = around(dice).into_iter().map(|byte| match dice.roll(2) {
                0 => format!("{byte:02x}"),
                _ => format!("{byte:02X}"),
            });
            digits.collect::<Vec<_>>().join(between).into_bytes()
        }
        Form::Decimal => {
            let between = dice.pick(&[",", ", ", " ", ",\n    "]);
            around(dice).iter().map(u8::to_string).collect::<Vec<_>>().join(between).into_bytes()
        }
        Form::Base64 => {
            let around = around(dice);
            let url = dice.roll(2) == 1;
            let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect();
            let last: &[u8; 2] = if url { b"-_" } else { b"+/" };
            digits(&around, 6, &[&alphabet[..], last].concat(), dice)
        }
        Form::Base32 => {
            let around = around(dice);
            let alphabet: &[u8; 32] =
                dice.pick(&[b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"abcdefghijklmnopqrstuvwxyz234567"]);
            digits(&around, 5, alphabet, dice)
        }
    }
}

fn digits(value: &[u8], bits: usize, alphabet: &[u8], dice: &mut Dice) -> Vec<u8> {
    let bit = |at: usize| usize::from(value.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1));
    let all = (0..value.len() * 8).step_by(bits);
    let mut digits: Vec<u8> =
        all.map(|at| alphabet[(at..at + bits).fold(0, |digit, at| digit * 2 + bit(at))]).collect();
    if dice.roll(2) == 0 {
        let whole = if bits == 6 { 4 } else { 8 };
        digits.resize(digits.len().next_multiple_of(whole), b'=');
    }
    let line = dice.pick(&[usize::MAX, 4, 64, 76]);
    let end: &[u8] = dice.pick(&[&b"\n"[..], b"\r\n", b"\r\n  "]);
    digits.chunks(line.min(digits.len())).collect::<Vec<_>>().join(end)
}

/// Some of the bytes escaped, as `share` of 100 has it.
pub(crate) fn write_escaped(escape: Escape, value: &[u8], share: usize, dice: &mut Dice) -> Vec<u8> {
    let mut written = Vec::new();
    for (at, &byte) in value.iter().enumerate() {
        let is_escaped = dice.roll(100) < share;
        let next = value.get(at + 1).copied().unwrap_or(b' ');
        if escape == Escape::QuotedPrintable && dice.roll(20) == 0 {
            written.extend_from_slice(dice.pick(&[&b"=\r\n"[..], b"=\n"]));
        }
        match escape {
            _ if !is_escaped => written.push(byte),
            Escape::None => written.push(byte),
            Escape::Percent => written.extend(percent(byte, dice).bytes()),
            Escape::Backslash => written.extend(backslash(byte, dice).bytes()),
            Escape::Html => written.extend(html(byte, next, dice).bytes()),
            Escape::QuotedPrintable => written.extend(format!("={byte:02X}").bytes()),
        }
    }
    written
}

fn percent(byte: u8, dice: &mut Dice) -> String {
    dice.pick(&[format!("%{byte:02x}"), format!("%{byte:02X}"), format!("%25{byte:02X}"), format!("%u00{byte:02X}")])
}

fn backslash(byte: u8, dice: &mut Dice) -> String {
    let coded = [
        format!("\\u00{byte:02x}"),
        format!("\\u00{byte:02X}"),
        format!("\\u{{{byte:x}}}"),
        format!("\\U000000{byte:02x}"),
        format!("\\x{byte:02x}"),
        format!("\\{byte:03o}"),
        format!("\\\\u00{byte:02x}"),
    ];
    match (byte, dice.roll(3)) {
        (b'"' | b'\\' | b'/' | b'\'', 0) => format!("\\{}", char::from(byte)),
        (b'"' | b'\\' | b'/', 1) => format!("\\\\\\{}", char::from(byte)),
        (b'\n', _) => "\\n".to_owned(),
        (b'\r', _) => "\\r".to_owned(),
        _ => dice.pick(&coded),
    }
}

fn html(byte: u8, next: u8, dice: &mut Dice) -> String {
    let end = if dice.roll(2) == 0 && !next.is_ascii_alphanumeric() && next != b';' { "" } else { ";" };
    let zeros = "0".repeat(dice.roll(5));
    let name = match byte {
        b'&' => Some("amp"),
        b'<' => Some("lt"),
        b'>' => Some("gt"),
        b'"' => Some("quot"),
        b'/' => Some("sol"),
        b'_' => Some("lowbar"),
        _ => None,
    };
    match (name, dice.roll(4)) {
        (Some(name), 0 | 1) => format!("&{name};"),
        (_, 2) => format!("&#x{zeros}{byte:x}{end}"),
        (_, 3) => format!("&amp;#{byte};"),
        _ => format!("&#{zeros}{byte}{end}"),
    }
}
