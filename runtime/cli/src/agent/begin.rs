//! A session that is to be begun.

use super::model::Choice;
use super::pinned::{Pinned, Policies, choose, digest, effective, tools};
use super::run::{PROMPT_BYTES_MAX, Run};
use super::seal::Seal;
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::Failure;
use crate::paths::Paths;
use crate::{example, repack};
use handbox_brain::{Brain, Machine, RunsWith, Surroundings};
use handbox_bundle::{BUNDLE_FILE, Grants, Mode};
use handbox_session::{Minter, SessionId};
use std::collections::BTreeMap;
use std::path::Path;

/// Characters of a prompt that become the session's title.
const TITLE_CHARS: usize = 60;
/// What a session has for hands unless somebody says otherwise.
const BUNDLE_DEFAULT: &str = "std";

/// A session that is to be begun.
pub(super) struct Begin {
    pub(super) choice: Choice,
    runs: RunsWith,
}

impl Begin {
    pub(super) fn prepare(command: &Run, paths: &Paths, cwd: &Path, quiet: bool) -> Result<Self, Failure> {
        let config = Config::load(paths, cwd)?;
        let agents = &config.operator.agents;
        let choice = match &command.model {
            Some(word) => Choice::parse(word, cwd)?,
            None => Choice::usual(agents, cwd)
                .map_err(|failure| for_a_call(&command.prompt, &config, cwd).unwrap_or(failure))?,
        };
        let usual = [BUNDLE_DEFAULT.to_owned()];
        let chosen = choose(if command.bundle.is_empty() { &usual } else { &command.bundle }, &config, cwd)?;
        chosen.iter().for_each(|one| repack::note(&one.bundle, cwd, quiet));
        let mut effective = effective(&chosen, &command.grants, &config, (paths, cwd))?;
        if let [one] = &chosen[..] {
            effective.warn_of_unasked(&command.grants, &one.bundle, cwd);
        }
        effective.warn(quiet);
        let policies = Policies { allow: &command.allow, deny: &command.deny };
        let mut runs = RunsWith::new(choice.agent());
        runs.tools = tools(&chosen, &policies, cwd)?;
        runs.bundles = chosen.iter().map(|one| (one.pinned.hand.clone(), digest(&one.bundle))).collect();
        let pinned = Pinned::of(&chosen, &effective, &command.grants, &config.operator.ranges);
        runs.grants = serde_json::to_value(&pinned).map_err(Failure::internal)?;
        runs.system = Some(system(&effective.grants));
        runs.context = agents.context.clone().unwrap_or_default();
        runs.limits = agents.limits;
        runs.prices = agents.prices.clone();
        lay_over(&mut runs, command, cwd)?;
        Ok(Self { choice, runs })
    }

    pub(super) async fn create(&self, brain: &Brain, seal: &Seal, prompt: &str) -> Result<SessionId, Failure> {
        let mut chance = [0; 10];
        Machine.chance(&mut chance);
        let session: SessionId = Minter::default().mint(Machine.now_unix_ms(), chance);
        let line = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        let title: String = line.chars().take(TITLE_CHARS).collect();
        let mut runs = self.runs.clone();
        seal.put(session, &mut runs);
        brain.begin(session, &runs, Some(title), BTreeMap::new(), prompt).await?;
        Ok(session)
    }
}

/// What to do about a component in the place of a prompt.
fn for_a_call(prompt: &str, config: &Config, cwd: &Path) -> Option<Failure> {
    let is_component = prompt.ends_with(".wasm") || cwd.join(prompt).join(BUNDLE_FILE).is_file();
    let bundle = config.open(prompt, cwd, &handbox_std_bundle::bundles()).ok().filter(|_| is_component)?.bundle;
    let tools = bundle.known_tools().unwrap_or_default();
    let call = tools.first().map(|tool| format!("{} {}", tool.name, shell_word(&example::input(tool))));
    let call = call.unwrap_or_else(|| "TOOL …".to_owned());
    let word = shell_word(prompt);
    let failure =
        Failure::usage(format!("{prompt} is a bundle of tools, and `handbox run` takes what an agent is to do"));
    Some(failure.hint(format!(
        "to call a tool, without any model: handbox call {word} {call}; for an agent: handbox run --bundle {word} --model tour \
         \"What to do\", and a model instead of `tour`, which only shows around"
    )))
}

/// Puts into what a session runs with what flags say of its model requests.
pub(super) fn lay_over(runs: &mut RunsWith, command: &Run, cwd: &Path) -> Result<(), Failure> {
    if let Some(file) = &command.system {
        let text = crate::whole_file::read(&cwd.join(file), PROMPT_BYTES_MAX)?;
        let text = String::from_utf8(text).map_err(|_| Failure::usage(format!("{} is not text", file.display())))?;
        runs.system = Some(text);
    }
    if let Some(context) = &command.context {
        runs.context = context.clone();
    }
    if let Some(price) = command.price {
        runs.prices.0.insert("*".to_owned(), price);
    }
    if command.max_cost.is_some() && runs.prices.0.is_empty() {
        return Err(Failure::usage("--max-cost needs prices, and this session has none")
            .hint("add what a million tokens cost in dollars, read and written: --price 3,15; or [agents.prices.MODEL] to config.toml"));
    }
    runs.limits.session.money = command.max_cost.or(runs.limits.session.money);
    runs.limits.turn.model_requests = command.max_requests.or(runs.limits.turn.model_requests);
    Ok(())
}

/// What a model is told of where it is.
pub(super) fn system(grants: &Grants) -> String {
    let folder = |folder: &handbox_bundle::FolderGrant| {
        let mode = if folder.mode == Mode::ReadWrite { "read and write" } else { "read only" };
        format!("{} ({mode})", folder.guest)
    };
    let folders: Vec<String> = grants.folders.iter().map(folder).collect();
    let folders = if folders.is_empty() { "none".to_owned() } else { folders.join(", ") };
    let hosts: Vec<String> = grants.hosts.iter().map(ToString::to_string).collect();
    let network =
        if hosts.is_empty() { "without network".to_owned() } else { format!("with network to {}", hosts.join(", ")) };
    format!(
        "You work through the tools that you are given. They run in a sandbox, {network}. The user's folders there: \
         {folders}. /tmp is scratch space; put files that are meant for the user into /mnt/session/outputs. Say briefly \
         what you found or did, and never claim what a tool did not show."
    )
}
