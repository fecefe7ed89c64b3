//! The one way out of the process: sends HTTP on behalf of hands and of the brain.
//!
//! Each request is *decided* on (does its principal have a rule for this destination?), *injected* with the one
//! credential that is bound to it, *sent*, and what comes back is *scrubbed* of that principal's secrets. A [`Secret`]
//! goes in and never comes out: it has no `Display` and no `Serialize`, and only this crate can read it.
//!
//! This crate *never* knows what a session is (only an opaque [`Principal`](handbox_hand::Principal)), stores an event,
//! follows a redirect, or takes a proxy from the environment. Only [`Secret::from_env`] reads the environment, when it
//! is called.
//!
//! ```
//! # use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Secret};
//! # use handbox_hand::Principal;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let to = Destination::parse("https://api.anthropic.com")?;
//! // Without a key there is nothing to bind, and nothing may be sent.
//! let key = Secret::from_env("ANTHROPIC_API_KEY")?;
//! let binding = key.map(|key| Binding::header("anthropic", to, "x-api-key", key)).transpose()?;
//! let grant = Grant { bindings: binding.into_iter().collect(), ..Grant::new(Principal::new("model")) };
//! let proxy = Proxy::new(Options { grants: vec![grant], ..Options::new(Limits::MODELS) })?;
//! # let _ = proxy; Ok(()) }
//! ```
//!
//! # What is not here
//!
//! Records of names that tell clients where to
//! connect (HTTPS, SVCB) are not asked for. A network's own NAT64 prefix is not known, see `addresses.rs`.

mod addresses;
mod agree;
mod binding;
mod body;
mod client;
mod credential;
mod decode;
mod expiry;
mod failure;
mod headers;
mod incoming;
mod inject;
pub mod keep;
mod limits;
mod outgoing;
mod parameter;
mod party;
mod policy;
mod prepare;
mod proxy;
mod record;
mod resolve;
mod scan;
mod scrub;
mod secret;

pub use agree::guard_agrees_with_connector;
pub use binding::{Binding, GuestHeader, PolicyError};
pub use client::Trust;
pub use credential::{Credential, CredentialError, Credentials, Place};
pub use handbox_hand::Destination;
pub use ipnet::IpNet;
pub use limits::{Limits, Quota};
pub use policy::Grant;
pub use proxy::{Options, Proxy, ProxyError};
pub use resolve::{Resolve, SystemResolver};
pub use scrub::{Needles, Scrubber};
pub use secret::{FromFile, Secret, SecretError};
