//! `handbox completions` and `handbox man`: made from what can be typed.

use crate::args::{Args, Global};
use crate::failure::Failure;
use crate::output::{self, Tone};
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print a script that completes `handbox` commands in a shell
///
/// Bash: put `source <(handbox completions bash)` into ~/.bashrc.
/// Zsh: `handbox completions zsh > DIR/_handbox`, where DIR is in $fpath.
/// Fish: `handbox completions fish > ~/.config/fish/completions/handbox.fish`.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one page for each command.
///
/// Without --dir: `handbox man | man -l -` shows it.
#[derive(clap::Args)]
pub(crate) struct Man {
    /// Write all pages into this folder, made if need be
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(global: &Global, command: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Args::command(), "handbox", &mut script);
    let script = String::from_utf8_lossy(&script);
    if global.json {
        output::json_line(&json!({ "shell": command.shell.to_string(), "script": script }));
    } else {
        output::data(&script);
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(global: &Global, command: &Man) -> Result<ExitCode, Failure> {
    let Some(folder) = &command.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(program()).render(&mut page).map_err(Failure::internal)?;
        let page = String::from_utf8_lossy(&page);
        if global.json {
            output::json_line(&json!({ "page": page }));
        } else {
            output::data(&page);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut files = Vec::new();
    for (name, page) in pages()? {
        let path = folder.join(name);
        std::fs::write(&path, page).map_err(failed)?;
        files.push(path);
    }
    if global.json {
        output::json_line(&json!({ "files": files }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{} pages in {}", files.len(), folder.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// With a version of one line: a page's head has no room for more.
fn program() -> clap::Command {
    Args::command().version(env!("CARGO_PKG_VERSION"))
}

/// A page for the program and one for each command, by file name.
fn pages() -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut program = program();
    program.build();
    let mut pages = Vec::new();
    let mut left = vec![(String::from("handbox"), program)];
    while let Some((name, command)) = left.pop() {
        let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
        left.extend(inner.map(|inner| (format!("{name}-{}", inner.get_name()), inner.clone())));
        let page = clap_mangen::Man::new(command.display_name(name.clone()));
        let mut text = Vec::new();
        page.render(&mut text).map_err(Failure::internal)?;
        pages.push((format!("{name}.1"), text));
    }
    pages.sort();
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["handbox.1", "handbox-call.1", "handbox-cache-clean.1"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(pages.iter().all(|(_, text)| text.starts_with(b".ie")), "a page begins as a page does");
    }
}
