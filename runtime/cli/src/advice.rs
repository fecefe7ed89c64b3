//! What to do about a call that failed.

use crate::args;
use crate::failure::Failure;
use crate::flags;
use handbox_bundle::{Bundle, BundleComponent, FolderGrant, GUEST_PATH_DEFAULT, Gap, GapKind, Grants, Mode};
use handbox_hand::{HandError, Tool, ToolFault};

/// What is known of a call, for its failure.
pub(crate) struct Advice<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) bundle: &'a Bundle,
    pub(crate) grants: &'a Grants,
    /// Whether --write would make the granted folders writable.
    pub(crate) write_helps: bool,
    /// The input as it was typed.
    pub(crate) words: &'a [String],
}

impl Advice<'_> {
    /// Adds to a failure what the input should be, if that is why, or what the bundle asked for and did not get, or what
    /// the tool sees, if that may be why.
    pub(crate) fn on(&self, error: HandError) -> Failure {
        let hint = match &error {
            HandError::Input(_) => Some(input_hint(self.tool, self.words)),
            HandError::Broken(_) => {
                Some("-v shows what it printed before; if it is not yours, tell its author".to_owned())
            }
            HandError::Tool(fault @ (ToolFault::Denied(_) | ToolFault::Failed(_))) => self.on_fault(fault),
            _ => None,
        };
        let failure = Failure::from(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    fn on_fault(&self, fault: &ToolFault) -> Option<String> {
        let text = fault.to_string();
        let about = About::of(&text, matches!(fault, ToolFault::Denied(_)));
        let mut gaps: Vec<Gap> =
            self.components().flat_map(|component| component.effective(self.grants).gaps).collect();
        gaps.retain(|gap| match gap.kind {
            // A value that the tool does not speak of is hardly why.
            GapKind::Env => gap.env().is_some_and(|name| text.contains(name)),
            GapKind::Mode => about.is_refusal() && !self.tool.hints.read_only,
            GapKind::Folder | GapKind::Unpacked => about != About::Other,
            GapKind::Host | GapKind::Credential => true,
        });
        self.gap_hint(&gaps).or_else(|| (about != About::Other).then(|| self.view()))
    }

    /// The components that the tool may be of.
    fn components(&self) -> impl Iterator<Item = &BundleComponent> {
        self.bundle.components.iter().filter(|component| match component.known_tools() {
            Ok(Some(tools)) => tools.iter().any(|(_, known)| known.name == self.tool.name),
            _ => true,
        })
    }

    /// What was asked for in vain, which may be why.
    fn gap_hint(&self, gaps: &[Gap]) -> Option<String> {
        if gaps.iter().any(|gap| gap.kind == GapKind::Unpacked) {
            let hint = "this component was not packed, so it sees no folder and no environment value: \
                        handbox pack FILE.wasm --manifest tool.toml -o NAME.tool.wasm";
            return Some(hint.to_owned());
        }
        let default_folder = format!("--dir HOST:{GUEST_PATH_DEFAULT}:rw");
        let mut flags: Vec<String> = Vec::new();
        for gap in gaps {
            let Some(flag) = gap.flag.as_deref() else { continue };
            let flag = match flag.strip_suffix(":rw") {
                _ if self.write_helps && gap.kind == GapKind::Mode && flag == default_folder => "--write".to_owned(),
                // The component asks for more than this tool needs.
                Some(folder) if self.tool.hints.read_only => format!("{folder}:ro"),
                _ => flag.to_owned(),
            };
            if !flags.contains(&flag) {
                flags.push(flag);
            }
        }
        let missing = match flags.is_empty() {
            true => gaps.first().map(|gap| format!("{}: {}", gap.asked, gap.reason))?,
            false => flags.join(" "),
        };
        Some(format!("the bundle asks for more than was granted, which may be why: {missing}"))
    }

    /// Which folders the tool sees, and why it cannot write to those that it cannot.
    fn view(&self) -> String {
        let mut seen = Vec::new();
        for component in self.components() {
            for folder in component.effective(self.grants).grants.folders {
                let access = match (self.tool.hints.read_only, folder.mode) {
                    (false, Mode::ReadWrite) => "to read and write".to_owned(),
                    _ => format!("only to read{}", self.why_read_only(component, &folder.guest)),
                };
                let line = format!("{} (here {}, {access})", folder.guest, folder.host.display());
                if !seen.contains(&line) {
                    seen.push(line);
                }
            }
        }
        if !seen.is_empty() {
            let seen = seen.join(", ");
            return format!(
                "paths are the tool's, not this machine's: it sees {seen}; for another folder add --dir HOST:/data:ro and \
                 name /data/FILE"
            );
        }
        match self.components().all(|component| component.asks.folders.is_empty()) {
            true => {
                let mode = if self.tool.hints.read_only { Mode::ReadOnly } else { Mode::ReadWrite };
                format!(
                    "its component asks for no folder, so it sees none: if it is yours, write \
                     folders = [{{ path = \"*\", mode = \"{mode}\" }}] under [asks] in its tool.toml, and pack it again"
                )
            }
            false => "no folder was granted: add --dir HOST:/data:ro and name /data/FILE".to_owned(),
        }
    }

    fn why_read_only(&self, component: &BundleComponent, guest: &str) -> &'static str {
        let only = |asks: &handbox_bundle::Asks| {
            let granted = Grants {
                folders: self.grants.folders.iter().filter(|folder| folder.guest == guest).cloned().collect(),
                env: Vec::new(),
            };
            let writable = Grants {
                folders: granted
                    .folders
                    .into_iter()
                    .map(|folder| FolderGrant { mode: Mode::ReadWrite, ..folder })
                    .collect(),
                env: Vec::new(),
            };
            asks.effective(&writable).grants.folders.iter().all(|folder| folder.mode == Mode::ReadOnly)
        };
        let own = component.manifest.as_ref().map(|manifest| &manifest.asks);
        if self.tool.hints.read_only {
            ", because the tool declares read_only: if it is yours and writes, take that out of #[tool(…)] or [[commands]]"
        } else if own.is_some_and(only) {
            ", because its component asks for its folders only to read: if it is yours, write mode = \"rw\" under [asks] in its \
             tool.toml and pack it again"
        } else if only(&component.asks) {
            ", because bundle.toml lets it ask only to read"
        } else {
            ", because it is granted so: --write, or :rw behind its --dir"
        }
    }
}

/// What a failure seems to be about, by the texts that file systems and their libraries have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Missing,
    Refused,
    Other,
}

impl About {
    fn of(text: &str, denied: bool) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        // ENOENT, ENOTDIR; EPERM, EACCES, EROFS, ENOTCAPABLE, EBADF, as WASI numbers them.
        if denied
            || has(&["not permitted", "ermission denied", "ead-only", "os error 63)", "os error 2)", "os error 69)"])
        {
            return Self::Refused;
        }
        if has(&["o such file", "os error 44)", "os error 54)", "os error 76)", "os error 8)"]) {
            return Self::Missing;
        }
        Self::Other
    }

    fn is_refusal(self) -> bool {
        self == Self::Refused
    }
}

/// What the input should be; with how lists are written if the flags had any.
pub(crate) fn input_hint(tool: &Tool, words: &[String]) -> String {
    let input = format!("its input is: {}", crate::tools::properties(tool));
    match flags::list_flag(tool, words) {
        Some(list) => format!("{input}; {}", flags::list_hint(list)),
        None => input,
    }
}

/// Refuses a flag of ours that is an input of the tool as well: either may be meant.
pub(crate) fn refuse_flags_of_both(command: &args::Call, bundle: &Bundle) -> Result<(), Failure> {
    let [] = command.input.as_slice() else {
        // JSON leaves nothing to guess.
        if command.input.iter().all(|word| !word.starts_with("--")) {
            return Ok(());
        }
        return refuse_among(command, bundle);
    };
    refuse_among(command, bundle)
}

fn refuse_among(command: &args::Call, bundle: &Bundle) -> Result<(), Failure> {
    // What stands behind `--` is the tool's, and what stands before it ours.
    if std::env::args_os().any(|word| word == "--") {
        return Ok(());
    }
    let grants = &command.grants;
    // Before the verb they can only be ours.
    let behind = |flag: &str| {
        let words = std::env::args_os().skip_while(|word| word != "call");
        let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        words.iter().any(|word| word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
    };
    let typed = [
        ("data", behind("--data")),
        ("config", behind("--config")),
        ("json", behind("--json")),
        ("dir", !grants.dir.is_empty()),
        ("write", grants.write),
        ("env", !grants.env.is_empty()),
        ("limit", !grants.limit.is_empty()),
        ("profile", grants.profile.is_some()),
        ("outputs", command.outputs.is_some()),
    ];
    let tools = bundle.components.iter().filter_map(|component| component.known_tools().ok().flatten()).flatten();
    let Some((_, tool)) = tools.into_iter().find(|(_, tool)| tool.name.as_str() == command.tool) else { return Ok(()) };
    let both = typed.iter().find(|(name, typed)| *typed && !tool.input_schema["properties"][name].is_null());
    match both {
        None => Ok(()),
        Some((name, _)) => Err(Failure::usage(format!("--{name} is a flag of Handbox and an input of the tool `{}`", tool.name))
            .hint(format!(
                "for the tool, put -- before its flags: handbox call {} {} -- --{name} …; for Handbox, give the input as JSON",
                command.bundle, command.tool
            ))),
    }
}

/// Inputs of a tool that `handbox call` takes for flags of its own.
pub(crate) fn taken_inputs(tool: &Tool) -> Vec<&'static str> {
    let ours =
        ["dir", "write", "env", "limit", "profile", "outputs", "json", "config", "data", "quiet", "verbose", "log"];
    ours.into_iter().filter(|name| !tool.input_schema["properties"][name].is_null()).collect()
}
