//! Cookies: those that are typed, and a jar in the format of Netscape.

use crate::failure::Failure;
use crate::options::Options;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    domain: String,
    /// Whether it is for the domain's subdomains too.
    below: bool,
    path: String,
    secure: bool,
    http_only: bool,
    /// Seconds since 1970; 0 for as long as the session.
    expires: u64,
    name: String,
    value: String,
}

/// What servers gave, and give back. Of no use until `-b FILE` or `-c` asks for it.
#[derive(Debug, Default)]
pub(crate) struct Jar {
    active: bool,
    cookies: Vec<Cookie>,
}

impl Jar {
    /// Reads the files that `-b` names. One that is not there is empty.
    pub(crate) fn read(&mut self, options: &Options) {
        self.active |= options.cookie_jar.is_some();
        for name in options.cookies.iter().filter(|text| !text.contains('=')) {
            self.active = true;
            let Ok(bytes) = crate::data::read(name) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            let cookies = text.lines().filter_map(line).filter(|cookie| cookie.expires == 0 || cookie.expires > now());
            let kept = cookies.filter(|cookie| !(options.junk_session_cookies && cookie.expires == 0));
            self.cookies.extend(kept);
        }
    }

    /// Writes what `-c` names.
    pub(crate) fn write(&self, name: &str) -> Result<(), Failure> {
        let mut text = "# Netscape HTTP Cookie File\n# Written by curl.\n\n".to_owned();
        for cookie in &self.cookies {
            let yes = |yes: bool| if yes { "TRUE" } else { "FALSE" };
            let mark = if cookie.http_only { "#HttpOnly_" } else { "" };
            let dot = if cookie.below { "." } else { "" };
            text.push_str(&format!(
                "{mark}{dot}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                cookie.domain,
                yes(cookie.below),
                cookie.path,
                yes(cookie.secure),
                cookie.expires,
                cookie.name,
                cookie.value
            ));
        }
        if name == "-" {
            print!("{text}");
            return Ok(());
        }
        fs::write(name, text).map_err(|error| Failure::writing(name, &error))
    }

    /// Takes what a server gives.
    pub(crate) fn take(&mut self, url: &Url, headers: &[(String, String)]) {
        if !self.active {
            return;
        }
        for (_, value) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let Some(cookie) = given(url, value) else { continue };
            let same =
                |own: &Cookie| (&own.name, &own.domain, &own.path) == (&cookie.name, &cookie.domain, &cookie.path);
            self.cookies.retain(|own| !same(own));
            if cookie.expires == 0 || cookie.expires > now() {
                self.cookies.push(cookie);
            }
        }
    }

    /// What goes to an address: the jar's, then what was typed, if that may go there.
    pub(crate) fn header(&self, options: &Options, url: &Url, trusted: bool) -> Option<String> {
        let fits = |cookie: &&Cookie| {
            let host = url.host_str().unwrap_or_default();
            let below = cookie.below && host.strip_suffix(&*cookie.domain).is_some_and(|rest| rest.ends_with('.'));
            (host == cookie.domain || below)
                && path_fits(&cookie.path, url.path())
                && (!cookie.secure || url.scheme() == "https")
        };
        let mut own: Vec<&Cookie> = self.cookies.iter().filter(fits).collect();
        own.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let own = own.into_iter().map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let typed = options.cookies.iter().filter(|text| trusted && text.contains('=')).cloned();
        let all: Vec<String> = own.chain(typed).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn path_fits(path: &str, asked: &str) -> bool {
    asked.strip_prefix(path).is_some_and(|rest| path.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A line of a jar.
fn line(text: &str) -> Option<Cookie> {
    let (http_only, text) = match text.strip_prefix("#HttpOnly_") {
        Some(text) => (true, text),
        None => (false, text),
    };
    if text.starts_with('#') {
        return None;
    }
    let fields: Vec<&str> = text.split('\t').collect();
    let &[domain, below, path, secure, expires, name, ref value @ ..] = &*fields else { return None };
    let yes = |field: &str| field.eq_ignore_ascii_case("true");
    Some(Cookie {
        domain: domain.trim_start_matches('.').to_ascii_lowercase(),
        below: yes(below),
        path: path.to_owned(),
        secure: yes(secure),
        http_only,
        expires: expires.parse().ok()?,
        name: name.to_owned(),
        value: value.first().copied().unwrap_or_default().to_owned(),
    })
}

/// What `Set-Cookie` says, if that server may say it.
fn given(url: &Url, header: &str) -> Option<Cookie> {
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let host = url.host_str()?.to_owned();
    let folder = url.path().rsplit_once('/').map(|(folder, _)| folder).filter(|folder| !folder.is_empty());
    let mut cookie = Cookie {
        domain: host.clone(),
        below: false,
        path: folder.unwrap_or("/").to_owned(),
        secure: false,
        http_only: false,
        expires: 0,
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
    };
    let mut age = None;
    for part in parts {
        let (key, value) = part.split_once('=').map_or((part, ""), |(key, value)| (key.trim(), value.trim()));
        match &*key.to_ascii_lowercase() {
            "domain" if !value.is_empty() => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                let own = host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'));
                // A domain without a dot in it is one of many owners.
                if !own || (host != domain && !domain.contains('.')) {
                    return None;
                }
                (cookie.domain, cookie.below) = (domain, true);
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "httponly" => cookie.http_only = true,
            "max-age" => age = value.parse::<i64>().ok(),
            "expires" => cookie.expires = date(value).unwrap_or(0),
            _ => {}
        }
    }
    if let Some(age) = age {
        cookie.expires = u64::try_from(age).map_or(1, |age| if age == 0 { 1 } else { now().saturating_add(age) });
    }
    Some(cookie)
}

/// `Wed, 21 Oct 2015 07:28:00 GMT`, also with hyphens; at least 1.
fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let &[_, day, month, year, time, ..] = &*words else { return None };
    let month = i64::try_from(MONTHS.iter().position(|own| month.starts_with(own))?).ok()? + 1;
    let (day, mut year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    year += if year < 70 {
        2000
    } else if year < 100 {
        1900
    } else {
        0
    };
    if !(1..=31).contains(&day) || !(1601..=9999).contains(&year) {
        return None;
    }
    let mut clock = time.split(':').map(|part| part.parse::<i64>().unwrap_or(0));
    let mut next = || clock.next().unwrap_or(0).clamp(0, 60);
    let seconds = (next() * 60 + next()) * 60 + next();
    // Days since 1970, with years that begin in March.
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
    Some(u64::try_from(days * 86_400 + seconds).unwrap_or(0).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn jar(at: &str, cookies: &[&str]) -> Jar {
        let mut jar = Jar { active: true, cookies: Vec::new() };
        let headers: Vec<_> = cookies.iter().map(|text| ("set-cookie".to_owned(), (*text).to_owned())).collect();
        jar.take(&url(at), &headers);
        jar
    }

    #[test]
    fn cookies_go_back_where_they_came_from() {
        let jar =
            jar("https://www.a.test/x/y", &["a=1; Path=/", "b=2; Secure; HttpOnly", "c=3; Domain=a.test; Path=/"]);
        let header = |to: &str| jar.header(&Options::default(), &url(to), true);
        assert_eq!(header("https://www.a.test/x/z").as_deref(), Some("b=2; a=1; c=3"));
        assert_eq!(header("http://www.a.test/x/z").as_deref(), Some("a=1; c=3"));
        assert_eq!(header("https://b.a.test/xy").as_deref(), Some("c=3"));
        assert_eq!(header("https://nota.test/"), None);
    }

    #[test]
    fn cookies_of_others_and_of_the_past_are_not_taken() {
        let mut jar = jar("https://a.test/", &["x=1; Domain=b.test", "y=1; Domain=test", "z=1"]);
        assert_eq!(jar.cookies.len(), 1);
        let gone = [("Set-Cookie".to_owned(), "z=; Expires=Thu, 01 Jan 1970 00:00:00 GMT".to_owned())];
        jar.take(&url("https://a.test/"), &gone);
        assert!(jar.cookies.is_empty());
        assert_eq!(date("Wed, 21 Oct 2015 07:28:00 GMT"), Some(1_445_412_480));
        assert_eq!(date("Sun, 29-Feb-04 00:00:01 GMT"), Some(1_078_012_801));
    }

    #[test]
    fn a_jar_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jar");
        let name = path.to_str().unwrap().to_owned();
        let written = jar("https://a.test/x/", &["a=1; HttpOnly; Max-Age=1000", "b=2; Domain=a.test"]);
        written.write(&name).unwrap();
        let mut read = Jar::default();
        read.read(&Options { cookies: vec![name.clone()], ..Options::default() });
        assert_eq!(read.cookies, written.cookies);
        let mut session = Jar::default();
        session.read(&Options { cookies: vec![name], junk_session_cookies: true, ..Options::default() });
        assert_eq!(session.cookies.len(), 1);
    }

    #[test]
    fn what_is_typed_goes_along_unless_it_goes_elsewhere() {
        let options = Options { cookies: vec!["a=1; b=2".to_owned()], ..Options::default() };
        let header = |trusted| Jar::default().header(&options, &url("https://a.test/"), trusted);
        assert_eq!(header(true).as_deref(), Some("a=1; b=2"));
        assert_eq!(header(false), None);
    }
}
