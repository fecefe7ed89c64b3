//! Any component as a hand: each exported function is a tool.
//!
//! The types of a function's parameters become a JSON Schema, JSON becomes
//! component values, and what the function returns becomes a tool's answer.
//! This module never instantiates a component, never opens a store and knows no
//! grants; it is given an instance when a call is due.
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool`, `string` | the same |
//! | `s8` … `u64` | a number in range; `s64` and `u64` may also be given as decimal text, since many JSON writers lose digits beyond 2^53 |
//! | `f32`, `f64` | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `char` | a string of one Unicode scalar value |
//! | `list<u8>` | base64 text (RFC 4648 §4, padded); may also be given as an array of numbers |
//! | `list<T>`, `list<T, N>`, `tuple<…>` | an array |
//! | `map<string, V>` | an object |
//! | `map<K, V>` | an array of `[key, value]` |
//! | `record` | an object; fields of an option type may be left out |
//! | `variant` | `"case"`, or `{"case": payload}` where there is a payload |
//! | `enum` | a string |
//! | `flags` | an array of different strings |
//! | `option<T>` | `null` or the value; an option in an option is `null` or `{"some": …}` |
//! | `result<T, E>` | `{"ok": …}` or `{"err": …}`, with `null` where there is no payload |
//!
//! A function's input is an object with its parameters. Its answer: a `string`
//! as plain text, a `list<u8>` as a part `application/octet-stream`, nothing as
//! empty text, anything else as compact JSON. A function that returns a
//! `result` succeeds with the `ok` or fails with the `err`.
//!
//! Not reflected, and listed with the reason: functions with handles, futures,
//! streams or error-contexts in their types, what belongs to a resource, `async`
//! functions, and types beyond the bounds below.

mod decode;
mod encode;
mod find;
mod names;
mod schema;
mod shape;
#[cfg(test)]
mod tests;

pub use decode::{InputError, VALUES_MAX};
pub use encode::Mismatch;
pub use shape::{DEPTH_MAX, Int, Named, Shape};

use find::Found;
use handbox_hand::{Hints, Part, Recovery, Tool, ToolFault, ToolName};
use schema::Direction;
use serde_json::Value;
use shape::{FUNCTION_COST_MAX, Shaper};
use std::fmt;
use wasmtime::AsContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Component, ComponentExportIndex, Instance, Val};

/// How many functions a component may export. A model cannot choose among so
/// many; more is an attempt to make the host write schemas all day.
pub const FUNCTIONS_MAX: usize = 1024;

/// How much the types of all functions may weigh together, in bytes of names
/// and 64 for each type; this is about the memory that their schemas take.
const COMPONENT_COST_MAX: usize = 4 * 1024 * 1024;

/// How long a description may become, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1000;

/// What a component's exported functions became.
#[derive(Clone, Debug)]
pub struct Reflection {
    /// The tools, in the order of the exports; at least one.
    pub tools: Vec<Reflected>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

/// One exported function as a tool.
#[derive(Clone, Debug)]
pub struct Reflected {
    /// The tool that callers see.
    pub tool: Tool,
    /// The names of the exports that lead to the function: instances, then the function.
    pub path: Vec<String>,
    /// The parameters, in order.
    pub params: Named<Shape>,
    /// What it returns, if anything.
    pub result: Option<Shape>,
    export: ComponentExportIndex,
}

/// An exported function that is not a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The names of the exports that lead to it, joined with `#`.
    pub export: String,
    /// Why.
    pub reason: String,
}

/// Why a component gave no tools.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReflectError {
    /// It exports no functions at all.
    #[error("the component exports no functions, so there is nothing to call")]
    NothingExported,
    /// It exports functions, and none can be a tool.
    #[error("none of the exported functions can be a tool: {}", Listed(.0))]
    NothingUsable(Vec<Skipped>),
    /// It exports more than [`FUNCTIONS_MAX`] functions.
    #[error("the component exports more than {FUNCTIONS_MAX} functions")]
    TooMany,
}

/// Why a call gave neither output nor a fault of the tool's own.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The input does not fit the parameters; nothing ran. The caller can correct it.
    #[error("{0}")]
    Input(InputError),
    /// The component trapped, or the engine could not run it.
    #[error("{0}")]
    Engine(wasmtime::Error),
}

/// Makes a tool of each function that `component` exports.
///
/// The component is not run. A component that imports nothing but types cannot
/// change anything outside its instance, so its tools are marked read-only and may be
/// tried again after a crash; of others nothing is known.
///
/// # Errors
///
/// If no tool comes of it; see [`ReflectError`].
pub fn reflect(component: &Component) -> Result<Reflection, ReflectError> {
    let pure = find::is_pure(component);
    let (found, mut skipped) = find::functions(component)?;

    let mut left = COMPONENT_COST_MAX;
    let mut shaped = Vec::new();
    for function in found {
        let mut shaper = Shaper::new(left.min(FUNCTION_COST_MAX));
        let before = shaper.left();
        let types = signature(&function.ty, &mut shaper);
        left -= before - shaper.left();
        match types {
            Ok((params, result)) => shaped.push((function, params, result)),
            Err(reason) => skipped.push(Skipped::new(&function.path, reason)),
        }
    }

    let paths: Vec<&[String]> = shaped.iter().map(|(function, ..)| function.path.as_slice()).collect();
    let names = names::tool_names(&paths);
    let mut tools = Vec::new();
    for ((function, params, result), name) in shaped.into_iter().zip(names) {
        match name {
            Ok(name) => tools.push(reflected(function, name, params, result, pure)),
            Err(reason) => skipped.push(Skipped::new(&function.path, reason)),
        }
    }
    match (tools.is_empty(), skipped.is_empty()) {
        (true, true) => Err(ReflectError::NothingExported),
        (true, false) => Err(ReflectError::NothingUsable(skipped)),
        (false, _) => Ok(Reflection { tools, skipped }),
    }
}

/// Calls a reflected function in an instance of its component.
///
/// The store belongs to an engine with async support; fuel, epochs and memory
/// limits are the store's. The size of the output is bounded by the store's hostcall
/// fuel (`Store::set_hostcall_fuel`) and otherwise by the guest's memory.
/// After an [`CallError::Engine`] the store must not be used again.
///
/// # Errors
///
/// See [`CallError`]; the inner result is the tool's own.
pub async fn call<T: Send>(
    store: impl AsContextMut<Data = T>,
    instance: &Instance,
    reflected: &Reflected,
    input: &Value,
) -> Result<Result<Vec<Part>, ToolFault>, CallError> {
    let params = reflected.decode(input).map_err(CallError::Input)?;
    call_decoded(store, instance, reflected, &params).await.map_err(CallError::Engine)
}

/// As [`call`], with parameters that [`Reflected::decode`] gave: for a caller that
/// checks the input before it opens a store.
///
/// # Errors
///
/// If the component trapped or the engine could not run it.
pub async fn call_decoded<T: Send>(
    mut store: impl AsContextMut<Data = T>,
    instance: &Instance,
    reflected: &Reflected,
    params: &[Val],
) -> wasmtime::Result<Result<Vec<Part>, ToolFault>> {
    let function = instance
        .get_func(&mut store, reflected.export)
        .ok_or_else(|| wasmtime::format_err!("the instance has no function {}", reflected.path.join("#")))?;
    let mut results = vec![Val::Bool(false); usize::from(reflected.result.is_some())];
    function.call_async(&mut store, params, &mut results).await?;
    Ok(encode::answer(reflected.result.as_ref(), results.pop())?)
}

impl Reflected {
    /// Makes the function's parameters of a tool's input.
    ///
    /// # Errors
    ///
    /// If the input does not fit; the error points at the place.
    pub fn decode(&self, input: &Value) -> Result<Vec<Val>, InputError> {
        decode::decode_params(&self.params, input)
    }
}

impl Skipped {
    fn new(path: &[String], reason: impl fmt::Display) -> Self {
        Self { export: path.join("#"), reason: reason.to_string() }
    }
}

/// Writes out the types of a function, or says why it cannot be a tool.
fn signature(ty: &ComponentFunc, shaper: &mut Shaper) -> Result<(Named<Shape>, Option<Shape>), String> {
    let mut params = Vec::new();
    for (name, ty) in ty.params() {
        let shape = shaper.pay_for(name).and_then(|()| shaper.shape(&ty));
        let shape = shape.map_err(|reason| format!("parameter {}: {reason}", shortened(name, 60)))?;
        params.push((name.to_owned(), shape));
    }
    let result = ty.results().next().map(|ty| shaper.shape(&ty)).transpose();
    Ok((Named::new(params), result.map_err(|reason| format!("result: {reason}"))?))
}

fn reflected(function: Found, name: ToolName, params: Named<Shape>, result: Option<Shape>, pure: bool) -> Reflected {
    let json = encode::json_answer(result.as_ref());
    let tool = Tool {
        name,
        description: description(&function.path, &params, result.as_ref()),
        input_schema: schema::object(&params, Direction::Input),
        output_schema: json.map(|shape| schema::schema(shape, Direction::Output)),
        hints: Hints { read_only: pure, ..Hints::default() },
        recovery: if pure { Recovery::Retry } else { Recovery::Ask },
        extra: Vec::new(),
    };
    Reflected { tool, path: function.path, params, result, export: function.export }
}

/// All that a component says about its function: where it is and what it takes.
fn description(path: &[String], params: &Named<Shape>, result: Option<&Shape>) -> String {
    let params: Vec<String> = params.iter().map(|(name, shape)| format!("{name}: {shape}")).collect();
    let result = result.map(|shape| format!(" -> {shape}")).unwrap_or_default();
    let text = format!("Calls {}: func({}){result}", path.join("#"), params.join(", "));
    shortened(&text, DESCRIPTION_CHARS_MAX)
}

/// The beginning of a text that somebody else wrote.
fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first few skipped functions with their reasons, for an error.
struct Listed<'a>(&'a [Skipped]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 20;
        for (index, skipped) in self.0.iter().take(SHOWN_MAX).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{:.200} ({:.200})", skipped.export, skipped.reason)?;
        }
        match self.0.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
