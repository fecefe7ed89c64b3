//! The vault at rest: which credentials there are, what they are bound to, and their values, in one encrypted file.
//!
//! A [`Keep`] reads that file again whenever it changed, so that a new value, a new binding and a removal count from the
//! next request on, also if another process made them. It gives values to the [`Proxy`](crate::Proxy) alone.

mod beside;
mod door;
mod elsewhere;
mod entry;
mod error;
mod file;
mod held_for;
mod key;
mod listed;
mod login;
mod out;
mod past;
mod plain;
mod probe;
mod renew;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_files;
#[cfg(test)]
mod tests_held_for;
#[cfg(test)]
mod tests_left;
#[cfg(test)]
mod tests_oauth;
#[cfg(test)]
mod tests_past;
mod tokens;
mod used;

pub use crate::binding::GuestHeader;
pub use door::{Door, Holder, Rule, Terms, Wants};
pub use entry::{Bind, ClientAuth, Elsewhere, EnvPlace, Held, Kind, Oauth, Provider};
pub use error::KeepError;
pub use key::{AskPassphrase, Rest};
pub use listed::{Bindings, Bound, Changed, Listed};
pub use login::{Flow, Show, login};
pub use out::{ByProxy, Outgoing};
pub use probe::Tried;
pub use tokens::Client;

use crate::{Credential, CredentialError, Credentials};
use age::x25519::Identity;
use async_trait::async_trait;
use entry::Entry;
use file::{Contents, Stamp, VaultFile};
use renew::{Having, blocking};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where a vault is, and how it is opened.
#[derive(Clone)]
pub struct Options {
    /// The folder of the file; made, for its owner alone, with the first credential.
    pub folder: PathBuf,
    /// The file with the key; made with the first credential. Better not in `folder`, so that a copy of that is worth
    /// nothing.
    pub key: PathBuf,
    /// Asks for the passphrase, if one closes the key. Asked once, and again after a wrong one.
    pub passphrase: Option<AskPassphrase>,
    /// How servers are reached that give tokens or values; without it, credentials that need them are of no use.
    pub out: Option<Arc<dyn Outgoing>>,
}

/// The vault of one folder. Opens nothing until it is asked for something.
#[derive(Clone)]
pub struct Keep(Arc<Inner>);

struct Inner {
    options: Options,
    file: VaultFile,
    used: used::Used,
    seen: Mutex<Seen>,
    flights: Mutex<HashMap<String, Arc<tokio::sync::Mutex<renew::Flight>>>>,
    /// How many of them are under way.
    flying: tokio::sync::watch::Sender<usize>,
}

/// What was read.
#[derive(Default)]
struct Seen {
    identity: Option<Identity>,
    contents: Option<(Stamp, Arc<Contents>)>,
}

/// A credential to be kept.
pub struct New {
    /// What it is called: letters, digits and `-_.`, at most 64.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its value.
    pub held: Held,
    /// What is noted of it, on one line; often nothing.
    pub note: String,
}

impl Keep {
    /// The vault of a folder.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (file, used) = (VaultFile::new(options.folder.clone()), used::Used::new(&options.folder));
        let flying = tokio::sync::watch::Sender::new(0);
        Self(Arc::new(Inner { options, file, used, seen: Mutex::default(), flights: Mutex::default(), flying }))
    }

    /// Whether there is a vault, open or not. One that cannot be looked at is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.file.is_there()
    }

    /// The files that no tool may reach: the vault's and its key's.
    #[must_use]
    pub fn files(&self) -> [PathBuf; 2] {
        [self.0.file.path().to_owned(), self.0.options.key.clone()]
    }

    /// Makes the key, or keeps the one there is in another way.
    ///
    /// # Errors
    ///
    /// [`KeepError`] if the key cannot be read or written, or the passphrase is too short.
    pub fn init(&self, rest: &Rest) -> Result<(), KeepError> {
        let _locked = self.0.file.lock()?;
        let mut seen = self.0.seen();
        if self.0.options.key.exists() {
            let identity = self.0.identity(&mut seen)?;
            return key::change(&self.0.options.key, &identity, rest);
        }
        seen.identity = Some(self.0.make_key(rest)?);
        Ok(())
    }

    /// Takes a credential in.
    ///
    /// # Errors
    ///
    /// [`KeepError::Taken`] if there is one of that name, [`KeepError::Invalid`] if its kind makes no sense.
    pub fn set(&self, new: New) -> Result<(), KeepError> {
        let New { name, kind, held, note } = new;
        entry::check_name(&name)?;
        entry::check_note(&note)?;
        kind.check()?;
        held.check(&kind)?;
        self.0.change(|contents| {
            if contents.get(&name).is_some() {
                return Err(KeepError::Taken(name.clone()));
            }
            let now = now();
            contents.entries.push(Entry {
                name,
                kind,
                held,
                bindings: Vec::new(),
                created: now,
                rotated: now,
                note,
                past: past::Past::default(),
            });
            Ok(())
        })
    }

    /// Gives a credential another value. The last few of before are kept, to be taken out of what comes back, until the
    /// credential is removed; none of them is sent any more.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unknown`], and [`KeepError::Invalid`] if its kind cannot have such a value.
    pub fn rotate(&self, name: &str, held: Held) -> Result<(), KeepError> {
        self.0.change(|contents| {
            let entry = contents.get_mut(name)?;
            held.check(&entry.kind)?;
            entry.replace(held);
            entry.rotated = now();
            Ok(())
        })
    }

    /// Removes a credential with its bindings.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unknown`].
    pub fn remove(&self, name: &str) -> Result<(), KeepError> {
        self.0.change(|contents| {
            contents.get_mut(name)?;
            contents.entries.retain(|entry| entry.name != name);
            Ok(())
        })
    }

    /// Lets a credential go somewhere, for a bundle. A binding of the same destination and bundle is replaced.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unknown`], and [`KeepError::Invalid`] if others could read it on the way, or another credential goes
    /// there already: two for one request would be one too many.
    pub fn bind(&self, name: &str, mut bind: Bind) -> Result<(), KeepError> {
        let to = bind.check()?;
        bind.to = to.to_string();
        self.0.change(|contents| {
            let same = |own: &Bind| own.to == bind.to && own.bundle == bind.bundle;
            let other = contents.entries.iter().find(|entry| entry.name != name && entry.bindings.iter().any(same));
            let other = other.map(|entry| entry.name.clone());
            let entry = contents.get_mut(name)?;
            if let Some(other) = other {
                let message = format!("the credential {other:?} goes to {} for {} already", bind.to, bind.bundle);
                let hint = format!("first: handbox vault unbind {other} {} --for {}", bind.to, bind.bundle);
                return Err(KeepError::invalid(message, hint));
            }
            if matches!(entry.kind, Kind::Git { .. }) && entry::repository(&to).is_none() {
                let message = format!("{to} is no repository");
                return Err(KeepError::invalid(message, "name it whole: https://github.com/OWNER/REPOSITORY.git"));
            }
            entry.bindings.retain(|own| !same(own));
            entry.bindings.push(bind);
            Ok(())
        })
    }

    /// Removes bindings: those to a destination, those for a bundle, or both. How many there were.
    ///
    /// # Errors
    ///
    /// [`KeepError::Unknown`].
    pub fn unbind(&self, name: &str, to: Option<&str>, bundle: Option<&str>) -> Result<usize, KeepError> {
        let read = |to: &str| handbox_hand::Destination::parse(to).map_or_else(|_| to.to_owned(), |to| to.to_string());
        let to = to.map(read);
        self.0.change(|contents| {
            let entry = contents.get_mut(name)?;
            let before = entry.bindings.len();
            entry.bindings.retain(|own| {
                to.as_ref().is_some_and(|to| *to != own.to) || bundle.is_some_and(|bundle| bundle != own.bundle)
            });
            Ok(before - entry.bindings.len())
        })
    }

    /// Who asks for a token of this name, and how a person said yes, to log in again; `None` if there is no such token.
    ///
    /// # Errors
    ///
    /// [`KeepError`] if the vault cannot be opened.
    pub fn logged_in(&self, name: &str) -> Result<Option<(Client, Option<Flow>)>, KeepError> {
        Ok(self.0.contents()?.get(name).and_then(|entry| match &entry.held {
            Held::Oauth(oauth) => Some((Client::of(oauth), oauth.flow.clone())),
            _ => None,
        }))
    }

    /// Writes down when credentials were used. Also done now and then, and when the last copy of this goes.
    pub fn flush(&self) {
        self.0.used.write();
    }
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read, if that is still so.
    fn unchanged(&self) -> Result<Option<Arc<Contents>>, KeepError> {
        let stamp = self.file.stamp()?;
        let mut seen = self.seen();
        let Some(stamp) = stamp else {
            seen.contents = None;
            return Ok(Some(Arc::new(Contents::empty())));
        };
        let known = seen.contents.as_ref().filter(|(known, _)| *known == stamp);
        Ok(known.map(|(_, contents)| Arc::clone(contents)))
    }

    /// What is in the vault now. Blocks while it is read.
    fn contents(&self) -> Result<Arc<Contents>, KeepError> {
        if let Some(contents) = self.unchanged()? {
            return Ok(contents);
        }
        let mut seen = self.seen();
        let had_identity = seen.identity.is_some();
        let identity = self.identity(&mut seen)?;
        let read = match self.file.read(&identity) {
            // The vault was made anew, with another key, while we ran.
            Err(KeepError::Closed { .. }) if had_identity => {
                seen.identity = None;
                let identity = self.identity(&mut seen)?;
                self.file.read(&identity)
            }
            read => read,
        };
        let Some((stamp, contents)) = read? else {
            seen.contents = None;
            return Ok(Arc::new(Contents::empty()));
        };
        let contents = Arc::new(contents);
        seen.contents = Some((stamp, Arc::clone(&contents)));
        Ok(contents)
    }

    fn identity(&self, seen: &mut Seen) -> Result<Identity, KeepError> {
        if let Some(identity) = &seen.identity {
            return Ok(identity.clone());
        }
        let (key, file) = (&self.options.key, self.file.path());
        if !key.exists() {
            let message = format!("{} is there, but not its key {}", file.display(), key.display());
            let hint = "put the key back from your backup, or name it: HANDBOX_VAULT_KEY_FILE";
            return Err(KeepError::closed(message, hint));
        }
        let identity = key::open(key, self.options.passphrase.as_ref())?;
        seen.identity = Some(identity.clone());
        Ok(identity)
    }

    fn make_key(&self, rest: &Rest) -> Result<Identity, KeepError> {
        // A key inside the data would go along with every copy of it.
        key::make(&self.options.key, rest)
    }

    /// Changes the vault, all or nothing, while no other process does.
    fn change<T>(&self, work: impl FnOnce(&mut Contents) -> Result<T, KeepError>) -> Result<T, KeepError> {
        let _locked = self.file.lock()?;
        let mut contents = Contents::clone(&*self.contents()?);
        let answer = work(&mut contents)?;
        let mut seen = self.seen();
        let identity = match self.file.is_there() || self.options.key.exists() {
            true => self.identity(&mut seen)?,
            false => self.make_key(&Rest::Plain)?,
        };
        seen.identity = Some(identity.clone());
        seen.contents = None;
        self.file.write(&identity, &contents)?;
        self.sweep();
        Ok(answer)
    }

    /// Removes what processes that were killed had begun to write. Only while no other process changes the vault.
    fn sweep(&self) {
        beside::sweep(self.file.path(), Duration::ZERO);
        // These are written without that lock.
        beside::sweep(&self.options.key, beside::ABANDONED);
        beside::sweep(self.used.path(), beside::ABANDONED);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.used.write();
    }
}

#[async_trait]
impl Credentials for Keep {
    async fn current(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        self.credential(name, Having::Nothing, &|_| true).await
    }

    async fn at_hand(&self, name: &str) -> Result<Option<Credential>, CredentialError> {
        self.known(name, &|_| true).await
    }

    async fn renewed(&self, name: &str, stale: &Credential) -> Result<Option<Credential>, CredentialError> {
        self.credential(name, Having::Refused(stale.secret.clone()), &|_| true).await
    }

    async fn withheld(&self, name: &str) -> Result<Vec<Credential>, CredentialError> {
        self.beside(name, &|_| true).await
    }

    fn used(&self, name: &str) {
        if !self.0.used.note(name) {
            return;
        }
        let inner = Arc::clone(&self.0);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || inner.used.write())),
            Err(_) => inner.used.write(),
        }
    }
}

impl Keep {
    /// The credential of this name, if it is the one that is meant.
    async fn credential(
        &self,
        name: &str,
        having: Having,
        is_meant: &(dyn Fn(&Entry) -> bool + Sync),
    ) -> Result<Option<Credential>, CredentialError> {
        let work = async {
            let Some(entry) = self.entry(name).await?.filter(is_meant) else { return Ok(None) };
            let secret = self.value(&entry, having).await?;
            // A value that took a while may be that of another one, which has the name since.
            if self.entry(name).await?.filter(is_meant).is_none() {
                return Ok(None);
            }
            Ok(secret.map(|secret| Credential { secret, place: entry.kind.place() }))
        };
        work.await.map_err(|error| unavailable(name, &error))
    }

    /// The same, as far as it is at hand.
    async fn known(
        &self,
        name: &str,
        is_meant: &(dyn Fn(&Entry) -> bool + Sync),
    ) -> Result<Option<Credential>, CredentialError> {
        let entry = self.entry(name).await.map_err(|error| unavailable(name, &error))?;
        let Some(entry) = entry.filter(is_meant) else { return Ok(None) };
        let secret = self.at_hand_of(&entry).await;
        Ok(secret.map(|secret| Credential { secret, place: entry.kind.place() }))
    }

    /// What is searched for beside it, and never sent for it.
    async fn beside(
        &self,
        name: &str,
        is_meant: &(dyn Fn(&Entry) -> bool + Sync),
    ) -> Result<Vec<Credential>, CredentialError> {
        let entry = self.entry(name).await.map_err(|error| unavailable(name, &error))?;
        let Some(entry) = entry.filter(is_meant) else { return Ok(Vec::new()) };
        let place = entry.kind.place();
        Ok(entry.withheld().into_iter().map(|secret| Credential { secret, place: place.clone() }).collect())
    }

    /// What is known of one credential now.
    async fn entry(&self, name: &str) -> Result<Option<Entry>, KeepError> {
        let contents = match self.0.unchanged()? {
            Some(contents) => contents,
            None => {
                let inner = Arc::clone(&self.0);
                blocking(move || inner.contents()).await?
            }
        };
        Ok(contents.get(name).cloned())
    }
}

fn unavailable(name: &str, error: &KeepError) -> CredentialError {
    CredentialError { name: name.to_owned(), why: error.to_string(), hint: error.hint() }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
