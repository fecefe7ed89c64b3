//! What to do about a call that failed.

mod own_flags;
mod places;

pub(crate) use own_flags::{refuse_flags_of_both, taken_inputs};

use crate::ceiling::{Ceiling, Kept, dir_flag};
use crate::failure::Failure;
use crate::flags;
use handbox_bundle::{Bundle, FolderGrant, GUEST_PATH_DEFAULT, Gap, GapKind, Grants, Kind, Mode};
use handbox_hand::{HandError, Tool, ToolFault};
use places::{Odd, Places};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is known of a call, for its failure.
pub(crate) struct Advice<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) bundle: &'a Bundle,
    pub(crate) grants: &'a Grants,
    /// Files that no tool may change, beside the bundle's own.
    pub(crate) protected: &'a [PathBuf],
    /// Whether --write would make the granted folders writable.
    pub(crate) write_helps: bool,
    /// The input as it was typed.
    pub(crate) words: &'a [String],
    pub(crate) input: &'a Value,
    pub(crate) cwd: &'a Path,
}

impl Advice<'_> {
    /// Adds to a failure what the input should be, if that is why, or what the bundle asked for and did not get, or what
    /// the tool sees, if that may be why.
    pub(crate) fn on(&self, error: HandError) -> Failure {
        let hint = match &error {
            HandError::Input(why) => Some(input_hint(self.tool, self.words, why)),
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

    /// What to do about a fault if grants may be why, for whoever did not choose the input: a model that names what is not
    /// there corrects itself.
    pub(crate) fn on_grants(&self, fault: &ToolFault) -> Option<String> {
        let denied = matches!(fault, ToolFault::Denied(_));
        if !denied && !matches!(fault, ToolFault::Failed(_)) {
            return None;
        }
        let text = fault.to_string();
        match About::of(&text, denied) {
            about @ About::Missing if !self.folders().is_empty() => self.gap_hint(&text, about),
            _ => self.on_fault(fault),
        }
    }

    fn on_fault(&self, fault: &ToolFault) -> Option<String> {
        let text = fault.to_string();
        let about = About::of(&text, matches!(fault, ToolFault::Denied(_)));
        match about {
            About::Unsupported => {
                let hint = "a tool runs alone in its sandbox: it cannot start processes or threads, nor open sockets; \
                            do that part of the work in the tool itself, or outside of Handbox";
                return Some(hint.to_owned());
            }
            About::Env => return self.env_hint(&text),
            About::Missing | About::Refused | About::Other => {}
        }
        let folders = self.folders();
        if about == About::Other {
            return self.gap_hint(&text, about);
        }
        if folders.is_empty() {
            return self.unseen().or_else(|| self.gap_hint(&text, about)).or_else(|| Some(NO_FOLDER.to_owned()));
        }
        let odd = self.odd(&folders, &text, about);
        let hint = odd.or_else(|| self.gap_hint(&text, about)).unwrap_or_else(|| self.view(&folders, about));
        Some(format!("{hint}{}", self.relative(&text, about)))
    }

    /// The components that the tool may be of.
    fn components(&self) -> impl Iterator<Item = Ceiling<'_>> {
        let known = self.bundle.components.iter().filter(|component| match component.known_tools() {
            Ok(Some(tools)) => tools.iter().any(|(_, known)| known.name == self.tool.name),
            _ => true,
        });
        known.map(|component| Ceiling { bundle: self.bundle, component, cwd: self.cwd })
    }

    /// What the tool does with a folder if nothing keeps it from that.
    fn wanted(&self) -> Mode {
        if self.tool.hints.read_only { Mode::ReadOnly } else { Mode::ReadWrite }
    }

    /// The folders that the tool sees.
    fn folders(&self) -> Vec<FolderGrant> {
        let mut folders: Vec<FolderGrant> = Vec::new();
        for folder in self.components().flat_map(|one| one.component.effective(self.grants).grants.folders) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Why the tool sees none of the folders that are granted.
    fn unseen(&self) -> Option<String> {
        let host = self.cwd.to_owned();
        let usual = FolderGrant { host, guest: GUEST_PATH_DEFAULT.to_owned(), mode: Mode::ReadOnly };
        let asks_for_none = |one: &Ceiling<'_>| one.component.asks.folders.is_empty();
        let folder = match self.grants.folders.first() {
            Some(folder) => folder,
            None if self.components().all(|one| asks_for_none(&one)) => &usual,
            None => return None,
        };
        let kept = self.components().find_map(|one| one.keeps_folder(folder, self.wanted()))?;
        Some(sentence(&kept))
    }

    /// What is odd about the paths that the tool was given.
    fn odd(&self, folders: &[FolderGrant], fault: &str, about: About) -> Option<String> {
        let protected: Vec<PathBuf> = self.protected.iter().chain(&self.bundle.files).cloned().collect();
        let places = Places { folders, protected: &protected };
        let texts = places::texts(self.input, fault);
        let first = |odd: &dyn Fn(&str) -> Option<Odd>| texts.iter().find_map(|text| odd(text));
        let writes = about == About::Refused && !self.tool.hints.read_only;
        let loaded = if writes { first(&|text| places.loaded(text)) } else { None };
        let missing = |text: &str| if about == About::Missing { places.no_folder(text) } else { None };
        let odd = loaded
            .or_else(|| first(&|text| places.leaves(text)))
            .or_else(|| first(&|text| places.host(text)))
            .or_else(|| first(&missing))?;
        Some(match odd {
            Odd::Loaded(path) => {
                format!(
                    "Handbox loads {path}, so no grant covers it: change it yourself, or have the tool write another file"
                )
            }
            Odd::Leaves(guest) => {
                format!(
                    "`..` and links cannot lead out of {guest}: grant the folder that holds the file, --dir HOST:/data:ro, and \
                         name /data/FILE"
                )
            }
            Odd::Host(path) => format!("paths are the tool's, not this machine's: name {path}"),
            Odd::NoFolder(path) => format!("there is no folder {path}: make it first, or correct the path"),
        })
    }

    /// What was asked for in vain, which may be why.
    fn gap_hint(&self, text: &str, about: About) -> Option<String> {
        let writes = about == About::Refused && !self.tool.hints.read_only;
        let mut missing: Vec<String> = if writes { self.read_only_grants() } else { Vec::new() };
        for gap in self.components().flat_map(|one| one.component.effective(self.grants).gaps) {
            let may_be_why = match gap.kind {
                // A value that the tool does not speak of is hardly why.
                GapKind::Env => gap.env().is_some_and(|name| text.contains(name)),
                GapKind::Folder => about != About::Other,
                GapKind::Host | GapKind::Credential => true,
                // These have hints of their own.
                GapKind::Mode | GapKind::Unpacked => false,
            };
            let asked = || self.asked(&gap);
            let new = Some(may_be_why).filter(|why| *why).map(|_| asked()).filter(|new| !missing.contains(new));
            missing.extend(new);
        }
        let is_flag = |one: &String| one.starts_with("--");
        if missing.iter().any(is_flag) {
            missing.retain(is_flag);
        }
        let missing = missing.join(" ");
        (!missing.is_empty()).then(|| format!("the bundle asks for more than was granted, which may be why: {missing}"))
    }

    fn asked(&self, gap: &Gap) -> String {
        match gap.flag.as_deref() {
            None => format!("{}: {}", gap.asked, gap.reason),
            // The component asks for more than this tool needs.
            Some(flag) if self.tool.hints.read_only => match flag.strip_suffix(":rw") {
                Some(folder) => format!("{folder}:ro"),
                None => flag.to_owned(),
            },
            Some(flag) => flag.to_owned(),
        }
    }

    /// The flags that make those folders writable that only their grant keeps from it.
    pub(crate) fn read_only_grants(&self) -> Vec<String> {
        let mut flags = Vec::new();
        for folder in self.grants.folders.iter().filter(|folder| folder.mode == Mode::ReadOnly) {
            if self.components().any(|one| one.folder(&folder.guest) == Some(Mode::ReadWrite)) {
                let writable = FolderGrant { mode: Mode::ReadWrite, ..folder.clone() };
                let flag = if self.write_helps { "--write".to_owned() } else { dir_flag(&writable, self.cwd) };
                if !flags.contains(&flag) {
                    flags.push(flag);
                }
            }
        }
        flags
    }

    /// A value that the tool looked for in its environment.
    fn env_hint(&self, text: &str) -> Option<String> {
        let asked: Vec<String> = self.components().flat_map(|one| one.component.asks.env.clone()).collect();
        let named = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_name = |word: &&str| {
            asked.iter().any(|asked| asked == word)
                || (word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        };
        let name = named.into_iter().find(is_name).unwrap_or("NAME");
        let kept = self.components().find_map(|one| one.keeps_env(name));
        Some(match kept {
            Some(kept) => format!("{}; then give it: --env {name}=VALUE", sentence(&kept)),
            None => format!("the value was not granted: --env {name}=VALUE"),
        })
    }

    /// Which folders the tool sees, and why it cannot write to those that it cannot.
    fn view(&self, folders: &[FolderGrant], about: About) -> String {
        let seen: Vec<String> = folders
            .iter()
            .map(|folder| {
                let access = match (self.wanted(), folder.mode) {
                    (Mode::ReadWrite, Mode::ReadWrite) => "to read and write".to_owned(),
                    _ if about == About::Refused => format!("only to read{}", self.why_read_only(folder)),
                    _ => "only to read".to_owned(),
                };
                format!("{} (here {}, {access})", folder.guest, folder.host.display())
            })
            .collect();
        format!(
            "paths are the tool's, not this machine's: it sees {}; for another folder add --dir HOST:/data:ro and name /data/FILE",
            seen.join(", ")
        )
    }

    fn why_read_only(&self, folder: &FolderGrant) -> String {
        if self.tool.hints.read_only {
            let why = ", because the tool declares read_only: if it is yours and writes, take that out of #[tool(…)] or \
                       [[commands]]";
            return why.to_owned();
        }
        let kept = self.components().find_map(|one| one.keeps_folder(folder, Mode::ReadWrite));
        let why = kept
            .map_or_else(|| "it is granted so: --write, or :rw behind its --dir".to_owned(), |kept| sentence(&kept));
        format!(", because {why}")
    }

    /// What a relative path is to a tool that works paths out itself.
    fn relative(&self, text: &str, about: About) -> &'static str {
        let own = self.components().any(|one| one.component.kind != Kind::Command);
        // The standard library's own text, and no path beside it.
        let bare = text.contains("(os error 44)") && !text.contains('/');
        match own && bare && about == About::Missing {
            true => "; in a tool, a relative path starts nowhere: join it to /workspace",
            false => "",
        }
    }
}

const NO_FOLDER: &str = "no folder was granted: add --dir HOST:/data:ro and name /data/FILE";

fn sentence(kept: &Kept) -> String {
    format!("{}: {}", kept.reason, kept.remedy)
}

/// What a failure seems to be about, by the texts that file systems and their libraries have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Missing,
    Refused,
    /// An environment value that is not there.
    Env,
    /// What no sandbox has.
    Unsupported,
    Other,
}

impl About {
    fn of(text: &str, denied: bool) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        // The standard library's texts.
        if has(&["operation not supported on this platform"]) {
            return Self::Unsupported;
        }
        if has(&["environment variable not found"]) {
            return Self::Env;
        }
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
}

/// What the input should be; with how lists are written if `why` is about one that the flags had.
pub(crate) fn input_hint(tool: &Tool, words: &[String], why: &str) -> String {
    let input = format!("its input is: {}", crate::tools::properties(tool));
    match flags::list_flag(tool, words).filter(|list| why.contains(&format!("/{list}"))) {
        Some(list) => format!("{input}; {}", flags::list_hint(list)),
        None => input,
    }
}
