//! `write`.

use crate::Write;
use handbox_guest_support::{Workspace, fault, thousands};
use handbox_tool::Fault;
use std::fs;

/// Writes one file.
///
/// The file is written in place, so that its permissions, and links to it, stay. If the
/// call is ended in the middle the file may be cut short; as the tool is idempotent, it is
/// then run again.
pub(crate) fn run(workspace: &Workspace, input: &Write) -> Result<String, Fault> {
    let place = workspace.resolve(&input.file_path)?;
    let path = &place.shown;
    if place.inner.is_empty() || path.ends_with('/') || place.real.is_dir() {
        return Err(Fault::failed(format!("{path} is a folder; give the path of a file in it")));
    }
    if let Some(parent) = place.real.parent().filter(|parent| !parent.is_dir()) {
        fs::create_dir_all(parent).map_err(|error| fault("make the folder of", path, &error))?;
    }
    fs::write(&place.real, &input.content).map_err(|error| fault("write", path, &error))?;
    let bytes = thousands(input.content.len() as u64);
    Ok(format!("wrote {bytes} bytes to {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Granted;

    fn writing(granted: &Granted, path: &str, content: &str) -> Result<String, Fault> {
        run(&granted.workspace, &Write { file_path: path.into(), content: content.into() })
    }

    #[test]
    fn folders_are_made_and_files_replaced() {
        let granted = Granted::with(&[("old", b"a longer text")]);
        assert_eq!(writing(&granted, "a/b/c.txt", "hé").unwrap(), "wrote 3 bytes to a/b/c.txt");
        assert_eq!(granted.content("a/b/c.txt"), "hé".as_bytes());
        writing(&granted, "/workspace/old", "new").unwrap();
        assert_eq!(granted.content("old"), b"new");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let granted = Granted::with(&[("d/x", b"")]);
        for path in ["d", "d/", "new/", ".", "d/x/y"] {
            assert!(matches!(writing(&granted, path, "x"), Err(Fault::Failed(_))), "{path}");
        }
        assert!(matches!(writing(&granted, "../x", "x"), Err(Fault::Denied(_))));
    }
}
