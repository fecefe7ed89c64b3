//! Hands for sessions: provisioned from what each session pinned, when a call first needs them.

use super::advise::{Advised, Hints, Provisions};
use super::pinned::{self, Pinned};
use super::seal::{Seal, root};
use crate::args;
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::Failure;
use crate::grants::{self, Asking};
use crate::network::{Reach, Way, holder, needs_placeholders};
use crate::paths::Paths;
use async_trait::async_trait;
use handbox_brain::{Begins, Hands, Need, Provided, RunsWith, Scratch};
use handbox_bundle::{Bundle, BundleComponent, State};
use handbox_hand::{Hand, HandError, Refusal, ToolName};
use handbox_hands::{Environment, Library, Toolbox};
use handbox_session::{SessionId, SessionLog};
use serde_json::Value;
use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The hands of all sessions of this process.
pub(crate) struct BundleHands {
    library: Arc<Library>,
    config: Config,
    paths: Paths,
    log: Arc<dyn SessionLog>,
    seal: Seal,
    way: Arc<Way>,
    /// Where the operator stands.
    cwd: PathBuf,
    /// What the operator can do about calls that failed.
    pub(crate) hints: Hints,
    /// Of sessions and the names of their hands.
    ready: Mutex<HashMap<(SessionId, String), Slot>>,
}

#[derive(Default)]
struct Slot {
    /// The hand that lives.
    provided: Option<Live>,
    /// Whether it has state that ends with it.
    keeps: bool,
    /// Whether one of this process ended before, and how.
    before: Option<&'static str>,
}

struct Live {
    provided: Provided,
    /// The same hand, for what only its state is asked of.
    hand: Arc<Advised>,
    /// What the session said when it was made.
    said: Said,
}

impl Live {
    /// Whether it is the hand that is needed. One that another process has replaced since is none any more.
    fn serves(&self, need: &Need<'_>) -> bool {
        self.said == said(need.runs, need.hand) && self.provided.incarnation + 1 >= need.incarnation
    }
}

/// What decides over a hand: the session's grants, and its bundle's digest.
type Said = (Value, Option<String>);

fn said(runs: &RunsWith, hand: &str) -> Said {
    (runs.grants.clone(), runs.bundles.get(hand).cloned())
}

impl BundleHands {
    pub(crate) fn new(
        library: Arc<Library>,
        config: Config,
        paths: Paths,
        (log, seal): (Arc<dyn SessionLog>, Seal),
        (way, cwd): (Arc<Way>, &Path),
    ) -> Self {
        let (cwd, hints) = (cwd.to_owned(), Hints::default());
        Self { library, config, paths, log, seal, way, cwd, hints, ready: Mutex::default() }
    }

    /// What a session's hand would be provisioned from.
    pub(crate) fn provisions(&self, runs: &RunsWith, hand: &str) -> Result<(Provisions, String), HandError> {
        let pinned = Pinned::read(runs).map_err(HandError::Gone)?;
        let (bundle, digest) = open(&pinned, runs, hand)?;
        let typed = args::Grants { allow_dangerous_folders: pinned.allow_dangerous_folders, ..args::Grants::default() };
        let (config, paths, links) = (&self.config, &self.paths, &bundle.links);
        let ask = Asking { typed: &typed, config, bundle: None, links, paths, cwd: Path::new("/") };
        let grants = grants::recheck(&pinned.grants(), ask).map_err(|failure| HandError::Denied(refusal(failure)))?;
        let mut protected = grants::protected(ask);
        protected.extend(bundle.files.iter().cloned());
        Ok((Provisions { grants, protected, cwd: self.cwd.clone(), bundle }, digest))
    }

    async fn make(&self, need: Need<'_>) -> Result<(Advised, String), HandError> {
        let root = root(&*self.log, need.session).await.map_err(|error| HandError::Fatal(error.to_string()))?;
        if !self.seal.holds(root, need.runs) {
            let reason = "the session comes from elsewhere, and was not given here what it may use".to_owned();
            let hint = "to give it what it may use here: --dir FOLDER, or --no-dir for none".to_owned();
            return Err(HandError::Denied(Refusal { reason, hint }));
        }
        let (provisions, digest) = self.provisions(need.runs, need.hand)?;
        let folders = Folders::of(&self.paths.data, need.session);
        folders.make().map_err(|error| HandError::Fatal(format!("the session's own folders: {error}")))?;
        let pinned = Pinned::read(need.runs).map_err(HandError::Gone)?;
        let limits = pinned.limits().map_err(HandError::Gone)?;
        let owner = format!("{}/{}", need.session, need.hand);
        let holder = holder(&provisions.bundle, &self.config);
        // The configuration of now may only narrow what the session was given.
        let reach = Reach { grants: &provisions.grants, pinned: Some(&pinned.ranges) };
        let network = self.way.network(&owner, &holder, &provisions.bundle, &reach);
        let denied = |failure| HandError::Denied(refusal(failure));
        let mut provisions = provisions;
        let placeholders = if needs_placeholders(&provisions.bundle) {
            // Somebody may be asked for a passphrase, and the brain has to hold its lease meanwhile.
            let way = Arc::clone(&self.way);
            let found = tokio::task::spawn_blocking(move || way.placeholders(&holder)).await;
            found.map_err(|error| HandError::Fatal(error.to_string()))?.map_err(denied)?
        } else {
            Vec::new()
        };
        for (name, value) in placeholders {
            if provisions.grants.env.iter().all(|(own, _)| *own != name) {
                provisions.grants.env.push((name, value));
            }
        }
        let environment = Environment {
            grants: provisions.grants.clone(),
            limits,
            scratch: Some(folders.scratch),
            outputs: Some(folders.outputs),
            protected: provisions.protected.clone(),
            network: Some(network),
            ..Environment::bare(handbox_bundle::Profile::default())
        };
        let mut hand = Toolbox::new(Arc::clone(&self.library));
        hand.add(&provisions.bundle, &environment).await.map_err(|error| HandError::Broken(error.to_string()))?;
        Ok((Advised { hand, provisions, hints: self.hints.clone() }, digest))
    }
}

fn open(pinned: &Pinned, runs: &RunsWith, hand: &str) -> Result<(Bundle, String), HandError> {
    let gone = |what: String| HandError::Gone(format!("the bundle of the hand `{hand}` {what}"));
    let found = pinned.bundles.iter().find(|bundle| bundle.hand == hand);
    let source = &found.ok_or_else(|| gone("is not among those that the session pinned".to_owned()))?.source;
    let bundle = Bundle::open(source, Path::new("/"), &handbox_std_bundle::bundles());
    let bundle = bundle.map_err(|error| gone(format!("cannot be opened: {error}")))?;
    let digest = pinned::digest(&bundle);
    match runs.bundles.get(hand) {
        Some(own) if *own == digest => Ok((bundle, digest)),
        // What a person agreed to is what runs.
        Some(own) => Err(gone(format!("was {own} when the session was given it, and is {digest} now"))),
        None => Err(gone("has no digest in the session".to_owned())),
    }
}

fn keeps_state(component: &BundleComponent) -> bool {
    component.manifest.as_ref().is_some_and(|manifest| manifest.state == State::Kept)
}

fn refusal(failure: Failure) -> Refusal {
    Refusal { reason: failure.message, hint: failure.hint.unwrap_or_default() }
}

#[async_trait]
impl Hands for BundleHands {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        let key = (need.session, need.hand.to_owned());
        let said = said(need.runs, need.hand);
        let before = {
            let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = ready.entry(key.clone()).or_default();
            match &slot.provided {
                Some(live) if need.begins == Begins::Anew && live.serves(&need) => return Ok(live.provided.clone()),
                // It may do now what it might not, or the other way round; or another's takes its place; or nothing is left
                // of it.
                Some(live) => {
                    slot.before = Some(if live.hand.hand.lost_state() { "died" } else { "changed" });
                    slot.provided = None;
                }
                None => {}
            }
            slot.before
        };
        let (hand, digest) =
            self.make(need).await.inspect_err(|error| self.hints.note(need.hand, unready(error, need.runs)))?;
        match need.begins {
            Begins::Anew => {}
            Begins::Given(state) => hand.hand.restore_state(state.to_vec()).await?,
            Begins::Kept(state) => hand.hand.resume(Some(state.to_vec())).await,
            Begins::Lost => hand.hand.resume(None).await,
        }
        let keeps = hand.provisions.bundle.components.iter().any(keeps_state);
        let reason = match (need.begins, need.incarnation, before) {
            (Begins::Given(_), ..) => "passed",
            (Begins::Kept(_), ..) => "restored",
            (_, 1, _) => "first_call",
            (_, _, Some(before)) => before,
            (_, _, None) => "anew",
        };
        let hand = Arc::new(hand);
        let (same, bundle, reason): (Arc<dyn Hand>, _, _) = (hand.clone(), Some(digest), reason.to_owned());
        let provided = Provided { hand: same, incarnation: need.incarnation, bundle, reason };
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        // Two calls of one reply may both have come here; the session has one hand of a name.
        let slot = ready.entry(key).or_default();
        slot.keeps = keeps;
        Ok(slot.provided.get_or_insert(Live { provided, hand, said }).provided.clone())
    }

    fn keeps(&self, session: SessionId, hand: &str, tool: &ToolName) -> bool {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let live = ready.get(&(session, hand.to_owned())).and_then(|slot| slot.provided.as_ref());
        live.is_some_and(|live| live.hand.hand.keeps_state(tool))
    }

    fn lives(&self, need: &Need<'_>) -> bool {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let live = ready.get(&(need.session, need.hand.to_owned())).and_then(|slot| slot.provided.as_ref());
        live.is_some_and(|live| live.serves(need) && !live.hand.hand.lost_state())
    }

    async fn save(&self, session: SessionId, hand: &str, incarnation: u64) -> Result<Vec<u8>, HandError> {
        let live = {
            let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
            let live = ready.get(&(session, hand.to_owned())).and_then(|slot| slot.provided.as_ref());
            live.filter(|live| live.provided.incarnation == incarnation).map(|live| Arc::clone(&live.hand))
        };
        match live {
            Some(live) => {
                // Who waits may give up, and a store that is dropped while it saves is gone.
                let saving = tokio::spawn(async move { live.hand.save_state().await });
                saving.await.map_err(|error| HandError::Fatal(error.to_string()))?
            }
            None => Err(HandError::Gone(format!(
                "the hand `{hand}` does not live in this process, so what it keeps cannot be had here"
            ))),
        }
    }

    async fn rests(&self, session: SessionId) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|(of, _), slot| *of != session || (slot.keeps && slot.provided.is_some()));
    }

    async fn retire(&self, session: SessionId, hand: &str, incarnation: u64) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = ready.entry((session, hand.to_owned())).or_default();
        if slot.provided.as_ref().is_some_and(|live| live.provided.incarnation <= incarnation) {
            slot.provided = None;
            slot.before = Some("died");
        }
    }
}

/// What the operator can do about a hand that could not be made ready.
fn unready(error: &HandError, runs: &RunsWith) -> Option<String> {
    match error {
        HandError::Gone(_) => {
            let bundles = Pinned::read(runs).map(|pinned| pinned.bundles).unwrap_or_default();
            // Those that are named are all that it has afterwards.
            let flags: Vec<String> =
                bundles.iter().map(|bundle| format!("--bundle {}", shell_word(&bundle.source))).collect();
            Some(format!("{} gives the session what there is now in its place", flags.join(" ")))
        }
        HandError::Denied(refusal) => Some(refusal.hint.clone()),
        _ => None,
    }
}

/// A session's own folders, in the data folder.
pub(crate) struct Folders {
    /// What its tools see as `/tmp`.
    pub(crate) scratch: PathBuf,
    /// What its tools see as `/mnt/session/outputs`.
    pub(crate) outputs: PathBuf,
}

impl Folders {
    pub(crate) fn of(data: &Path, session: SessionId) -> Self {
        let own = data.join("work").join(session.to_string());
        Self { scratch: own.join("tmp"), outputs: own.join("outputs") }
    }

    fn make(&self) -> std::io::Result<()> {
        let mut make = DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
        make.create(&self.scratch)?;
        make.create(&self.outputs)
    }
}

/// Puts long results into the session's scratch folder.
pub(crate) struct SessionScratch {
    pub(crate) data: PathBuf,
}

#[async_trait]
impl Scratch for SessionScratch {
    async fn keep(&self, session: SessionId, name: &str, content: &[u8]) -> Result<String, String> {
        let folders = Folders::of(&self.data, session);
        let (file, content) = (folders.scratch.join(name), content.to_vec());
        let kept = tokio::task::spawn_blocking(move || folders.make().and_then(|()| put_new(&file, &content))).await;
        kept.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok(format!("{}/{name}", handbox_bundle::SCRATCH_PATH))
    }
}

/// Writes a file where there was none. The folder is the guest's to write to, and it knows the name beforehand: what it
/// put there, a link to somewhere else above all, is removed and never followed.
fn put_new(file: &Path, content: &[u8]) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // `O_CREAT | O_EXCL` fails on a link, wherever it leads (POSIX.1-2024, open).
    std::fs::OpenOptions::new().write(true).create_new(true).open(file)?.write_all(content)
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Folders, Scratch, SessionScratch};
    use handbox_session::SessionId;

    #[tokio::test]
    async fn a_long_result_never_goes_where_a_guest_linked_its_file_to() {
        let machine = tempfile::tempdir().expect("a folder");
        let (data, secret) = (machine.path().join("data"), machine.path().join("bashrc"));
        std::fs::write(&secret, "mine").expect("a file");
        let session = SessionId::at(0, [7; 10]);
        let folders = Folders::of(&data, session);
        folders.make().expect("folders");
        std::os::unix::fs::symlink("../../../../bashrc", folders.scratch.join("x.txt")).expect("a link");
        assert_eq!(std::fs::read_to_string(folders.scratch.join("x.txt")).expect("a link that leads there"), "mine");
        let scratch = SessionScratch { data };
        for content in ["long", "longer"] {
            assert_eq!(scratch.keep(session, "x.txt", content.as_bytes()).await, Ok("/tmp/x.txt".to_owned()));
            assert_eq!(std::fs::read_to_string(folders.scratch.join("x.txt")).expect("the result"), content);
        }
        assert_eq!(std::fs::read_to_string(&secret).expect("a file"), "mine");
        std::fs::create_dir(folders.scratch.join("y.txt")).expect("a folder");
        scratch.keep(session, "y.txt", b"long").await.expect_err("a folder stands there");
    }
}
