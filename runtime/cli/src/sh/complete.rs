//! Which names may stand at a place of a line.

use handbox_bundle::Bundle;
use handbox_hand::one_line;
use handbox_hands::{Environment, OUTPUTS_GUEST, SCRATCH_GUEST};
use std::path::PathBuf;

/// The words of the shell itself that people type.
const BUILTINS: [&str; 33] = [
    "alias", "bg", "cd", "command", "declare", "dirs", "echo", "eval", "exec", "exit", "export", "getopts", "hash",
    "help", "jobs", "kill", "let", "local", "mapfile", "popd", "printf", "pushd", "read", "readonly", "return", "set",
    "shift", "shopt", "source", "trap", "type", "unset", "wait",
];

/// The most names that are offered.
const OFFERED_MAX: usize = 500;

/// Programs, and the folders of the sandbox as they lie on this machine.
pub(super) struct Names {
    programs: Vec<String>,
    /// Guest path and host path, longest guest path first.
    folders: Vec<(String, PathBuf)>,
    /// Where the shell is.
    folder: String,
}

impl Names {
    pub(super) fn new(bundle: &Bundle, environment: &Environment) -> Self {
        let of_bundle = bundle.components.iter().flat_map(|component| component.programs().to_vec());
        let mut programs: Vec<String> = of_bundle.chain(BUILTINS.map(str::to_owned)).collect();
        programs.sort();
        programs.dedup();
        let granted = &environment.grants.folders;
        let folder = granted.iter().find(|grant| grant.guest == "/workspace").or(granted.first());
        let folder = folder.map_or_else(|| "/".to_owned(), |grant| grant.guest.clone());
        let own = [(SCRATCH_GUEST, &environment.scratch), (OUTPUTS_GUEST, &environment.outputs)];
        let own = own.into_iter().filter_map(|(guest, host)| Some((guest.to_owned(), host.clone()?)));
        let mut folders: Vec<(String, PathBuf)> =
            granted.iter().map(|grant| (grant.guest.clone(), grant.host.clone())).chain(own).collect();
        folders.sort_by_key(|(guest, _)| std::cmp::Reverse(guest.len()));
        Self { programs, folders, folder }
    }

    /// Where the shell is, as the sandbox calls it.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The shell went to another folder.
    pub(super) fn enter(&mut self, folder: Option<String>) {
        if let Some(folder) = folder {
            self.folder = folder;
        }
    }

    /// Names for the last word of a line, and where that word starts.
    pub(super) fn complete(&self, line: &str) -> (usize, Vec<String>) {
        let ends_word = |c: char| c.is_whitespace() || "|&;<>()`=".contains(c);
        let start = line.rfind(ends_word).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let word = &line[start..];
        let before = line[..start].trim_end();
        let is_command = before.is_empty() || before.ends_with(['|', '&', ';', '(', '`']);
        let mut names = if is_command && !word.contains('/') {
            self.programs.iter().filter(|name| name.starts_with(word)).cloned().collect()
        } else {
            self.files(word)
        };
        names.truncate(OFFERED_MAX);
        (start, names)
    }

    fn files(&self, word: &str) -> Vec<String> {
        let (folder, prefix) = word.rsplit_once('/').map_or(("", word), |(folder, _)| word.split_at(folder.len() + 1));
        let absolute = if folder.starts_with('/') { folder.to_owned() } else { format!("{}/{folder}", self.folder) };
        let Some(host) = self.host(&absolute) else { return Vec::new() };
        let entries = std::fs::read_dir(host).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                // What would do something to the terminal is not offered.
                let is_plain = one_line(&name) == name;
                let shown = is_plain && name.starts_with(prefix) && (prefix.starts_with('.') || !name.starts_with('.'));
                let end = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
                shown.then(|| format!("{folder}{}{end}", quoted(&name)))
            })
            .collect();
        names.sort();
        names
    }

    /// Where a folder of the sandbox lies on this machine; none for one that leads up.
    fn host(&self, guest: &str) -> Option<PathBuf> {
        let parts: Vec<&str> = guest.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.contains(&"..") {
            return None;
        }
        let guest = format!("/{}", parts.join("/"));
        self.folders.iter().find_map(|(known, host)| {
            let rest = guest.strip_prefix(known.trim_end_matches('/'))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| host.join(rest.trim_start_matches('/')))
        })
    }
}

/// A file's name as it is typed.
fn quoted(name: &str) -> String {
    let special = |c: char| c.is_whitespace() || "\\'\"$`&|;<>()*?[]{}!#~".contains(c);
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(host: &std::path::Path) -> Names {
        Names {
            programs: ["cat", "cd", "sed"].map(str::to_owned).to_vec(),
            folders: vec![("/workspace".to_owned(), host.to_owned())],
            folder: "/workspace".to_owned(),
        }
    }

    #[test]
    fn programs_stand_first_and_files_after_them() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("src")).expect("a folder");
        for file in ["src/main.rs", "src/my notes.md", "sum.txt", ".hidden", "sub\u{1b}c", "sun\nerror: no"] {
            std::fs::write(dir.path().join(file), "").expect("a file");
        }
        let names = names(dir.path());
        let complete = |line: &str| names.complete(line);
        assert_eq!(complete("c"), (0, vec!["cat".to_owned(), "cd".to_owned()]));
        assert_eq!(complete("ls | s"), (5, vec!["sed".to_owned()]));
        assert_eq!(complete("cat s"), (4, vec!["src/".to_owned(), "sum.txt".to_owned()]));
        assert_eq!(complete("cat /workspace/src/m").1, ["/workspace/src/main.rs", "/workspace/src/my\\ notes.md"]);
        assert_eq!(complete("cat ."), (4, vec![".hidden".to_owned()]));
        assert_eq!(complete("cat < su"), (6, vec!["sum.txt".to_owned()]));
        for outside in ["cat ../", "cat /etc/pa", "cat src/../../"] {
            assert!(complete(outside).1.is_empty(), "{outside}");
        }
    }
}
