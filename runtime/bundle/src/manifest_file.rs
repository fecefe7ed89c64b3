//! The part of a manifest that its author writes: the TOML file of `handbox pack --manifest`.

use crate::error::BundleError;
use crate::manifest::{Arg, Asks, Command, Compile, Manifest, State};
use crate::text::{parse_json, parse_toml};
use handbox_hand::{Hints, Recovery, Tool, ToolName};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// The part of a manifest that its author writes.
///
/// ```toml
/// name = "count"
/// version = "0.1.0"
/// license = "MIT"
///
/// [[asks.folders]]
/// path = "*"
/// mode = "ro"
///
/// [[commands]]                      # only for wasi:cli/command programs
/// tool = "count_lines"
/// description = "Counts the lines of a file."
/// args = ["--lines", { property = "path" }]
/// hints = { read_only = true }
/// recovery = "retry"
///
/// [commands.schema]                 # or one JSON text: schema = '''{ … }'''
/// type = "object"
/// required = ["path"]
/// properties.path.type = "string"
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
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
    /// The most it may ever be given.
    #[serde(default, deserialize_with = "crate::text::asks_table")]
    pub asks: Asks,
    /// The tools of a `wasi:cli/command` program.
    #[serde(default)]
    pub commands: Vec<CommandFile>,
    /// See [`Manifest::programs`].
    #[serde(default)]
    pub programs: Vec<String>,
    /// See [`Manifest::compile`].
    #[serde(default)]
    pub compile: Compile,
}

/// One tool of a `wasi:cli/command` program: the [`Tool`] and its [`Command`] in one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandFile {
    /// Name of the tool.
    pub tool: ToolName,
    /// What it does and when to use it, written for a model.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of the input, of type `object`: a TOML table, or JSON as a text.
    #[serde(deserialize_with = "schema")]
    pub schema: Value,
    /// JSON Schema of the text output, if that is JSON.
    #[serde(default, deserialize_with = "some_schema")]
    pub output_schema: Option<Value>,
    /// What the tool claims about itself.
    #[serde(default)]
    pub hints: Hints,
    /// What to do when a crash left a call without an outcome.
    #[serde(default)]
    pub recovery: Recovery,
    /// The arguments after the program's name, in order.
    #[serde(default)]
    pub args: Vec<Arg>,
    /// Which input property becomes standard input, if any.
    #[serde(default)]
    pub stdin: Option<String>,
    /// Exit statuses that are a result rather than a failure, beside 0.
    #[serde(default)]
    pub ok_statuses: Vec<u8>,
}

impl ManifestFile {
    /// A manifest file that says no more than a name: for packing without one.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: "0.0.0".to_owned(),
            description: String::new(),
            author: String::new(),
            license: String::new(),
            state: State::default(),
            asks: Asks::default(),
            commands: Vec::new(),
            programs: Vec::new(),
            compile: Compile::default(),
        }
    }

    /// Parses `text`, the contents of `file` (a name for errors only).
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] with file, line and key.
    pub fn parse(file: &str, text: &str) -> Result<Self, BundleError> {
        parse_toml(file, text)
    }

    /// The whole manifest. `answered` is what the component says about its tools: the
    /// answer of a hand's `tools()`, a reflected component's functions, and nothing for a
    /// program, whose tools stand in the file.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] if both or neither say something about tools, or the result
    /// is not valid ([`Manifest::validate`]).
    pub fn into_manifest(self, answered: Vec<Tool>) -> Result<Manifest, BundleError> {
        let (mut tools, mut commands) = (answered, Vec::new());
        if !tools.is_empty() && !self.commands.is_empty() {
            return Err(BundleError::broken(
                "the manifest file has [[commands]], but the component lists its tools itself",
                "leave out [[commands]]: they are for command-line programs (wasi:cli/command)",
            ));
        }
        for file in self.commands {
            let CommandFile { tool, description, schema, output_schema, hints, recovery, args, stdin, ok_statuses } =
                file;
            commands.push(Command { tool: tool.as_str().to_owned(), args, stdin, ok_statuses });
            let extra = Vec::new();
            tools.push(Tool { name: tool, description, input_schema: schema, output_schema, hints, recovery, extra });
        }
        if tools.is_empty() && self.programs.is_empty() {
            return Err(BundleError::broken(
                "there is no tool",
                "for a command-line program, write a manifest file with [[commands]] and give it with --manifest",
            ));
        }
        let manifest = Manifest {
            name: self.name,
            version: self.version,
            description: self.description,
            author: self.author,
            license: self.license,
            state: self.state,
            tools,
            commands,
            programs: self.programs,
            compile: self.compile,
            asks: self.asks,
        };
        manifest.validate()?;
        Ok(manifest)
    }
}

fn schema<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    match Value::deserialize(from)? {
        Value::String(json) => {
            parse_json(json.as_bytes()).map_err(|why| de::Error::custom(format!("the schema is not JSON: {why}")))
        }
        table => Ok(table),
    }
}

fn some_schema<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    schema(from).map(Some)
}
