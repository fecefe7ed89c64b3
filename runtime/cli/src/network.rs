//! The way out for hands: which hosts, and who sends.

use crate::failure::{Failure, Kind};
use handbox_bundle::{Bundle, Grants};
use handbox_hands::Network;
use handbox_vault::{Grant, Limits, Options, Proxy, ProxyError, Trust};
use std::sync::Arc;

/// For the hands of one bundle. Each of its components gets what it asks for of what is granted.
pub(crate) fn network(owner: &str, bundle: &Bundle, granted: &Grants) -> Result<Network, ProxyError> {
    let owner = Arc::<str>::from(owner);
    let mut grants = Vec::new();
    for component in &bundle.components {
        let destinations = component.effective(granted).grants.hosts;
        let principal = Network::principal_of(&owner, &bundle.name, &component.name);
        grants.push(Grant { principal, destinations, bindings: Vec::new() });
    }
    let options = Options { grants, limits: Limits::HANDS, trust: Trust::Platform };
    Ok(Network { http: Arc::new(Proxy::new(options)?), owner })
}

/// Why there is none.
pub(crate) fn failed(error: &ProxyError) -> Failure {
    Failure::new(Kind::Internal, error.to_string())
}
