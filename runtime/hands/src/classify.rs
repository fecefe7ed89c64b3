//! From what the engine reports to who must act.

use crate::meter::Meter;
use handbox_hand::{HandError, Limit};
use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Longest cause that is passed on, in bytes. It may quote the guest.
const CAUSE_BYTES_MAX: usize = 2 << 10;
/// So many frames of a few functions are no ordinary call; the engine records the innermost twenty.
const RECURSION_FRAMES: usize = 16;

/// Why a guest's run ended early.
pub(crate) fn classify(error: &wasmtime::Error, meter: &Meter) -> HandError {
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return HandError::Busy("every sandbox of this host is in use; try again later".to_owned());
    }
    if let Some(limit) = limit_of(error) {
        return HandError::Limit(meter.describe(limit));
    }
    // A guest that is refused memory or disk space usually aborts: the limit is why.
    if let Some(hit) = meter.hit() {
        return HandError::Limit(hit);
    }
    if let Some(I32Exit(status)) = error.downcast_ref::<I32Exit>() {
        return HandError::Broken(format!("the tool ended its program with status {status} instead of answering"));
    }
    if let Some(Trap::MemoryOutOfBounds) = error.downcast_ref::<Trap>()
        && calls_itself(error)
    {
        return HandError::Broken(
            "the tool crashed: out of bounds memory access, probably because its stack overflowed: a function calls \
             itself again and again"
                .to_owned(),
        );
    }
    let cause = error.root_cause().to_string();
    let cause = &cause[..cause.floor_char_boundary(CAUSE_BYTES_MAX)];
    HandError::Broken(format!("the tool crashed: {cause}"))
}

/// Whether few functions fill the innermost frames: compilers keep a stack in memory, too, and what overflows it first.
fn calls_itself(error: &wasmtime::Error) -> bool {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let mut functions: Vec<u32> = frames.iter().map(wasmtime::FrameInfo::func_index).collect();
    functions.sort_unstable();
    functions.dedup();
    frames.len() >= RECURSION_FRAMES && functions.len() * 4 <= frames.len()
}

fn limit_of(error: &wasmtime::Error) -> Option<Limit> {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return Some(Limit::Cpu),
        Some(Trap::StackOverflow) => return Some(Limit::Stack),
        _ => {}
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return Some(Limit::Handles);
    }
    // Not typed in wasmtime 48; `tests/hostile/budgets.rs` fails if the wording changes.
    let copied_too_much = error.root_cause().to_string().contains("fuel allocated for hostcalls");
    copied_too_much.then_some(Limit::Output)
}
