//! The `handbox` program: parse, run, say how it ended.

mod args;
mod call;
mod describe;
mod example;
mod failure;
mod flags;
mod grants;
mod logging;
mod output;
mod pack;
mod paths;
mod tools;
mod whole_file;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::parse_line(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => return failure::usage(&error),
    };
    logging::start(&args.global);
    let json = args.global.json;
    match run(args) {
        Ok(code) => code,
        Err(failure) => failure.report(json),
    }
}

fn run(args: args::Args) -> Result<ExitCode, failure::Failure> {
    match args.command {
        args::Command::Tools(command) => tools::run(&args.global, command),
        args::Command::Call(command) => call::run(&args.global, command),
        args::Command::Pack(command) => pack::run(&args.global, command),
    }
}
