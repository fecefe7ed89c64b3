//! What to say of a call that worked, and left in its own /tmp what was meant for this machine.

use super::Advice;
use super::places::{self, Odd, Places};
use std::path::Path;

/// Where a tool has its scratch folder.
const SCRATCH: &str = "/tmp";

impl Advice<'_> {
    /// What to name instead of a path of this machine's that led into the folder `scratch`, the tool's own /tmp.
    pub(crate) fn in_scratch(&self, scratch: Option<&Path>) -> Option<String> {
        let folders = self.folders();
        let places = Places { folders: &folders, protected: &[] };
        let texts = places::texts(self.input, "");
        texts.into_iter().find_map(|text| {
            let rest = Path::new(text).strip_prefix(SCRATCH).ok()?;
            match places.host(text).filter(|_| scratch.is_some_and(|scratch| scratch.join(rest).exists()))? {
                Odd::Host(path) => {
                    Some(format!("{text} is in the tool's own /tmp; for this machine's file, name {path}"))
                }
                _ => None,
            }
        })
    }
}
