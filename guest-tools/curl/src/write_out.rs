//! What `-w` writes.

use crate::failure::Failure;
use crate::run::Streams;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What there is to say about a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// As it was typed.
    pub(crate) url: String,
    /// The last one asked.
    pub(crate) url_effective: String,
    /// Where a redirect that was not followed leads.
    pub(crate) redirect_url: String,
    pub(crate) scheme: String,
    pub(crate) method: String,
    /// 0 if no answer came.
    pub(crate) status: u16,
    /// Of the last answer.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) redirects: u32,
    pub(crate) retries: u32,
    pub(crate) downloaded: u64,
    pub(crate) uploaded: u64,
    pub(crate) head_bytes: u64,
    pub(crate) request_bytes: u64,
    /// Until the last head came.
    pub(crate) started: Duration,
    /// Until the first redirect was followed.
    pub(crate) redirecting: Duration,
    pub(crate) total: Duration,
    pub(crate) filename: String,
    pub(crate) failure: Option<Failure>,
    pub(crate) number: usize,
}

impl Stats {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn variable(&self, name: &str) -> Option<String> {
        let seconds = |time: Duration| format!("{:.6}", time.as_secs_f64());
        let speed = |bytes: u64| {
            let speed = bytes as f64 / self.total.as_secs_f64().max(0.000_001);
            format!("{speed:.0}")
        };
        Some(match name {
            "http_code" | "response_code" => format!("{:03}", self.status),
            "http_connect" => "000".to_owned(),
            "http_version" => if self.status == 0 { "0" } else { "1.1" }.to_owned(),
            "content_type" => self.header("content-type").unwrap_or_default().to_owned(),
            "errormsg" => self.failure.as_ref().map(|failure| failure.text.clone()).unwrap_or_default(),
            "exitcode" => self.failure.as_ref().map_or(0, |failure| failure.code).to_string(),
            "filename_effective" => self.filename.clone(),
            "method" => self.method.clone(),
            "num_headers" => self.headers.len().to_string(),
            "num_redirects" => self.redirects.to_string(),
            "num_retries" => self.retries.to_string(),
            "num_connects" => (self.redirects + u32::from(self.status != 0)).to_string(),
            "num_certs"
            | "proxy_ssl_verify_result"
            | "ssl_verify_result"
            | "conn_id"
            | "local_port"
            | "remote_port" => "0".to_owned(),
            "local_ip" | "remote_ip" | "certs" | "ftp_entry_path" | "proxy_used" => String::new(),
            "redirect_url" => self.redirect_url.clone(),
            "referer" => String::new(),
            "scheme" => self.scheme.clone(),
            "size_download" => self.downloaded.to_string(),
            "size_upload" => self.uploaded.to_string(),
            "size_header" => self.head_bytes.to_string(),
            "size_request" => self.request_bytes.to_string(),
            "speed_download" => speed(self.downloaded),
            "speed_upload" => speed(self.uploaded),
            "time_total" => seconds(self.total),
            "time_starttransfer" => seconds(self.started),
            "time_redirect" => seconds(self.redirecting),
            // What the host does before is not told apart.
            "time_appconnect" | "time_connect" | "time_namelookup" | "time_pretransfer" | "time_queue"
            | "time_posttransfer" => seconds(Duration::ZERO),
            "url" => self.url.clone(),
            "url_effective" => self.url_effective.clone(),
            "urlnum" | "xfer_id" => self.number.to_string(),
            "header_json" => self.header_json(),
            "json" => self.json(),
            _ => return None,
        })
    }

    fn header_json(&self) -> String {
        let mut all: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            let values = all.entry(name.to_ascii_lowercase()).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(json!(value));
            }
        }
        Value::Object(all).to_string()
    }

    fn json(&self) -> String {
        let texts = [
            "content_type",
            "errormsg",
            "filename_effective",
            "http_version",
            "local_ip",
            "method",
            "redirect_url",
            "referer",
            "remote_ip",
            "scheme",
            "url",
            "url_effective",
        ];
        let numbers = [
            "exitcode",
            "http_code",
            "http_connect",
            "num_connects",
            "num_headers",
            "num_redirects",
            "num_retries",
            "response_code",
            "size_download",
            "size_header",
            "size_request",
            "size_upload",
            "speed_download",
            "speed_upload",
            "ssl_verify_result",
            "time_connect",
            "time_namelookup",
            "time_redirect",
            "time_starttransfer",
            "time_total",
            "urlnum",
        ];
        let mut all = Map::new();
        for name in texts {
            all.insert(name.to_owned(), self.variable(name).filter(|text| !text.is_empty()).into());
        }
        for name in numbers {
            let text = self.variable(name).unwrap_or_default();
            let number = text.parse::<u64>().map(Value::from);
            all.insert(
                name.to_owned(),
                number.unwrap_or_else(|_| text.parse::<f64>().map_or(Value::Null, Value::from)),
            );
        }
        all.insert("curl_version".to_owned(), crate::run::VERSION.into());
        Value::Object(all).to_string()
    }
}

/// Where the text goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    Out,
    Err,
}

/// Writes what a format says. What cannot be written is lost: the transfer is over.
pub(crate) fn write(format: &str, stats: &Stats, streams: &mut Streams<'_>) {
    let mut to = To::Out;
    for (place, text) in pieces(format, stats) {
        to = place.unwrap_or(to);
        let stream: &mut dyn std::io::Write = if to == To::Out { streams.out } else { streams.err };
        let _ = stream.write_all(text.as_bytes());
    }
    let _ = streams.out.flush();
}

/// The texts, and where a place begins.
fn pieces(format: &str, stats: &Stats) -> Vec<(Option<To>, String)> {
    let mut pieces = vec![(None, String::new())];
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let mut add = |text: &str| {
            if let Some((_, last)) = pieces.last_mut() {
                last.push_str(text);
            }
        };
        rest = match (c, after.chars().next()) {
            ('\\', Some(escaped)) => {
                match escaped {
                    'n' => add("\n"),
                    'r' => add("\r"),
                    't' => add("\t"),
                    other => add(&format!("\\{other}")),
                }
                &after[escaped.len_utf8()..]
            }
            ('%', Some('%')) => {
                add("%");
                &after[1..]
            }
            ('%', Some('{')) if after.contains('}') => {
                let (name, later) = after[1..].split_once('}').unwrap_or((after, ""));
                match name {
                    "stdout" => pieces.push((Some(To::Out), String::new())),
                    "stderr" => pieces.push((Some(To::Err), String::new())),
                    "onerror" if stats.failure.is_none() => return pieces,
                    "onerror" => {}
                    name => match stats.variable(name) {
                        Some(value) => add(&value),
                        None => {
                            pieces.push((Some(To::Err), format!("curl: unknown --write-out variable: '{name}'\n")));
                            pieces.push((Some(To::Out), String::new()));
                        }
                    },
                }
                later
            }
            ('%', Some('h')) if after.starts_with("header{") && after.contains('}') => {
                let (name, later) = after["header{".len()..].split_once('}').unwrap_or((after, ""));
                add(stats.header(name).unwrap_or_default());
                later
            }
            _ => {
                add(&rest[..c.len_utf8()]);
                after
            }
        };
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats() -> Stats {
        Stats {
            url: "a.test".into(),
            url_effective: "http://a.test/".into(),
            status: 200,
            headers: vec![("content-type".into(), "text/plain".into()), ("x-a".into(), "1".into())],
            downloaded: 12,
            total: Duration::from_millis(1500),
            ..Stats::default()
        }
    }

    fn written(format: &str, stats: &Stats) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        write(format, stats, &mut Streams { out: &mut out, err: &mut err });
        (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn variables_stand_for_what_happened() {
        for (format, expected) in [
            (r"\n%{http_code}\n", "\n200\n"),
            ("%{response_code} %{size_download} %{content_type}", "200 12 text/plain"),
            ("%{url_effective}|%{time_total}|%{num_redirects}", "http://a.test/|1.500000|0"),
            (r"100%% %{ %x \q\t%", "100% %{ %x \\q\t%"),
            ("%header{X-A}%header{none}|%{exitcode}", "1|0"),
            ("%{onerror}never", ""),
            ("%{header_json}", r#"{"content-type":["text/plain"],"x-a":["1"]}"#),
        ] {
            assert_eq!(written(format, &stats()).0, expected, "{format}");
        }
        assert_eq!(written("%{http_code}", &Stats::default()).0, "000");
    }

    #[test]
    fn places_can_be_changed_and_unknown_names_are_said() {
        assert_eq!(written("a%{stderr}b%{stdout}c", &stats()), ("ac".into(), "b".into()));
        let (out, err) = written("a%{nothing}b", &stats());
        assert_eq!((out.as_str(), err.as_str()), ("ab", "curl: unknown --write-out variable: 'nothing'\n"));
    }

    #[test]
    fn json_is_json() {
        let all: Value = serde_json::from_str(&written("%{json}", &stats()).0).unwrap();
        assert_eq!(all["http_code"], 200);
        assert_eq!(all["time_total"], 1.5);
        assert_eq!(all["content_type"], "text/plain");
        assert_eq!(all["errormsg"], Value::Null);
    }
}
