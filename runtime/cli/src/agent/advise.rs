//! What the operator can do about a call that failed. The model is never told.

use crate::advice::Advice;
use crate::failure::Failure;
use crate::retype::Typed;
use async_trait::async_trait;
use handbox_bundle::{Bundle, GUEST_PATH_DEFAULT, Grants, Mode};
use handbox_hand::{Call, Hand, HandError, Outcome, Output, Tool};
use handbox_hands::Toolbox;
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What a hand is provisioned from.
pub(crate) struct Provisions {
    pub(crate) bundle: Bundle,
    pub(crate) grants: Grants,
    /// Files that no tool may change.
    pub(crate) protected: Vec<PathBuf>,
    /// Where whoever reads the advice stands.
    pub(crate) cwd: PathBuf,
}

impl Provisions {
    fn advice<'a>(&'a self, tool: &'a Tool, input: &'a Value) -> Advice<'a> {
        // For a session, --write speaks of what it has as its working folder.
        let working =
            |folder: &handbox_bundle::FolderGrant| folder.mode == Mode::ReadWrite || folder.guest == GUEST_PATH_DEFAULT;
        Advice {
            typed: Typed { tool, bundle: &self.bundle.name, ours: &[], words: &[], stale: None },
            bundle: &self.bundle,
            grants: &self.grants,
            protected: &self.protected,
            write_helps: self.grants.folders.iter().all(working),
            no_dir: false,
            input,
            cwd: &self.cwd,
            watcher: None,
        }
    }

    /// The flags without which a tool cannot write where it sees a folder, if it writes at all.
    pub(crate) fn flags_to_write(&self, name: &str) -> Vec<String> {
        let tools = self.bundle.known_tools().unwrap_or_default();
        let tool = tools.iter().find(|tool| tool.name.as_str() == name && !tool.hints.read_only);
        let can = self.grants.folders.iter().any(|folder| folder.mode == Mode::ReadWrite);
        match tool {
            Some(tool) if !can => self.advice(tool, &Value::Null).read_only_grants(),
            _ => Vec::new(),
        }
    }
}

/// Hints for whoever watches: by the id of the call that failed, or by the name of a hand that could not be made ready.
#[derive(Clone, Default)]
pub(crate) struct Hints(Arc<Mutex<HashMap<String, String>>>);

impl Hints {
    pub(crate) fn note(&self, about: &str, hint: Option<String>) {
        if let Some(hint) = hint.filter(|hint| !hint.is_empty()) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(about.to_owned(), hint);
        }
    }

    pub(crate) fn take(&self, about: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(about)
    }
}

/// A hand whose failures leave a hint for whoever watches.
pub(crate) struct Advised {
    pub(crate) hand: Toolbox,
    pub(crate) provisions: Provisions,
    pub(crate) hints: Hints,
}

#[async_trait]
impl Hand for Advised {
    fn tools(&self) -> &[Tool] {
        self.hand.tools()
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        let (id, name, input) = (call.id.0.clone(), call.name.clone(), call.input.clone());
        let result = self.hand.execute(call).await;
        if let Err(error) = &result {
            let tool = self.tools().iter().find(|tool| tool.name == name);
            self.hints.note(&id, tool.and_then(|tool| hint(&self.provisions.advice(tool, &input), error)));
        }
        result
    }

    async fn reconcile(&self, call: Call) -> Result<Outcome, HandError> {
        self.hand.reconcile(call).await
    }
}

/// What flags may change about a failure. What only the model can do something about is the model's.
fn hint(advice: &Advice<'_>, error: &HandError) -> Option<String> {
    match error {
        HandError::Tool(fault) => advice.on_grants(fault),
        HandError::Denied(refusal) => Some(refusal.hint.clone()),
        HandError::Limit(hit) => Failure::from(HandError::Limit(hit.clone())).hint,
        _ => None,
    }
}
