//! The way out for hands: which hosts, which credentials, and who sends.

use crate::agent::bundle_digest;
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use handbox_bundle::{Asks, Bundle, Grants};
use handbox_hands::Network;
use handbox_vault::keep::{Bound, Changed, Door, Holder, Keep, Rule, Terms};
use handbox_vault::{IpNet, Limits, Options, Place, Proxy};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Environment values of such names are settings of Handbox's own tools, and no credential is called so.
const OWN: &str = "HANDBOX_";

/// The one way out of this process, for all hands.
pub(crate) struct Way {
    proxy: Arc<Proxy>,
    keep: Keep,
    /// What names may lead to beside public addresses, as the operator has it now.
    ranges: Vec<IpNet>,
    quiet: bool,
}

/// What is granted to a bundle's hands of the network.
pub(crate) struct Reach<'a> {
    pub(crate) grants: &'a Grants,
    /// What names may lead to beside public addresses, as a session pinned it; `None` without a session.
    pub(crate) pinned: Option<&'a [IpNet]>,
}

impl Way {
    pub(crate) fn new(keep: Keep, ranges: Vec<IpNet>, quiet: bool) -> Result<Arc<Self>, Failure> {
        let proxy = Proxy::new(Options::new(Limits::HANDS));
        let proxy = proxy.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
        Ok(Arc::new(Self { proxy: Arc::new(proxy), keep, ranges, quiet }))
    }

    /// For the hands of one bundle. Each of its components gets what it asks for of what is granted and bound; the vault is
    /// opened when the first request is to be sent.
    pub(crate) fn network(&self, owner: &str, holder: &Holder, bundle: &Bundle, reach: &Reach<'_>) -> Network {
        let ranges = reach.pinned.map_or_else(|| self.ranges.clone(), |pinned| common(pinned, &self.ranges));
        let rules = bundle.components.iter().enumerate().map(|(index, component)| Rule {
            principal: Network::principal_of(owner, index),
            destinations: component.effective(reach.grants).grants.hosts,
            wants: wants(&component.asks),
        });
        let quiet = self.quiet;
        let terms = Terms {
            holder: holder.clone(),
            ranges,
            rules: rules.collect(),
            on_changed: Arc::new(move |changed| {
                if !quiet {
                    tell_of(changed)
                }
            }),
        };
        let door = Door::new(Arc::clone(&self.proxy), self.keep.clone(), terms);
        Network { http: Arc::new(door), owner: owner.into() }
    }

    /// What a guest finds in its environment where the host puts a credential: public constants.
    /// Opens the vault, which may take a passphrase.
    pub(crate) fn placeholders(&self, holder: &Holder) -> Result<Vec<(String, String)>, Failure> {
        let variables = self.keep.bound_to(holder)?.bound.into_iter().filter_map(|bound| bound.variable);
        Ok(variables.map(|name| (name, Place::PLACEHOLDER.to_owned())).collect())
    }
}

/// Whether a bundle's guests have anything of the vault in their environment.
pub(crate) fn needs_placeholders(bundle: &Bundle) -> bool {
    let asks = |asks: &Asks| !asks.credentials.is_empty() && asks.env.iter().any(|name| !name.starts_with(OWN));
    bundle.components.iter().any(|component| asks(&component.asks))
}

/// Which of the credentials that are bound for its bundle a component asks for, by their kind and where they go.
fn wants(asks: &Asks) -> Option<Arc<dyn Fn(&Bound) -> bool + Send + Sync>> {
    let asks = (!asks.credentials.is_empty()).then(|| asks.clone())?;
    Some(Arc::new(move |bound| asks.wants_credential(bound.kind) && asks.hosts_within(&bound.to).contains(&bound.to)))
}

/// Says that a tool works without a credential from here on, and what would change that.
fn tell_of(changed: &Changed) {
    let Changed { name, to, bundle } = changed;
    let message = format!("`{bundle}` does not get the credential {name}: it is not what it was when that was bound");
    output::note(Tone::Warning, &message);
    let (to, bundle) = (shell_word(to), shell_word(bundle));
    output::note(Tone::Hint, &format!("if it should: handbox vault bind {name} {to} --for {bundle}"));
}

/// A bundle as the vault knows it: by the names that are built in or the operator's, and by where it lies. A project names
/// nobody.
pub(crate) fn holder(bundle: &Bundle, config: &Config) -> Holder {
    let mut names = Vec::new();
    match bundle.files.first() {
        None => names.push(bundle.name.clone()),
        Some(file) => {
            names.extend(config.operators_names_of(file));
            names.extend(places(file).iter().map(|place| place.display().to_string()));
        }
    }
    Holder { names, digest: bundle_digest(bundle) }
}

/// Where a bundle lies: its file, and for a folder's bundle.toml the folder.
fn places(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().filter(|_| file.file_name().is_some_and(|name| name == "bundle.toml"));
    [Some(file), folder].into_iter().flatten().map(Path::to_owned).collect()
}

/// What lies in both: of two ranges that overlap, one is within the other.
fn common(one: &[IpNet], other: &[IpNet]) -> Vec<IpNet> {
    let within = |one: &[IpNet], other: &[IpNet]| -> Vec<IpNet> {
        one.iter().filter(|range| other.iter().any(|wide| wide.contains(*range))).copied().collect()
    };
    let mut common = within(one, other);
    common.extend(within(other, one));
    common.sort_unstable();
    common.dedup();
    common
}

#[cfg(test)]
mod tests {
    use super::{IpNet, common};

    #[test]
    fn what_two_grants_of_ranges_have_in_common_is_in_both() {
        let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpNet>>();
        let cases: [(&[&str], &[&str], &[&str]); 6] = [
            (&["10.0.0.0/8"], &["10.0.0.0/8"], &["10.0.0.0/8"]),
            (&["10.0.0.0/8"], &["10.1.0.0/16", "192.168.0.0/16"], &["10.1.0.0/16"]),
            (&["10.1.0.0/16"], &["10.0.0.0/8"], &["10.1.0.0/16"]),
            (&["10.0.0.0/8"], &["fd00::/8"], &[]),
            (&[], &["0.0.0.0/0"], &[]),
            (&["0.0.0.0/0"], &[], &[]),
        ];
        for (one, other, both) in cases {
            assert_eq!(common(&ranges(one), &ranges(other)), ranges(both), "{one:?} {other:?}");
        }
    }
}
