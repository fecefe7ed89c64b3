//! `handbox tools`: what a bundle can do.

use crate::args::{self, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::wiring;
use handbox_bundle::Profile;
use handbox_hand::{Hand, Hints, Tool};
use handbox_hands::Environment;
use serde_json::json;
use std::fmt::Write;
use std::process::ExitCode;

/// What the list leaves out.
const LEGEND: &str = "* = required; whole descriptions and schemas: --json";

pub(crate) fn run(global: &Global, command: args::Tools) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = crate::call::current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let bundle = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?.bundle;
    let mut toolbox = wiring::toolbox(&paths, global.quiet)?;
    wiring::runtime()?.block_on(toolbox.add(&bundle, &Environment::bare(Profile::Strict)))?;
    output::clear_transient();
    if global.json {
        output::json_line(&json!({ "bundle": bundle.name, "version": bundle.version, "tools": toolbox.tools() }));
    } else {
        output::data(&list(toolbox.tools(), command.schemas));
        if !global.quiet {
            output::note(Tone::Note, LEGEND);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(tools: &[Tool], schemas: bool) -> String {
    let mut text = String::new();
    let width = tools.iter().map(|tool| tool.name.as_str().len()).max().unwrap_or_default();
    for tool in tools {
        let summary = tool.description.lines().next().unwrap_or_default();
        let hints = hints(tool.hints);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:width$}  {}{hints}", tool.name.as_str(), output::visible(summary));
        let _ = writeln!(text, "{:width$}  input: {}", "", properties(tool));
        if schemas {
            let _ = writeln!(text, "{:width$}  schema: {}", "", tool.input_schema);
        }
    }
    text
}

pub(crate) fn hints(hints: Hints) -> String {
    let all = [
        (hints.read_only, "read-only"),
        (hints.idempotent && !hints.read_only, "idempotent"),
        (hints.destructive, "destructive"),
        (hints.open_world, "open-world"),
    ];
    let named: Vec<&str> = all.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    if named.is_empty() { String::new() } else { format!(" [{}]", named.join(", ")) }
}

/// The properties of a tool's input; those that must be there carry a star.
pub(crate) fn properties(tool: &Tool) -> String {
    let required: Vec<&str> =
        tool.input_schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let Some(properties) = tool.input_schema["properties"].as_object() else { return "{}".to_owned() };
    let named = properties.iter().map(|(name, schema)| {
        let star = if required.contains(&name.as_str()) { "*" } else { "" };
        let kind = schema["type"].as_str().unwrap_or("any");
        format!("{name}{star} ({kind})")
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "{}".to_owned() } else { output::visible(&named.join(", ")) }
}
