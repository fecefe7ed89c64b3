//! `handbox warm`: compile now what would be compiled at first use.

use crate::args::Global;
use crate::config::Config;
use crate::failure::Failure;
use crate::paths::Paths;
use crate::{output, paths, wiring};
use handbox_bundle::Profile;
use handbox_hands::Environment;
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;

/// Compile bundles now, so that no first call has to
///
/// Without BUNDLE, every built-in bundle and every one that config.toml names. What is compiled already is only looked at.
/// Compiled code lies in the cache (`handbox cache path`).
#[derive(clap::Args)]
pub(crate) struct Warm {
    /// `std`, a name from config.toml, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: Vec<String>,
}

pub(crate) fn run(global: &Global, command: Warm) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = paths::current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let built_in = handbox_std_bundle::bundles();
    let mut names = command.bundle;
    if names.is_empty() {
        names = built_in.iter().map(|bundle| bundle.name.clone()).collect();
        let configured = config.names().into_iter().map(str::to_owned);
        let more: Vec<String> = configured.filter(|name| !names.contains(name)).collect();
        names.extend(more);
    }
    let runtime = wiring::runtime()?;
    let mut done = Vec::new();
    for name in names {
        let began = Instant::now();
        let bundle = config.open(&name, &cwd, &built_in)?.bundle;
        let components = bundle.components.len();
        runtime.block_on(async {
            let mut toolbox = wiring::toolbox(&paths, global.quiet)?;
            toolbox.add(&bundle, &Environment::bare(Profile::default())).await?;
            toolbox.warm().await?;
            Ok::<(), Failure>(())
        })?;
        output::clear_transient();
        let took = began.elapsed();
        if global.json {
            done.push(json!({ "bundle": name, "components": components, "ms": took.as_secs_f64() * 1e3 }));
        } else if !global.quiet {
            let plural = if components == 1 { "" } else { "s" };
            output::data(&format!("{name}: {components} component{plural} ready, in {:.1} s", took.as_secs_f64()));
        }
    }
    if global.json {
        output::json_line(&json!({ "bundles": done }));
    }
    Ok(ExitCode::SUCCESS)
}
