//! `handbox vault test`.

use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output;
use crate::paths::Paths;
use serde_json::json;
use std::process::ExitCode;

/// Send one request with a credential to where it is bound, and say what the server answers.
///
/// It is a GET, or a HEAD if it is bound for that alone. Only the status is shown; a redirect is not followed.
#[derive(clap::Args)]
pub(super) struct Test {
    /// Which
    name: String,
    /// Where to, below its destination; without it the destination itself
    url: Option<String>,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Test) -> Result<ExitCode, Failure> {
    let keep = super::keep(paths);
    let tried = crate::wiring::runtime()?.block_on(keep.test(&command.name, command.url.as_deref()))?;
    keep.flush();
    let taken = !matches!(tried.status, 401 | 403 | 407);
    if global.json {
        let (url, method, status) = (&tried.url, tried.method, tried.status);
        output::json_line(&json!({ "url": url, "method": method, "status": status, "taken": taken }));
    } else {
        output::data(&format!("{} {}: {}", tried.method, tried.url, tried.status));
    }
    if taken {
        return Ok(ExitCode::SUCCESS);
    }
    if !global.json {
        let failure = Failure::new(Kind::Tool, "the server does not take it");
        failure.hint(format!("give it another value: handbox vault rotate {}", command.name)).report_text();
    }
    Ok(ExitCode::from(Kind::Tool.code()))
}
