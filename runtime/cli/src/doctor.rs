//! `handbox doctor`: what this machine can give, and what to do about the rest.

use crate::args::{self, Global};
use crate::config::Config;
use crate::failure::Failure;
use crate::grants::{self, Asking};
use crate::paths::Paths;
use crate::{describe, log, machine, output, pack, wiring};
use handbox_bundle::Profile;
use handbox_hand::{Call, Hand, ToolName};
use handbox_hands::{Allocation, Cache, Engine, Environment, Library, MemoryReset, QuietLoad, Toolbox};
use serde::Serialize;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// Instances of the pool that is tried: as many as a busy host would want at once.
const POOL_INSTANCES: u32 = 100;

/// A component with one function, `seven`, that takes nothing and gives 7:
///
/// ```wat
/// (component
///   (core module (func (export "f") (result i32) i32.const 7))
///   (core instance (instantiate 0))
///   (alias core export 0 "f" (core func))
///   (type (func (result u32)))
///   (func (type 0) (canon lift (core func 0)))
///   (export "seven" (func 0)))
/// ```
const SEVEN: &[u8] = b"\0asm\r\0\x01\0\x01\"\0asm\x01\0\0\0\x01\x05\x01`\0\x01\x7f\x03\x02\x01\0\x07\x05\x01\
    \x01f\0\0\n\x06\x01\x04\0A\x07\x0b\x02\x04\x01\0\0\0\x06\x07\x01\0\0\x01\0\x01f\x07\x05\x01@\0\0y\x08\x06\x01\0\
    \0\0\0\0\x0b\x0b\x01\0\x05seven\x01\0\0";

/// Check that this machine can run tools, and how fast.
///
/// Each line is `ok`, `warn` (it works, but slower or not as it should) or `fail` (calls will
/// not work), with what to do. Nothing is changed, and no tool is run but a tiny one
/// inside this program.
///
/// Exit status: 0 if nothing is marked `fail`, otherwise 1.
#[derive(clap::Args)]
pub(crate) struct Doctor {}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) status: Status,
    pub(crate) found: String,
    /// What to do about it.
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(crate) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, status: Status::Ok, found: found.into(), fix: None }
    }

    pub(crate) fn warn(what: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, status: Status::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    pub(crate) fn fail(what: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, status: Status::Fail, found: found.into(), fix: Some(fix.into()) }
    }
}

pub(crate) fn run(global: &Global, _: &Doctor) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let mut findings = vec![Finding::ok("version", wiring::VERSION.replace('\n', ", ")), machine::platform()];
    findings.extend(engines());
    findings.extend(machine::mappings());
    findings.extend(machine::folders(&paths));
    configured(&paths, &mut findings);
    findings.extend(log::findings(&paths));
    findings.push(cache(&paths.cache));
    findings.extend(built_in());
    let worst = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    if global.json {
        output::json_line(&json!({ "status": worst, "findings": findings }));
    } else {
        output::data(&text(&findings));
    }
    Ok(if worst == Status::Fail { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        let fix = finding.fix.iter().map(|fix| format!("\nto do: {fix}")).collect::<String>();
        let label = format!("{status:4}  {:10}", finding.what);
        text.push_str(&describe::table(&[(&label, format!("{}{fix}", finding.found))]));
    }
    text
}

/// Parses and resolves what is configured here, as every call does. A fault replaces the
/// finding that the file can be read.
fn configured(paths: &Paths, findings: &mut Vec<Finding>) {
    match resolve(paths) {
        Ok(warnings) => findings.extend(warnings),
        Err(failure) => {
            findings.retain(|finding| finding.what != "config" || finding.status == Status::Warn);
            let fix = failure.hint.unwrap_or_else(|| "correct it; `handbox config show` reads the same".to_owned());
            findings.push(Finding::fail("config", failure.message, fix));
        }
    }
}

/// What is odd about the configuration.
fn resolve(paths: &Paths) -> Result<Vec<Finding>, Failure> {
    let cwd = crate::paths::current_folder()?;
    let config = Config::load(paths, &cwd)?;
    let typed = args::Grants::default();
    let all = Asking { typed: &typed, config: &config, bundle: None, links: &[], paths, cwd: &cwd };
    let warnings = grants::effective(all)?.warnings;
    for name in config.names() {
        grants::effective(Asking { bundle: Some(name), ..all })?;
    }
    Ok(warnings.into_iter().map(|warning| Finding::warn("config", warning.message, warning.hint)).collect())
}

/// Whether engines start, whether a component runs, and how memory is reset.
fn engines() -> Vec<Finding> {
    let mut findings = match Engine::new(Allocation::OnDemand) {
        Ok(engine) => vec![self_test(engine)],
        Err(error) => vec![Finding::fail("sandbox", error.to_string(), "allow this process more memory (ulimit -v)")],
    };
    findings.push(match Engine::new(Allocation::Pool { instances: POOL_INSTANCES }) {
        Err(error) => Finding::warn(
            "pool",
            format!("a pool of {POOL_INSTANCES} instances cannot start: {error}"),
            "allow more address space (ulimit -v unlimited), or use engines without a pool; \
             `handbox call` never has one",
        ),
        Ok(engine) => match engine.memory_reset() {
            MemoryReset::WrittenPages => {
                Finding::ok("pool", "starts; memory is reset by the pages written (PAGEMAP_SCAN), the fastest way")
            }
            MemoryReset::Unmap => Finding::warn(
                "pool",
                "starts; this kernel has no PAGEMAP_SCAN, so all memory is given back after each call: safe, but slower",
                "use Linux 6.7 or later for the fastest calls",
            ),
        },
    });
    findings
}

/// Compiles a component and calls it, as every tool is.
fn self_test(engine: Engine) -> Finding {
    let started = Instant::now();
    match answer_of_seven(engine) {
        Ok(answer) if answer == "7" => {
            Finding::ok("sandbox", format!("a component was compiled and called in {:.0?}", started.elapsed()))
        }
        Ok(other) => Finding::fail("sandbox", format!("a component answered {other:?} instead of 7"), REPORT),
        Err(failure) => Finding::fail("sandbox", failure.message, failure.hint.unwrap_or_else(|| REPORT.to_owned())),
    }
}

const REPORT: &str = "please report it with the output of this command";

fn answer_of_seven(engine: Engine) -> Result<String, Failure> {
    let inspection = handbox_bundle::inspect(SEVEN)?;
    let bundle = pack::bundle(&inspection, SEVEN);
    let name = ToolName::new("seven").map_err(Failure::internal)?;
    wiring::runtime()?.block_on(async {
        let mut toolbox = Toolbox::new(Library::new(engine, None, Arc::new(QuietLoad)));
        toolbox.add(&bundle, &Environment::bare(Profile::Strict)).await?;
        Ok(toolbox.execute(Call::new("doctor", name, json!({}))).await?.text())
    })
}

fn cache(folder: &Path) -> Finding {
    let shown = folder.display();
    // Opening makes it, and looking is to change nothing.
    if !folder.exists() {
        return Finding::ok("cache", format!("{shown} is made by the first call"));
    }
    match Cache::open(folder) {
        Ok(_) => Finding::ok("cache", format!("{shown} is usable")),
        Err(error) => Finding::warn(
            "cache",
            error.to_string(),
            "until that is corrected, every call compiles its component again, which is safe and slow",
        ),
    }
}

/// Unpacks what is in this program and compares it with its digests.
fn built_in() -> Vec<Finding> {
    let sources = handbox_std_bundle::bundles();
    if sources.is_empty() {
        return vec![Finding::warn("bundle", "none is built into this program", "use a handbox with the bundle `std`")];
    }
    let mut findings = Vec::new();
    for source in &sources {
        let checked = source.bundle().and_then(|bundle| {
            let lines = bundle.components.iter().map(|component| {
                let size = component.load()?.len() as u64;
                Ok(format!("  {} {} {}", component.name, component.digest, describe::size(size)))
            });
            let lines: Result<Vec<String>, handbox_bundle::BundleError> = lines.collect();
            Ok(lines?.join("\n"))
        });
        findings.push(match checked {
            Ok(lines) => Finding::ok("bundle", format!("{} {}\n{lines}", source.name, source.version)),
            Err(error) => Finding::fail("bundle", format!("{}: {error}", source.name), "install Handbox again"),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_of_the_self_test_works() {
        let finding = self_test(Engine::new(Allocation::OnDemand).unwrap());
        assert_eq!(finding.status, Status::Ok, "{finding:?}");
    }

    #[test]
    fn each_finding_says_what_to_do() {
        let text = text(&[Finding::ok("a", "fine"), Finding::warn("b", "slow\nhere", "hurry")]);
        assert_eq!(
            text,
            "ok    a           fine\nwarn  b           slow\n                  here\n                  to do: hurry\n"
        );
    }

    #[test]
    fn a_cache_that_others_can_enter_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("cache");
        assert_eq!(cache(&made).status, Status::Ok);
        assert!(!made.exists(), "looking changes nothing");
        Cache::open(&made).unwrap();
        assert_eq!(cache(&made).status, Status::Ok);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert_eq!(cache(&made).status, Status::Warn);
        }
    }
}
