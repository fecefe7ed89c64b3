//! `handbox run`.

use super::begin::Begin;
use super::brain::{brain, log, state};
use super::change::change;
use super::client::{event, mint, say, too_much};
use super::drive::Drive;
use super::model::Choice;
use super::seal::{Seal, root};
use crate::args::{self, Global};
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::vault;
use handbox_brain::context::Context;
use handbox_brain::{Price, dollars_per_million};
use handbox_session::fold::bodies::Body;
use handbox_session::fold::{Money, SessionChanged, Status};
use handbox_session::{Event, SessionId, SessionLog, kinds};
use handbox_vault::keep::Keep;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The longest prompt, in bytes.
pub(super) const PROMPT_BYTES_MAX: u64 = 512 << 10;

/// Give an agent something to do, and watch it.
///
/// Its words come on standard output, what its tools do on standard error. All that happens is kept in a session, which
/// whoever has its id can follow, wake and go on with. Its tools may read the current folder, seen as
/// /workspace, and nothing else until you say so. A tool that is not declared read-only asks you each time, unless
/// --allow names it. Ctrl-C interrupts the agent, which ends its turn; if that takes long, a second one leaves it as it is, for
/// `handbox wake`.
///
/// With --session, other flags are laid over what the session has, and that is kept in it; --write alone is about its
/// own /workspace, wherever you are. If another process works on it, what you say waits for its turn and is followed.
///
/// Exit status: 0 it is done or was interrupted, 1 it gave up, 2 usage, 3 it waits for you, 4 it reached a limit, 5 the
/// session ended for good.
#[derive(clap::Args)]
#[command(after_help = "Models:
  anthropic:NAME   needs ANTHROPIC_API_KEY (another server: ANTHROPIC_BASE_URL)
  openai:NAME      any chat completions endpoint: OPENAI_API_KEY, OPENAI_BASE_URL
  script:FILE      answers from a file, such as examples/script.json; no model is asked. A JSON array: the first entry
                   whose `when` (text, tool, contains, turn, step) holds gives its `reply`, or its `error`
  tour             a script inside this program that looks around with the bundle std; no model is asked
  HANDBOX_MODEL, or model under [agents] in config.toml, is what holds without --model.

Examples:
  handbox run --model tour \"Where is TODO in this folder?\"
  handbox run --model anthropic:claude-sonnet-4-5 --write --allow write \"Add a README\"
  handbox run --session sesn_1Ch… \"And now the tests\"
  handbox run --session sesn_1Ch… --write --allow write,edit \"You may write from here on\"")]
pub(crate) struct Run {
    /// What to do; `-` reads it from standard input
    pub(super) prompt: String,
    /// What it has for hands: `std`, a name from config.toml, a folder with bundle.toml, or a packed .wasm file [default: std]
    #[arg(long, value_name = "BUNDLE")]
    pub(super) bundle: Vec<String>,
    /// Who answers
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,
    /// Go on with a session; what it runs with stays, but for what other flags change from here on
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// What the model is shown: everything, last-turns=N, clear-results=N (keeps the last N), summary=TOKENS
    #[arg(long, value_name = "STRATEGY")]
    pub(super) context: Option<Context>,
    /// A file with the system prompt
    #[arg(long, value_name = "FILE")]
    pub(super) system: Option<std::path::PathBuf>,
    /// Tools that run without asking; `all` for all
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub(super) allow: Vec<String>,
    /// Tools that never run
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    pub(super) deny: Vec<String>,
    /// No further model request once the session cost so many dollars, which its last request may pass; needs prices, from
    /// config.toml or --price
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub(super) max_cost: Option<Money>,
    /// What a million tokens cost in dollars: read,written
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(super) price: Option<Price>,
    /// The most model requests of one turn; 200 unless config.toml says otherwise
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_requests: Option<u64>,
    #[command(flatten)]
    pub(super) grants: args::Grants,
    /// Take a host away from the session, as `handbox sessions show` has it
    #[arg(long, value_name = "HOST", requires = "session", help_heading = "Grants")]
    pub(super) no_host: Vec<String>,
}

fn dollars(text: &str) -> Result<Money, String> {
    handbox_brain::dollars(text.trim()).map_err(|error| error.to_string())
}

fn price(text: &str) -> Result<Price, String> {
    let (input, output) = text.split_once(',').ok_or("two amounts, such as 3,15")?;
    let of = |text: &str| dollars_per_million(text.trim()).map_err(|error| error.to_string());
    Ok(Price::without_cache(of(input)?, of(output)?))
}

pub(crate) fn run(global: &Global, command: Run) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("the current folder cannot be found: {error}")))?;
    let prompt = prompt(&command.prompt)?;
    let begin = match &command.session {
        Some(_) => None,
        None => Some(Begin::prepare(&command, &paths, &cwd, global.quiet)?),
    };
    let runtime = open::runtime()?;
    let done = runtime.block_on(async {
        let shared = log(&paths, "handbox run").await?;
        let opened: Arc<dyn SessionLog> = Arc::<handbox_store::socket::SharedLog>::clone(&shared);
        let keep = vault::keep(&paths);
        let done = work(opened, begin, (&command, &keep), prompt, (global, &paths, &cwd)).await;
        shared.close().await;
        vault::settle(&keep, global.quiet).await;
        done
    });
    // A question that nobody answered still waits for a line.
    runtime.shutdown_background();
    done
}

async fn work(
    log: Arc<dyn SessionLog>,
    begin: Option<Begin>,
    (command, keep): (&Run, &Keep),
    prompt: String,
    (global, paths, cwd): (&Global, &Paths, &Path),
) -> Result<ExitCode, Failure> {
    let (session, choice, brain, hands, events) = match begin {
        Some(begin) => {
            let (brain, hands) = brain(log, &begin.choice, (global, keep), cwd).await?;
            let session = begin.create(&brain, &Seal::open(&paths.data)?, &prompt).await?;
            (session, begin.choice, brain, hands, Vec::new())
        }
        None => {
            let session = open::resolve(&*log, command.session.as_deref().unwrap_or_default()).await?;
            let (choice, changed) = go_on(&*log, session, command, (global, paths, cwd)).await?;
            let (brain, hands) = brain(log, &choice, (global, keep), cwd).await?;
            let message = json!({ "content": [{ "type": "text", "text": prompt }] });
            let message = event(kinds::USER_MESSAGE, message)?;
            (session, choice, brain, hands, changed.into_iter().chain([message]).collect())
        }
    };
    let head = brain.log.record(session).await?.head;
    let after = say(&*brain.log, session, events).await?.unwrap_or(head);
    Drive { brain, hands, session, after, global, paths, scripted: choice.is_scripted(), denies: true }.run().await
}

/// What a session goes on with, and the event that says so if it is something else than before.
async fn go_on(
    log: &dyn SessionLog,
    session: SessionId,
    command: &Run,
    (global, paths, cwd): (&Global, &Paths, &Path),
) -> Result<(Choice, Vec<Event>), Failure> {
    let (fold, runs) = state(log, session).await?;
    if fold.status == Status::Terminated {
        return Err(Failure::usage(format!("{session} ended for good: nothing can be said to it any more"))
            .hint("begin another: handbox run \"…\""));
    }
    let (seal, root) = (Seal::open(&paths.data)?, root(log, session).await?);
    let foreign = !seal.holds(root, &runs);
    let mut changed = change(command, &runs, foreign, (paths, cwd))?;
    if let Some(changed) = &mut changed {
        seal.put(root, &mut changed.runs);
    }
    for what in changed.iter().flat_map(|changed| &changed.what).filter(|_| !global.quiet) {
        output::note(Tone::Note, &format!("from here on {what}"));
    }
    let runs = changed.as_ref().map_or(&runs, |changed| &changed.runs);
    let body = changed.as_ref().map(|changed| SessionChanged(changed.runs.created(None, BTreeMap::new())));
    let event = body.map(|body| body.to_event(mint()).map_err(too_much)).transpose()?;
    // What was asked, answered or begun elsewhere is not carried out here.
    let ended = (foreign && event.is_some() && !fold.calls.is_empty())
        .then(|| super::client::event(kinds::USER_INTERRUPT, json!({})));
    Ok((Choice::pinned(&runs.agent.model)?, ended.transpose()?.into_iter().chain(event).collect()))
}

fn prompt(word: &str) -> Result<String, Failure> {
    let text = if word == "-" {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(PROMPT_BYTES_MAX + 1).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        text
    } else {
        word.to_owned()
    };
    if text.trim().is_empty() {
        return Err(
            Failure::usage("there is nothing to do: the prompt is empty").hint("say what to do: handbox run \"…\"")
        );
    }
    if text.len() as u64 > PROMPT_BYTES_MAX {
        return Err(Failure::usage(format!("the prompt is larger than {PROMPT_BYTES_MAX} bytes"))
            .hint("put it into a file in a granted folder, and tell the agent to read that"));
    }
    Ok(text)
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Kind::Internal, error.to_string())
    }
}

/// What is kept as JSON, for people.
pub(super) fn pretty(value: &Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)?)
}

#[cfg(test)]
mod tests {
    use super::{dollars, price};

    #[test]
    fn amounts_are_whole_picodollars() {
        assert_eq!(dollars("0.50").unwrap().picodollars(), 500_000_000_000);
        let price = price("3,15").unwrap();
        assert_eq!((price.input.picodollars(), price.output.picodollars()), (3_000_000, 15_000_000));
        assert!(dollars("-1").is_err() && dollars("much").is_err() && dollars("NaN").is_err());
    }
}
