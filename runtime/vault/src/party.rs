//! One principal: its rules, what it used, and the credentials that went along.

use crate::credential::Credential;
use crate::inject;
use crate::limits::Quota;
use crate::policy::Rules;
use crate::scan::Pattern;
use crate::scrub::Needles;
use handbox_hand::{HttpError, Refusal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Numbers the sets of rules of this process, so that no two of one principal are taken for one.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The most values of credentials that are remembered for one principal: one that changes every hour, for forty days.
const VALUES_MAX: usize = 1024;

/// Look-ups at once of one principal. All share those of the resolver, and one that is not answered keeps its place.
const LOOKUPS_MAX: usize = 8;

/// Bodies at once of one principal whose decoders look back at megabytes: 16 MiB each at most, under two codings.
const LARGE_DECODERS_MAX: usize = 8;

/// A principal.
pub(crate) struct Party {
    rules: RwLock<Current>,
    worn: Mutex<Worn>,
    usage: Usage,
}

/// The rules of now.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) rules: Arc<Rules>,
    /// Numbers them, so that no connection outlives the rules it was opened under.
    pub(crate) generation: u64,
    /// Whether the values that it may come by were asked for, so that requests can be searched for them.
    pub(crate) is_known: Arc<tokio::sync::OnceCell<()>>,
}

impl Current {
    fn new(rules: Rules) -> Self {
        let generation = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { rules: Arc::new(rules), generation, is_known: Arc::default() }
    }
}

/// Every value that went along, or may: each is taken out of what comes back, for the life of the principal.
#[derive(Default)]
struct Worn {
    patterns: Vec<Arc<Pattern>>,
    needles: Needles,
}

struct Usage {
    quota: Quota,
    requests: AtomicU64,
    bytes: AtomicU64,
    connections: Arc<Semaphore>,
    lookups: Arc<Semaphore>,
    large_decoders: Arc<Semaphore>,
}

impl Party {
    pub(crate) fn new(rules: Rules, quota: Quota) -> Self {
        let connections = Arc::new(Semaphore::new(quota.connections_max.min(Semaphore::MAX_PERMITS)));
        let lookups = Arc::new(Semaphore::new(LOOKUPS_MAX));
        let large_decoders = Arc::new(Semaphore::new(LARGE_DECODERS_MAX));
        let (requests, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let usage = Usage { quota, requests, bytes, connections, lookups, large_decoders };
        let own = Self { rules: RwLock::new(Current::new(rules)), worn: Mutex::default(), usage };
        own.wear_constants();
        own
    }

    pub(crate) fn current(&self) -> Current {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Other rules from the next request on, and the number of those before. The values of before are still taken out of
    /// what comes back.
    pub(crate) fn replace(&self, rules: Rules) -> u64 {
        let before =
            std::mem::replace(&mut *self.rules.write().unwrap_or_else(PoisonError::into_inner), Current::new(rules));
        self.wear_constants();
        before.generation
    }

    fn wear_constants(&self) {
        for binding in &self.current().rules.grant.bindings {
            if let Some(credential) = binding.constant() {
                // More of them than are remembered were written into one configuration: refused with the request.
                let _ = self.wear(&binding.shared_name(), credential);
            }
        }
    }

    /// Remembers a value, before it goes along. Whether it is a new one.
    pub(crate) fn wear(&self, name: &Arc<str>, credential: &Credential) -> Result<bool, HttpError> {
        let mut worn = self.worn.lock().unwrap_or_else(PoisonError::into_inner);
        let known = worn.patterns.len();
        for form in inject::forms(credential) {
            let is_known = |own: &Arc<Pattern>| own.of == *name && own.secret.reveal() == form.reveal();
            if worn.patterns.iter().any(is_known) {
                continue;
            }
            if worn.patterns.len() >= VALUES_MAX {
                return Err(HttpError::Quota(format!("more than {VALUES_MAX} values of credentials were used")));
            }
            worn.patterns.push(Arc::new(Pattern::new(Arc::clone(name), form)));
        }
        let is_new = worn.patterns.len() > known;
        if is_new {
            worn.needles = Needles::new(worn.patterns.iter().map(|pattern| &pattern.secret));
        }
        Ok(is_new)
    }

    /// What is taken out of whatever comes back.
    pub(crate) fn needles(&self) -> Needles {
        self.worn.lock().unwrap_or_else(PoisonError::into_inner).needles.clone()
    }

    /// What may not leave, but for the credential that goes along anyway: its server knows that one.
    pub(crate) fn strangers(&self, along: Option<&str>) -> Vec<Arc<Pattern>> {
        let worn = self.worn.lock().unwrap_or_else(PoisonError::into_inner);
        let along = |of: &str| Some(of) == along;
        worn.patterns.iter().filter(|pattern| !along(&pattern.of)).map(Arc::clone).collect()
    }

    /// Counts a request. The flag is whether it is the first one too many, or not too many: the others are not on record.
    pub(crate) fn count_request(&self) -> (Result<(), HttpError>, bool) {
        let most = self.usage.quota.requests_max;
        let before = self.usage.requests.fetch_add(1, Ordering::Relaxed);
        if before < most {
            return (Ok(()), true);
        }
        (Err(HttpError::Quota(format!("more than {most} requests"))), before == most)
    }

    /// Counts bytes of bodies, both ways.
    pub(crate) fn count_bytes(&self, bytes: u64) -> Result<(), HttpError> {
        let most = self.usage.quota.bytes_max;
        let before = self.usage.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > most {
            return Err(HttpError::Quota(format!("more than {most} bytes were sent and received")));
        }
        Ok(())
    }

    /// One more at once.
    pub(crate) fn connection(&self) -> Result<OwnedSemaphorePermit, HttpError> {
        let free = Arc::clone(&self.usage.connections).try_acquire_owned();
        free.map_err(|_| {
            let most = self.usage.quota.connections_max;
            HttpError::Quota(format!("more than {most} requests at once; let one end first"))
        })
    }

    /// One more body that takes much memory to decode.
    pub(crate) fn large_decoder(&self) -> Result<OwnedSemaphorePermit, HttpError> {
        let free = Arc::clone(&self.usage.large_decoders).try_acquire_owned();
        free.map_err(|_| {
            let text = format!("more than {LARGE_DECODERS_MAX} answers in br or zstd at once; let one end first");
            HttpError::Quota(text)
        })
    }

    /// The places of its look-ups, whatever client they are for.
    pub(crate) fn lookups(&self) -> Arc<Semaphore> {
        Arc::clone(&self.usage.lookups)
    }

    /// From here on the quota counts anew.
    pub(crate) fn refill(&self) {
        self.usage.requests.store(0, Ordering::Relaxed);
        self.usage.bytes.store(0, Ordering::Relaxed);
    }
}

/// The refusal of a request that brings somebody's credential to somebody else.
pub(crate) fn brought(of: &str) -> HttpError {
    HttpError::Denied(Refusal {
        reason: format!("the request itself holds the credential {of:?}, which is bound to another destination"),
        hint: format!("nothing allows this; if the value of {of:?} leaked to a tool, replace it"),
    })
}
