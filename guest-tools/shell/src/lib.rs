//! The shell of the sandbox: it reads bash, and every program it starts is a sandbox of its
//! own.
//!
//! One component is both: the tool `bash`, which keeps one shell over its calls, and the
//! program `sh`, which that shell starts for its subshells and which runs scripts.
//!
//! It never starts a program of the host, and knows no path outside of the folders that
//! were granted. What it stands on is in [`system`]; everything else is the same natively,
//! where the tests compare it with the machine's bash.

mod arith;
mod assign;
mod builtins;
mod clock;
#[cfg(target_arch = "wasm32")]
mod component;
mod exec;
mod expand;
mod io;
mod nesting;
mod pattern;
mod run;
mod scratch;
mod shell;
mod source;
mod state;
mod system;
mod text;
mod tool;
mod vars;
mod word;

/// Runs the program `sh` with this process's arguments and streams; gives its exit status.
#[cfg(not(target_arch = "wasm32"))]
pub fn main() -> i32 {
    // Functions may call each other deeper than a thread's usual stack bears.
    let thread = std::thread::Builder::new().stack_size(512 << 20).spawn(run::main);
    thread.ok().and_then(|thread| thread.join().ok()).unwrap_or(134)
}
