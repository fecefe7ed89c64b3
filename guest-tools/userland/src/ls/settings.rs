//! The command line of `ls`.

use crate::options::{Given, Known, read};
use crate::pattern::wildcard;
use crate::quote::Style;
use crate::size::Sizes;
use globset::GlobMatcher;
use std::ffi::OsString;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Lines,
    /// Columns that are read downwards.
    Columns,
    /// Columns that are read across.
    Across,
    Commas,
    Long,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    Size,
    Time,
    Version,
    Extension,
    Width,
    /// As the folder has them.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Modified,
    Changed,
    Accessed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    /// Links that are named and lead to folders.
    Folders,
    Operands,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Left,
    Shown,
    /// And the folder and the one above it.
    All,
}

/// What is put behind names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Marks {
    None,
    Slash,
    FileType,
    Classify,
}

/// The status, and what is wrong in words.
type Wrong = (u8, String);

#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Settings {
    pub(super) operands: Vec<String>,
    pub(super) format: Format,
    pub(super) sort: Sort,
    pub(super) reverse: bool,
    pub(super) time: Time,
    pub(super) follow: Follow,
    pub(super) hidden: Hidden,
    pub(super) marks: Marks,
    pub(super) quoting: Option<Style>,
    pub(super) sizes: Sizes,
    pub(super) recursive: bool,
    pub(super) folders_themselves: bool,
    pub(super) folders_first: bool,
    pub(super) inodes: bool,
    pub(super) blocks: bool,
    pub(super) numeric: bool,
    pub(super) owner: bool,
    pub(super) group: bool,
    pub(super) author: bool,
    /// For what is recent, and for what is not.
    pub(super) times: (String, String),
    pub(super) width: usize,
    pub(super) tab: usize,
    pub(super) end: char,
    hide_control: bool,
    ignored: Vec<GlobMatcher>,
    backups: bool,
}

const KNOWN: Known = Known {
    letters: "aAbBcCdfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ1",
    names: &[
        ("all", 'a'),
        ("almost-all", 'A'),
        ("escape", 'b'),
        ("ignore-backups", 'B'),
        ("directory", 'd'),
        ("classify?", 'F'),
        ("no-group", 'G'),
        ("human-readable", 'h'),
        ("dereference-command-line", 'H'),
        ("dereference-command-line-symlink-to-dir", '!'),
        ("inode", 'i'),
        ("ignore=", 'I'),
        ("hide=", ';'),
        ("kibibytes", 'k'),
        ("dereference", 'L'),
        ("numeric-uid-gid", 'n'),
        ("literal", 'N'),
        ("hide-control-chars", 'q'),
        ("show-control-chars", '.'),
        ("quote-name", 'Q'),
        ("reverse", 'r'),
        ("recursive", 'R'),
        ("size", 's'),
        ("tabsize=", 'T'),
        ("width=", 'w'),
        ("context", 'Z'),
        ("author", '@'),
        ("block-size=", '#'),
        ("color?", '.'),
        ("hyperlink?", '.'),
        ("file-type", '%'),
        ("format=", '='),
        ("full-time", '*'),
        ("group-directories-first", '^'),
        ("indicator-style=", '/'),
        ("quoting-style=", '"'),
        ("si", '$'),
        ("sort=", '<'),
        ("time=", '~'),
        ("time-style=", '+'),
        ("zero", '0'),
    ],
    ends_at_operand: false,
};

impl Settings {
    /// Reads a command line. What is wrong in words.
    pub(super) fn read(args: &[OsString]) -> Result<Self, Wrong> {
        let given = read(args, &KNOWN).map_err(|problem| (2, problem))?;
        let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        let mut settings = Self {
            operands: if given.operands.is_empty() { vec![".".to_owned()] } else { given.operands.clone() },
            format: match name {
                "dir" => Format::Columns,
                "vdir" => Format::Long,
                _ => Format::Lines,
            },
            sort: Sort::Name,
            reverse: given.has('r'),
            time: Time::Modified,
            follow: Follow::Never,
            hidden: Hidden::Left,
            marks: Marks::None,
            quoting: matches!(name, "dir" | "vdir").then_some(Style::Escape),
            sizes: Sizes::Plain,
            recursive: given.has('R'),
            folders_themselves: given.has('d'),
            folders_first: given.has('^'),
            inodes: given.has('i'),
            blocks: given.has('s'),
            numeric: given.has('n'),
            owner: !given.has('g'),
            group: !given.has('G') && !given.has('o'),
            author: given.has('@'),
            times: ("%b %e %H:%M".to_owned(), "%b %e  %Y".to_owned()),
            width: std::env::var("COLUMNS").ok().and_then(|width| width.parse().ok()).unwrap_or(80),
            tab: 8,
            end: if given.has('0') { '\0' } else { '\n' },
            hide_control: given.has('q'),
            ignored: Vec::new(),
            backups: given.has('B'),
        };
        let mut sort = None;
        for (letter, value) in &given.options {
            settings.listing(*letter, value, &mut sort)?;
            settings.looks(*letter, value)?;
        }
        settings.sort = match sort {
            Some(sort) => sort,
            // A time that is not shown is what it is for.
            None if settings.time != Time::Modified && !settings.long() => Sort::Time,
            None => Sort::Name,
        };
        settings.follow = settings.followed(&given);
        Ok(settings)
    }

    fn followed(&self, given: &Given) -> Follow {
        let asked = given.options.iter().rev().find_map(|(letter, _)| match letter {
            'L' => Some(Follow::Always),
            'H' => Some(Follow::Operands),
            '!' => Some(Follow::Folders),
            _ => None,
        });
        let plain = self.folders_themselves || self.long() || self.marks == Marks::Classify;
        asked.unwrap_or(if plain { Follow::Never } else { Follow::Folders })
    }

    /// What is listed, and in which order.
    fn listing(&mut self, letter: char, value: &str, sort: &mut Option<Sort>) -> Result<(), Wrong> {
        match letter {
            'a' => self.hidden = Hidden::All,
            'A' if self.hidden == Hidden::Left => self.hidden = Hidden::Shown,
            'f' => (self.hidden, *sort) = (Hidden::All, Some(Sort::None)),
            'S' => *sort = Some(Sort::Size),
            't' => *sort = Some(Sort::Time),
            'U' => *sort = Some(Sort::None),
            'v' => *sort = Some(Sort::Version),
            'X' => *sort = Some(Sort::Extension),
            'c' => self.time = Time::Changed,
            'u' => self.time = Time::Accessed,
            'I' => self.ignored.push(wildcard(value, false).map_err(|problem| (1, problem))?),
            ';' if self.hidden == Hidden::Left => {
                self.ignored.push(wildcard(value, false).map_err(|problem| (1, problem))?)
            }
            '<' => {
                *sort = Some(match value {
                    "none" => Sort::None,
                    "size" => Sort::Size,
                    "time" => Sort::Time,
                    "version" => Sort::Version,
                    "extension" => Sort::Extension,
                    "width" => Sort::Width,
                    "name" => Sort::Name,
                    _ => return Err(invalid(value, "--sort")),
                });
            }
            '~' => {
                self.time = match value {
                    "atime" | "access" | "use" => Time::Accessed,
                    "ctime" | "status" => Time::Changed,
                    "mtime" | "modification" | "birth" | "creation" => Time::Modified,
                    _ => return Err(invalid(value, "--time")),
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// How it is shown.
    fn looks(&mut self, letter: char, value: &str) -> Result<(), Wrong> {
        match letter {
            'l' | 'g' | 'o' | 'n' => self.format = Format::Long,
            '1' if !self.long() => self.format = Format::Lines,
            'C' => self.format = Format::Columns,
            'x' => self.format = Format::Across,
            'm' => self.format = Format::Commas,
            '0' => {
                if !self.long() {
                    self.format = Format::Lines;
                }
                self.quoting = None;
            }
            '=' => {
                self.format = match value {
                    "long" | "verbose" => Format::Long,
                    "single-column" => Format::Lines,
                    "commas" => Format::Commas,
                    "across" | "horizontal" => Format::Across,
                    "vertical" => Format::Columns,
                    _ => return Err(invalid(value, "--format")),
                };
            }
            'F' if value != "never" && value != "auto" => self.marks = Marks::Classify,
            'p' => self.marks = Marks::Slash,
            '%' => self.marks = Marks::FileType,
            '/' => {
                self.marks = match value {
                    "none" => Marks::None,
                    "slash" => Marks::Slash,
                    "file-type" => Marks::FileType,
                    "classify" => Marks::Classify,
                    _ => return Err(invalid(value, "--indicator-style")),
                };
            }
            'N' => self.quoting = Some(Style::Literal),
            'Q' => self.quoting = Some(Style::C),
            'b' => self.quoting = Some(Style::Escape),
            '"' => self.quoting = Some(Style::named(value).ok_or_else(|| invalid(value, "--quoting-style"))?),
            'h' => self.sizes = Sizes::Human(1024),
            '$' => self.sizes = Sizes::Human(1000),
            '#' => {
                self.sizes = Sizes::named(value).ok_or_else(|| invalid(value, "--block-size"))?;
            }
            'w' => self.width = value.parse().map_err(|_| (2, format!("invalid line width: ‘{value}’")))?,
            'T' => self.tab = value.parse().map_err(|_| (2, format!("invalid tab size: ‘{value}’")))?,
            '*' => (self.format, self.times) = (Format::Long, times("full-iso").unwrap_or_default()),
            '+' => self.times = times(value).ok_or_else(|| (2, invalid(value, "time style").1))?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn long(&self) -> bool {
        self.format == Format::Long
    }

    pub(super) fn leaves_out(&self, name: &str) -> bool {
        // A dot at the start is matched by a dot alone.
        let fits =
            |glob: &GlobMatcher| glob.is_match(name) && (!name.starts_with('.') || glob.glob().glob().starts_with('.'));
        self.hidden == Hidden::Left && name.starts_with('.')
            || self.backups && name.ends_with('~')
            || self.ignored.iter().any(fits)
    }

    pub(super) fn quote(&self, name: &str) -> String {
        let name = if self.hide_control {
            name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
        } else {
            name.to_owned()
        };
        self.quoting.map_or(name.clone(), |style| style.show(&name))
    }

    /// Blocks of a disk, in units of 1 KiB unless another is asked for.
    pub(super) fn blocks_shown(&self, blocks: u64) -> String {
        let bytes = blocks * crate::about::BLOCK_BYTES;
        if self.sizes == Sizes::Plain { bytes.div_ceil(1024).to_string() } else { self.sizes.show(bytes) }
    }
}

fn invalid(value: &str, of: &str) -> Wrong {
    (1, format!("invalid argument ‘{value}’ for ‘{of}’"))
}

/// How a time is shown: what is recent, and what is not.
fn times(style: &str) -> Option<(String, String)> {
    let both = |form: &str| Some((form.to_owned(), form.to_owned()));
    match style.strip_prefix("posix-").unwrap_or(style) {
        "full-iso" => both("%Y-%m-%d %H:%M:%S.%N %z"),
        "long-iso" => both("%Y-%m-%d %H:%M"),
        "iso" => Some(("%m-%d %H:%M".to_owned(), "%Y-%m-%d ".to_owned())),
        "locale" => Some(("%b %e %H:%M".to_owned(), "%b %e  %Y".to_owned())),
        style => {
            let form = style.strip_prefix('+')?;
            let (old, recent) = form.split_once('\n').unwrap_or((form, form));
            Some((recent.to_owned(), old.to_owned()))
        }
    }
}
