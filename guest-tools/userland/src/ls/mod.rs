//! `ls`, `dir` and `vdir`.

mod order;
mod settings;
mod show;

use crate::about::About;
use crate::report;
use settings::{Follow, Settings};
use std::ffi::OsString;
use std::io::Write;

/// Something to be listed.
#[derive(Clone, Debug)]
struct Entry {
    /// As it is shown.
    name: String,
    path: String,
    /// None for a link to nothing where links are followed.
    about: Option<About>,
}

impl Entry {
    fn is_folder(&self) -> bool {
        self.about.is_some_and(|about| about.is_folder())
    }

    /// Whether it is a folder, or a link that leads to one.
    fn leads_to_folder(&self) -> bool {
        self.is_folder()
            || self.about.is_some_and(|about| about.is_link())
                && About::of(&self.path).is_ok_and(|about| about.is_folder())
    }
}

/// Runs `ls`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    let settings = match Settings::read(args) {
        Ok(settings) => settings,
        Err((status, problem)) => {
            report("ls", &format!("{problem}\nTry 'ls --help' for more information."));
            return status;
        }
    };
    let mut lister = Lister { settings: &settings, out: String::new(), status: 0, begun: false };
    lister.operands();
    let mut stdout = crate::output::stdout();
    let written = stdout.write_all(lister.out.as_bytes()).and_then(|()| stdout.flush());
    if written.is_err() { 2 } else { lister.status }
}

struct Lister<'a> {
    settings: &'a Settings,
    out: String,
    status: u8,
    /// Whether something was listed, so that a folder's name comes behind an empty line.
    begun: bool,
}

impl Lister<'_> {
    fn operands(&mut self) {
        let settings = self.settings;
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for path in &settings.operands {
            let about = match settings.follow {
                Follow::Never => About::of_link(path),
                Follow::Folders => match About::of(path) {
                    Ok(about) if about.is_folder() => Ok(about),
                    _ => About::of_link(path),
                },
                Follow::Operands | Follow::Always => About::of(path),
            };
            match about {
                Ok(about) => {
                    let entry = Entry { name: path.clone(), path: path.clone(), about: Some(about) };
                    if about.is_folder() && !settings.folders_themselves {
                        folders.push(entry);
                    } else {
                        files.push(entry);
                    }
                }
                Err(error) => self.fail(2, "cannot access", path, &error),
            }
        }
        order::sort(&mut files, settings);
        order::sort(&mut folders, settings);
        if !files.is_empty() {
            show::list(&mut self.out, &files, settings);
            self.begun = true;
        }
        let named = settings.operands.len() > 1 || settings.recursive;
        for folder in folders {
            self.folder(&folder.path, named, 0);
        }
    }

    fn fail(&mut self, status: u8, what: &str, path: &str, error: &std::io::Error) {
        report("ls", &format!("{what} {}: {}", crate::quote::quoted(path), crate::reason(error)));
        self.status = self.status.max(status);
    }

    fn folder(&mut self, path: &str, named: bool, depth: usize) {
        let settings = self.settings;
        let (names, fault) = crate::listing::names(path);
        if let Some(error) = fault {
            let what = if names.is_empty() { "cannot open directory" } else { "reading directory" };
            self.fail(if depth == 0 { 2 } else { 1 }, what, path, &error);
            if names.is_empty() {
                return;
            }
        }
        let mut entries = self.entries(path, names);
        if named {
            let shown = if settings.quoting.is_some() { settings.quote(path) } else { path.to_owned() };
            self.out.push_str(&format!("{}{shown}:\n", if self.begun { "\n" } else { "" }));
        }
        self.begun = true;
        order::sort(&mut entries, settings);
        if settings.long() || settings.blocks {
            let blocks = entries.iter().filter_map(|entry| entry.about).map(|about| about.blocks()).sum::<u64>();
            self.out.push_str(&format!("total {}{}", settings.blocks_shown(blocks), settings.end));
        }
        show::list(&mut self.out, &entries, settings);
        if settings.recursive {
            for entry in entries.iter().filter(|entry| entry.is_folder() && !matches!(entry.name.as_str(), "." | ".."))
            {
                self.folder(&entry.path, true, depth + 1);
            }
        }
    }

    fn entries(&mut self, folder: &str, names: Vec<String>) -> Vec<Entry> {
        let settings = self.settings;
        let dots = if settings.hidden == settings::Hidden::All { &[".", ".."][..] } else { &[] };
        let mut entries = Vec::with_capacity(names.len());
        for name in dots.iter().map(|name| (*name).to_owned()).chain(names) {
            if settings.leaves_out(&name) {
                continue;
            }
            let path = if folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") };
            let about = if settings.follow == Follow::Always { About::of(&path) } else { About::of_link(&path) };
            let about = match about {
                Ok(about) => Some(about),
                Err(error) => {
                    self.fail(1, "cannot access", &path, &error);
                    None
                }
            };
            entries.push(Entry { name, path, about });
        }
        entries
    }
}
