//! Write a tool for AI agents as a Rust function, and ship it as a WebAssembly component.
//!
//! ```
//! #[handbox_tool::input]
//! struct Greet { name: String }
//!
//! /// Greets somebody by name.
//! #[handbox_tool::tool(read_only)]
//! fn greet(input: Greet) -> Result<String, handbox_tool::Fault> {
//!     Ok(format!("Hello, {}!", input.name))
//! }
//!
//! handbox_tool::export!(greet);
//! ```
//!
//! The function is the tool: its doc comment is the description that the model reads, its
//! input type gives the JSON Schema, its result is what the model is shown. [`export!`]
//! makes the whole set a component that exports `handbox:hand/hand`. (A tool's name is also
//! taken among types and modules: beside a tool `read` there can be no `mod read`.)
//!
//! # From an empty folder to a called tool
//!
//! `handbox new greeter --sdk HANDBOX/guest-tools/sdk` makes all of this at once. By hand:
//!
//! 1. The target, once for each machine, and a library. Make it outside of any other Cargo workspace, whose
//!    `Cargo.toml` `cargo new` would change:
//!
//!    ```sh
//!    rustup target add wasm32-wasip2
//!    cargo new --lib greeter && cd greeter
//!    cargo add handbox-tool --path HANDBOX/guest-tools/sdk   # a checkout of Handbox: not on crates.io yet
//!    ```
//!
//! 2. A component is a `cdylib`. The profile makes it small, which makes it quick to
//!    compile and cheap to keep:
//!
//!    ```toml
//!    # Cargo.toml
//!    [lib]
//!    crate-type = ["cdylib"]
//!
//!    [profile.release]
//!    opt-level = "s"
//!    lto = true
//!    codegen-units = 1
//!    strip = true
//!    panic = "abort"
//!
//!    # A project of its own, whatever folder it lies in.
//!    [workspace]
//!    ```
//!
//! 3. The example above, in `src/lib.rs`, instead of what Cargo put there.
//!
//! 4. Who made it and what it asks for, in `tool.toml`. It asks for nothing here; a
//!    tool that reads files would say `folders = [{ path = "*", mode = "ro" }]` under
//!    `[asks]`. The tools are filled in by `pack`.
//!
//!    ```toml
//!    name = "greeter"
//!    version = "0.1.0"
//!    description = "Greets people."
//!    author = "You"
//!    license = "Apache-2.0"
//!    ```
//!
//! 5. Build it, put the manifest in, call it. What is called is the packed file, so pack again after each build and after
//!    each change of `tool.toml`:
//!
//!    ```sh
//!    cargo build --release --target wasm32-wasip2
//!    handbox pack target/wasm32-wasip2/release/greeter.wasm --manifest tool.toml -o greeter.tool.wasm
//!    handbox call ./greeter.tool.wasm greet '{"name":"you"}'
//!    ```
//!
//!    which prints `Hello, you!`.
//!
//! # Inputs
//!
//! A struct with [`#[handbox_tool::input]`](macro@input) above it, which derives `serde::Deserialize` and
//! `schemars::JsonSchema`. (A type that has both by other means says `impl handbox_tool::Input for Mine {}`.) Doc comments on its fields become the descriptions in the schema, their
//! lines joined.
//! `Option` fields may be left out. Add `#[serde(deny_unknown_fields)]` to refuse what
//! the model makes up. A tool without input is a function without parameters.
//!
//! The host validates a call against the schema before the tool runs. What still does not
//! fit (a number out of range, say) is answered with a [`Fault::InvalidInput`] that names
//! the place.
//!
//! A tool takes one struct. What it needs beside that are further fields. It owns them: `String`, not `&str`.
//!
//! A tool exists once it is named in [`export!`]. What it prints is shown to the operator with `-v`, and to no model.
//!
//! # Files
//!
//! `std::fs` works on the folders that were granted, under their paths in the sandbox:
//!
//! | path | what it is |
//! |---|---|
//! | `/workspace` | the operator's folder, unless they gave it another path: `--dir HOST:/data:ro` |
//! | `/tmp` | scratch space of this call, or session; thrown away |
//! | `/mnt/session/outputs` | what is left here is kept for the user and named |
//!
//! A tool sees a folder only if its manifest asks for folders (`[asks]`), and may write there only if
//! that says `mode = "rw"`, the folder is granted so, and the tool is not `read_only`. Relative
//! paths start nowhere; join them to a folder. An [`std::io::Error`] has no path in it, so add it:
//!
//! ```no_run
//! use handbox_tool::{Fault, tool};
//!
//! #[handbox_tool::input]
//! struct Count {
//!     /// The file, such as `notes.txt`. Relative paths start in /workspace.
//!     path: String,
//! }
//!
//! /// Counts the lines of a file.
//! #[tool(read_only)]
//! fn count(input: Count) -> Result<String, Fault> {
//!     let path = std::path::Path::new("/workspace").join(&input.path);
//!     let text = std::fs::read_to_string(&path)
//!         .map_err(|error| Fault::failed(format!("{}: {error}", input.path)))?;
//!     if text.is_empty() {
//!         return Err(Fault::invalid(format!("{} is empty; name a file with lines in it", input.path)));
//!     }
//!     Ok(format!("{} lines", text.lines().count()))
//! }
//!
//! handbox_tool::export!(count);
//! ```
//!
//! # Results and faults
//!
//! `Result<R, E>`, where `R` is a `String`, a `&str`, `()` or an [`Output`] with images and
//! files in it, and `E` is a [`Fault`], a `String`, a `&str`, an [`std::io::Error`] or a [`serde_json::Error`]. Use `?`, or
//! say more with [`Fault::failed`], [`Fault::invalid`] and [`Fault::denied`].
//! The model reads every fault, so say what it could do instead. A panic is not a fault: it
//! ends the call, and the model learns only that the tool is broken (you see the panic on
//! standard error).
//!
//! A result for programs is JSON in a `String`; `output = Type` lists its schema. Nothing turns a value into JSON unasked, and
//! `handbox call` warns if such a tool gives something else:
//!
//! ```
//! use handbox_tool::{Fault, schemars, serde, serde_json, tool};
//!
//! #[handbox_tool::input]
//! struct Sum { numbers: Vec<i64> }
//!
//! #[derive(serde::Serialize, schemars::JsonSchema)]
//! #[serde(crate = "handbox_tool::serde")]
//! #[schemars(crate = "handbox_tool::schemars")]
//! struct Total { total: i64 }
//!
//! /// Adds numbers up.
//! #[tool(read_only, output = Total)]
//! fn sum(input: Sum) -> Result<String, Fault> {
//!     let total = Total { total: input.numbers.iter().sum() };
//!     Ok(serde_json::to_string(&total)?)
//! }
//!
//! handbox_tool::export!(sum);
//! ```
//!
//! # What a tool says about itself
//!
//! `#[tool(…)]` takes any of these, and none by default:
//!
//! | argument | meaning |
//! |---|---|
//! | `read_only` | changes nothing outside its instance. The host makes it true: folders are read-only, HTTP is GET and HEAD |
//! | `idempotent` | twice with the same input is as once |
//! | `destructive` | may destroy what it cannot bring back |
//! | `open_world` | talks to things outside the granted folders |
//! | `recovery = retry` | after a crash, run it again under the same id |
//! | `recovery = ask` | after a crash, say that the outcome is unknown |
//! | `reconcile = function` | after a crash, ask this `fn(&Call) -> Outcome` |
//! | `name = "…"` | the tool's name, if it is not the function's |
//! | `output = Type` | the text output is JSON of this type, and its schema is listed |
//!
//! The recovery of a `read_only` tool is `retry`, of any other `ask`: what changes something
//! is never repeated unasked, however harmless it looks,
//! unless it says otherwise. A set with a tool that reconciles is exported with
//! `export!(pay; recover)`, and such a tool does not compile without its function:
//!
//! ```compile_fail
//! use handbox_tool::{Fault, tool};
//!
//! /// Pays the bill.
//! #[tool(open_world, recovery = reconcile)]
//! fn pay() -> Result<String, Fault> { Ok("paid".into()) }
//! ```
//!
//! With it, it does:
//!
//! ```
//! use handbox_tool::{Call, Fault, Outcome, tool};
//!
//! // What you have for both: a service that knows what became of a key.
//! fn receipt(_key: &str) -> Option<String> { None }
//! fn transfer(_key: &str, cents: u64) -> Result<String, Fault> { Ok(format!("paid {cents}")) }
//!
//! #[handbox_tool::input]
//! struct Bill { cents: u64 }
//!
//! /// Pays the bill.
//! #[tool(open_world, reconcile = was_it_paid)]
//! fn pay(bill: Bill, call: &Call) -> Result<String, Fault> {
//!     transfer(&call.id, bill.cents)
//! }
//!
//! /// Looks it up under the id that the lost call had; changes nothing.
//! fn was_it_paid(call: &Call) -> Outcome {
//!     match receipt(&call.id) {
//!         Some(receipt) => Outcome::Committed(receipt.into()),
//!         None => Outcome::NotStarted,
//!     }
//! }
//!
//! handbox_tool::export!(pay; recover);
//! ```
//!
//! and not with one that is not there:
//!
//! ```compile_fail
//! use handbox_tool::{Fault, tool};
//!
//! /// Pays the bill.
//! #[tool(open_world, reconcile = look_it_up)]
//! fn pay() -> Result<String, Fault> { Ok("paid".into()) }
//! ```
//!
//! # The call itself
//!
//! A second parameter, `&Call`, has the call's id and attempt. The id is the same again
//! when a call is repeated after a crash, so it makes a good idempotency key:
//!
//! ```
//! use handbox_tool::{Call, Fault, tool};
//!
//! #[handbox_tool::input]
//! struct Order { item: String }
//!
//! fn place(key: &str, item: &str) -> Result<String, Fault> { Ok(format!("{key}: {item}")) }
//!
//! /// Orders an item.
//! #[tool(open_world, recovery = retry)]
//! fn order(input: Order, call: &Call) -> Result<String, Fault> {
//!     place(&call.id, &input.item)
//! }
//!
//! handbox_tool::export!(order);
//! ```
//!
//! # Long calls
//!
//! [`report::progress`] tells whoever watches how far the call is, [`report::log`] leaves a
//! line for the operator. Only a tool that calls them imports them. There is nothing to do
//! about cancellation: a cancelled call ends where it stands, and its instance is thrown
//! away.
//!
//! # What the compiler says
//!
//! | it says | it means |
//! |---|---|
//! | `Greet` is not the input of a tool (E0277) | `#[handbox_tool::input]` is missing above `Greet` |
//! | `has_input_attribute_above_its_type` exists for `Field<Place>`, but its trait bounds were not satisfied (E0599) | `#[handbox_tool::input]` is missing above `Place`, the type of a field; more errors that name `JsonSchema` and `Deserialize` (E0277) go away with it |
//! | expected type, found function `tool_attribute_missing_above_greet` (E0573), in `export!` | `#[handbox_tool::tool]` is missing above `greet` |
//! | unresolved import `greet` (E0432), in `export!` | there is no such function, or it is in a module: name it there as `module::greet` |
//! | symbol `…#execute` is already defined | there are two `export!`: name all tools in one |
//! | function `greet` is never used | it is not named in `export!(…)` |
//! | `the trait bound Output: From<…>` or `Fault: From<…> is not satisfied` (E0277) | what the function returns: see [results and faults](#results-and-faults) |
//! | `` `?` couldn't convert the error to `Fault` `` (E0277) | an error of another crate: say who can do something about it, as with `.map_err(\|error\| Fault::invalid(error.to_string()))?` |
//! | `the trait bound Total: JsonSchema is not satisfied` (E0277), at `output = Total` | the type of `output` needs its two derives: see [results and faults](#results-and-faults) |
//!
//! # Testing
//!
//! A tool stays a function. Call it from `#[test]` functions and run `cargo test`: outside
//! WebAssembly, reporting does nothing and [`export!`] only checks the set.

#[cfg(target_arch = "wasm32")]
mod border;
mod export;
mod input;
pub mod report;
mod schema;
mod tool;
mod value;

pub use input::Input;
pub use tool::{Hints, Recovery, SavedState, Tool};
pub use value::{Call, Fault, Outcome, Output, Part};

/// Makes a type the input of a tool: derives `serde::Deserialize` and
/// `schemars::JsonSchema` from this crate's copies, so that a tool's crate needs neither as
/// a dependency of its own. Works on types of fields too.
pub use handbox_tool_macros::input;

/// Makes a function a tool. The arguments are listed in the [crate's documentation](crate).
pub use handbox_tool_macros::tool;

pub use {schemars, serde, serde_json};

/// What the macros refer to. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_arch = "wasm32")]
    pub use crate::border::generated::{hand, recover, state};
    pub use crate::input::{Field, parse_input, schema_of_input};
    pub use crate::schema::{NoInput, schema_of};
    pub use crate::tool::{Entry, Set, check, finish};
    pub use handbox_tool_macros::marked;
}
