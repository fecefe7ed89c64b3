//! A credential and the one destination that gets it.

use crate::credential::{Credential, CredentialError, Credentials, Place};
use crate::{Secret, inject};
use handbox_hand::Destination;
use public_suffix::DEFAULT_PROVIDER;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A credential and the one destination that gets it.
#[derive(Clone)]
pub struct Binding {
    name: Arc<str>,
    to: Destination,
    guest_header: GuestHeader,
    source: Source,
}

/// What becomes of a header that a guest sends, where the credential stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestHeader {
    /// The request is refused.
    #[default]
    Refuse,
    /// It is replaced if it says [`Place::PLACEHOLDER`], alone or in the credential's own form (`Bearer …`), since many SDKs
    /// insist on sending one. Any other value is refused.
    Replace,
}

#[derive(Clone)]
enum Source {
    Fixed(Credential),
    Stored(Arc<dyn Credentials>),
}

impl Binding {
    /// Sends the secret as the value of a header, as with `x-api-key`. `name` is what people know the credential by.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if others could read it on the way, or the header cannot carry it.
    pub fn header(name: &str, to: Destination, header: &str, secret: Secret) -> Result<Self, PolicyError> {
        let place = Place::Header { name: header.to_owned(), prefix: String::new() };
        Self::fixed(name, to, Credential { secret, place })
    }

    /// Sends `Authorization: Bearer` and the secret.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header).
    pub fn bearer(name: &str, to: Destination, secret: Secret) -> Result<Self, PolicyError> {
        Self::fixed(name, to, Credential { secret, place: Place::Bearer })
    }

    /// Sends a credential that never changes.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header).
    pub fn fixed(name: &str, to: Destination, credential: Credential) -> Result<Self, PolicyError> {
        inject::check(&credential.place)?;
        Self::new(name, to, Source::Fixed(credential))
    }

    /// Sends the credential of this name as it is at the time of each request.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header). A place that cannot carry a credential is seen with the first request.
    pub fn stored(name: &str, to: Destination, credentials: Arc<dyn Credentials>) -> Result<Self, PolicyError> {
        Self::new(name, to, Source::Stored(credentials))
    }

    fn new(name: &str, to: Destination, source: Source) -> Result<Self, PolicyError> {
        check_destination(&to)?;
        Ok(Self { name: name.into(), to, guest_header: GuestHeader::Refuse, source })
    }

    /// The same, with this said of what a guest sends itself.
    #[must_use]
    pub fn with_guest_header(mut self, guest_header: GuestHeader) -> Self {
        self.guest_header = guest_header;
        self
    }

    /// What people know the credential by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it goes.
    #[must_use]
    pub fn to(&self) -> &Destination {
        &self.to
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn guest_header(&self) -> GuestHeader {
        self.guest_header
    }

    /// The credential that never changes.
    pub(crate) fn constant(&self) -> Option<&Credential> {
        if let Source::Fixed(credential) = &self.source { Some(credential) } else { None }
    }

    pub(crate) async fn current(&self) -> Result<Option<Credential>, CredentialError> {
        match &self.source {
            Source::Fixed(credential) => Ok(Some(credential.clone())),
            Source::Stored(credentials) => credentials.current(&self.name).await,
        }
    }

    /// See [`Credentials::at_hand`].
    pub(crate) async fn at_hand(&self) -> Result<Option<Credential>, CredentialError> {
        match &self.source {
            Source::Fixed(credential) => Ok(Some(credential.clone())),
            Source::Stored(credentials) => credentials.at_hand(&self.name).await,
        }
    }

    pub(crate) async fn renewed(&self, stale: &Credential) -> Result<Option<Credential>, CredentialError> {
        match &self.source {
            Source::Fixed(_) => Ok(None),
            Source::Stored(credentials) => credentials.renewed(&self.name, stale).await,
        }
    }

    /// See [`Credentials::withheld`].
    pub(crate) async fn withheld(&self) -> Result<Vec<Credential>, CredentialError> {
        match &self.source {
            Source::Fixed(_) => Ok(Vec::new()),
            Source::Stored(credentials) => credentials.withheld(&self.name).await,
        }
    }

    pub(crate) fn used(&self) {
        if let Source::Stored(credentials) = &self.source {
            credentials.used(&self.name);
        }
    }
}

/// Whether a credential may be bound to it at all.
pub(crate) fn check_destination(to: &Destination) -> Result<(), PolicyError> {
    if !to.is_private() {
        return Err(PolicyError::Readable(to.to_string()));
    }
    if is_anybody(to) {
        return Err(PolicyError::Broad(to.to_string()));
    }
    Ok(())
}

/// Whether hosts of it may be anybody's: it means any, or all below a name under which names are given to whoever asks, be
/// it by a registry (`com`, `co.uk`) or by who lets others have hosts there (`github.io`).
fn is_anybody(to: &Destination) -> bool {
    let Some(parent) = to.below() else { return to.is_wildcard() };
    let is_suffix = |name: &str| !name.contains('.') || DEFAULT_PROVIDER.is_effective_tld(name);
    // Some give names two levels deep alone: each of `REGION.compute.amazonaws.com` is such a name, and that above is not.
    is_suffix(parent) || is_suffix(&format!("any.{parent}"))
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({:?} to {})", self.name, self.to)
    }
}

/// Why a rule makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A credential would be sent in the clear.
    #[error("no credential is sent to {0}, where others could read it on the way; use https, or a loopback address")]
    Readable(String),
    /// A credential would be sent to anybody.
    #[error("no credential is bound to {0}, which is anybody; name the host, or all below one: https://*.example.com")]
    Broad(String),
    /// The header is no header, or about the connection.
    #[error("{0:?} is no header that can carry a credential")]
    Header(String),
    /// A user, a parameter or a pointer that a credential cannot stand at.
    #[error("no credential can stand there: {0}")]
    Place(String),
}
