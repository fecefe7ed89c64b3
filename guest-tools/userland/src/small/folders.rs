//! Programs about folders: `du` and `tree`.

use crate::options::{Given, Known, read};
use crate::size::Sizes;
use crate::{print, report};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::Path;

fn join(folder: &str, name: &str) -> String {
    if folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}

/// Runs `du`; the first argument is its name.
pub(super) fn du(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "shkmabcd:0xLSB:D",
        names: &[
            ("summarize", 's'),
            ("human-readable", 'h'),
            ("all", 'a'),
            ("bytes", 'b'),
            ("total", 'c'),
            ("max-depth=", 'd'),
            ("apparent-size", 'A'),
            ("exclude=", 'e'),
            ("block-size=", 'B'),
            ("null", '0'),
            ("si", 'H'),
            ("separate-dirs", 'S'),
            ("dereference", 'L'),
            ("one-file-system", 'x'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("du", &problem);
            return 1;
        }
    };
    let paths = if given.operands.is_empty() { vec![".".to_owned()] } else { given.operands.clone() };
    let most = if given.has('s') { Some(0) } else { given.value('d').and_then(|depth| depth.parse().ok()) };
    let excluded: Vec<globset::GlobMatcher> =
        given.values('e').filter_map(|glob| globset::Glob::new(glob).ok().map(|glob| glob.compile_matcher())).collect();
    let unit = given.options.iter().rev().find_map(|(letter, value)| match letter {
        'h' => Some(Some(Sizes::Human(1024))),
        'H' => Some(Some(Sizes::Human(1000))),
        'b' => Some(Some(Sizes::Unit(1, String::new()))),
        'k' => Some(Some(Sizes::Unit(1 << 10, String::new()))),
        'm' => Some(Some(Sizes::Unit(1 << 20, String::new()))),
        'B' => Some(Sizes::named(value)),
        _ => None,
    });
    let Some(sizes) = unit.unwrap_or(Some(Sizes::Unit(1 << 10, String::new()))) else {
        report("du", &format!("invalid --block-size argument '{}'", given.value('B').unwrap_or_default()));
        return 1;
    };
    let mut usage = Usage { given: &given, sizes, excluded, most, out: String::new(), failed: false };
    let mut total = 0;
    for path in paths {
        total += usage.of(&path, 0);
    }
    if given.has('c') {
        usage.say(total, "total");
    }
    let printed = print(usage.out.as_bytes());
    u8::from(usage.failed || !printed)
}

struct Usage<'a> {
    given: &'a Given,
    sizes: Sizes,
    /// What is left out, by its path or its name.
    excluded: Vec<globset::GlobMatcher>,
    most: Option<usize>,
    out: String,
    failed: bool,
}

impl Usage<'_> {
    fn of(&mut self, path: &str, depth: usize) -> u64 {
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.excluded.iter().any(|glob| glob.is_match(path) || glob.is_match(name)) {
            return 0;
        }
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                report("du", &format!("cannot access '{path}': {}", crate::reason(&error)));
                self.failed = true;
                return 0;
            }
        };
        let mut size = self.size(&metadata);
        if metadata.is_dir() {
            let (names, fault) = crate::listing::names(path);
            size += names.iter().map(|name| self.of(&join(path, name), depth + 1)).sum::<u64>();
            if let Some(error) = fault {
                report("du", &format!("cannot read directory '{path}': {}", crate::reason(&error)));
                self.failed = true;
            }
        }
        let shown = metadata.is_dir() || self.given.has('a') || depth == 0;
        if shown && self.most.is_none_or(|most| depth <= most) {
            self.say(size, path);
        }
        size
    }

    /// In bytes: whole blocks of 4 KiB, as a disk gives them, unless the length is asked for.
    fn size(&self, metadata: &Metadata) -> u64 {
        let exact = self.given.has('b') || self.given.has('A');
        match (exact, metadata.is_dir()) {
            (_, true) => 4096,
            (true, _) => metadata.len(),
            (false, _) => metadata.len().div_ceil(4096) * 4096,
        }
    }

    fn say(&mut self, size: u64, path: &str) {
        let end = if self.given.has('0') { '\0' } else { '\n' };
        self.out.push_str(&format!("{}\t{path}{end}", self.sizes.show(size)));
    }
}

/// Runs `tree`; the first argument is its name.
pub(super) fn tree(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "adfL:I:FnCsh",
        names: &[("dirsfirst", '1'), ("noreport", '0'), ("charset=", '~')],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("tree", &problem);
            return 1;
        }
    };
    let roots = if given.operands.is_empty() { vec![".".to_owned()] } else { given.operands.clone() };
    let ignored: Vec<globset::GlobMatcher> = given
        .values('I')
        .flat_map(|globs| globs.split('|'))
        .filter_map(|glob| globset::Glob::new(glob).ok().map(|glob| glob.compile_matcher()))
        .collect();
    let most = given.value('L').and_then(|level| level.parse().ok());
    let mut drawing = Drawing { given: &given, ignored, most, out: String::new(), folders: 0, files: 0 };
    for root in &roots {
        drawing.out.push_str(root);
        if !Path::new(root).is_dir() {
            drawing.out.push_str("  [error opening dir]");
        }
        drawing.out.push('\n');
        drawing.branch(root, "", 1);
    }
    if !given.has('0') {
        let folders = if drawing.folders == 1 { "directory" } else { "directories" };
        let files = if drawing.files == 1 { "file" } else { "files" };
        let report = if given.has('d') {
            format!("\n{} {folders}\n", drawing.folders)
        } else {
            format!("\n{} {folders}, {} {files}\n", drawing.folders, drawing.files)
        };
        drawing.out.push_str(&report);
    }
    u8::from(!print(drawing.out.as_bytes()))
}

struct Drawing<'a> {
    given: &'a Given,
    ignored: Vec<globset::GlobMatcher>,
    most: Option<usize>,
    out: String,
    folders: usize,
    files: usize,
}

impl Drawing<'_> {
    fn branch(&mut self, folder: &str, before: &str, level: usize) {
        if self.most.is_some_and(|most| level > most) {
            return;
        }
        let (mut names, fault) = crate::listing::names(folder);
        if let Some(error) = fault {
            report("tree", &format!("{folder}: {}", crate::reason(&error)));
        }
        let is_folder = |name: &String| fs::symlink_metadata(join(folder, name)).is_ok_and(|found| found.is_dir());
        names.retain(|name| {
            (self.given.has('a') || !name.starts_with('.'))
                && !self.ignored.iter().any(|glob| glob.is_match(name))
                && (!self.given.has('d') || is_folder(name))
        });
        if self.given.has('1') {
            names.sort_by_key(|name| !is_folder(name));
        }
        for (place, name) in names.iter().enumerate() {
            let last = place + 1 == names.len();
            let path = join(folder, name);
            let shown = if self.given.has('f') { &path } else { name };
            let link = fs::read_link(&path).map(|target| format!(" -> {}", target.display())).unwrap_or_default();
            let folder = is_folder(name);
            let mark = if self.given.has('F') && folder { "/" } else { "" };
            self.out.push_str(&format!("{before}{} {shown}{mark}{link}\n", if last { "└──" } else { "├──" }));
            if folder {
                self.folders += 1;
                let more = if last { "    " } else { "│\u{a0}\u{a0} " };
                self.branch(&path, &format!("{before}{more}"), level + 1);
            } else {
                self.files += 1;
            }
        }
    }
}
