//! The `handbox` program: parse, run, say how it ended.

mod advice;
mod agent;
mod args;
mod cache_cmd;
mod call;
mod ceiling;
mod check;
mod config;
mod config_cmd;
mod config_show;
mod describe;
mod docs_cmd;
mod doctor;
mod egress;
mod example;
mod failure;
mod flags;
mod grants;
mod input;
mod inspect;
mod licenses;
mod log;
mod logging;
mod loose;
mod machine;
mod network;
mod new_cmd;
mod output;
mod pack;
mod paths;
mod repack;
mod retype;
mod sessions;
mod sh;
mod slips;
mod tools;
mod unasked;
mod unquoted;
mod vault;
mod warm;
mod watch;
mod whole_file;
mod wiring;
mod workplace;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let args = match args::Args::parse_line(words.iter().cloned()) {
        Ok(args) => args,
        Err(error) => {
            let json = words.iter().any(|word| word == "--json");
            return slips::explain(&error, &words)
                .map_or_else(|| failure::usage(&error, json), |failure| failure.report(json));
        }
    };
    if let args::Command::Call(command) = &args.command
        && let Err(failure) = call::refuse_flags_of_both_first(command)
    {
        return failure.report(args.global.json);
    }
    logging::start(&args.global);
    let json = args.global.json;
    let code = run(args).unwrap_or_else(|failure| failure.report(json));
    match output::lost() {
        Some(why) => failure::Failure::usage(format!("standard output cannot be written: {why}")).report(false),
        None => code,
    }
}

fn run(args: args::Args) -> Result<ExitCode, failure::Failure> {
    match args.command {
        args::Command::Run(command) => agent::run(&args.global, command),
        args::Command::Wake(command) => agent::wake(&args.global, &command),
        args::Command::Interrupt(command) => agent::interrupt(&args.global, &command),
        args::Command::Approve(command) => agent::approve(&args.global, &command),
        args::Command::Deny(command) => agent::deny(&args.global, &command),
        args::Command::Context(command) => agent::context(&args.global, &command),
        args::Command::Tools(command) => tools::run(&args.global, command),
        args::Command::Call(command) => call::run(&args.global, command),
        args::Command::Sh(command) => sh::run(&args.global, command),
        args::Command::Check(command) => check::run(&args.global, command),
        args::Command::Config(command) => config_cmd::run(&args.global, command),
        args::Command::Pack(command) => pack::run(&args.global, command),
        args::Command::Inspect(command) => inspect::run(&args.global, &command),
        args::Command::New(command) => new_cmd::run(&args.global, &command),
        args::Command::Sessions(command) => sessions::run(&args.global, command),
        args::Command::Log(command) => log::run(&args.global, &command),
        args::Command::Vault(command) => vault::run(&args.global, command),
        args::Command::Warm(command) => warm::run(&args.global, command),
        args::Command::Cache(command) => cache_cmd::run(&args.global, &command),
        args::Command::Doctor(command) => doctor::run(&args.global, &command),
        args::Command::Completions(command) => docs_cmd::completions(&args.global, &command),
        args::Command::Man(command) => docs_cmd::man(&args.global, &command),
        args::Command::Licenses(command) => licenses::run(&args.global, &command),
    }
}
