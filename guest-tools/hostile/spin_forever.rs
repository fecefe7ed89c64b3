//! Loops in a call.

use handbox_tool::{Fault, tool};

/// Loops.
#[tool]
fn attack() -> Result<String, Fault> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

handbox_tool::export!(attack);
