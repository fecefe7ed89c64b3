//! Programs about files and folders: `du`, `tree` and `stat`.

use crate::options::{Given, Known, read};
use crate::{print, report};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Entries of a folder, sorted.
fn entries(folder: &str) -> std::io::Result<Vec<String>> {
    let mut names: Vec<String> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn join(folder: &str, name: &str) -> String {
    if folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}

/// Runs `du`; the first argument is its name.
pub(super) fn du(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "shkmabcd:0xLS",
        names: &[
            ("summarize", 's'),
            ("human-readable", 'h'),
            ("all", 'a'),
            ("bytes", 'b'),
            ("total", 'c'),
            ("max-depth=", 'd'),
            ("apparent-size", 'A'),
            ("exclude=", 'e'),
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
    let mut usage = Usage { given: &given, excluded, most, out: String::new(), failed: false };
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
            match entries(path) {
                Ok(names) => size += names.iter().map(|name| self.of(&join(path, name), depth + 1)).sum::<u64>(),
                Err(error) => {
                    report("du", &format!("cannot read directory '{path}': {}", crate::reason(&error)));
                    self.failed = true;
                }
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
        let size = if self.given.has('h') {
            human(size)
        } else if self.given.has('b') {
            size.to_string()
        } else if self.given.has('m') {
            size.div_ceil(1 << 20).to_string()
        } else {
            size.div_ceil(1024).to_string()
        };
        self.out.push_str(&format!("{size}\t{path}\n"));
    }
}

/// As GNU says it: `1.5K`, `12M`, rounded up.
fn human(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let mut unit = 1024_u64;
    for name in ['K', 'M', 'G', 'T'] {
        let tenths = (size * 10).div_ceil(unit);
        if tenths < 100 {
            return format!("{}.{}{name}", tenths / 10, tenths % 10);
        }
        if size.div_ceil(unit) < 1024 || name == 'T' {
            return format!("{}{name}", size.div_ceil(unit));
        }
        unit *= 1024;
    }
    size.to_string()
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
        let mut names = entries(folder).unwrap_or_default();
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

/// Runs `stat`; the first argument is its name.
pub(super) fn stat(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "c:Lft",
        names: &[("format=", 'c'), ("printf=", 'p'), ("dereference", 'L')],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => {
            report("stat", "missing operand");
            return 1;
        }
        Err(problem) => {
            report("stat", &problem);
            return 1;
        }
    };
    let mut status = 0;
    let mut out = String::new();
    for path in &given.operands {
        let found = if given.has('L') { fs::metadata(path) } else { fs::symlink_metadata(path) };
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(error) => {
                report("stat", &format!("cannot statx '{path}': {}", crate::reason(&error)));
                status = 1;
                continue;
            }
        };
        if let Some(form) = given.value('p') {
            let form = form.replace("\\n", "\n").replace("\\t", "\t");
            out.push_str(&directives(&form, path, &metadata));
        } else {
            out.push_str(&directives(given.value('c').unwrap_or(STAT), path, &metadata));
            out.push('\n');
        }
    }
    if print(out.as_bytes()) { status } else { 1 }
}

const STAT: &str = "  File: %=
  Size: %s\tBlocks: %b\tIO Block: 4096   %F
Access: (%a/%A)  Uid: ( 1000/   agent)   Gid: ( 1000/   agent)
Access: %x
Modify: %y
Change: %z
 Birth: -";

fn directives(form: &str, path: &str, metadata: &Metadata) -> String {
    let mut out = String::new();
    let mut rest = form.chars();
    while let Some(character) = rest.next() {
        match (character, if character == '%' { rest.next() } else { None }) {
            ('%', Some(kind)) => out.push_str(&directive(kind, path, metadata)),
            _ => out.push(character),
        }
    }
    out
}

/// In the quotes of a shell.
fn quoted(name: &str) -> String {
    if name.contains('\'') && !name.contains(['"', '$', '`', '\\', '!']) {
        return format!("\"{name}\"");
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

fn directive(kind: char, path: &str, metadata: &Metadata) -> String {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let (mode, letters) = if metadata.is_dir() { ("755", "drwxr-xr-x") } else { ("644", "-rw-r--r--") };
    match kind {
        'n' => path.to_owned(),
        // As `%N`, and not quoted: the first line of what it prints unasked.
        '=' => match fs::read_link(path) {
            Ok(target) => format!("{path} -> {}", target.display()),
            Err(_) => path.to_owned(),
        },
        'N' => match fs::read_link(path) {
            Ok(target) => format!("{} -> {}", quoted(path), quoted(&target.to_string_lossy())),
            Err(_) => quoted(path),
        },
        's' => metadata.len().to_string(),
        'b' => (metadata.len().div_ceil(4096) * 8).to_string(),
        'B' => "512".to_owned(),
        'o' => "4096".to_owned(),
        'h' => "1".to_owned(),
        'i' | 'd' => "0".to_owned(),
        'a' => mode.to_owned(),
        'A' => letters.to_owned(),
        'u' | 'g' => "1000".to_owned(),
        'U' | 'G' => "agent".to_owned(),
        'F' if metadata.is_dir() => "directory".to_owned(),
        'F' if metadata.is_symlink() => "symbolic link".to_owned(),
        'F' if metadata.len() == 0 => "regular empty file".to_owned(),
        'F' => "regular file".to_owned(),
        'X' | 'Y' | 'Z' => since.as_secs().to_string(),
        'W' => "0".to_owned(),
        'w' => "-".to_owned(),
        'x' | 'y' | 'z' => {
            let whole = crate::calendar::format("%Y-%m-%d %H:%M:%S", since.as_secs_f64().floor());
            format!("{whole}.{:09} +0000", since.subsec_nanos())
        }
        '%' => "%".to_owned(),
        other => format!("%{other}"),
    }
}
