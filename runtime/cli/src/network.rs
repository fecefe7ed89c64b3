//! The way out for hands: which hosts, which credentials, and who sends.

use crate::agent::bundle_digest;
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use async_trait::async_trait;
use handbox_bundle::{Asks, Bundle, Grants};
use handbox_hand::{
    CallId, Destination, Egress, Http, HttpError, HttpRequest, HttpResponse, Principal, Refusal, Sender, Target,
    Verdict,
};
use handbox_hands::Network;
use handbox_vault::keep::{Bound, GuestHeader as Kept, Keep};
use handbox_vault::{Binding, Grant, GuestHeader, IpNet, Limits, Options, Place, Proxy};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many of the last calls are remembered, to count the requests of each anew.
const CALLS_MAX: usize = 64;
/// Environment values of such names are settings of Handbox's own tools, and no credential is called so.
const OWN: &str = "HANDBOX_";

/// The one way out of this process, for all hands.
pub(crate) struct Way {
    proxy: Proxy,
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
        Ok(Arc::new(Self { proxy, keep, ranges, quiet }))
    }

    /// For the hands of one bundle. Each of its components gets what it asks for of what is granted and bound; the vault is
    /// opened when the first request is to be sent.
    pub(crate) fn network(
        self: &Arc<Self>,
        owner: &str,
        holder: &Holder,
        bundle: &Bundle,
        reach: &Reach<'_>,
    ) -> Network {
        let ranges = reach.pinned.map_or_else(|| self.ranges.clone(), |pinned| common(pinned, &self.ranges));
        let rules = bundle.components.iter().enumerate().map(|(index, component)| {
            let rule = Rule {
                destinations: component.effective(reach.grants).grants.hosts,
                asks: component.asks.clone(),
                state: Mutex::default(),
            };
            (Network::principal_of(owner, index), rule)
        });
        let door = Door { rules: rules.collect(), holder: holder.clone(), ranges, way: Arc::clone(self) };
        Network { http: Arc::new(door), owner: owner.into() }
    }

    /// What a guest finds in its environment where the host puts a credential: public constants.
    pub(crate) fn placeholders(&self, holder: &Holder, bundle: &Bundle) -> Result<Vec<(String, String)>, Failure> {
        let asks = |asks: &Asks| !asks.credentials.is_empty() && asks.env.iter().any(|name| !name.starts_with(OWN));
        if !bundle.components.iter().any(|component| asks(&component.asks)) {
            return Ok(Vec::new());
        }
        let bound =
            bound(&self.keep, holder, true).map_err(|refusal| Failure::usage(refusal.reason).hint(refusal.hint))?;
        let variables = bound.into_iter().filter_map(|bound| bound.variable);
        Ok(variables.map(|name| (name, Place::PLACEHOLDER.to_owned())).collect())
    }

    fn binding(&self, holder: &Holder, bound: &Bound) -> Result<Binding, String> {
        let guest_header = match bound.guest_header {
            Kept::Refuse => GuestHeader::Refuse,
            Kept::Replace => GuestHeader::Replace,
        };
        let credentials = self.keep.held_for(&holder.names, &holder.digest, bound);
        let binding = Binding::stored(&bound.name, bound.to.clone(), credentials);
        Ok(binding.map_err(|error| error.to_string())?.with_guest_header(guest_header))
    }
}

/// What the vault binds for a bundle.
fn bound(keep: &Keep, holder: &Holder, quiet: bool) -> Result<Vec<Bound>, Refusal> {
    let mut bound: Vec<Bound> = Vec::new();
    if !keep.is_there() {
        return Ok(bound);
    }
    for called in &holder.names {
        let bindings = keep.bindings_for(called, Some(&holder.digest));
        let bindings = bindings.map_err(|error| Refusal { reason: error.to_string(), hint: error.hint() })?;
        for changed in bindings.changed.iter().filter(|_| !quiet) {
            let (name, to) = (&changed.name, &changed.to);
            let message =
                format!("`{called}` does not get the credential {name}: it is not what it was when that was bound");
            output::note(Tone::Warning, &message);
            let (to, called) = (shell_word(to), shell_word(called));
            output::note(Tone::Hint, &format!("if it should: handbox vault bind {name} {to} --for {called}"));
        }
        for new in bindings.bound {
            if bound.iter().all(|own| (&own.name, &own.to) != (&new.name, &new.to)) {
                bound.push(new);
            }
        }
    }
    Ok(bound)
}

/// A bundle as the vault knows it.
#[derive(Clone)]
pub(crate) struct Holder {
    /// What it is called by: the names that are built in or the operator's, and where it lies. A project names nobody.
    names: Vec<String>,
    digest: String,
}

impl Holder {
    pub(crate) fn of(bundle: &Bundle, config: &Config) -> Self {
        let mut names = Vec::new();
        match bundle.files.first() {
            None => names.push(bundle.name.clone()),
            Some(file) => {
                names.extend(config.operators_names_of(file));
                names.extend(places(file).iter().map(|place| place.display().to_string()));
            }
        }
        Self { names, digest: bundle_digest(bundle) }
    }
}

/// Where a bundle lies: its file, and for a folder's bundle.toml the folder.
fn places(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().filter(|_| file.file_name().is_some_and(|name| name == "bundle.toml"));
    [Some(file), folder].into_iter().flatten().map(Path::to_owned).collect()
}

/// The way out of one bundle's components.
struct Door {
    rules: HashMap<Principal, Rule>,
    holder: Holder,
    ranges: Vec<IpNet>,
    way: Arc<Way>,
}

/// What one component may do.
struct Rule {
    destinations: Vec<Destination>,
    asks: Asks,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was bound when the proxy was last told.
    told: Option<String>,
    /// The last calls that sent something.
    calls: VecDeque<CallId>,
}

impl Door {
    /// Tells the proxy what is granted and bound by now.
    async fn tell(&self, principal: &Principal, rule: &Rule) -> Result<(), Refusal> {
        let bound = if rule.asks.credentials.is_empty() {
            Vec::new()
        } else {
            // To open the vault may take a passphrase.
            let (keep, holder, quiet) = (self.way.keep.clone(), self.holder.clone(), self.way.quiet || rule.is_told());
            let bound = tokio::task::spawn_blocking(move || bound(&keep, &holder, quiet)).await;
            bound.map_err(|error| broken(error.to_string()))??
        };
        let bound: Vec<Bound> = bound.into_iter().filter(|bound| rule.wants(bound)).collect();
        let now = format!("{bound:?}");
        if rule.state().told.as_ref() == Some(&now) {
            return Ok(());
        }
        let bindings: Result<_, _> = bound.iter().map(|bound| self.way.binding(&self.holder, bound)).collect();
        let grant = Grant {
            principal: principal.clone(),
            destinations: rule.destinations.clone(),
            bindings: bindings.map_err(broken)?,
            ranges: self.ranges.clone(),
        };
        self.way.proxy.grant(grant).map_err(|error| broken(error.to_string()))?;
        rule.state().told = Some(now);
        Ok(())
    }

    /// Counts the requests of each call anew.
    fn count(&self, sender: &Sender, rule: &Rule) {
        let Some(call) = &sender.call else { return };
        let mut state = rule.state();
        if !state.calls.contains(call) {
            state.calls.push_back(call.clone());
            if state.calls.len() > CALLS_MAX {
                state.calls.pop_front();
            }
            self.way.proxy.refill(&sender.principal);
        }
    }
}

impl Rule {
    /// Whether a component asks for a credential that is bound for its bundle, and for where that goes.
    fn wants(&self, bound: &Bound) -> bool {
        self.asks.wants_credential(bound.kind) && self.asks.hosts_within(&bound.to).contains(&bound.to)
    }

    fn is_told(&self) -> bool {
        self.state().told.is_some()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Http for Door {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(rule) = self.rules.get(&sender.principal) {
            if let Err(refusal) = self.tell(&sender.principal, rule).await {
                let told = sender.audit.decided(&refused(sender, &request, &refusal)).await;
                return Err(told.map_or_else(HttpError::Unrecorded, |()| HttpError::Denied(refusal)));
            }
            self.count(sender, rule);
        }
        self.way.proxy.send(sender, request).await
    }

    fn scrub(&self, principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
        self.way.proxy.scrub(principal, bytes)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.rules.keys().for_each(|principal| self.way.proxy.forget(principal));
    }
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

fn broken(why: String) -> Refusal {
    Refusal { reason: why, hint: "handbox vault list shows what is bound".to_owned() }
}

/// The record of a request that was not even looked at. The proxy numbers its own from 0 up.
fn refused(sender: &Sender, request: &HttpRequest, refusal: &Refusal) -> Egress {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 62);
    let Refusal { reason, hint } = refusal.clone();
    Egress {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        principal: sender.principal.0.to_string(),
        tool: sender.tool.as_ref().map(ToString::to_string),
        method: output::one_line(&request.method, 32),
        origin: Target::parse(&request.url).map(|target| target.origin()).unwrap_or_default(),
        path: String::new(),
        verdict: Verdict::Refused { reason, hint },
        durable: false,
    }
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
