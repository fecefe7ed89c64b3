//! How the standard tools send HTTP, and read what comes back.
//!
//! One request is one decision of the host: nothing here follows a redirect, keeps a cookie
//! or knows a credential. Whatever the host refuses or cannot do becomes a [`Trouble`],
//! whose text a model can act on.

mod charset;
#[cfg_attr(target_arch = "wasm32", path = "client/wasi.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "client/native.rs")]
mod client;
mod domains;
mod media;
mod message;

pub use charset::decode;
pub use client::Network;
pub use domains::{Domains, NOT_ALLOWED};
pub use media::{Kind, Media};
pub use message::{BODY_BYTES_MAX, Fetch, Request, Response, Trouble, web_address};

/// A network that answers from a list, and remembers what it was asked.
#[cfg(any(test, feature = "canned"))]
pub mod canned;
