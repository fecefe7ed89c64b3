//! `find`.

mod parse;
mod test;

use crate::report;
use parse::{Expr, Order, Plan};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use test::Finder;

/// Runs `find`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let plan = match parse::parse(&args) {
        Ok(plan) => plan,
        Err(problem) => {
            report("find", &problem);
            return 1;
        }
    };
    let mut finder = Finder::new();
    for start in &plan.starts {
        let entry = Entry { path: start.clone(), depth: 0, start: start.clone() };
        walk(&mut finder, &plan, &entry);
        if finder.quit {
            break;
        }
    }
    finder.finish(&plan.expr)
}

/// A file or folder that was found.
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) depth: usize,
    pub(super) start: String,
}

impl Entry {
    /// The last part of its path; of a start that is only slashes, one.
    pub(super) fn name(&self) -> &str {
        let trimmed = self.path.trim_end_matches('/');
        if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
    }

    fn child(&self, name: &str) -> Self {
        let sign = if self.path.ends_with('/') { "" } else { "/" };
        Self { path: format!("{}{sign}{name}", self.path), depth: self.depth + 1, start: self.start.clone() }
    }
}

fn metadata(entry: &Entry, follow: bool) -> std::io::Result<Metadata> {
    let followed = if follow { fs::metadata(&entry.path) } else { fs::symlink_metadata(&entry.path) };
    // A link to nothing is a link.
    followed.or_else(|_| fs::symlink_metadata(&entry.path))
}

fn walk(finder: &mut Finder, plan: &Plan, entry: &Entry) {
    let follow = plan.follow || (plan.follow_starts && entry.depth == 0);
    let metadata = match metadata(entry, follow) {
        Ok(metadata) => metadata,
        Err(error) => {
            report("find", &format!("‘{}’: {}", entry.path, crate::reason(&error)));
            finder.failed = true;
            return;
        }
    };
    let wanted = plan.least.is_none_or(|least| entry.depth >= least);
    finder.prune = false;
    if wanted && plan.order == Order::FoldersFirst {
        check(finder, &plan.expr, entry, &metadata);
    }
    let deeper = plan.most.is_none_or(|most| entry.depth < most);
    if metadata.is_dir() && deeper && !finder.prune && !finder.quit {
        descend(finder, plan, entry);
    }
    if wanted && plan.order == Order::ContentsFirst && !finder.quit {
        check(finder, &plan.expr, entry, &metadata);
    }
}

fn check(finder: &mut Finder, expr: &Expr, entry: &Entry, metadata: &Metadata) {
    finder.matches(expr, entry, metadata);
}

fn descend(finder: &mut Finder, plan: &Plan, entry: &Entry) {
    let entries = match fs::read_dir(PathBuf::from(&entry.path)) {
        Ok(entries) => entries,
        Err(error) => {
            report("find", &format!("‘{}’: {}", entry.path, crate::reason(&error)));
            finder.failed = true;
            return;
        }
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names {
        walk(finder, plan, &entry.child(&name));
        if finder.quit {
            return;
        }
    }
}
