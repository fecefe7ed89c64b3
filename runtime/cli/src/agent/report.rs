//! What is said of a session once it rests, and the exit status.

use super::brain::{folded, known_cost};
use super::hands::Folders;
use super::show::{counted, duration};
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_brain::step::{Reached, Scope, What, reached};
use handbox_brain::{Machine, Rest, RunsWith, Surroundings, runs_with};
use handbox_session::fold::{Fold, Money, Status, StopReason, WaitingOn};
use handbox_session::{SessionId, SessionLog, Slice, kinds};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// How the brain calls the error of a turn that made as many rounds as it may.
const ROUNDS_ERROR: &str = "tool_use_limit_reached_error";

/// A session that came to rest.
#[derive(Clone, Copy)]
pub(super) struct Ended<'a> {
    pub(super) log: &'a dyn SessionLog,
    pub(super) session: SessionId,
    pub(super) paths: &'a Paths,
    /// Whether no model was asked.
    pub(super) scripted: bool,
    pub(super) rest: &'a Rest,
}

/// How a turn ended, for people and for the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Done,
    Interrupted,
    Waits,
    Limit,
    GaveUp,
    Refused,
    Gone,
}

impl How {
    fn of(fold: &Fold) -> Self {
        match &fold.stop_reason {
            _ if fold.status == Status::Terminated => Self::Gone,
            _ if was_interrupted(fold) => Self::Interrupted,
            None | Some(StopReason::EndTurn) => Self::Done,
            Some(StopReason::RequiresAction) => Self::Waits,
            Some(StopReason::BudgetReached) => Self::Limit,
            Some(StopReason::RetriesExhausted) if rounds_error(fold).is_some() => Self::Limit,
            Some(StopReason::Refusal) => Self::Refused,
            Some(StopReason::RetriesExhausted | StopReason::Other(_)) => Self::GaveUp,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Interrupted => "interrupted",
            Self::Waits => "waits for you",
            Self::Limit => "reached its limit",
            Self::GaveUp => "gave up",
            Self::Refused => "the model refused",
            Self::Gone => "ended for good",
        }
    }

    fn code(self) -> ExitCode {
        match self {
            Self::Done | Self::Interrupted => ExitCode::SUCCESS,
            Self::Waits => ExitCode::from(Kind::Denied.code()),
            Self::Limit => ExitCode::from(Kind::Limit.code()),
            Self::GaveUp | Self::Refused => ExitCode::from(Kind::Tool.code()),
            Self::Gone => ExitCode::from(Kind::Broken.code()),
        }
    }
}

/// How a session came to rest, in words and as an exit status.
pub(super) fn words(fold: &Fold) -> (&'static str, ExitCode) {
    let how = How::of(fold);
    (how.words(), how.code())
}

/// Whether a session rests because somebody interrupted it. It has no stop reason of its own for that.
pub(crate) fn was_interrupted(fold: &Fold) -> bool {
    let (start, rest) = (fold.turn.start, fold.anchors.rest);
    let Some(interrupt) = fold.anchors.interrupt.filter(|interrupt| Some(*interrupt) < rest) else { return false };
    // One that came before its turn began leaves it without a question to the model.
    let ended = Some(interrupt) > start || fold.turn.work.model_requests == 0;
    fold.status == Status::Idle && fold.stop_reason == Some(StopReason::EndTurn) && start.is_some() && ended
}

fn rounds_error(fold: &Fold) -> Option<&str> {
    fold.last_error.as_ref().filter(|error| error.error == ROUNDS_ERROR).map(|error| error.message.as_str())
}

/// Says how it ended, and what to do about it. `advised` is whether a hint named flags.
pub(super) async fn report(ended: Ended<'_>, global: &Global, advised: bool) -> Result<ExitCode, Failure> {
    let fold = folded(ended.log, ended.session).await?;
    let how = How::of(&fold);
    let cost = known_cost(ended.log, ended.session, &fold).await?;
    if global.json {
        output::json_line(&answer(&ended, &fold, how, cost));
    } else if !global.quiet {
        output::note(Tone::Note, &line(&ended, &fold, how, cost));
        left_over(&Folders::of(&ended.paths.data, ended.session).outputs);
    }
    let session = ended.session;
    match how {
        How::Done if fold.reply_stop.as_deref() == Some("max_tokens") => {
            output::note(Tone::Warning, "the model's last reply was cut off, because it may have no more tokens");
            output::note(Tone::Hint, &format!("have it go on: handbox run --session {session} \"go on\""));
        }
        How::Done | How::Interrupted => {}
        How::Waits => output::note(Tone::Hint, &waits(&ended, &fold).await?),
        How::Limit => {
            let runs = runs_with(ended.log, session, &fold).await?;
            let reached = reached(&fold, &runs, Machine.now_unix_ms());
            output::note(Tone::Error, &limit(&ended, &fold, reached).await?);
            output::note(Tone::Hint, &raise(session, reached, &runs));
        }
        How::Refused => {
            output::note(Tone::Hint, &format!("say it in another way: handbox run --session {session} \"…\""));
        }
        How::GaveUp | How::Gone => {
            if let Some(error) = &fold.last_error {
                output::note(Tone::Error, &error.message);
            }
            let hint = match how {
                How::Gone => "nothing can be added to it; begin another: handbox run \"…\"".to_owned(),
                _ => format!("once that is mended: handbox run --session {session} \"go on\""),
            };
            output::note(Tone::Hint, &hint);
        }
    }
    if advised && !global.quiet && !matches!(how, How::Gone) {
        let hint = format!("to give this session what a hint names: handbox run --session {session} FLAGS \"go on\"");
        output::note(Tone::Hint, &hint);
    }
    Ok(how.code())
}

fn answer(ended: &Ended<'_>, fold: &Fold, how: How, cost: Option<Money>) -> Value {
    let total = &fold.total;
    json!({
        "session": ended.session, "events": ended.rest.head, "status": fold.status, "stop_reason": fold.stop_reason,
        "interrupted": how == How::Interrupted, "model_requests": total.model_requests, "tool_calls": total.tool_calls,
        "tokens": total.tokens.total(), "cost_picodollars": cost, "active_ms": total.active_ms,
        "scripted": ended.scripted,
    })
}

fn line(ended: &Ended<'_>, fold: &Fold, how: How, cost: Option<Money>) -> String {
    let total = &fold.total;
    let asked = match ended.scripted {
        true => format!("{}, no model asked", counted(total.model_requests, "scripted answer")),
        false => counted(total.model_requests, "model request"),
    };
    let (calls, tokens) = (counted(total.tool_calls, "tool call"), counted(total.tokens.total(), "token"));
    let cost = match cost {
        Some(cost) if ended.scripted && cost == Money::default() => String::new(),
        None => "cost unknown without --price, ".to_owned(),
        Some(cost) => format!("{cost}, "),
    };
    let time = duration(total.active_ms);
    format!("{}: {}, {asked}, {calls}, {tokens}, {cost}{time}", ended.session, how.words())
}

async fn waits(ended: &Ended<'_>, fold: &Fold) -> Result<String, Failure> {
    let session = ended.session;
    let call = ended.rest.waiting.first().map(|waiting| format!(" {}", waiting.id)).unwrap_or_default();
    let kept = match fold.queue.iter().any(|queued| queued.kind == kinds::USER_MESSAGE) {
        true => "; what you said is kept, and comes after that",
        false => "",
    };
    if let Some(result) = ended.rest.waiting.iter().find(|waiting| waiting.on != WaitingOn::Confirmation) {
        return Ok(format!(
            "it waits for the result of {}, a tool of its own client, which no command here can give; \
             handbox interrupt {session} ends that{kept}",
            result.id
        ));
    }
    Ok(match ended.log.record(session).await?.holder {
        // It asks on a terminal of its own.
        Some(holder) => format!("{holder} asks; answer there, or: handbox approve {session}{call}, or deny{kept}"),
        None => {
            format!("it waits for you: handbox approve {session}{call}, or deny; then handbox wake {session}{kept}")
        }
    })
}

/// Which limit it is: that of now, which may be another than the one at which it came to rest.
async fn limit(ended: &Ended<'_>, fold: &Fold, reached: Option<Reached>) -> Result<String, Failure> {
    if let (Some(StopReason::RetriesExhausted), Some(message)) = (&fold.stop_reason, rounds_error(fold)) {
        return Ok(message.to_owned());
    }
    if let Some(reached) = reached.filter(|reached| reached.scope == Scope::Session) {
        return Ok(reached.to_string());
    }
    let place = fold.anchors.rest.unwrap_or(ended.rest.head);
    let page = ended.log.read(ended.session, Slice { to: Some(place), ..Slice::from(place) }).await?;
    let members = page.entries.first().map(|entry| Value::Object(entry.event.members())).unwrap_or_default();
    Ok(members["handbox"]["limit"].as_str().unwrap_or("what the session may use is used up").to_owned())
}

/// What to do about a limit.
fn raise(session: SessionId, reached: Option<Reached>, runs: &RunsWith) -> String {
    let go_on = |flags: &str| format!("handbox run --session {session} {flags}\"go on\"");
    match reached.map(|reached| (reached.scope, reached.what)) {
        Some((Scope::Turn, What::ModelRequests)) => {
            format!("{} gives it another turn; --max-requests raises what a turn may use", go_on(""))
        }
        Some((Scope::Session, What::Money)) => format!("raise it: {}", go_on("--max-cost DOLLARS ")),
        // What a request may cost is reserved before it is made.
        None if runs.limits.session.money.is_some() => format!("raise it: {}", go_on("--max-cost DOLLARS ")),
        _ => format!("{} gives it another turn", go_on("")),
    }
}

/// Says what the tools left for the user.
fn left_over(outputs: &Path) {
    let names = std::fs::read_dir(outputs).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    if !names.is_empty() {
        names.sort();
        output::note(
            Tone::Note,
            &format!("left in {}: {}", outputs.display(), output::one_line(&names.join(", "), 1000)),
        );
    }
}
