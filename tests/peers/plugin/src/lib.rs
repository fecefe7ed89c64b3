//! Says what it is told: the work of `guest-tools/echo`, as an Extism plug-in.

#![expect(missing_docs, reason = "the macro makes a function of its own, without a comment")]

use extism_pdk::{FnResult, Json, plugin_fn};

/// What to say.
#[derive(serde::Deserialize)]
struct Echo {
    /// What to say.
    text: String,
}

/// Says what it is told.
#[plugin_fn]
pub fn echo(Json(input): Json<Echo>) -> FnResult<String> {
    Ok(input.text)
}
