//! Text of hands, made fit to be read by people and models.

/// Characters that show a line in another order than it has, break it unseen, or are not seen themselves, so that what
/// looks the same is not, and a model reads what no person sees.
pub fn misleads(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tags, and what else of their block is never shown.
        | '\u{e0000}'..='\u{e0fff}')
}

/// Text in which control characters, and those that mislead, stand as `\u{…}`. Line breaks and tabs stay.
pub fn plain(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || misleads(c);
    if !text.contains(hidden) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { plain.extend(c.escape_unicode()) } else { plain.push(c) }
    }
    plain
}

/// [`plain`] text in which line breaks stand as `\u{…}`, too: for names, which are shown in a line of somebody else's.
pub fn one_line(text: &str) -> String {
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\t');
    let text = plain(text);
    if !text.contains(breaks) {
        return text;
    }
    text.chars().flat_map(|c| if breaks(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
}

/// [`plain`] text of at most so many characters; where some are left away, the last is `…`.
pub fn bounded(text: &str, chars_max: usize) -> String {
    // No character becomes less than one, so that no more of them are needed than may be shown and one.
    let end = text.char_indices().nth(chars_max.saturating_add(1)).map_or(text.len(), |(at, _)| at);
    let mut shown = plain(&text[..end]);
    if shown.chars().nth(chars_max).is_some() {
        let cut = shown.char_indices().nth(chars_max.saturating_sub(1)).map_or(0, |(at, _)| at);
        shown.truncate(cut);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_shown() {
        for hidden in
            ["\u{1b}", "\u{9b}", "\u{61c}", "\u{200d}", "\u{2028}", "\u{202e}", "\u{2064}", "\u{feff}", "\u{e0041}"]
        {
            assert_eq!(plain(&format!("a{hidden}b")), format!("a{}b", hidden.escape_unicode()));
        }
        assert_eq!(plain("é\t1\r\n😀 日本"), "é\t1\r\n😀 日本");
    }

    #[test]
    fn a_name_makes_no_line_of_its_own() {
        assert_eq!(one_line("a\nb\tc\u{1b}d é"), "a\\u{a}b\\u{9}c\\u{1b}d é");
    }

    #[test]
    fn a_text_is_bounded_as_it_is_shown() {
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("abcd", 3), "ab…");
        assert_eq!(bounded("é\u{1b}b", 4), "é\\u…");
        assert_eq!(bounded(&"\u{e0041}".repeat(100_000), 50).chars().count(), 50);
        assert_eq!(bounded("", 0), "");
    }
}
