//! Lists tools that the contract does not allow.

use handbox_tool::{Call, Fault, Hints, Output, Recovery, Tool};

struct Attack;

impl Tool for Attack {
    const NAME: &'static str = "not a name\n";
    const DESCRIPTION: &'static str = "";
    const HINTS: Hints = Hints { read_only: true, idempotent: true, destructive: true, open_world: true };
    const RECOVERY: Recovery = Recovery::Retry;

    fn input_schema() -> String {
        // Deeper than any parser should follow.
        "[".repeat(100_000)
    }

    fn run(_: &Call) -> Result<Output, Fault> {
        Ok("ran".into())
    }
}

handbox_tool::export!(Attack);
