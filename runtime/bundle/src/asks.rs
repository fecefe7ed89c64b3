//! Asked ∩ granted: what one component may do, and what it misses.

use crate::error::BundleError;
use crate::grant::{FolderGrant, Grants, Mode, check_env_name, check_guest_path, covers};
use crate::manifest::{Asks, FolderAsk};
use handbox_hand::Destination;
use serde::Serialize;
use std::collections::BTreeSet;

/// More than any component needs; bounds the report of gaps.
const ASKS_MAX: usize = 64;

/// The path, name or host that stands for any.
const ANY: &str = "*";

/// What a component may do, and what it asked for in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Asked ∩ granted.
    pub grants: Grants,
    /// Asked and not granted, all of it. The component may well do without.
    pub gaps: Vec<Gap>,
}

/// What kind of thing was asked for and not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// A folder.
    Folder,
    /// A folder is there, but only to be read.
    Mode,
    /// An environment value.
    Env,
    /// A host on the network.
    Host,
    /// The component has no manifest, so it asks for nothing and gets nothing.
    Unpacked,
}

/// One thing that a component asked for and was not granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What kind of thing.
    pub kind: GapKind,
    /// What was asked for, in a few words.
    pub asked: String,
    /// Why it is not there.
    pub reason: String,
    /// The command-line flag that would grant it; `None` if none can. `HOST` and `VALUE`
    /// are for the operator to fill in.
    pub flag: Option<String>,
    /// The lines for `config.toml`, where `NAME` stands for the bundle's name; see [`Gap::config_lines`].
    config: Option<String>,
}

impl Gap {
    /// The lines for `config.toml` that would grant it to `bundle`; `None` if none can.
    pub fn config_lines(&self, bundle: &str) -> Option<String> {
        Some(self.config.as_ref()?.replace("NAME", &toml_key(bundle)))
    }

    /// The name of the environment value, if it is one.
    pub fn env(&self) -> Option<&str> {
        self.flag.as_deref()?.strip_prefix("--env ")?.strip_suffix("=VALUE")
    }

    pub(crate) fn unpacked(component: &str) -> Self {
        let reason = format!(
            "{component} has no manifest, so it asks for nothing and gets no folder and no environment value; \
             to let it ask, pack it: handbox pack FILE.wasm --manifest tool.toml -o {component}.tool.wasm"
        );
        Self { kind: GapKind::Unpacked, asked: "nothing".to_owned(), reason, flag: None, config: None }
    }
}

fn toml_key(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { toml_text(text) }
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Asks {
    /// Whether it asks for nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is left of `granted` for a component that asks for this, and what it misses.
    ///
    /// A folder is visible if its guest path, a folder above it or `*` is asked for; the
    /// most specific of these decides. Its mode is the lesser of asked and granted.
    pub fn effective(&self, granted: &Grants) -> Effective {
        let folders = granted.folders.iter().filter_map(|grant| {
            let ask = self.folder_for(&grant.guest)?;
            Some(FolderGrant { mode: grant.mode.min(ask.mode), ..grant.clone() })
        });
        let asked = |name: &str| self.env.iter().map(|ask| named(ask)).any(|ask| ask == ANY || ask == name);
        let env = granted.env.iter().filter(|(name, _)| asked(name)).cloned();
        let hosts = granted.hosts.iter().flat_map(|grant| self.hosts_within(grant));
        let grants = Grants { folders: folders.collect(), env: env.collect(), hosts: hosts.collect() };
        let folder_gaps = self.folders.iter().filter_map(|ask| folder_gap(ask, granted));
        let env_gaps = self.env.iter().filter_map(|name| env_gap(name, granted));
        let host_gaps = self.hosts.iter().filter_map(|host| host_gap(host, granted));
        let gaps = folder_gaps.chain(env_gaps).chain(host_gaps).collect();
        Effective { grants, gaps }
    }

    /// What it may reach of a destination that is granted.
    pub fn hosts_within(&self, granted: &Destination) -> Vec<Destination> {
        if self.hosts.iter().any(|ask| named(ask) == ANY) {
            return vec![granted.clone()];
        }
        let asked = self.hosts.iter().filter_map(|ask| Destination::parse(named(ask)).ok());
        asked.filter_map(|ask| ask.narrowed_by(granted)).collect()
    }

    /// Whether it may use a credential of this kind.
    pub fn wants_credential(&self, kind: &str) -> bool {
        self.credentials.iter().map(|ask| named(ask)).any(|ask| ask == ANY || ask == kind)
    }

    fn folder_for(&self, guest: &str) -> Option<&FolderAsk> {
        let specific = self.folders.iter().filter(|ask| covers(&ask.path, guest)).max_by_key(|ask| ask.path.len());
        specific.or_else(|| self.folders.iter().find(|ask| ask.path == ANY))
    }

    /// What both ask for: the ceiling that a bundle puts over its components.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Self {
        let paths: BTreeSet<&str> = self.folders.iter().chain(&other.folders).map(|ask| ask.path.as_str()).collect();
        let both = |path: &str| match path {
            ANY => Some((any_mode(self)?, any_mode(other)?)),
            path => Some((self.folder_for(path)?.mode, other.folder_for(path)?.mode)),
        };
        let folder = |path: &str| {
            let (own, theirs) = both(path)?;
            Some(FolderAsk { path: path.to_owned(), mode: own.min(theirs) })
        };
        Self {
            folders: paths.into_iter().filter_map(folder).collect(),
            env: common(&self.env, &other.env),
            hosts: common(&self.hosts, &other.hosts),
            credentials: common(&self.credentials, &other.credentials),
        }
    }

    /// Checks that every path and name could be granted and none stands twice.
    ///
    /// # Errors
    ///
    /// [`BundleError::Broken`] with the first fault: the asks are the author's.
    pub fn validate(&self) -> Result<(), BundleError> {
        let broken = |error: BundleError| BundleError::broken(format!("asks: {error}"), error.hint());
        for folder in self.folders.iter().filter(|folder| folder.path != ANY) {
            if folder.path.contains('*') {
                let message = format!("asks: folders: `{}` has a * in a path", crate::error::shown(&folder.path));
                let hint = "write path = \"*\" alone for any folder, or else a guest path such as /workspace, which stands for \
                            all that is in it";
                return Err(BundleError::broken(message, hint));
            }
            check_guest_path(&folder.path).map_err(broken)?;
        }
        for name in self.env.iter().map(|ask| named(ask)).filter(|name| *name != ANY) {
            check_env_name(name).map_err(broken)?;
        }
        for host in self.hosts.iter().map(|ask| named(ask)).filter(|host| *host != ANY) {
            Destination::parse(host).map_err(|error| {
                let message = format!("asks: hosts: {error}");
                BundleError::broken(
                    message,
                    "write api.example.com, *.example.com, https://api.example.com/v1, or * for any",
                )
            })?;
        }
        let paths = self.folders.iter().map(|folder| folder.path.as_str());
        check_list("folders", paths)?;
        check_list("env", self.env.iter().map(String::as_str))?;
        check_list("hosts", self.hosts.iter().map(String::as_str))?;
        check_list("credentials", self.credentials.iter().map(String::as_str))
    }
}

/// What an ask names: with a `?` behind it, it is a wish that is no gap if it is not granted.
fn named(ask: &str) -> &str {
    ask.strip_suffix('?').unwrap_or(ask)
}

fn any_mode(asks: &Asks) -> Option<Mode> {
    asks.folders.iter().find(|ask| ask.path == ANY).map(|ask| ask.mode)
}

fn common(own: &[String], theirs: &[String]) -> Vec<String> {
    let any = |list: &[String]| list.iter().any(|item| named(item) == ANY);
    let has = |list: &[String], item: &str| list.iter().any(|own| named(own) == named(item));
    let (own_any, their_any) = (any(own), any(theirs));
    let from_own = own.iter().filter(|item| their_any || has(theirs, item));
    let from_theirs = theirs.iter().filter(|item| own_any && !has(own, item));
    from_own.chain(from_theirs).filter(|item| named(item) != ANY || (own_any && their_any)).cloned().collect()
}

fn check_list<'a>(key: &str, items: impl Iterator<Item = &'a str>) -> Result<(), BundleError> {
    let mut seen = BTreeSet::new();
    for item in items {
        let shown = crate::error::shown(item);
        if item.is_empty() || item.len() > 1024 || item.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let message =
                format!("asks: {key}: `{shown}` is empty, longer than 1024 bytes or has spaces or control characters");
            return Err(BundleError::broken(message, "correct it in the manifest and pack again"));
        }
        if !seen.insert(item) {
            let message = format!("asks: {key}: `{shown}` stands twice");
            return Err(BundleError::broken(message, "keep one of them"));
        }
        if seen.len() > ASKS_MAX {
            let message = format!("asks: {key}: more than {ASKS_MAX} entries");
            return Err(BundleError::broken(message, "ask for a folder above them, or for `*`"));
        }
    }
    Ok(())
}

fn folder_gap(ask: &FolderAsk, granted: &Grants) -> Option<Gap> {
    let any = ask.path == ANY;
    let mut matching = granted.folders.iter().filter(|grant| any || covers(&ask.path, &grant.guest)).peekable();
    let (what, guest) = match any {
        true => ("any folder", crate::grant::GUEST_PATH_DEFAULT),
        false => (ask.path.as_str(), ask.path.as_str()),
    };
    let (kind, reason) = if matching.peek().is_none() {
        (GapKind::Folder, "no such folder is granted")
    } else if matching.all(|grant| grant.mode < ask.mode) {
        (GapKind::Mode, "it is granted read-only")
    } else {
        return None;
    };
    let table =
        format!("[[bundles.NAME.folders]]\nhost = \"HOST\"\nguest = {}\nmode = \"{}\"", toml_text(guest), ask.mode);
    Some(Gap {
        kind,
        asked: format!("{what} ({})", ask.mode),
        reason: reason.to_owned(),
        flag: Some(format!("--dir HOST:{guest}:{}", ask.mode)),
        config: Some(table),
    })
}

fn env_gap(name: &str, granted: &Grants) -> Option<Gap> {
    if name.ends_with('?') || name == ANY || granted.env.iter().any(|(own, _)| own == name) {
        return None;
    }
    Some(Gap {
        kind: GapKind::Env,
        asked: format!("environment value {name}"),
        reason: "no such value is granted".to_owned(),
        flag: Some(format!("--env {name}=VALUE")),
        config: Some(format!("[bundles.NAME.env]\n{} = \"VALUE\"", toml_key(name))),
    })
}

fn host_gap(host: &str, granted: &Grants) -> Option<Gap> {
    let (what, flag) = match host {
        wish if wish.ends_with('?') => return None,
        ANY if granted.hosts.is_empty() => ("any host".to_owned(), "NAME".to_owned()),
        ANY => return None,
        host => {
            let ask = Destination::parse(host).ok()?;
            if granted.hosts.iter().any(|grant| grant.narrowed_by(&ask).is_some()) {
                return None;
            }
            (format!("host {host}"), ask.to_string())
        }
    };
    Some(Gap {
        kind: GapKind::Host,
        asked: what,
        reason: "no such host is granted".to_owned(),
        flag: Some(format!("--host {flag}")),
        config: Some(format!("[bundles.NAME]\nhosts = [{}]", toml_text(&flag))),
    })
}
