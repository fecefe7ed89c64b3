//! Puts a brain together for one session: log, blobs, model, hands.

use super::hands::{BundleHands, SessionScratch};
use super::model::Choice;
use super::seal::Seal;
use crate::args::Global;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::network::Way;
use crate::paths::Paths;
use crate::wiring;
use handbox_brain::{Brain, Machine, RunsWith, Settings, WakeError};
use handbox_session::fold::{Money, fold_to};
use handbox_session::{Fold, Seq, SessionId, SessionLog, entry_at};
use handbox_store::{FileBlobs, Options, socket};
use handbox_vault::keep::Keep;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// The log of the data folder, for as long as something works on it.
pub(crate) async fn log(paths: &Paths, command: &str) -> Result<Arc<socket::SharedLog>, Failure> {
    open::make_folder(paths)?;
    let opener = socket::redb(&paths.data, Options::standard());
    Ok(Arc::new(socket::SharedLog::open(&paths.data, command, opener).await?))
}

/// A brain whose model is this one, and its hands. Configuration is that of `cwd`. All brains of a process have one vault,
/// so that its passphrase is asked for once.
pub(crate) async fn brain(
    log: Arc<dyn SessionLog>,
    choice: &Choice,
    (global, keep): (&Global, &Keep),
    cwd: &Path,
) -> Result<(Brain, Arc<BundleHands>), Failure> {
    let paths = Paths::find(global)?;
    let config = Config::load(&paths, cwd)?;
    let model = choice.open(&config.operator.agents, keep).await?;
    let library = wiring::library(&paths, global.quiet)?;
    let blobs = FileBlobs::open(&paths.data.join("blobs"));
    let blobs = blobs.map_err(|error| Failure::usage(format!("the blobs in {}: {error}", paths.data.display())))?;
    let seal = Seal::open(&paths.data)?;
    let scratch = Arc::new(SessionScratch { data: paths.data.clone() });
    // For hints only, which are typed where they are read.
    let stands = std::env::current_dir().unwrap_or_else(|_| cwd.to_owned());
    let way = Way::new(keep.clone(), config.operator.ranges.clone(), global.quiet)?;
    let hands = Arc::new(BundleHands::new(library, config, paths, (Arc::clone(&log), seal), (way, &stands)));
    let brain = Brain {
        log,
        blobs: Arc::new(blobs),
        model,
        scratch,
        hands: Arc::<BundleHands>::clone(&hands),
        surroundings: Arc::new(Machine),
        settings: Settings::usual(format!("handbox, process {}", std::process::id())),
    };
    Ok((brain, hands))
}

/// A session as it stands.
pub(crate) async fn folded(log: &dyn SessionLog, session: SessionId) -> Result<Fold, Failure> {
    Ok(fold_to(log, &log.record(session).await?, None).await?)
}

/// A session as it stands, and what it runs with, which one from elsewhere may not say.
pub(crate) async fn state(log: &dyn SessionLog, session: SessionId) -> Result<(Fold, RunsWith), Failure> {
    let fold = folded(log, session).await?;
    let runs = handbox_brain::runs_with(log, session, &fold).await?;
    Ok((fold, runs))
}

/// A call that waits, for people: its tool and its input.
pub(crate) async fn call_at(log: &dyn SessionLog, session: SessionId, place: Seq) -> Result<(String, String), Failure> {
    let entry = entry_at(log, session, place).await?;
    let members = entry.map(|entry| entry.event.members()).unwrap_or_default();
    let name = members.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
    Ok((name, members.get("input").unwrap_or(&Value::Null).to_string()))
}

/// What a session cost; `None` where a model was asked of which nobody said what it costs.
pub(crate) async fn known_cost(
    log: &dyn SessionLog,
    session: SessionId,
    fold: &Fold,
) -> Result<Option<Money>, Failure> {
    let total = &fold.total;
    if total.spend > Money::default() || total.tokens.total() == 0 {
        return Ok(Some(total.spend));
    }
    let runs = handbox_brain::runs_with(log, session, fold).await?;
    let model = &runs.agent.model;
    let is_known = runs.prices.known(&model.id).is_some() || Choice::pinned(model)?.is_scripted();
    Ok(is_known.then_some(total.spend))
}

impl From<WakeError> for Failure {
    fn from(error: WakeError) -> Self {
        let message = error.to_string();
        match error {
            WakeError::Log(error) => error.into(),
            WakeError::NoSession(_) => Self::usage(message),
            WakeError::Held { session, .. } | WakeError::Fenced { session, .. } => {
                Self::new(Kind::Denied, message).hint(format!("follow it: handbox sessions events {session} --follow"))
            }
            WakeError::Unusable(_) => Self::new(Kind::Broken, message).hint(
                "wake it with the Handbox that wrote it, or a later one; or begin another session with handbox run",
            ),
            WakeError::Bug(_) => Self::internal(message),
        }
    }
}
