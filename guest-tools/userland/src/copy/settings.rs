//! The command line of `cp`.

use super::backup::Backup;
use crate::options::{Given, Known, read};
use crate::quote::quoted;
use std::ffi::OsString;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    Operands,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Copy,
    Link,
    Symbolic,
}

#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Settings {
    pub(super) sources: Vec<String>,
    /// The folder that they are copied into, or what the one source is copied to.
    pub(super) into: Option<String>,
    pub(super) into_given: bool,
    pub(super) to: String,
    /// Whether what is copied goes away.
    pub(super) moves: bool,
    pub(super) way: Way,
    pub(super) follow: Follow,
    pub(super) recursive: bool,
    pub(super) parents: bool,
    pub(super) force: bool,
    pub(super) unlink: bool,
    pub(super) ask: bool,
    pub(super) keep: bool,
    pub(super) update: bool,
    pub(super) verbose: bool,
    pub(super) attributes: bool,
    pub(super) mode: bool,
    pub(super) no_mode: bool,
    pub(super) times: bool,
    pub(super) links: bool,
    pub(super) backup: Option<Backup>,
    pub(super) suffix: String,
}

const KNOWN: Known = Known {
    letters: "abdfHilLnpPrRsS:t:TuvxZ",
    names: &[
        ("archive", 'a'),
        ("attributes-only", '@'),
        ("backup?", 'B'),
        ("copy-contents", '.'),
        ("force", 'f'),
        ("interactive", 'i'),
        ("link", 'l'),
        ("dereference", 'L'),
        ("no-clobber", 'n'),
        ("no-dereference", 'P'),
        ("preserve?", '+'),
        ("no-preserve=", '-'),
        ("parents", '^'),
        ("recursive", 'R'),
        ("reflink?", '.'),
        ("remove-destination", 'U'),
        ("sparse=", '.'),
        ("strip-trailing-slashes", '/'),
        ("symbolic-link", 's'),
        ("suffix=", 'S'),
        ("target-directory=", 't'),
        ("no-target-directory", 'T'),
        ("update", 'u'),
        ("verbose", 'v'),
        ("one-file-system", 'x'),
        ("context?", 'Z'),
    ],
    ends_at_operand: false,
};

impl Settings {
    /// Reads a command line. What is wrong in words.
    pub(super) fn read(args: &[OsString]) -> Result<Self, String> {
        let given = read(args, &KNOWN)?;
        let recursive = given.has('r') || given.has('R') || given.has('a');
        let mut settings = Self {
            way: Way::Copy,
            follow: if recursive { Follow::Never } else { Follow::Always },
            recursive,
            parents: given.has('^'),
            force: given.has('f'),
            unlink: given.has('U'),
            attributes: given.has('@'),
            update: given.has('u'),
            verbose: given.has('v'),
            suffix: given.value('S').map_or_else(suffix, str::to_owned),
            ..Self::plain(given.operands.clone())
        };
        for (letter, value) in &given.options {
            settings.option(*letter, value)?;
        }
        if given.has('S') && settings.backup.is_none() && !given.has('B') {
            settings.backup = Backup::named("")?;
        }
        if given.has('/') {
            for source in &mut settings.sources {
                *source = source.trim_end_matches('/').to_owned();
            }
        }
        settings.place(&given)?;
        Ok(settings)
    }

    /// Copies what is named and nothing more.
    pub(super) fn plain(sources: Vec<String>) -> Self {
        Self {
            sources,
            into: None,
            into_given: false,
            to: String::new(),
            moves: false,
            way: Way::Copy,
            follow: Follow::Always,
            recursive: false,
            parents: false,
            force: false,
            unlink: false,
            ask: false,
            keep: false,
            update: false,
            verbose: false,
            attributes: false,
            mode: false,
            no_mode: false,
            times: false,
            links: false,
            backup: None,
            suffix: suffix(),
        }
    }

    pub(super) fn option(&mut self, letter: char, value: &str) -> Result<(), String> {
        match letter {
            'a' => {
                self.follow = Follow::Never;
                (self.mode, self.times, self.links) = (true, true, true);
            }
            'd' => (self.follow, self.links) = (Follow::Never, true),
            'P' => self.follow = Follow::Never,
            'H' => self.follow = Follow::Operands,
            'L' => self.follow = Follow::Always,
            'l' => self.way = Way::Link,
            's' => self.way = Way::Symbolic,
            // The last of these counts.
            'i' => (self.ask, self.keep) = (true, false),
            'n' => (self.ask, self.keep) = (false, true),
            'p' => (self.mode, self.times) = (true, true),
            '+' => self.preserve(if value.is_empty() { "mode,timestamps" } else { value }, true)?,
            '-' => self.preserve(value, false)?,
            'b' => self.backup = Backup::named("")?,
            'B' => self.backup = Backup::named(value)?,
            _ => {}
        }
        Ok(())
    }

    fn preserve(&mut self, what: &str, keep: bool) -> Result<(), String> {
        for part in what.split(',') {
            match part {
                "mode" => (self.mode, self.no_mode) = (keep, !keep),
                "timestamps" => self.times = keep,
                "links" => self.links = keep,
                "all" => (self.mode, self.no_mode, self.times, self.links) = (keep, !keep, keep, keep),
                "ownership" | "context" | "xattr" => {}
                _ => return Err(format!("invalid argument ‘{part}’ for ‘--preserve’")),
            }
        }
        Ok(())
    }

    /// Finds out where to.
    pub(super) fn place(&mut self, given: &Given) -> Result<(), String> {
        if let Some(folder) = given.value('t') {
            if self.sources.is_empty() {
                return Err("missing file operand".to_owned());
            }
            (self.into, self.into_given) = (Some(folder.to_owned()), true);
            return Ok(());
        }
        let Some(to) = self.sources.pop() else { return Err("missing file operand".to_owned()) };
        if self.sources.is_empty() {
            return Err(format!("missing destination file operand after {}", quoted(&to)));
        }
        let folder = std::fs::metadata(&to).is_ok_and(|about| about.is_dir());
        if given.has('T') {
            if self.sources.len() > 1 {
                return Err(format!("extra operand {}", quoted(&to)));
            }
            self.to = to;
        } else if self.sources.len() > 1 || folder {
            self.into = Some(to);
        } else if self.parents {
            return Err("with --parents, the destination must be a directory".to_owned());
        } else {
            self.to = to;
        }
        Ok(())
    }
}

fn suffix() -> String {
    std::env::var("SIMPLE_BACKUP_SUFFIX").ok().filter(|suffix| !suffix.is_empty()).unwrap_or_else(|| "~".to_owned())
}
