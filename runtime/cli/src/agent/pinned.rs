//! What a session's hands are provisioned from, as its first event pins it.

use crate::args;
use crate::ceiling::Ceiling;
use crate::config::{Config, similar};
use crate::describe::shell_word;
use crate::failure::{Failure, Kind};
use crate::grants::{self, Asking, Effective};
use crate::paths::Paths;
use handbox_brain::{Policy, RunsWith, ToolSpec};
use handbox_bundle::{Bundle, Digest, FolderGrant, Grants, Limits, LimitsPatch, Mode, Profile};
use handbox_hand::{Destination, Tool};
use handbox_vault::IpNet;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The `grants` of a session: where its bundles come from, and what they may do. Nothing in here is a secret: what a
/// guest is given, it could print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pinned {
    /// Its bundles, each of which is one hand.
    pub(crate) bundles: Vec<PinnedBundle>,
    /// Folders, at absolute paths.
    pub(crate) folders: Vec<PinnedFolder>,
    /// Environment values.
    pub(crate) env: Vec<(String, String)>,
    /// Where requests may go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<Destination>,
    /// What names of hosts may lead to beside public addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ranges: Vec<IpNet>,
    /// What one call may use, as `--limit` has it.
    pub(crate) limits: String,
    /// Whether folders are allowed that are refused otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) allow_dangerous_folders: bool,
    /// See [`seal`](super::seal).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
}

/// A bundle, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinnedBundle {
    /// What the session calls the hand.
    pub(crate) hand: String,
    /// The name of a built-in bundle, or an absolute path.
    pub(crate) source: String,
}

/// A folder that is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PinnedFolder {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) mode: Mode,
}

/// An open bundle, as a session knows it.
pub(crate) struct Chosen {
    pub(crate) pinned: PinnedBundle,
    pub(crate) bundle: Bundle,
}

/// Opens the bundles that were named.
pub(crate) fn choose(words: &[String], config: &Config, cwd: &Path) -> Result<Vec<Chosen>, Failure> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for word in words {
        let bundle = config.open(word, cwd, &handbox_std_bundle::bundles())?.bundle;
        let built_in = handbox_std_bundle::bundles().iter().any(|source| source.name == *word);
        let source = match (built_in, bundle.files.first()) {
            (true, _) | (false, None) => word.clone(),
            (false, Some(file)) => file.display().to_string(),
        };
        let taken = |hand: &str| chosen.iter().any(|other| other.pinned.hand == hand);
        if chosen.iter().any(|other| other.pinned.source == source) {
            return Err(Failure::usage(format!("--bundle {word} is given twice")).hint("name each bundle once"));
        }
        let name = bundle.name.clone();
        let hand = (1..).map(|count| if count == 1 { name.clone() } else { format!("{name}-{count}") });
        let hand = hand.into_iter().find(|hand| !taken(hand)).unwrap_or(name);
        chosen.push(Chosen { pinned: PinnedBundle { hand, source }, bundle });
    }
    Ok(chosen)
}

/// What typed flags and configuration give the hands of these bundles.
pub(crate) fn effective(
    chosen: &[Chosen],
    typed: &args::Grants,
    config: &Config,
    (paths, cwd): (&Paths, &Path),
) -> Result<Effective, Failure> {
    let links: Vec<PathBuf> = chosen.iter().flat_map(|one| one.bundle.links.clone()).collect();
    // Settings for one bundle are not those of all that a session has.
    let only = match chosen {
        [one] => {
            Some(one.bundle.name.as_str()).filter(|name| config.names().contains(name) || *name == one.pinned.source)
        }
        _ => None,
    };
    grants::effective(Asking { typed, config, bundle: only, links: &links, paths, cwd })
}

impl Pinned {
    pub(crate) fn of(chosen: &[Chosen], effective: &Effective, typed: &args::Grants, ranges: &[IpNet]) -> Self {
        let bundles = chosen.iter().map(|one| one.pinned.clone()).collect();
        let pinned = Self::new(bundles, &effective.grants, effective.limits, typed.allow_dangerous_folders);
        pinned.with_ranges(ranges.to_owned())
    }

    pub(crate) fn with_ranges(self, ranges: Vec<IpNet>) -> Self {
        Self { ranges, ..self }
    }

    /// With the seal of another.
    pub(crate) fn sealed_as(self, other: &Self) -> Self {
        Self { seal: other.seal.clone(), ..self }
    }

    /// The same bundles, with nothing granted to them.
    pub(crate) fn without_grants(self) -> Self {
        Self {
            folders: Vec::new(),
            env: Vec::new(),
            hosts: Vec::new(),
            ranges: Vec::new(),
            allow_dangerous_folders: false,
            seal: None,
            ..self
        }
    }

    /// `grants` are checked: their paths are canonical.
    pub(crate) fn new(
        bundles: Vec<PinnedBundle>,
        grants: &Grants,
        limits: Limits,
        allow_dangerous_folders: bool,
    ) -> Self {
        let folder = |folder: &FolderGrant| PinnedFolder {
            host: folder.host.clone(),
            guest: folder.guest.clone(),
            mode: folder.mode,
        };
        let folders = grants.folders.iter().map(folder).collect();
        Self {
            bundles,
            folders,
            env: grants.env.clone(),
            hosts: grants.hosts.clone(),
            ranges: Vec::new(),
            limits: limits.to_string(),
            allow_dangerous_folders,
            seal: None,
        }
    }

    /// What a session pinned.
    pub(crate) fn read(runs: &RunsWith) -> Result<Self, String> {
        serde_json::from_value(runs.grants.clone()).map_err(|error| format!("the session's `grants`: {error}"))
    }

    pub(crate) fn grants(&self) -> Grants {
        let folder = |folder: &PinnedFolder| FolderGrant {
            host: folder.host.clone(),
            guest: folder.guest.clone(),
            mode: folder.mode,
        };
        Grants { folders: self.folders.iter().map(folder).collect(), env: self.env.clone(), hosts: self.hosts.clone() }
    }

    pub(crate) fn limits(&self) -> Result<Limits, String> {
        let patch: LimitsPatch = self.limits.parse().map_err(|error| format!("the session's `limits`: {error}"))?;
        Ok(Profile::default().limits().with(&patch))
    }
}

/// One digest for all that a bundle runs.
pub(crate) fn digest(bundle: &Bundle) -> String {
    match bundle.components.as_slice() {
        [one] => one.digest.as_str().to_owned(),
        many => {
            let all: Vec<&str> = many.iter().map(|component| component.digest.as_str()).collect();
            Digest::of(all.join("\n").as_bytes()).as_str().to_owned()
        }
    }
}

/// Which tools may be called without asking, and which never.
pub(crate) struct Policies<'a> {
    pub(crate) allow: &'a [String],
    pub(crate) deny: &'a [String],
}

impl Policies<'_> {
    /// What the flags say of a tool, if they speak of it.
    fn named(&self, name: &str) -> Option<Policy> {
        let named = |names: &[String]| names.iter().any(|one| one == name || one == "all");
        match (named(self.deny), named(self.allow)) {
            (true, _) => Some(Policy::Deny),
            (false, true) => Some(Policy::AlwaysAllow),
            (false, false) => None,
        }
    }

    fn of(&self, tool: &Tool) -> Policy {
        let usual = if tool.hints.read_only { Policy::AlwaysAllow } else { Policy::AlwaysAsk };
        self.named(tool.name.as_str()).unwrap_or(usual)
    }

    /// Changes those of a session's tools of which the flags speak.
    pub(crate) fn change(&self, tools: &mut [ToolSpec]) -> Result<(), Failure> {
        self.check(tools)?;
        for tool in tools {
            tool.permission = self.named(tool.name.as_str()).unwrap_or(tool.permission);
        }
        Ok(())
    }

    /// The tools of a hand, as the session has them.
    pub(crate) fn apply(&self, hand: &str, tools: &[Tool]) -> Vec<ToolSpec> {
        tools.iter().map(|tool| ToolSpec::of_hand(hand, tool, self.of(tool))).collect()
    }

    /// Refuses names of tools that there are not.
    pub(crate) fn check(&self, tools: &[ToolSpec]) -> Result<(), Failure> {
        for (flag, names) in [("--allow", self.allow), ("--deny", self.deny)] {
            let unknown =
                names.iter().find(|name| *name != "all" && tools.iter().all(|tool| tool.name.as_str() != **name));
            if let Some(name) = unknown {
                let known: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
                let near = similar::one_of(name, known.iter().map(|name| (*name).to_owned()));
                let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                return Err(Failure::usage(format!("{flag} {name}: there is no tool `{name}`"))
                    .hint(format!("{near}it has: {}, or all", known.join(", "))));
            }
        }
        Ok(())
    }
}

/// How a bundle that was not packed is.
fn pack_hint(bundle: &Bundle, cwd: &Path) -> String {
    let unpacked = bundle.components.iter().find(|component| component.manifest.is_none());
    let Some(component) = unpacked else {
        return "pack its components, which `handbox pack --help` explains".to_owned();
    };
    let packed = format!("{}.tool.wasm", component.name);
    let pack = Ceiling { bundle, component, cwd }.pack();
    format!(
        "{pack}; then --bundle {}. `handbox pack --help` says what a tool.toml is, and who needs none",
        shell_word(&packed)
    )
}

/// The tools of all bundles: from their manifests, without loading anything.
pub(crate) fn tools(chosen: &[Chosen], policies: &Policies<'_>, cwd: &Path) -> Result<Vec<ToolSpec>, Failure> {
    let mut tools: Vec<ToolSpec> = Vec::new();
    for one in chosen {
        let own = one.bundle.known_tools()?;
        if own.is_empty() {
            let name = &one.bundle.name;
            let message = format!("what tools `{name}` has can only be known by running it, since it was not packed");
            return Err(Failure::new(Kind::Broken, message).hint(pack_hint(&one.bundle, cwd)));
        }
        for tool in policies.apply(&one.pinned.hand, &own) {
            if tools.iter().any(|other| other.name.as_str().eq_ignore_ascii_case(tool.name.as_str())) {
                let message = format!("two bundles have a tool `{}`", tool.name);
                return Err(Failure::usage(message).hint("leave one out, or give it another name in a bundle.toml"));
            }
            tools.push(tool);
        }
    }
    policies.check(&tools)?;
    Ok(tools)
}
