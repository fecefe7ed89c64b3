//! Lists its tool differently each time it is asked.

use handbox_tool::{Call, Fault, Hints, Output, Recovery, Tool};
use std::time::{SystemTime, UNIX_EPOCH};

struct Attack;

impl Tool for Attack {
    const NAME: &'static str = "attack";
    const DESCRIPTION: &'static str = "Is never the same.";
    const HINTS: Hints = Hints { read_only: true, idempotent: false, destructive: false, open_world: false };
    const RECOVERY: Recovery = Recovery::Retry;

    fn input_schema() -> String {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!(r#"{{"type":"object","title":"{}"}}"#, since.as_nanos())
    }

    fn run(_: &Call) -> Result<Output, Fault> {
        Ok("ran".into())
    }
}

handbox_tool::export!(Attack);
