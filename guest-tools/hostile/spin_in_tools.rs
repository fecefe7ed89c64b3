//! Loops while it lists its tools.

use handbox_tool::{Call, Fault, Hints, Output, Recovery, Tool};

struct Attack;

impl Tool for Attack {
    const NAME: &'static str = "attack";
    const DESCRIPTION: &'static str = "Is never listed.";
    const HINTS: Hints = Hints { read_only: false, idempotent: false, destructive: false, open_world: false };
    const RECOVERY: Recovery = Recovery::Ask;

    fn input_schema() -> String {
        let mut turns = 0_u64;
        loop {
            turns = std::hint::black_box(turns.wrapping_add(1));
        }
    }

    fn run(_: &Call) -> Result<Output, Fault> {
        Ok("listed after all".into())
    }
}

handbox_tool::export!(Attack);
