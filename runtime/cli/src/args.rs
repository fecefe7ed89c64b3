//! What can be typed. The comments here are the help texts.

use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueEnum};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs an AI agent's tools as WebAssembly components: every call in a fresh sandbox that
/// may touch only what you granted.
///
/// Exit status: 0 it worked, 1 the tool failed, 2 usage, 3 denied, 4 a limit was reached,
/// 5 the component is broken or refused, 70 a fault of Handbox.
#[derive(Parser)]
#[command(name = "handbox", version = crate::wiring::VERSION, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Parses a command line.
    ///
    /// `call` takes a tool's own inputs as flags, which only the tool's schema knows. They
    /// are moved behind everything else, after a `--`, so that our flags may stand anywhere
    /// before a `--` that was typed. Where both have a flag of the same name, `call` refuses it.
    pub(crate) fn parse_line(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let sorted = Sorted::of(words.into_iter().collect());
        let mut args = Self::try_parse_from(sorted.line)?;
        if let Command::Call(call) = &mut args.command {
            call.typed = sorted.typed;
            call.ours = sorted.ours;
            call.loose = sorted.loose;
        }
        Ok(args)
    }

    /// The same line without those of our flags that only a tool's schema shows to be ours.
    pub(crate) fn without(words: impl IntoIterator<Item = OsString>, flags: &[String]) -> Option<Self> {
        let ours = our_flags();
        let mut line = Vec::new();
        let mut words = words.into_iter().peekable();
        let mut behind = false;
        while let Some(word) = words.next() {
            let text = word.to_string_lossy().into_owned();
            behind |= text == "call";
            let name = flag_name(&text).filter(|name| behind && flags.iter().any(|flag| flag == name));
            let Some(name) = name else {
                line.push(word);
                continue;
            };
            if ours.get(name).copied().unwrap_or(false) && !text.contains('=') {
                words.next_if(is_word);
            }
        }
        Self::parse_line(line).ok()
    }
}

/// A command line with the tool's flags behind ours.
struct Sorted {
    line: Vec<OsString>,
    /// Those of our flags that stand behind the verb `call`, where they could be the tool's. None if a `--` parts them.
    typed: Vec<String>,
    /// Our flags with their values.
    ours: Vec<String>,
    loose: Vec<Loose>,
}

impl Sorted {
    fn of(words: Vec<OsString>) -> Self {
        let ours = our_flags();
        if verb(&words) != Some("call".into()) {
            return Self { line: words, typed: Vec::new(), ours: Vec::new(), loose: Vec::new() };
        }
        let (mut line, mut theirs, mut typed, mut own) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut loose: Vec<Loose> = Vec::new();
        // Whether the word before was a flag with its value, or loose itself.
        let mut follows = false;
        let mut behind = false;
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy().into_owned();
            if text == "--" {
                typed.clear();
                theirs.extend(words);
                break;
            }
            let Some(name) = flag_name(&text) else {
                behind |= text == "call";
                follows &= !text.starts_with('-');
                loose.last_mut().filter(|_| follows).into_iter().for_each(|flag| flag.words.push(text.clone()));
                line.push(word);
                continue;
            };
            if behind && ours.contains_key(name) {
                typed.push(name.to_owned());
            }
            let is_ours = ours.contains_key(name);
            let takes_value = ours.get(name).copied().unwrap_or(true) && !text.contains('=');
            let mut flag = vec![word];
            flag.extend(words.next_if(|next| takes_value && is_word(next)));
            if is_ours {
                own.extend(flag.iter().map(|word| word.to_string_lossy().into_owned()));
            }
            let value = flag.get(1).map(|value| value.to_string_lossy().into_owned());
            let value = value.or_else(|| Some(text.split_once('=')?.1.to_owned()));
            loose.push(Loose { flag: name.to_owned(), is_ours, value, words: Vec::new() });
            follows = behind;
            let to = if is_ours { &mut line } else { &mut theirs };
            to.extend(flag);
        }
        loose.retain(|flag| !flag.words.is_empty());
        if !theirs.is_empty() {
            line.push("--".into());
            line.extend(theirs);
        }
        Self { line, typed, ours: own, loose }
    }
}

/// Words right behind a flag that the flag does not take.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    /// Its name.
    pub(crate) flag: String,
    /// Whether it is Handbox's.
    pub(crate) is_ours: bool,
    /// What it takes.
    pub(crate) value: Option<String>,
    pub(crate) words: Vec<String>,
}

/// `name` of `--name` and `--name=value`.
pub(crate) fn flag_name(word: &str) -> Option<&str> {
    word.strip_prefix("--").map(|flag| flag.split('=').next().unwrap_or_default())
}

/// The first word that is neither an option nor an option's value.
pub(crate) fn verb(words: &[OsString]) -> Option<String> {
    let ours = our_flags();
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) if ours.get(name).copied().unwrap_or(false) => drop(words.next()),
            Some(_) => {}
            None if word.starts_with('-') => {}
            None => return Some(word.into_owned()),
        }
    }
    None
}

fn is_word(word: &OsString) -> bool {
    !word.to_string_lossy().starts_with("--")
}

/// Our long flags on `call`, and whether each takes a value.
pub(crate) fn our_flags() -> HashMap<String, bool> {
    flags_of("call")
}

/// The long flags of a command, and whether each takes a value.
pub(crate) fn flags_of(verb: &str) -> HashMap<String, bool> {
    let mut command = Args::command();
    command.build();
    let flags = command.find_subcommand(verb).into_iter().flat_map(clap::Command::get_arguments);
    let named = flags.filter_map(|flag| Some((flag.get_long()?.to_owned(), flag.get_action().takes_values())));
    named.chain([("help".to_owned(), false)]).collect()
}

/// Options of every command.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Print one JSON object for programs instead of text for people
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Say more (-vv: even more)
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Say only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,
    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) log_format: LogFormat,
    /// Which log lines are printed, such as `info` or `handbox_hands=debug`
    #[arg(
        long,
        global = true,
        env = "HANDBOX_LOG",
        value_name = "FILTER",
        help_heading = "Output",
        hide_short_help = true
    )]
    pub(crate) log: Option<String>,
    /// The operator's configuration, instead of `config.toml` in the user's configuration folder
    #[arg(long, global = true, env = "HANDBOX_CONFIG", value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,
    /// The folder that keeps sessions and what you trust, instead of the user's data folder
    #[arg(long, global = true, env = "HANDBOX_DATA", value_name = "DIR", help_heading = "Configuration")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One object a line
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(crate::agent::Run),
    Wake(crate::agent::Wake),
    Interrupt(crate::agent::Interrupt),
    Approve(crate::agent::Approve),
    Deny(crate::agent::Deny),
    Context(crate::agent::Context),
    /// List the tools of a bundle
    Tools(Tools),
    Call(Call),
    Sh(crate::sh::Sh),
    Check(crate::check::Check),
    Config(crate::config_cmd::ConfigArgs),
    Pack(crate::pack::Pack),
    Inspect(crate::inspect::Inspect),
    New(crate::new_cmd::New),
    Sessions(crate::sessions::Sessions),
    Log(crate::log::LogArgs),
    Vault(crate::vault::Vault),
    Warm(crate::warm::Warm),
    Cache(crate::cache_cmd::Cache),
    Doctor(crate::doctor::Doctor),
    Completions(crate::docs_cmd::Completions),
    Man(crate::docs_cmd::Man),
    Licenses(crate::licenses::Licenses),
}

#[derive(clap::Args)]
pub(crate) struct Tools {
    /// `std`, a name from config.toml, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: String,
    /// Show each tool's input schema, too
    #[arg(long)]
    pub(crate) schemas: bool,
}

/// Run one tool and print what it answers.
///
/// The input is a JSON object, given as text, as `@FILE`, as `-` for standard input, or as
/// flags made from the tool's schema: `handbox call std grep --pattern TODO --path src`. A list is
/// written as JSON, or with its flag once for each item. `handbox tools BUNDLE` shows every tool's input.
///
/// Relative paths of the standard tools and of programs start in the working folder: /workspace
/// if that is granted, else the folder that was granted first. The tool's own /tmp is thrown away.
///
/// If an input of the tool is called as a flag of Handbox is (--limit), put -- before the tool's flags: what stands before
/// it is Handbox's, if Handbox has such a flag, and all that stands behind it is the tool's.
#[derive(clap::Args)]
pub(crate) struct Call {
    /// `std`, a name from config.toml, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: String,
    /// Which tool
    pub(crate) tool: String,
    /// The input (JSON, `@FILE` or `-`), or one flag for each of its properties
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<String>,
    /// Keep what the tool leaves in /mnt/session/outputs in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) outputs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) grants: Grants,
    /// See [`Sorted::typed`].
    #[arg(skip)]
    pub(crate) typed: Vec<String>,
    /// See [`Sorted::ours`].
    #[arg(skip)]
    pub(crate) ours: Vec<String>,
    #[arg(skip)]
    pub(crate) loose: Vec<Loose>,
}

/// What the tool may do. Without any of these: read the current folder, at /workspace.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct Grants {
    /// Grant a folder: HOST[:GUEST][:ro|rw], seen as /workspace and read-only unless said
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Vec<String>,
    /// Grant the current folder, or those of --dir without a mode, for writing
    #[arg(long)]
    pub(crate) write: bool,
    /// Grant no folder at all
    #[arg(long, conflicts_with_all = ["dir", "write"])]
    pub(crate) no_dir: bool,
    /// Grant an environment value
    #[arg(long, value_name = "K=V")]
    pub(crate) env: Vec<String>,
    /// Let requests go to a host: [https://]NAME[:PORT][/PATH], *.NAME for all below it, '*' for every public one
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Vec<String>,
    /// Change limits: memory=64MiB,time=30s,… (see `handbox config show` for all)
    #[arg(long, value_name = "LIMITS")]
    pub(crate) limit: Vec<String>,
    /// The limits to start from
    #[arg(long, value_name = "strict|default|roomy")]
    pub(crate) profile: Option<String>,
    /// Allow folders such as / or your home folder, which are refused otherwise
    #[arg(long)]
    pub(crate) allow_dangerous_folders: bool,
}

impl Grants {
    /// Whether there are any.
    pub(crate) fn any(&self) -> bool {
        let Self { dir, write, no_dir, env, host, limit, profile, allow_dangerous_folders } = self;
        let lists = [dir, env, host, limit].iter().any(|list| !list.is_empty());
        lists || *write || *no_dir || *allow_dangerous_folders || profile.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> (Args, Call) {
        let words = line.split(' ').map(OsString::from);
        let mut args = Args::parse_line(words).unwrap_or_else(|error| panic!("{error}"));
        match std::mem::replace(&mut args.command, Command::Tools(Tools { bundle: String::new(), schemas: false })) {
            Command::Call(call) => (args, call),
            _ => panic!("not a call"),
        }
    }

    #[test]
    fn our_flags_may_stand_before_and_after_the_tools_own() {
        let (args, command) = call("handbox -v call --write std grep --pattern TODO --json --dir src --path=x --all");
        assert!(args.global.json && args.global.verbose == 1 && command.grants.write);
        assert_eq!(command.grants.dir, ["src"]);
        assert_eq!((command.bundle.as_str(), command.tool.as_str()), ("std", "grep"));
        assert_eq!(command.input, ["--pattern", "TODO", "--path=x", "--all"]);
    }

    #[test]
    fn json_and_standard_input_are_taken_as_they_are() {
        assert_eq!(call("handbox call std grep {} --json").1.input, ["{}"]);
        assert_eq!(call("handbox call std grep -").1.input, ["-"]);
        assert_eq!(call("handbox --config x -q call std grep --pattern y").1.input, ["--pattern", "y"]);
        assert_eq!(call("handbox call std edit -- --json x").1.input, ["--json", "x"]);
    }

    #[test]
    fn the_tools_flags_may_stand_on_both_sides_of_a_dash_dash() {
        let (args, command) = call("handbox call std grep --pattern x --json -- --limit 5");
        assert!(args.global.json && command.grants.limit.is_empty() && command.typed.is_empty());
        assert_eq!(command.input, ["--pattern", "x", "--limit", "5"]);
    }

    #[test]
    fn flags_that_could_be_the_tools_are_those_behind_the_verb() {
        let typed = |line: &str| call(line).1.typed;
        assert_eq!(typed("handbox --data d call std grep --config=c --pattern call --json"), ["config", "json"]);
        assert_eq!(typed("handbox call std grep --config c -- --json"), Vec::<String>::new());
        let words = "handbox --data d call std grep --config c --pattern x --json".split(' ').map(OsString::from);
        let left = Args::without(words, &["config".to_owned(), "data".to_owned()]).unwrap();
        assert!(left.global.config.is_none() && left.global.data.is_some() && left.global.json);
    }
}
