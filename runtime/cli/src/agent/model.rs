//! Which model answers, and how it is reached.

use crate::config::Agents;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::vault;
use handbox_brain::model::script::Script;
use handbox_brain::model::{Anthropic, AnthropicOptions, Model, OpenAi, OpenAiOptions};
use handbox_brain::{Agent, ModelChoice};
use handbox_hand::{Http, Principal};
use handbox_vault::keep::{Keep, Provider};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, PolicyError, Proxy, Secret, SystemResolver};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest script, in bytes.
const SCRIPT_BYTES_MAX: u64 = 4 << 20;
/// What a script is.
const SCRIPT_HINT: &str = "script:FILE names a JSON array of answers, such as [{\"reply\": [{\"text\": \"Hello.\"}]}]; --model tour \
                           needs no file";
/// The member of a session's agent that says who is asked.
const PROVIDER: &str = "provider";

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The script inside the program.
    Tour,
    /// A script of the caller's, at an absolute path.
    Script(PathBuf),
    /// A model of Anthropic, or of whoever speaks its API at `ANTHROPIC_BASE_URL`.
    Anthropic(String),
    /// A model behind a chat completions endpoint, at `OPENAI_BASE_URL`.
    OpenAi(String),
}

impl Choice {
    /// What `--model` says.
    pub(crate) fn parse(word: &str, cwd: &Path) -> Result<Self, Failure> {
        match word.split_once(':') {
            None if word == "tour" => Ok(Self::Tour),
            None if word.starts_with("claude") => Ok(Self::Anthropic(word.to_owned())),
            Some(("script", file)) => Ok(Self::Script(cwd.join(file))),
            Some(("anthropic", model)) => Ok(Self::Anthropic(model.to_owned())),
            Some(("openai", model)) => Ok(Self::OpenAi(model.to_owned())),
            _ => Err(Failure::usage(format!("--model {word}: whose model is that?")).hint(
                "write anthropic:NAME, openai:NAME (any endpoint of that kind, at OPENAI_BASE_URL), script:FILE, or tour",
            )),
        }
    }

    /// Without `--model`: what the environment or the operator's configuration names.
    pub(crate) fn usual(agents: &Agents, cwd: &Path) -> Result<Self, Failure> {
        if let Some(word) = variable("HANDBOX_MODEL").or_else(|| agents.model.clone()) {
            return Self::parse(&word, cwd);
        }
        Err(Failure::usage("no model is chosen; set one of these:").hint(
            "\n  ANTHROPIC_API_KEY=… and --model anthropic:NAME\
             \n  OPENAI_API_KEY=… and --model openai:NAME, with OPENAI_BASE_URL=… for another endpoint than OpenAI's\
             \n  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 and --model openai:NAME for a local one (Ollama, llama.cpp, vLLM)\
             \nor try --model tour: a script inside this program, which asks no model. HANDBOX_MODEL, or model under [agents] in config.toml, saves typing --model",
        ))
    }

    /// As a session pins it.
    pub(crate) fn agent(&self) -> Agent {
        let (provider, id) = match self {
            Self::Tour => ("script", "tour".to_owned()),
            Self::Script(file) => ("script", file.display().to_string()),
            Self::Anthropic(id) => ("anthropic", id.clone()),
            Self::OpenAi(id) => ("openai", id.clone()),
        };
        let mut agent = Agent::new(id);
        agent.model.extra.insert(PROVIDER.to_owned(), Value::from(provider));
        agent
    }

    /// What a session pinned.
    pub(crate) fn pinned(model: &ModelChoice) -> Result<Self, Failure> {
        let provider = model.extra.get(PROVIDER).and_then(Value::as_str).unwrap_or_default();
        match provider {
            "script" if model.id == "tour" => Ok(Self::Tour),
            "script" => Ok(Self::Script(PathBuf::from(&model.id))),
            "anthropic" => Ok(Self::Anthropic(model.id.clone())),
            "openai" => Ok(Self::OpenAi(model.id.clone())),
            other => {
                let whose = if other.is_empty() {
                    "nobody says whose it is".to_owned()
                } else {
                    format!("`{other}` is not known here")
                };
                let message = format!("the session's model is `{}`, and {whose}", model.id);
                Err(Failure::usage(message).hint(
                    "choose one: handbox run --session ID --model anthropic:NAME \"…\"; or wake it with the Handbox that began it",
                ))
            }
        }
    }

    /// Whether no model is asked, which has to be said wherever it prints.
    pub(crate) fn is_scripted(&self) -> bool {
        matches!(self, Self::Tour | Self::Script(_))
    }

    /// The model.
    ///
    /// Its key is that of the environment, or of a file, or of the vault, where it is asked for with each request.
    pub(crate) async fn open(&self, agents: &Agents, keep: &Keep) -> Result<Arc<dyn Model>, Failure> {
        match self {
            Self::Tour => Ok(Arc::new(Script::tour())),
            Self::Script(file) => script(file),
            Self::Anthropic(_) => {
                let base = variable("ANTHROPIC_BASE_URL").unwrap_or_else(|| Anthropic::BASE_URL.to_owned());
                let to = Destination::of_url(&base).map_err(|error| wrong("ANTHROPIC_BASE_URL", error))?;
                let binding = match key("ANTHROPIC_API_KEY", agents.keys.get("anthropic"))? {
                    Some(key) => Some(Binding::header("ANTHROPIC_API_KEY", to, Anthropic::KEY_HEADER, key)),
                    None => kept(keep, Provider::Anthropic, to).await?,
                };
                let binding = binding.ok_or_else(|| missing("ANTHROPIC_API_KEY", "anthropic"))?;
                let binding = binding.map_err(|error| wrong("ANTHROPIC_BASE_URL", error))?;
                let (http, principal) = proxy(Vec::new(), vec![binding])?;
                let options = AnthropicOptions { http, principal, base_url: base, betas: Vec::new() };
                Ok(Arc::new(Anthropic::new(options)))
            }
            Self::OpenAi(_) => {
                let own = variable("OPENAI_BASE_URL");
                let base = own.clone().unwrap_or_else(|| OpenAi::BASE_URL.to_owned());
                let to = Destination::of_url(&base).map_err(|error| wrong("OPENAI_BASE_URL", error))?;
                let binding = match key("OPENAI_API_KEY", agents.keys.get("openai"))? {
                    Some(key) => Some(Binding::bearer("OPENAI_API_KEY", to.clone(), key)),
                    None => kept(keep, Provider::Openai, to.clone()).await?,
                };
                let (plain, bound) = match binding {
                    Some(binding) => (Vec::new(), vec![binding.map_err(|error| wrong("OPENAI_BASE_URL", error))?]),
                    // Local endpoints ask for none.
                    None if own.is_some() => (vec![to], Vec::new()),
                    None => return Err(missing("OPENAI_API_KEY", "openai")),
                };
                let (http, principal) = proxy(plain, bound)?;
                Ok(Arc::new(OpenAi::new(OpenAiOptions { http, principal, base_url: base })))
            }
        }
    }
}

fn script(file: &Path) -> Result<Arc<dyn Model>, Failure> {
    let text = crate::whole_file::read(file, SCRIPT_BYTES_MAX).map_err(|failure| failure.hint(SCRIPT_HINT))?;
    let text = String::from_utf8(text);
    let text = text.map_err(|_| Failure::usage(format!("{} is not text", file.display())).hint(SCRIPT_HINT))?;
    let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let script = Script::parse(name, &text);
    let script = script.map_err(|error| Failure::usage(format!("{}: {error}", file.display())).hint(SCRIPT_HINT));
    Ok(Arc::new(script?))
}

/// The only way out, for the brain: one destination, one credential.
fn proxy(destinations: Vec<Destination>, bindings: Vec<Binding>) -> Result<(Arc<dyn Http>, Principal), Failure> {
    let principal = Principal("brain".into());
    // A model of the operator's own has no public address.
    let grants = vec![Grant { destinations, bindings, ..Grant::with_own_networks(principal.clone()) }];
    let resolver = Arc::new(SystemResolver::relative());
    let proxy = Proxy::new(Options { grants, resolver, ..Options::new(Limits::MODELS) });
    Ok((Arc::new(proxy.map_err(Failure::internal)?), principal))
}

/// The key that the vault has.
async fn kept(
    keep: &Keep,
    provider: Provider,
    to: Destination,
) -> Result<Option<Result<Binding, PolicyError>>, Failure> {
    let key = vault::model_key(keep, provider).await?;
    Ok(key.map(|(name, credentials)| Binding::stored(&name, to, credentials)))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A key from the environment, or from the file that the configuration names.
fn key(name: &str, file: Option<&PathBuf>) -> Result<Option<Secret>, Failure> {
    let own = Secret::from_env(name).map_err(|error| wrong(name, error))?;
    let (None, Some(file)) = (&own, file) else { return Ok(own) };
    let read = Secret::from_file(file).map_err(|error| {
        Failure::usage(format!("the key file: {error}"))
            .hint(format!("correct [agents.keys] in config.toml, or set {name}"))
    })?;
    if let Some(warning) = read.warning {
        output::note(Tone::Warning, &warning);
    }
    Ok(Some(read.secret))
}

fn wrong(name: &str, error: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{name}: {error}")).hint(format!("correct {name}"))
}

fn missing(name: &str, provider: &str) -> Failure {
    Failure::new(Kind::Usage, format!("{name} is not set, so no model of {provider} can be asked"))
        .hint(format!("export {name}=…; it is sent to that provider only, and never logged; or keep it: handbox vault set {provider} --kind model; or name a file: {provider} = \"FILE\" under [agents.keys] in config.toml. --model tour needs none"))
}
