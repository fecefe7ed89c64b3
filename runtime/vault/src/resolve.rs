//! Names to addresses: the second half of *decide*.
//!
//! A name is looked up once for each connection, as an absolute name. If one of its addresses may not be connected to,
//! none is: a server that answers with both a public and a private address is playing. What was judged is what is
//! connected to. An address written in a URL is never looked up, so it does not come by here: `policy.rs` judges it.

use crate::addresses::{self, Unfit};
use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve as Lookup, Resolving};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The most addresses of one name. The largest services have a dozen.
const ADDRESSES_MAX: usize = 64;
/// Look-ups at once by the system's resolver: each blocks a thread, and cannot be stopped.
const LOOKUPS_MAX: usize = 32;

/// Who knows the addresses of names.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of an absolute name, in the order in which they should be tried. The name is in A-labels, in lower
    /// case, and has no dot at its end. It is asked once for each connection, and may take no longer than a connection.
    ///
    /// # Errors
    ///
    /// Whatever keeps them from being known; nothing is sent then.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of this machine. At most 32 names are looked up at once; more wait.
#[derive(Debug)]
pub struct SystemResolver {
    lookups: Arc<Semaphore>,
    /// What makes a name absolute.
    end: &'static str,
}

impl SystemResolver {
    /// Takes each name as absolute: neither search domains nor most entries of the hosts file count.
    #[must_use]
    pub fn new() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)), end: "." }
    }

    /// Takes names as whoever types them on this machine means them, with its hosts file and search domains: for names
    /// that the operator alone chose, such as that of a model's endpoint.
    #[must_use]
    pub fn relative() -> Self {
        Self { end: "", ..Self::new() }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let name = format!("{host}{}", self.end);
        let found = tokio::task::spawn_blocking(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            drop(permit);
            // One more than may be, so that too many are seen.
            found.map(|found| found.map(|address| address.ip()).take(ADDRESSES_MAX + 1).collect())
        });
        found.await.map_err(io::Error::other)?
    }
}

/// The look-ups of one client: what may be connected to under one rule.
pub(crate) struct Judge {
    pub(crate) resolver: Arc<dyn Resolve>,
    /// The ranges that an operator granted beside public addresses.
    pub(crate) granted: Vec<IpNet>,
    pub(crate) public_only: bool,
    pub(crate) time_max: Duration,
    /// Those of one principal at once. A look-up cannot be stopped, so it keeps its place until it ends by itself.
    pub(crate) places: Arc<Semaphore>,
}

impl Judge {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (resolver, name) = (Arc::clone(&self.resolver), name.to_owned());
        let found = tokio::spawn(async move {
            let found = resolver.lookup(&name).await;
            drop(place);
            found
        });
        found.await.map_err(io::Error::other)?
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        // A rule named it, or the request would not have come so far. It is this machine whatever the system says: a
        // credential may go there without TLS.
        if name == "localhost" {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        if let Some(why) = never_asked(name) {
            return Err(LookupError::Never { name: name.to_owned(), why });
        }
        let found = tokio::time::timeout(self.time_max, self.lookup(name)).await;
        let found = found.map_err(|_| LookupError::Unknown("no answer within the time allowed".to_owned()))?;
        let found = found.map_err(|error| LookupError::Unknown(error.to_string()))?;
        if found.is_empty() {
            return Err(LookupError::Unknown("it has no address".to_owned()));
        }
        if found.len() > ADDRESSES_MAX {
            return Err(LookupError::Unknown(format!("it has more than {ADDRESSES_MAX} addresses")));
        }
        for address in &found {
            let (address, public_only, name) = (*address, self.public_only, name.to_owned());
            addresses::judge(address, &self.granted).map_err(|unfit| LookupError::Unfit {
                name,
                address,
                unfit,
                public_only,
            })?;
        }
        Ok(found)
    }
}

/// The reqwest side of it.
#[derive(Clone)]
pub(crate) struct Judged(pub(crate) Arc<Judge>);

impl Lookup for Judged {
    fn resolve(&self, name: Name) -> Resolving {
        let judge = Arc::clone(&self.0);
        Box::pin(async move {
            let found = judge.addresses(name.as_str()).await?;
            // Port 0: the client puts in that of the URL.
            let addresses: Vec<SocketAddr> = found.into_iter().map(|address| (address, 0).into()).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Names that are somebody's own by definition (RFC 6761, RFC 6762), and those of metadata services.
pub(crate) fn never_asked(name: &str) -> Option<&'static str> {
    let is_below = |parent: &str| name == parent || name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    if addresses::is_metadata_name(name) {
        Some("it is where a cloud hands out credentials")
    } else if is_below("localhost") {
        Some("of localhost only the name itself is known")
    } else if is_below("local") {
        Some("names under .local are answered by whoever is near")
    } else {
        None
    }
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LookupError {
    /// It was not asked for.
    Never { name: String, why: &'static str },
    /// It leads where one may not connect to.
    Unfit { name: String, address: IpAddr, unfit: Unfit, public_only: bool },
    /// Nobody knows.
    Unknown(String),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never { name, why } => write!(f, "{name} is not looked up: {why}"),
            Self::Unfit { name, address, unfit, .. } => write!(f, "{name} leads to {address}: {unfit}"),
            Self::Unknown(why) => write!(f, "the name cannot be looked up: {why}"),
        }
    }
}

impl std::error::Error for LookupError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one name that each machine's hosts file has; an absolute one is asked for elsewhere, or nowhere.
    #[tokio::test]
    async fn a_relative_name_may_be_one_of_the_hosts_file() {
        let found = SystemResolver::relative().lookup("localhost").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    /// Whatever the rules let through: the last to be asked says the same.
    #[tokio::test]
    async fn names_of_this_machine_and_its_neighbours_are_not_asked_for() {
        struct Nobody;
        #[async_trait]
        impl Resolve for Nobody {
            async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
                panic!("{host} was asked for")
            }
        }
        let time_max = Duration::from_secs(1);
        let judge = Judge {
            resolver: Arc::new(Nobody),
            granted: Vec::new(),
            public_only: false,
            time_max,
            places: Arc::new(Semaphore::new(1)),
        };
        for name in ["a.localhost", "local", "printer.local", "metadata.google.internal"] {
            assert!(matches!(judge.addresses(name).await, Err(LookupError::Never { .. })), "{name}");
        }
        assert!(judge.addresses("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
    }
}
