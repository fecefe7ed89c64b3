//! The border itself: the generated bindings, and the translation to and from them.
//!
//! Only compiled for WebAssembly. A component may export `recover` and `state` or not, so
//! each export has a world of its own here; the component has those whose macro it ran.

use crate::tool::{Entry, SavedState, Set, dispatch};
use crate::{Call, Fault, Outcome, Output, Part, Recovery};
use generated::hand::exports::handbox::hand::hand as wit_hand;
use generated::hand::handbox::hand::types as wit;
use generated::recover::exports::handbox::hand::recover as wit_recover;
use generated::state::exports::handbox::hand::state as wit_state;

/// What wit-bindgen writes.
#[expect(missing_docs, reason = "generated")]
pub(crate) mod generated {
    /// `hand`, and the optional `report`.
    pub mod hand {
        wit_bindgen::generate!({
            path: "wit",
            world: "tool-hand",
            pub_export_macro: true,
            export_macro_name: "export_hand",
            default_bindings_module: "handbox_tool::__private::hand",
        });
    }

    /// `recover` alone.
    pub mod recover {
        wit_bindgen::generate!({
            path: "wit",
            inline: "package handbox:tool-recover; world recover-only { export handbox:hand/recover@0.1.0; }",
            pub_export_macro: true,
            export_macro_name: "export_recover",
            default_bindings_module: "handbox_tool::__private::recover",
            with: { "handbox:hand/types@0.1.0": super::hand::handbox::hand::types },
        });
    }

    /// `state` alone.
    pub mod state {
        wit_bindgen::generate!({
            path: "wit",
            inline: "package handbox:tool-state; world state-only { export handbox:hand/state@0.1.0; }",
            pub_export_macro: true,
            export_macro_name: "export_state",
            default_bindings_module: "handbox_tool::__private::state",
        });
    }
}

impl<S: Set> wit_hand::Guest for S {
    fn tools() -> Vec<wit::Tool> {
        S::TOOLS.iter().map(describe).collect()
    }

    fn execute(call: wit::Call) -> Result<Vec<wit::Part>, wit::Fault> {
        dispatch(S::TOOLS, &call.into()).map(parts).map_err(Into::into)
    }
}

impl<S: Set> wit_recover::Guest for S {
    fn reconcile(call: wit::Call) -> wit::Outcome {
        let entry = S::TOOLS.iter().find(|entry| entry.name == call.name);
        match entry.map(|entry| (entry.reconcile)(&call.into())) {
            Some(Outcome::Committed(output)) => wit::Outcome::Committed(parts(output)),
            Some(Outcome::Failed(why)) => wit::Outcome::Failed(why),
            Some(Outcome::NotStarted) => wit::Outcome::NotStarted,
            Some(Outcome::Unknown) | None => wit::Outcome::Unknown,
        }
    }
}

impl<S: SavedState> wit_state::Guest for S {
    fn save() -> Result<Vec<u8>, String> {
        S::save()
    }

    fn restore(saved: Vec<u8>) -> Result<(), String> {
        S::restore(saved)
    }
}

fn describe(entry: &Entry) -> wit::Tool {
    let mut hints = wit::Hints::empty();
    hints.set(wit::Hints::READ_ONLY, entry.hints.read_only);
    hints.set(wit::Hints::IDEMPOTENT, entry.hints.idempotent);
    hints.set(wit::Hints::DESTRUCTIVE, entry.hints.destructive);
    hints.set(wit::Hints::OPEN_WORLD, entry.hints.open_world);
    wit::Tool {
        name: entry.name.to_owned(),
        description: crate::schema::reflow(entry.description),
        input_schema: (entry.input_schema)(),
        output_schema: (entry.output_schema)(),
        hints,
        recovery: match entry.recovery {
            Recovery::Retry => wit::Recovery::Retry,
            Recovery::Reconcile => wit::Recovery::Reconcile,
            Recovery::Ask => wit::Recovery::Ask,
        },
        extra: Vec::new(),
    }
}

fn parts(output: Output) -> Vec<wit::Part> {
    let part = |Part { media_type, data }| wit::Part { media_type, data };
    output.parts.into_iter().map(part).collect()
}

impl From<wit::Call> for Call {
    fn from(call: wit::Call) -> Self {
        let wit::Call { id, attempt, name, input, extra } = call;
        Self { id, attempt, name, input, extra }
    }
}

impl From<Fault> for wit::Fault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::UnknownTool => Self::UnknownTool,
            Fault::InvalidInput(why) => Self::InvalidInput(why),
            Fault::Denied(why) => Self::Denied(why),
            Fault::Failed(why) => Self::Failed(why),
        }
    }
}
