//! A component as a hand: provisioned on its first call, again after it died.

use crate::bindings::WitOutcome;
use crate::classify::classify;
use crate::command::CommandLine;
use crate::environment::Environment;
use crate::files::{Folders, Protected, Relative};
use crate::hop::drive;
use crate::job::Job;
use crate::kept::{LOST, RESTORED, Slot};
use crate::library::{Library, Package};
use crate::loaded;
use crate::process::{Family, Numbers, Programs, WhileCalled};
use crate::reflect::Skipped;
use crate::run::{Live, Ready, conclude, wit_call};
use crate::scrub::Scrub;
use handbox_bundle::{Compile, Grants, Kind, Limits, Mode, State};
use handbox_hand::{Call, Hand, HandError, Hints, Outcome, Output, Tool, ToolFault, ToolName};
use serde_json::Value;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OnceCell, oneshot};

/// Most bytes of a hand's saved state.
const STATE_BYTES_MAX: usize = 16 << 20;

/// The environment value that says how many milliseconds a call may take.
const CALL_TIME: &str = "HANDBOX_CALL_TIME_MS";

/// How long a guest whose programs were ended has to return.
const GRACE: Duration = Duration::from_millis(200);

/// What a component hand is made from.
pub(crate) struct Recipe {
    /// Its place in its bundle.
    pub(crate) index: usize,
    pub(crate) package: Arc<Package>,
    /// Already cut down to what the component asks for.
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) environment: Arc<Environment>,
    /// Files of the bundle itself, which no hand may change.
    pub(crate) files: Vec<PathBuf>,
    /// What it may start; none if its bundle has no programs.
    pub(crate) programs: Option<Arc<Programs>>,
}

/// A WebAssembly component behind the [`Hand`] trait.
pub struct ComponentHand {
    library: Arc<Library>,
    recipe: Recipe,
    ready: OnceCell<Arc<Ready>>,
    tools: Arc<[Tool]>,
    kept: Option<Arc<Slot>>,
    /// It is started by others of its bundle.
    is_program: bool,
    /// Of what it starts.
    numbers: Arc<Numbers>,
}

impl ComponentHand {
    /// Makes a hand. Its component is loaded here only if nothing else says what its tools
    /// are; otherwise on the first call.
    pub(crate) async fn new(library: Arc<Library>, recipe: Recipe) -> Result<Self, HandError> {
        let component = &recipe.package.component;
        let state = component.manifest.as_ref().map(|manifest| manifest.state).unwrap_or_default();
        let is_kept = state == State::Kept && component.kind != Kind::Command;
        let kept = is_kept.then(|| Slot::new(recipe.environment.kept));
        let tools = Arc::clone(&library.tools(&recipe.package).await?.0);
        Ok(Self { library, recipe, ready: OnceCell::new(), tools, kept, is_program: false, numbers: Arc::default() })
    }

    /// Makes what other components of its bundle start, and nobody calls.
    pub(crate) fn program(library: Arc<Library>, recipe: Recipe) -> Self {
        let (ready, tools, numbers) = (OnceCell::new(), Arc::new([]), Arc::default());
        Self { library, recipe, ready, tools, kept: None, is_program: true, numbers }
    }

    /// Loads the component and opens its folders, if that has not happened yet.
    ///
    /// # Errors
    ///
    /// If it cannot be compiled, does not match its manifest, or a folder is gone. Nothing
    /// is remembered of a failure: the next call tries again.
    pub(crate) async fn ready(&self) -> Result<Arc<Ready>, HandError> {
        self.ready.get_or_try_init(|| self.provision()).await.cloned()
    }

    /// What [`Self::ready`] gave before; none if it never did.
    pub(crate) fn ready_now(&self) -> Option<Arc<Ready>> {
        self.ready.get().cloned()
    }

    async fn provision(&self) -> Result<Arc<Ready>, HandError> {
        let recipe = &self.recipe;
        self.library.load(&recipe.package).await?;
        let own = recipe.environment.own_folders();
        let folders = Folders::open(&recipe.grants.folders, &own, self.relative()).await.map_err(HandError::Denied)?;
        let protected = [recipe.environment.protected.as_slice(), &recipe.files].concat();
        let protected = Protected::new(&protected).await;
        let protected = protected.map_err(|error| HandError::Fatal(format!("{error:#}")))?;
        Ok(Arc::new(Ready {
            engine: self.library.engine().clone(),
            package: Arc::clone(&recipe.package),
            folders,
            protected: Arc::new(protected),
            env: self.env(),
            line: recipe.environment.network.as_ref().map(|network| {
                let principal = network.principal(recipe.index);
                (Arc::clone(&network.http), principal)
            }),
        }))
    }

    /// What its paths start from.
    fn relative(&self) -> Relative {
        let package = &self.recipe.package;
        let loaded = package.loaded();
        if loaded.is_some_and(|loaded| loaded.imports.processes || self.is_program && loaded.imports.working_folder) {
            return Relative::Rooted;
        }
        match package.component.kind {
            Kind::Command => Relative::Opened,
            Kind::Hand | Kind::Reflected => Relative::Named,
        }
    }

    /// What the component finds in its environment: what is granted, and how long a call may take, for those that must end what
    /// they started before they are ended themselves.
    fn env(&self) -> Vec<(String, String)> {
        let mut env = self.recipe.grants.env.clone();
        if self.recipe.package.loaded().is_some_and(|loaded| loaded.imports.processes) {
            env.push((CALL_TIME.to_owned(), self.recipe.limits.time.as_millis().to_string()));
        }
        env
    }

    /// The exported functions that are no tools; nothing before the component is loaded.
    pub(crate) fn left_out(&self) -> &[Skipped] {
        match self.recipe.package.loaded().map(|loaded| &loaded.kind) {
            Some(loaded::Kind::Reflected(reflection)) => &reflection.skipped,
            _ => &[],
        }
    }

    fn tool(&self, name: &ToolName) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == *name)
    }

    /// How many stores this hand has had: 0 before its first call, and always for tools
    /// that get a fresh one for each call. More than one means that state was lost.
    pub fn incarnation(&self) -> u64 {
        self.kept.as_ref().map_or(0, |slot| slot.incarnation())
    }

    /// Whether one store is kept for all calls.
    pub(crate) fn keeps_state(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether it had a store that is gone, with what it kept: it trapped, or nobody used it for long.
    pub(crate) fn lost_state(&self) -> bool {
        self.kept.as_ref().is_some_and(|slot| slot.has_ended())
    }

    /// Lets go of a kept store and its state. The next call starts a new incarnation.
    pub async fn release(&self) {
        if let Some(slot) = &self.kept {
            slot.clear().await;
        }
    }

    /// Gives the state of a kept hand, to be passed to [`Self::restore`] of another.
    ///
    /// # Errors
    ///
    /// If the component keeps no state that can be saved, or fails to; [`HandError::Gone`] if its store ended.
    pub async fn save(&self) -> Result<Vec<u8>, HandError> {
        let Some(slot) = &self.kept else { return Err(keeps_nothing()) };
        if let Some(kept) = slot.begins_with().await.clone() {
            return Ok(kept);
        }
        let saved = self.with_state(StateCall::Save).await?;
        if saved.len() > STATE_BYTES_MAX {
            return Err(HandError::Broken("the hand saved more than 16 MiB of state".to_owned()));
        }
        Ok(saved)
    }

    /// Starts a new incarnation from saved state.
    ///
    /// # Errors
    ///
    /// If the component does not take the state; the hand has no store then.
    pub async fn restore(&self, saved: Vec<u8>) -> Result<(), HandError> {
        let Some(slot) = &self.kept else { return Err(keeps_nothing()) };
        *slot.begins_with().await = None;
        self.restore_now(slot, saved).await
    }

    /// Begins where another hand ended: with what that one kept, or without. The first answer says so. Nothing is loaded
    /// before the first call; a state that is not taken then is lost.
    pub async fn resume(&self, kept: Option<Vec<u8>>) {
        if let Some(slot) = &self.kept {
            slot.resume(kept).await;
        }
    }

    async fn restore_now(&self, slot: &Slot, saved: Vec<u8>) -> Result<(), HandError> {
        slot.clear().await;
        self.with_state(StateCall::Restore(saved)).await?;
        slot.tell(None);
        Ok(())
    }

    /// Restores what it begins with, if that has not happened yet.
    async fn begin(&self, slot: &Slot) -> Result<(), HandError> {
        let mut begins_with = slot.begins_with().await;
        let Some(kept) = begins_with.clone() else { return Ok(()) };
        match self.restore_now(slot, kept).await {
            Ok(()) => slot.tell(Some(RESTORED)),
            Err(HandError::Tool(_) | HandError::Broken(_) | HandError::Limit(_)) => {
                slot.clear().await;
                slot.tell(Some(LOST));
            }
            // The next call tries again.
            Err(error) => return Err(error),
        }
        *begins_with = None;
        Ok(())
    }

    async fn with_state(&self, state_call: StateCall) -> Result<Vec<u8>, HandError> {
        let Some(slot) = &self.kept else { return Err(keeps_nothing()) };
        let ready = self.ready().await?;
        let limits = Limits { output_bytes: STATE_BYTES_MAX as u64, ..self.recipe.limits };
        let mut job = Job::new(Call::new("state", placeholder_name()?, Value::Null), Hints::default(), limits);
        job.sends = false;
        let mut guard = slot.enter().await?;
        if guard.is_none() && slot.incarnation() > 0 && matches!(state_call, StateCall::Save) {
            return Err(HandError::Gone("its store ended, and what it kept with it".to_owned()));
        }
        let live = guard.take();
        let is_new = live.is_none();
        let (ready, slot_for_call, job_for_call) = (Arc::clone(&ready), Arc::clone(slot), job.clone());
        let call = async move { ready.call_state(live, &slot_for_call, &job_for_call, state_call).await };
        let (live, result) = self.bounded(&job, Box::pin(call)).await?;
        *guard = live;
        slot.used(is_new);
        result
    }

    /// Runs a call's future with the clock on, within its wall time.
    async fn bounded<T: Send + 'static>(
        &self,
        job: &Job,
        call: Pin<Box<dyn Future<Output = T> + Send>>,
    ) -> Result<T, HandError> {
        let _ticking = self.library.engine().ticking();
        let time = job.meter.limits().time;
        match tokio::time::timeout(time, drive(call, Arc::clone(&job.hop))).await {
            Ok(ended) => ended,
            Err(_) => Err(HandError::Limit(job.meter.describe(handbox_hand::Limit::Time))),
        }
    }

    /// Compiles what a hand may start, so that it is not the call's time that this takes. What cannot be compiled is said
    /// when it is to be started.
    async fn programs_ready(&self, ready: &Ready) {
        let Some(programs) =
            self.recipe.programs.as_ref().filter(|_| ready.loaded().is_ok_and(|own| own.imports.processes))
        else {
            return;
        };
        let ahead = |program: &&Arc<Self>| {
            let package = &program.recipe.package;
            package.component.compile() == Compile::Ahead && !self.library.is_compiled(package)
        };
        for program in programs.0.values().filter(ahead) {
            if let Err(error) = program.ready().await {
                tracing::warn!(%error, "a program is not ready");
            }
        }
    }

    async fn run(&self, job: &Job) -> Result<Output, HandError> {
        let ready = self.ready().await?;
        self.programs_ready(&ready).await;
        let Some(slot) = &self.kept else {
            let job_for_call = job.clone();
            return self.bounded(job, Box::pin(async move { ready.run_fresh(&job_for_call).await })).await?;
        };
        self.begin(slot).await?;
        if job.family.is_some() {
            return self.run_with_grace(ready, Arc::clone(slot), job).await;
        }
        let Ok(turn) = tokio::time::timeout(job.meter.limits().time, slot.enter()).await else {
            return Err(HandError::Busy("the calls before this one take too long; try again later".to_owned()));
        };
        let mut guard = turn?;
        let live = guard.take();
        let is_new = live.is_none();
        let (slot_for_call, job_for_call) = (Arc::clone(slot), job.clone());
        let call = async move { ready.run_kept(live, &slot_for_call, &job_for_call).await };
        let (live, result) = self.bounded(job, Box::pin(call)).await?;
        *guard = live;
        slot.used(is_new);
        result
    }

    /// Runs a call of a kept hand that starts programs. If its time is over, or nobody waits for it any more, what it started is
    /// ended first, and the guest has a moment to return: then its state lives on.
    async fn run_with_grace(&self, ready: Arc<Ready>, slot: Arc<Slot>, job: &Job) -> Result<Output, HandError> {
        let time = job.meter.limits().time;
        let Ok(turn) = tokio::time::timeout(time, slot.enter()).await else {
            return Err(HandError::Busy("the calls before this one take too long; try again later".to_owned()));
        };
        let mut guard = turn?;
        let (ticking, job) = (self.library.engine().ticking(), job.clone());
        // Dropped with this future.
        let (_waits, left) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let _ticking = ticking;
            let live = guard.take();
            let is_new = live.is_none();
            let (slot_for_call, job_for_call) = (Arc::clone(&slot), job.clone());
            let call = Box::pin(async move { ready.run_kept(live, &slot_for_call, &job_for_call).await });
            let mut driven = std::pin::pin!(drive(call, Arc::clone(&job.hop)));
            let over = tokio::select! {
                ended = &mut driven => Some(ended),
                () = tokio::time::sleep(time) => None,
                _ = left => None,
            };
            let (live, result) = match over {
                Some(ended) => ended?,
                None => {
                    job.family.iter().for_each(|family| family.interrupt());
                    let live =
                        tokio::time::timeout(GRACE, driven).await.ok().and_then(Result::ok).and_then(|(live, _)| live);
                    (live, Err(HandError::Limit(job.meter.describe(handbox_hand::Limit::Time))))
                }
            };
            *guard = live;
            slot.used(is_new);
            result
        });
        running.await.map_err(|error| HandError::Fatal(format!("a call did not finish: {error}")))?
    }

    fn job(&self, call: Call) -> Result<Job, HandError> {
        let Some(tool) = self.tool(&call.name) else {
            return Err(HandError::Tool(ToolFault::UnknownTool(call.name.to_string())));
        };
        if let Some(schemas) = self.recipe.package.schemas() {
            schemas.check(&call.name, &call.input)?;
        }
        let mut job = Job::new(call, tool.hints, self.recipe.limits);
        if let Some(programs) = &self.recipe.programs {
            let family = Family::new(Arc::clone(programs), Arc::clone(&self.numbers));
            job.call.watcher = WhileCalled::new(Arc::clone(&job.call.watcher), &family);
            job.family = Some(family);
        }
        Ok(job)
    }
}

#[async_trait::async_trait]
impl Hand for ComponentHand {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        let scrub = Scrub::new(self.recipe.environment.network.as_ref(), self.recipe.index);
        let job = self.job(scrub.watched(call))?;
        let started = Instant::now();
        let result = self.run(&job).await;
        let usage = job.usage(started.elapsed());
        job.call.watcher.finished(&usage);
        scrub.result(result).map(|output| Output { usage, ..output })
    }

    async fn reconcile(&self, call: Call) -> Result<Outcome, HandError> {
        let scrub = Scrub::new(self.recipe.environment.network.as_ref(), self.recipe.index);
        let mut job = self.job(scrub.watched(call))?;
        // Looking up what happened must not change anything.
        job.hints.read_only = true;
        let ready = self.ready().await?;
        let job_for_call = job.clone();
        let outcome = self.bounded(&job, Box::pin(async move { ready.reconcile(&job_for_call).await })).await??;
        Ok(scrub.outcome(outcome))
    }
}

enum StateCall {
    Save,
    Restore(Vec<u8>),
}

pub(crate) fn keeps_nothing() -> HandError {
    HandError::Input("this hand keeps no state: each call gets a fresh sandbox".to_owned())
}

/// Saving and restoring are not calls of a tool, but are metered like one.
fn placeholder_name() -> Result<ToolName, HandError> {
    ToolName::new("state").map_err(|error| HandError::Fatal(error.to_string()))
}

impl Ready {
    async fn call_state(
        &self,
        live: Option<Live>,
        slot: &Slot,
        job: &Job,
        call: StateCall,
    ) -> (Option<Live>, Result<Vec<u8>, HandError>) {
        let mut live = match live {
            Some(live) => live,
            None => match self.begin_incarnation(slot, job).await {
                Ok(live) => live,
                Err(error) => return (None, Err(classify(&error, &job.meter))),
            },
        };
        if let Err(error) = live.start_call(job) {
            return (None, Err(classify(&error, &job.meter)));
        }
        match self.state_answer(&mut live, call).await {
            Ok(Ok(saved)) => (Some(live), Ok(saved)),
            Ok(Err(text)) => (Some(live), Err(HandError::Tool(ToolFault::Failed(text)))),
            Err(error) => (None, Err(classify(&error, &job.meter))),
        }
    }

    async fn state_answer(&self, live: &mut Live, call: StateCall) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let loaded::Kind::Hand { state: Some(state), .. } = &self.loaded()?.kind else {
            return Ok(Err("this hand does not say how to save its state".to_owned()));
        };
        let keeper = state.load(&mut live.store, &live.instance)?;
        let keeper = keeper.handbox_hand_state();
        match call {
            StateCall::Save => keeper.call_save(&mut live.store).await,
            StateCall::Restore(saved) => Ok(keeper.call_restore(&mut live.store, &saved).await?.map(|()| Vec::new())),
        }
    }

    async fn reconcile(&self, job: &Job) -> Result<Outcome, HandError> {
        let loaded = self.loaded().map_err(|error| classify(&error, &job.meter))?;
        let loaded::Kind::Hand { recover: Some(recover), .. } = &loaded.kind else { return Ok(Outcome::Unknown) };
        let answer = async {
            let mut live = self.instantiate(job, CommandLine { args: Vec::new(), stdin: None }, Mode::ReadOnly).await?;
            let recoverer = recover.load(&mut live.store, &live.instance)?;
            recoverer.handbox_hand_recover().call_reconcile(&mut live.store, &wit_call(&job.call)).await
        };
        let outcome = answer.await.map_err(|error| classify(&error, &job.meter))?;
        Ok(match outcome {
            WitOutcome::Failed(text) => Outcome::Failed(text),
            WitOutcome::NotStarted => Outcome::NotStarted,
            WitOutcome::Unknown => Outcome::Unknown,
            WitOutcome::Committed(parts) => {
                let parts = parts.into_iter().map(crate::run::part).collect();
                Outcome::Committed(conclude(job, Ok(Ok((parts, serde_json::Map::new()))))?)
            }
        })
    }
}
