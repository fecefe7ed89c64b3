//! What a tool's input is, and the errors of types that are none.

use crate::{Call, Fault, schema};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// The input of a tool. [`input`](macro@crate::input) implements it for your own types.
///
/// For a type of another crate, or one that derives for itself, say so: `impl handbox_tool::Input for Theirs {}`
/// (and wrap what is not your own: `#[handbox_tool::input] #[serde(transparent)] struct Mine(Theirs);`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the input of a tool",
    label = "`#[handbox_tool::input]` is missing above `{Self}`",
    note = "put `#[handbox_tool::input]` above the struct `{Self}`; it derives what is needed"
)]
pub trait Input: DeserializeOwned + JsonSchema {}

/// The type of a field of an input. Its only function has the name that the compiler should say.
pub struct Field<T>(PhantomData<T>);

impl<T: DeserializeOwned + JsonSchema> Field<T> {
    /// Compiles if the field can be read and described.
    pub const fn has_input_attribute_above_its_type() {}
}

/// The schema of an input.
pub fn schema_of_input<T: Input>() -> String {
    schema::schema_of::<T>()
}

/// Reads an input.
///
/// # Errors
///
/// As [`Call::parse`].
pub fn parse_input<T: Input>(call: &Call) -> Result<T, Fault> {
    call.parse()
}
