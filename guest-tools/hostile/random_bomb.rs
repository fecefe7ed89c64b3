//! Asks for more random bytes than there is memory.

use handbox_tool::{Fault, tool};
use wasip2::random::{insecure::get_insecure_random_bytes, random::get_random_bytes};

/// How many.
#[handbox_tool::input]
struct Attack {
    /// How many bytes at once.
    bytes: u64,
    /// How many times; without end if none.
    times: Option<u64>,
    /// Of the insecure kind.
    insecure: Option<bool>,
}

/// Asks for random bytes.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let ask = if input.insecure == Some(true) { get_insecure_random_bytes } else { get_random_bytes };
    let mut got = 0;
    let mut time = 0;
    while input.times.is_none_or(|times| time < times) {
        got += ask(input.bytes).len();
        time += 1;
    }
    Ok(format!("{got} bytes"))
}

handbox_tool::export!(attack);
