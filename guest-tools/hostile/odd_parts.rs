//! Returns parts that are not what they say.

use handbox_tool::{Fault, Output, tool};

/// Returns them.
#[tool]
fn attack() -> Result<Output, Fault> {
    let output = Output::default().with("text/plain", vec![0xff, b'a', 0, 0x1b, b'[', b'2', b'J']);
    Ok(output.with("", b"no type".to_vec()).with("text/plain\r\nX-Header: 1", b"lines".to_vec()))
}

handbox_tool::export!(attack);
