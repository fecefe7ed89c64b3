//! From one option to what it sets.

use crate::failure::code;
use crate::options::{Data, DataKind, Fail, Field, Options, Output, Resume, Usage};
use std::time::Duration;

impl Options {
    /// Sets a switch. `false` if there is none of that name.
    pub(crate) fn switch(&mut self, name: &str, on: bool) -> bool {
        match name {
            "create-dirs" => self.create_dirs = on,
            "fail" => self.fail = if on { Fail::WithoutBody } else { Fail::Never },
            "fail-early" => self.fail_early = on,
            "fail-with-body" => self.fail = if on { Fail::WithBody } else { Fail::Never },
            "get" => self.get = on,
            "globoff" => self.globoff = on,
            "head" => (self.head, self.include) = (on, on),
            "include" | "show-headers" => self.include = on,
            "junk-session-cookies" => self.junk_session_cookies = on,
            "location" => self.location = on,
            "location-trusted" => (self.location, self.location_trusted) = (on, on),
            "no-clobber" => self.no_clobber = on,
            "post301" => self.keep_post.push(301),
            "post302" => self.keep_post.push(302),
            "post303" => self.keep_post.push(303),
            "remote-header-name" => self.header_name = on,
            "remote-name" => self.outputs.push(Output::RemoteName),
            "remote-name-all" => self.remote_name_all = on,
            "remove-on-error" => self.remove_on_error = on,
            "retry-all-errors" => self.retry_all = on,
            "retry-connrefused" => self.retry_refused = on,
            "show-error" => self.show_error = on,
            "silent" => self.silent = on,
            "skip-existing" => self.skip_existing = on,
            "verbose" => self.verbose = on,
            // About FTP, or about the command line itself.
            "append" | "help" | "manual" | "version" | "next" => {}
            _ => return false,
        }
        true
    }

    /// Sets what takes a value.
    pub(crate) fn value(&mut self, name: &str, value: &str) -> Result<(), Usage> {
        let text = || value.to_owned();
        let data = |kind| Data { kind, text: value.to_owned() };
        match name {
            "connect-timeout" => self.connect_timeout = Some(seconds(name, value)?),
            "continue-at" => self.resume = Some(resume(name, value)?),
            "cookie" => self.cookies.push(text()),
            "cookie-jar" => self.cookie_jar = Some(text()),
            "data" | "data-ascii" => self.data.push(data(DataKind::Ascii)),
            "data-binary" => self.data.push(data(DataKind::Binary)),
            "data-raw" => self.data.push(data(DataKind::Raw)),
            "data-urlencode" => self.data.push(data(DataKind::UrlEncoded)),
            "dump-header" => self.dump_header = Some(text()),
            "form" | "form-string" => {
                if !value.contains('=') {
                    return Err(Usage::new(format!("option --{name}: {value:?} is not name=content")));
                }
                self.form.push(Field { text: text(), literal: name == "form-string" });
            }
            "header" => self.headers.extend(headers(value)?),
            "json" => self.data.push(data(DataKind::Json)),
            "max-filesize" => self.file_bytes_max = Some(size(name, value)?),
            "max-redirs" => self.redirects_max = number(name, value)?,
            "max-time" => self.max_time = Some(seconds(name, value)?).filter(|time| !time.is_zero()),
            "oauth2-bearer" => self.bearer = Some(text()),
            "output" => self.outputs.push(Output::File(text())),
            "output-dir" => self.output_dir = Some(text()),
            "proto" => self.protocols = Some(text()),
            "proto-redir" => self.redirect_protocols = Some(text()),
            "range" => self.range = Some(text()),
            "referer" => self.referer = Some(text()),
            "request" => self.method = Some(text()),
            "retry" => self.retries = number(name, value)?,
            "retry-delay" => self.retry_delay = Some(seconds(name, value)?).filter(|time| !time.is_zero()),
            "retry-max-time" => self.retry_time_max = Some(seconds(name, value)?).filter(|time| !time.is_zero()),
            "upload-file" => self.uploads.push(text()),
            "url" => self.urls.push(text()),
            "url-query" => self.url_query.push(text()),
            "user" => self.user = Some(text()),
            "user-agent" => self.agent = Some(text()),
            "write-out" => self.write_out = Some(format(value)?),
            _ => return Err(Usage::new(format!("option --{name}: is unknown"))),
        }
        Ok(())
    }
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, Usage> {
    value.parse().map_err(|_| Usage::new(format!("option --{name}: expected a proper numerical parameter")))
}

fn seconds(name: &str, value: &str) -> Result<Duration, Usage> {
    let odd = || Usage::new(format!("option --{name}: expected a proper numerical parameter"));
    let seconds: f64 = value.parse().map_err(|_| odd())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| odd())
}

fn size(name: &str, value: &str) -> Result<u64, Usage> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &*value[digits.len()..].to_ascii_lowercase() {
        "" | "b" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err(Usage::new(format!("option --{name}: expected a proper numerical parameter"))),
    };
    Ok(number::<u64>(name, digits)?.saturating_mul(unit))
}

fn resume(name: &str, value: &str) -> Result<Resume, Usage> {
    if value == "-" { Ok(Resume::File) } else { Ok(Resume::At(number(name, value)?)) }
}

/// A header, or those that are in a file.
fn headers(value: &str) -> Result<Vec<String>, Usage> {
    let Some(name) = value.strip_prefix('@') else { return Ok(vec![value.to_owned()]) };
    let text = read("header", name)?;
    Ok(text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// What is written out, or the file that says it.
fn format(value: &str) -> Result<String, Usage> {
    match value.strip_prefix('@') {
        Some(name) => read("write-out", name),
        None => Ok(value.to_owned()),
    }
}

fn read(option: &str, name: &str) -> Result<String, Usage> {
    let bytes = crate::data::read(name).map_err(|failure| Usage {
        code: code::READ,
        text: format!("option --{option}: error encountered when reading a file: {}", failure.text),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
