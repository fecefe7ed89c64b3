//! A credential for whom it was bound, as long as it is.

use super::entry::Entry;
use super::listed::bound;
use super::renew::Having;
use super::{Bound, Keep};
use crate::{Credential, CredentialError, Credentials};
use async_trait::async_trait;
use handbox_hand::Destination;
use std::sync::Arc;

/// One credential of a vault, which is there only while one of its bindings says what was said when this was made. What
/// runs outlives what was bound: without it, a value that took the name of another one would go where that one went.
struct HeldFor {
    keep: Keep,
    names: Vec<String>,
    digest: String,
    name: String,
    to: Destination,
}

impl Keep {
    /// This vault for one binding, to a bundle that is called by one of `names` and has this digest: it knows no other
    /// credential than that one, and that one only as long as it is bound so.
    #[must_use]
    pub fn held_for(&self, names: &[String], digest: &str, bound: &Bound) -> Arc<dyn Credentials> {
        Arc::new(HeldFor {
            keep: self.clone(),
            names: names.to_vec(),
            digest: digest.to_owned(),
            name: bound.name.clone(),
            to: bound.to.clone(),
        })
    }
}

impl HeldFor {
    fn is_bound(&self, entry: &Entry) -> bool {
        entry.name == self.name
            && entry.bindings.iter().any(|bind| {
                self.names.contains(&bind.bundle)
                    && bind.digest.as_ref().is_none_or(|pinned| *pinned == self.digest)
                    && bound(entry, bind).is_ok_and(|all| all.iter().any(|own| own.to == self.to))
            })
    }
}

#[async_trait]
impl Credentials for HeldFor {
    async fn current(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        self.keep.credential(name, Having::Nothing, &|entry| self.is_bound(entry)).await
    }

    async fn at_hand(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        self.keep.known(name, &|entry| self.is_bound(entry)).await
    }

    async fn renewed(&self, name: &str, stale: &Credential) -> Result<Option<Credential>, CredentialError> {
        self.keep.credential(name, Having::Refused(stale.secret.clone()), &|entry| self.is_bound(entry)).await
    }

    fn used(&self, name: &str) {
        // Nothing is read for this: what cannot be told at once went along a moment ago.
        let known = self.keep.0.unchanged().ok().flatten();
        if known.is_none_or(|contents| contents.get(name).is_some_and(|entry| self.is_bound(entry))) {
            self.keep.used(name);
        }
    }
}
