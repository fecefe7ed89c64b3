//! `handbox call`: one tool, one answer.

use crate::advice::{self, Advice};
use crate::args::{self, Global};
use crate::config::{Config, Source};
use crate::failure::Failure;
use crate::grants::{self, Asking};
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::{flags, wiring};
use data_encoding::BASE64;
use handbox_bundle::{Bundle, Profile};
use handbox_hand::{Call, Hand, LogLevel, Output, Tool, ToolName, Usage, Watcher};
use handbox_hands::{Environment, Toolbox};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest input that is read from a file or from standard input, in bytes.
const INPUT_BYTES_MAX: u64 = 64 << 20;

pub(crate) fn run(global: &Global, command: args::Call) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let opened = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?;
    let (bundle, name) = (opened.bundle, opened.name.as_deref());
    advice::refuse_flags_of_both(&command, &bundle)?;
    let links = &bundle.links;
    let asking = Asking { typed: &command.grants, config: &config, bundle: name, links, paths: &paths, cwd: &cwd };
    let mut effective = grants::effective(asking)?;
    effective.warn_of_unasked(&command.grants, &bundle);
    let write_helps = write_helps(&effective, &command.grants);
    effective.warn(global.quiet);
    let folders = Folders::make(command.outputs.as_deref())?;
    if command.outputs.is_some() {
        grants::check_outputs(asking, &folders.outputs)?;
    }
    let environment = Environment {
        grants: effective.grants,
        limits: effective.limits,
        scratch: Some(folders.scratch.path().to_owned()),
        outputs: Some(folders.outputs.clone()),
        protected: effective.protected,
        ..Environment::bare(Profile::default())
    };
    let runtime = wiring::runtime()?;
    let watcher = Arc::new(Terminal { verbose: global.verbose, usage: Mutex::default() });
    let result = runtime.block_on(async {
        let mut toolbox = wiring::toolbox(&paths, global.quiet)?;
        let called = call(&mut toolbox, &bundle, &environment, &command, Arc::clone(&watcher), write_helps).await;
        output::clear_transient();
        called
    });
    let usage = *watcher.usage.lock().unwrap_or_else(PoisonError::into_inner);
    // A call that was ended may still sit in a file operation of the system; it is not waited for.
    runtime.shutdown_background();
    let left = folders.left_over(global.quiet);
    if global.json {
        output::json_line(&answer_json(&result, usage, &left));
    }
    match result {
        Ok(output) if !global.json => {
            show(&output, &left);
            Ok(ExitCode::SUCCESS)
        }
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(failure) if global.json => Ok(ExitCode::from(failure.kind.code())),
        Err(failure) => Err(failure),
    }
}

async fn call(
    toolbox: &mut Toolbox,
    bundle: &Bundle,
    environment: &Environment,
    command: &args::Call,
    watcher: Arc<Terminal>,
    write_helps: bool,
) -> Result<Output, Failure> {
    toolbox.add(bundle, environment).await?;
    let tool = find(toolbox, bundle, &command.tool)?;
    let input = read_input(tool, &command.input)?;
    let call = Call { watcher, ..Call::new(call_id(), tool.name.clone(), input) };
    let advice = Advice { tool, bundle, grants: &environment.grants, write_helps, words: &command.input };
    toolbox.execute(call).await.map_err(|error| advice.on(error))
}

fn find<'a>(toolbox: &'a Toolbox, bundle: &Bundle, name: &str) -> Result<&'a Tool, Failure> {
    let known = || toolbox.tools().iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
    let name = ToolName::new(name).map_err(|error| Failure::usage(error.to_string()))?;
    let found = toolbox.tools().iter().find(|tool| tool.name == name);
    found.ok_or_else(|| {
        Failure::usage(format!("the bundle `{}` has no tool `{name}`", bundle.name))
            .hint(format!("it has: {}", known()))
    })
}

/// Whether --write would make every granted folder writable: it speaks for the current folder
/// and for those of --dir without a mode.
fn write_helps(effective: &grants::Effective, typed: &args::Grants) -> bool {
    let own = |source: &Source| matches!(source, Source::CurrentFolder | Source::Flag("--dir"));
    effective.sources.folders.iter().all(own) && !typed.dir.iter().any(|dir| dir.ends_with(":ro"))
}

fn read_input(tool: &Tool, words: &[String]) -> Result<Value, Failure> {
    let text = match words {
        [] => return Ok(json!({})),
        [one] if one == "-" => read_bounded(std::io::stdin().lock(), "standard input")?,
        [one] if one.starts_with('@') => {
            let path = one.trim_start_matches('@');
            let failed = |error| {
                Failure::usage(format!("{path}: {error}")).hint("@FILE reads the input from a file of that name")
            };
            let file = std::fs::File::open(path).map_err(failed)?;
            read_bounded(file, path)?
        }
        // What is almost JSON is told where it is not.
        [one] if one.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<Value>(one).is_ok() => {
            one.clone()
        }
        words => return flags::input(tool, words),
    };
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("the input is not JSON: {error}")).hint(advice::input_hint(tool, &[])))
}

fn read_bounded(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(INPUT_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if text.len() as u64 > INPUT_BYTES_MAX {
        return Err(Failure::usage(format!("{name}: the input is larger than 64 MiB")));
    }
    Ok(text)
}

/// An id that no other call of this machine has.
fn call_id() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("call-{:x}-{:x}", since.as_nanos(), std::process::id())
}

pub(crate) fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("the current folder cannot be found: {error}")))
}

/// The scratch folder and the outputs of one call.
struct Folders {
    scratch: tempfile::TempDir,
    outputs: PathBuf,
    /// What lay in it before.
    before: HashMap<PathBuf, Stamp>,
    /// Without --outputs they are kept only if there are any.
    temporary: Option<tempfile::TempDir>,
}

/// What differs if a file was written: when, and how long it is.
type Stamp = Option<(std::time::SystemTime, u64)>;

impl Folders {
    fn make(outputs: Option<&Path>) -> Result<Self, Failure> {
        let make = || tempfile::Builder::new().prefix("handbox-").tempdir();
        let failed = |error| {
            Failure::usage(format!("no scratch folder can be made: {error}")).hint("set TMPDIR to a writable folder")
        };
        let scratch = make().map_err(failed)?;
        if let Some(outputs) = outputs {
            let failed = |error| Failure::usage(format!("--outputs {}: {error}", outputs.display()));
            std::fs::create_dir_all(outputs).map_err(failed)?;
            let outputs = outputs.canonicalize().map_err(failed)?;
            return Ok(Self { scratch, before: entries(&outputs).collect(), outputs, temporary: None });
        }
        let temporary = make().map_err(failed)?;
        let outputs = temporary.path().to_owned();
        Ok(Self { scratch, outputs, before: HashMap::new(), temporary: Some(temporary) })
    }

    /// The files that the call left for the user, by name. Keeps their folder if there are any.
    fn left_over(self, quiet: bool) -> Vec<PathBuf> {
        let changed = entries(&self.outputs).filter(|(path, stamp)| self.before.get(path) != Some(stamp));
        let mut left: Vec<PathBuf> = changed.map(|(path, _)| path).collect();
        left.sort();
        if let (Some(temporary), false) = (self.temporary, left.is_empty()) {
            let _ = temporary.keep();
        }
        let scratch = self.scratch.path().to_owned();
        if !quiet && entries(&scratch).next().is_some() {
            let text = "note: the tool left files in its /tmp, which is thrown away; what it leaves in \
                        /mnt/session/outputs is kept";
            output::note(Tone::Note, text);
        }
        if let Err(error) = self.scratch.close() {
            let scratch = scratch.display();
            output::note(Tone::Warning, &format!("the tool's scratch folder {scratch} could not be removed: {error}"));
        }
        left
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = (PathBuf, Stamp)> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| {
        let about = entry.metadata().ok();
        (entry.path(), about.and_then(|about| Some((about.modified().ok()?, about.len()))))
    })
}

fn show(output: &Output, left: &[PathBuf]) {
    output::data(&output.text());
    for part in output.attachments() {
        output::note(Tone::Note, &format!("attachment: {}, {} bytes (see --json)", part.media_type, part.data.len()));
    }
    for file in left {
        output::note(Tone::Note, &format!("output file: {}", file.display()));
    }
    if output.usage.dropped_bytes > 0 {
        output::note(Tone::Note, &format!("{} bytes of output were dropped at its limit", output.usage.dropped_bytes));
    }
}

fn answer_json(result: &Result<Output, Failure>, usage: Usage, left: &[PathBuf]) -> Value {
    let (output, error) = match result {
        Ok(output) => (Some(output), Value::Null),
        Err(failure) => (None, failure.to_json()),
    };
    let attachments: Vec<Value> = output
        .into_iter()
        .flat_map(Output::attachments)
        .map(|part| json!({ "media_type": part.media_type, "data": BASE64.encode(&part.data) }))
        .collect();
    let mut answer = json!({
        "output": output.map(Output::text),
        "error": error,
        "attachments": attachments,
        "output_files": left,
        "usage": {
            "ms": usage.time.as_secs_f64() * 1e3,
            "fuel": usage.fuel,
            "memory_bytes": usage.memory_bytes,
            "dropped_bytes": usage.dropped_bytes,
        },
    });
    if let (Some(answer), Some(output)) = (answer.as_object_mut(), output) {
        for (name, value) in &output.fields {
            answer.entry(name).or_insert_with(|| value.clone());
        }
    }
    answer
}

/// Shows what a call reports.
struct Terminal {
    verbose: u8,
    usage: Mutex<Usage>,
}

impl Watcher for Terminal {
    fn progress(&self, fraction: Option<f32>, message: &str) {
        let percent = fraction.map(|fraction| format!("{:3.0} % ", fraction * 100.0)).unwrap_or_default();
        output::transient(&format!("{percent}{message}"));
    }

    fn log(&self, level: LogLevel, message: &str) {
        let shown = match level {
            LogLevel::Warn | LogLevel::Error => true,
            LogLevel::Info => self.verbose > 0,
            LogLevel::Debug => self.verbose > 1,
        };
        if shown {
            output::clear_transient();
            output::note(Tone::Note, message.trim_end());
        }
    }

    fn finished(&self, usage: &Usage) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = *usage;
    }
}
