//! What a component says about itself, kept inside it.

use crate::grant::Mode;
use handbox_hand::Tool;
use serde::{Deserialize, Serialize};

/// The manifest of one component: who made it, what it can do, what it asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the component, as of a tool.
    pub name: String,
    /// SemVer version.
    pub version: String,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// Who made it.
    #[serde(default)]
    pub author: String,
    /// SPDX expression.
    #[serde(default)]
    pub license: String,
    /// Whether a call gets a fresh instance.
    #[serde(default)]
    pub state: State,
    /// The tools, as the component itself lists them. For `wasi:cli/command` programs and
    /// reflected components this is their only description.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// How input becomes arguments, for `wasi:cli/command` programs; by tool name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// The names by which other components of its bundle start it, for a component that exports `wasi:cli/run`. It
    /// sees the one that was used as its first argument.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// When code is made of it, for one that others start.
    #[serde(default, skip_serializing_if = "Compile::is_ahead")]
    pub compile: Compile,
    /// The most it may ever be given.
    #[serde(default)]
    pub asks: Asks,
}

/// When code is made of a component that others of its bundle start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compile {
    /// Before the first call that could start it: nobody waits in the middle of a call.
    #[default]
    Ahead,
    /// When it is first started, for what takes long and is rarely wanted.
    FirstUse,
}

impl Compile {
    fn is_ahead(&self) -> bool {
        *self == Self::Ahead
    }
}

/// Whether instances outlive a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A new instance for each call.
    #[default]
    Fresh,
    /// One instance for the life of the hand.
    Kept,
}

/// The most that a component may ever be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asks {
    /// Folders by guest path; the path `*` is any folder the operator names.
    pub folders: Vec<FolderAsk>,
    /// Names of environment values; `*` is any. With `?` behind it, a name is a wish: the component does without.
    pub env: Vec<String>,
    /// Hosts it would like to reach, such as `api.example.com` or `*.example.com`; `*` is any that the operator names. `?`
    /// as above.
    pub hosts: Vec<String>,
    /// Kinds of credentials it would like to have used for it.
    pub credentials: Vec<String>,
}

/// A folder that a component would like to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderAsk {
    /// Guest path, or `*`.
    pub path: String,
    /// The most it needs.
    pub mode: Mode,
}

/// How the JSON input of a tool becomes a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The tool this runs.
    pub tool: String,
    /// The arguments after the program's name, in order.
    pub args: Vec<Arg>,
    /// Which input property becomes standard input, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// Exit statuses that are a result rather than a failure, beside 0 (`grep` says 1 for
    /// "nothing found").
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ok_statuses: Vec<u8>,
}

/// One or more arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arg {
    /// This text, always.
    Literal(String),
    /// From an input property.
    Property(PropertyArg),
}

/// Arguments made from an input property. Absent or `null` gives none; an array
/// gives one for each element; `true` gives the flag alone, `false` none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyArg {
    /// Name of the property.
    pub property: String,
    /// Put before each value: as its own argument, or joined to it when it ends in `=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}
