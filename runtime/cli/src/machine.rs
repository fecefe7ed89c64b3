//! What `doctor` looks at outside this program: the platform, the kernel's bounds, folders.

use crate::doctor::Finding;
use crate::paths::Paths;
use std::path::Path;

/// Mappings that an instance of an on-demand engine takes: memory, its guard, stack, its guard.
const MAPPINGS_PER_INSTANCE: u64 = 4;
/// Fewer live instances than this are soon reached by a host with many sessions.
const INSTANCES_FEW: u64 = 1_000;
/// What recent distributions set.
const MAPPINGS_WANTED: u64 = 1_048_576;

pub(crate) fn platform() -> Finding {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let name = format!("{os} on {arch}");
    if os == "linux" && matches!(arch, "x86_64" | "aarch64") {
        return Finding::ok("platform", name);
    }
    Finding::warn(
        "platform",
        format!("{name}: Handbox is written to work here, but is not tested here with every change"),
        "for work that matters, use Linux on x86-64 or aarch64",
    )
}

/// How many instances the kernel's bound on memory mappings allows. Other systems than Linux
/// have no such bound.
pub(crate) fn mappings() -> Option<Finding> {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let max: u64 = text.trim().parse().ok()?;
    let taken = std::fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count() as u64);
    Some(mappings_finding(max, taken))
}

fn mappings_finding(max: u64, taken: u64) -> Finding {
    let instances = max.saturating_sub(taken) / MAPPINGS_PER_INSTANCE;
    let found = format!("vm.max_map_count is {max}: room for about {instances} live instances without a pool");
    if instances >= INSTANCES_FEW {
        return Finding::ok("mappings", found);
    }
    Finding::warn("mappings", found, format!("sudo sysctl -w vm.max_map_count={MAPPINGS_WANTED}"))
}

pub(crate) fn folders(paths: &Paths) -> Vec<Finding> {
    vec![configuration(&paths.config), folder("data", &paths.data), temporary()]
}

fn configuration(file: &Path) -> Finding {
    let shown = file.display();
    let others = file.parent().and_then(writable_by_others).or_else(|| writable_by_others(file));
    match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::ok("config", format!("{shown} is not there: nothing is configured, and nothing has to be"))
        }
        Err(error) => Finding::fail(
            "config",
            format!("{shown} cannot be read: {error}"),
            "make it readable, or name another with --config",
        ),
        Ok(_) => match others {
            Some(path) => Finding::warn(
                "config",
                format!("{path} can be written by other users, who could grant themselves anything"),
                format!("chmod go-w {}", crate::describe::shell_word(&path)),
            ),
            None => Finding::ok("config", format!("{shown} (`handbox config show` prints what it says)")),
        },
    }
}

fn folder(what: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::ok(what, format!("{shown} is not there, and made when it is needed"))
        }
        Err(error) => Finding::warn(what, format!("{shown}: {error}"), "make it readable, or name another with --data"),
        Ok(about) if !about.is_dir() => {
            Finding::fail(what, format!("{shown} is a file"), "name a folder with --data or HANDBOX_DATA")
        }
        Ok(_) => match writable_by_others(path) {
            Some(path) => {
                let fix = format!("chmod go-w {}", crate::describe::shell_word(&path));
                Finding::warn(what, format!("{path} can be written by other users"), fix)
            }
            None => Finding::ok(what, shown.to_string()),
        },
    }
}

/// Where the scratch folder of each call is made.
fn temporary() -> Finding {
    let folder = std::env::temp_dir();
    match tempfile::Builder::new().prefix("handbox-").tempdir() {
        Ok(_) => Finding::ok("scratch", format!("{} can be written", folder.display())),
        Err(error) => Finding::fail(
            "scratch",
            format!("no folder can be made in {}: {error}", folder.display()),
            "set TMPDIR to a folder that you can write",
        ),
    }
}

/// The path, if users other than its owner may write there.
#[cfg(unix)]
fn writable_by_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(path).ok()?;
    (about.mode() & 0o022 != 0).then(|| path.display().to_string())
}

/// Below a user's profile, folders are private by default there.
#[cfg(not(unix))]
fn writable_by_others(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn the_ceiling_of_instances_follows_from_the_mappings() {
        let usual = mappings_finding(65_530, 130);
        assert!(usual.found.contains("16350") && usual.status == Status::Ok, "{usual:?}");
        assert_eq!(mappings_finding(100, 130).status, Status::Warn);
    }

    #[test]
    fn a_configuration_need_not_be_there() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(configuration(&folder.path().join("config.toml")).status, Status::Ok);
    }

    #[cfg(unix)]
    #[test]
    fn a_configuration_that_others_may_write_is_pointed_out() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(configuration(&file).status, Status::Warn);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(configuration(&file).status, Status::Ok);
    }
}
