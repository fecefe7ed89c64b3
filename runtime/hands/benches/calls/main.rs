//! What a call costs, beside what it could cost at best, in the same run.
//!
//! These machines are shared, so a figure alone says little: each pair is measured in
//! turns, A B A B, and what counts is the ratio of the medians.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops where it fails")]

mod bare;

use bare::Bare;
use handbox_bundle::{Asks, Bundle, FolderAsk, FolderGrant, Manifest, Mode, Profile, State, section};
use handbox_hand::{Call, Hand, ToolName};
use handbox_hands::{Allocation, Cache, Engine, Environment, Library, MemoryReset, QuietLoad, Toolbox};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let guest = guest("echo");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let lab = Lab::new(&guest);
    println!("memory reset: {:?}", lab.engine.memory_reset());
    println!("{:<44} {:>12} {:>12} {:>8}", "", "ours", "reference", "ratio");
    let toolbox = runtime.block_on(lab.toolbox(&lab.engine, State::Fresh));
    latency(&runtime, &toolbox, &guest);
    throughput(&runtime, &toolbox, &guest);
    loading(&runtime, &lab, &guest);
    if std::env::args().any(|word| word == "--live") || std::env::var_os("LIVE").is_some() {
        live(&runtime, &guest);
    }
}

fn row(name: &str, ours: Duration, reference: Duration) {
    let micros = |time: Duration| format!("{:.2} µs", time.as_secs_f64() * 1e6);
    let ratio = ours.as_secs_f64() / reference.as_secs_f64();
    println!("{name:<44} {:>12} {:>12} {ratio:>7.2}x", micros(ours), micros(reference));
}

/// Medians of two things, measured in turns.
fn paired(rounds: usize, mut ours: impl FnMut(), mut reference: impl FnMut()) -> (Duration, Duration) {
    let mut times = (Vec::new(), Vec::new());
    for round in 0..rounds + rounds / 10 {
        let started = Instant::now();
        ours();
        let between = Instant::now();
        reference();
        if round >= rounds / 10 {
            times.0.push(between - started);
            times.1.push(between.elapsed());
        }
    }
    (median(times.0), median(times.1))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The runtime is entered once for many calls, as a server does it.
fn latency(runtime: &tokio::runtime::Runtime, toolbox: &Toolbox, guest: &[u8]) {
    let pooled = Bare::pooled(guest);
    let _inside = runtime.enter();
    for (name, bytes, rounds) in [("100 B", 100, 20_000), ("64 KiB", 64 << 10, 3_000), ("1 MiB", 1 << 20, 300)] {
        let input = json!({"text": "x".repeat(bytes)});
        let text = input.to_string();
        let call = call(&input);
        let (ours, reference) = paired(rounds, || execute(toolbox, &call), || assert_eq!(pooled.call(&text), bytes));
        row(&format!("fresh call, {name}, limits, one folder"), ours, reference);
        if bytes == 100 {
            let on_demand = Bare::on_demand(guest);
            let (ours, reference) =
                paired(5_000, || execute(toolbox, &call), || assert_eq!(on_demand.call(&text), bytes));
            row("  the same beside on-demand allocation", ours, reference);
            // Blocks of calls, because starting a process leaves the caches cold for one.
            let block = || (0..100).for_each(|_| execute(toolbox, &call));
            let (ours, reference) = paired(200, block, spawn_true);
            row("  the same beside spawning /bin/true", ours / 100, reference);
        }
    }
}

fn spawn_true() {
    assert!(std::process::Command::new("/bin/true").status().unwrap().success());
}

fn execute(toolbox: &Toolbox, call: &Call) {
    let executed = futures_lite(toolbox.execute(call.clone()));
    assert!(!executed.unwrap().parts.is_empty());
}

/// Polls on this thread; a pure call is ready without waiting for anything.
fn futures_lite<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(future)
}

fn throughput(runtime: &tokio::runtime::Runtime, toolbox: &Arc<Toolbox>, guest: &[u8]) {
    let pooled = Bare::pooled(guest);
    let mut rates = Vec::new();
    for threads in [1, 2] {
        let mut ours = Vec::new();
        let mut reference = Vec::new();
        for _ in 0..5 {
            ours.push(rate(threads, || {
                let (toolbox, handle) = (Arc::clone(toolbox), runtime.handle().clone());
                move |until: Instant| {
                    handle.block_on(async move {
                        let call = call(&json!({"text": "x".repeat(100)}));
                        let mut count = 0_u64;
                        while Instant::now() < until {
                            toolbox.execute(call.clone()).await.unwrap();
                            count += 1;
                        }
                        count
                    })
                }
            }));
            reference.push(rate(threads, || {
                let bare = pooled.clone();
                move |until: Instant| {
                    let text = json!({"text": "x".repeat(100)}).to_string();
                    let mut count = 0_u64;
                    while Instant::now() < until {
                        bare.call(&text);
                        count += 1;
                    }
                    count
                }
            }));
        }
        ours.sort_by(f64::total_cmp);
        reference.sort_by(f64::total_cmp);
        let (ours, reference) = (ours[2], reference[2]);
        println!(
            "{:<44} {ours:>10.0}/s {reference:>10.0}/s {:>7.2}x",
            format!("calls a second, {threads} thread(s)"),
            ours / reference
        );
        rates.push((ours, reference));
    }
    let scale = |pick: fn(&(f64, f64)) -> f64| pick(&rates[1]) / pick(&rates[0]);
    println!("{:<44} {:>11.2}x {:>11.2}x", "scaling from one thread to two", scale(|r| r.0), scale(|r| r.1));
}

/// Calls a second over all threads.
fn rate<F: FnOnce(Instant) -> u64 + Send>(threads: usize, make: impl Fn() -> F) -> f64 {
    let period = Duration::from_millis(400);
    let until = Instant::now() + period;
    let total: u64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                let work = make();
                scope.spawn(move || work(until))
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    total as f64 / period.as_secs_f64()
}

fn loading(runtime: &tokio::runtime::Runtime, lab: &Lab, guest: &[u8]) {
    let cache = lab.folder.path().join("cache");
    let raw = wasmtime::Engine::default();
    let load = |cache: Option<Cache>| {
        let library = Library::new(lab.engine.clone(), cache, Arc::new(QuietLoad));
        runtime.block_on(async {
            let mut toolbox = Toolbox::new(library);
            toolbox.add(&lab.bundle(State::Fresh), &lab.environment).await.unwrap();
            toolbox.warm().await.unwrap();
        });
    };
    let (ours, reference) =
        paired(10, || load(None), || drop(wasmtime::component::Component::from_binary(&raw, guest).unwrap()));
    row("cold load (beside compiling alone)", ours, reference);
    load(Cache::open(&cache).ok());
    let std = Bundle::open("std", Path::new("."), &handbox_std_bundle::bundles()).unwrap();
    let load_std = || {
        let library = Library::new(lab.engine.clone(), Cache::open(&cache).ok(), Arc::new(QuietLoad));
        runtime.block_on(async {
            let mut toolbox = Toolbox::new(library);
            toolbox.add(&std, &lab.environment).await.unwrap();
            toolbox.warm().await.unwrap();
        });
    };
    load_std();
    let (ours, reference) = paired(100, load_std, || assert!(read_all(&cache) > 0));
    row("cached load of std (beside reading the files)", ours, reference);
    let (ours, reference) =
        paired(200, || load(Cache::open(&cache).ok()), || assert!(std::fs::read_dir(&cache).unwrap().count() > 0));
    row("cached load (beside listing the folder)", ours, reference);
}

fn read_all(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().flatten().map(|file| std::fs::read(file.path()).unwrap().len()).sum()
}

/// Parked instances: what each keeps resident, and what one too many is told.
fn live(runtime: &tokio::runtime::Runtime, guest: &[u8]) {
    let bare = bare_parked(guest);
    for count in [1_000_usize, 10_000] {
        let lab = Lab::with(guest, Allocation::Pool { instances: count as u32 });
        let library = Library::new(lab.engine.clone(), None, Arc::new(QuietLoad));
        let environment = Environment::bare(Profile::Standard);
        let call = call(&json!({"text": "x"}));
        let bundle = lab.bundle(State::Kept);
        let park = || {
            runtime.block_on(async {
                let mut toolbox = Toolbox::new(Arc::clone(&library));
                toolbox.add(&bundle, &environment).await.unwrap();
                let answer = toolbox.execute(call.clone()).await;
                (toolbox, answer)
            })
        };
        let mut parked = vec![park().0];
        let before = resident();
        for _ in 1..count {
            let (toolbox, answer) = park();
            answer.unwrap();
            parked.push(toolbox);
        }
        let each = resident().saturating_sub(before) / (count as u64 - 1);
        let ratio = each as f64 / bare as f64;
        println!("{:<44} {each:>10} B {bare:>10} B {ratio:>7.2}x", format!("{count} parked instances, resident each"));
        let (_, refused) = park();
        println!(
            "{:<44} {}",
            "  one more is told",
            refused.map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
        );
    }
}

/// What one instance keeps resident in a bare engine, over a thousand of them.
fn bare_parked(guest: &[u8]) -> u64 {
    let pooled = Bare::pooled(guest);
    let text = json!({"text": "x"}).to_string();
    let mut parked = vec![pooled.park(&text)];
    let before = resident();
    parked.extend((1..900).map(|_| pooled.park(&text)));
    resident().saturating_sub(before) / (parked.len() as u64 - 1)
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or_default() << 10
}

fn call(input: &Value) -> Call {
    Call::new("call-1", ToolName::new("echo").unwrap(), input.clone())
}

fn guest(name: &str) -> Vec<u8> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/guests/{name}.wasm.br"));
    let mut bytes = Vec::new();
    brotli::BrotliDecompress(&mut std::fs::File::open(kept).unwrap(), &mut bytes).unwrap();
    bytes
}

struct Lab {
    engine: Engine,
    environment: Environment,
    folder: tempfile::TempDir,
    packed: PathBuf,
}

impl Lab {
    fn new(guest: &[u8]) -> Self {
        let lab = Self::with(guest, Allocation::Pool { instances: 1_000 });
        if lab.engine.memory_reset() == MemoryReset::Unmap {
            println!("note: this kernel has no PAGEMAP_SCAN; calls are several times slower than they could be");
        }
        lab
    }

    fn with(guest: &[u8], allocation: Allocation) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = Environment::bare(Profile::Standard);
        let host = folder.path().canonicalize().unwrap();
        environment.grants.folders.push(FolderGrant { host, guest: "/workspace".into(), mode: Mode::ReadOnly });
        let packed = folder.path().join("guest.wasm");
        std::fs::write(&packed, guest).unwrap();
        Self { engine: Engine::new(allocation).unwrap(), environment, folder, packed }
    }

    fn bundle(&self, state: State) -> Bundle {
        let bytes = std::fs::read(&self.packed).unwrap();
        let mut manifest: Manifest = section::read(&bytes).unwrap().expect("the guest is packed");
        manifest.state = state;
        manifest.asks =
            Asks { folders: vec![FolderAsk { path: "*".into(), mode: Mode::ReadWrite }], ..Asks::default() };
        let path = self.folder.path().join(format!("{state:?}.wasm"));
        std::fs::write(&path, section::write(&bytes, &manifest).unwrap()).unwrap();
        Bundle::open_file(&path).unwrap()
    }

    async fn toolbox(&self, engine: &Engine, state: State) -> Arc<Toolbox> {
        let mut toolbox = Toolbox::new(Library::new(engine.clone(), None, Arc::new(QuietLoad)));
        toolbox.add(&self.bundle(state), &self.environment).await.unwrap();
        toolbox.warm().await.unwrap();
        Arc::new(toolbox)
    }
}
