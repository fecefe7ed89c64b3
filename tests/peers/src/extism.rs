//! One call of Handbox beside one call of an Extism plug-in.
//!
//! Extism knows no "fresh call": a plug-in is made once and keeps its memory and its
//! variables from call to call. What isolates as Handbox does is a plug-in of its own for
//! each call, made from code that was compiled before (`Plugin::new_from_compiled`).

use crate::guests;
use crate::handbox::{Echo, FOLDER_GUEST, Host, input};
use crate::timing::{Turns, in_turns, print_head, print_row};
use ::extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use anyhow::ensure;
use handbox_bundle::State;
use std::path::Path;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How many times faster than a like call of Extism a fresh call has to be.
const GOAL: f64 = 15.0;
/// Of a WebAssembly memory, in bytes.
const PAGE_BYTES: u64 = 64 << 10;

/// What is given to Extism.
#[derive(Clone, Copy)]
struct Setup<'a> {
    plugin: &'a Path,
    /// Memory, fuel, time and one folder, as Handbox has them; or nothing of it.
    like: Option<&'a Host>,
    engine: Pages,
}

/// Where Extism's engine puts its instances.
#[derive(Clone, Copy)]
enum Pages {
    /// Mapped for each plug-in, which is what Extism does unless told otherwise.
    OnDemand,
    /// In a pool that resets the pages that were written, as Handbox has it.
    Pooled,
}

impl Setup<'_> {
    fn compile(&self) -> anyhow::Result<CompiledPlugin> {
        let mut manifest = Manifest::new([Wasm::file(self.plugin)]);
        if let Some(host) = self.like {
            let limits = host.limits();
            // The prefix is how Extism is told "read-only".
            let folder = format!("ro:{}", host.granted()?.display());
            manifest = manifest
                .with_memory_max(u32::try_from(limits.memory_bytes / PAGE_BYTES)?)
                .with_timeout(limits.time)
                .with_allowed_path(folder, FOLDER_GUEST);
        }
        let mut builder = PluginBuilder::new(manifest).with_wasi(self.like.is_some()).with_cache_disabled();
        if let Some(host) = self.like {
            builder = builder.with_fuel_limit(host.limits().cpu_fuel);
        }
        if let Pages::Pooled = self.engine {
            builder = builder.with_wasmtime_config(pooled());
        }
        builder.compile()
    }
}

fn pooled() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(2 << 20)
        .table_keep_resident(2 << 20)
        .pagemap_scan(Enabled::Auto)
        .total_core_instances(1_000)
        .total_memories(1_000)
        .total_tables(1_000);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Makes a plug-in, calls it once, drops it.
fn fresh(compiled: &CompiledPlugin, input: &str) -> anyhow::Result<String> {
    kept(&mut Plugin::new_from_compiled(compiled)?, input)
}

fn kept(plugin: &mut Plugin, input: &str) -> anyhow::Result<String> {
    plugin.call::<&str, String>("echo", input)
}

/// Prints every comparison with Extism.
pub(crate) fn compare() -> anyhow::Result<()> {
    let version = ::extism::extism_version().trim_end_matches('\0');
    println!("Handbox {} beside Extism {version}", env!("CARGO_PKG_VERSION"));
    let host = Host::new()?;
    let folder = tempfile::tempdir()?;
    let (plugin, least) = (folder.path().join("plugin.wasm"), folder.path().join("least.wasm"));
    std::fs::write(&plugin, guests::plugin()?)?;
    std::fs::write(&least, guests::least_plugin()?)?;
    print_guests(&plugin, &least)?;
    for (name, bytes, turns) in [
        ("100 B in and out", 100, Turns { rounds: 300, calls: 20 }),
        ("64 KiB in and out", 64 << 10, Turns { rounds: 200, calls: 5 }),
    ] {
        print_head(name, "Extism");
        Payload { host: &host, plugin: &plugin, least: &least, text: "x".repeat(bytes), turns }.compare()?;
    }
    Ok(())
}

fn print_guests(plugin: &Path, least: &Path) -> anyhow::Result<()> {
    let size = |path: &Path| anyhow::Ok(std::fs::metadata(path)?.len());
    println!("guests, all of which say what they are told:");
    println!("  Handbox  {:>7} B  component in Rust: JSON in, text out", guests::component()?.len());
    println!("  plug-in  {:>7} B  Extism, the same in Rust: JSON in, text out", size(plugin)?);
    println!("  least    {:>7} B  Extism, by hand: its output is its input, unread and uncopied", size(least)?);
    println!("Handbox always has all limits and one folder. \"like\" means that Extism has its own kind of");
    println!("them: memory, fuel, time, WASI, the same folder; \"nothing\" means none of it.");
    Ok(())
}

/// One size of payload.
struct Payload<'a> {
    host: &'a Host,
    plugin: &'a Path,
    least: &'a Path,
    text: String,
    turns: Turns,
}

impl Payload<'_> {
    fn compare(&self) -> anyhow::Result<()> {
        let fresh_echo = self.host.echo(State::Fresh)?;
        let like = Setup { plugin: self.plugin, like: Some(self.host), engine: Pages::OnDemand };
        self.fresh("fresh plug-in for each call, like", like, &fresh_echo, self.turns, Some(GOAL))?;
        let single = Turns { rounds: self.turns.rounds * self.turns.calls as usize / 2, calls: 1 };
        self.fresh("  the same, single calls in turns", like, &fresh_echo, single, None)?;
        let pooled = Setup { engine: Pages::Pooled, ..like };
        self.fresh("  the same, Extism's engine given a pool", pooled, &fresh_echo, self.turns, None)?;
        let nothing = Setup { like: None, ..like };
        self.fresh("fresh plug-in, nothing", nothing, &fresh_echo, self.turns, None)?;
        let nothing = Setup { like: None, ..pooled };
        self.fresh("  the same, Extism's engine given a pool", nothing, &fresh_echo, self.turns, None)?;
        let least = Setup { plugin: self.least, ..nothing };
        self.fresh("  the same with a pool, and the least plug-in", least, &fresh_echo, self.turns, None)?;
        self.kept("kept plug-in (weaker: state survives), like", like, &fresh_echo)?;
        self.kept("  the same, Handbox's tool kept as well", like, &self.host.echo(State::Kept)?)
    }

    fn fresh(
        &self,
        name: &str,
        setup: Setup<'_>,
        echo: &Echo<'_>,
        turns: Turns,
        goal: Option<f64>,
    ) -> anyhow::Result<()> {
        let compiled = setup.compile()?;
        let peer = |input: &str| fresh(&compiled, input);
        self.row(name, setup, echo, turns, goal, peer)
    }

    fn kept(&self, name: &str, setup: Setup<'_>, echo: &Echo<'_>) -> anyhow::Result<()> {
        let mut plugin = Plugin::new_from_compiled(&setup.compile()?)?;
        self.row(name, setup, echo, self.turns, None, |input| kept(&mut plugin, input))
    }

    fn row(
        &self,
        name: &str,
        setup: Setup<'_>,
        echo: &Echo<'_>,
        turns: Turns,
        goal: Option<f64>,
        mut peer: impl FnMut(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let call = echo.call(&self.text);
        let input = input(&self.text).to_string();
        let expected = if setup.plugin == self.least { &input } else { &self.text };
        ensure!(echo.execute(&call)? == self.text, "Handbox's guest says something else");
        ensure!(peer(&input)? == *expected, "Extism's guest says something else");
        let check = |said: String, expected: &str| {
            ensure!(said.len() == expected.len(), "a guest said something else");
            Ok(())
        };
        let pair = in_turns(turns, || check(echo.execute(&call)?, &self.text), || check(peer(&input)?, expected))?;
        print_row(name, pair, goal);
        Ok(())
    }
}
