//! Time to first token, and to the first tool's result: the design in which a session's sandbox is made before its first
//! model request, beside Handbox, which makes it at the first call.
//!
//! `cargo bench --bench first_token` (four minutes). Both sides run the same brain, log and hands (`std`, from the cache of
//! compiled components) and the same model, whose delays are the same for the n-th session of either. Only how long the
//! coupled side waits for its sandbox is modelled: see `starts.rs` for the published figures that it follows.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints figures for people")]

mod starts;

use async_trait::async_trait;
use handbox_brain::model::{Listener, Model, ModelError, ModelRequest, Reply};
use handbox_brain::{Brain, Hands, Need, Provided};
use handbox_bundle::{Bundle, FolderGrant, Mode, Profile};
use handbox_hand::{Hand, HandError, Tool};
use handbox_hands::{Allocation, Cache, Engine, Environment, Library, QuietLoad, Toolbox};
use handbox_session::{Followed, SessionId, kinds};
use handbox_tests::lab::{self, Rounds, begin, brain, runs, share};
use serde_json::json;
use starts::{Chance, Start, model_delay};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Sessions on either side, for each distribution.
const SESSIONS: usize = 200;
/// How many are awake at once: they mostly sleep.
const AT_ONCE: usize = 40;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let bench = Bench::new();
        bench.added().await;
        bench.compared().await;
    });
}

/// A model that takes as long as a real one before its first token.
struct Delayed {
    model: Rounds<lab::AtOnce>,
    /// By what the user said, which is the number of the session.
    notes: Arc<Mutex<HashMap<String, Instant>>>,
    delayed: bool,
}

#[async_trait]
impl Model for Delayed {
    fn provider(&self) -> &str {
        "bench"
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let said = request.messages.first().and_then(|message| message.content.first());
        let said =
            said.and_then(|block| serde_json::from_str::<serde_json::Value>(block.get()).ok()).unwrap_or_default();
        let name = said["text"].as_str().unwrap_or_default().to_owned();
        self.notes.lock().expect("nobody panicked").entry(name.clone()).or_insert_with(Instant::now);
        if self.delayed {
            let seed = name.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            tokio::time::sleep(model_delay(&mut Chance::of(seed))).await;
        }
        self.model.ask(request, listener).await
    }
}

/// The number of each session.
type Seeds = Arc<Mutex<HashMap<SessionId, u64>>>;

/// Makes a sandbox with the standard tools for a session.
struct Sandboxes {
    library: Arc<Library>,
    folder: PathBuf,
    /// How long another kind of sandbox would take to start, by session.
    start: Option<(Start, Seeds)>,
    made: Mutex<HashMap<SessionId, Provided>>,
}

impl Sandboxes {
    async fn make(&self, session: SessionId) -> Provided {
        if let Some(made) = self.made.lock().expect("nobody panicked").get(&session) {
            return made.clone();
        }
        if let Some((start, seeds)) = &self.start {
            let seed = seeds.lock().expect("nobody panicked").get(&session).copied().unwrap_or(0);
            tokio::time::sleep(start.delay(&mut Chance::of(seed + 1_000_000))).await;
        }
        let toolbox = toolbox(&self.library, &self.folder).await;
        let provided = Provided { hand: toolbox, incarnation: 1, bundle: None, reason: "first_call".to_owned() };
        self.made.lock().expect("nobody panicked").insert(session, provided.clone());
        provided
    }
}

#[async_trait]
impl Hands for Sandboxes {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        Ok(self.make(need.session).await)
    }
}

async fn toolbox(library: &Arc<Library>, folder: &Path) -> Arc<Toolbox> {
    let mut environment = Environment::bare(Profile::Standard);
    let host = folder.canonicalize().expect("it is there");
    environment.grants.folders.push(FolderGrant { host, guest: "/workspace".to_owned(), mode: Mode::ReadOnly });
    let std = Bundle::open("std", Path::new("."), &handbox_std_bundle::bundles()).expect("the bundle");
    let mut toolbox = Toolbox::new(Arc::clone(library));
    toolbox.add(&std, &environment).await.expect("it loads");
    Arc::new(toolbox)
}

/// When a session's first token and its first result were there.
#[derive(Clone, Copy)]
struct Seen {
    token: Duration,
    result: Option<Duration>,
}

struct Bench {
    folder: tempfile::TempDir,
    cache: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("notes.txt"), "TODO: bread\n").expect("a file");
        let cache = folder.path().join("cache");
        Self { folder, cache }
    }

    /// A library as a new process has it: nothing loaded, everything in the cache.
    fn library(&self) -> Arc<Library> {
        let engine = Engine::new(Allocation::Pool { instances: 100 }).expect("an engine");
        let cache = Cache::open(&self.cache).expect("a cache");
        Library::new(engine, Some(cache), Arc::new(QuietLoad))
    }

    async fn tools(&self) -> Vec<Tool> {
        toolbox(&self.library(), self.folder.path()).await.tools().to_vec()
    }

    /// What Handbox itself adds: before the first model request, and between a reply with a call and its result.
    async fn added(&self) {
        let tools = self.tools().await;
        let (mut before, mut first_tool) = (Vec::new(), Vec::new());
        for number in 0..100 {
            let data = tempfile::tempdir().expect("a folder");
            let notes = Arc::new(Mutex::new(HashMap::new()));
            let model = Delayed { model: grep(1), notes: Arc::clone(&notes), delayed: false };
            // As cold as a session gets: in a process that has loaded no component, with all of them in the cache.
            let hands = Sandboxes {
                library: self.library(),
                folder: self.folder.path().to_owned(),
                start: None,
                made: Mutex::default(),
            };
            let brain = brain(data.path(), Arc::new(model), Arc::new(hands));
            let session = begin(&brain, &runs(&tools)).await;
            let name = format!("session {number}");
            brain.say(session, &name).await.expect("said");
            let began = Instant::now();
            let follow = tokio::spawn(follow(brain.clone(), session, began));
            brain.wake(session).await.expect("it works");
            let asked = notes.lock().expect("nobody panicked")[&name];
            let seen = follow.await.expect("it does not panic");
            before.push(asked - began);
            first_tool.push(seen.result.expect("there was a call") - seen.token);
        }
        println!("added before the first model request: {} (goal: p95 < 5 ms)", lab::spread(&mut before));
        println!(
            "first tool of a cold session, from the model's call to the result: {} (goal < 10 ms)",
            lab::spread(&mut first_tool)
        );
    }

    /// Both designs, for each distribution and for sessions that all need a hand, or a quarter of them.
    async fn compared(&self) {
        println!("{SESSIONS} sessions a side; the model's first token takes 0.5 s at p50 and 1.1 s at p95");
        for start in Start::published() {
            for (share_of_hands, every) in [("all", 1), ("a quarter of", 4)] {
                let coupled = self.side(Some(start), every).await;
                let ours = self.side(None, every).await;
                let ms = |times: &[Seen], at: f64, of: fn(&Seen) -> Option<Duration>| {
                    let mut times: Vec<Duration> = times.iter().filter_map(of).collect();
                    share(&mut times, at).as_secs_f64() * 1e3
                };
                let token: fn(&Seen) -> Option<Duration> = |seen| Some(seen.token);
                let result: fn(&Seen) -> Option<Duration> = |seen| seen.result;
                println!("{}; {share_of_hands} sessions use a tool", start.name);
                for (name, of) in [("first token", token), ("first tool result", result)] {
                    for at in [0.5, 0.95] {
                        let (theirs, own) = (ms(&coupled, at, of), ms(&ours, at, of));
                        println!(
                            "  {name:<18} p{:<2} coupled {theirs:>7.0} ms   Handbox {own:>6.0} ms   {:+.0} %",
                            at * 100.0,
                            (own / theirs - 1.0) * 100.0,
                        );
                    }
                }
            }
        }
    }

    /// Runs sessions; `coupled` makes each one's sandbox before its first request, after such a start.
    async fn side(&self, coupled: Option<Start>, every: usize) -> Vec<Seen> {
        let data = tempfile::tempdir().expect("a folder");
        let seeds = Arc::new(Mutex::new(HashMap::new()));
        let folder = self.folder.path().to_owned();
        let start = coupled.map(|start| (start, Arc::clone(&seeds)));
        let hands = Arc::new(Sandboxes { library: self.library(), folder, start, made: Mutex::default() });
        let notes = Arc::new(Mutex::new(HashMap::new()));
        let model = |rounds| Delayed { model: grep(rounds), notes: Arc::clone(&notes), delayed: true };
        let with_tool = brain(data.path(), Arc::new(model(1)), hands.clone());
        let without = Brain { model: Arc::new(model(0)), ..with_tool.clone() };
        let tools = self.tools().await;
        let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        let mut sessions = tokio::task::JoinSet::new();
        for number in 0..SESSIONS {
            let brain = if number % every == 0 { with_tool.clone() } else { without.clone() };
            let (places, hands, seeds) = (Arc::clone(&places), Arc::clone(&hands), Arc::clone(&seeds));
            let (runs, is_coupled) = (runs(&tools), coupled.is_some());
            sessions.spawn(async move {
                let _place = places.acquire_owned().await.expect("it is never closed");
                let session = begin(&brain, &runs).await;
                seeds.lock().expect("nobody panicked").insert(session, number as u64);
                brain.say(session, &format!("session {number}")).await.expect("said");
                let began = Instant::now();
                let follow = tokio::spawn(follow(brain.clone(), session, began));
                if is_coupled {
                    hands.make(session).await;
                }
                brain.wake(session).await.expect("it works");
                follow.await.expect("it does not panic")
            });
        }
        sessions.join_all().await
    }
}

fn grep(rounds: usize) -> Rounds<lab::AtOnce> {
    Rounds { rounds, call: ("grep", json!({ "pattern": "TODO" })), before: lab::AtOnce }
}

/// What a client sees: previews of the reply, and the events.
async fn follow(brain: Brain, session: SessionId, began: Instant) -> Seen {
    let mut tail = brain.log.tail(session, None).await.expect("it is followed");
    let mut seen = (None, None);
    loop {
        match tail.next().await.expect("it goes on") {
            Followed::Preview(_) => drop(seen.0.get_or_insert_with(|| began.elapsed())),
            Followed::Event(entry) if *entry.event.kind() == kinds::AGENT_MESSAGE => {
                // Previews may be missing; the event is never.
                seen.0.get_or_insert_with(|| began.elapsed());
            }
            Followed::Event(entry) if *entry.event.kind() == kinds::AGENT_TOOL_RESULT => {
                seen.1.get_or_insert_with(|| began.elapsed());
            }
            Followed::Event(entry) if *entry.event.kind() == kinds::SESSION_STATUS_IDLE => {
                return Seen { token: seen.0.expect("it said something"), result: seen.1 };
            }
            Followed::Event(_) => {}
        }
    }
}
