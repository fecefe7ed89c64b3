//! `chmod`.

use crate::about::{About, set_mode, umask};
use crate::mode::{self, Mode, letters};
use crate::options::{Known, read};
use crate::quote::quoted;
use crate::{print, report};
use std::ffi::OsString;

const KNOWN: Known = Known {
    letters: "Rcfv",
    names: &[
        ("recursive", 'R'),
        ("changes", 'c'),
        ("quiet", 'f'),
        ("silent", 'f'),
        ("verbose", 'v'),
        ("reference=", '='),
        ("preserve-root", '.'),
        ("no-preserve-root", '.'),
    ],
    ends_at_operand: false,
};

/// Runs `chmod`; the first argument is its name.
pub(super) fn chmod(args: &[OsString]) -> u8 {
    let (args, taken) = without_mode(args);
    let given = match read(&args, &KNOWN) {
        Ok(given) => given,
        Err(problem) => return fail(&problem),
    };
    let mut files = given.operands.clone();
    let wanted = if let Some(reference) = given.value('=') {
        match About::of(reference) {
            Ok(about) => format!("{:05o}", about.mode),
            Err(error) => {
                let reason = crate::reason(&error);
                return fail(&format!("failed to get attributes of {}: {reason}", quoted(reference)));
            }
        }
    } else if let Some(taken) = &taken {
        taken.clone()
    } else if files.is_empty() {
        return fail("missing operand");
    } else {
        files.remove(0)
    };
    if files.is_empty() {
        return fail(&if taken.is_some() {
            "missing operand".into()
        } else {
            format!("missing operand after {}", quoted(&wanted))
        });
    }
    let Some(wanted) = mode::parse(&wanted) else {
        return fail(&format!("invalid mode: {}", quoted(&wanted)));
    };
    let mut run = Run {
        mode: wanted,
        umask: umask(),
        surprising: taken.is_some(),
        recursive: given.has('R'),
        quiet: given.has('f'),
        verbose: given.has('v'),
        changes: given.has('c'),
        failed: false,
    };
    for file in &files {
        run.change(file, true);
    }
    u8::from(run.failed)
}

fn fail(text: &str) -> u8 {
    report("chmod", &format!("{text}\nTry 'chmod --help' for more information."));
    1
}

/// `chmod -w file` has its mode where an option would stand. The other arguments, and that mode.
fn without_mode(args: &[OsString]) -> (Vec<OsString>, Option<String>) {
    let mut rest = Vec::with_capacity(args.len());
    let mut modes: Vec<String> = Vec::new();
    let mut options = true;
    for (place, arg) in args.iter().enumerate() {
        let text = arg.to_string_lossy();
        options = options && text != "--";
        let letters = text.strip_prefix('-').unwrap_or_default();
        let is_mode = letters.starts_with(|first: char| "rwxXstugoa,+=".contains(first) || first.is_digit(8));
        if place > 0 && options && is_mode {
            modes.push(text.into_owned());
        } else {
            rest.push(arg.clone());
        }
    }
    (rest, (!modes.is_empty()).then(|| modes.join(",")))
}

#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Run {
    mode: Mode,
    umask: u32,
    /// Whether it is said where the mask left a bit that was to go.
    surprising: bool,
    recursive: bool,
    quiet: bool,
    verbose: bool,
    changes: bool,
    failed: bool,
}

impl Run {
    fn fail(&mut self, text: &str) {
        if !self.quiet {
            report("chmod", text);
        }
        self.failed = true;
    }

    fn change(&mut self, path: &str, named: bool) {
        let about = match if named { About::of(path) } else { About::of_link(path) } {
            Ok(about) => about,
            Err(error) => {
                let text = match About::of_link(path) {
                    Ok(_) => format!("cannot operate on dangling symlink {}", quoted(path)),
                    Err(_) => format!("cannot access {}: {}", quoted(path), crate::reason(&error)),
                };
                self.fail(&text);
                return;
            }
        };
        // Links within a tree are left alone: what they lead to may lie elsewhere.
        if about.is_link() {
            return;
        }
        let folder = about.is_folder();
        let after = self.mode.apply(about.mode, folder, self.umask);
        if let Err(error) = set_mode(path, after) {
            let text = format!("changing permissions of {}: {}", quoted(path), crate::reason(&error));
            self.fail(&text);
        } else {
            self.tell(path, about.mode, after);
            let named_only = self.mode.apply(about.mode, folder, 0);
            if self.surprising && after & !named_only != 0 {
                let (is, wanted) = (letters(after), letters(named_only));
                self.fail(&format!("{path}: new permissions are {is}, not {wanted}"));
            }
        }
        if self.recursive && folder {
            self.descend(path);
        }
    }

    fn tell(&self, path: &str, before: u32, after: u32) {
        let shown = |mode: u32| format!("{mode:04o} ({})", letters(mode));
        if before != after && (self.verbose || self.changes) {
            let line = format!("mode of {} changed from {} to {}\n", quoted(path), shown(before), shown(after));
            print(line.as_bytes());
        } else if self.verbose {
            print(format!("mode of {} retained as {}\n", quoted(path), shown(after)).as_bytes());
        }
    }

    fn descend(&mut self, folder: &str) {
        let (names, fault) = crate::listing::names(folder);
        for name in names {
            self.change(&format!("{}/{name}", folder.trim_end_matches('/')), false);
        }
        if let Some(error) = fault {
            self.fail(&format!("cannot read directory {}: {}", quoted(folder), crate::reason(&error)));
        }
    }
}
