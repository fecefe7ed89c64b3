//! `handbox call`: one tool, one answer.

use crate::advice::{self, Advice};
use crate::args::{self, Global};
use crate::config::{Config, similar};
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::{Paths, current_folder};
use crate::retype::{self, Typed};
use crate::watch::Terminal;
use crate::workplace::{Wanted, Workplace, told_to_end};
use crate::{egress, input, loose, repack, slips, wiring};
use data_encoding::BASE64;
use handbox_bundle::Bundle;
use handbox_hand::{Call, Hand, HandError, Limit, Output, Tool, ToolName, Usage};
use handbox_hands::{Environment, Toolbox};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn run(global: &Global, command: args::Call) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let opened = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles()).map_err(|failure| {
        let meant = loose::for_a_bundle(&command, &cwd).or_else(|| slips::swapped(&command, &config, &cwd));
        meant.unwrap_or(failure)
    })?;
    let (bundle, name) = (opened.bundle, opened.name.as_deref());
    advice::refuse_flags_of_both(&command, &bundle)?;
    repack::note(&bundle, &cwd, global.quiet);
    let (typed, outputs) = (&command.grants, command.outputs.as_deref());
    let wanted =
        Wanted { by: "call", bundle: &bundle, name, typed, outputs, config: &config, paths: &paths, cwd: &cwd };
    let workplace = Workplace::make(wanted, global.quiet)?;
    let Workplace { ref environment, write_helps, .. } = workplace;
    let runtime = wiring::runtime()?;
    let watcher = Arc::new(Terminal::new(global));
    let sent = Arc::new(egress::Shown::new(global));
    let called = runtime.block_on(async {
        let called = async {
            let mut toolbox = wiring::toolbox(&paths, global.quiet)?;
            let sent = Arc::clone(&sent);
            let asked = Asked { bundle: &bundle, environment, command: &command, write_helps, cwd: &cwd, sent };
            call(&mut toolbox, asked, global.quiet, Arc::clone(&watcher)).await
        };
        let called = tokio::select! {
            called = called => Ok(called),
            signal = told_to_end() => Err(signal),
        };
        output::clear_transient();
        called
    });
    let result = match called {
        Ok(result) => result,
        Err(signal) => {
            workplace.abandon(runtime);
            return Ok(ExitCode::from(128 + signal));
        }
    };
    let usage = watcher.usage();
    let left = workplace.leave(runtime, global.quiet, global.quiet);
    if global.json {
        let mut answer = answer_json(&result, usage, &left);
        if let Some(sent) = sent.to_json() {
            answer["requests"] = sent;
        }
        output::json_line(&answer);
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

/// What is to be called, and with what.
struct Asked<'a> {
    bundle: &'a Bundle,
    environment: &'a Environment,
    command: &'a args::Call,
    write_helps: bool,
    cwd: &'a Path,
    /// What the call sends.
    sent: Arc<egress::Shown>,
}

async fn call(toolbox: &mut Toolbox, asked: Asked<'_>, quiet: bool, watcher: Arc<Terminal>) -> Result<Output, Failure> {
    let Asked { bundle, environment, command, write_helps, cwd, sent } = asked;
    toolbox.add(bundle, environment).await?;
    let tool = find(toolbox, bundle, &command.tool)?;
    let (words, ours) = (&command.input, &command.ours);
    let typed = Typed { tool, bundle: &command.bundle, ours, words, stale: retype::stale(bundle) };
    let input = input::read(&typed).map_err(|failure| loose::explain(failure, command, tool, cwd))?;
    let unknown = input::unknown(tool, &input);
    if !quiet && !unknown.is_empty() {
        output::note(Tone::Note, &format!("note: {unknown}"));
        typed.stale.into_iter().for_each(|hint| output::note(Tone::Hint, hint));
    }
    let call = Call { watcher: watcher.clone(), audit: sent, ..Call::new(call_id(), tool.name.clone(), input.clone()) };
    let (grants, protected) = (&environment.grants, &environment.protected);
    let no_dir = command.grants.no_dir;
    let advice =
        Advice { typed, bundle, grants, no_dir, protected, write_helps, input: &input, cwd, watcher: Some(&watcher) };
    let output = toolbox.execute(call).await.map_err(|error| {
        if matches!(error, HandError::Broken(_)) {
            watcher.tell_crash();
        }
        advice.on(error)
    })?;
    if let Some(text) = advice.in_scratch(environment.scratch.as_deref()).filter(|_| !quiet) {
        output::note(Tone::Note, &format!("note: {text}"));
    }
    if !quiet && tool.output_schema.is_some() && serde_json::from_str::<Value>(&output.text()).is_err() {
        let text = format!(
            "the tool `{}` declares that its output is JSON, and this is none; if it is yours, return serde_json::to_string(&value)?, or leave `output` out",
            tool.name
        );
        output::note(Tone::Warning, &text);
    }
    Ok(output)
}

/// Refuses flags that act before the bundle is opened (--config, --data, --log) where the tool has inputs of these names:
/// the bundle is opened as it would be without them.
pub(crate) fn refuse_flags_of_both_first(command: &args::Call) -> Result<(), Failure> {
    let early = |name: &&String| matches!(name.as_str(), "config" | "data" | "log" | "log-format");
    let early: Vec<String> = command.typed.iter().filter(early).cloned().collect();
    if early.is_empty() {
        return Ok(());
    }
    let opened = args::Args::without(std::env::args_os(), &early).and_then(|args| {
        let paths = Paths::find(&args.global).ok()?;
        let cwd = current_folder().ok()?;
        Config::load(&paths, &cwd).ok()?.open(&command.bundle, &cwd, &handbox_std_bundle::bundles()).ok()
    });
    // What cannot be opened is refused for that, below.
    opened.map_or(Ok(()), |opened| advice::refuse_flags_of_both(command, &opened.bundle))
}

fn find<'a>(toolbox: &'a Toolbox, bundle: &Bundle, name: &str) -> Result<&'a Tool, Failure> {
    let known = || toolbox.tools().iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", ");
    let name = ToolName::new(name).map_err(|error| {
        Failure::usage(error.to_string()).hint(format!("behind the bundle stands the tool; it has: {}", known()))
    })?;
    let found = toolbox.tools().iter().find(|tool| tool.name == name);
    found.ok_or_else(|| {
        let stale = retype::stale(bundle).map(|hint| format!("; {hint}")).unwrap_or_default();
        let unexported = retype::unexported(bundle);
        let names = toolbox.tools().iter().map(|tool| tool.name.to_string());
        let failure = Failure::usage(format!("the bundle `{}` has no tool `{name}`", bundle.name));
        match similar::one_of(name.as_str(), names) {
            Some(near) => failure.hint(format!("did you mean {near}? It has: {}", known())),
            None => failure.hint(format!("it has: {}{stale}{unexported}", known())),
        }
    })
}

/// An id that no other call of this machine has.
pub(crate) fn call_id() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("call-{:x}-{:x}", since.as_nanos(), std::process::id())
}

fn show(output: &Output, left: &[PathBuf]) {
    output::data(&output.text());
    for part in output.attachments() {
        output::note(Tone::Note, &format!("attachment: {}, {} bytes (see --json)", part.media_type, part.data.len()));
    }
    for file in left {
        output::note(Tone::Note, &output::output_file(file));
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
    // A loop keeps its count to itself while it runs, so that of a call which time ended is not known.
    let timed_out = result.as_ref().is_err_and(|failure| failure.limit == Some(Limit::Time.name()));
    let fuel = if timed_out { Value::Null } else { usage.fuel.into() };
    let mut answer = json!({
        "output": output.map(Output::text),
        "error": error,
        "attachments": attachments,
        "output_files": left,
        "usage": {
            "ms": usage.time.as_secs_f64() * 1e3,
            "fuel": fuel,
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
