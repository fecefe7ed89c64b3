//! `handbox pack`: puts a manifest into a component.

use crate::args::Global;
use crate::failure::{Failure, Kind as FailureKind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::{advice, ceiling, describe, example, paths, repack, whole_file, wiring};
use handbox_bundle::{
    Bundle, BundleComponent, Bytes, COMPONENT_BYTES_MAX, CommandFile, GUEST_PATH_DEFAULT, Inspection, Kind,
    LimitsPatch, Manifest, ManifestFile, Mode, Profile, TOML_BYTES_MAX, ToolChoice, inspect, section,
};
use handbox_hand::{Hand, Tool, ToolName};
use handbox_hands::reflect::Skipped;
use handbox_hands::{Allocation, Engine, Environment, Library, QuietLoad, Toolbox};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// `\0asm`, then version and layer of a component.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// Put a manifest into a component, ready to be called and passed on
///
/// The manifest lets others read what it does before they run it. It holds the component's tools with their schemas, who made it, and the most
/// that it may ever be given (`[asks]`). You write a few lines of it in a file and name that
/// with --manifest; the tools are filled in by asking the component, which gets no folder,
/// no network and little time for it. Without --manifest it is called after its file,
/// is version 0.1.0 and asks for nothing; a manifest that is in it already is kept.
///
/// A command-line program (wasi:cli/command) cannot say which tools it has: its manifest file
/// lists them under [[commands]].
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    handbox pack target/wasm32-wasip2/release/greeter.wasm -o greeter.tool.wasm --manifest tool.toml")]
pub(crate) struct Pack {
    /// The component as it was built
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Where to write the packed component
    #[arg(short, long, value_name = "OUT.wasm")]
    out: PathBuf,
    /// Who made it and what it asks for (TOML)
    #[arg(short, long, value_name = "TOOL.toml")]
    manifest: Option<PathBuf>,
    /// Replace OUT even if it is FILE itself or no component
    #[arg(short, long)]
    force: bool,
}

pub(crate) fn run(global: &Global, command: Pack) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let out = check_out(&command)?;
    let built = "name the file that was built: target/wasm32-wasip2/release/NAME.wasm";
    refuse_folder(&command.file, built)?;
    let bytes = whole_file::read(&command.file, COMPONENT_BYTES_MAX)
        .map_err(|failure| missing(&command.file, failure, &not_built(&command.file)))?;
    let raw = inspect(&bytes).map_err(|error| error.at(command.file.display()))?;
    let (author, origin) = author_part(&command, &raw)?;
    let runtime = wiring::runtime()?;
    let answered = match raw.kind {
        Kind::Command => Vec::new(),
        Kind::Hand | Kind::Reflected => {
            let unpacked = Inspection { manifest: None, ..raw.clone() };
            unpacked.check().map_err(|error| error.at(command.file.display()))?;
            if !global.quiet {
                output::transient("asking the component for its tools …");
            }
            let asked = runtime.block_on(ask(&unpacked, &bytes));
            output::clear_transient();
            asked.map_err(|failure| explain(failure, &raw))?
        }
    };
    let manifest = author.into_manifest(answered).map_err(|error| error.at(place(&command)))?;
    let packed = section::write(&bytes, &manifest).map_err(|error| error.at(command.file.display()))?;
    let inspection = inspect(&packed).map_err(|error| error.at("the packed component"))?;
    inspection.check().map_err(|error| error.at(place(&command)))?;
    let compared = runtime.block_on(compare(&inspection, &packed, &paths, global.quiet));
    output::clear_transient();
    let left_out = compared.map_err(|failure| explain(failure, &raw))?;
    whole_file::write(&out, &packed)?;
    report(global, &command.out, &inspection, &manifest, origin, &left_out);
    let unbuilt = || repack::unbuilt(&command.file, &command.out, &paths::current_folder().ok()?);
    if let Some(text) = (!global.quiet).then(unbuilt).flatten() {
        output::note(Tone::Note, &format!("note: {text}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the part of a manifest that people write came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    File,
    Inside,
    MadeUp,
}

const NOT_BUILT: &str = "build it first: cargo build --release --target wasm32-wasip2, which puts a library's component into \
    target/wasm32-wasip2/release/ with - in its name as _; if none is there, Cargo.toml lacks [lib] crate-type = [\"cdylib\"]";

fn not_built(file: &Path) -> String {
    let moved = paths::current_folder().ok().and_then(|cwd| Some(ceiling::shown(&repack::moved(file, &cwd)?, &cwd)));
    moved.map_or_else(|| NOT_BUILT.to_owned(), |path| format!("CARGO_TARGET_DIR is set: name {path}"))
}

fn refuse_folder(path: &Path, hint: &str) -> Result<(), Failure> {
    match path.is_dir() {
        true => Err(Failure::usage(format!("{} is a folder", path.display())).hint(hint)),
        false => Ok(()),
    }
}

/// Adds what to do to a file's not being there.
fn missing(path: &Path, failure: Failure, hint: &str) -> Failure {
    if path.exists() { failure } else { failure.hint(hint) }
}

/// Where to write; refuses to destroy what was not made by packing.
fn check_out(command: &Pack) -> Result<PathBuf, Failure> {
    let out = &command.out;
    // Through a link, so that what it leads to is looked at and replaced.
    let Ok(real) = out.canonicalize() else {
        let is_folder = out.as_os_str().to_string_lossy().ends_with('/');
        return if is_folder { Err(no_file(command, "names a folder")) } else { Ok(out.clone()) };
    };
    let about = std::fs::metadata(&real).map_err(|error| Failure::usage(format!("{}: {error}", out.display())))?;
    if !about.is_file() {
        return Err(no_file(
            command,
            if about.is_dir() { "is a folder" } else { "is there and is not a regular file" },
        ));
    }
    if command.force {
        return Ok(real);
    }
    if command.file.canonicalize().is_ok_and(|file| file == real) {
        return Err(Failure::usage("the output is the input").hint("name another file, or add --force"));
    }
    let head = std::fs::File::open(&real).and_then(|file| {
        let mut head = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, 8), &mut head).map(|_| head)
    });
    if head.is_ok_and(|head| head == COMPONENT_HEADER) {
        return Ok(real);
    }
    Err(Failure::usage(format!("{} is there and is not a component", out.display()))
        .hint("name another file, or add --force to replace it"))
}

/// For an output that is no file, `why`.
fn no_file(command: &Pack, why: &str) -> Failure {
    let name = name_of(&command.file).unwrap_or_else(|| "OUT".to_owned());
    let file = describe::shell_word(&command.out.join(format!("{name}.tool.wasm")).display().to_string());
    Failure::usage(format!("{} {why}", command.out.display()))
        .hint(format!("name a file in a folder that is there: -o {file}"))
}

/// The part of the manifest that people write: from the file, else from the component, else
/// made up.
fn author_part(command: &Pack, raw: &Inspection) -> Result<(ManifestFile, Origin), Failure> {
    if let Some(path) = &command.manifest {
        refuse_folder(path, "name the file that describes your tool: --manifest tool.toml")?;
        let bytes = whole_file::read(path, TOML_BYTES_MAX as u64).map_err(|failure| {
            missing(path, failure, "name the file that describes your tool; without --manifest it asks for nothing")
        })?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{}: not UTF-8", path.display())))?;
        let file = ManifestFile::parse(&path.display().to_string(), &text)?;
        head(&file)
            .validate()
            .map_err(|error| Failure { kind: FailureKind::Usage, ..error.at(path.display()).into() })?;
        if raw.kind == Kind::Command && file.commands.is_empty() && file.programs.is_empty() {
            let message = format!("{}: this is a command-line program, and no [[commands]] say how", path.display());
            return Err(Failure::usage(message).hint(format!("add to it, for example:\n{COMMANDS_SAMPLE}")));
        }
        return Ok((file, Origin::File));
    }
    if let Some(manifest) = &raw.manifest {
        return Ok((again(manifest), Origin::Inside));
    }
    if raw.kind == Kind::Command {
        let message = "this is a command-line program, which cannot say which tools it has";
        let sample = head_sample("my-tool");
        let hint = format!(
            "if you meant functions marked #[tool], they belong into src/lib.rs, with crate-type = [\"cdylib\"] under [lib] in \
             Cargo.toml, and without fn main; for a program, describe its tools in a file, and add --manifest FILE:\n\n\
             {sample}{COMMANDS_SAMPLE}"
        );
        return Err(Failure::usage(message).hint(hint));
    }
    let name = name_of(&command.file).ok_or_else(|| {
        Failure::usage("no name can be made of the file's").hint("write one in a manifest file: name = \"…\"")
    })?;
    Ok((ManifestFile { version: "0.1.0".to_owned(), ..ManifestFile::named(name) }, Origin::MadeUp))
}

const COMMANDS_SAMPLE: &str = r#"
[[commands]]
tool = "count_lines"
description = "Counts the lines of a file."
args = ["--lines", { property = "path" }]
hints = { read_only = true }

[commands.schema]
type = "object"
required = ["path"]
properties.path.type = "string"
"#;

fn head_sample(name: &str) -> String {
    format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\ndescription = \"What it is for\"\nauthor = \"You\"\n\
         license = \"Apache-2.0\"\n\n[asks]\nfolders = [{{ path = \"*\", mode = \"ro\" }}]  # any folder, to read\n"
    )
}

/// What can be checked before the component is asked.
fn head(file: &ManifestFile) -> Manifest {
    let file = file.clone();
    Manifest {
        name: file.name,
        version: file.version,
        description: file.description,
        author: file.author,
        license: file.license,
        state: file.state,
        tools: Vec::new(),
        commands: Vec::new(),
        programs: file.programs,
        compile: file.compile,
        asks: file.asks,
    }
}

/// The author's part of a finished manifest.
fn again(manifest: &Manifest) -> ManifestFile {
    let Manifest { name, version, description, author, license, state, tools, commands, programs, compile, asks } =
        manifest.clone();
    let joined = commands.into_iter().filter_map(|command| {
        let tool = tools.iter().find(|tool| tool.name.as_str() == command.tool)?.clone();
        Some(CommandFile {
            tool: tool.name,
            description: tool.description,
            schema: tool.input_schema,
            output_schema: tool.output_schema,
            hints: tool.hints,
            recovery: tool.recovery,
            args: command.args,
            stdin: command.stdin,
            ok_statuses: command.ok_statuses,
        })
    });
    let commands = joined.collect();
    ManifestFile { name, version, description, author, license, state, asks, commands, programs, compile }
}

/// The file's name without its ends, and with `-` for what a name cannot have.
fn name_of(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_string_lossy();
    let stem = stem.strip_suffix(".tool").unwrap_or(&stem);
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(allowed).take(ToolName::LENGTH_MAX).collect();
    let name = name.trim_matches('-').to_owned();
    ToolName::new(name.as_str()).ok().map(|_| name)
}

/// Where a fault of the manifest is to be corrected.
fn place(command: &Pack) -> String {
    command.manifest.as_ref().unwrap_or(&command.file).display().to_string()
}

/// A bundle of one component that is in memory.
pub(crate) fn bundle(inspection: &Inspection, bytes: &[u8]) -> Bundle {
    let manifest = inspection.manifest.clone();
    let name = manifest.as_ref().map_or("unpacked", |manifest| &manifest.name).to_owned();
    let component = BundleComponent {
        name: name.clone(),
        digest: inspection.digest.clone(),
        kind: inspection.kind,
        asks: manifest.as_ref().map(|manifest| manifest.asks.clone()).unwrap_or_default(),
        manifest,
        tools: ToolChoice::All,
        bytes: Bytes::Loaded(bytes.into()),
    };
    let version = "0.0.0".to_owned();
    Bundle {
        name,
        version,
        components: vec![component],
        limits: LimitsPatch::default(),
        files: Vec::new(),
        links: Vec::new(),
    }
}

/// The tools by the component's own account. Not cached: nobody will call it unpacked.
async fn ask(unpacked: &Inspection, bytes: &[u8]) -> Result<Vec<Tool>, Failure> {
    let mut toolbox = Toolbox::new(Library::new(Engine::new(Allocation::OnDemand)?, None, Arc::new(QuietLoad)));
    toolbox.add(&bundle(unpacked, bytes), &Environment::bare(Profile::Strict)).await?;
    Ok(toolbox.tools().to_vec())
}

/// Loads what was packed as a call would, so that a component whose answer changes is found
/// out here, and the first call finds it compiled.
///
/// Gives the exported functions that are no tools.
async fn compare(packed: &Inspection, bytes: &[u8], paths: &Paths, quiet: bool) -> Result<Vec<Skipped>, Failure> {
    let mut toolbox = wiring::toolbox(paths, quiet)?;
    toolbox.add(&bundle(packed, bytes), &Environment::bare(Profile::Strict)).await?;
    toolbox.warm().await?;
    Ok(toolbox.left_out())
}

fn explain(failure: Failure, raw: &Inspection) -> Failure {
    match (failure.kind, raw.kind) {
        (FailureKind::Broken, Kind::Hand) if failure.message.contains("the input schema is not of type object") => {
            failure.hint(
                "a tool takes one struct: give its function a parameter whose type is marked #[handbox_tool::input], \
                 and make the others its fields",
            )
        }
        (FailureKind::Broken, Kind::Hand) => failure.hint(
            "tools() must answer without any folder, environment value or network, quickly and always the same; \
             do everything else in execute()",
        ),
        _ => failure,
    }
}

fn report(
    global: &Global,
    out: &Path,
    inspection: &Inspection,
    manifest: &Manifest,
    origin: Origin,
    left_out: &[Skipped],
) {
    let next = next_step(out, manifest);
    if global.json {
        output::json_line(&json!({
            "file": out,
            "digest": inspection.digest,
            "size_bytes": inspection.size_bytes,
            "kind": inspection.kind,
            "manifest": manifest,
            "left_out": describe::left_out_json(left_out),
            "next": next,
        }));
        return;
    }
    if global.quiet {
        return;
    }
    let rows = [
        ("packed", format!("{} {}", manifest.name, manifest.version)),
        ("file", out.display().to_string()),
        ("kind", inspection.kind.to_string()),
        ("tools", describe::tools(&manifest.tools)),
        ("programs", manifest.programs.join(" ")),
        ("asks", describe::asks(&manifest.asks)),
        ("size", describe::size(inspection.size_bytes)),
        ("digest", inspection.digest.to_string()),
    ];
    output::data(&describe::table(&rows));
    if origin == Origin::MadeUp {
        let sample = head_sample(&manifest.name);
        let text = "without --manifest it asks for nothing, so it will see no folder; to ask, save this as tool.toml \
                    and pack again with --manifest tool.toml:";
        output::note(Tone::Hint, &format!("{text}\n\n{sample}"));
    }
    for tool in &manifest.tools {
        for name in advice::taken_inputs(tool) {
            let text = format!(
                "note: `{name}` of the tool `{}` is a flag of `handbox call`, too: give the input as JSON, or put -- before all \
                 of the tool's flags",
                tool.name
            );
            output::note(Tone::Note, &text);
        }
    }
    for note in describe::left_out(left_out) {
        output::note(Tone::Note, &note);
    }
    output::note(Tone::Note, &format!("next: {next}"));
}

/// The command that calls the first tool, with what it asks for granted.
fn next_step(out: &Path, manifest: &Manifest) -> String {
    let path = out.display().to_string();
    // A name without a slash could be that of a built-in bundle.
    let path = if out.is_absolute() || path.starts_with('.') { path } else { format!("./{path}") };
    let mut words = vec!["handbox".to_owned(), "call".to_owned(), describe::shell_word(&path)];
    // One that needs something shows how input is given.
    let needs = |tool: &&Tool| tool.input_schema["required"].as_array().is_some_and(|names| !names.is_empty());
    let tool = manifest.tools.iter().find(needs).or(manifest.tools.first());
    let reads = tool.is_some_and(|tool| tool.hints.read_only);
    if let Some(tool) = tool {
        words.push(tool.name.to_string());
        words.push(describe::shell_word(&example::input(tool)));
    }
    // Beside a --dir, the current folder is granted only if it is named, too.
    let is_usual = |path: &str| path == "*" || path == GUEST_PATH_DEFAULT;
    let has_others = manifest.asks.folders.iter().any(|ask| !is_usual(&ask.path));
    // All of them are the same folder here, which has one mode; a tool gets no more of it than it asks for.
    let writes = !reads && manifest.asks.folders.iter().any(|ask| ask.mode == Mode::ReadWrite);
    let mode = if writes { Mode::ReadWrite } else { Mode::ReadOnly };
    for ask in &manifest.asks.folders {
        let word = match (is_usual(&ask.path), mode, has_others) {
            (true, Mode::ReadOnly, false) => continue,
            (true, Mode::ReadWrite, false) => "--write".to_owned(),
            (true, Mode::ReadOnly, true) => "--dir .".to_owned(),
            (true, Mode::ReadWrite, true) => "--dir .:rw".to_owned(),
            (false, mode, _) => format!("--dir {}", describe::shell_word(&format!(".:{}:{mode}", ask.path))),
        };
        words.push(word);
    }
    let env = manifest.asks.env.iter().filter(|name| *name != "*");
    words.extend(env.map(|name| format!("--env {}", describe::shell_word(&format!("{name}=VALUE")))));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::{Asks, FolderAsk, State};
    use handbox_hand::{Hints, Recovery};

    fn manifest(asks: Asks) -> Manifest {
        let tool = Tool {
            name: ToolName::new("greet").unwrap(),
            description: "Greets.".to_owned(),
            input_schema: json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}),
            output_schema: None,
            hints: Hints::default(),
            recovery: Recovery::Ask,
            extra: Vec::new(),
        };
        let file = ManifestFile { asks, ..ManifestFile::named("greeter") };
        Manifest { tools: vec![tool], state: State::Fresh, ..head(&file) }
    }

    #[test]
    fn a_name_is_made_of_the_files() {
        let name = |file: &str| name_of(Path::new(file));
        assert_eq!(name("a/b/greeter.wasm").as_deref(), Some("greeter"));
        assert_eq!(name("my tool.v2.wasm").as_deref(), Some("my-tool-v2"));
        assert_eq!(name("greeter.tool.wasm").as_deref(), Some("greeter"));
        assert_eq!(name("é.wasm"), None);
    }

    #[test]
    fn the_next_step_grants_what_is_asked_for() {
        let next = |asks: Asks, out: &str| next_step(Path::new(out), &manifest(asks));
        assert_eq!(next(Asks::default(), "std"), r#"handbox call ./std greet '{"name":"name"}'"#);
        let folder = |path: &str, mode| FolderAsk { path: path.to_owned(), mode };
        let folders = vec![folder("*", Mode::ReadWrite), folder("/data", Mode::ReadOnly)];
        let asks = Asks { folders, env: vec!["LANG".to_owned()], ..Asks::default() };
        assert_eq!(
            next(asks, "/x y"),
            r#"handbox call '/x y' greet '{"name":"name"}' --dir .:rw --dir .:/data:rw --env LANG=VALUE"#
        );
    }

    #[test]
    fn the_samples_are_manifest_files() {
        let text = format!("{}{COMMANDS_SAMPLE}", head_sample("my-tool"));
        let file = ManifestFile::parse("sample", &text).unwrap();
        let manifest = file.clone().into_manifest(Vec::new()).unwrap();
        assert_eq!(again(&manifest), file);
    }

    #[test]
    fn only_components_are_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            folder.path().join(name)
        };
        let (notes, component) = (path("notes.txt", b"mine"), path("c.wasm", COMPONENT_HEADER));
        let check = |out: &Path, force| {
            check_out(&Pack { file: folder.path().join("in.wasm"), out: out.to_owned(), manifest: None, force }).is_ok()
        };
        assert!(!check(&notes, false) && check(&notes, true));
        assert!(check(&component, false) && check(&folder.path().join("new"), false));
        assert!(!check(folder.path(), true));
        let same = Pack { file: component.clone(), out: component.clone(), manifest: None, force: false };
        assert!(check_out(&same).is_err());
        assert!(check_out(&Pack { force: true, ..same }).is_ok());
    }
}
