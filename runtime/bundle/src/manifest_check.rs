//! Whether a manifest, which nobody vouches for, is one that can be worked with.

use crate::error::{BundleError, shown};
use crate::manifest::{Arg, Command, Manifest};
use crate::schema::check_schema;
use handbox_hand::{Extra, Tool, ToolName};
use std::collections::BTreeMap;

/// Every tool is shown to the model with each request; more than this drowns it.
pub const TOOLS_MAX: usize = 256;

/// What the contract promises for a tool's description.
pub const DESCRIPTION_BYTES_MAX: usize = 16 << 10;

/// Author, licence and version are single lines for people.
const LINE_BYTES_MAX: usize = 1024;

/// What the contract promises for `extra`: entries, and bytes of all names and values.
const EXTRA_MAX: usize = 16;
const EXTRA_BYTES_MAX: usize = 4 << 10;

/// Twice the programs of a large userland in one file.
const PROGRAMS_MAX: usize = 512;
const PROGRAM_BYTES_MAX: usize = 64;

/// More arguments than any command line that was written by hand.
const ARGS_MAX: usize = 256;

impl Manifest {
    /// Checks everything that can be known without the component: names, sizes, schemas,
    /// asks, and that commands refer to tools and properties that exist.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] with the first fault.
    pub fn validate(&self) -> Result<(), BundleError> {
        if ToolName::new(self.name.as_str()).is_err() {
            let message = format!("name `{}` is not a name", shown(&self.name));
            return Err(BundleError::broken(message, "use 1 to 64 characters of A-Z a-z 0-9 _ -"));
        }
        if self.version.len() > LINE_BYTES_MAX || semver::Version::parse(&self.version).is_err() {
            let message = format!("version `{}` is not a SemVer version", shown(&self.version));
            return Err(BundleError::broken(message, "write three numbers, such as 0.1.0"));
        }
        check_line("author", &self.author)?;
        check_line("license", &self.license)?;
        check_text("description", &self.description)?;
        check_tools(&self.tools)?;
        self.check_commands()?;
        check_programs(&self.programs)?;
        self.asks.validate()
    }

    fn check_commands(&self) -> Result<(), BundleError> {
        let mut seen: Vec<&str> = Vec::new();
        for command in &self.commands {
            let name = command.tool.as_str();
            if seen.contains(&name) {
                let message = format!("two commands are for tool `{}`", shown(name));
                return Err(BundleError::broken(message, "keep one of them"));
            }
            seen.push(name);
            let Some(tool) = self.tools.iter().find(|tool| tool.name.as_str() == name) else {
                let message = format!("a command is for tool `{}`, which is not in the list of tools", shown(name));
                return Err(BundleError::broken(message, "add the tool, or correct the command's `tool`"));
            };
            check_command(command, tool).map_err(|error| error.at(format_args!("command of tool `{name}`")))?;
        }
        let missing = self.tools.iter().find(|tool| !seen.contains(&tool.name.as_str()));
        match missing {
            Some(tool) if !self.commands.is_empty() => {
                let message = format!("there are commands, but none for tool `{}`", tool.name);
                Err(BundleError::broken(message, "give each tool of a command-line program its [[commands]] entry"))
            }
            _ => Ok(()),
        }
    }

    /// Compares the tools that a component lists with those of its manifest. Schemas are
    /// compared as JSON values, so neither spacing nor the order of keys matters.
    ///
    /// # Errors
    ///
    /// A text that names the first difference.
    pub fn compare_tools(&self, answered: &[Tool]) -> Result<(), String> {
        for (index, (packed, now)) in self.tools.iter().zip(answered).enumerate() {
            if packed.name != now.name {
                let place = index + 1;
                return Err(format!(
                    "tool {place} is `{}` in the manifest, but the component lists `{}`",
                    packed.name, now.name
                ));
            }
            let differs = [
                ("description", packed.description != now.description),
                ("input schema", packed.input_schema != now.input_schema),
                ("output schema", packed.output_schema != now.output_schema),
                ("hints", packed.hints != now.hints),
                ("recovery", packed.recovery != now.recovery),
                ("extra", packed.extra != now.extra),
            ];
            if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
                return Err(format!("the {what} of tool `{}` is not the one in the manifest", packed.name));
            }
        }
        let packed_only =
            self.tools.get(answered.len()).map(|tool| (tool, "in the manifest, but the component does not list it"));
        let answered_only =
            answered.get(self.tools.len()).map(|tool| (tool, "listed by the component, but not in the manifest"));
        match packed_only.or(answered_only) {
            Some((tool, where_it_is)) => Err(format!("tool `{}` is {where_it_is}", tool.name)),
            None => Ok(()),
        }
    }
}

/// Checks a list of tools, be it a manifest's or a component's own answer: names unique even
/// without regard to case, texts and schemas bounded and well-formed.
///
/// # Errors
///
/// [`BundleError::Broken`] with the first fault.
pub fn check_tools(tools: &[Tool]) -> Result<(), BundleError> {
    if tools.len() > TOOLS_MAX {
        let message = format!("{} tools, more than the {TOOLS_MAX} that one component may have", tools.len());
        return Err(BundleError::broken(message, "split it into several components"));
    }
    check_twins(tools.iter().map(|tool| tool.name.as_str()))?;
    for tool in tools {
        let at = |error: BundleError| error.at(format_args!("tool `{}`", tool.name));
        check_text("description", &tool.description).map_err(at)?;
        check_schema("input schema", &tool.input_schema).map_err(at)?;
        if tool.input_schema.get("type").and_then(|kind| kind.as_str()) != Some("object") {
            let error =
                BundleError::broken("the input schema is not of type object", "write \"type\": \"object\" at its top");
            return Err(at(error));
        }
        if let Some(schema) = &tool.output_schema {
            check_schema("output schema", schema).map_err(at)?;
        }
        check_extra(&tool.extra).map_err(at)?;
    }
    Ok(())
}

/// Names on a program path: what a shell takes for one word and never for a path.
fn check_programs(programs: &[String]) -> Result<(), BundleError> {
    if programs.len() > PROGRAMS_MAX {
        let message = format!("{} programs, more than the {PROGRAMS_MAX} that one component may have", programs.len());
        return Err(BundleError::broken(message, "split it into several components"));
    }
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-[".contains(&byte);
        !name.is_empty() && name.len() <= PROGRAM_BYTES_MAX && name.bytes().all(plain) && !name.starts_with(['.', '-'])
    };
    if let Some(name) = programs.iter().find(|name| !is_name(name)) {
        let message = format!("program `{}` is not a name", shown(name));
        return Err(BundleError::broken(message, "use 1 to 64 characters of A-Z a-z 0-9 . _ + -, and no dot first"));
    }
    let twice = programs.iter().enumerate().find(|(place, name)| programs[..*place].contains(name));
    twice.map_or(Ok(()), |(_, name)| {
        Err(BundleError::broken(format!("program `{}` stands twice", shown(name)), "keep one of them"))
    })
}

/// Room to grow is not room for anything.
fn check_extra(extra: &Extra) -> Result<(), BundleError> {
    let bytes: usize = extra.iter().map(|(name, value)| name.len() + value.len()).sum();
    if extra.len() > EXTRA_MAX || bytes > EXTRA_BYTES_MAX {
        let message = format!("{} entries of `extra` with {bytes} bytes", extra.len());
        return Err(BundleError::broken(
            message,
            format!("keep to {EXTRA_MAX} entries of {EXTRA_BYTES_MAX} bytes in all"),
        ));
    }
    Ok(())
}

/// Refuses names that are equal, or equal but for case: a person or a model would take one
/// for the other.
pub(crate) fn check_twins<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), BundleError> {
    let mut seen = BTreeMap::new();
    for name in names {
        if let Some(twin) = seen.insert(name.to_ascii_lowercase(), name) {
            let message = match twin == name {
                true => format!("tool `{name}` stands twice"),
                false => format!("tools `{twin}` and `{name}` differ only in case"),
            };
            return Err(BundleError::broken(message, "give one of them another name"));
        }
    }
    Ok(())
}

fn check_command(command: &Command, tool: &Tool) -> Result<(), BundleError> {
    if command.args.len() > ARGS_MAX {
        let message = format!("{} arguments, more than {ARGS_MAX}", command.args.len());
        return Err(BundleError::broken(message, "pass a list in one input property of type array"));
    }
    let mut texts: Vec<&str> = Vec::new();
    let mut properties: Vec<&str> = command.stdin.iter().map(String::as_str).collect();
    for arg in &command.args {
        match arg {
            Arg::Literal(text) => texts.push(text),
            Arg::Property(from) => {
                properties.push(&from.property);
                texts.extend(from.flag.as_deref());
            }
        }
    }
    if let Some(text) = texts.iter().find(|text| text.len() > DESCRIPTION_BYTES_MAX || text.contains('\0')) {
        let message = format!("argument `{}` is longer than 16 KiB or has a NUL character", shown(text));
        return Err(BundleError::broken(message, "correct it"));
    }
    let known = tool.input_schema.get("properties").and_then(|properties| properties.as_object());
    let missing = properties.into_iter().find(|name| known.is_none_or(|known| !known.contains_key(*name)));
    missing.map_or(Ok(()), |name| {
        let known: Vec<String> = known.into_iter().flat_map(|known| known.keys().map(|key| shown(key))).collect();
        let message = format!("`{}` is not a property of the input schema", shown(name));
        Err(BundleError::broken(message, format!("its properties are: {}", known.join(", "))))
    })
}

fn check_line(key: &str, text: &str) -> Result<(), BundleError> {
    if text.len() > LINE_BYTES_MAX || text.chars().any(is_deceptive) {
        let message = format!("{key} is longer than {LINE_BYTES_MAX} bytes or has control characters");
        return Err(BundleError::broken(message, "write it as one short line"));
    }
    Ok(())
}

fn check_text(key: &str, text: &str) -> Result<(), BundleError> {
    if text.len() > DESCRIPTION_BYTES_MAX {
        let message = format!("the {key} has {} bytes, more than 16 KiB", text.len());
        return Err(BundleError::broken(message, "shorten it; a model reads it with every request"));
    }
    match text.chars().find(|c| is_deceptive(*c) && !matches!(c, '\n' | '\t')) {
        Some(c) => {
            let message = format!("the {key} has the control character U+{:04X}", u32::from(c));
            Err(BundleError::broken(message, "use printable characters, line feeds and tabs"))
        }
        None => Ok(()),
    }
}

/// Characters that make a terminal or a page show something else than what is there.
fn is_deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
