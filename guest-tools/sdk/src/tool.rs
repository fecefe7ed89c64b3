//! What `#[tool]` makes of a function, and what `export!` makes of several.

use crate::{Call, Fault, Outcome, Output};

/// What a tool claims about itself. It is not trusted: a claim only narrows what a call
/// may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Changes nothing outside its own instance. The host makes it true.
    pub read_only: bool,
    /// Calling it twice with the same input leaves the world as calling it once.
    pub idempotent: bool,
    /// May destroy what it cannot bring back.
    pub destructive: bool,
    /// Talks to things outside the granted folders.
    pub open_world: bool,
}

/// What the host does when a crash left a call without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Runs it again under the same id.
    Retry,
    /// Asks the tool's reconcile function.
    Reconcile,
    /// Tells the model, or a person, that the outcome is unknown.
    Ask,
}

/// A tool. Write functions with [`tool`](macro@crate::tool) rather than implementing this.
pub trait Tool {
    /// 1 to 64 characters of `A-Z a-z 0-9 _ -`.
    const NAME: &'static str;
    /// Written for a model.
    const DESCRIPTION: &'static str;
    /// What it claims about itself.
    const HINTS: Hints;
    /// What happens after a crash.
    const RECOVERY: Recovery;

    /// The JSON Schema of its input.
    fn input_schema() -> String;

    /// The JSON Schema of its text output, if that is JSON.
    fn output_schema() -> Option<String> {
        None
    }

    /// Runs one call.
    ///
    /// # Errors
    ///
    /// Whatever the tool answers instead of a result.
    fn run(call: &Call) -> Result<Output, Fault>;

    /// Says what became of an earlier call.
    fn reconcile(_call: &Call) -> Outcome {
        Outcome::Unknown
    }
}

/// State that is worth passing on when the instance is replaced. Export it with
/// `export!(…; state = MyState)`.
///
/// Only hands whose manifest says `state = "kept"` have any: all others start anew for
/// each call.
pub trait SavedState {
    /// Gives everything that [`restore`](Self::restore) needs, at most 16 MiB.
    ///
    /// # Errors
    ///
    /// A line for the operator.
    fn save() -> Result<Vec<u8>, String>;

    /// Called once on a new instance, before its first call.
    ///
    /// # Errors
    ///
    /// A line for the operator.
    fn restore(saved: Vec<u8>) -> Result<(), String>;
}

/// One tool of a set.
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only a component lists and runs them"))]
pub struct Entry {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) hints: Hints,
    pub(crate) recovery: Recovery,
    pub(crate) input_schema: fn() -> String,
    pub(crate) output_schema: fn() -> Option<String>,
    pub(crate) run: fn(&Call) -> Result<Output, Fault>,
    pub(crate) reconcile: fn(&Call) -> Outcome,
}

impl Entry {
    /// The entry of a tool.
    pub const fn of<T: Tool>() -> Self {
        Self {
            name: T::NAME,
            description: T::DESCRIPTION,
            hints: T::HINTS,
            recovery: T::RECOVERY,
            input_schema: T::input_schema,
            output_schema: T::output_schema,
            run: T::run,
            reconcile: T::reconcile,
        }
    }
}

/// The tools of a component.
pub trait Set {
    /// In the order in which they are listed.
    const TOOLS: &'static [Entry];
}

/// Refuses, while it compiles, a set that the contract does not allow.
///
/// # Panics
///
/// The set is not allowed.
pub const fn check(tools: &[Entry], exports_recover: bool) {
    let mut reconciles = false;
    let mut i = 0;
    while i < tools.len() {
        reconciles |= matches!(tools[i].recovery, Recovery::Reconcile);
        let mut j = 0;
        while j < i {
            assert!(!same(tools[i].name, tools[j].name), "two tools of this set have the same name");
            j += 1;
        }
        i += 1;
    }
    assert!(
        !reconciles || exports_recover,
        "a tool of this set declares `reconcile`: export it with `export!(…; recover)`"
    );
    assert!(reconciles || !exports_recover, "no tool of this set declares `reconcile`: leave `recover` out");
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Runs a call with the tool of its name.
///
/// # Errors
///
/// What the tool answers, or that there is none.
#[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "only a component dispatches"))]
pub(crate) fn dispatch(tools: &[Entry], call: &Call) -> Result<Output, Fault> {
    let entry = tools.iter().find(|entry| entry.name == call.name);
    entry.map_or(Err(Fault::UnknownTool), |entry| (entry.run)(call))
}

/// Turns what a tool's function returns into what the border takes.
///
/// # Errors
///
/// What the function returned.
pub fn finish<R: Into<Output>, E: Into<Fault>>(result: Result<R, E>) -> Result<Output, Fault> {
    result.map(Into::into).map_err(Into::into)
}
