//! Dates, in UTC: there is no other time zone here.

use crate::about::Moment;

/// Formats a time in seconds since 1970 as `strftime` does.
pub(crate) fn format(form: &str, seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time that far off is no date")]
    let seconds = seconds as i64;
    shown(form, Moment { seconds, nanos: 0 })
}

/// Formats a moment as `date` does: with `%N`, and with `-`, `_`, `0` or `^` and a width behind the sign.
pub(crate) fn shown(form: &str, moment: Moment) -> String {
    let date = Date::at(moment.seconds);
    let mut out = String::new();
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let flags = behind.len() - behind.trim_start_matches(['-', '_', '0', '^', '#', ':']).len();
        let digits = behind[flags..].find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len() - flags);
        let Some(kind) = behind[flags + digits..].chars().next() else {
            out.push_str(&rest[at..]);
            return out;
        };
        let width = behind[flags..flags + digits].parse().ok();
        let part = if kind == 'N' { format!("{:09}", moment.nanos) } else { date.part(kind) };
        out.push_str(&flagged(&part, kind, &behind[..flags], width));
        rest = &behind[flags + digits + kind.len_utf8()..];
    }
    out.push_str(rest);
    out
}

/// A part of a date as the flags before it want it.
fn flagged(part: &str, kind: char, flags: &str, width: Option<usize>) -> String {
    if kind == 'N' {
        return width.map_or(part, |width| &part[..width.clamp(1, 9)]).to_owned();
    }
    if kind == 'z' && flags.starts_with(':') {
        return if flags.len() == 1 { "+00:00" } else { "+00:00:00" }.to_owned();
    }
    let upper = if flags.contains('^') { part.to_uppercase() } else { part.to_owned() };
    let numeric = !part.is_empty() && part.trim_start().bytes().all(|byte| byte.is_ascii_digit());
    let bare = if numeric { part.trim_start().trim_start_matches('0') } else { upper.as_str() };
    let bare = if bare.is_empty() && numeric { "0" } else { bare };
    let width = width.unwrap_or(if flags.contains(['_', '0']) { part.len() } else { 0 });
    match (flags.contains('-'), flags.contains('_')) {
        (true, _) => bare.to_owned(),
        (_, true) => format!("{bare:>width$}"),
        _ if numeric && (flags.contains('0') || width > 0) => format!("{bare:0>width$}"),
        _ if flags.contains('0') => format!("{upper:0>width$}"),
        _ => format!("{upper:>width$}"),
    }
}

/// Reads a time: `2026-01-02`, with ` 03:04` or ` 03:04:05` behind it or not.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches('Z').trim_end_matches(" UTC");
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "0:0"));
    let numbers = |text: &str, sign: char| text.split(sign).map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>();
    let (day, time) = (numbers(day, '-')?, numbers(time, ':')?);
    let ([year, month, day], [hour, minute, ..]) = (&day[..], &time[..]) else { return None };
    let fits = (1..=12).contains(month) && (1..=31).contains(day) && time.len() <= 3;
    let seconds = moment([*year, *month, *day, *hour, *minute, time.get(2).copied().unwrap_or(0)]);
    u64::try_from(seconds).ok().filter(|_| fits)
}

/// Year, month, day, hour, minute and second of a moment.
pub(crate) fn fields(seconds: i64) -> [i64; 6] {
    let date = Date::at(seconds);
    [date.year, i64::try_from(date.month).unwrap_or(0) + 1, date.day, date.hour, date.minute, date.second]
}

pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    (moment([year + month / 12, month % 12 + 1, 1, 0, 0, 0]) - moment([year, month, 1, 0, 0, 0])) / 86_400
}

/// The seconds since 1970 of a year, month, day, hour, minute and second.
pub(crate) fn moment([year, month, day, hour, minute, second]: [i64; 6]) -> i64 {
    // Years that begin in March, so that the leap day is the last one.
    let year = year - i64::from(month < 3);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + of_year - 719_468;
    days * 86_400 + hour * 3600 + minute * 60 + second
}

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment, cut into what people say.
struct Date {
    year: i64,
    month: usize,
    day: i64,
    weekday: usize,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    total: i64,
}

impl Date {
    fn at(total: i64) -> Self {
        let days = total.div_euclid(86_400);
        let in_day = total.rem_euclid(86_400);
        // Years that begin in March, so that the leap day is the last one.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 2 } else { month - 10 };
        let year = year_of_era + era * 400 + i64::from(month < 2);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let day_of_year = if of_year >= 306 { of_year - 306 } else { of_year + 59 + i64::from(leap) };
        Self {
            year,
            month: usize::try_from(month).unwrap_or(0),
            day,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            day_of_year,
            hour: in_day / 3600,
            minute: in_day / 60 % 60,
            second: in_day % 60,
            total,
        }
    }

    fn part(&self, kind: char) -> String {
        let hour12 = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        match kind {
            'Y' => self.year.to_string(),
            'y' => format!("{:02}", self.year.rem_euclid(100)),
            'C' => format!("{:02}", self.year / 100),
            'm' => format!("{:02}", self.month + 1),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'H' => format!("{:02}", self.hour),
            'I' => format!("{hour12:02}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'j' => format!("{:03}", self.day_of_year + 1),
            'k' => format!("{:2}", self.hour),
            'l' => format!("{hour12:2}"),
            'P' => if self.hour < 12 { "am" } else { "pm" }.to_owned(),
            'q' => (self.month / 3 + 1).to_string(),
            'r' => format!("{hour12:02}:{:02}:{:02} {}", self.minute, self.second, self.part('p')),
            'G' => self.week().0.to_string(),
            'g' => format!("{:02}", self.week().0.rem_euclid(100)),
            'V' => format!("{:02}", self.week().1),
            'U' => format!("{:02}", (self.day_of_year + 7 - self.weekday_number()) / 7),
            'W' => format!("{:02}", (self.day_of_year + 7 - (self.weekday_number() + 6) % 7) / 7),
            'p' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'a' => DAYS[self.weekday][..3].to_owned(),
            'A' => DAYS[self.weekday].to_owned(),
            'b' | 'h' => MONTHS[self.month][..3].to_owned(),
            'B' => MONTHS[self.month].to_owned(),
            'u' => (if self.weekday == 0 { 7 } else { self.weekday }).to_string(),
            'w' => self.weekday.to_string(),
            's' => self.total.to_string(),
            'Z' => "UTC".to_owned(),
            'z' => "+0000".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            'F' => format("%Y-%m-%d", self.seconds()),
            'T' => format("%H:%M:%S", self.seconds()),
            'R' => format("%H:%M", self.seconds()),
            'D' | 'x' => format("%m/%d/%y", self.seconds()),
            'X' => format("%H:%M:%S", self.seconds()),
            'c' => format("%a %b %e %H:%M:%S %Y", self.seconds()),
            other => format!("%{other}"),
        }
    }

    fn weekday_number(&self) -> i64 {
        i64::try_from(self.weekday).unwrap_or(0)
    }

    /// The year and the week of ISO 8601: that of the week's Thursday.
    fn week(&self) -> (i64, i64) {
        let thursday = self.total + (3 - (self.weekday_number() + 6) % 7) * 86_400;
        let thursday = Self::at(thursday);
        (thursday.year, thursday.day_of_year / 7 + 1)
    }

    fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it came from one")]
        let seconds = self.total as f64;
        seconds
    }
}
