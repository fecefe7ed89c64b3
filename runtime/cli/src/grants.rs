//! From what was typed and configured to what a call may do.

use crate::args;
use crate::config::{
    Config, Layer, LayeredLimits, Narrow, NarrowFolder, Placed, Source, Stacked, Trust, Warning, before, failure_at,
    link_folders,
};
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_bundle::{
    Bundle, BundleError, Dangerous, Fence, FolderDefaults, FolderGrant, GUEST_PATH_DEFAULT, Grants, Limits,
    LimitsPatch, Mode, Profile, parse_env,
};
use handbox_hand::Destination;
use std::path::{Path, PathBuf};

/// What decides over one call, beside the bundle's own asks.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) typed: &'a args::Grants,
    pub(crate) config: &'a Config,
    /// What configuration calls the bundle; see `Opened::name`.
    pub(crate) bundle: Option<&'a str>,
    /// Those that were followed to load it; see `Bundle::links`.
    pub(crate) links: &'a [PathBuf],
    pub(crate) paths: &'a Paths,
    pub(crate) cwd: &'a Path,
}

/// What a call gets. A bundle gets at most what it asks for of this.
#[derive(Debug)]
pub(crate) struct Effective {
    /// Checked; host paths are canonical.
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) sources: Sources,
    /// Files that no guest may change: everything that Handbox loads or would load.
    pub(crate) protected: Vec<PathBuf>,
    pub(crate) warnings: Vec<Warning>,
    /// What was left out without being asked for.
    pub(crate) notes: Vec<Warning>,
}

/// Where each value of [`Effective`] came from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) limits: LayeredLimits,
    /// In the order of the folders.
    pub(crate) folders: Vec<Source>,
    /// In the order of the values.
    pub(crate) env: Vec<Source>,
    /// In the order of the hosts.
    pub(crate) hosts: Vec<Source>,
    /// What the project took away, for people, and where it says so.
    pub(crate) removed: Vec<Placed<String>>,
}

impl Effective {
    /// Takes the bundle's own limits into account, as running it does.
    pub(crate) fn narrow_by_author(&mut self, bundle: &Bundle) {
        self.sources.limits.narrow_by(&bundle.limits, &Source::Author);
        self.limits = self.sources.limits.limits;
    }

    /// Says what is odd.
    pub(crate) fn warn(&self, quiet: bool) {
        for warning in self.warnings.iter().filter(|_| !quiet) {
            output::note(Tone::Warning, &warning.message);
            output::note(Tone::Hint, &warning.hint);
        }
        for note in self.notes.iter().filter(|_| !quiet) {
            output::note(Tone::Note, &format!("note: {}", note.message));
            output::note(Tone::Hint, &note.hint);
        }
    }

    /// Everything that is odd, for a `--json` answer.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter().chain(&self.notes)
    }
}

/// Lays the operator's configuration, the project's file and the flags over one another.
///
/// From the weakest: the built-in defaults, `config.toml`, its `[bundles.NAME]`,
/// `handbox.toml`, its `[bundles.NAME]`, flags. Of folders with the same guest path, and of
/// environment values with the same name, the strongest wins. A project's file that is not
/// trusted only narrows what stands below it. Flags are the operator's own word, so that a
/// project narrows none of them.
pub(crate) fn effective(ask: Asking<'_>) -> Result<Effective, Failure> {
    let layers = Layers::of(ask)?;
    let (limits, mut wishes) = layers.limits();
    limits.limits.validate()?;
    let mut removed = Vec::new();
    let mut folders = layers.folders(ask, &mut removed)?;
    let notes = skip_refused_current_folder(&mut folders, ask);
    let env = layers.env(ask, &mut removed);
    let hosts = layers.hosts();
    let grants = check(&folders, &env, &hosts, ask)?;
    wishes.extend(layers.ungranted(&grants));
    let mut warnings = ask.config.warnings.clone();
    warnings.extend(ask.bundle.and_then(|name| ask.config.shadow_warning(name)));
    warnings.extend(trust_warning(ask.config, &wishes));
    let sources = Sources {
        limits: limits.clone(),
        folders: folders.into_iter().map(|folder| folder.source).collect(),
        env: env.into_iter().map(|value| value.source).collect(),
        hosts: hosts.into_iter().map(|host| host.source).collect(),
        removed,
    };
    Ok(Effective { grants, limits: limits.limits, sources, protected: protected(ask), warnings, notes })
}

/// The layers that speak about one call, the weakest first.
struct Layers<'a> {
    operator: Vec<&'a Layer>,
    project: Vec<&'a Layer>,
    trusted: bool,
    narrow: Option<&'a Narrow>,
    flags: Layer,
}

impl<'a> Layers<'a> {
    fn of(ask: Asking<'a>) -> Result<Self, Failure> {
        let (own, project) = ask.bundle.map_or((None, None), |name| ask.config.bundle_layers(name));
        let file = ask.config.project.as_ref();
        Ok(Self {
            operator: std::iter::once(&ask.config.operator.all).chain(own).collect(),
            project: file.map(|file| &file.settings.all).into_iter().chain(project).collect(),
            trusted: file.is_some_and(|file| file.trust == Trust::Given),
            narrow: file.map(|file| &file.settings.narrow),
            flags: flags(ask.typed, ask.cwd)?,
        })
    }

    /// The limits, and what the project asked for in vain.
    fn limits(&self) -> (LayeredLimits, Vec<Placed<String>>) {
        let mut limits = LayeredLimits::start();
        let mut wider = Vec::new();
        self.operator.iter().for_each(|layer| limits.replace(layer));
        for layer in &self.project {
            match self.trusted {
                true => limits.replace(layer),
                false => wider.extend(limits.narrow(layer)),
            }
        }
        limits.replace(&self.flags);
        (limits, wider)
    }

    fn trusted_project(&self) -> impl Iterator<Item = &&'a Layer> {
        self.project.iter().filter(|_| self.trusted)
    }

    fn folders(&self, ask: Asking<'_>, removed: &mut Vec<Placed<String>>) -> Result<Vec<Placed<FolderGrant>>, Failure> {
        if ask.typed.no_dir {
            return Ok(Vec::new());
        }
        let guest = |folder: &FolderGrant| folder.guest.clone();
        let mut stack = Stacked::new();
        self.operator.iter().for_each(|layer| stack.lay(&layer.folders, guest));
        let granted = self.trusted_project().chain([&&self.flags]).any(|layer| !layer.folders.is_empty());
        if stack.items.is_empty() && !granted {
            let host = ask.cwd.to_owned();
            let folder = FolderGrant { host, guest: GUEST_PATH_DEFAULT.to_owned(), mode: Mode::ReadOnly };
            stack.items.push(Placed::new(folder, Source::CurrentFolder));
        }
        // What a stronger layer replaces need not be narrowed, nor even be there.
        for layer in self.trusted_project().chain([&&self.flags]) {
            stack.items.retain(|own| layer.folders.iter().all(|new| new.value.guest != own.value.guest));
        }
        if let Some(narrow) = self.narrow {
            stack.items = narrow_folders(stack.items, narrow, removed)?;
        }
        self.trusted_project().for_each(|layer| stack.lay(&layer.folders, guest));
        stack.lay(&self.flags.folders, guest);
        Ok(stack.items)
    }

    fn env(&self, ask: Asking<'_>, removed: &mut Vec<Placed<String>>) -> Vec<Placed<(String, String)>> {
        let name = |pair: &(String, String)| pair.0.clone();
        let mut stack = Stacked::new();
        self.operator.iter().for_each(|layer| stack.lay(&layer.env, name));
        if let Some(remain) = self.narrow.and_then(|narrow| narrow.env.as_ref()) {
            let (kept, gone): (Vec<_>, Vec<_>) =
                stack.items.into_iter().partition(|value| remain.value.contains(&value.value.0));
            stack.items = kept;
            let gone = gone.iter().filter(|value| ask.typed.env.iter().all(|typed| !gives(typed, &value.value.0)));
            let gone = gone.map(|value| format!("environment value {}", value.value.0));
            removed.extend(gone.map(|what| Placed::new(what, remain.source.clone())));
        }
        self.trusted_project().for_each(|layer| stack.lay(&layer.env, name));
        stack.lay(&self.flags.env, name);
        stack.items
    }

    /// Where requests may go: all that the operator, a trusted project and flags name, each once.
    fn hosts(&self) -> Vec<Placed<Destination>> {
        let mut hosts: Vec<Placed<Destination>> = Vec::new();
        let layers = self.operator.iter().chain(self.trusted_project()).copied().chain([&self.flags]);
        for host in layers.flat_map(|layer| &layer.hosts) {
            if hosts.iter().all(|own| own.value != host.value) {
                hosts.push(host.clone());
            }
        }
        hosts
    }

    /// What an untrusted project would grant and nobody else does.
    fn ungranted(&self, grants: &Grants) -> Vec<Placed<String>> {
        if self.trusted {
            return Vec::new();
        }
        let mut wishes = Vec::new();
        for layer in &self.project {
            let has = |folder: &FolderGrant| {
                let same = |own: &&FolderGrant| own.guest == folder.guest && own.mode >= folder.mode;
                let real = folder.host.canonicalize().ok();
                grants.folders.iter().find(same).is_some_and(|own| Some(&own.host) == real.as_ref())
            };
            let folders = layer.folders.iter().filter(|folder| !has(&folder.value));
            wishes.extend(folders.map(|folder| {
                let FolderGrant { host, guest, mode } = &folder.value;
                Placed::new(format!("folder {} at {guest} ({mode})", host.display()), folder.source.clone())
            }));
            let hosts = layer.hosts.iter().filter(|host| !grants.hosts.contains(&host.value));
            wishes.extend(hosts.map(|host| Placed::new(format!("host {}", host.value), host.source.clone())));
            let env = layer.env.iter().filter(|value| !grants.env.contains(&value.value));
            wishes.extend(
                env.map(|value| Placed::new(format!("environment value {}", value.value.0), value.source.clone())),
            );
        }
        wishes
    }
}

fn gives(typed: &str, name: &str) -> bool {
    typed.split_once('=').is_some_and(|(own, _)| own == name)
}

/// The mode that a `--dir` names, if it names one.
pub(crate) fn typed_mode(dir: &str) -> Option<Mode> {
    let parse = |mode| {
        let defaults = FolderDefaults { cwd: Path::new("/"), guest: GUEST_PATH_DEFAULT, mode };
        FolderGrant::parse(dir, defaults).ok().map(|folder| folder.mode)
    };
    parse(Mode::ReadOnly).filter(|mode| parse(Mode::ReadWrite) == Some(*mode))
}

/// What was typed, as a layer.
pub(crate) fn flags(typed: &args::Grants, cwd: &Path) -> Result<Layer, Failure> {
    let mode = if typed.write { Mode::ReadWrite } else { Mode::ReadOnly };
    let defaults = FolderDefaults { cwd, guest: GUEST_PATH_DEFAULT, mode };
    let mut layer = Layer::default();
    for dir in &typed.dir {
        let source = Source::Flag("--dir");
        let grant = FolderGrant::parse(dir, defaults).map_err(|error| failure_at(&source, error))?;
        layer.folders.push(Placed::new(grant, source));
    }
    if typed.write && typed.dir.is_empty() {
        let grant = FolderGrant { host: cwd.to_owned(), guest: GUEST_PATH_DEFAULT.to_owned(), mode };
        layer.folders.push(Placed::new(grant, Source::Flag("--write")));
    }
    for value in &typed.env {
        let source = Source::Flag("--env");
        let pair = parse_env(value).map_err(|error| failure_at(&source, error))?;
        layer.env.push(Placed::new(pair, source));
    }
    for text in &typed.host {
        let source = Source::Flag("--host");
        layer.hosts.push(Placed::new(host(text, &source)?, source));
    }
    for text in &typed.limit {
        let source = Source::Flag("--limit");
        let patch = text.parse::<LimitsPatch>().map_err(|error| failure_at(&source, error))?;
        layer.limits.push(Placed::new(patch, source));
    }
    if let Some(name) = &typed.profile {
        let source = Source::Flag("--profile");
        let profile = name.parse::<Profile>().map_err(|error| failure_at(&source, error))?;
        layer.profile = Some(Placed::new(profile, source));
    }
    Ok(layer)
}

/// A destination as `--host` and configuration have it.
pub(crate) fn host(text: &str, source: &Source) -> Result<Destination, Failure> {
    Destination::parse_granted(text).map_err(|error| {
        let hint = "write api.example.com, *.example.com, https://api.example.com:8443/v1, http://127.0.0.1:8080, or * for every public host";
        before(source.in_error(), Failure::usage(error.to_string())).hint(hint)
    })
}

/// Leaves of `folders` what the project's `[narrow]` leaves.
fn narrow_folders(
    folders: Vec<Placed<FolderGrant>>,
    narrow: &Narrow,
    removed: &mut Vec<Placed<String>>,
) -> Result<Vec<Placed<FolderGrant>>, Failure> {
    let (Some(list), Some(at)) = (&narrow.folders, &narrow.folders_at) else { return Ok(folders) };
    let mut left = Vec::new();
    for folder in folders {
        match list.iter().find(|narrow| narrow.value.guest == folder.value.guest) {
            Some(narrow) => {
                let narrowed = narrow_folder(&folder, narrow)?;
                removed.extend(taken(&folder.value, &narrowed.value).map(|what| Placed::new(what, at.clone())));
                left.push(narrowed);
            }
            None => removed.push(Placed::new(format!("folder {}", folder.value.guest), at.clone())),
        }
    }
    Ok(left)
}

/// What is gone of a folder, for people.
fn taken(before: &FolderGrant, after: &FolderGrant) -> impl Iterator<Item = String> {
    let mode = (before.mode != after.mode).then(|| format!("writing to {}", before.guest));
    let part = (before.host != after.host).then(|| format!("all of {} but {}", before.guest, after.host.display()));
    mode.into_iter().chain(part)
}

fn narrow_folder(folder: &Placed<FolderGrant>, narrow: &Placed<NarrowFolder>) -> Result<Placed<FolderGrant>, Failure> {
    let NarrowFolder { mode, subfolder, .. } = &narrow.value;
    let mut grant = folder.value.clone();
    grant.mode = mode.map_or(grant.mode, |mode| mode.min(grant.mode));
    if let Some(subfolder) = subfolder {
        let failed = |path: &Path, error: std::io::Error| {
            let failure = Failure::usage(format!("there is no usable folder {}: {error}", path.display()));
            before(narrow.source.in_error(), failure).hint("make the folder, or correct `subfolder`")
        };
        let path = grant.host.join(subfolder);
        let outer = grant.host.canonicalize().map_err(|error| failed(&grant.host, error))?;
        grant.host = path.canonicalize().map_err(|error| failed(&path, error))?;
        // A link in the project must not lead out of what the operator granted.
        if !grant.host.starts_with(&outer) {
            let message = format!("{} leads out of the granted folder {}", path.display(), outer.display());
            let failure = before(narrow.source.in_error(), Failure::new(Kind::Denied, message));
            return Err(failure.hint("name a folder inside it; grant others yourself, with --dir or in config.toml"));
        }
    }
    let source = if grant == folder.value { folder.source.clone() } else { narrow.source.clone() };
    Ok(Placed::new(grant, source))
}

/// Takes out the current folder, which nobody named, if it is one that is refused.
fn skip_refused_current_folder(folders: &mut Vec<Placed<FolderGrant>>, ask: Asking<'_>) -> Vec<Warning> {
    let fence = fence(ask);
    let mut notes = Vec::new();
    folders.retain(|folder| {
        if !matches!(folder.source, Source::CurrentFolder) {
            return true;
        }
        let alone = Grants { folders: vec![folder.value.clone()], ..Grants::default() };
        let Err(error @ BundleError::Refused { .. }) = alone.checked(&fence) else { return true };
        let text = error.to_string();
        let reason = text.split_once(" is not granted: ").map_or(text.as_str(), |(_, reason)| reason);
        notes.push(Warning {
            message: format!("the current folder is not granted: {reason}"),
            hint: "change to a project, or grant a folder: --dir FOLDER".to_owned(),
        });
        false
    });
    notes
}

/// Checks all grants together, and says where the one stands that is refused.
fn check(
    folders: &[Placed<FolderGrant>],
    env: &[Placed<(String, String)>],
    hosts: &[Placed<Destination>],
    ask: Asking<'_>,
) -> Result<Grants, Failure> {
    let fence = fence(ask);
    let values = |folders: &[Placed<FolderGrant>]| folders.iter().map(|folder| folder.value.clone()).collect();
    let all = Grants {
        folders: values(folders),
        env: env.iter().map(|pair| pair.value.clone()).collect(),
        hosts: hosts.iter().map(|host| host.value.clone()).collect(),
    };
    let checked = all.checked(&fence).map_err(|error| {
        let alone = |folder: &&Placed<FolderGrant>| {
            let grants = Grants { folders: values(std::slice::from_ref(*folder)), ..Grants::default() };
            grants.checked(&fence).is_err()
        };
        let culprit = folders.iter().find(alone);
        before(culprit.and_then(|folder| folder.source.in_error()), error.into())
    })?;
    check_links(&checked, ask)?;
    Ok(checked)
}

/// Refuses a folder for outputs that no tool may write. That it may lie in one which is
/// granted read-only is what `--outputs` is for.
pub(crate) fn check_outputs(ask: Asking<'_>, host: &Path) -> Result<(), Failure> {
    let (host, guest) = (host.to_owned(), GUEST_PATH_DEFAULT.to_owned());
    let folder = FolderGrant { host, guest, mode: Mode::ReadWrite };
    check(&[Placed::new(folder, Source::Flag("--outputs"))], &[], &[], ask).map(drop)
}

/// Refuses to let a guest replace a link through which Handbox finds what it loads.
fn check_links(grants: &Grants, ask: Asking<'_>) -> Result<(), Failure> {
    let writable: Vec<_> = grants.folders.iter().filter(|folder| folder.mode == Mode::ReadWrite).collect();
    if writable.is_empty() {
        return Ok(());
    }
    for link in ask.links {
        if let Some(folder) = writable.iter().find(|folder| link.starts_with(&folder.host)) {
            let message = format!(
                "{} cannot be granted for writing: the bundle is loaded through the link {} in it",
                folder.host.display(),
                link.display()
            );
            let hint = "call the bundle by the path that the link leads to, or grant this folder with :ro";
            return Err(Failure::new(Kind::Denied, message).hint(hint));
        }
    }
    for file in loaded_files(ask) {
        let holders = link_folders(&file);
        let hit = writable.iter().find(|folder| holders.iter().any(|holder| holder.starts_with(&folder.host)));
        if let Some(folder) = hit {
            let message = format!(
                "{} cannot be granted for writing: it holds a link through which Handbox loads {}",
                folder.host.display(),
                file.display()
            );
            let hint = "name the file that the link leads to, or grant this folder with :ro";
            return Err(Failure::new(Kind::Denied, message).hint(hint));
        }
    }
    Ok(())
}

/// Checks grants that were given before against what is configured now.
pub(crate) fn recheck(grants: &Grants, ask: Asking<'_>) -> Result<Grants, Failure> {
    let checked = grants.checked(&fence(ask))?;
    check_links(&checked, ask)?;
    Ok(checked)
}

fn fence(ask: Asking<'_>) -> Fence {
    let own = [&ask.paths.config_folder, &ask.paths.cache, &ask.paths.data].map(Clone::clone);
    // A file that is not there yet cannot be protected while a call runs.
    let missing = loaded_files(ask).into_iter().filter(|file| !file.exists());
    Fence {
        home: Some(ask.paths.home.clone()),
        protected: own.into_iter().chain(missing).collect(),
        secret: secret(ask),
        dangerous: if ask.typed.allow_dangerous_folders { Dangerous::Allow } else { Dangerous::Refuse },
    }
}

/// The vault's files. The key also before it is made: a tool may run on while that happens; but not if the operator insists
/// on a folder for it.
fn secret(ask: Asking<'_>) -> Vec<PathBuf> {
    let insists = ask.typed.allow_dangerous_folders;
    let [vault, key] = crate::vault::keep(ask.paths).files();
    let key = Some(key).filter(|key| !insists || key.exists());
    Some(vault).filter(|vault| vault.exists()).into_iter().chain(key).collect()
}

/// The files that decide what runs and what it may do, as they are named.
fn loaded_files(ask: Asking<'_>) -> Vec<PathBuf> {
    let project = ask.config.project.as_ref().map(|project| project.file.clone());
    let own = ask.config.file.clone().into_iter().chain(project);
    own.chain(ask.config.alias_files()).collect()
}

/// The files that no guest may change.
pub(crate) fn protected(ask: Asking<'_>) -> Vec<PathBuf> {
    let mut files = loaded_files(ask);
    files.push(ask.paths.trust.clone());
    files
}

/// Says what an untrusted project asked for in vain.
fn trust_warning(config: &Config, wishes: &[Placed<String>]) -> Option<Warning> {
    let project = config.project.as_ref().filter(|_| !wishes.is_empty())?;
    let wishes: Vec<String> = wishes.iter().map(|wish| format!("  {}: {}", line(&wish.source), wish.value)).collect();
    let state = match project.trust {
        Trust::Changed => "has changed since you trusted it",
        Trust::Given | Trust::Never => "is not trusted",
    };
    Some(Warning {
        message: format!(
            "{} {state}, so it does not get what it asks for:\n{}",
            project.file.display(),
            wishes.join("\n")
        ),
        hint: "read it; if you agree, run `handbox config trust`".to_owned(),
    })
}

fn line(source: &Source) -> String {
    match source {
        Source::Config(place) | Source::Project(place, _) => format!("line {}", place.line),
        other => other.to_string(),
    }
}
