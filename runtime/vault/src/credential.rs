//! What a binding sends, and where that comes from.

use crate::Secret;
use async_trait::async_trait;
use std::fmt;

/// A credential as it is now.
#[derive(Clone)]
pub struct Credential {
    /// The value.
    pub secret: Secret,
    /// Where it stands in a request.
    pub place: Place,
}

/// Where a credential stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer VALUE` (RFC 6750, 2.1).
    Bearer,
    /// `Authorization: Basic` with `user:VALUE` in Base64 (RFC 7617).
    Basic {
        /// The user; without a colon.
        user: String,
    },
    /// A header of this name, with `prefix` before the value.
    Header {
        /// Its name, as `x-api-key`.
        name: String,
        /// What stands before the value, such as `Token `; often nothing.
        prefix: String,
    },
    /// A parameter of the query. Discouraged: servers, proxies and browsers write queries into logs and referrers.
    Query {
        /// Its name.
        name: String,
    },
    /// One value of a JSON body of at most 8 KiB, where the guest put [`PLACEHOLDER`](Self::PLACEHOLDER).
    Body {
        /// Where, as a JSON Pointer (RFC 6901).
        pointer: String,
    },
}

impl Place {
    /// What a guest sends where the host puts a credential. Public and the same for all, so that it is worth nothing.
    pub const PLACEHOLDER: &'static str = "handbox-placeholder";
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Where bindings get their credentials. Asked for each request, so that a new value, and a removal, count from the next
/// one on.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The credential of this name; `None` if there is none, or none any more.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if that cannot be told; then nothing is sent.
    async fn current(&self, name: &str) -> Result<Option<Credential>, CredentialError>;

    /// The credential of this name as far as it is known without a command and without a server; `None` if it is not. What
    /// is not sent for is searched for with it. Whoever has nothing to wait for need not say it twice.
    ///
    /// # Errors
    ///
    /// As [`current`](Self::current).
    async fn at_hand(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        self.current(name).await
    }

    /// Another one in place of `stale`, which the server answered with 401; `None` if it cannot be had. Many may ask at
    /// once; one renewal serves all.
    ///
    /// # Errors
    ///
    /// As [`current`](Self::current).
    async fn renewed(&self, _name: &str, _stale: &Credential) -> Result<Option<Credential>, CredentialError> {
        Ok(None)
    }

    /// What belongs to the credential of this name and is never sent for it: its values of before, as far as they are kept,
    /// and what it is renewed with. What comes back is searched for them too.
    ///
    /// # Errors
    ///
    /// As [`current`](Self::current).
    async fn withheld(&self, _name: &str) -> Result<Vec<Credential>, CredentialError> {
        Ok(Vec::new())
    }

    /// It went along with a request.
    fn used(&self, _name: &str) {}
}

/// Why a credential could not be had. The text holds nothing of it. An operator must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credential {name:?} cannot be had: {why}")]
pub struct CredentialError {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
    /// What to do about it; empty if nothing in particular.
    pub hint: String,
}
