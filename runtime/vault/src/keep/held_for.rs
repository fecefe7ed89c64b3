//! A credential for whom it was bound, as long as it is.

use super::entry::{Entry, Kind, Provider};
use super::listed::bound;
use super::renew::Having;
use super::{Bound, Holder, Keep};
use crate::{Credential, CredentialError, Credentials};
use async_trait::async_trait;
use handbox_hand::Destination;
use std::sync::Arc;

/// One credential of a vault, which is there only while one of its bindings says what was said when this was made. What
/// runs outlives what was bound: without it, a value that took the name of another one would go where that one went.
struct HeldFor {
    keep: Keep,
    name: String,
    whom: Whom,
}

/// For whom.
enum Whom {
    /// A bundle, and where it goes.
    Holder(Holder, Destination),
    /// The brain, for models of one provider.
    Brain(Provider),
}

impl Keep {
    /// This vault for one binding to a bundle: it knows no other credential than that one, and that one only as long as it
    /// is bound so.
    pub(super) fn held_for(&self, holder: &Holder, bound: &Bound) -> Arc<dyn Credentials> {
        let whom = Whom::Holder(holder.clone(), bound.to.clone());
        Arc::new(HeldFor { keep: self.clone(), name: bound.name.clone(), whom })
    }

    /// This vault for the [key](Self::model_key) of a provider's models: it knows no other credential than that one, and
    /// that one only as long as it is such a key.
    #[must_use]
    pub fn for_models(&self, provider: Provider, name: &str) -> Arc<dyn Credentials> {
        Arc::new(HeldFor { keep: self.clone(), name: name.to_owned(), whom: Whom::Brain(provider) })
    }
}

impl HeldFor {
    fn is_bound(&self, entry: &Entry) -> bool {
        let is_whose = match &self.whom {
            Whom::Brain(provider) => entry.kind == Kind::Model { provider: *provider },
            Whom::Holder(holder, to) => entry.bindings.iter().any(|bind| {
                holder.names.contains(&bind.bundle)
                    && bind.digest.as_ref().is_none_or(|pinned| *pinned == holder.digest)
                    && bound(entry, bind).is_ok_and(|all| all.iter().any(|own| own.to == *to))
            }),
        };
        entry.name == self.name && is_whose
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

    async fn withheld(&self, name: &str) -> Result<Vec<Credential>, CredentialError> {
        self.keep.beside(name, &|entry| self.is_bound(entry)).await
    }

    fn used(&self, name: &str) {
        // Nothing is read for this: what cannot be told at once went along a moment ago.
        let known = self.keep.0.unchanged().ok().flatten();
        if known.is_none_or(|contents| contents.get(name).is_some_and(|entry| self.is_bound(entry))) {
            self.keep.used(name);
        }
    }
}
