//! Results that are too long.

/// The most characters of one result, as in `agent_toolset_20260401`. A model that is
/// shown more loses the thread and the caller pays for all of it.
pub const OUTPUT_CHARS_MAX: usize = 100_000;

/// How many characters may still be shown.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    left: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(OUTPUT_CHARS_MAX)
    }
}

impl Room {
    /// Room for so many characters.
    pub fn of(left: usize) -> Self {
        Self { left }
    }

    /// Takes the room of a whole piece, or nothing if it does not fit.
    pub fn take(&mut self, piece: &str) -> bool {
        // No text has more characters than bytes, so mostly nothing is counted.
        let characters = if piece.len() <= self.left { piece.len() } else { piece.chars().count() };
        if characters > self.left {
            return false;
        }
        self.left -= if piece.is_ascii() { characters } else { piece.chars().count() };
        true
    }

    /// The longest beginning of a piece that fits.
    pub fn beginning<'a>(&self, piece: &'a str) -> &'a str {
        let end = piece.char_indices().nth(self.left).map_or(piece.len(), |(at, _)| at);
        &piece[..end]
    }
}

/// Writes a number so that people and models can read it: `262,144`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_counts_characters_and_not_bytes() {
        let mut room = Room::of(4);
        assert!(room.take("éé"));
        assert_eq!(room.beginning("ééé"), "éé");
        assert!(!room.take("abc"));
        assert!(room.take("ab"));
        assert!(!room.take("a"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 262_144, 1_000_000].map(thousands), ["0", "999", "1,000", "262,144", "1,000,000"]);
    }
}
