//! `handbox run`.

use super::brain::{brain, log, pinned_model};
use super::drive::{Drive, event, say};
use super::model::Choice;
use super::pinned::{Pinned, Policies, choose, digest, effective, tools};
use crate::args::{self, Global};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::paths::Paths;
use handbox_brain::context::Context;
use handbox_brain::{Brain, Machine, Price, RunsWith, Surroundings, dollars_per_million};
use handbox_bundle::{Grants, Mode};
use handbox_session::fold::Money;
use handbox_session::{Minter, SessionId, SessionLog, kinds};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The longest prompt, in bytes.
const PROMPT_BYTES_MAX: u64 = 512 << 10;
/// Characters of a prompt that become the session's title.
const TITLE_CHARS: usize = 60;

/// Give an agent something to do, and watch it.
///
/// Its words come on standard output, what its tools do on standard error. All that happens is kept in a session, which
/// whoever has its id can follow, wake and go on with. Its tools may read the current folder, seen as
/// /workspace, and nothing else until you say so. A tool that is not declared read-only asks you each time, unless
/// --allow names it. Ctrl-C interrupts the agent; a second Ctrl-C leaves it as it is, for `handbox wake`.
///
/// Exit status: 0 it is done, 1 it gave up, 2 usage, 3 it waits for you, 4 it reached a limit.
#[derive(clap::Args)]
#[command(after_help = "Models:
  anthropic:NAME   needs ANTHROPIC_API_KEY (another server: ANTHROPIC_BASE_URL)
  openai:NAME      any chat completions endpoint: OPENAI_API_KEY, OPENAI_BASE_URL
  script:FILE      answers from a file; no model is asked
  tour             a script inside this program that looks around with the bundle std; no model is asked

Examples:
  handbox run --model tour \"Where is TODO in this folder?\"
  handbox run --model anthropic:claude-sonnet-4-5 --write --allow write \"Add a README\"
  handbox run --session sesn_1Ch… \"And now the tests\"")]
pub(crate) struct Run {
    /// What to do; `-` reads it from standard input
    prompt: String,
    /// What it has for hands: `std`, a name from config.toml, a folder with bundle.toml, or a packed .wasm file
    #[arg(long, value_name = "BUNDLE", default_value = "std")]
    bundle: Vec<String>,
    /// Who answers
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Go on with a session, with all that it was begun with
    #[arg(long, value_name = "ID", conflicts_with_all = ["bundle", "model", "context", "system", "allow", "deny", "max_cost", "max_requests"])]
    session: Option<String>,
    /// What the model is shown: everything, last-turns=N, clear-results=N (keeps the last N), summary=TOKENS
    #[arg(long, value_name = "STRATEGY", value_parser = strategy)]
    context: Option<Context>,
    /// A file with the system prompt
    #[arg(long, value_name = "FILE")]
    system: Option<std::path::PathBuf>,
    /// Tools that run without asking; `all` for all
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    allow: Vec<String>,
    /// Tools that never run
    #[arg(long, value_name = "TOOL", value_delimiter = ',')]
    deny: Vec<String>,
    /// The most dollars for the whole session; needs prices, which are not known for every model
    #[arg(long, value_name = "DOLLARS", value_parser = dollars, requires = "price")]
    max_cost: Option<Money>,
    /// What a million tokens cost in dollars: read,written
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    price: Option<Price>,
    /// The most model requests of one turn
    #[arg(long, value_name = "COUNT")]
    max_requests: Option<u64>,
    #[command(flatten)]
    grants: args::Grants,
}

fn strategy(text: &str) -> Result<Context, String> {
    let number =
        |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0).ok_or("a whole number from 1 on".to_owned());
    match text.split_once('=') {
        None if text == "everything" => Ok(Context::Everything),
        Some(("last-turns", count)) => Ok(Context::LastTurns { turns: number(count)? }),
        Some(("clear-results", count)) => Ok(Context::ClearedResults { keep: number(count)? }),
        Some(("summary", count)) => Ok(Context::Summary { at_tokens: number(count)? }),
        _ => Err("write everything, last-turns=N, clear-results=N or summary=TOKENS".to_owned()),
    }
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
        let done = work(opened, begin, &command, prompt, (global, &paths, &cwd)).await;
        shared.close().await;
        done
    });
    // A question that nobody answered still waits for a line.
    runtime.shutdown_background();
    done
}

async fn work(
    log: Arc<dyn SessionLog>,
    begin: Option<Begin>,
    command: &Run,
    prompt: String,
    (global, paths, cwd): (&Global, &Paths, &Path),
) -> Result<ExitCode, Failure> {
    let (session, choice, brain) = match begin {
        Some(begin) => {
            let brain = brain(log, &begin.choice, global, cwd)?;
            let session = begin.create(&brain, &prompt).await?;
            (session, begin.choice, brain)
        }
        None => {
            let session = open::resolve(&*log, command.session.as_deref().unwrap_or_default()).await?;
            let choice = pinned_model(&*log, session).await?;
            (session, choice.clone(), brain(log, &choice, global, cwd)?)
        }
    };
    let message = json!({ "content": [{ "type": "text", "text": prompt }] });
    say(&*brain.log, session, vec![event(kinds::USER_MESSAGE, message)?]).await?;
    Drive { brain, session, global, paths, scripted: choice.is_scripted() }.run().await
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

/// A session that is to be begun.
struct Begin {
    choice: Choice,
    runs: RunsWith,
}

impl Begin {
    fn prepare(command: &Run, paths: &Paths, cwd: &Path, quiet: bool) -> Result<Self, Failure> {
        let choice = match &command.model {
            Some(word) => Choice::parse(word, cwd)?,
            None => Choice::usual()?,
        };
        let config = Config::load(paths, cwd)?;
        let chosen = choose(&command.bundle, &config, cwd)?;
        let effective = effective(&chosen, &command.grants, &config, (paths, cwd))?;
        effective.warn(quiet);
        let policies = Policies { allow: &command.allow, deny: &command.deny };
        let mut runs = RunsWith::new(choice.agent());
        runs.tools = tools(&chosen, &policies)?;
        runs.bundles = chosen.iter().map(|one| (one.pinned.hand.clone(), digest(&one.bundle))).collect();
        let pinned = Pinned::of(&chosen, &effective, &command.grants);
        runs.grants = serde_json::to_value(&pinned).map_err(Failure::internal)?;
        runs.system = Some(match &command.system {
            Some(file) => {
                let text = crate::whole_file::read(&cwd.join(file), PROMPT_BYTES_MAX)?;
                String::from_utf8(text).map_err(|_| Failure::usage(format!("{} is not text", file.display())))?
            }
            None => system(&effective.grants),
        });
        runs.context = command.context.clone().unwrap_or_default();
        runs.limits.session.money = command.max_cost;
        runs.limits.turn.model_requests = command.max_requests.or(runs.limits.turn.model_requests);
        if let Some(price) = command.price {
            runs.prices.0.insert("*".to_owned(), price);
        }
        Ok(Self { choice, runs })
    }

    async fn create(&self, brain: &Brain, prompt: &str) -> Result<SessionId, Failure> {
        let mut chance = [0; 10];
        Machine.chance(&mut chance);
        let session: SessionId = Minter::default().mint(Machine.now_unix_ms(), chance);
        let line = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        let title: String = line.chars().take(TITLE_CHARS).collect();
        brain.create(session, &self.runs, Some(title), BTreeMap::new()).await?;
        Ok(session)
    }
}

/// What a model is told of where it is.
fn system(grants: &Grants) -> String {
    let folder = |folder: &handbox_bundle::FolderGrant| {
        let mode = if folder.mode == Mode::ReadWrite { "read and write" } else { "read only" };
        format!("{} ({mode})", folder.guest)
    };
    let folders: Vec<String> = grants.folders.iter().map(folder).collect();
    let folders = if folders.is_empty() { "none".to_owned() } else { folders.join(", ") };
    format!(
        "You work through the tools that you are given. They run in a sandbox, without network. The user's folders there: \
         {folders}. /tmp is scratch space; put files that are meant for the user into /mnt/session/outputs. Say briefly \
         what you found or did, and never claim what a tool did not show."
    )
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
    use super::{dollars, price, strategy};
    use handbox_brain::context::Context;

    #[test]
    fn amounts_are_whole_picodollars() {
        assert_eq!(dollars("0.50").unwrap().picodollars(), 500_000_000_000);
        let price = price("3,15").unwrap();
        assert_eq!((price.input.picodollars(), price.output.picodollars()), (3_000_000, 15_000_000));
        assert!(dollars("-1").is_err() && dollars("much").is_err() && dollars("NaN").is_err());
    }

    #[test]
    fn strategies_are_named_with_their_numbers() {
        assert_eq!(strategy("last-turns=3"), Ok(Context::LastTurns { turns: 3 }));
        assert!(strategy("last-turns").is_err() && strategy("last-turns=0").is_err() && strategy("all").is_err());
    }
}
