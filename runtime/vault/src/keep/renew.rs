//! Values that come from elsewhere, or end: read or renewed once for all who wait.

use super::elsewhere::{CommandSource, FileSource, HttpSource, Source};
use super::entry::{Elsewhere, Entry, Held, Oauth};
use super::error::KeepError;
use super::file::Stamp;
use super::tokens::Client;
use super::{Inner, Keep};
use crate::Secret;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// How long before its end a token is renewed, in seconds: a request must arrive while it holds.
const EARLY_S: u64 = 60;
/// How long what a command printed, or a server gave, is used.
const CACHE_TIME: Duration = Duration::from_secs(5 * 60);
/// How long what was renewed because a server refused the one before is not renewed for the same reason: to some requests
/// a server says no whatever the credential, and a tool may ask again and again.
const REFUSED_TIME: Duration = Duration::from_secs(60);
/// How long a failure stands for those who ask again: many may wait for the same.
const FAILURE_TIME: Duration = Duration::from_secs(10);

/// What is known of one credential that is not in the vault, under a lock that all wait for who need it.
#[derive(Default)]
pub(super) struct Flight {
    read: Option<(Instant, Elsewhere, Secret)>,
    /// What was got last in place of one that a server refused.
    instead: Option<(Instant, Secret)>,
    /// Until the vault changes.
    failed: Option<(Instant, Option<Stamp>, KeepError)>,
}

/// The same, for the one whose turn it is.
type Alone = OwnedMutexGuard<Flight>;

/// What somebody who asks has already.
#[derive(Clone)]
pub(super) enum Having {
    Nothing,
    /// The server refused this one.
    Refused(Secret),
}

impl Having {
    fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn is(&self, secret: &Secret) -> bool {
        matches!(self, Self::Refused(own) if own.reveal() == secret.reveal())
    }
}

impl Keep {
    /// The value of a credential; `None` if there is none any more, or no other one than was refused.
    ///
    /// What takes a while goes on though nobody waits for it any more: a server that rotates refresh tokens has made the
    /// old one void when its answer is on the way, and what is slower than a request may wait is there for a later one.
    pub(super) async fn value(&self, entry: &Entry, having: Having) -> Result<Option<Secret>, KeepError> {
        let (keep, name) = (self.clone(), entry.name.clone());
        match &entry.held {
            Held::Value(secret) => Ok(Some(secret.clone()).filter(|secret| !having.is(secret))),
            Held::Oauth(oauth) => match usable(oauth, &having) {
                Some(access) => Ok(Some(access)),
                None => {
                    let flight = self.flight(&name).lock_owned().await;
                    if flight.is_refused_again(&having) {
                        return Ok(None);
                    }
                    self.detached(async move { keep.renew(flight, &name, &having).await }).await
                }
            },
            Held::Elsewhere(from) => {
                let flight = self.flight(&name).lock_owned().await;
                if let Some(secret) = flight.cached(from, &having) {
                    return Ok(Some(secret));
                }
                if flight.is_refused_again(&having) {
                    return Ok(None);
                }
                let (from, is_refused) = (from.clone(), having.is_refused());
                let read = self.detached(async move { keep.read(flight, &name, &from, is_refused).await }).await?;
                Ok(Some(read).filter(|secret| !having.is(secret)))
            }
        }
    }

    /// The value as far as it is known here: nothing is run, and no server asked.
    pub(super) async fn at_hand_of(&self, entry: &Entry) -> Option<Secret> {
        match &entry.held {
            Held::Value(secret) => Some(secret.clone()),
            // At its end or not: what is searched for it may have got it earlier.
            Held::Oauth(oauth) => oauth.access.clone(),
            Held::Elsewhere(Elsewhere::File { path }) => FileSource(path.clone()).read().await.ok(),
            Held::Elsewhere(from) => self.flight(&entry.name).try_lock().ok()?.cached(from, &Having::Nothing),
        }
    }

    /// Does what is to be done to its end, also if nobody waits for that.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, KeepError>> + Send + 'static,
    ) -> Result<T, KeepError> {
        let flying = Flying::new(&self.0.flying);
        let done = tokio::spawn(async move {
            let _flying = flying;
            work.await
        });
        done.await.map_err(|_| KeepError::unavailable("the credential was not read", "try again"))?
    }

    /// Waits until what was begun for requests is done, though they went away: to be called before the runtime ends, or a
    /// token whose server has made the one before void is lost. No longer than `time_max`; whether all is done.
    pub async fn settle(&self, time_max: Duration) -> bool {
        let mut flying = self.0.flying.subscribe();
        let done = tokio::time::timeout(time_max, flying.wait_for(|flying| *flying == 0));
        done.await.is_ok_and(|done| done.is_ok())
    }

    fn flight(&self, name: &str) -> Arc<Mutex<Flight>> {
        let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(name.to_owned()).or_default())
    }

    async fn read(
        &self,
        mut flight: Alone,
        name: &str,
        from: &Elsewhere,
        is_refused: bool,
    ) -> Result<Secret, KeepError> {
        let stamp = self.0.file.stamp()?;
        flight.refuse_if_failed(stamp)?;
        let source: Box<dyn Source> = match from {
            Elsewhere::Command { words } => Box::new(CommandSource(words.clone())),
            Elsewhere::File { path } => Box::new(FileSource(path.clone())),
            Elsewhere::Http { url, field, token } => {
                let token = match token {
                    Some(token) => Some(self.token(name, token).await?),
                    None => None,
                };
                Box::new(HttpSource { out: self.0.out()?, url: url.clone(), field: field.clone(), token })
            }
        };
        match source.read().await {
            Ok(secret) => {
                flight.read = Some((Instant::now(), from.clone(), secret.clone()));
                flight.noted(is_refused.then_some(&secret));
                Ok(secret)
            }
            Err(why) => {
                let hint = "correct it, or give another value: handbox vault rotate NAME";
                let error = KeepError::unavailable(format!("{name} comes from elsewhere: {why}"), hint);
                flight.failed = Some((Instant::now(), stamp, error.clone()));
                Err(error)
            }
        }
    }

    /// What a server of values is asked with: a credential that is in the vault itself, so that none waits for itself.
    async fn token(&self, name: &str, token: &str) -> Result<Secret, KeepError> {
        match self.entry(token).await?.map(|entry| entry.held) {
            Some(Held::Value(secret)) => Ok(secret),
            _ => {
                let message = format!("{name} needs the credential {token:?}, whose value must be in the vault itself");
                Err(KeepError::invalid(message, format!("handbox vault set {token} --header x-vault-token")))
            }
        }
    }

    /// Another access token. One request serves all who wait, in this process and in others.
    async fn renew(&self, mut flight: Alone, name: &str, having: &Having) -> Result<Option<Secret>, KeepError> {
        // Somebody else may have done it meanwhile.
        let Some(oauth) = self.oauth(name).await? else { return Ok(None) };
        if let Some(access) = usable(&oauth, having) {
            return Ok(Some(access));
        }
        flight.refuse_if_failed(self.0.file.stamp()?)?;
        let inner = Arc::clone(&self.0);
        let locked = blocking(move || inner.file.lock_renewal()).await?;
        let Some(oauth) = self.oauth(name).await? else { return Ok(None) };
        if let Some(access) = usable(&oauth, having) {
            return Ok(Some(access));
        }
        let renewed = self.ask_for_another(name, &oauth).await;
        drop(locked);
        let error = match renewed {
            Ok(access) => {
                flight.noted(access.as_ref().filter(|_| having.is_refused()));
                return Ok(access);
            }
            Err(error) => error,
        };
        flight.failed = Some((Instant::now(), self.0.file.stamp()?, error.clone()));
        let holds = oauth.expires.is_some_and(|expires| super::now() < expires);
        match oauth.access.filter(|access| holds && !having.is(access)) {
            // Not renewed early, but it holds still.
            Some(access) => Ok(Some(access)),
            None => Err(error),
        }
    }

    async fn oauth(&self, name: &str) -> Result<Option<Oauth>, KeepError> {
        Ok(self.entry(name).await?.and_then(|entry| match entry.held {
            Held::Oauth(oauth) => Some(oauth),
            _ => None,
        }))
    }

    async fn ask_for_another(&self, name: &str, oauth: &Oauth) -> Result<Option<Secret>, KeepError> {
        let hint = format!("log in again: handbox vault login {name}");
        let Some(refresh) = oauth.refresh.clone() else {
            return Err(KeepError::unavailable(format!("the token {name} has ended and cannot be renewed"), hint));
        };
        let client = Client::of(oauth);
        let text = zeroize::Zeroizing::new(String::from_utf8_lossy(refresh.reveal()).into_owned());
        let mut grant = vec![("grant_type", "refresh_token"), ("refresh_token", text.as_str())];
        if !oauth.scope.is_empty() {
            grant.push(("scope", &oauth.scope));
        }
        let tokens = client.ask(&*self.0.out()?, &grant).await;
        let tokens = tokens.map_err(|error| error.into_error(&oauth.token_url, &hint))?;
        let (inner, name) = (Arc::clone(&self.0), name.to_owned());
        let access = tokens.access.clone();
        let kept = blocking(move || {
            inner.change(|contents| {
                let Ok(entry) = contents.get_mut(&name) else { return Ok(false) };
                let Held::Oauth(own) = &entry.held else { return Ok(false) };
                if own.refresh.as_ref().is_none_or(|own| own.reveal() != refresh.reveal()) {
                    return Ok(false);
                }
                // A server that rotates refresh tokens makes the old one void.
                let refresh = tokens.refresh.or_else(|| own.refresh.clone());
                let (access, expires) = (Some(tokens.access), tokens.expires);
                let renewed = Oauth { access, refresh, expires, ..own.clone() };
                entry.replace(Held::Oauth(renewed));
                Ok(true)
            })
        });
        // Removed or logged in anew while we asked: what was renewed counts no more.
        Ok(kept.await?.then_some(access))
    }
}

/// Counts what is under way, as long as this lives.
struct Flying(watch::Sender<usize>);

impl Flying {
    fn new(flying: &watch::Sender<usize>) -> Self {
        flying.send_modify(|flying| *flying += 1);
        Self(flying.clone())
    }
}

impl Drop for Flying {
    fn drop(&mut self) {
        self.0.send_modify(|flying| *flying -= 1);
    }
}

impl Flight {
    /// What was read of it and may be used still. A file is read at each use.
    fn cached(&self, from: &Elsewhere, having: &Having) -> Option<Secret> {
        let (at, spec, secret) = self.read.as_ref()?;
        let is_fresh = spec == from && at.elapsed() < CACHE_TIME && !matches!(from, Elsewhere::File { .. });
        (is_fresh && !having.is(secret)).then(|| secret.clone())
    }

    /// Notes what was got because the one before was refused.
    fn noted(&mut self, secret: Option<&Secret>) {
        if let Some(secret) = secret {
            self.instead = Some((Instant::now(), secret.clone()));
        }
    }

    /// Whether what is refused now was got a moment ago for the same reason.
    fn is_refused_again(&self, having: &Having) -> bool {
        self.instead.as_ref().is_some_and(|(at, secret)| having.is(secret) && at.elapsed() < REFUSED_TIME)
    }

    fn refuse_if_failed(&self, stamp: Option<Stamp>) -> Result<(), KeepError> {
        match &self.failed {
            Some((at, then, error)) if *then == stamp && at.elapsed() < FAILURE_TIME => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

impl Client {
    pub(super) fn of(oauth: &Oauth) -> Self {
        Self {
            token_url: oauth.token_url.clone(),
            id: oauth.client_id.clone(),
            secret: oauth.client_secret.clone(),
            auth: oauth.client_auth,
            scope: oauth.scope.clone(),
        }
    }
}

/// The access token, if it is not at its end and was not refused.
fn usable(oauth: &Oauth, having: &Having) -> Option<Secret> {
    let ends = oauth.expires.is_some_and(|expires| expires <= super::now() + EARLY_S);
    oauth.access.clone().filter(|access| !ends && !having.is(access))
}

/// Does what may block where that is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeepError> + Send + 'static,
) -> Result<T, KeepError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| KeepError::unavailable("the vault was not read", "try again"))?
}

impl Inner {
    pub(super) fn out(&self) -> Result<Arc<dyn super::Outgoing>, KeepError> {
        self.options.out.clone().ok_or_else(|| {
            let message = "this vault has no way out, so it cannot ask for a token or a value";
            KeepError::unavailable(message, "use a value that is in the vault itself")
        })
    }
}
