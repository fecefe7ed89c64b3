//! The Rust side of `wit/`, generated; nothing else is in here.

#[expect(unreachable_pub, reason = "generated; the documentation is the WIT's")]
mod generated {
    pub mod tool_hand {
        wasmtime::component::bindgen!({
            path: "wit",
            world: "tool-hand",
            imports: { default: trappable },
            exports: { default: async },
            require_store_data_send: true,
        });
    }

    pub mod recover {
        wasmtime::component::bindgen!({
            path: "wit",
            inline: "package handbox:host; world recoverer { export handbox:hand/recover@0.1.0; }",
            world: "handbox:host/recoverer",
            exports: { default: async },
            with: { "handbox:hand/types": super::tool_hand::handbox::hand::types },
            require_store_data_send: true,
        });
    }

    pub mod process {
        wasmtime::component::bindgen!({
            path: "wit/process",
            world: "starts-programs",
            imports: { default: async | trappable },
            with: {
                "handbox:process/processes.input": crate::process::Input,
                "handbox:process/processes.output": crate::process::Output,
                "handbox:process/processes.capture": crate::process::Capture,
                "handbox:process/processes.child": crate::process::Child,
            },
            require_store_data_send: true,
        });
    }

    pub mod state {
        wasmtime::component::bindgen!({
            path: "wit",
            inline: "package handbox:host; world keeper { export handbox:hand/state@0.1.0; }",
            world: "handbox:host/keeper",
            exports: { default: async },
            require_store_data_send: true,
        });
    }
}

pub(crate) use generated::process::handbox::process::{permissions, processes};
pub(crate) use generated::recover::RecovererIndices;
pub(crate) use generated::recover::exports::handbox::hand::recover::Outcome as WitOutcome;
pub(crate) use generated::state::KeeperIndices;
pub(crate) use generated::tool_hand::ToolHandIndices;
pub(crate) use generated::tool_hand::handbox::hand::{report, types};
