//! From sources to the bytes that are kept.

use crate::{Component, Locked, Problem, Result, Target, digest, flags, source_hash};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `handbox` that packs; built from this repository if none.
    pub handbox: Option<PathBuf>,
    /// Leaves the manifests out.
    pub unpacked: bool,
    /// Where the compiler works, and where packed files are put in between.
    pub work: PathBuf,
}

/// Builds components, and says what became of each: its bytes and what to lock.
///
/// # Errors
///
/// It does not compile, or cannot be packed.
pub fn build(root: &Path, components: &[Component], options: &Options) -> Result<Vec<(Locked, Vec<u8>)>> {
    compile(root, components, &options.work)?;
    let compiler = flags::output(flags::tool(root, "rustc").arg("-V"))?.trim().to_owned();
    let mut built = Vec::new();
    for component in components {
        let mut artifact = artifact(component, &options.work);
        let packed = match &component.manifest {
            Some(manifest) if !options.unpacked => {
                artifact = pack(root, component, &artifact, manifest, options)?;
                true
            }
            _ => false,
        };
        let bytes = fs::read(&artifact).map_err(Problem::with(&artifact))?;
        let locked = Locked {
            name: component.name.clone(),
            sha256: digest(&bytes),
            bytes: bytes.len() as u64,
            compiler: compiler.clone(),
            packed,
            sources: source_hash(root, component)?,
        };
        built.push((locked, bytes));
    }
    Ok(built)
}

/// Compiles each package once, with all that is wanted of it.
fn compile(root: &Path, components: &[Component], work: &Path) -> Result<()> {
    for component in components.iter().filter(|component| component.target == Target::Python) {
        fs::create_dir_all(work).map_err(Problem::with(work))?;
        let script = root.join(&component.folder).join("build.py");
        run(Command::new("python3").arg(script).arg(artifact(component, work)))?;
    }
    let compiled = components.iter().filter(|component| component.target != Target::Python);
    let mut packages: Vec<_> = compiled.map(|component| (&component.workspace, component.package.as_str())).collect();
    packages.sort_unstable();
    packages.dedup();
    for (workspace, package) in packages {
        let mut command = flags::cargo_build(root, work)?;
        if let Some(workspace) = workspace {
            command.current_dir(root.join(workspace));
        }
        command.args(["-p", package]);
        for component in components.iter().filter(|component| component.package == package) {
            match component.target {
                Target::Lib => command.arg("--lib"),
                Target::Bin => command.args(["--bin", package]),
                Target::Example => command.args(["--example", &component.name]),
                // Of no package.
                Target::Python => &mut command,
            };
        }
        run(&mut command)?;
    }
    Ok(())
}

fn artifact(component: &Component, work: &Path) -> PathBuf {
    let folder = work.join("wasm32-wasip2").join("release");
    match component.target {
        Target::Lib => folder.join(format!("{}.wasm", component.package.replace('-', "_"))),
        Target::Bin => folder.join(format!("{}.wasm", component.package)),
        Target::Example => folder.join("examples").join(format!("{}.wasm", component.name)),
        Target::Python => work.join(format!("{}.wasm", component.name)),
    }
}

/// Puts the manifest in. The list's name wins over the manifest's, so that several
/// components can share one.
fn pack(root: &Path, component: &Component, artifact: &Path, manifest: &Path, options: &Options) -> Result<PathBuf> {
    let path = root.join(manifest);
    let text = fs::read_to_string(&path).map_err(Problem::with(&path))?;
    let table: std::result::Result<toml::Table, _> = toml::from_str(&text);
    let mut table = table.map_err(|error| Problem(format!("{}: {error}", path.display())))?;
    table.insert("name".to_owned(), component.name.clone().into());
    let named = options.work.join(format!("{}.toml", component.name));
    fs::write(&named, table.to_string()).map_err(Problem::with(&named))?;

    let packed = options.work.join(format!("{}.packed.wasm", component.name));
    let mut command = match &options.handbox {
        Some(handbox) => Command::new(handbox),
        None => {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(root.join(".."));
            cargo.args(["run", "--quiet", "--release", "-p", "handbox", "--"]);
            cargo
        }
    };
    command.arg("pack").arg(artifact).arg("-o").arg(&packed).arg("--manifest").arg(&named);
    run(&mut command)?;
    Ok(packed)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| Problem(format!("{command:?}: {error}")))?;
    if status.success() { Ok(()) } else { Err(Problem(format!("{command:?}: {status}"))) }
}

/// Compresses what is kept.
pub(crate) fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    let mut compressed = Vec::new();
    let mut reader = bytes;
    brotli::BrotliCompress(&mut reader, &mut compressed, &params).map_err(|error| Problem(error.to_string()))?;
    Ok(compressed)
}

/// Keeps a component's bytes.
///
/// # Errors
///
/// The file cannot be written.
pub fn keep(root: &Path, component: &Component, bytes: &[u8]) -> Result<u64> {
    let path = component.kept(root);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Problem::with(folder))?;
    }
    let compressed = compress(bytes)?;
    fs::write(&path, &compressed).map_err(Problem::with(&path))?;
    Ok(compressed.len() as u64)
}

/// Writes a packed component's manifest and digest beside it: a program that embeds the
/// component reads those instead of unpacking it.
///
/// # Errors
///
/// A file cannot be written, or the manifest cannot be read.
pub fn describe(root: &Path, component: &Component, bytes: &[u8]) -> Result<()> {
    let manifest = handbox_bundle::section::read(bytes).map_err(|error| Problem(error.to_string()))?;
    let Some(manifest) = manifest else { return Ok(()) };
    let json = serde_json::to_string_pretty(&manifest).map_err(|error| Problem(error.to_string()))?;
    let kept = component.kept(root);
    for (end, text) in [("json", json + "\n"), ("sha256", format!("sha256:{}", digest(bytes)))] {
        let path = kept.with_file_name(format!("{}.{end}", component.name));
        fs::write(&path, text).map_err(Problem::with(&path))?;
    }
    Ok(())
}

/// Reads a kept file.
///
/// # Errors
///
/// It is not there, or not compressed.
pub fn unpack(path: &Path) -> Result<Vec<u8>> {
    let compressed = fs::read(path).map_err(Problem::with(path))?;
    let mut bytes = Vec::new();
    brotli::BrotliDecompress(&mut compressed.as_slice(), &mut bytes).map_err(Problem::with(path))?;
    Ok(bytes)
}
