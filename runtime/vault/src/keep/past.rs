//! What a credential was before, and its tokens that no guest's request carries: taken out of what comes back, and never
//! sent to where the credential is bound.

use super::entry::{Entry, Held, Oauth};
use super::plain::One;
use crate::Secret;
use serde::{Deserialize, Serialize};

/// The most values of before that are kept of each sort. A server that still shows one of five rotations ago is rare, and
/// each makes whatever comes back a little slower to search.
const PAST_MAX: usize = 4;

/// What one credential was before, each sort with the last one first.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Past {
    /// Values and access tokens.
    #[serde(default)]
    values: Vec<One>,
    /// Refresh tokens.
    #[serde(default)]
    refresh: Vec<One>,
}

impl Past {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.refresh.is_empty()
    }
}

impl Entry {
    /// Gives it another value, and keeps the one before for the search.
    pub(super) fn replace(&mut self, held: Held) {
        let before = std::mem::replace(&mut self.held, held);
        let (value, refresh) = (before.value(), before.refresh());
        push(&mut self.past.values, value, self.held.value());
        push(&mut self.past.refresh, refresh, self.held.refresh());
    }

    /// What is searched for beside its value.
    pub(super) fn withheld(&self) -> Vec<Secret> {
        let past = self.past.values.iter().chain(&self.past.refresh).map(|one| one.0.clone());
        past.chain(self.held.refresh().cloned()).collect()
    }
}

impl Held {
    /// What is sent, as far as it is in the vault.
    fn value(&self) -> Option<&Secret> {
        match self {
            Self::Value(secret) => Some(secret),
            Self::Oauth(Oauth { access, .. }) => access.as_ref(),
            Self::Elsewhere(_) => None,
        }
    }

    fn refresh(&self) -> Option<&Secret> {
        match self {
            Self::Oauth(Oauth { refresh, .. }) => refresh.as_ref(),
            Self::Value(_) | Self::Elsewhere(_) => None,
        }
    }
}

/// Puts what was there before to the others, once each.
fn push(past: &mut Vec<One>, before: Option<&Secret>, now: Option<&Secret>) {
    let Some(before) = before else { return };
    let is = |one: &One, secret: &Secret| one.0.reveal() == secret.reveal();
    if now.is_some_and(|now| now.reveal() == before.reveal()) {
        return;
    }
    past.retain(|one| !is(one, before) && now.is_none_or(|now| !is(one, now)));
    past.insert(0, One(before.clone()));
    past.truncate(PAST_MAX);
}
