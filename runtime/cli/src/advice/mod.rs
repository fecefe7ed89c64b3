//! What to do about a call that failed.

mod absent;
mod folders;
mod own_flags;
mod places;
mod scratch;

pub(crate) use own_flags::{refuse_flags_of_both, taken_inputs};

use crate::ceiling::{Ceiling, Kept};
use crate::failure::Failure;
use crate::flags;
use crate::retype::Typed;
use crate::watch::Terminal;
use handbox_bundle::{Bundle, GUEST_PATH_DEFAULT, Gap, GapKind, Grants, Mode};
use handbox_hand::{HandError, ToolFault};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What is known of a call, for its failure.
pub(crate) struct Advice<'a> {
    pub(crate) typed: Typed<'a>,
    pub(crate) bundle: &'a Bundle,
    pub(crate) grants: &'a Grants,
    /// Whether --no-dir was typed, which goes with no other flag for folders.
    pub(crate) no_dir: bool,
    /// Files that no tool may change, beside the bundle's own.
    pub(crate) protected: &'a [PathBuf],
    /// Whether --write would make the granted folders writable.
    pub(crate) write_helps: bool,
    pub(crate) input: &'a Value,
    pub(crate) cwd: &'a Path,
    /// Who saw what the tool printed; `None` for agents, whose hints are about grants.
    pub(crate) watcher: Option<&'a Terminal>,
}

impl Advice<'_> {
    /// Adds to a failure what the input should be, if that is why, or what the bundle asked for and did not get, or what
    /// the tool sees, if that may be why.
    pub(crate) fn on(&self, error: HandError) -> Failure {
        let hint = match &error {
            HandError::Input(why) => Some(input_hint(&self.typed, why)),
            HandError::Broken(_) => self.watcher.map(|watcher| self.on_crash(watcher)),
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
        if self.only_sends() {
            let text = fault.to_string();
            let asked = self
                .components()
                .any(|one| one.component.asks.env.iter().any(|name| text.contains(name.trim_end_matches('?'))));
            return asked.then(|| self.env_hint(&text)).flatten();
        }
        let text = fault.to_string();
        self.on_text(&text, About::of(&text, matches!(fault, ToolFault::Denied(_))))
    }

    /// What to do about a crash; a panic may be about a file, as an error is that a tool returns.
    fn on_crash(&self, watcher: &Terminal) -> String {
        let own = watcher.crash_hint();
        let Some((text, about)) = watcher.panic().as_deref().map(panicked) else { return own.to_owned() };
        let hint = match about {
            About::Missing | About::Refused | About::Unsupported => self.on_text(&text, about),
            About::Env | About::Other => None,
        };
        hint.map_or_else(
            || own.to_owned(),
            |hint| format!("{hint}; if the tool is yours, return the error with `?` instead of unwrap; {own}"),
        )
    }

    fn on_text(&self, text: &str, about: About) -> Option<String> {
        match about {
            About::Unsupported => {
                let hint = "a tool runs alone in its sandbox: it cannot start processes or threads, nor open sockets; \
                            do that part of the work in the tool itself, or outside of Handbox";
                return Some(hint.to_owned());
            }
            About::Env => return self.env_hint(text),
            About::Missing | About::Refused | About::Other => {}
        }
        let folders = self.folders();
        if about == About::Other {
            return self.gap_hint(text, about);
        }
        if folders.is_empty() {
            let unseen = self.unseen().or_else(|| self.no_dir_hint()).or_else(|| self.gap_hint(text, about));
            let mode = self.mode_for(about);
            return unseen
                .or_else(|| Some(format!("no folder was granted: add --dir HOST:/data:{mode} and name /data/FILE")));
        }
        // What is known of the paths is why; the rest only may be.
        let known = self.own_name(&folders, text, about);
        let known = known.or_else(|| self.left_behind(&folders, text, about));
        let known = known.or_else(|| self.odd(&folders, text, about));
        let may_be = || {
            let unmade = format!("{}{}", self.absent(&folders, text, about), self.unmade(&folders, text, about));
            let hint = self.gap_hint(text, about).or_else(|| self.unwritable(&folders, about));
            let hint = hint.unwrap_or_else(|| self.view(&folders, about));
            format!("{unmade}{hint}{}", self.relative(&folders, text, about))
        };
        Some(known.unwrap_or_else(may_be))
    }

    /// The components that the tool may be of.
    fn components(&self) -> impl Iterator<Item = Ceiling<'_>> {
        let known = self.bundle.components.iter().filter(|component| match component.known_tools() {
            Ok(Some(tools)) => tools.iter().any(|(_, known)| known.name == self.typed.tool.name),
            _ => true,
        });
        known.map(|component| Ceiling { bundle: self.bundle, component, cwd: self.cwd })
    }

    /// Whether the tool uses hosts and no folder: what it may not reach is told when it is refused.
    fn only_sends(&self) -> bool {
        let mut components = self.components().peekable();
        let sends = |one: Ceiling<'_>| one.component.asks.folders.is_empty() && !one.component.asks.hosts.is_empty();
        components.peek().is_some() && components.all(sends)
    }

    /// What the tool does with a folder if nothing keeps it from that.
    fn wanted(&self) -> Mode {
        if self.typed.tool.hints.read_only { Mode::ReadOnly } else { Mode::ReadWrite }
    }

    /// What was asked for in vain, which may be why.
    fn gap_hint(&self, text: &str, about: About) -> Option<String> {
        let writes = about == About::Refused && !self.typed.tool.hints.read_only;
        let mut missing: Vec<String> = if writes { self.read_only_grants() } else { Vec::new() };
        for gap in self.components().flat_map(|one| one.component.effective(self.grants).gaps) {
            let may_be_why = match gap.kind {
                // A value that the tool does not speak of is hardly why.
                GapKind::Env => gap.env().is_some_and(|name| text.contains(name)),
                GapKind::Folder => about != About::Other,
                GapKind::Host => true,
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
        let is_more =
            |flag: &String| flag.starts_with("--dir HOST:") && !flag.contains(&format!(":{GUEST_PATH_DEFAULT}:"));
        let keep = if missing.iter().any(is_more) { self.keep() } else { "" };
        let missing = missing.join(" ");
        (!missing.is_empty())
            .then(|| format!("the bundle asks for more than was granted, which may be why: {keep}{missing}"))
    }

    fn asked(&self, gap: &Gap) -> String {
        match gap.flag.as_deref() {
            None => format!("{}: {}", gap.asked, gap.reason),
            // The component asks for more than this tool needs.
            Some(flag) if self.typed.tool.hints.read_only => match flag.strip_suffix(":rw") {
                Some(folder) => format!("{folder}:ro"),
                None => flag.to_owned(),
            },
            Some(flag) => flag.to_owned(),
        }
    }

    /// A value that the tool looked for in its environment.
    fn env_hint(&self, text: &str) -> Option<String> {
        let asked: Vec<String> = self.components().flat_map(|one| one.component.asks.env.clone()).collect();
        let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_asked = |word: &&str| asked.iter().any(|asked| asked.trim_end_matches('?') == *word);
        let is_name = |word: &&str| {
            word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        };
        let name = words().find(is_asked).or_else(|| words().find(is_name)).unwrap_or("NAME");
        let kept = self.components().find_map(|one| one.keeps_env(name));
        Some(match kept {
            Some(kept) => format!("{}; then give it: --env {name}=VALUE", sentence(&kept)),
            None => format!("the value was not granted: --env {name}=VALUE"),
        })
    }
}

/// How the standard library says that no folder holds a path.
const NO_PREOPEN: &str = "failed to find a pre-opened file descriptor";

/// What a panic says of a file, as an error says it that is returned.
fn panicked(message: &str) -> (String, About) {
    // A panic shows errors as `Os { code: 44, kind: NotFound, message: "…" }`, with quotes escaped.
    let text = message.replace("\\\"", "\"");
    let code = text.split_once("Os { code: ").and_then(|(_, rest)| rest.split(',').next());
    let text = code.map_or_else(|| text.clone(), |code| format!("{text} (os error {code})"));
    let is = |kind: &str| text.contains(&format!("kind: {kind}"));
    let about = match About::of(&text, is("PermissionDenied") || is("ReadOnlyFilesystem")) {
        About::Other if is("NotFound") => About::Missing,
        about => about,
    };
    (text, about)
}

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
        if has(&["o such file", NO_PREOPEN, "os error 44)", "os error 54)", "os error 76)", "os error 8)"]) {
            return Self::Missing;
        }
        Self::Other
    }
}

/// What the input should be, or the line that was meant; with how lists are written if `why` is about one that the flags
/// had.
pub(crate) fn input_hint(typed: &Typed<'_>, why: &str) -> String {
    let bare = match typed.words {
        [word] => serde_json::from_str(word).ok().and_then(|value| match value {
            Value::String(text) => Some(text),
            Value::Number(_) | Value::Bool(_) => Some(word.clone()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }),
        _ => None,
    };
    if let Some(line) = bare.and_then(|word| typed.meant_word(&word)) {
        return format!("write: {line}");
    }
    let input = format!("its input is: {}", crate::tools::properties(typed.tool));
    let list = flags::list_flag(typed.tool, typed.words).filter(|list| why.contains(&format!("/{list}")));
    let stale = typed.stale.filter(|_| why.contains("dditional properties"));
    let more = list.map(flags::list_hint).or_else(|| stale.map(str::to_owned));
    more.map_or_else(|| input.clone(), |more| format!("{input}; {more}"))
}
