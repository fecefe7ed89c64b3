//! Reports without end.

use handbox_tool::{Fault, report, tool};

/// How much, and how.
#[handbox_tool::input]
struct Attack {
    /// How many lines; without end if none.
    lines: Option<u64>,
    /// How many bytes in each.
    bytes: usize,
    /// As progress instead of log lines.
    progress: Option<bool>,
}

/// Reports a lot.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let text = "x".repeat(input.bytes);
    let mut line = 0;
    while input.lines.is_none_or(|lines| line < lines) {
        if input.progress == Some(true) {
            // Not a fraction at all, now and then.
            let fraction = if line % 2 == 0 { f32::NAN } else { -1.0 };
            report::progress(fraction, &text);
        } else {
            report::info(&text);
        }
        line += 1;
    }
    Ok(format!("{line} lines"))
}

handbox_tool::export!(attack);
