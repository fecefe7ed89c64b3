//! The way out for hands: which hosts, which credentials, and who sends.

use crate::agent::bundle_digest;
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use handbox_bundle::{Bundle, BundleComponent, Grants};
use handbox_hands::Network;
use handbox_vault::keep::{Bound, GuestHeader as Kept, Keep};
use handbox_vault::{Binding, Grant, GuestHeader, IpNet, Limits, Options, Place, Proxy};
use std::path::Path;
use std::sync::Arc;

/// The one way out of this process, for all hands.
pub(crate) struct Way {
    proxy: Arc<Proxy>,
    keep: Keep,
    /// What names may lead to beside public addresses.
    ranges: Vec<IpNet>,
}

impl Way {
    pub(crate) fn new(keep: Keep, ranges: Vec<IpNet>) -> Result<Self, Failure> {
        let proxy = Proxy::new(Options::new(Limits::HANDS)).map_err(|error| failed(error.to_string()))?;
        Ok(Self { proxy: Arc::new(proxy), keep, ranges })
    }

    /// For the hands of one bundle. Each of its components gets what it asks for of what is granted and bound.
    pub(crate) fn network(
        &self,
        owner: &str,
        (bundle, holder): (&Bundle, &Holder),
        granted: &Grants,
    ) -> Result<Network, Failure> {
        let owner = Arc::<str>::from(owner);
        let bound = self.bound(holder)?;
        for component in &bundle.components {
            let principal = Network::principal_of(&owner, &bundle.name, &component.name);
            let destinations = component.effective(granted).grants.hosts;
            let bindings = bound.iter().filter(|bound| wants(component, bound)).map(|bound| self.binding(bound));
            let bindings = bindings.collect::<Result<_, _>>()?;
            let grant = Grant { principal, destinations, bindings, ranges: self.ranges.clone() };
            self.proxy.grant(grant).map_err(|error| failed(error.to_string()))?;
        }
        Ok(Network { http: Arc::clone(&self.proxy) as _, owner })
    }

    fn bound(&self, holder: &Holder) -> Result<Vec<Bound>, Failure> {
        let mut bound = Vec::new();
        if !self.keep.is_there() {
            return Ok(bound);
        }
        for called in &holder.names {
            let bindings = self.keep.bindings_for(called, Some(&holder.digest));
            let bindings = bindings.map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
            for changed in &bindings.changed {
                let (name, to) = (&changed.name, &changed.to);
                let message =
                    format!("`{called}` does not get the credential {name}: it is not what it was when that was bound");
                output::note(Tone::Warning, &message);
                let called = shell_word(called);
                output::note(Tone::Hint, &format!("if it should: handbox vault bind {name} {to} --for {called}"));
            }
            bound.extend(bindings.bound);
        }
        Ok(bound)
    }

    /// What a guest finds in its environment where the host puts a credential: public constants.
    pub(crate) fn placeholders(&self, holder: &Holder) -> Result<Vec<(String, String)>, Failure> {
        let variables = self.bound(holder)?.into_iter().filter_map(|bound| bound.variable);
        Ok(variables.map(|name| (name, Place::PLACEHOLDER.to_owned())).collect())
    }

    fn binding(&self, bound: &Bound) -> Result<Binding, Failure> {
        let guest_header = match bound.guest_header {
            Kept::Refuse => GuestHeader::Refuse,
            Kept::Replace => GuestHeader::Replace,
        };
        let mut to = bound.to.clone();
        if !bound.methods.is_empty() {
            let only = to.with_methods(bound.methods.iter().map(String::as_str));
            to = only.map_err(|error| failed(error.to_string()))?;
        }
        let binding = Binding::stored(&bound.name, to, Arc::new(self.keep.clone()));
        Ok(binding.map_err(|error| failed(error.to_string()))?.with_guest_header(guest_header))
    }
}

/// A bundle as the vault knows it.
pub(crate) struct Holder {
    /// What it is called by: its name, or where it lies.
    names: Vec<String>,
    digest: String,
}

impl Holder {
    /// As it was named on the command line.
    pub(crate) fn named(bundle: &Bundle, name: Option<&str>, (word, cwd): (&str, &Path)) -> Self {
        let path = || {
            let path = cwd.join(word);
            path.canonicalize().unwrap_or(path).display().to_string()
        };
        let names = vec![name.map_or_else(path, str::to_owned)];
        Self { names, digest: bundle_digest(bundle) }
    }

    /// As a session has it: by a built-in name, or a path, for which the configuration may have a name as well.
    pub(crate) fn pinned(bundle: &Bundle, source: &str, config: &Config) -> Self {
        let mut names = vec![source.to_owned()];
        // A folder's bundle.toml stands for the folder.
        let path = Path::new(source).canonicalize().ok();
        let places = [path.as_deref(), path.as_deref().and_then(Path::parent)];
        names.extend(places[1].filter(|_| source.ends_with(".toml")).map(|folder| folder.display().to_string()));
        names.extend(config.names().into_iter().filter_map(|name| {
            let place = config.alias(name)?.0.value.canonicalize().ok()?;
            places.contains(&Some(place.as_path())).then(|| name.to_owned())
        }));
        Self { names, digest: bundle_digest(bundle) }
    }
}

/// Whether a component asks for a credential that is bound for its bundle, and for where that goes.
fn wants(component: &BundleComponent, bound: &Bound) -> bool {
    component.asks.wants_credential(bound.kind) && component.asks.hosts_within(&bound.to).contains(&bound.to)
}

fn failed(why: String) -> Failure {
    Failure::new(Kind::Internal, why)
}
