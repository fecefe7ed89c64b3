//! That what a session may do was given on this machine, and to this session.
//!
//! A log can be made by anybody: its hashes prove that nothing was changed since, not who wrote it. What a session pins of
//! folders, bundles and tools that run without asking is therefore sealed with a key of the data folder, and hands are
//! made only from what is sealed. A session from elsewhere is readable, and does nothing until it is given what it may use.

use crate::failure::Failure;
use data_encoding::HEXLOWER;
use handbox_brain::RunsWith;
use handbox_session::{LogError, SessionId, SessionLog};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// The file with the key, in the data folder.
const FILE: &str = "grants.key";
/// The member of a session's grants that has the seal.
const MEMBER: &str = "seal";

/// A key of this data folder.
pub(crate) struct Seal([u8; 32]);

impl Seal {
    /// The key of a data folder; makes one if there is none.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        let file = data.join(FILE);
        let unusable = |what: &dyn std::fmt::Display| Failure::usage(format!("{}: {what}", file.display()));
        if !file.exists() {
            make(data, &file).map_err(|error| unusable(&error))?;
        }
        let key = std::fs::read(&file).map_err(|error| unusable(&error))?;
        let key = key.try_into().map_err(|_| {
            unusable(&"this is no key of 32 bytes")
                .hint("remove it: sessions then have to be given anew what they may use")
        })?;
        Ok(Self(key))
    }

    /// Seals what a session runs with.
    pub(crate) fn put(&self, root: SessionId, runs: &mut RunsWith) {
        let seal = self.of(root, runs);
        if let Value::Object(grants) = &mut runs.grants {
            grants.insert(MEMBER.to_owned(), seal.into());
        }
    }

    /// Whether what a session runs with was sealed with this key.
    pub(crate) fn holds(&self, root: SessionId, runs: &RunsWith) -> bool {
        let seal = runs.grants.get(MEMBER).and_then(Value::as_str);
        // Compared as hashes, which takes the same time wherever they differ.
        seal.is_some_and(|seal| blake3::hash(seal.as_bytes()) == blake3::hash(self.of(root, runs).as_bytes()))
    }

    fn of(&self, root: SessionId, runs: &RunsWith) -> String {
        let mut grants = runs.grants.clone();
        if let Value::Object(members) = &mut grants {
            members.shift_remove(MEMBER);
        }
        let mut sealed = json!({ "root": root, "grants": grants, "bundles": runs.bundles, "tools": runs.tools });
        // A log keeps no order of members.
        sealed.sort_all_objects();
        HEXLOWER.encode(blake3::keyed_hash(&self.0, sealed.to_string().as_bytes()).as_bytes())
    }
}

/// The session that one was forked from first, or itself: forks share what it was given.
pub(crate) async fn root(log: &dyn SessionLog, session: SessionId) -> Result<SessionId, LogError> {
    Ok(log.record(session).await?.lineage.first().map_or(session, |fork| fork.session))
}

fn make(data: &Path, file: &Path) -> std::io::Result<()> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| std::io::Error::other(error.to_string()))?;
    // For its owner alone (0600), and whole or not at all.
    let mut new = tempfile::NamedTempFile::new_in(data)?;
    new.write_all(&key)?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        // Another process was faster.
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;
    use handbox_brain::{Agent, Policy, RunsWith};
    use handbox_session::SessionId;
    use serde_json::json;

    #[test]
    fn a_seal_holds_for_what_was_sealed_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let (seal, root) = (Seal::open(data.path()).unwrap(), SessionId::from(1 << 100));
        let mut runs = RunsWith::new(Agent::new("x"));
        runs.grants = json!({ "folders": [{ "host": "/home/me/notes", "guest": "/workspace" }], "env": [] });
        assert!(!seal.holds(root, &runs), "nobody sealed it");
        seal.put(root, &mut runs);
        assert!(seal.holds(root, &runs));
        assert!(Seal::open(data.path()).unwrap().holds(root, &runs), "the key is kept");
        assert!(!seal.holds(SessionId::from(2 << 100), &runs), "another session");
        let mut sorted = runs.clone();
        sorted.grants.sort_all_objects();
        assert_ne!(sorted.grants.to_string(), runs.grants.to_string());
        assert!(seal.holds(root, &sorted), "as the log gives it back");
        let other = tempfile::tempdir().unwrap();
        assert!(!Seal::open(other.path()).unwrap().holds(root, &runs), "another machine");
        let mut wider = runs.clone();
        wider.grants["folders"] = json!(["/"]);
        assert!(!seal.holds(root, &wider));
        let mut bolder = runs.clone();
        let tool = handbox_hand::Tool {
            name: handbox_hand::ToolName::new("write").unwrap(),
            description: String::new(),
            input_schema: json!({ "type": "object" }),
            output_schema: None,
            hints: handbox_hand::Hints::default(),
            recovery: handbox_hand::Recovery::Ask,
            extra: Vec::new(),
        };
        bolder.tools.push(handbox_brain::ToolSpec::of_hand("std", &tool, Policy::AlwaysAllow));
        assert!(!seal.holds(root, &bolder), "what runs without asking is sealed, too");
    }
}
