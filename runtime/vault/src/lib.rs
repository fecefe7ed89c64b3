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
//! # use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Secret, Trust};
//! # use handbox_hand::Principal;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let to = Destination::parse("https://api.anthropic.com")?;
//! // Without a key there is nothing to bind, and nothing may be sent.
//! let key = Secret::from_env("ANTHROPIC_API_KEY")?;
//! let binding = key.map(|key| Binding::header("anthropic", to, "x-api-key", key)).transpose()?;
//! let grant = Grant { principal: Principal::new("model"), destinations: vec![], bindings: binding.into_iter().collect() };
//! let proxy = Proxy::new(Options { grants: vec![grant], limits: Limits::MODELS, trust: Trust::Platform })?;
//! # let _ = proxy; Ok(()) }
//! ```
//!
//! # So far
//!
//! What model calls need. Addresses are not
//! sorted into classes (see `resolve.rs`); decisions are not audited; HTTP/1.1 only.

mod body;
mod client;
mod decode;
mod headers;
mod limits;
mod policy;
mod proxy;
mod resolve;
mod scrub;
mod secret;
mod target;

pub use client::Trust;
pub use limits::Limits;
pub use policy::{Binding, Grant, PolicyError};
pub use proxy::{Options, Proxy, ProxyError};
pub use scrub::{Needles, Scrubber};
pub use secret::{FromFile, Secret, SecretError};
pub use target::Destination;
