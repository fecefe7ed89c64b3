//! `handbox context`.

use super::run::pretty;
use crate::args::Global;
use crate::failure::Failure;
use crate::log::open;
use crate::output;
use crate::paths::Paths;
use handbox_brain::context::{read, request_at};
use handbox_session::Seq;
use handbox_session::fold::fold_to;
use handbox_store::FileBlobs;
use std::process::ExitCode;

/// Print exactly what the model saw, or would see, at a place of a session.
///
/// At the place of a `span.model_request_start` it is what was sent, member by member, in the shape of Anthropic's Messages
/// API, without the credential; for `openai:` models that is translated, and nothing added. The log is what happened; this
/// is what is made of it.
#[derive(clap::Args)]
pub(crate) struct Context {
    /// The session, by its id or the beginning of it
    id: String,
    /// The place; the end without it
    #[arg(long, value_name = "PLACE", value_parser = place)]
    at: Option<Seq>,
}

fn place(text: &str) -> Result<Seq, String> {
    text.parse().ok().and_then(Seq::new).ok_or_else(|| "a place is a whole number from 1 on".to_owned())
}

pub(crate) fn run(global: &Global, command: &Context) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let blobs = FileBlobs::open(&paths.data.join("blobs"));
    let blobs = blobs.map_err(|error| Failure::usage(format!("the blobs in {}: {error}", paths.data.display())))?;
    open::with_session(&paths, "handbox context", &command.id, async |log, session| {
        let record = log.record(session).await?;
        let at = command.at.unwrap_or(record.head);
        if at > record.head {
            return Err(Failure::usage(format!("place {at} is not there: the session ends at {}", record.head))
                .hint("leave out --at for its end"));
        }
        let fold = fold_to(log, &record, Some(at)).await?;
        let runs = handbox_brain::runs_with(log, session, &fold).await?;
        let material = read(log, &blobs, session, &runs.context, at).await?;
        let request = request_at(&material, &runs, at);
        let text = serde_json::to_string(&request)?;
        if global.json {
            output::data(&text)
        } else {
            output::data(&pretty(&serde_json::from_str(&text)?)?)
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
