//! The program `sh`: from its arguments to its exit status.

use crate::exec::subshell::Handed;
use crate::io::Io;
use crate::shell::{Flow, Run, Shell};
use crate::state::State;
use crate::system;
use crate::text::from_bytes;
use std::rc::Rc;

/// Runs the shell with this process's arguments and streams; gives its exit status.
pub(crate) fn main() -> i32 {
    let handed = system::handed();
    if handed.is_empty() {
        return run(&arguments());
    }
    match Handed::read(&handed) {
        Ok(Handed { state, job }) => {
            let mut shell = Shell::new(state, Io::own());
            let done = shell.run_job(&job);
            end(&mut shell, done)
        }
        Err(error) => {
            Io::own().write(2, format!("sh: what was handed over cannot be read: {error}\n").as_bytes()).ok();
            126
        }
    }
}

fn arguments() -> Vec<String> {
    std::env::args_os().map(|arg| from_bytes(arg.as_encoded_bytes())).collect()
}

/// The folder to start in.
pub(crate) fn start_folder(environment: &[(String, String)]) -> String {
    let given = environment
        .iter()
        .find(|(name, value)| name == "PWD" && value.starts_with('/'))
        .map(|(_, value)| value.clone());
    given.map(|path| crate::shell::normal(&path)).unwrap_or_else(|| {
        if std::path::Path::new("/workspace").is_dir() { "/workspace".to_owned() } else { "/".to_owned() }
    })
}

fn run(args: &[String]) -> i32 {
    let environment = system::environment();
    // Whoever is not told PWD is started in a folder all the same.
    let told = environment.iter().any(|(name, _)| name == "PWD");
    let own = std::env::current_dir().ok().filter(|_| !told);
    let cwd = own.map_or_else(|| start_folder(&environment), |folder| folder.to_string_lossy().into_owned());
    let mut shell = Shell::new(State::new(environment, cwd), Io::own());
    shell.state.name = args.first().cloned().unwrap_or_else(|| "sh".to_owned());
    let done = start(&mut shell, args.get(1..).unwrap_or_default());
    end(&mut shell, done)
}

fn start(shell: &mut Shell, args: &[String]) -> Run {
    let mut rest = args;
    let (mut is_text, mut is_input) = (false, false);
    while let [first, more @ ..] = rest
        && first.starts_with(['-', '+'])
        && first.len() > 1
    {
        rest = more;
        match first.as_str() {
            "--version" => return version(shell),
            "--help" => return shell.out(HELP),
            "--" => break,
            "--norc" | "--noprofile" | "--posix" | "--login" => {}
            "-O" => {
                let [name, more @ ..] = rest else { break };
                crate::builtins::find("shopt")
                    .map(|shopt| shopt(shell, &["-s".to_owned(), name.clone()]))
                    .transpose()?;
                rest = more;
            }
            long if long.starts_with("--") => {
                set(shell, &[long.to_owned()])?;
            }
            letters => {
                let sign = &letters[..1];
                for letter in letters[1..].chars() {
                    match letter {
                        'c' => is_text = true,
                        's' => is_input = true,
                        'i' | 'l' => {}
                        'o' => {
                            let [name, more @ ..] = rest else { break };
                            set(shell, &[format!("{sign}o"), name.clone()])?;
                            rest = more;
                        }
                        letter => {
                            set(shell, &[format!("{sign}{letter}")])?;
                        }
                    }
                }
            }
        }
    }
    match rest {
        _ if is_text => command(shell, rest),
        _ if is_input => standard_input(shell, rest),
        [] => standard_input(shell, &[]),
        [path, args @ ..] => script(shell, path, args),
    }
}

const HELP: &str = "Usage: bash [OPTION]... [-c TEXT [NAME [ARGUMENT]...] | FILE [ARGUMENT]...]\n\
                    Options: -c -s -e -u -x -v -n -o NAME -O NAME --norc --noprofile --login --version; `help` lists builtins\n";

fn version(shell: &mut Shell) -> Run {
    let version = shell.var("BASH_VERSION").unwrap_or_default();
    shell.out(&format!("GNU bash, version {version} (as Handbox's own shell understands it)\n"))
}

fn set(shell: &mut Shell, args: &[String]) -> Run {
    if args == ["-"] {
        return Ok(0);
    }
    crate::builtins::find("set").map_or(Ok(0), |set| set(shell, args))
}

fn command(shell: &mut Shell, args: &[String]) -> Run {
    let [text, args @ ..] = args else {
        shell.err("sh: -c: option requires an argument\n");
        return Ok(2);
    };
    if let [name, args @ ..] = args {
        shell.state.name.clone_from(name);
        shell.state.args = Rc::new(args.to_vec());
    }
    shell.run_text(text)
}

fn script(shell: &mut Shell, path: &str, args: &[String]) -> Run {
    let name = shell.state.name.clone();
    let absolute = shell.absolute(path);
    let bytes = match std::fs::read(&absolute) {
        Ok(bytes) => bytes,
        Err(_) => {
            shell.err(&format!("{name}: {path}: No such file or directory\n"));
            return Ok(127);
        }
    };
    path.clone_into(&mut shell.state.name);
    shell.state.args = Rc::new(args.to_vec());
    shell.scripted = true;
    shell.run_text(&from_bytes(&bytes))
}

fn standard_input(shell: &mut Shell, args: &[String]) -> Run {
    shell.state.args = Rc::new(args.to_vec());
    shell.scripted = true;
    let mut bytes = Vec::new();
    if let Some(input) = shell.io.input(0) {
        while let Ok(more) = input.read(65_536) {
            if more.is_empty() {
                break;
            }
            bytes.extend(more);
        }
    }
    shell.run_text(&from_bytes(&bytes))
}

fn end(shell: &mut Shell, done: Run) -> i32 {
    let status = match shell.finish(done) {
        Ok(status) => status & 0xff,
        Err(Flow::TimedOut) => 124,
        Err(_) => shell.state.status,
    };
    shell.end_output();
    status
}
