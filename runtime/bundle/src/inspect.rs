//! What a component is, read from its bytes without running it.

use crate::digest::Digest;
use crate::error::{BundleError, shown};
use crate::imports::{Supply, supply};
use crate::manifest::{Manifest, State};
use crate::section;
use handbox_hand::Recovery;
use serde::Serialize;
use std::collections::BTreeSet;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::TypesRef;
use wasmparser::{CustomSectionReader, Parser, Payload, ProducersSectionReader, ValidPayload, Validator};

/// Compiling takes some 30 times a component's size in memory. Interpreters stay below it.
pub const COMPONENT_BYTES_MAX: u64 = 64 << 20;

/// Composition nests a few levels; each level is a recursion for the compiler.
const NESTING_MAX: usize = 16;

/// Modules and components inside. A composed one has some tens; each costs an instance.
const PARTS_MAX: usize = 256;

/// A whole interpreter has some tens of thousands; each costs the compiler at least 20 µs.
const FUNCTIONS_MAX: u64 = 300_000;

/// Types at all levels. Their definitions can refer to each other and so grow when unfolded.
const TYPES_MAX: u64 = 200_000;

/// WASI 0.2 as a whole has some thirty interfaces.
const IMPORTS_MAX: usize = 1_000;

/// Each export of a reflected component may become a tool.
const EXPORTS_MAX: usize = 1_000;

/// Enough for every compiler and tool in a chain; the section is free text.
const PRODUCERS_MAX: usize = 64;

/// Which kind of hand a component becomes, chosen by what it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exports `handbox:hand/hand`.
    Hand,
    /// Exports `wasi:cli/run`: a command-line program.
    Command,
    /// Exports other functions, each of which becomes a tool.
    Reflected,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hand => "hand",
            Self::Command => "command",
            Self::Reflected => "reflected",
        })
    }
}

/// A tool that took part in making a component, by that tool's own account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Producer {
    /// `language`, `sdk` or `processed-by`.
    pub field: String,
    /// Name of the language or tool.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a component is and says about itself.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// Which kind of hand it becomes.
    pub kind: Kind,
    /// Its manifest, if it was packed.
    pub manifest: Option<Manifest>,
    /// What it imports, with versions, in its own order.
    pub imports: Vec<String>,
    /// Those imports that this version of Handbox cannot give.
    pub missing: Vec<String>,
    /// What it exports, with versions, in its own order.
    pub exports: Vec<String>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// What it was made with, of all its parts, sorted.
    pub producers: Vec<Producer>,
}

/// Reads what `component` is without running it.
///
/// # Errors
///
/// [`BundleError::Broken`] if it is larger than 64 MiB, not a well-formed component, more
/// complex than the bounds of this module, has a bad manifest, speaks another version of
/// `handbox:hand` or `wasi:cli`, or exports nothing that could be a tool. That it imports
/// something Handbox cannot give is no error here; see [`Inspection::check`].
pub fn inspect(component: &[u8]) -> Result<Inspection, BundleError> {
    inspect_hashed(component, None)
}

/// As [`inspect`], for bytes whose digest may be known already.
pub(crate) fn inspect_hashed(component: &[u8], digest: Option<Digest>) -> Result<Inspection, BundleError> {
    let size_bytes = component.len() as u64;
    if size_bytes > COMPONENT_BYTES_MAX {
        return Err(too_much("bytes", size_bytes, COMPONENT_BYTES_MAX));
    }
    let manifest = section::read(component)?;
    let survey = Survey::of(component)?;
    let kind = survey.kind()?;
    let missing = survey.imports.iter().filter(|name| supply(name) != Supply::Given).cloned().collect();
    Ok(Inspection {
        kind,
        manifest,
        missing,
        imports: survey.imports,
        exports: survey.exports.into_iter().map(|(name, _)| name).collect(),
        size_bytes,
        digest: digest.unwrap_or_else(|| Digest::of(component)),
        producers: survey.producers.into_iter().collect(),
    })
}

/// The interface by which requests leave.
const OUTGOING: &str = "wasi:http/outgoing-handler@";

impl Inspection {
    /// Whether Handbox can run it: everything it imports can be given, and its manifest
    /// (if any) fits what it imports and exports. A component that imports folders and asks
    /// for none is fine: it sees none.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] with all missing imports, or the first contradiction.
    pub fn check(&self) -> Result<(), BundleError> {
        self.check_imports()?;
        let commands = self.manifest.as_ref().map_or(0, |manifest| manifest.commands.len());
        let kept = self.manifest.as_ref().is_some_and(|manifest| manifest.state == State::Kept);
        let programs = self.manifest.as_ref().map_or(0, |manifest| manifest.programs.len());
        match self.kind {
            _ if programs > 0 && !self.exports.iter().any(|name| name.starts_with("wasi:cli/run@0.2.")) => {
                Err(BundleError::broken(
                    "its manifest names programs, but it exports no wasi:cli/run, which starting one calls",
                    "leave `programs` out of its manifest file, or build it as a command-line program",
                ))
            }
            Kind::Command if commands == 0 && programs == 0 => Err(BundleError::broken(
                "this is a command-line program, and nothing says which tools it has",
                "write a manifest file with [[commands]] and run `handbox pack FILE.wasm --manifest tool.toml -o OUT.wasm`; \
                 if you meant functions marked #[tool], they belong into src/lib.rs, with crate-type = [\"cdylib\"] under \
                 [lib] in Cargo.toml, and without fn main",
            )),
            Kind::Command if kept => Err(BundleError::broken(
                "a command-line program cannot keep state: it runs once and ends",
                "write state = \"fresh\" in its manifest file and pack it again",
            )),
            Kind::Hand | Kind::Reflected if commands > 0 => Err(BundleError::broken(
                format!(
                    "its manifest has commands, but it is no command-line program (it is a {} component)",
                    self.kind
                ),
                "leave [[commands]] out of its manifest file and pack it again",
            )),
            Kind::Hand | Kind::Command | Kind::Reflected => self.check_recovery(),
        }
    }

    fn check_imports(&self) -> Result<(), BundleError> {
        let of = |wanted: Supply| -> Vec<&str> {
            self.missing.iter().filter(|name| supply(name) == wanted).map(String::as_str).collect()
        };
        let (network, unknown) = (of(Supply::Network), of(Supply::Unknown));
        if !unknown.is_empty() {
            return Err(BundleError::broken(
                format!("it imports what Handbox does not have: {}", list(&unknown)),
                "build it against WASI 0.2 and handbox:hand 0.1, or put in what is missing with `wac plug`",
            ));
        }
        // A program finds sockets, as one that was built for other systems does, and is refused each use.
        let is_program = self.manifest.as_ref().is_some_and(|manifest| !manifest.programs.is_empty());
        if !network.is_empty() && !is_program {
            return Err(BundleError::broken(
                format!("it imports {}, and no component is given sockets: HTTP alone leaves", list(&network)),
                "build it with an HTTP client over wasi:http, or without network code",
            ));
        }
        let sends = self.imports.iter().find(|name| name.starts_with(OUTGOING));
        match (sends, &self.manifest) {
            (Some(sends), Some(manifest)) if manifest.asks.hosts.is_empty() => Err(BundleError::broken(
                format!("its manifest claims less than it imports: no hosts are asked for, but it imports {sends}"),
                "add hosts to [asks] in its manifest file, \"*\" for any that the operator names, or build it without network code",
            )),
            _ => Ok(()),
        }
    }

    fn check_recovery(&self) -> Result<(), BundleError> {
        let tools = self.manifest.iter().flat_map(|manifest| &manifest.tools);
        let reconciles = tools.into_iter().find(|tool| tool.recovery == Recovery::Reconcile);
        let can = self.exports.iter().any(|name| name.starts_with("handbox:hand/recover@"));
        match reconciles {
            Some(tool) if !can => Err(BundleError::broken(
                format!(
                    "tool `{}` says recovery = reconcile, but the component exports no handbox:hand/recover",
                    tool.name
                ),
                "export it, or declare another recovery",
            )),
            _ => Ok(()),
        }
    }
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")
}

fn too_much(what: &str, count: u64, max: u64) -> BundleError {
    let message = format!("the component has {count} {what}; {max} is the most that is compiled");
    BundleError::broken(message, "split it, or build it with size optimisation and without unused parts")
}

/// What one pass over a component's structure finds.
#[derive(Default)]
struct Survey {
    imports: Vec<String>,
    /// With whether there is a function in it.
    exports: Vec<(String, bool)>,
    producers: BTreeSet<Producer>,
    depth: usize,
    parts: usize,
    functions: u64,
    types: u64,
}

impl Survey {
    /// Validates the structure, not the code: the compiler does that anyway.
    fn of(component: &[u8]) -> Result<Self, BundleError> {
        let malformed = |error: wasmparser::BinaryReaderError| {
            let message = format!("the component is not well-formed: {}", shown(&error.to_string()));
            BundleError::broken(message, "build or fetch it again")
        };
        let mut survey = Self::default();
        let mut validator = Validator::new();
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.map_err(malformed)?;
            survey.bound(&payload)?;
            survey.note(&payload, &mut exports).map_err(malformed)?;
            if let ValidPayload::End(types) = validator.payload(&payload).map_err(malformed)? {
                let types = types.as_ref();
                // The outermost level ends last, and only then are its exports complete.
                survey.exports =
                    exports.iter().map(|name: &String| (name.clone(), has_function(types, name))).collect();
            }
        }
        survey.bound_names(&exports)?;
        Ok(survey)
    }

    fn bound(&mut self, payload: &Payload<'_>) -> Result<(), BundleError> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.depth += 1;
                self.parts += 1;
            }
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::FunctionSection(reader) => self.functions += u64::from(reader.count()),
            Payload::TypeSection(reader) => self.types += u64::from(reader.count()),
            Payload::ComponentTypeSection(reader) => self.types += u64::from(reader.count()),
            Payload::CoreTypeSection(reader) => self.types += u64::from(reader.count()),
            _ => {}
        }
        let counts = [
            ("levels of nesting", self.depth as u64, NESTING_MAX as u64),
            ("modules and components inside", self.parts as u64, PARTS_MAX as u64),
            ("functions", self.functions, FUNCTIONS_MAX),
            ("types", self.types, TYPES_MAX),
        ];
        let over = counts.into_iter().find(|(_, count, max)| count > max);
        over.map_or(Ok(()), |(what, count, max)| Err(too_much(what, count, max)))
    }

    fn bound_names(&self, exports: &[String]) -> Result<(), BundleError> {
        let counts = [("imports", self.imports.len(), IMPORTS_MAX), ("exports", exports.len(), EXPORTS_MAX)];
        let over = counts.into_iter().find(|(_, count, max)| count > max);
        over.map_or(Ok(()), |(what, count, max)| Err(too_much(what, count as u64, max as u64)))
    }

    fn note(&mut self, payload: &Payload<'_>, exports: &mut Vec<String>) -> Result<(), wasmparser::BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(reader) if self.depth == 0 => {
                for import in reader.clone().into_iter().take(IMPORTS_MAX + 1) {
                    self.imports.push(import?.name.full_name().into_owned());
                }
            }
            Payload::ComponentExportSection(reader) if self.depth == 0 => {
                for export in reader.clone().into_iter().take(EXPORTS_MAX + 1) {
                    exports.push(export?.name.full_name().into_owned());
                }
            }
            // Free text that nothing depends on: what cannot be read is left out.
            Payload::CustomSection(section) if section.name() == "producers" => {
                self.note_producers(section).unwrap_or(())
            }
            _ => {}
        }
        Ok(())
    }

    fn note_producers(&mut self, section: &CustomSectionReader<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        let reader = wasmparser::BinaryReader::new(section.data(), section.data_offset());
        for field in ProducersSectionReader::new(reader)? {
            let field = field?;
            for value in field.values {
                let value = value?;
                if self.producers.len() < PRODUCERS_MAX {
                    let (name, version) = (shown(value.name), shown(value.version));
                    self.producers.insert(Producer { field: field.name.to_owned(), name, version });
                }
            }
        }
        Ok(())
    }

    fn kind(&self) -> Result<Kind, BundleError> {
        let versions = |interface: &str| -> Vec<&str> {
            let exports = self.exports.iter().filter_map(|(name, _)| name.strip_prefix(interface));
            exports
                .filter_map(|rest| if rest.is_empty() { Some("no version") } else { rest.strip_prefix('@') })
                .collect()
        };
        for (interface, ours, kind) in
            [("handbox:hand/hand", "0.1.", Kind::Hand), ("wasi:cli/run", "0.2.", Kind::Command)]
        {
            let found = versions(interface);
            if found.iter().any(|version| version.starts_with(ours)) {
                return Ok(kind);
            }
            if let Some(version) = found.first() {
                let message = format!(
                    "the component exports {interface} {}; this Handbox speaks {interface} {ours}x",
                    shown(version)
                );
                return Err(BundleError::broken(
                    message,
                    "build it against the version of this Handbox, or use another Handbox",
                ));
            }
        }
        if self.exports.iter().any(|(_, has_function)| *has_function) {
            return Ok(Kind::Reflected);
        }
        Err(BundleError::broken(
            "the component exports no function, so there is nothing that could be a tool",
            "if it is Rust with #[tool], end src/lib.rs with handbox_tool::export!(your_tool); otherwise export \
             handbox:hand/hand, wasi:cli/run, or functions of your own",
        ))
    }
}

fn has_function(types: TypesRef<'_>, export: &str) -> bool {
    match types.component_item_for_export(export).map(|item| item.ty) {
        Some(ComponentEntityType::Func(_)) => true,
        Some(ComponentEntityType::Instance(id)) => {
            types[id].exports.values().any(|item| matches!(item.ty, ComponentEntityType::Func(_)))
        }
        _ => false,
    }
}
