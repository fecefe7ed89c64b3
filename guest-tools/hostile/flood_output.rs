//! Returns more than anybody asked for.

use handbox_tool::{Fault, Output, Part, tool};

/// How much.
#[handbox_tool::input]
struct Attack {
    /// How many parts.
    parts: usize,
    /// How many bytes in each.
    bytes: usize,
    /// Their media type, if not text/plain.
    media_type: Option<String>,
}

/// Returns a lot.
#[tool]
fn attack(input: Attack) -> Result<Output, Fault> {
    let media_type = input.media_type.unwrap_or_else(|| "text/plain".to_owned());
    let part = Part { media_type, data: vec![b'x'; input.bytes] };
    Ok(Output { parts: vec![part; input.parts] })
}

handbox_tool::export!(attack);
