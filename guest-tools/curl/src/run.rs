//! The whole command, from its arguments to its status.

use crate::address;
use crate::cookies::Jar;
use crate::failure::Failure;
use crate::glob::{self, Expanded};
use crate::options::{self, Asked, Options, Output, Usage};
use crate::output::Sink;
use crate::request::Plan;
use crate::transfer::{self, Job, Tools};
use crate::wire::Wire;
use crate::write_out::{self, Stats};
use std::io::Write;

/// What `--version` begins with.
pub(crate) const VERSION: &str = "8.0";

const HELP: &str = "\
Usage: curl [options...] <url>
 -d, --data <data>          HTTP POST data (@file, @- for standard input)
     --json <data>          HTTP POST JSON
 -F, --form <name=content>  Multipart form (name=@file)
 -T, --upload-file <file>   PUT a file
 -G, --get                  Put the data into the URL
 -X, --request <method>     Method to use
 -H, --header <header>      Send this header (@file)
 -u, --user <user:password> Basic authentication
 -A, --user-agent <name>    Send User-Agent
 -e, --referer <URL>        Send Referer
 -b, --cookie <data|file>   Send cookies
 -c, --cookie-jar <file>    Write cookies
 -L, --location             Follow redirects
     --max-redirs <num>     At most so many (10)
 -o, --output <file>        Write to file
 -O, --remote-name          Write to a file named as in the URL
     --output-dir <dir>     Write files there
     --create-dirs          Make folders for files
 -C, --continue-at <offset> Resume (- for where the file ends)
 -r, --range <range>        Ask for these bytes
 -i, --include              Show the heads of answers
 -I, --head                 Ask for the head only
 -D, --dump-header <file>   Write heads to file
 -w, --write-out <format>   Write this at the end
 -f, --fail                 Fail on status 400 and above
     --fail-with-body       The same, and show the body
 -s, --silent               Say nothing of errors
 -S, --show-error           Say them though silent
 -v, --verbose              Show heads on standard error
 -m, --max-time <seconds>   Give up after so long
     --retry <num>          Try again if it may help
     --retry-delay <s>      Wait so long between
     --url-query <data>     Add to the query
 -g, --globoff              Take [] and {} in URLs as they are
";

/// Where a command writes.
pub(crate) struct Streams<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// A line on standard error. Nobody is left to be told that it cannot be written.
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}

/// A warning, unless the user wants none.
pub(crate) fn warn(options: &Options, streams: &mut Streams<'_>, text: &str) {
    if !options.silent {
        streams.say(&format!("Warning: {text}"));
    }
}

/// A line of what happens, if the user wants to see it.
pub(crate) fn note(options: &Options, streams: &mut Streams<'_>, sign: char, text: &str) {
    if options.verbose {
        streams.say(&format!("{sign} {text}"));
    }
}

/// Runs the command; what it exits with.
pub(crate) fn run(args: &[String], wire: &dyn Wire, streams: &mut Streams<'_>) -> u8 {
    let groups = match options::parse(args) {
        Ok(Asked::Transfers(groups)) => groups,
        Ok(Asked::Help) => {
            let _ = streams.out.write_all(HELP.as_bytes());
            return 0;
        }
        Ok(Asked::Version) => {
            let text =
                format!("curl {VERSION} (handbox) over wasi:http\nProtocols: http https\nFeatures: HTTP/1.1 libz\n");
            let _ = streams.out.write_all(text.as_bytes());
            return 0;
        }
        Err(Usage { code, text }) => {
            streams.say(&format!("curl: {text}"));
            streams.say("curl: try 'curl --help' for more information");
            return code;
        }
    };
    let mut command = Command { wire, jar: Jar::default(), number: 0 };
    let mut status = 0;
    for options in &groups {
        status = command.group(options, streams);
        if status != 0 && options.fail_early {
            break;
        }
    }
    status
}

struct Command<'a> {
    wire: &'a dyn Wire,
    jar: Jar,
    number: usize,
}

impl Command<'_> {
    /// All URLs of a group; the status of the last.
    fn group(&mut self, options: &Options, streams: &mut Streams<'_>) -> u8 {
        for text in &options.notes {
            warn(options, streams, text);
        }
        self.jar.read(options);
        let mut heads = options.dump_header.as_ref().map(|name| Sink::for_heads(name, options.create_dirs));
        let mut status = 0;
        for (at, typed) in options.urls.iter().enumerate() {
            let all = if options.globoff {
                Ok(vec![Expanded { url: typed.clone(), places: Vec::new() }])
            } else {
                glob::expand(typed)
            };
            let all = match all {
                Ok(all) => all,
                Err(failure) => {
                    status = said(options, streams, &failure);
                    continue;
                }
            };
            for one in all {
                status = self.transfer(options, at, &one, &mut heads, streams);
                if status != 0 && options.fail_early {
                    return status;
                }
            }
        }
        if let Some(failure) = options.cookie_jar.as_ref().and_then(|name| self.jar.write(name).err()) {
            warn(options, streams, &failure.text);
        }
        status
    }

    fn transfer(
        &mut self,
        options: &Options,
        at: usize,
        one: &Expanded,
        heads: &mut Option<Sink>,
        streams: &mut Streams<'_>,
    ) -> u8 {
        let mut stats = Stats { url: one.url.clone(), number: self.number, ..Stats::default() };
        stats.url_effective.clone_from(&stats.url);
        self.number += 1;
        match job(options, at, &one.url) {
            Err(failure) => stats.failure = Some(failure),
            Ok(job) => {
                let sink = Sink::new(options, job.output, &job.url, |name| one.name(name));
                if options.skip_existing && sink.path().is_some_and(std::path::Path::exists) {
                    note(options, streams, '*', "skips transfer, file exists locally");
                    return 0;
                }
                let mut tools = Tools { wire: self.wire, streams, jar: &mut self.jar, heads };
                transfer::run(&job, sink, &mut tools, &mut stats);
            }
        }
        let status = stats.failure.as_ref().map_or(0, |failure| said(options, streams, failure));
        if let Some(format) = &options.write_out {
            write_out::write(format, &stats, streams);
        }
        status
    }
}

/// Says why something did not work, unless the user wants silence.
fn said(options: &Options, streams: &mut Streams<'_>, failure: &Failure) -> u8 {
    if !options.silent || options.show_error {
        streams.say(&format!("curl: ({}) {}", failure.code, failure.text));
    }
    failure.code
}

fn job<'a>(options: &'a Options, at: usize, text: &str) -> Result<Job<'a>, Failure> {
    let mut url = address::parse(text)?;
    transfer::allowed(options.protocols.as_deref(), &url)?;
    let user = address::take_user(&mut url);
    let upload = options.uploads.get(at).or(options.uploads.last().filter(|_| options.urls.len() == 1));
    let plan = Plan::new(options, upload.map(String::as_str))?;
    address::add_query(&mut url, &plan.query);
    // What is put into a folder takes the name of the file.
    if let Some(name) = upload.filter(|name| url.path().ends_with('/') && !matches!(name.as_str(), "-" | ".")) {
        let name = address::escape(name.rsplit('/').next().unwrap_or(name).as_bytes());
        let path = format!("{}{name}", url.path());
        url.set_path(&path);
    }
    let output = options.outputs.get(at).or(options.remote_name_all.then_some(&Output::RemoteName));
    Ok(Job { options, plan, url, user, output })
}
