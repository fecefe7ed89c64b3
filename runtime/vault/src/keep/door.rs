//! The way out of the components of one bundle: what is granted to them, and what the vault binds for it by now.

use super::listed::Bindings;
use super::{Bound, Changed, Keep, KeepError};
use crate::party::Party;
use crate::{Binding, Grant, Proxy};
use async_trait::async_trait;
use handbox_hand::{CallId, Destination, Http, HttpError, HttpRequest, HttpResponse, Principal, Refusal, Sender};
use ipnet::IpNet;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many of the last calls are remembered, to count the requests of each anew.
const CALLS_MAX: usize = 64;
/// How long it stands that the vault cannot be opened: else each request would ask for a passphrase, and work on it.
const FAILURE_TIME: Duration = Duration::from_secs(10);

/// A bundle as the vault knows it.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What it is called by in bindings.
    pub names: Vec<String>,
    /// What it is now.
    pub digest: String,
}

/// Which of the credentials that are bound for its bundle a component gets.
pub type Wants = Arc<dyn Fn(&Bound) -> bool + Send + Sync>;

/// What one component may do.
#[derive(Clone)]
pub struct Rule {
    /// In whose name it sends.
    pub principal: Principal,
    /// Where it may send without a credential.
    pub destinations: Vec<Destination>,
    /// `None` if it asks for no credential: then nobody opens the vault for it.
    pub wants: Option<Wants>,
}

/// What a door lets through.
pub struct Terms {
    /// Whose it is.
    pub holder: Holder,
    /// Ranges of addresses that the names of its destinations may lead to, beside public ones.
    pub ranges: Vec<IpNet>,
    /// Of each component.
    pub rules: Vec<Rule>,
    /// Told, before the first request of a component, of what it does not get because the bundle changed.
    pub on_changed: Arc<dyn Fn(&Changed) + Send + Sync>,
}

/// Sends for the components of one bundle. What the vault binds for it is looked at before each request, so that it counts
/// from the next one on; each call has its whole quota. When this goes, so do its connections.
///
/// Two doors share nothing but the proxy's own limits, whatever their components are called: when a hand is made anew, the
/// one before it may still be sending.
pub struct Door {
    proxy: Arc<Proxy>,
    keep: Keep,
    holder: Holder,
    ranges: Vec<IpNet>,
    components: HashMap<Principal, Component>,
    on_changed: Arc<dyn Fn(&Changed) + Send + Sync>,
}

struct Component {
    rule: Rule,
    party: Arc<Party>,
    /// What the proxy was told last. Held while the vault is looked at, so that one passphrase is asked for at a time.
    told: tokio::sync::Mutex<Told>,
    /// The last calls that sent something.
    calls: Mutex<VecDeque<CallId>>,
}

#[derive(Default)]
struct Told {
    bound: Option<Vec<Bound>>,
    failed: Option<(Instant, Refusal)>,
}

impl Door {
    /// Opens nothing, neither a connection nor the vault.
    #[must_use]
    pub fn new(proxy: Arc<Proxy>, keep: Keep, terms: Terms) -> Self {
        let Terms { holder, ranges, rules, on_changed } = terms;
        let component = |rule: Rule| {
            let party = proxy.enrol(rule.principal.clone());
            (rule.principal.clone(), Component { rule, party, told: Default::default(), calls: Mutex::default() })
        };
        let components = rules.into_iter().map(component).collect();
        Self { proxy, keep, holder, ranges, components, on_changed }
    }

    /// Tells the proxy what is granted and bound by now.
    async fn tell(&self, component: &Component) -> Result<(), Refusal> {
        let mut told = component.told.lock().await;
        if let Some((at, refusal)) = &told.failed
            && at.elapsed() < FAILURE_TIME
        {
            return Err(refusal.clone());
        }
        let done = self.tell_now(component, &mut told.bound).await;
        told.failed = done.as_ref().err().map(|refusal| (Instant::now(), refusal.clone()));
        done
    }

    async fn tell_now(&self, component: &Component, told: &mut Option<Vec<Bound>>) -> Result<(), Refusal> {
        let rule = &component.rule;
        let bound = match &rule.wants {
            None => Vec::new(),
            Some(wants) => {
                let bindings = self.bindings().await.map_err(refused)?;
                if told.is_none() {
                    bindings.changed.iter().for_each(|changed| (self.on_changed)(changed));
                }
                bindings.bound.into_iter().filter(|bound| wants(bound)).collect()
            }
        };
        if told.as_ref() == Some(&bound) {
            return Ok(());
        }
        let bindings: Result<_, _> = bound.iter().map(|bound| self.binding(bound)).collect();
        let grant = Grant {
            principal: rule.principal.clone(),
            destinations: rule.destinations.clone(),
            bindings: bindings?,
            ranges: self.ranges.clone(),
        };
        self.proxy.regrant(&component.party, grant).map_err(|error| broken(error.to_string()))?;
        *told = Some(bound);
        Ok(())
    }

    /// To open the vault may take a passphrase.
    async fn bindings(&self) -> Result<Bindings, KeepError> {
        let (keep, holder) = (self.keep.clone(), self.holder.clone());
        super::renew::blocking(move || keep.bound_to(&holder)).await
    }

    fn binding(&self, bound: &Bound) -> Result<Binding, Refusal> {
        let credentials = self.keep.held_for(&self.holder, bound);
        let binding = Binding::stored(&bound.name, bound.to.clone(), credentials);
        Ok(binding.map_err(|error| broken(error.to_string()))?.with_guest_header(bound.guest_header))
    }
}

impl Component {
    /// Counts the requests of each call anew.
    fn count_call(&self, call: Option<&CallId>) {
        let Some(call) = call else { return };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if !calls.contains(call) {
            calls.push_back(call.clone());
            if calls.len() > CALLS_MAX {
                calls.pop_front();
            }
            self.party.refill();
        }
    }
}

#[async_trait]
impl Http for Door {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(component) = self.components.get(&sender.principal) else {
            return self.proxy.send(sender, request).await;
        };
        component.count_call(sender.call.as_ref());
        self.proxy.send_for(&component.party, sender, request, self.tell(component)).await
    }

    fn scrub(&self, principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
        match self.components.get(principal) {
            Some(component) => component.party.needles().scrub_bytes(bytes),
            None => self.proxy.scrub(principal, bytes),
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.components.values().for_each(|component| self.proxy.close(&component.party));
    }
}

fn refused(error: KeepError) -> Refusal {
    Refusal { reason: error.to_string(), hint: error.hint() }
}

fn broken(reason: String) -> Refusal {
    Refusal { reason, hint: "handbox vault list shows what is bound".to_owned() }
}
