//! Puts a brain together for one session: log, blobs, model, hands.

use super::hands::{BundleHands, SessionScratch};
use super::model::Choice;
use crate::args::Global;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::paths::Paths;
use crate::wiring;
use handbox_brain::{Brain, Machine, Settings, WakeError};
use handbox_session::fold::{Money, Work};
use handbox_session::{SessionId, SessionLog};
use handbox_store::{FileBlobs, Options, socket};
use std::path::Path;
use std::sync::Arc;

/// The log of the data folder, for as long as something works on it.
pub(crate) async fn log(paths: &Paths, command: &str) -> Result<Arc<socket::SharedLog>, Failure> {
    open::make_folder(paths)?;
    let opener = socket::redb(&paths.data, Options::standard());
    Ok(Arc::new(socket::SharedLog::open(&paths.data, command, opener).await?))
}

/// A brain whose model is this one.
pub(crate) fn brain(log: Arc<dyn SessionLog>, choice: &Choice, global: &Global, cwd: &Path) -> Result<Brain, Failure> {
    let paths = Paths::find(global)?;
    let config = Config::load(&paths, cwd)?;
    let library = wiring::library(&paths, global.quiet)?;
    let blobs = FileBlobs::open(&paths.data.join("blobs"));
    let blobs = blobs.map_err(|error| Failure::usage(format!("the blobs in {}: {error}", paths.data.display())))?;
    Ok(Brain {
        log,
        blobs: Arc::new(blobs),
        model: choice.open()?,
        scratch: Arc::new(SessionScratch { data: paths.data.clone() }),
        hands: Arc::new(BundleHands::new(library, config, paths)),
        surroundings: Arc::new(Machine),
        settings: Settings::usual(format!("handbox, process {}", std::process::id())),
    })
}

/// The model that a session pinned.
pub(crate) async fn pinned_model(log: &dyn SessionLog, session: SessionId) -> Result<Choice, Failure> {
    let fold = handbox_session::fold::fold_to(log, &log.record(session).await?, None).await?;
    let runs = handbox_brain::runs_with(log, session, &fold).await?;
    Choice::pinned(&runs.agent.model)
}

/// What a session cost; `None` where a model was asked of which nobody said what it costs.
pub(super) async fn known_cost(
    log: &dyn SessionLog,
    session: SessionId,
    total: &Work,
) -> Result<Option<Money>, Failure> {
    if total.spend > Money::default() || total.tokens.total() == 0 {
        return Ok(Some(total.spend));
    }
    let fold = handbox_session::fold::fold_to(log, &log.record(session).await?, None).await?;
    let runs = handbox_brain::runs_with(log, session, &fold).await?;
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
            WakeError::Held { .. } => Self::new(Kind::Denied, message)
                .hint("follow it with handbox sessions events ID --follow, or end that process"),
            WakeError::Fenced { .. } => {
                Self::new(Kind::Denied, message).hint("follow it with handbox sessions events ID --follow")
            }
            WakeError::Unusable(_) => Self::new(Kind::Broken, message).hint("begin another session with handbox run"),
            WakeError::Bug(_) => Self::internal(message),
        }
    }
}
