//! Dates, in UTC: there is no other time zone here.

/// Formats a time in seconds since 1970 as `strftime` does.
pub(crate) fn format(form: &str, seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time that far off is no date")]
    let seconds = seconds as i64;
    let date = Date::at(seconds);
    let mut out = String::new();
    let mut rest = form.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        let Some(kind) = rest.next() else {
            out.push('%');
            break;
        };
        out.push_str(&date.part(kind));
    }
    out
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

    fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it came from one")]
        let seconds = self.total as f64;
        seconds
    }
}
