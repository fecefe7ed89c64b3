//! `handbox tools`: what a bundle can do.

use crate::args::{self, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::{repack, wiring};
use handbox_bundle::Profile;
use handbox_hand::{Hand, Hints, Tool};
use handbox_hands::Environment;
use serde_json::{Value, json};
use std::fmt::Write;
use std::process::ExitCode;

/// What the list leaves out.
const LEGEND: &str = "* = required; schemas: --schemas; whole descriptions: --json";

pub(crate) fn run(global: &Global, command: args::Tools) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = crate::paths::current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let bundle = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?.bundle;
    repack::note(&bundle, &cwd, global.quiet);
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
        format!("{name}{star} ({})", kind(&tool.input_schema, schema, DEPTH_MAX))
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "{}".to_owned() } else { output::visible(&named.join(", ")) }
}

/// Schemas may refer to themselves.
const DEPTH_MAX: usize = 4;
/// More values than this do not fit a line.
const VALUES_MAX: usize = 8;

/// What a value may be, in a few words.
fn kind(root: &Value, schema: &Value, depth: usize) -> String {
    let Some(depth) = depth.checked_sub(1) else { return "any".to_owned() };
    if let Some(target) = schema["$ref"].as_str().and_then(|to| root.pointer(to.trim_start_matches('#'))) {
        return kind(root, target, depth);
    }
    if let Some(values) = values(schema) {
        let shown: Vec<String> = values.iter().take(VALUES_MAX).map(|value| value.to_string()).collect();
        return format!("{}{}", shown.join("|"), if values.len() > VALUES_MAX { "|…" } else { "" });
    }
    let alternatives = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let mut alternatives = alternatives.filter(|one| one["type"] != "null");
    if let (Some(only), None) = (alternatives.next(), alternatives.next()) {
        return kind(root, only, depth);
    }
    let named = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    match named {
        Some("array") if schema["items"].is_object() => format!("list of {}", kind(root, &schema["items"], depth)),
        Some("array") => "list".to_owned(),
        named => named.unwrap_or("any").to_owned(),
    }
}

/// The values that are possible, if they are listed.
fn values(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(values) = schema["enum"].as_array() {
        return Some(values.iter().filter(|value| !value.is_null()).collect());
    }
    // How schemars writes an enum whose values have descriptions.
    let alternatives = schema["oneOf"].as_array().filter(|alternatives| !alternatives.is_empty())?;
    alternatives.iter().map(|alternative| alternative.get("const")).collect()
}
