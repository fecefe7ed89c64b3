//! Escapes: how percent-encoding, JSON, HTML, C and quoted-printable write one byte as several.
//!
//! Read without knowing which of them a text uses, so one run of bytes may be read in more than one way.

use super::class::Class;

/// Escapes that are themselves escaped (`%2541`, `\\u0041`, `&amp;#65;`) are read this many times over.
const LAYERS_MAX: usize = 3;
/// Backslashes before what they escape: three layers make seven.
const BACKSLASHES_MAX: usize = 7;
/// Digits of a number in HTML or in `\u{…}`, leading zeros included. HTML has no limit; what is beyond is found in what a tool
/// makes of it, since that is searched too. So much is held back and read again at most.
const DIGITS_MAX: usize = 256;

/// What escapes begin with.
pub(super) fn is_introducer(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'=')
}

/// Gives each way to read the beginning of `text`: a byte, or nothing for a line break that quoted-printable adds, and
/// how long it is. Says whether the text ended before everything was read.
pub(super) fn read(text: &[u8], mut found: impl FnMut(Option<u8>, usize)) -> bool {
    match text.first() {
        Some(b'%') => percent(text, &mut found),
        Some(b'=') => quoted_printable(text, &mut found),
        Some(b'\\') => backslash(text, &mut found),
        Some(b'&') => html(text, &mut found),
        _ => false,
    }
}

/// The value of two hexadecimal digits; `Err` if the text ended before.
fn hex_pair(text: &[u8]) -> Result<Option<u8>, Ended> {
    let Some(&high) = text.first() else { return Err(Ended) };
    let Some(high) = hex(high) else { return Ok(None) };
    let Some(&low) = text.get(1) else { return Err(Ended) };
    Ok(hex(low).map(|low| high << 4 | low))
}

struct Ended;

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Whether `text` begins with `wanted`, in any case; `Err` if it ended before that could be said.
fn begins(text: &[u8], wanted: &[u8]) -> Result<bool, Ended> {
    let length = text.len().min(wanted.len());
    match text[..length].eq_ignore_ascii_case(&wanted[..length]) {
        true if length < wanted.len() => Err(Ended),
        same => Ok(same),
    }
}

/// `%41`, `%2541` and the `%u0041` of old JavaScript.
fn percent(text: &[u8], found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    let mut at = 1;
    for _ in 0..LAYERS_MAX {
        match hex_pair(&text[at..]) {
            Err(Ended) => return true,
            Ok(Some(byte)) => {
                found(Some(byte), at + 2);
                if byte != b'%' {
                    return false;
                }
                at += 2;
            }
            Ok(None) => {
                return match begins(&text[at..], b"u00") {
                    Err(Ended) => true,
                    Ok(false) => false,
                    Ok(true) => fixed(text, at + 3, found),
                };
            }
        }
    }
    false
}

/// Two digits at `at`, and nothing else.
fn fixed(text: &[u8], at: usize, found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    match hex_pair(&text[at..]) {
        Err(Ended) => true,
        Ok(None) => false,
        Ok(Some(byte)) => {
            found(Some(byte), at + 2);
            false
        }
    }
}

/// `=41`, and the line breaks that mail adds.
fn quoted_printable(text: &[u8], found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    match (text.get(1), text.get(2)) {
        (None, _) | (Some(b'\r'), None) => true,
        (Some(b'\n'), _) => {
            found(None, 2);
            false
        }
        (Some(b'\r'), Some(b'\n')) => {
            found(None, 3);
            false
        }
        _ => fixed(text, 1, found),
    }
}

/// `\u0041`, `\u{41}`, `\x41`, `\101`, `\n`, `\/` and any other byte that needs no escape.
fn backslash(text: &[u8], found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    let run = text.iter().take(BACKSLASHES_MAX + 1).take_while(|byte| **byte == b'\\').count();
    for length in [2, 4, 8].into_iter().filter(|length| *length <= run) {
        found(Some(b'\\'), length);
    }
    if run > BACKSLASHES_MAX {
        return false;
    }
    let Some(&kind) = text.get(run) else { return true };
    let single = match kind {
        b'x' => return fixed(text, run + 1, found),
        b'u' | b'U' => return unicode(text, run + 1, kind == b'U', found),
        b'0'..=b'7' => return octal(text, run, found),
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        _ if kind.is_ascii_alphanumeric() => return false,
        other => other,
    };
    found(Some(single), run + 1);
    false
}

fn unicode(text: &[u8], at: usize, is_long: bool, found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    if text.get(at) == Some(&b'{') {
        let (value, end) = number(text, at + 1, 16);
        return match text.get(end) {
            None => end - at <= DIGITS_MAX,
            Some(b'}') if end > at + 1 => {
                if let Some(byte) = value {
                    found(Some(byte), end + 1);
                }
                false
            }
            Some(_) => false,
        };
    }
    let zeros: &[u8] = if is_long { b"000000" } else { b"00" };
    match begins(&text[at..], zeros) {
        Err(Ended) => true,
        Ok(false) => false,
        Ok(true) => fixed(text, at + zeros.len(), found),
    }
}

/// One to three digits, as many as there are.
fn octal(text: &[u8], at: usize, found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    let digits = text[at..].iter().take(3).take_while(|digit| matches!(digit, b'0'..=b'7')).count();
    let value = text[at..at + digits].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    if let Ok(byte) = u8::try_from(value) {
        found(Some(byte), at + digits);
    }
    digits < 3 && at + digits == text.len()
}

/// Digits of a number, if it is a byte, and where they end.
fn number(text: &[u8], at: usize, radix: u32) -> (Option<u8>, usize) {
    let mut value = 0_u32;
    let mut end = at;
    while let Some(digit) = text.get(end).and_then(|digit| char::from(*digit).to_digit(radix)) {
        if end - at == DIGITS_MAX {
            return (None, end);
        }
        value = value.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    (u8::try_from(value).ok(), end)
}

/// `&#65;`, `&#x41;`, `&amp;`, each without its semicolon too, and `&amp;#65;`.
fn html(text: &[u8], found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    let mut at = 1;
    for _ in 0..LAYERS_MAX {
        if text.get(at) == Some(&b'#') {
            return reference(text, at + 1, found);
        }
        let rest = &text[at..];
        let Some(&letter) = rest.first() else { return true };
        let mut is_open = false;
        for (name, byte) in names(letter) {
            match begins(rest, name) {
                Err(Ended) => is_open = true,
                Ok(false) => {}
                Ok(true) => {
                    let end = at + name.len();
                    found(Some(*byte), end + usize::from(text.get(end) == Some(&b';')));
                    is_open |= end == text.len();
                }
            }
        }
        if is_open {
            return true;
        }
        if !matches!(begins(rest, b"amp;"), Ok(true)) {
            return false;
        }
        at += 4;
    }
    false
}

fn reference(text: &[u8], at: usize, found: &mut impl FnMut(Option<u8>, usize)) -> bool {
    let is_hex = matches!(text.get(at), Some(b'x' | b'X'));
    let digits = at + usize::from(is_hex);
    let (value, end) = number(text, digits, if is_hex { 16 } else { 10 });
    if let Some(byte) = value.filter(|_| end > digits) {
        found(Some(byte), end + usize::from(text.get(end) == Some(&b';')));
    }
    end == text.len() && end - digits < DIGITS_MAX
}

/// A quote within quotes: written twice, or as shells have it (`'\''`).
pub(super) struct Doubled {
    /// Bytes that stand for the one quote.
    pub(super) length: Option<usize>,
    /// Whether the text ended before that could be said.
    pub(super) is_cut: bool,
}

/// Reads the quote that `text` begins with, if it does.
pub(super) fn doubled(text: &[u8]) -> Doubled {
    let is = |length| Doubled { length, is_cut: false };
    match text {
        [b'"', b'"', ..] | [b'\'', b'\'', ..] => is(Some(2)),
        [b'\'', b'\\', b'\'', b'\'', ..] => is(Some(4)),
        [b'"'] | [b'\''] | [b'\'', b'\\'] | [b'\'', b'\\', b'\''] => Doubled { length: None, is_cut: true },
        _ => is(None),
    }
}

/// Where the names with each letter begin.
const NAMES_BY_LETTER: [usize; 27] = {
    let mut starts = [0; 27];
    let mut letter = 0;
    while letter < 27 {
        let mut at = 0;
        while at < NAMES.len() && ((NAMES[at].0[0] - b'a') as usize) < letter {
            at += 1;
        }
        starts[letter] = at;
        letter += 1;
    }
    starts
};

/// The names that begin with a letter.
fn names(letter: u8) -> &'static [(&'static [u8], u8)] {
    match letter.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => {
            let at = usize::from(letter - b'a');
            &NAMES[NAMES_BY_LETTER[at]..NAMES_BY_LETTER[at + 1]]
        }
        _ => &[],
    }
}

/// HTML's names for ASCII, sorted, in any case since some writers shout.
const NAMES: &[(&[u8], u8)] = &[
    (b"amp", b'&'),
    (b"apos", b'\''),
    (b"ast", b'*'),
    (b"bsol", b'\\'),
    (b"colon", b':'),
    (b"comma", b','),
    (b"commat", b'@'),
    (b"diacriticalgrave", b'`'),
    (b"dollar", b'$'),
    (b"equals", b'='),
    (b"excl", b'!'),
    (b"grave", b'`'),
    (b"gt", b'>'),
    (b"hat", b'^'),
    (b"lbrace", b'{'),
    (b"lbrack", b'['),
    (b"lcub", b'{'),
    (b"lowbar", b'_'),
    (b"lpar", b'('),
    (b"lsqb", b'['),
    (b"lt", b'<'),
    (b"midast", b'*'),
    (b"newline", b'\n'),
    (b"num", b'#'),
    (b"percnt", b'%'),
    (b"period", b'.'),
    (b"plus", b'+'),
    (b"quest", b'?'),
    (b"quot", b'"'),
    (b"rbrace", b'}'),
    (b"rbrack", b']'),
    (b"rcub", b'}'),
    (b"rpar", b')'),
    (b"rsqb", b']'),
    (b"semi", b';'),
    (b"sol", b'/'),
    (b"tab", b'\t'),
    (b"underbar", b'_'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
    (b"verticalline", b'|'),
];

/// Whether `text`, which ends within an escape, may go on so that it is read as a byte of `wanted`.
pub(super) fn may_become(text: &[u8], wanted: &Class) -> bool {
    text.len() == 1 || wanted.bytes().any(|byte| may_become_byte(text, byte))
}

fn may_become_byte(text: &[u8], byte: u8) -> bool {
    match text.first() {
        Some(b'%') => ["%", "%25", "%2525"].iter().any(|layers| {
            is_start(text, &format!("{layers}{byte:02x}")) || is_start(text, &format!("{layers}u00{byte:02x}"))
        }),
        Some(b'=') => text == b"=\r" || is_start(text, &format!("={byte:02x}")),
        Some(b'\\') => {
            let body = &text[text.iter().take_while(|byte| **byte == b'\\').count()..];
            let zeros = zeros(body.get(2..));
            let written = [
                format!("x{byte:02x}"),
                format!("u00{byte:02x}"),
                format!("U000000{byte:02x}"),
                format!("u{{{zeros}{byte:x}}}"),
                format!("{byte:o}"),
                format!("{byte:02o}"),
                format!("{byte:03o}"),
            ];
            body.is_empty() || written.iter().any(|written| is_start(body, written))
        }
        Some(b'&') => html_may_become(&text[1..], byte, LAYERS_MAX),
        _ => false,
    }
}

/// Whether `written` begins with `text`, and goes on.
fn is_start(text: &[u8], written: &str) -> bool {
    let written = written.as_bytes();
    text.len() < written.len() && text.eq_ignore_ascii_case(&written[..text.len()])
}

/// The zeros that a text begins with.
fn zeros(text: Option<&[u8]>) -> String {
    "0".repeat(text.unwrap_or_default().iter().take(DIGITS_MAX).take_while(|digit| **digit == b'0').count())
}

fn html_may_become(text: &[u8], byte: u8, layers: usize) -> bool {
    let is_named =
        || NAMES.iter().any(|(name, own)| *own == byte && is_start(text, &format!("{};", name.escape_ascii())));
    let is_number = || {
        is_start(text, "#x")
            || is_start(text, &format!("#x{}{byte:x};", zeros(text.get(2..))))
            || is_start(text, &format!("#{}{byte};", zeros(text.get(1..))))
    };
    let is_nested = || {
        layers > 1
            && (is_start(text, "amp;")
                || matches!(begins(text, b"amp;"), Ok(true)) && html_may_become(&text[4..], byte, layers - 1))
    };
    is_named() || is_number() || is_nested()
}
