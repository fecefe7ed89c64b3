//! Numbers as bash's `printf` has them: its C library's `long double`, which on x86-64 has 64 bits of digits. So `2.345` is a
//! little more than it says, and `%.2f` rounds it up.

/// The longest input, in digits, and the most digits behind its point that are exact here.
const DIGITS_MAX: usize = 18;

/// A number: `digits / 2^shift`, with 64 significant bits of `digits`, or 0.
struct Extended {
    digits: u64,
    shift: u32,
}

impl Extended {
    /// The nearest one to a plain decimal number without a sign. None if it is not one, or too long or large for this.
    fn nearest(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let decimal = format!("{whole}{part}");
        if decimal.is_empty() || decimal.len() > DIGITS_MAX || !decimal.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (number, scale) = (decimal.parse::<u128>().ok()?, 10_u128.pow(u32::try_from(part.len()).ok()?));
        if number == 0 {
            return Some(Self { digits: 0, shift: 0 });
        }
        // Both are below 2^60: what is shifted stays below 2^125.
        let mut shift = 0;
        while (number << shift) / scale < 1 << 63 {
            shift += 1;
        }
        let (quotient, rest) = ((number << shift) / scale, (number << shift) % scale);
        let up = 2 * rest > scale || 2 * rest == scale && quotient % 2 == 1;
        match u64::try_from(quotient + u128::from(up)) {
            Ok(digits) => Some(Self { digits, shift }),
            // It was all ones.
            Err(_) => Some(Self { digits: 1 << 63, shift: shift - 1 }),
        }
    }

    /// With so many digits behind the point; a tie goes to the even one.
    fn fixed(&self, precision: usize) -> String {
        let (digits, unit) = (u128::from(self.digits), 1_u128 << self.shift);
        let mut shown: Vec<u8> = (digits / unit).to_string().into_bytes();
        let mut rest = digits % unit;
        for _ in 0..precision {
            rest *= 10;
            shown.push(b'0' + u8::try_from(rest / unit).unwrap_or(9));
            rest %= unit;
        }
        let odd = shown.last().is_some_and(|digit| digit % 2 == 1);
        if 2 * rest > unit || 2 * rest == unit && odd {
            let nines = shown.iter().rev().take_while(|digit| **digit == b'9').count();
            let first = shown.len() - nines;
            shown[first..].fill(b'0');
            match first.checked_sub(1) {
                Some(place) => shown[place] += 1,
                None => shown.insert(0, b'1'),
            }
        }
        if precision > 0 {
            shown.insert(shown.len() - precision, b'.');
        }
        shown.into_iter().map(char::from).collect()
    }
}

/// A plain decimal number without a sign, as `%f` shows it. None if it is not one, or too long or large for this.
pub(super) fn fixed(text: &str, precision: usize) -> Option<String> {
    Some(Extended::nearest(text)?.fixed(precision))
}

#[cfg(test)]
mod tests {
    use super::fixed;

    #[test]
    fn a_tie_in_decimals_is_decided_by_what_the_number_is() {
        let cases = [
            ("2.345", 2, "2.35"),
            ("2.255", 2, "2.26"),
            ("2.25", 1, "2.2"),
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("9.999", 2, "10.00"),
            ("0.1", 20, "0.10000000000000000000"),
            ("1.005", 2, "1.00"),
            ("123456789012345678", 1, "123456789012345678.0"),
            ("0", 3, "0.000"),
            (".000000000000000001", 18, "0.000000000000000001"),
            ("999999999999999999", 0, "999999999999999999"),
        ];
        for (text, precision, expected) in cases {
            assert_eq!(fixed(text, precision).as_deref(), Some(expected), "{text} {precision}");
        }
        for text in ["1e3", "", "0x1", "-1", "1234567890123456789", "inf"] {
            assert_eq!(fixed(text, 2), None, "{text}");
        }
    }
}
