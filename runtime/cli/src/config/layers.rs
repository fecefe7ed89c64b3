//! One layer over another: which value wins, and where it came from.

use super::settings::{Layer, single_limits};
use super::source::{Placed, Source};
use handbox_bundle::{Limits, LimitsPatch, Profile};
use std::collections::BTreeMap;

/// Limits while layers are laid over them. A later layer wins; a profile replaces all.
#[derive(Clone, Debug)]
pub(crate) struct LayeredLimits {
    pub(crate) limits: Limits,
    /// Of each limit, by its name.
    pub(crate) sources: BTreeMap<String, Source>,
}

impl LayeredLimits {
    /// What applies if nobody says anything.
    pub(crate) fn start() -> Self {
        let profile = Profile::default();
        let mut layered = Self { limits: profile.limits(), sources: BTreeMap::new() };
        layered.all_from(&Source::BuiltIn(profile));
        layered
    }

    fn all_from(&mut self, source: &Source) {
        let names = single_limits(&self.limits.into());
        self.sources = names.into_iter().map(|(name, _)| (name, source.clone())).collect();
    }

    /// Lays `layer` over, be that wider or narrower.
    pub(crate) fn replace(&mut self, layer: &Layer) {
        if let Some(profile) = &layer.profile {
            self.limits = profile.value.limits();
            self.all_from(&profile.source);
        }
        for limit in &layer.limits {
            self.limits = self.limits.with(&limit.value);
            self.note(&limit.value, &limit.source);
        }
    }

    /// Takes the lesser of both. Gives what `layer` would have had wider, for people.
    pub(crate) fn narrow(&mut self, layer: &Layer) -> Vec<Placed<String>> {
        let mut wider = Vec::new();
        if let Some(profile) = &layer.profile {
            let before = self.limits;
            self.narrow_by(&profile.value.limits().into(), &profile.source);
            if self.limits != profile.value.limits() && before == self.limits {
                wider.push(Placed::new(format!("profile {}", profile.value), profile.source.clone()));
            }
        }
        for limit in &layer.limits {
            self.narrow_by(&limit.value, &limit.source);
            if self.limits.with(&limit.value) != self.limits {
                wider.push(Placed::new(format!("limit {}", limit.value), limit.source.clone()));
            }
        }
        wider
    }

    /// Takes the lesser of both, and notes where each that changed came from.
    pub(crate) fn narrow_by(&mut self, patch: &LimitsPatch, source: &Source) {
        for (_, single) in single_limits(patch) {
            let narrowed = self.limits.narrowed_by(single);
            if narrowed != self.limits {
                self.limits = narrowed;
                self.note(&single, source);
            }
        }
    }

    fn note(&mut self, patch: &LimitsPatch, source: &Source) {
        for (name, _) in single_limits(patch) {
            self.sources.insert(name, source.clone());
        }
    }
}

/// A list in which a later layer replaces what has the same key.
#[derive(Clone, Debug)]
pub(crate) struct Stacked<T> {
    pub(crate) items: Vec<Placed<T>>,
}

impl<T: Clone> Stacked<T> {
    pub(crate) fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Lays `over` on top. Twins inside `over` stay, to be refused by whoever checks.
    pub(crate) fn lay<K: PartialEq>(&mut self, over: &[Placed<T>], key: impl Fn(&T) -> K) {
        self.items.retain(|own| over.iter().all(|new| key(&new.value) != key(&own.value)));
        self.items.extend_from_slice(over);
    }
}
