//! `handbox inspect`: what a component is, without running it.

use crate::args::Global;
use crate::config::refuse_toml;
use crate::failure::Failure;
use crate::{describe, output, paths, whole_file};
use handbox_bundle::{Bundle, BundleComponent, COMPONENT_BYTES_MAX, Inspection, Kind, Manifest, State};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Show what a component is and asks for, without running it.
///
/// Nothing of it is executed or compiled, so this is safe for a file that came from
/// anywhere. The tools and the asked capabilities come from its manifest, which `handbox pack`
/// put in: they are the component's own claims. What it may really do is what you grant.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  handbox inspect ./greeter.tool.wasm\n  handbox inspect std")]
pub(crate) struct Inspect {
    /// A .wasm file, a folder with bundle.toml, or `std`
    #[arg(value_name = "FILE")]
    file: String,
}

pub(crate) fn run(global: &Global, command: &Inspect) -> Result<ExitCode, Failure> {
    let cwd = paths::current_folder()?;
    let built_in = handbox_std_bundle::bundles();
    let is_bundle = built_in.iter().any(|source| source.name == command.file) || cwd.join(&command.file).is_dir();
    if is_bundle {
        return bundle(global, &Bundle::open(&command.file, &cwd, &built_in)?);
    }
    refuse_toml(&command.file, &cwd)?;
    let path = Path::new(&command.file);
    let bytes = whole_file::read(path, COMPONENT_BYTES_MAX).map_err(|failure| {
        failure.hint("name a .wasm file, a folder with bundle.toml, or `std` for what is built in")
    })?;
    let inspection = handbox_bundle::inspect(&bytes).map_err(|error| error.at(path.display()))?;
    if global.json {
        output::json_line(&answer(&inspection));
    } else {
        output::data(&text(&inspection, None));
    }
    Ok(ExitCode::SUCCESS)
}

fn bundle(global: &Global, bundle: &Bundle) -> Result<ExitCode, Failure> {
    let mut inspections = Vec::new();
    for component in &bundle.components {
        let bytes = component.load()?;
        let inspection = handbox_bundle::inspect(&bytes).map_err(|error| error.at(&component.name))?;
        inspections.push((inspection, component));
    }
    if global.json {
        let components = inspections.iter().map(|(inspection, component)| {
            let mut answer = answer(inspection);
            answer["asks_here"] = json!(component.asks);
            answer
        });
        let components: Vec<Value> = components.collect();
        output::json_line(&json!({ "bundle": bundle.name, "version": bundle.version, "components": components }));
        return Ok(ExitCode::SUCCESS);
    }
    let part = |(inspection, component): &(Inspection, &BundleComponent)| {
        let own = inspection.manifest.as_ref().map(|manifest| &manifest.asks);
        let narrowed = own.is_some_and(|own| *own != component.asks).then(|| describe::asks(&component.asks));
        text(inspection, narrowed)
    };
    let parts: Vec<String> = inspections.iter().map(part).collect();
    let count = parts.len();
    let head = format!("{} {}, {count} component{}", bundle.name, bundle.version, if count == 1 { "" } else { "s" });
    output::data(&format!("{}\n\n{}", output::visible(&head), parts.join("\n")));
    Ok(ExitCode::SUCCESS)
}

fn answer(inspection: &Inspection) -> Value {
    let mut answer = json!(inspection);
    answer["problem"] = match problem(inspection) {
        Some(failure) => failure.to_json(),
        None => Value::Null,
    };
    answer
}

/// Why this Handbox would refuse to run it.
fn problem(inspection: &Inspection) -> Option<Failure> {
    inspection.check().err().map(Failure::from)
}

/// What is known of a component; with what a bundle leaves of its asks, if it narrows them.
fn text(inspection: &Inspection, narrowed: Option<String>) -> String {
    let producers: Vec<String> =
        inspection.producers.iter().map(|made| format!("{} {} ({})", made.name, made.version, made.field)).collect();
    let problem = match problem(inspection) {
        None => "yes".to_owned(),
        Some(failure) => format!("no: {}\n{}", failure.message, failure.hint.unwrap_or_default()),
    };
    let mut rows = vec![("kind", kind(inspection.kind).to_owned())];
    rows.extend(manifest(inspection));
    rows.extend(narrowed.map(|asks| ("asks here", format!("{asks}\n(narrowed by [asks] in bundle.toml)"))));
    rows.extend([
        ("imports", or_nothing(inspection.imports.join("\n"))),
        ("exports", inspection.exports.join("\n")),
        ("missing", inspection.missing.join("\n")),
        ("runs here", problem.trim_end().to_owned()),
        ("size", describe::size(inspection.size_bytes)),
        ("digest", inspection.digest.to_string()),
        ("made with", producers.join("\n")),
    ]);
    describe::table(&rows)
}

fn manifest(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let Some(manifest) = &inspection.manifest else {
        return vec![("manifest", "none; `handbox pack` puts one in".to_owned())];
    };
    let Manifest { name, version, description, author, license, state, tools, programs, asks, .. } = manifest;
    let state = match state {
        State::Fresh => "fresh: each call gets a new instance",
        State::Kept => "kept: one instance for the life of its hand",
    };
    vec![
        ("name", format!("{name} {version}")),
        ("about", description.clone()),
        ("author", author.clone()),
        ("licence", license.clone()),
        ("state", state.to_owned()),
        ("tools", describe::tools(tools)),
        ("programs", programs.join(" ")),
        ("asks", describe::asks(asks)),
    ]
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Hand => "hand: it lists its tools itself (handbox:hand/hand)",
        Kind::Command => "command: a command-line program (wasi:cli/run)",
        Kind::Reflected => "reflected: each of its exported functions is a tool",
    }
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "nothing".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Digest;

    fn inspection(kind: Kind) -> Inspection {
        Inspection {
            kind,
            manifest: None,
            imports: vec!["wasi:sockets/tcp@0.2.0".to_owned()],
            missing: vec!["wasi:sockets/tcp@0.2.0".to_owned()],
            exports: vec!["a\u{1b}[2J".to_owned()],
            size_bytes: 10,
            digest: Digest::of(b""),
            producers: Vec::new(),
        }
    }

    #[test]
    fn it_says_what_is_missing_and_drives_no_terminal() {
        let text = text(&inspection(Kind::Reflected), None);
        assert!(text.contains("missing    wasi:sockets/tcp@0.2.0"), "{text}");
        assert!(text.contains("runs here  no: it imports wasi:sockets/tcp@0.2.0"), "{text}");
        assert!(text.contains("manifest   none") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn json_has_the_problem_beside_the_facts() {
        let answer = answer(&inspection(Kind::Command));
        assert_eq!(answer["kind"], "command");
        assert_eq!(answer["problem"]["kind"], "broken");
        assert_eq!(answer["manifest"], Value::Null);
    }
}
