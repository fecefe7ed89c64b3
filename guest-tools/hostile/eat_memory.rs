//! Takes memory until there is no more.

use handbox_tool::{Fault, tool};

/// How it takes it.
#[handbox_tool::input]
struct Attack {
    /// Go on after a refusal, this many times.
    retries: Option<u32>,
}

/// Eats memory. Says how much it got if it survives the refusals.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    const CHUNK: usize = 1024 * 1024;
    let mut held: Vec<Vec<u8>> = Vec::new();
    let Some(mut retries) = input.retries else {
        loop {
            held.push(std::hint::black_box(vec![1; CHUNK]));
        }
    };
    while retries > 0 {
        let mut chunk: Vec<u8> = Vec::new();
        if chunk.try_reserve_exact(CHUNK).is_err() {
            retries -= 1;
            continue;
        }
        chunk.resize(CHUNK, 1);
        held.push(std::hint::black_box(chunk));
    }
    Ok(format!("{} MiB", held.len()))
}

handbox_tool::export!(attack);
