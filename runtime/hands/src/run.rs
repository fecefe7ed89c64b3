//! One call inside a sandbox: open, instantiate, call, translate what comes back.

use crate::bindings::types;
use crate::classify::classify;
use crate::command::{self, CommandLine};
use crate::engine::Engine;
use crate::files::{Folders, Protected};
use crate::guest::Guest;
use crate::job::Job;
use crate::library::Package;
use crate::loaded::{Kind, Loaded};
use crate::network::Line;
use crate::process::{Ending, EndsWithCall, Start};
use crate::reflect;
use crate::sink::Budget;
use crate::store::{Opening, Streams, open_store, settle};
use handbox_bundle::Mode;
use handbox_hand::{Call, HandError, Limit, LogLevel, Output, Part, ToolFault, Usage};
use serde_json::Value;
use std::sync::Arc;
use wasmtime::component::Instance;
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi::I32Exit;

/// Longest media type that is passed on, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 128;

/// The media type of a part that is no part of the result but a JSON object of fields for programs, as
/// [`Output::fields`] has them.
const FIELDS_MEDIA_TYPE: &str = "application/vnd.handbox.fields+json";

/// A component with everything it is granted, ready to be called.
pub(crate) struct Ready {
    pub(crate) engine: Engine,
    pub(crate) package: Arc<Package>,
    pub(crate) folders: Folders,
    pub(crate) protected: Arc<Protected>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) line: Line,
}

/// A store with its instance.
pub(crate) struct Live {
    pub(crate) store: Store<Guest>,
    pub(crate) instance: Instance,
}

/// What a guest gave: parts, and typed fields for programs.
pub(crate) type Given = (Vec<Part>, serde_json::Map<String, Value>);
type Answer = Result<Given, ToolFault>;

/// Why a guest gave nothing.
pub(crate) enum Ended {
    /// The engine says so; the store is not to be used again.
    Engine(wasmtime::Error),
    /// The input could not be passed on; the guest did not run.
    Input(HandError),
}

impl From<wasmtime::Error> for Ended {
    fn from(error: wasmtime::Error) -> Self {
        Self::Engine(error)
    }
}

impl Ready {
    /// The component; a hand is ready only after its library has loaded it.
    pub(crate) fn loaded(&self) -> wasmtime::Result<&Loaded> {
        self.package.loaded().ok_or_else(|| wasmtime::format_err!("the component is not loaded"))
    }

    /// Opens a store for `job` and instantiates the component in it. Guest code
    /// may run here, so it belongs inside the call's limits.
    ///
    /// `weakest` bounds what any folder may be used for in this store.
    pub(crate) async fn instantiate(&self, job: &Job, line: CommandLine, weakest: Mode) -> wasmtime::Result<Live> {
        let stdout_is = match self.loaded()?.kind {
            Kind::Command { .. } => Budget::Output,
            Kind::Hand { .. } | Kind::Reflected(_) => Budget::Log,
        };
        let mut store = open_store(Opening {
            engine: &self.engine,
            meter: Arc::clone(&job.meter),
            hop: Arc::clone(&job.hop),
            folders: &self.folders,
            weakest,
            protected: Arc::clone(&self.protected),
            env: &self.env,
            args: &line.args,
            streams: Streams::Call { stdin: line.stdin.map(bytes::Bytes::from), stdout_is },
            watcher: Arc::clone(&job.call.watcher),
            line: self.line.clone(),
        })?;
        store.data_mut().outgoing.start_call(job);
        store.data_mut().process.start_call(job);
        let instance = self.loaded()?.pre.instantiate_async(&mut store).await?;
        Ok(Live { store, instance })
    }

    /// Runs the component as a program that another one started, in a store of its own.
    pub(crate) async fn run_program(&self, job: &Job, start: Start) -> Ending {
        Ending::of(self.program(job, start).await, &job.meter)
    }

    async fn program(&self, job: &Job, start: Start) -> wasmtime::Result<Result<(), ()>> {
        let loaded = self.loaded()?;
        let run = match &loaded.kind {
            Kind::Command { run, .. } | Kind::Hand { run: Some(run), .. } => run,
            Kind::Hand { .. } | Kind::Reflected(_) => {
                return Err(wasmtime::format_err!("the component exports no wasi:cli/run"));
            }
        };
        let mut store = open_store(Opening {
            engine: &self.engine,
            meter: Arc::clone(&job.meter),
            hop: Arc::clone(&job.hop),
            folders: &self.folders,
            weakest: job.weakest(),
            protected: Arc::clone(&self.protected),
            env: &start.env,
            args: &start.args,
            streams: Streams::Process(&start),
            watcher: Arc::clone(&job.call.watcher),
            line: self.line.clone(),
        })?;
        // What the parent gave is held by the store alone from here on: a pipe ends with its last holder.
        let _held = start.let_go();
        store.data_mut().outgoing.start_call(job);
        store.data_mut().process.start_call(job);
        let instance = loaded.pre.instantiate_async(&mut store).await?;
        let program = run.load(&mut store, &instance)?;
        let result = program.wasi_cli_run().call_run(&mut store).await;
        settle(&mut store.as_context_mut())?;
        result
    }

    /// Runs one call in a store of its own.
    pub(crate) async fn run_fresh(&self, job: &Job) -> Result<Output, HandError> {
        let _ends = EndsWithCall(job.family.clone());
        let answer = self.fresh_answer(job).await;
        conclude(job, answer)
    }

    async fn fresh_answer(&self, job: &Job) -> Result<Answer, Ended> {
        let line = self.command_line(job)?;
        let mut live = self.instantiate(job, line, job.weakest()).await?;
        let answer = self.answer(&mut live, job).await;
        live.report(job);
        answer
    }

    fn command_line(&self, job: &Job) -> Result<CommandLine, Ended> {
        let none = CommandLine { args: Vec::new(), stdin: None };
        let Kind::Command { commands, .. } = &self.loaded()?.kind else { return Ok(none) };
        let command = commands.iter().find(|command| command.tool == job.call.name.as_str());
        let Some(command) = command else { return Ok(none) };
        command::command_line(command, &job.call.input).map_err(Ended::Input)
    }

    /// Calls an instance and settles what it burnt, however it ended.
    pub(crate) async fn answer(&self, live: &mut Live, job: &Job) -> Result<Answer, Ended> {
        let answer = match &self.loaded()?.kind {
            Kind::Hand { hand, .. } => {
                let hand = hand.load(&mut live.store, &live.instance)?;
                let call = wit_call(&job.call);
                let result = hand.handbox_hand_hand().call_execute(&mut live.store, &call).await;
                result.map(|result| match result {
                    Ok(parts) => Ok(given(parts)),
                    Err(fault) => Err(tool_fault(fault, &job.call)),
                })
            }
            Kind::Command { run, commands } => {
                let program = run.load(&mut live.store, &live.instance)?;
                let result = program.wasi_cli_run().call_run(&mut live.store).await;
                let command = commands.iter().find(|command| command.tool == job.call.name.as_str());
                let ok_statuses = command.map_or(&[][..], |command| &command.ok_statuses);
                exit_status(result).map(|status| live.program_answer(status, ok_statuses))
            }
            Kind::Reflected(reflection) => {
                let functions = &reflection.tools;
                let function = functions.iter().find(|function| function.tool.name == job.call.name);
                let Some(function) = function else {
                    return Ok(Err(ToolFault::UnknownTool(job.call.name.to_string())));
                };
                match reflect::call(&mut live.store, &live.instance, function, &job.call.input).await {
                    Ok(result) => Ok(result.map(|parts| (parts, serde_json::Map::new()))),
                    Err(reflect::CallError::Input(error)) => {
                        return Err(Ended::Input(HandError::Input(error.to_string())));
                    }
                    Err(reflect::CallError::Engine(error)) => Err(error),
                }
            }
        };
        settle(&mut live.store.as_context_mut())?;
        Ok(answer?)
    }
}

impl Live {
    /// Hands what the guest printed to whoever watches.
    pub(crate) fn report(&self, job: &Job) {
        let guest = self.store.data();
        for (sink, level) in [(&guest.stdout, LogLevel::Info), (&guest.stderr, LogLevel::Info)] {
            let printed = sink.take();
            if !printed.is_empty() {
                job.call.watcher.log(level, &String::from_utf8_lossy(&printed));
            }
        }
    }

    fn program_answer(&self, status: i32, ok_statuses: &[u8]) -> Answer {
        let stdout = self.store.data().stdout.take();
        let fields = serde_json::Map::from_iter([("exit_code".to_owned(), Value::from(status))]);
        if status == 0 || u8::try_from(status).is_ok_and(|status| ok_statuses.contains(&status)) {
            let media_type = if is_text(&stdout) { "text/plain" } else { "application/octet-stream" };
            return Ok((vec![Part { media_type: media_type.to_owned(), data: stdout }], fields));
        }
        let stderr = self.store.data().stderr.take();
        let said = if stderr.is_empty() { stdout } else { stderr };
        let said = String::from_utf8_lossy(&said);
        Err(ToolFault::Failed(format!("{}\n(exit status {status})", said.trim_end())))
    }
}

/// Whether bytes are UTF-8, but for a character that was cut at their end.
fn is_text(bytes: &[u8]) -> bool {
    // An error without a length means that the bytes end too early, not that they are wrong.
    std::str::from_utf8(bytes).err().is_none_or(|error| error.error_len().is_none())
}

fn exit_status(result: wasmtime::Result<Result<(), ()>>) -> wasmtime::Result<i32> {
    match result {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(status)) => Ok(*status),
            None => Err(error),
        },
    }
}

/// What a tool gave: its fields are a part of their own media type.
fn given(parts: Vec<types::Part>) -> Given {
    let (mut kept, mut fields) = (Vec::with_capacity(parts.len()), serde_json::Map::new());
    for part in parts.into_iter().map(part) {
        let is_fields = part.media_type == FIELDS_MEDIA_TYPE;
        match is_fields.then(|| serde_json::from_slice(&part.data)) {
            Some(Ok(Value::Object(more))) => fields.extend(more),
            _ => kept.push(part),
        }
    }
    (kept, fields)
}

/// Sorts what a call ended with by who must act.
pub(crate) fn conclude(job: &Job, answer: Result<Answer, Ended>) -> Result<Output, HandError> {
    match answer {
        Ok(Ok((mut parts, mut fields))) => {
            if let Some(text) = full_disk(job) {
                parts.push(Part::text(format!("\n({text})\n")));
                fields.insert("limit_reached".to_owned(), text.into());
            }
            let bytes: usize = parts.iter().map(|part| part.data.len()).sum();
            let of_fields =
                if fields.is_empty() { 0 } else { serde_json::to_string(&fields).map_or(0, |text| text.len()) };
            if (bytes + of_fields) as u64 > job.meter.limits().output_bytes {
                return Err(HandError::Limit(job.meter.describe(Limit::Output)));
            }
            Ok(Output { parts, fields, usage: Usage::default() })
        }
        // A tool that was refused space or files usually says so in its own words; the
        // limit is what somebody can act on.
        Ok(Err(fault)) => Err(job.meter.hit().map_or(HandError::Tool(fault), HandError::Limit)),
        Err(Ended::Input(error)) => Err(error),
        Err(Ended::Engine(error)) => Err(classify(&error, &job.meter)),
    }
}

/// What programs that it started could not write, they call an error of the disk: no code of WASI says more to them.
fn full_disk(job: &Job) -> Option<String> {
    let hit = job.meter.hit().filter(|hit| matches!(hit.limit, Limit::FileBytes | Limit::Files))?;
    job.family.as_ref()?;
    let (name, allowed) = (hit.limit.name(), hit.allowed);
    Some(format!("The limit {name} was reached: one call may use {allowed}. What did not fit is not there."))
}

pub(crate) fn wit_call(call: &Call) -> types::Call {
    types::Call {
        id: call.id.0.clone(),
        attempt: call.attempt,
        name: call.name.as_str().to_owned(),
        input: call.input.to_string(),
        extra: call.extra.clone(),
    }
}

pub(crate) fn part(part: types::Part) -> Part {
    let plain = part.media_type.len() <= MEDIA_TYPE_BYTES_MAX
        && part.media_type.contains('/')
        && part.media_type.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let media_type = if plain { part.media_type } else { "application/octet-stream".to_owned() };
    Part { media_type, data: part.data }
}

fn tool_fault(fault: types::Fault, call: &Call) -> ToolFault {
    match fault {
        types::Fault::UnknownTool => ToolFault::UnknownTool(call.name.to_string()),
        types::Fault::InvalidInput(text) => ToolFault::InvalidInput(text),
        types::Fault::Denied(text) => ToolFault::Denied(text),
        types::Fault::Failed(text) => ToolFault::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::is_text;

    #[test]
    fn text_that_was_cut_inside_a_character_is_still_text() {
        assert!(is_text(b"") && is_text("aé".as_bytes()) && is_text(&"aé".as_bytes()[..2]));
        assert!(!is_text(b"a\xff") && !is_text(b"\xc3a"));
    }
}
