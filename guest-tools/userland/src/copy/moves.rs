//! `mv`: gives things another name; where that cannot be, as between two disks, it copies them and removes what they were.

use super::settings::{Follow, Settings};
use super::{Run, inside, join};
use crate::about::About;
use crate::options::{Known, read};
use crate::quote::quoted;
use std::ffi::OsString;
use std::{fs, io};

const KNOWN: Known = Known {
    letters: "bfinS:t:Tuv",
    names: &[
        ("backup?", 'B'),
        ("force", 'f'),
        ("interactive", 'i'),
        ("no-clobber", 'n'),
        ("strip-trailing-slashes", '/'),
        ("suffix=", 'S'),
        ("target-directory=", 't'),
        ("no-target-directory", 'T'),
        ("update?", 'u'),
        ("verbose", 'v'),
    ],
    ends_at_operand: false,
};

/// Errors of a component's C library that a host gives which renames nothing from one disk to another: one of its own
/// for that, and the one that stands for all it has no word for.
#[cfg(target_os = "wasi")]
const ELSEWHERE: [i32; 2] = [75, 29];
#[cfg(not(target_os = "wasi"))]
const ELSEWHERE: [i32; 0] = [];

/// Runs `mv`; the first argument is its name. None if its command line says what is not known here.
pub(crate) fn mv(args: &[OsString]) -> Option<u8> {
    let settings = match settings(args)? {
        Ok(settings) => settings,
        Err(problem) => {
            crate::report("mv", &format!("{problem}\nTry 'mv --help' for more information."));
            return Some(1);
        }
    };
    let mut run = Run::new("mv", &settings);
    run.operands();
    Some(u8::from(run.failed))
}

/// What is asked for, or what is wrong with it in words.
fn settings(args: &[OsString]) -> Option<Result<Settings, String>> {
    let given = read(args, &KNOWN).ok()?;
    let update = given.value('u').unwrap_or_default();
    if !matches!(update, "" | "older" | "all" | "none") {
        return None;
    }
    let mut settings = Settings {
        moves: true,
        follow: Follow::Never,
        recursive: true,
        force: true,
        mode: true,
        times: true,
        links: true,
        keep: update == "none",
        update: given.has('u') && matches!(update, "" | "older"),
        verbose: given.has('v'),
        ..Settings::plain(given.operands.clone())
    };
    if let Some(suffix) = given.value('S') {
        settings.suffix = suffix.to_owned();
    }
    let told = given.options.iter().try_for_each(|(letter, value)| match letter {
        // Of these the last counts.
        'f' => {
            (settings.ask, settings.keep) = (false, false);
            Ok(())
        }
        'i' | 'n' | 'b' | 'B' => settings.option(*letter, value),
        'S' if settings.backup.is_none() => settings.option('b', ""),
        _ => Ok(()),
    });
    if given.has('/') {
        for source in &mut settings.sources {
            *source = source.trim_end_matches('/').to_owned();
        }
    }
    Some(told.and_then(|()| settings.place(&given)).map(|()| settings))
}

impl Run<'_> {
    /// Moves one thing.
    pub(super) fn moved(&mut self, from: &str, to: &str) {
        let about = match About::of_link(from) {
            Ok(about) => about,
            Err(error) => return self.fault("cannot stat", from, &error),
        };
        let mut kept = None;
        if let Ok(there) = About::of_link(to) {
            if !self.may_replace(from, to, &about, &there) {
                return;
            }
            if let Some(kind) = self.settings.backup {
                let path = kind.path(to, &self.settings.suffix);
                if let Err(error) = fs::rename(to, &path) {
                    return self.fault("cannot backup", to, &error);
                }
                kept = Some(path);
            }
        }
        if about.is_folder() && inside(to, &about) {
            return self.fail(&format!("cannot move {} to a subdirectory of itself, {}", quoted(from), quoted(to)));
        }
        let done = match fs::rename(from, to) {
            Err(error) if is_elsewhere(&error) => self.carry(from, to),
            Err(error) => {
                let reason = crate::reason(&error);
                self.fail(&format!("cannot move {} to {}: {reason}", quoted(from), quoted(to)));
                false
            }
            Ok(()) => true,
        };
        if !done {
            return;
        }
        if let Ok(made) = About::of_link(to) {
            self.made.insert((made.device, made.inode));
        }
        if self.settings.verbose {
            let backup = kept.map(|path| format!(" (backup: {})", quoted(&path))).unwrap_or_default();
            crate::print(format!("renamed {} -> {}{backup}\n", quoted(from), quoted(to)).as_bytes());
        }
    }

    /// Whether what stands there may go.
    fn may_replace(&mut self, from: &str, to: &str, about: &About, there: &About) -> bool {
        let settings = self.settings;
        let (from, shown) = (quoted(from), quoted(to));
        if there.same_file(about) {
            self.fail(&format!("{from} and {shown} are the same file"));
            return false;
        }
        if settings.keep || settings.update && !about.is_folder() && there.modified >= about.modified {
            return false;
        }
        if settings.ask && !self.answered(to) {
            return false;
        }
        let problem = if settings.backup.is_some() {
            return true;
        } else if self.made.contains(&(there.device, there.inode)) {
            format!("will not overwrite just-created {shown} with {from}")
        } else if there.is_folder() && !about.is_folder() {
            format!("cannot overwrite directory {shown} with non-directory")
        } else if !there.is_folder() && about.is_folder() {
            format!("cannot overwrite non-directory {shown} with directory {from}")
        } else {
            return true;
        };
        self.fail(&problem);
        false
    }

    /// Copies a thing to where it cannot be renamed to, and removes it once all of it is there.
    fn carry(&mut self, from: &str, to: &str) -> bool {
        let cleared = match About::of_link(to) {
            Ok(there) if there.is_folder() => fs::remove_dir(to),
            Ok(_) => fs::remove_file(to),
            Err(_) => Ok(()),
        };
        if let Err(error) = cleared {
            let (from, to) = (quoted(from), quoted(to));
            let reason = crate::reason(&error);
            self.fail(&format!("inter-device move failed: {from} to {to}; unable to remove target: {reason}"));
            return false;
        }
        let failed_before = std::mem::take(&mut self.failed);
        self.copied(from, to, false);
        let copied = !self.failed;
        self.failed |= failed_before;
        copied && self.removed(from)
    }

    /// Removes a thing with all that is in it. What is in the way is named.
    fn removed(&mut self, path: &str) -> bool {
        let done = match About::of_link(path) {
            Ok(about) if about.is_folder() => {
                let (names, fault) = crate::listing::names(path);
                if let Some(error) = fault {
                    self.fault("cannot remove", path, &error);
                    return false;
                }
                let left = names.iter().filter(|name| !self.removed(&join(path, name))).count();
                if left > 0 {
                    return false;
                }
                fs::remove_dir(path)
            }
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        if let Err(error) = &done {
            self.fault("cannot remove", path, error);
        }
        done.is_ok()
    }
}

fn is_elsewhere(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::CrossesDevices || error.raw_os_error().is_some_and(|code| ELSEWHERE.contains(&code))
}
