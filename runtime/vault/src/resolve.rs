//! Names to addresses: the second half of *decide*.
//!
//! The vault's own issue sorts addresses into classes here, and refuses a whole answer if one of them may not be
//! reached. So far each name that an operator wrote into a rule may lead anywhere. Note that an address written in a
//! URL is never resolved, so it does not come by here: that has to be decided on in `policy.rs`.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// The system's resolver, but for `localhost`, which is this machine whatever the system says: a credential may go
/// there without TLS.
pub(crate) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0: the client puts in that of the URL.
            let addresses: Vec<SocketAddr> = if name.as_str().eq_ignore_ascii_case("localhost") {
                vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect()
            };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
