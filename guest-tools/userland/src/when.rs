//! Moments as people write them: `2024-01-31 +1 month`, `last monday`, `3 days ago`.

use crate::about::Moment;
use crate::calendar::{days_in_month, fields, moment};

/// Reads a moment, as `date -d` does. None if it is none, or is written in a way that is not known here.
pub(crate) fn parse(text: &str, now: Moment) -> Option<Moment> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds_of(seconds);
    }
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0, said: Said::default() };
    while reader.at < tokens.len() {
        reader.item()?;
    }
    reader.said.moment(now)
}

fn seconds_of(text: &str) -> Option<Moment> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits: String = part.chars().chain("000000000".chars()).take(9).collect();
    let (seconds, nanos): (i64, u32) = (whole.parse().ok()?, digits.parse().ok()?);
    if whole.starts_with('-') && nanos > 0 {
        return Some(Moment { seconds: seconds - 1, nanos: 1_000_000_000 - nanos });
    }
    Some(Moment { seconds, nanos })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Its digits; with its sign if it has one.
    Number(Option<char>, String),
    Word(String),
    Sign(char),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let take = |fits: fn(char) -> bool, rest: &str| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let length = if first.is_ascii_digit() {
            let length = take(|c| c.is_ascii_digit(), rest);
            tokens.push(Token::Number(None, rest[..length].to_owned()));
            length
        } else if first.is_ascii_alphabetic() {
            let length = take(|c| c.is_ascii_alphabetic() || c == '.', rest);
            tokens.push(Token::Word(rest[..length].trim_end_matches('.').to_ascii_lowercase()));
            length
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if matches!(first, '+' | '-') && rest[1..].trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            let gap = rest.len() - 1 - rest[1..].trim_start().len();
            let digits = take(|c| c.is_ascii_digit(), &rest[1 + gap..]);
            tokens.push(Token::Number(Some(first), rest[1 + gap..1 + gap + digits].to_owned()));
            1 + gap + digits
        } else if ":/,.-".contains(first) {
            tokens.push(Token::Sign(first));
            1
        } else {
            return None;
        };
        rest = &rest[length..];
    }
    Some(tokens)
}

/// What was said so far.
#[derive(Default)]
struct Said {
    date: Option<[i64; 3]>,
    /// Whether the date has a year; it may come behind the time.
    year: bool,
    time: Option<[i64; 3]>,
    nanos: u32,
    zone: Option<i64>,
    /// How many weeks on, and which day.
    weekday: Option<(i64, i64)>,
    months: i64,
    days: i64,
    seconds: i64,
    relative: bool,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    said: Said,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn sign(&self, ahead: usize, sign: char) -> bool {
        self.peek(ahead) == Some(&Token::Sign(sign))
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        match self.peek(ahead)? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A number, which may have this sign before it.
    fn number(&self, ahead: usize, sign: Option<char>) -> Option<i64> {
        match self.peek(ahead)? {
            Token::Number(found, digits) if *found == sign => digits.parse().ok(),
            _ => None,
        }
    }

    fn item(&mut self) -> Option<()> {
        match self.peek(0)?.clone() {
            Token::Number(sign, digits) => self.numbered(sign, &digits),
            Token::Word(word) => self.worded(&word),
            Token::Sign(',' | '-') => {
                self.at += 1;
                Some(())
            }
            Token::Sign(_) => None,
        }
    }

    fn numbered(&mut self, sign: Option<char>, digits: &str) -> Option<()> {
        let value: i64 = digits.parse().ok()?;
        if sign.is_none() && self.sign(1, ':') {
            return self.time(value);
        }
        if let Some(word) = self.word(1).map(str::to_owned) {
            if sign.is_none() && matches!(word.as_str(), "am" | "pm" | "a.m" | "p.m") {
                self.said.time = Some([afternoon(value, &word)?, 0, 0]);
                self.at += 2;
                return Some(());
            }
            if unit(&word).is_some() {
                self.at += 1;
                return self.relative(if sign == Some('-') { -value } else { value });
            }
            if sign.is_none()
                && let Some(month) = month(&word)
            {
                self.at += 2;
                let year = self.number(0, None).or_else(|| self.number(0, Some('-'))).filter(|_| !self.sign(1, ':'));
                self.at += usize::from(year.is_some());
                return self.date(year, month, value);
            }
        }
        if sign.is_some() {
            return None;
        }
        if let (Some(month), Some(day)) = (self.number(1, Some('-')), self.number(2, Some('-'))) {
            self.at += 3;
            self.date(Some(full_year(value, digits.len())), month, day)?;
            if self.word(0) == Some("t") {
                self.at += 1;
            }
            return Some(());
        }
        if self.sign(1, '/') {
            let second = self.number(2, None)?;
            let third = self.number(4, None).filter(|_| self.sign(3, '/'));
            self.at += if third.is_some() { 5 } else { 3 };
            return match third {
                Some(third) if digits.len() > 2 => self.date(Some(value), second, third),
                Some(third) => self.date(Some(full_year(third, 2)), value, second),
                None => self.date(None, value, second),
            };
        }
        self.at += 1;
        self.bare(value, digits.len())
    }

    /// A number that nothing belongs to: a year, a day or an hour.
    fn bare(&mut self, value: i64, digits: usize) -> Option<()> {
        match (self.said.date, digits) {
            (Some([_, month, day]), _)
                if !self.said.year && !self.said.relative && (self.said.time.is_some() || digits > 2) =>
            {
                self.said.date = None;
                self.date(Some(full_year(value, digits)), month, day)
            }
            (None, 5..) => self.date(Some(value / 10_000), value / 100 % 100, value % 100),
            (_, 1 | 2) if self.said.time.is_none() => {
                self.said.time = Some([value, 0, 0]);
                Some(())
            }
            (_, 3 | 4) if self.said.time.is_none() => {
                self.said.time = Some([value / 100, value % 100, 0]);
                Some(())
            }
            _ => None,
        }
    }

    fn date(&mut self, year: Option<i64>, month: i64, day: i64) -> Option<()> {
        if self.said.date.is_some() {
            return None;
        }
        self.said.year = year.is_some();
        self.said.date = Some([year.unwrap_or(i64::MIN), month, day]);
        Some(())
    }

    fn time(&mut self, hour: i64) -> Option<()> {
        let minute = self.number(2, None)?;
        self.at += 3;
        let mut second = 0;
        if self.sign(0, ':') {
            second = self.number(1, None)?;
            self.at += 2;
            if (self.sign(0, '.') || self.sign(0, ','))
                && let Some(Token::Number(None, digits)) = self.peek(1)
            {
                self.said.nanos = digits.chars().chain("000000000".chars()).take(9).collect::<String>().parse().ok()?;
                self.at += 2;
            }
        }
        let mut hour = hour;
        if let Some(half) = self.word(0).map(str::to_owned).filter(|word| matches!(word.as_str(), "am" | "pm")) {
            hour = afternoon(hour, &half)?;
            self.at += 1;
        }
        if self.said.time.replace([hour, minute, second]).is_some() {
            return None;
        }
        // A number with a sign behind a time is a zone, whatever follows it.
        if let Some(Token::Number(Some(sign), digits)) = self.peek(0).cloned() {
            self.zone(sign, &digits)?;
        }
        Some(())
    }

    fn zone(&mut self, sign: char, digits: &str) -> Option<()> {
        let value: i64 = digits.parse().ok()?;
        self.at += 1;
        let minutes = if self.sign(0, ':') {
            let minutes = self.number(1, None)?;
            self.at += 2;
            value * 60 + minutes
        } else if digits.len() <= 2 {
            value * 60
        } else {
            value / 100 * 60 + value % 100
        };
        self.said.zone = Some(if sign == '-' { -minutes } else { minutes } * 60);
        Some(())
    }

    fn worded(&mut self, word: &str) -> Option<()> {
        self.at += 1;
        if let Some(day) = weekday(word) {
            self.said.weekday = Some((0, day));
            return Some(());
        }
        if let Some(month) = month(word) {
            let day = self.number(0, None)?;
            self.at += 1;
            let year = self.number(1, None).filter(|_| self.sign(0, ','));
            self.at += if year.is_some() { 2 } else { 0 };
            return self.date(year, month, day);
        }
        match word {
            "now" | "today" => self.said.relative = true,
            "tomorrow" | "yesterday" => {
                self.said.relative = true;
                self.said.days += if word == "tomorrow" { 1 } else { -1 };
            }
            "z" | "utc" | "gmt" | "ut" => {
                self.said.zone = Some(0);
                if let Some(Token::Number(Some(sign), digits)) = self.peek(0).cloned() {
                    self.zone(sign, &digits)?;
                }
            }
            "next" | "last" | "this" => {
                let count = match word {
                    "next" => 1,
                    "last" => -1,
                    _ => 0,
                };
                if let Some(day) = self.word(0).and_then(weekday) {
                    self.at += 1;
                    self.said.weekday = Some((count, day));
                } else {
                    return self.relative(count);
                }
            }
            word if unit(word).is_some() => {
                self.at -= 1;
                return self.relative(1);
            }
            _ => return None,
        }
        Some(())
    }

    /// So many of the unit that comes next, which may be `ago`.
    fn relative(&mut self, count: i64) -> Option<()> {
        let (kind, factor) = unit(self.word(0)?)?;
        self.at += 1;
        let ago = self.word(0) == Some("ago");
        self.at += usize::from(ago);
        let count = count.checked_mul(factor)?.checked_mul(if ago { -1 } else { 1 })?;
        self.said.relative = true;
        let sum = match kind {
            Unit::Months => &mut self.said.months,
            Unit::Days => &mut self.said.days,
            Unit::Seconds => &mut self.said.seconds,
        };
        *sum = sum.checked_add(count)?;
        Some(())
    }
}

impl Said {
    fn moment(&self, now: Moment) -> Option<Moment> {
        let [year, month, day, hour, minute, second] = fields(now.seconds);
        let (mut nanos, mut date, mut time) = (now.nanos, [year, month, day], [hour, minute, second]);
        if self.date.is_some() || self.weekday.is_some() || self.time.is_some() {
            (time, nanos) = (self.time.unwrap_or([0, 0, 0]), self.nanos);
        }
        if let Some([given, month, day]) = self.date {
            date = [if given == i64::MIN { year } else { given }, month, day];
        }
        let fits = (1..=12).contains(&date[1])
            && (1..=days_in_month(date[0], date[1])).contains(&date[2])
            && (0..=23).contains(&time[0])
            && (0..=59).contains(&time[1])
            && (0..=60).contains(&time[2]);
        if !fits {
            return None;
        }
        let mut days = self.days;
        if let Some((weeks, wanted)) = self.weekday.filter(|_| self.date.is_none()) {
            let today = (moment([date[0], date[1], date[2], 0, 0, 0]).div_euclid(86_400) + 4).rem_euclid(7);
            days += (wanted - today).rem_euclid(7) + 7 * (weeks - i64::from(weeks > 0 && today != wanted));
        }
        let months = date[0].checked_mul(12)?.checked_add(date[1] - 1)?.checked_add(self.months)?;
        let first = moment([months.div_euclid(12), months.rem_euclid(12) + 1, 1, time[0], time[1], time[2]]);
        let seconds = first
            .checked_add((date[2] - 1).checked_add(days)?.checked_mul(86_400)?)?
            .checked_add(self.seconds)?
            .checked_sub(self.zone.unwrap_or(0))?;
        Some(Moment { seconds, nanos })
    }
}

fn afternoon(hour: i64, half: &str) -> Option<i64> {
    (1..=12).contains(&hour).then(|| hour % 12 + if half.starts_with('p') { 12 } else { 0 })
}

/// Two digits mean a year near this one.
fn full_year(year: i64, digits: usize) -> i64 {
    match year {
        0..=68 if digits == 2 => year + 2000,
        69..=99 if digits == 2 => year + 1900,
        _ => year,
    }
}

/// The place of a name that begins so, from its third letter on.
fn place(word: &str, names: &[&str]) -> Option<i64> {
    let found = names.iter().position(|name| *name == word || word.len() == 3 && name.starts_with(word))?;
    i64::try_from(found).ok()
}

fn month(word: &str) -> Option<i64> {
    let names = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if word == "sept" { Some(9) } else { place(word, &names).map(|place| place + 1) }
}

fn weekday(word: &str) -> Option<i64> {
    match word {
        "tues" => Some(2),
        "wednes" => Some(3),
        "thur" | "thurs" => Some(4),
        word => place(word, &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]),
    }
}

enum Unit {
    Months,
    Days,
    Seconds,
}

fn unit(word: &str) -> Option<(Unit, i64)> {
    Some(match word.strip_suffix('s').unwrap_or(word) {
        "year" => (Unit::Months, 12),
        "month" => (Unit::Months, 1),
        "fortnight" => (Unit::Days, 14),
        "week" => (Unit::Days, 7),
        "day" => (Unit::Days, 1),
        "hour" => (Unit::Seconds, 3600),
        "minute" | "min" => (Unit::Seconds, 60),
        "second" | "sec" => (Unit::Seconds, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::about::Moment;
    use crate::calendar::shown;

    fn read(text: &str) -> String {
        // A Thursday: 2024-05-16 10:20:30.
        let now = Moment { seconds: 1_715_854_830, nanos: 0 };
        parse(text, now).map_or("none".to_owned(), |moment| shown("%F %T", moment))
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for (text, moment) in [
            ("2024-01-31 +1 day", "2024-02-01 00:00:00"),
            ("2024-01-31 1 month", "2024-03-02 00:00:00"),
            ("2024-01-10 3 days ago", "2024-01-07 00:00:00"),
            ("3 days ago 2024-01-10", "2024-01-07 00:00:00"),
            ("yesterday 2024-01-01", "2023-12-31 00:00:00"),
            ("monday 2024-01-03", "2024-01-03 00:00:00"),
            ("monday", "2024-05-20 00:00:00"),
            ("next thursday", "2024-05-23 00:00:00"),
            ("last monday", "2024-05-13 00:00:00"),
            ("2 hours ago", "2024-05-16 08:20:30"),
            ("2020-01-01 10:00 +2 hours", "2020-01-01 09:00:00"),
            ("Thu, 01 Jan 1970 00:01:40 +0000", "1970-01-01 00:01:40"),
            ("Jan 5 2020 3pm", "2020-01-05 15:00:00"),
            ("5/6/2024 1:02:03 pm", "2024-05-06 13:02:03"),
            ("20240506", "2024-05-06 00:00:00"),
            ("2024-05-06T07:08:09Z", "2024-05-06 07:08:09"),
            ("2024-05-06 12:00 +0200", "2024-05-06 10:00:00"),
            ("tomorrow 8am", "2024-05-17 08:00:00"),
            ("12:30", "2024-05-16 12:30:00"),
            ("@86400", "1970-01-02 00:00:00"),
            ("2024-02-30", "none"),
            ("garbage", "none"),
        ] {
            assert_eq!(read(text), moment, "{text}");
        }
    }
}
