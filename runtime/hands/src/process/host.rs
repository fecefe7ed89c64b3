//! `handbox:process/processes`, as guests call it.

use super::Process;
use super::capture::Capture;
use super::ends::{Input, Output, PIECE_BYTES_MAX};
use super::family::{Child, Ending, NotStarted, Start, within};
use super::held::Held;
use super::open::{Opened, no_such};
use super::pipe::{PIPE_BYTES_MAX, pipe};
use crate::bindings::processes::{
    self as wit, Command, HostCapture, HostChild, HostInput, HostOutput, SpawnFault, StreamFault, Writing,
};
use crate::guest::Guest;
use bytes::Bytes;
use futures_util::future::select_all;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Takes everything and keeps nothing.
struct Nowhere;

#[async_trait::async_trait]
impl Pollable for Nowhere {
    async fn ready(&mut self) {}
}

impl OutputStream for Nowhere {
    fn write(&mut self, _: Bytes) -> StreamResult<()> {
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE_BYTES_MAX)
    }
}

fn told<T>(result: StreamResult<T>) -> Result<Result<T, StreamFault>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(StreamError::Closed) => Ok(Err(StreamFault::Closed)),
        Err(StreamError::LastOperationFailed(error)) => {
            let text = error.root_cause().to_string();
            // The number that Rust adds says nothing to who reads it there.
            let words = text.split(" (os error ").next().unwrap_or_default();
            Ok(Err(StreamFault::Other(words.to_owned())))
        }
        Err(StreamError::Trap(error)) => Err(error),
    }
}

fn piece(max: u32) -> usize {
    usize::try_from(max).unwrap_or(PIECE_BYTES_MAX).clamp(1, PIECE_BYTES_MAX)
}

/// What an argument, or an entry of the environment, takes beside its letters.
const WORD_BYTES: usize = 64;

/// The streams that a process is started with.
struct Ends {
    stdin: Resource<Input>,
    stdout: Resource<Output>,
    stderr: Resource<Output>,
}

impl Process {
    /// Waits for a stream's part, at most until the call is interrupted.
    async fn finished<T>(&self, part: impl Future<Output = StreamResult<T>>) -> Result<Result<T, StreamFault>> {
        match self.unless_interrupted(part).await {
            Some(done) => told(done),
            None => Ok(Err(StreamFault::Other("Interrupted system call".to_owned()))),
        }
    }
}

impl Guest {
    async fn start(
        &mut self,
        command: Command,
        ends: Ends,
        beside: bool,
    ) -> Result<Result<Resource<Child>, SpawnFault>> {
        let not_started = |why: &str| Ok(Err(SpawnFault::Failed(why.to_owned())));
        if self.process.is_interrupted() {
            return not_started("the call is over");
        }
        let Some(job) = self.process.job_of_child(beside) else { return Ok(Err(SpawnFault::NotFound)) };
        let Some(family) = job.family.clone() else { return Ok(Err(SpawnFault::NotFound)) };
        let Command { program, args, env, handed } = command;
        let texts = args.iter().map(String::len).chain(env.iter().map(|(name, value)| name.len() + value.len()));
        let bytes = texts.sum::<usize>() + (args.len() + env.len()) * WORD_BYTES + handed.len();
        let Ok(held) = Held::take(&job.meter, bytes) else {
            return not_started("Cannot allocate memory");
        };
        let start = Start {
            held,
            args,
            env,
            handed,
            stdin: self.table.get(&ends.stdin)?.clone(),
            stdout: self.table.get(&ends.stdout)?.clone(),
            stderr: self.table.get(&ends.stderr)?.clone(),
            open_count: self.files.open_count(),
            // Its family gives it these.
            id: 0,
            parent: 0,
            signals: Arc::default(),
        };
        match family.spawn(&job, self.process.id, &program, start).await {
            Ok(child) => Ok(Ok(self.table.push(child)?)),
            Err(NotStarted::NotFound) => Ok(Err(SpawnFault::NotFound)),
            Err(NotStarted::TooMany) => Ok(Err(SpawnFault::TooMany)),
            Err(NotStarted::Failed(why)) => not_started(&why),
        }
    }
}

impl HostInput for Guest {
    async fn stdin(&mut self) -> Result<Resource<Input>> {
        let own = self.process.stdin.clone();
        Ok(self.table.push(own)?)
    }

    async fn empty(&mut self) -> Result<Resource<Input>> {
        Ok(self.table.push(Input::of_bytes(Bytes::new(), None))?)
    }

    async fn of_bytes(&mut self, bytes: Vec<u8>) -> Result<Resource<Input>> {
        let held = self.memory.hold(bytes.len())?;
        Ok(self.table.push(Input::of_bytes(bytes.into(), Some(held)))?)
    }

    async fn open(&mut self, path: String) -> Result<Result<Resource<Input>, StreamFault>> {
        match self.open_file(&path, None).await? {
            Ok(Opened::Input(stream)) => Ok(Ok(self.table.push(Input::of(stream))?)),
            Ok(Opened::Output(_)) => Ok(Err(no_such())),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn clone(&mut self, input: Resource<Input>) -> Result<Resource<Input>> {
        let same = self.table.get(&input)?.clone();
        Ok(self.table.push(same)?)
    }

    async fn ready(&mut self, input: Resource<Input>, nanoseconds: Option<u64>) -> Result<bool> {
        let mut input = self.table.get(&input)?.clone();
        let ready = within(nanoseconds, input.ready());
        Ok(self.process.unless_interrupted(ready).await.flatten().is_some())
    }

    async fn read(&mut self, input: Resource<Input>, max: u32) -> Result<Result<Vec<u8>, StreamFault>> {
        let input = self.table.get(&input)?.clone();
        self.process.finished(input.next(piece(max))).await.map(|done| done.map(Vec::from))
    }

    async fn read_until(
        &mut self,
        input: Resource<Input>,
        delimiter: u8,
        max: u32,
    ) -> Result<Result<Vec<u8>, StreamFault>> {
        let input = self.table.get(&input)?.clone();
        self.process.finished(input.next_until(delimiter, piece(max))).await
    }

    async fn drop(&mut self, input: Resource<Input>) -> Result<()> {
        self.table.delete(input)?;
        Ok(())
    }
}

impl HostOutput for Guest {
    async fn stdout(&mut self) -> Result<Resource<Output>> {
        let own = self.process.stdout.clone();
        Ok(self.table.push(own)?)
    }

    async fn stderr(&mut self) -> Result<Resource<Output>> {
        let own = self.process.stderr.clone();
        Ok(self.table.push(own)?)
    }

    async fn discard(&mut self) -> Result<Resource<Output>> {
        Ok(self.table.push(Output::of(Box::new(Nowhere)))?)
    }

    async fn open(&mut self, path: String, how: Writing) -> Result<Result<Resource<Output>, StreamFault>> {
        match self.open_file(&path, Some(how)).await? {
            Ok(Opened::Output(stream)) => Ok(Ok(self.table.push(Output::of(stream))?)),
            Ok(Opened::Input(_)) => Ok(Err(no_such())),
            Err(fault) => Ok(Err(fault)),
        }
    }

    async fn clone(&mut self, output: Resource<Output>) -> Result<Resource<Output>> {
        let same = self.table.get(&output)?.clone();
        Ok(self.table.push(same)?)
    }

    async fn write(&mut self, output: Resource<Output>, bytes: Vec<u8>) -> Result<Result<(), StreamFault>> {
        let output = self.table.get(&output)?.clone();
        self.process.finished(output.put(bytes.into())).await
    }

    async fn drop(&mut self, output: Resource<Output>) -> Result<()> {
        self.table.delete(output)?;
        Ok(())
    }
}

impl HostCapture for Guest {
    async fn new(&mut self, max: u64) -> Result<Resource<Capture>> {
        let (meter, watcher) = (Arc::clone(self.meter()), Arc::clone(&self.watcher));
        Ok(self.table.push(Capture::new(max, meter, watcher))?)
    }

    async fn output(&mut self, capture: Resource<Capture>, source: u8) -> Result<Resource<Output>> {
        let output = self.table.get(&capture)?.output(source);
        Ok(self.table.push(output)?)
    }

    async fn take(&mut self, capture: Resource<Capture>) -> Result<wit::Kept> {
        let (bytes, sources) = self.table.get(&capture)?.take();
        Ok(wit::Kept { bytes, sources })
    }

    async fn renew(&mut self, capture: Resource<Capture>) -> Result<()> {
        self.table.get(&capture)?.renew(self.meter(), &self.watcher);
        Ok(())
    }

    async fn dropped(&mut self, capture: Resource<Capture>) -> Result<u64> {
        Ok(self.table.get(&capture)?.dropped())
    }

    async fn drop(&mut self, capture: Resource<Capture>) -> Result<()> {
        self.table.delete(capture)?;
        Ok(())
    }
}

impl HostChild for Guest {
    async fn id(&mut self, child: Resource<Child>) -> Result<u32> {
        Ok(self.table.get(&child)?.id())
    }

    async fn wait(&mut self, child: Resource<Child>, nanoseconds: Option<u64>) -> Result<Option<wit::Ending>> {
        let ending = self.table.get(&child)?.wait(nanoseconds);
        let ending = self.process.unless_interrupted(ending).await.flatten();
        Ok(ending.map(|ending| match ending {
            Ending::Exited(status) => wit::Ending::Exited(status),
            Ending::Killed(signal) => wit::Ending::Killed(signal),
            Ending::Trapped(why) => wit::Ending::Trapped(why),
        }))
    }

    async fn kill(&mut self, child: Resource<Child>, signal: u8) -> Result<()> {
        self.table.get(&child)?.kill(signal);
        Ok(())
    }

    async fn drop(&mut self, child: Resource<Child>) -> Result<()> {
        self.table.delete(child)?;
        Ok(())
    }
}

impl wit::Host for Guest {
    async fn pipe(&mut self) -> Result<(Resource<Output>, Resource<Input>)> {
        let (writer, reader) = pipe(self.memory.hold(PIPE_BYTES_MAX)?);
        let output = self.table.push(Output::of(Box::new(writer)))?;
        Ok((output, self.table.push(Input::of(Box::new(reader)))?))
    }

    async fn spawn(
        &mut self,
        command: Command,
        stdin: Resource<Input>,
        stdout: Resource<Output>,
        stderr: Resource<Output>,
    ) -> Result<Result<Resource<Child>, SpawnFault>> {
        self.start(command, Ends { stdin, stdout, stderr }, false).await
    }

    async fn spawn_beside(
        &mut self,
        command: Command,
        stdin: Resource<Input>,
        stdout: Resource<Output>,
        stderr: Resource<Output>,
    ) -> Result<Result<Resource<Child>, SpawnFault>> {
        self.start(command, Ends { stdin, stdout, stderr }, true).await
    }

    async fn end_beside(&mut self) -> Result<()> {
        self.process.beside.iter().for_each(|beside| beside.clear());
        Ok(())
    }

    async fn wait_any(&mut self, children: Vec<Resource<Child>>, nanoseconds: Option<u64>) -> Result<Option<u32>> {
        let mut endings = Vec::with_capacity(children.len());
        for child in &children {
            endings.push(Box::pin(self.table.get(child)?.ending()));
        }
        if endings.is_empty() {
            return Ok(None);
        }
        let first = self.process.unless_interrupted(within(nanoseconds, select_all(endings))).await.flatten();
        Ok(first.map(|(_, place, _)| u32::try_from(place).unwrap_or(u32::MAX)))
    }

    async fn numbers(&mut self) -> Result<(u32, u32)> {
        Ok((self.process.id, self.process.parent))
    }

    async fn send(&mut self, number: u32, signal: u8) -> Result<bool> {
        let sent = self.process.send(number, signal);
        // Whoever ended itself goes no further.
        tokio::task::yield_now().await;
        Ok(sent)
    }

    async fn catch(&mut self, signals: Vec<u8>) -> Result<()> {
        self.process.signals.catch(&signals);
        Ok(())
    }

    async fn caught(&mut self) -> Result<Vec<u8>> {
        Ok(self.process.signals.take())
    }

    async fn handed(&mut self) -> Result<Vec<u8>> {
        Ok(self.process.handed.clone())
    }

    async fn interrupted(&mut self) -> Result<bool> {
        let spent = self.meter().fuel_left() <= self.meter().fuel_reserve();
        Ok(spent || self.process.is_interrupted())
    }

    async fn exit(&mut self, status: u8) -> Result<()> {
        Err(I32Exit(i32::from(status)).into())
    }

    async fn programs(&mut self) -> Result<Vec<String>> {
        Ok(self.process.family().map(|family| family.names()).unwrap_or_default())
    }
}
