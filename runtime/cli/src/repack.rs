//! Whether a packed component is older than the project that it was packed from.
//!
//! What is called is the packed file, so that a change which was not packed again does nothing, and nothing fails.

use crate::ceiling::shown;
use crate::output::{self, Tone};
use crate::whole_file;
use handbox_bundle::{BUNDLE_FILE, Bundle, COMPONENT_BYTES_MAX, Kind, Manifest, ManifestFile, TOML_BYTES_MAX, section};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The most files and folders of a project's sources that are looked at.
const ENTRIES_MAX: usize = 256;
/// A checkout or a copy writes all files at once, in any order: times this close tell nothing.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How far above a project the target folder of its workspace is looked for.
const LEVELS_MAX: usize = 3;
/// Where a target folder has components.
const BUILT: &str = "wasm32-wasip2/release";
const BUILT_FOR_DEBUGGING: &str = "wasm32-wasip2/debug";

/// Says that a bundle is older than its project, and how to pack it again.
pub(crate) fn note(bundle: &Bundle, cwd: &Path, quiet: bool) {
    if let Some(text) = (!quiet).then(|| stale(bundle, cwd)).flatten() {
        output::note(Tone::Note, &format!("note: {text}"));
    }
}

/// Says of what was just packed from `file` that its sources have changed since it was built.
pub(crate) fn unbuilt(file: &Path, out: &Path, cwd: &Path) -> Option<String> {
    let at = modified(file)?;
    let packed = shown(file, cwd);
    if let Some(build) = moved(file, cwd).filter(|build| modified(build) > Some(at)) {
        let build = shown(&build, cwd);
        return Some(format!(
            "CARGO_TARGET_DIR is set, and {build} is newer than {packed}, which is what was packed; pack that one"
        ));
    }
    let whole = cwd.join(file);
    let profile = whole.parent()?;
    let built = [BUILT, BUILT_FOR_DEBUGGING].into_iter().find(|built| profile.ends_with(built))?;
    let root = profile.ancestors().nth(3)?;
    let out = cwd.join(out);
    let mut folders = out.parent().into_iter().chain([cwd, root]);
    let project = folders.find_map(|folder| Project::built_as(folder, &whole.file_stem()?.to_string_lossy()))?;
    // Cargo does not build again for a Cargo.toml that says the same, however new it is.
    let (source, _) = project.newest(Vec::new()).filter(|(_, time)| is_later(*time, at))?;
    let source = shown(&source, cwd);
    let cargo = project.cargo(cwd);
    let cargo = if built == BUILT { cargo } else { cargo.replace(" --release", "") };
    Some(format!("{source} is newer than {packed}, which is what was packed; build first: {cargo}"))
}

/// Where Cargo put what is looked for at `file`, if CARGO_TARGET_DIR is why it is not there.
pub(crate) fn moved(file: &Path, cwd: &Path) -> Option<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty())?;
    // Its target, its profile and its name.
    let mut parts: Vec<_> = file.components().rev().take(3).collect();
    parts.reverse();
    let path = cwd.join(folder).join(parts.into_iter().collect::<PathBuf>());
    (path.is_file() && path != cwd.join(file)).then_some(path)
}

fn stale(bundle: &Bundle, cwd: &Path) -> Option<String> {
    let ([file], [component]) = (&bundle.files[..], &bundle.components[..]) else { return None };
    let manifest = component.manifest.as_ref().filter(|_| !file.ends_with(BUNDLE_FILE))?;
    let packed = Packed { file, at: modified(file)?, manifest, kind: component.kind };
    let project = Project::of(&packed)?;
    let build = project.build();
    let built = build.as_deref().and_then(modified);
    let source = project.newest_source().filter(|(_, at)| is_later(*at, packed.at));
    let (what, builds) = match source {
        Some((path, at)) if built.is_none_or(|built| built < at) => (path, true),
        _ => match build
            .as_ref()
            .filter(|build| built > Some(packed.at) && packed.is_of_another(build, &component.load().ok()))
        {
            Some(build) => (build.clone(), false),
            None => (project.manifest_file.clone().filter(|path| packed.says_otherwise(path))?, build.is_none()),
        },
    };
    let build = build.unwrap_or_else(|| project.usual_build());
    let pack = packed.pack(&build, project.manifest_file.as_deref(), cwd);
    let line = if builds { format!("{} && {pack}", project.cargo(cwd)) } else { pack };
    let (what, file) = (shown(&what, cwd), shown(file, cwd));
    let again = if builds { "build and pack" } else { "pack" };
    Some(format!("{what} is newer than {file}, which is what runs; {again} it again: {line}"))
}

/// A component that was packed.
struct Packed<'a> {
    file: &'a Path,
    at: SystemTime,
    manifest: &'a Manifest,
    kind: Kind,
}

impl Packed<'_> {
    /// The name of its file, without its ends.
    fn stem(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        stem.strip_suffix(".tool").unwrap_or(&stem).to_owned()
    }

    /// Whether packing `build` would give other bytes.
    fn is_of_another(&self, build: &Path, own: &Option<std::sync::Arc<[u8]>>) -> bool {
        let again = whole_file::read(build, COMPONENT_BYTES_MAX).ok();
        let again = again.and_then(|bytes| section::write(&bytes, self.manifest).ok());
        again.is_some() && again.as_deref() != own.as_deref()
    }

    /// Whether a manifest file that was changed since says something else than what is packed.
    fn says_otherwise(&self, path: &Path) -> bool {
        let tools = if self.kind == Kind::Command { Vec::new() } else { self.manifest.tools.clone() };
        let now = manifest_file(path).and_then(|file| file.into_manifest(tools).ok());
        modified(path).is_some_and(|at| at > self.at) && now.is_some_and(|now| now != *self.manifest)
    }

    fn pack(&self, build: &Path, manifest_file: Option<&Path>, cwd: &Path) -> String {
        let manifest = match manifest_file {
            Some(path) => format!(" --manifest {}", shown(path, cwd)),
            // Which one it was is not known.
            None if !self.manifest.asks.is_empty() || self.kind == Kind::Command => " --manifest TOOL.toml".to_owned(),
            None => String::new(),
        };
        format!("handbox pack {} -o {}{manifest}", shown(build, cwd), shown(self.file, cwd))
    }
}

/// What lies beside a packed component, and is about the same.
struct Project {
    folder: PathBuf,
    /// What Cargo calls the component; nothing if it is not built by Cargo.
    crates: Vec<String>,
    /// Where somebody put what was built.
    beside: Option<PathBuf>,
    manifest_file: Option<PathBuf>,
}

impl Project {
    fn of(packed: &Packed<'_>) -> Option<Self> {
        let folder = packed.file.parent()?.to_owned();
        let stem = packed.stem();
        let is_same = |name: &str| [&stem, &packed.manifest.name].into_iter().any(|own| plain(own) == plain(name));
        let crates = crates(&folder).filter(|crates| crates.last().is_some_and(|package| is_same(package)));
        let crates = crates.unwrap_or_default();
        let path = folder.join("tool.toml");
        let own = manifest_file(&path).filter(|file| is_same(&file.name) || !crates.is_empty());
        let manifest_file = own.map(|_| path);
        let beside = Some(folder.join(format!("{stem}.wasm"))).filter(|path| path != packed.file && path.is_file());
        let is_one = !crates.is_empty() || manifest_file.is_some() || beside.is_some();
        is_one.then_some(Self { folder, crates, beside, manifest_file })
    }

    /// The project in this folder, if Cargo builds a component of this name of it.
    fn built_as(folder: &Path, name: &str) -> Option<Self> {
        let crates = crates(folder).filter(|crates| crates.iter().any(|one| one == name))?;
        Some(Self { folder: folder.to_owned(), crates, beside: None, manifest_file: None })
    }

    /// The component as it was built, if it is there.
    fn build(&self) -> Option<PathBuf> {
        let own = std::env::var_os("CARGO_TARGET_DIR").map(|folder| self.folder.join(folder));
        let above = self.folder.ancestors().take(LEVELS_MAX + 1).map(|folder| folder.join("target"));
        let folders = own.into_iter().chain(above);
        let built = folders
            .flat_map(|folder| self.crates.iter().map(move |name| folder.join(BUILT).join(format!("{name}.wasm"))));
        built.chain(self.beside.clone()).find(|path| path.is_file())
    }

    /// Where Cargo would put it.
    fn usual_build(&self) -> PathBuf {
        let name = self.crates.first().map_or("NAME", String::as_str);
        self.folder.join("target").join(BUILT).join(format!("{name}.wasm"))
    }

    /// The source that was changed last, of those that are looked at.
    fn newest_source(&self) -> Option<(PathBuf, SystemTime)> {
        if self.crates.is_empty() { None } else { self.newest(vec![self.folder.join("Cargo.toml")]) }
    }

    /// The newest of `sources` and of those in src.
    fn newest(&self, mut sources: Vec<PathBuf>) -> Option<(PathBuf, SystemTime)> {
        let (mut folders, mut left) = (vec![self.folder.join("src")], ENTRIES_MAX);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().take(left).flatten() {
                left -= 1;
                // Links are not followed, so that this ends.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(kind) if kind.is_file() && entry.path().extension().is_some_and(|end| end == "rs") => {
                        sources.push(entry.path());
                    }
                    _ => {}
                }
            }
        }
        let times = sources.into_iter().filter_map(|path| modified(&path).map(|at| (path, at)));
        times.max_by_key(|(_, at)| *at)
    }

    fn cargo(&self, cwd: &Path) -> String {
        let at = self.folder.join("Cargo.toml");
        let at = if self.folder == cwd { String::new() } else { format!(" --manifest-path {}", shown(&at, cwd)) };
        format!("cargo build --release --target wasm32-wasip2{at}")
    }
}

/// What Cargo calls what it builds in this folder, the package last.
fn crates(folder: &Path) -> Option<Vec<String>> {
    let cargo = toml_file(&folder.join("Cargo.toml"))?;
    let name = |table: &str| Some(cargo.get(table)?.get("name")?.as_str()?.to_owned());
    let package = name("package")?;
    Some(name("lib").into_iter().chain([plain(&package), package]).collect())
}

fn is_later(one: SystemTime, other: SystemTime) -> bool {
    one.duration_since(other).is_ok_and(|by| by > AT_ONCE)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn text(path: &Path) -> Option<String> {
    String::from_utf8(whole_file::read(path, TOML_BYTES_MAX as u64).ok()?).ok()
}

fn toml_file(path: &Path) -> Option<toml::Table> {
    text(path)?.parse().ok()
}

fn manifest_file(path: &Path) -> Option<ManifestFile> {
    ManifestFile::parse("", &text(path)?).ok()
}

/// What Cargo calls a library in its files.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}
