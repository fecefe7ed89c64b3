//! Log lines on standard error.

use crate::args::{Global, LogFormat};
use crate::output;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Starts logging. Targets of the engine stay at `warn` whatever is asked for: below
/// that they print the bytes that guests write, and those may be anybody's.
pub(crate) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let wanted = global.log.as_deref().unwrap_or(level);
    let mut filter = EnvFilter::try_new(wanted).unwrap_or_else(|_| EnvFilter::new(level));
    for target in ["wasmtime", "wasmtime_wasi", "wasmtime_wasi_io", "cranelift_codegen", "cranelift_wasm"] {
        if let Ok(directive) = format!("{target}=warn").parse::<Directive>() {
            filter = filter.add_directive(directive);
        }
    }
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(output::colours());
    // A second start, as in a test, keeps the first.
    let _ = match global.log_format {
        LogFormat::Text => lines.without_time().with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
