//! Reads a text in every way that somebody might who looks for a secret in it.

/// Every reading of a text: its escapes undone or not, then each encoding undone.
pub(crate) fn readings(text: &[u8]) -> Vec<Vec<u8>> {
    let mut plain = vec![text.to_vec()];
    for unescape in [percent, backslash, html, quoted_printable] {
        let mut layer = text.to_vec();
        for _ in 0..3 {
            layer = unescape(&layer);
            plain.push(layer.clone());
        }
    }
    let decoded = plain.iter().flat_map(|text| {
        let letters = |keep: fn(&u8) -> bool| text.iter().copied().filter(keep).collect::<Vec<u8>>();
        let without_zeros = letters(|byte| *byte != 0);
        let mut all = vec![without_zeros];
        let hex = String::from_utf8_lossy(text).replace("0x", " ").into_bytes();
        let hex: Vec<u8> = hex.into_iter().filter(u8::is_ascii_hexdigit).collect();
        all.extend(
            (0..2).map(|skip| bits(hex.get(skip..).unwrap_or_default(), 4, |digit| char::from(digit).to_digit(16))),
        );
        all.push(decimal(text));
        let lines = letters(|byte| !byte.is_ascii_whitespace());
        all.extend((0..4).map(|skip| bits(lines.get(skip..).unwrap_or_default(), 6, base64)));
        all.extend((0..8).map(|skip| bits(lines.get(skip..).unwrap_or_default(), 5, base32)));
        all
    });
    let decoded: Vec<Vec<u8>> = decoded.collect();
    plain.extend(decoded);
    plain
}

/// Reads digits; whatever is none counts as zero, so that what stands around does not matter.
fn bits(text: &[u8], bits: u32, digit: fn(u8) -> Option<u32>) -> Vec<u8> {
    let (mut held, mut count, mut read) = (0_u32, 0, Vec::new());
    for value in text.iter().map(|byte| digit(*byte).unwrap_or(0)) {
        held = held << bits | value;
        count += bits;
        if count >= 8 {
            count -= 8;
            read.push((held >> count) as u8);
        }
        held &= (1 << count) - 1;
    }
    read
}

fn base64(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}

fn base32(byte: u8) -> Option<u32> {
    match byte.to_ascii_uppercase() {
        byte @ b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        byte @ b'2'..=b'7' => Some(u32::from(byte - b'2') + 26),
        _ => None,
    }
}

fn decimal(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// Replaces what `read` reads at a place.
fn replace(text: &[u8], read: impl Fn(&str) -> Option<(Option<u8>, usize)>) -> Vec<u8> {
    let mut read_text = Vec::new();
    let mut at = 0;
    // One letter a byte.
    let letters: String = text.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{7f}' }).collect();
    while at < text.len() {
        match read(&letters[at..]) {
            Some((byte, length)) => {
                read_text.extend(byte);
                at += length;
            }
            None => {
                read_text.push(text[at]);
                at += 1;
            }
        }
    }
    read_text
}

fn hex_after(text: &str, start: &str) -> Option<(Option<u8>, usize)> {
    let digits =
        text.strip_prefix(start)?.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    Some((u8::from_str_radix(digits, 16).ok(), start.len() + 2))
}

fn percent(text: &[u8]) -> Vec<u8> {
    replace(text, |text| hex_after(text, "%").or_else(|| hex_after(text, "%u00")))
}

fn quoted_printable(text: &[u8]) -> Vec<u8> {
    replace(text, |text| match text {
        _ if text.starts_with("=\r\n") => Some((None, 3)),
        _ if text.starts_with("=\n") => Some((None, 2)),
        _ => hex_after(text, "="),
    })
}

fn backslash(text: &[u8]) -> Vec<u8> {
    replace(text, |text| {
        let braced = || {
            let digits = text.strip_prefix("\\u{")?.split_once('}')?.0;
            Some((Some(u8::from_str_radix(digits, 16).ok()?), digits.len() + 4))
        };
        let octal = || Some((Some(u8::from_str_radix(text.strip_prefix('\\')?.get(..3)?, 8).ok()?), 4));
        let simple = || {
            let byte = *text.strip_prefix('\\')?.as_bytes().first()?;
            let byte = match byte {
                b'n' => b'\n',
                b'r' => b'\r',
                _ if byte.is_ascii_alphanumeric() => return None,
                _ => byte,
            };
            Some((Some(byte), 2))
        };
        let fixed =
            hex_after(text, "\\u00").or_else(|| hex_after(text, "\\U000000")).or_else(|| hex_after(text, "\\x"));
        fixed.or_else(braced).or_else(octal).or_else(simple)
    })
}

fn html(text: &[u8]) -> Vec<u8> {
    replace(text, |text| {
        let name = |name: &str, byte| text.starts_with(name).then_some((Some(byte), name.len()));
        let named = name("&amp;", b'&').or_else(|| name("&lt;", b'<')).or_else(|| name("&gt;", b'>'));
        let named =
            named.or_else(|| name("&quot;", b'"')).or_else(|| name("&sol;", b'/')).or_else(|| name("&lowbar;", b'_'));
        let number = || {
            let rest = text.strip_prefix("&#")?;
            let hex = rest.strip_prefix(['x', 'X']);
            let (rest, radix, start) = hex.map_or((rest, 10, 2), |rest| (rest, 16, 3));
            let length = rest.chars().take_while(|digit| digit.is_digit(radix)).count();
            let byte = u8::from_str_radix(rest[..length].trim_start_matches('0'), radix).ok()?;
            Some((Some(byte), start + length + usize::from(rest[length..].starts_with(';'))))
        };
        named.or_else(number)
    })
}
