//! Calls itself until a stack ends. A guest has two: the engine's, and the one that its
//! compiler keeps in its memory for what has an address.

use handbox_tool::{Fault, tool};
use std::hint::black_box;

/// Which stack.
#[handbox_tool::input]
struct Attack {
    /// The one in its own memory instead of the engine's.
    memory: Option<bool>,
}

#[inline(never)]
fn descend(depth: u64, end: u64) -> u64 {
    // No loop can do this: what comes back is needed together with what went in.
    if depth == end { 0 } else { (descend(depth + 1, end) ^ depth).wrapping_mul(31) }
}

#[inline(never)]
fn descend_in_memory(depth: u64) -> u64 {
    let here = black_box([depth; 16]);
    if black_box(depth) == u64::MAX { 0 } else { descend_in_memory(depth + 1).wrapping_add(here[3]) }
}

/// Recurses.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let depth = if input.memory == Some(true) { descend_in_memory(0) } else { descend(0, black_box(u64::MAX)) };
    Ok(depth.to_string())
}

handbox_tool::export!(attack);
