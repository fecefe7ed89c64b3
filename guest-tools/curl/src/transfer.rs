//! One URL, from the first request to the last byte, through redirects and further tries.

use crate::address;
use crate::cookies::Jar;
use crate::failure::{Failure, Trouble, code};
use crate::head;
use crate::options::{Fail, Options, Output, Resume};
use crate::output::{Sink, given_name};
use crate::request::{Going, Plan, unsent};
use crate::retry::{Retrying, Why};
use crate::run::{Streams, note, warn};
use crate::wire::{Answer, Times, Wire};
use crate::write_out::Stats;
use std::time::Instant;
use url::Url;

/// What one transfer is.
pub(crate) struct Job<'a> {
    pub(crate) options: &'a Options,
    pub(crate) plan: Plan,
    /// Without a user name and password.
    pub(crate) url: Url,
    /// Those.
    pub(crate) user: Option<String>,
    pub(crate) output: Option<&'a Output>,
}

/// What it uses.
pub(crate) struct Tools<'a, 'b> {
    pub(crate) wire: &'a dyn Wire,
    pub(crate) streams: &'a mut Streams<'b>,
    pub(crate) jar: &'a mut Jar,
    pub(crate) heads: &'a mut Option<Sink>,
}

/// Does it, and says in `stats` how that went.
pub(crate) fn run(job: &Job<'_>, mut sink: Sink, tools: &mut Tools<'_, '_>, stats: &mut Stats) {
    let began = Instant::now();
    let mut retrying = Retrying::new(job.options);
    let failure = loop {
        let mut attempt = Attempt::new(job, &retrying, &mut sink, stats);
        let why = match attempt.run(tools) {
            Ok(()) => break None,
            Err(why) => why,
        };
        let repeatable = !job.plan.body.once() && sink.restart();
        match retrying.again(job.options, &why).filter(|_| repeatable) {
            Some((wait, said)) => {
                warn(job.options, tools.streams, &said);
                tools.wire.wait(wait);
                stats.retries += 1;
            }
            None => break Some(last(why)),
        }
    };
    if failure.is_some() && job.options.remove_on_error {
        sink.remove();
    }
    stats.filename = sink.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    stats.total = began.elapsed();
    stats.failure = failure;
}

fn last(why: Why) -> Failure {
    match why {
        Why::Failed(failure) | Why::Refused(failure) => failure,
        Why::Status { status, .. } => status_failure(status),
    }
}

fn status_failure(status: u16) -> Failure {
    Failure::new(code::STATUS, format!("The requested URL returned error: {status}"))
}

struct Attempt<'a> {
    job: &'a Job<'a>,
    retrying: &'a Retrying,
    sink: &'a mut Sink,
    stats: &'a mut Stats,
    began: Instant,
    times: Times,
    plan: Plan,
    url: Url,
    user: Option<String>,
    referer: Option<String>,
    offset: u64,
}

impl<'a> Attempt<'a> {
    fn new(job: &'a Job<'a>, retrying: &'a Retrying, sink: &'a mut Sink, stats: &'a mut Stats) -> Self {
        let began = Instant::now();
        let options = job.options;
        let times = Times { end: options.max_time.map(|time| began + time), connect: options.connect_timeout };
        let offset = match options.resume {
            None => 0,
            Some(Resume::At(bytes)) => bytes,
            Some(Resume::File) => sink.bytes(),
        };
        let referer = options.referer.as_ref().map(|text| text.split(';').next().unwrap_or(text).to_owned());
        let (plan, url, user) = (job.plan.clone(), job.url.clone(), job.user.clone());
        (stats.redirects, stats.downloaded, stats.uploaded) = (0, 0, 0);
        Self { job, retrying, sink, stats, began, times, plan, url, user, referer, offset }
    }

    /// Follows redirects to the last answer, and gives that out.
    fn run(&mut self, tools: &mut Tools<'_, '_>) -> Result<(), Why> {
        loop {
            let answer = self.ask(tools)?;
            let next = self.redirect(&answer).map_err(Why::Failed)?;
            if next.is_none() && self.retrying.transient(self.job.options, answer.status) {
                let after = answer.header("retry-after").map(str::to_owned);
                return Err(Why::Status { status: answer.status, after });
            }
            self.give_head(&answer, tools).map_err(Why::Failed)?;
            match next {
                Some(next) => self.follow(next, answer.status, tools).map_err(Why::Failed)?,
                None => return self.give_body(answer, tools).map_err(Why::Failed),
            }
        }
    }

    /// Sends one request.
    fn ask(&mut self, tools: &mut Tools<'_, '_>) -> Result<Answer, Why> {
        let options = self.job.options;
        let trusted = options.location_trusted || address::same_origin(&self.job.url, &self.url);
        let from = (self.offset > 0).then(|| format!("{}-", self.offset));
        let going = Going {
            url: &self.url,
            trusted,
            user: self.user.as_deref(),
            cookie: tools.jar.header(options, &self.url, trusted),
            referer: self.referer.clone(),
            range: options.range.clone().or(from),
        };
        let request = self.plan.request(options, going);
        if let Some(line) = unsent(options, &self.url) {
            warn(options, tools.streams, &format!("{line:?} is not sent: the host names the host from the URL"));
        }
        let lines = request.lines();
        for line in lines.iter().map(String::as_str).chain([""]) {
            note(options, tools.streams, '>', line);
        }
        self.stats.url_effective = self.url.to_string();
        self.stats.scheme = self.url.scheme().to_owned();
        self.stats.method.clone_from(&request.method);
        self.stats.request_bytes += lines.iter().map(|line| line.len() as u64 + 2).sum::<u64>() + 2;
        let answer = tools.wire.open(&request, self.times).map_err(|trouble| self.why(trouble))?;
        self.stats.uploaded = request.body.bytes().unwrap_or(0);
        self.stats.started = self.began.elapsed();
        self.stats.status = answer.status;
        self.stats.headers.clone_from(&answer.headers);
        tools.jar.take(&request.url, &answer.headers);
        for line in head::lines(&answer).iter().map(String::as_str).chain([""]) {
            note(options, tools.streams, '<', line);
        }
        Ok(answer)
    }

    /// Where the answer leads, if it leads on and is followed.
    fn redirect(&mut self, answer: &Answer) -> Result<Option<Url>, Failure> {
        self.stats.redirect_url.clear();
        let Some(to) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) else {
            return Ok(None);
        };
        let options = self.job.options;
        let next = self.url.join(to);
        if !options.location {
            self.stats.redirect_url = next.map(String::from).unwrap_or_default();
            return Ok(None);
        }
        let max = options.redirects_max;
        if max >= 0 && i64::from(self.stats.redirects) >= max {
            self.stats.redirect_url = next.map(String::from).unwrap_or_default();
            return Err(Failure::new(code::REDIRECTS, format!("Maximum ({max}) redirects followed")));
        }
        let mut next =
            next.map_err(|_| Failure::new(code::URL, format!("The redirect target URL could not be parsed: {to}")))?;
        address::supported(&next)?;
        allowed(options.redirect_protocols.as_deref(), &next)?;
        if next.fragment().is_none() {
            next.set_fragment(self.url.fragment());
        }
        Ok(Some(next))
    }

    fn follow(&mut self, mut next: Url, status: u16, tools: &mut Tools<'_, '_>) -> Result<(), Failure> {
        let options = self.job.options;
        self.plan.redirect(options, status);
        if self.plan.body.once() {
            return Err(Failure::new(code::REWIND, "necessary data rewind was not possible"));
        }
        if options.referer.as_ref().is_some_and(|text| text.ends_with(";auto")) {
            self.referer = Some(self.url.to_string());
        }
        let named = address::take_user(&mut next);
        let stays = options.location_trusted || address::same_origin(&self.url, &next);
        self.user = named.or_else(|| self.user.take().filter(|_| stays));
        note(options, tools.streams, '*', &format!("Issue another request to this URL: '{next}'"));
        self.url = next;
        self.stats.redirects += 1;
        self.stats.redirecting = self.began.elapsed();
        Ok(())
    }

    fn give_head(&mut self, answer: &Answer, tools: &mut Tools<'_, '_>) -> Result<(), Failure> {
        let text = head::text(answer);
        self.stats.head_bytes += text.len() as u64;
        if let Some(heads) = tools.heads {
            heads.write(tools.streams, text.as_bytes())?;
        }
        if self.job.options.include {
            self.name_as_given(answer);
            self.sink.write(tools.streams, text.as_bytes())?;
        }
        Ok(())
    }

    fn name_as_given(&mut self, answer: &Answer) {
        let wanted = self.job.options.header_name && self.job.output == Some(&Output::RemoteName);
        if let Some(name) = answer.header("content-disposition").filter(|_| wanted).and_then(given_name) {
            self.sink.rename(&name);
        }
    }

    fn give_body(&mut self, mut answer: Answer, tools: &mut Tools<'_, '_>) -> Result<(), Failure> {
        let options = self.job.options;
        if self.offset > 0 && answer.status == 416 {
            // There is nothing after what is there.
            return Ok(());
        }
        let failed = answer.status >= 400 && options.fail != Fail::Never;
        if failed && options.fail == Fail::WithoutBody {
            return Err(status_failure(answer.status));
        }
        if self.offset > 0 && answer.status < 300 {
            if answer.status != 206 {
                let text = "HTTP server does not seem to support byte ranges. Cannot resume.";
                return Err(Failure::new(code::RANGE, text));
            }
            self.sink.append();
        }
        self.name_as_given(&answer);
        if self.plan.base == "HEAD" {
            return self.sink.open();
        }
        self.size(answer.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0))?;
        while let Some(piece) = answer.body.next().map_err(|trouble| self.failure(trouble))? {
            self.stats.downloaded += piece.len() as u64;
            self.size(self.stats.downloaded)?;
            self.sink.write(tools.streams, &piece)?;
        }
        self.sink.open()?;
        if failed { Err(status_failure(answer.status)) } else { Ok(()) }
    }

    fn size(&self, bytes: u64) -> Result<(), Failure> {
        match self.job.options.file_bytes_max {
            Some(max) if bytes > max => {
                Err(Failure::new(code::SIZE, format!("Maximum file size exceeded: {bytes} bytes")))
            }
            _ => Ok(()),
        }
    }

    fn why(&self, trouble: Trouble) -> Why {
        let refused = trouble == Trouble::Refused;
        let failure = self.failure(trouble);
        if refused { Why::Refused(failure) } else { Why::Failed(failure) }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        let name = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        let passed = self.began.elapsed().as_millis();
        let (code, text) = match trouble {
            Trouble::Refused => {
                let destination = address::destination(&self.url);
                (
                    code::CONNECT,
                    format!("{name}: this sandbox may not reach it; the operator can grant it (--host {destination})"),
                )
            }
            Trouble::Name => (code::RESOLVE, format!("Could not resolve host: {name}")),
            Trouble::Connect(why) => {
                (code::CONNECT, format!("Failed to connect to {name} port {port} after {passed} ms: {why}"))
            }
            Trouble::Slow(why) => (code::TIMEOUT, format!("Operation timed out after {passed} milliseconds: {why}")),
            Trouble::Late => {
                let bytes = self.stats.downloaded;
                (code::TIMEOUT, format!("Operation timed out after {passed} milliseconds with {bytes} bytes received"))
            }
            Trouble::Tls(why) => (code::TLS, format!("TLS connect error: {why}")),
            Trouble::Certificate => (
                code::CERTIFICATE,
                format!("SSL certificate problem: the server's certificate is not valid for {name}"),
            ),
            Trouble::Empty => (code::EMPTY, "Empty reply from server".to_owned()),
            Trouble::Send(why) => (code::SEND, format!("Send failure: {why}")),
            Trouble::Receive(why) => (code::RECEIVE, format!("Recv failure: {why}")),
            Trouble::Reading(failure) => return failure,
        };
        Failure { code, text }
    }
}

/// Whether `--proto` lets an address be asked.
pub(crate) fn allowed(list: Option<&str>, url: &Url) -> Result<(), Failure> {
    let mut allowed = vec!["http", "https"];
    for item in list.into_iter().flat_map(|list| list.split(',')).map(str::trim) {
        let name = item.trim_start_matches(['=', '-', '+']);
        let names = if name == "all" { vec!["http", "https"] } else { vec![name] };
        if item.starts_with('=') {
            allowed.clear();
        }
        if item.starts_with('-') {
            allowed.retain(|own| !names.contains(own));
        } else {
            allowed.extend(names);
        }
    }
    if allowed.contains(&url.scheme()) {
        return Ok(());
    }
    Err(Failure::new(code::PROTOCOL, format!("Protocol \"{}\" disabled", url.scheme())))
}

/// What the host has only words for: no code of `wasi:http` says it. What is for its developers stands behind the
/// first line.
#[cfg(any(test, target_os = "wasi"))]
pub(crate) fn told(why: &str) -> Trouble {
    let why = why.lines().next().unwrap_or_default().trim_start_matches("internal error: ");
    let has = |words: &str| why.starts_with(words);
    if has("no whole answer came in time") {
        Trouble::Slow(why.to_owned())
    } else if has("cannot connect: ") {
        Trouble::Connect(why["cannot connect: ".len()..].to_owned())
    } else if has("this call may send no more") || has("it could not be put on record") {
        Trouble::Send(why.to_owned())
    } else {
        Trouble::Receive(why.to_owned())
    }
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
