//! What is told of the vault: everything but values.

use super::entry::{Bind, Entry, Kind, Provider, repository};
use super::error::KeepError;
use super::{Held, Holder, Keep};
use crate::GuestHeader;
use handbox_hand::Destination;

/// A credential without its value.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where its value comes from, for people.
    pub from: String,
    /// Where it may go, and for whom.
    pub bindings: Vec<Bind>,
    /// When it was taken in, in seconds since 1970, as all times here.
    pub created: u64,
    /// When it got its present value.
    pub rotated: u64,
    /// When its value ends, if that is known.
    pub expires: Option<u64>,
    /// When it last went along with a request; `None` if never.
    pub last_used: Option<u64>,
    /// What is noted of it.
    pub note: String,
}

/// A binding as a [`Proxy`](crate::Proxy) needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The credential, by the name that [`Credentials`](crate::Credentials) knows it by.
    pub name: String,
    /// Of which kind it is; see [`Kind::name`].
    pub kind: &'static str,
    /// Where it goes, and with which methods.
    pub to: Destination,
    /// What is done if the guest sends that header itself.
    pub guest_header: GuestHeader,
    /// The variable that the guest gets [`Place::PLACEHOLDER`](crate::Place::PLACEHOLDER) in.
    pub variable: Option<String>,
}

/// What is bound for one bundle.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    /// What it gets.
    pub bound: Vec<Bound>,
    /// What it would get if it were what it was when that was bound. To be said aloud: without it, the tool does not work.
    pub changed: Vec<Changed>,
}

/// A binding for a bundle that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The credential.
    pub name: String,
    /// Where it would go.
    pub to: String,
    /// The bundle, as the binding calls it.
    pub bundle: String,
}

impl Keep {
    /// What there is, by name; never a value.
    ///
    /// # Errors
    ///
    /// [`KeepError`] if the vault cannot be opened.
    pub fn list(&self) -> Result<Vec<Listed>, KeepError> {
        let times = self.0.used.times();
        let contents = self.0.contents()?;
        let mut all: Vec<Listed> =
            contents.entries.iter().map(|entry| Listed::of(entry, times.get(&entry.name).copied())).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unknown`], or if the vault cannot be opened.
    pub fn get(&self, name: &str) -> Result<Listed, KeepError> {
        let all = self.list()?;
        all.into_iter().find(|one| one.name == name).ok_or_else(|| KeepError::Unknown(name.to_owned()))
    }

    /// What is bound for a bundle, which has this digest now. Each credential is named once for each destination.
    ///
    /// # Errors
    ///
    /// [`KeepError`] if the vault cannot be opened, or what it holds is damaged.
    pub fn bindings_for(&self, bundle: &str, digest: Option<&str>) -> Result<Bindings, KeepError> {
        let mut bindings = Bindings::default();
        for entry in &self.0.contents()?.entries {
            for bind in entry.bindings.iter().filter(|bind| bind.bundle == bundle) {
                match &bind.digest {
                    Some(pinned) if Some(pinned.as_str()) != digest => bindings.changed.push(Changed {
                        name: entry.name.clone(),
                        to: bind.to.clone(),
                        bundle: bind.bundle.clone(),
                    }),
                    _ => {
                        for one in bound(entry, bind)? {
                            let is_same = |own: &Bound| own.name == one.name && own.to == one.to;
                            if !bindings.bound.iter().any(is_same) {
                                bindings.bound.push(one);
                            }
                        }
                    }
                }
            }
        }
        Ok(bindings)
    }

    /// What is bound for a bundle under any of its names.
    ///
    /// # Errors
    ///
    /// As [`Self::bindings_for`].
    pub fn bound_to(&self, holder: &Holder) -> Result<Bindings, KeepError> {
        let mut all = Bindings::default();
        if !self.is_there() {
            return Ok(all);
        }
        for name in &holder.names {
            let bindings = self.bindings_for(name, Some(&holder.digest))?;
            all.changed.extend(bindings.changed);
            for one in bindings.bound {
                if all.bound.iter().all(|own| (&own.name, &own.to) != (&one.name, &one.to)) {
                    all.bound.push(one);
                }
            }
        }
        Ok(all)
    }

    /// The name of the key for a provider's models, if there is one.
    ///
    /// # Errors
    ///
    /// [`KeepError::Invalid`] if there are several and none is called as the provider is, or if the vault cannot be
    /// opened.
    pub fn model_key(&self, provider: Provider) -> Result<Option<String>, KeepError> {
        let contents = self.0.contents()?;
        let is_one = |entry: &&Entry| entry.kind == Kind::Model { provider };
        let names: Vec<&String> = contents.entries.iter().filter(is_one).map(|entry| &entry.name).collect();
        match names.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some((*one).clone())),
            several => match several.iter().find(|name| name.as_str() == provider.name()) {
                Some(name) => Ok(Some((*name).clone())),
                None => {
                    let provider = provider.name();
                    let message = format!("the vault has several keys for models of {provider}, and none of that name");
                    Err(KeepError::invalid(message, format!("call the one you mean {provider}, or remove the others")))
                }
            },
        }
    }
}

impl Listed {
    fn of(entry: &Entry, last_used: Option<u64>) -> Self {
        let expires = match &entry.held {
            Held::Oauth(oauth) => oauth.expires,
            _ => None,
        };
        Self {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            from: entry.held.describe(),
            bindings: entry.bindings.clone(),
            created: entry.created,
            rotated: entry.rotated,
            expires,
            // One of the same name that was removed since is another one.
            last_used: last_used.filter(|time| *time >= entry.created),
            note: entry.note.clone(),
        }
    }
}

/// What a binding comes to.
pub(super) fn bound(entry: &Entry, bind: &Bind) -> Result<Vec<Bound>, KeepError> {
    let to = bind.narrowed(bind.check()?)?;
    let destinations = match &entry.kind {
        Kind::Git { .. } => repository(&to).unwrap_or_default(),
        _ => vec![to],
    };
    let one = |to| Bound {
        name: entry.name.clone(),
        kind: entry.kind.name(),
        to,
        guest_header: bind.guest_header,
        variable: entry.kind.variable().map(str::to_owned),
    };
    Ok(destinations.into_iter().map(one).collect())
}
