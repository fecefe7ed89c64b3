//! Which members of an archive are meant.

use super::Stop;
use crate::options::Given;
use crate::pattern::wildcard;
use globset::GlobMatcher;

/// What version control keeps beside the files.
const VCS: [&str; 9] =
    [".git", ".gitignore", ".gitmodules", ".gitattributes", ".svn", ".hg", ".hgignore", ".bzr", "CVS"];

/// What is left out: by `--exclude` and its like.
pub(super) struct Excluded(Vec<GlobMatcher>);

impl Excluded {
    pub(super) fn new(given: &Given) -> Result<Self, Stop> {
        let mut patterns: Vec<String> = given.values('-').map(str::to_owned).collect();
        for path in given.values('X') {
            let text = crate::read(path).map_err(|reason| format!("{path}: {reason}"))?;
            patterns.extend(String::from_utf8_lossy(&text).lines().filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if given.has('3') {
            patterns.extend(VCS.map(str::to_owned));
        }
        patterns
            .iter()
            .map(|pattern| wildcard(pattern.trim_end_matches('/'), false))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether a name, one of the folders above it, or either from any of its parts on, is left out.
    pub(super) fn has(&self, name: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let name = name.trim_end_matches('/');
        let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
        starts
            .into_iter()
            .any(|start| beginnings(&name[start..]).any(|part| self.0.iter().any(|glob| glob.is_match(part))))
    }
}

/// A name, and each folder above it.
fn beginnings(name: &str) -> impl Iterator<Item = &str> {
    let folders = name.match_indices('/').map(|(at, _)| &name[..at]).filter(|part| !part.is_empty());
    folders.chain(std::iter::once(name))
}

/// The members that are asked for; all if none is.
pub(super) struct Members {
    asked: Vec<Asked>,
}

struct Asked {
    name: String,
    glob: Option<GlobMatcher>,
    recurse: bool,
    found: bool,
}

impl Members {
    pub(super) fn new(given: &Given) -> Result<Self, Stop> {
        let wild = given.options.iter().rev().find(|(letter, _)| "*5".contains(*letter));
        let wild = wild.is_some_and(|(letter, _)| *letter == '*');
        let asked = super::operands(given)?.into_iter().map(|name| {
            let name = name.trim_end_matches('/').to_owned();
            let glob = if wild { Some(wildcard(&name, false)?) } else { None };
            Ok(Asked { name, glob, recurse: !given.has('6'), found: false })
        });
        Ok(Self { asked: asked.collect::<Result<_, Stop>>()? })
    }

    pub(super) fn take(&mut self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let mut wanted = self.asked.is_empty();
        for asked in &mut self.asked {
            let fits = |part: &str| match &asked.glob {
                Some(glob) => glob.is_match(part),
                None => asked.name == part,
            };
            if fits(name) || asked.recurse && beginnings(name).any(fits) {
                asked.found = true;
                wanted = true;
            }
        }
        wanted
    }

    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        self.asked.iter().filter(|asked| !asked.found).map(|asked| asked.name.as_str())
    }
}
