//! What can be typed. The comments here are the help texts.

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
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
    /// List the tools of a bundle
    Tools(Tools),
    /// Run one tool and print what it answers
    Call(Call),
}

#[derive(clap::Args)]
pub(crate) struct Tools {
    /// `std`, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: String,
    /// Show each tool's input schema, too
    #[arg(long)]
    pub(crate) schemas: bool,
}

/// Run one tool and print what it answers.
///
/// The input is a JSON object, given as text, as `@FILE`, as `-` for standard input, or as
/// flags made from the tool's schema: `handbox call std grep --pattern TODO --path src`.
#[derive(clap::Args)]
pub(crate) struct Call {
    /// `std`, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: String,
    /// Which tool
    pub(crate) tool: String,
    /// The input (JSON, `@FILE` or `-`), or one flag for each of its properties
    #[arg(value_name = "INPUT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) input: Vec<String>,
    #[command(flatten)]
    pub(crate) grants: Grants,
}

/// What the tool may do. Without any of these: read the current folder, at /workspace.
#[derive(clap::Args, Debug)]
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
    /// Change limits: memory=64MiB,time=30s,… (see `handbox config show` for all)
    #[arg(long, value_name = "LIMITS")]
    pub(crate) limit: Vec<String>,
    /// The limits to start from
    #[arg(long, value_name = "strict|default|roomy")]
    pub(crate) profile: Option<String>,
    /// Allow folders such as / or your home folder, which are refused otherwise
    #[arg(long)]
    pub(crate) allow_dangerous_folders: bool,
    /// Keep what the tool leaves in /mnt/session/outputs in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) outputs: Option<PathBuf>,
}
