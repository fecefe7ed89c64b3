//! `find`.

mod parse;
mod primary;
mod show;
mod test;

use crate::about::About;
use crate::report;
use parse::{Order, Plan};
use std::ffi::OsString;
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
    let mut finder = Finder::new(plan.follow);
    for start in &plan.starts {
        let entry = Entry { path: start.clone(), depth: 0, start: start.clone() };
        walk(&mut finder, &plan, &entry, &mut Vec::new());
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

fn look(path: &str, follow: bool) -> std::io::Result<About> {
    let followed = if follow { About::of(path) } else { About::of_link(path) };
    // A link to nothing is a link.
    followed.or_else(|_| About::of_link(path))
}

fn walk(finder: &mut Finder, plan: &Plan, entry: &Entry, above: &mut Vec<(u64, u64)>) {
    let follow = plan.follow || (plan.follow_starts && entry.depth == 0);
    let about = match look(&entry.path, follow) {
        Ok(about) => about,
        Err(error) => {
            report("find", &format!("‘{}’: {}", entry.path, crate::reason(&error)));
            finder.failed = true;
            return;
        }
    };
    // A link that leads to a folder it lies in would be followed for ever.
    if plan.follow && about.is_folder() && about.inode != 0 && above.contains(&(about.device, about.inode)) {
        report("find", &format!("File system loop detected; ‘{}’ is part of the same file system loop", entry.path));
        finder.failed = true;
        return;
    }
    let wanted = plan.least.is_none_or(|least| entry.depth >= least);
    finder.prune = false;
    if wanted && plan.order == Order::FoldersFirst {
        finder.matches(&plan.expr, entry, &about);
    }
    let deeper = plan.most.is_none_or(|most| entry.depth < most);
    if about.is_folder() && deeper && !finder.prune && !finder.quit {
        above.push((about.device, about.inode));
        descend(finder, plan, entry, above);
        above.pop();
    }
    if wanted && plan.order == Order::ContentsFirst && !finder.quit {
        finder.matches(&plan.expr, entry, &about);
    }
}

fn descend(finder: &mut Finder, plan: &Plan, entry: &Entry, above: &mut Vec<(u64, u64)>) {
    let (names, fault) = crate::listing::names(&entry.path);
    if let Some(error) = fault {
        report("find", &format!("‘{}’: {}", entry.path, crate::reason(&error)));
        finder.failed = true;
    }
    for name in names {
        walk(finder, plan, &entry.child(&name), above);
        if finder.quit {
            return;
        }
    }
}
