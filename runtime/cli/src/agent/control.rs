//! `handbox interrupt`, `approve`, `deny`: what a client says to a session from elsewhere.

use super::brain::{call_at, folded, state};
use super::client::{event, say};
use super::show::{clip, duration};
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::log::open;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_brain::{Machine, RunsWith, Surroundings};
use handbox_session::fold::{Waiting, WaitingOn};
use handbox_session::{Event, EventId, Fold, SessionId, SessionLog, kinds};
use serde_json::json;
use std::process::ExitCode;

/// End what a session is doing: it comes to rest at once, and keeps all that it did.
///
/// One that rests already stays as it is.
#[derive(clap::Args)]
pub(crate) struct Interrupt {
    /// The session, by its id or the beginning of it
    id: String,
}

/// Allow a tool call that waits for you.
#[derive(clap::Args)]
pub(crate) struct Approve {
    /// The session, by its id or the beginning of it
    id: String,
    /// The call: its event's id, or the beginning of it; without it the only one that waits
    call: Option<String>,
}

/// Refuse a tool call that waits for you.
#[derive(clap::Args)]
pub(crate) struct Deny {
    /// The session, by its id or the beginning of it
    id: String,
    /// The call: its event's id, or the beginning of it; without it the only one that waits
    call: Option<String>,
    /// What the model is told
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

pub(crate) fn interrupt(global: &Global, command: &Interrupt) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    open::with_session(&paths, "handbox interrupt", &command.id, async |log, session| {
        let fold = folded(log, session).await?;
        let interrupt = event(kinds::USER_INTERRUPT, json!({}))?;
        if !interrupts(&fold, &interrupt) {
            if global.json {
                output::json_line(&json!({ "session": session, "sent": null, "holder": null }));
            } else if !global.quiet {
                output::note(Tone::Note, "nothing is going on in this session, so there is nothing to interrupt");
            }
            return Ok(ExitCode::SUCCESS);
        }
        tell(log, session, interrupt, global, "interrupt").await
    })
}

/// Whether an interrupt would end anything.
fn interrupts(fold: &Fold, interrupt: &Event) -> bool {
    let mut after = fold.clone();
    after.apply(fold.next(), interrupt).is_ok() && !after.interrupts.is_empty()
}

pub(crate) fn approve(global: &Global, command: &Approve) -> Result<ExitCode, Failure> {
    decide(global, &command.id, command.call.as_deref(), "allow", None)
}

pub(crate) fn deny(global: &Global, command: &Deny) -> Result<ExitCode, Failure> {
    decide(global, &command.id, command.call.as_deref(), "deny", command.message.as_deref())
}

fn decide(
    global: &Global,
    id: &str,
    call: Option<&str>,
    verdict: &str,
    message: Option<&str>,
) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    open::with_session(&paths, "handbox approve", id, async |log, session| {
        let (fold, runs) = state(log, session).await?;
        let waiting: Vec<Waiting> = fold.waiting().filter(|one| one.on == WaitingOn::Confirmation).collect();
        let mut calls = Vec::new();
        for one in &waiting {
            let (name, input) = call_at(log, session, one.place).await?;
            calls.push((*one, output::visible(&clip(&format!("{name} {input}")))));
        }
        let (call, what) = which(session, &calls, call)?;
        if let Some(late) = late(call, &runs, Machine.now_unix_ms()) {
            return too_late(global, session, verdict == "allow", &format!("{what}: {late}"));
        }
        let mut members = json!({ "tool_use_id": call, "result": verdict });
        let verdict = if verdict == "allow" { format!("allow {what}") } else { format!("deny {what}") };
        if let Some(message) = message {
            members["deny_message"] = message.into();
        }
        tell(log, session, event(kinds::USER_TOOL_CONFIRMATION, members)?, global, &verdict).await
    })
}

/// Why no answer counts any more, if the call waited for longer than it may.
fn late(call: EventId, runs: &RunsWith, now_unix_ms: u64) -> Option<String> {
    let waited_ms = now_unix_ms.saturating_sub(call.unix_ms());
    let wait_ms = runs.limits.wait_ms.filter(|wait_ms| waited_ms >= *wait_ms)?;
    Some(format!("it waited {}, and counts as denied since it had waited {}", duration(waited_ms), duration(wait_ms)))
}

/// Says that the deadline has decided. Nothing is sent: an answer after it is none.
fn too_late(global: &Global, session: SessionId, allows: bool, why: &str) -> Result<ExitCode, Failure> {
    let go_on = format!("go on with: handbox wake {session}");
    if allows {
        return Err(Failure::new(Kind::Denied, format!("too late to allow {why}")).hint(format!(
            "{go_on}; the model is told, and may ask again. How long calls of new sessions wait is `wait` under [agents] in \
             config.toml"
        )));
    }
    if global.json {
        output::json_line(&json!({ "session": session, "sent": null, "holder": null }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("no need to deny {why}; {go_on}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The call that is meant.
fn which(session: SessionId, waiting: &[(Waiting, String)], word: Option<&str>) -> Result<(EventId, String), Failure> {
    let ids = || waiting.iter().map(|(one, what)| format!("\n  {} {what}", one.id)).collect::<String>();
    let fits = |(one, _): &&(Waiting, String)| {
        let id = one.id.to_string();
        word.is_none_or(|word| id.starts_with(word) || id["sevt_".len()..].starts_with(word))
    };
    match waiting.iter().filter(fits).collect::<Vec<_>>()[..] {
        [(one, what)] => Ok((one.id, what.clone())),
        [] if waiting.is_empty() => Err(Failure::usage("no call of this session waits for you")
            .hint(format!("what it does: handbox sessions show {session}"))),
        [] => Err(Failure::usage("no call of that id waits").hint(format!("these do:{}", ids()))),
        _ => Err(Failure::usage("several calls wait; which one?").hint(format!("name one of these:{}", ids()))),
    }
}

/// Says it to the session, and to the caller what has to be done so that it has an effect.
async fn tell(
    log: &dyn SessionLog,
    session: SessionId,
    event: Event,
    global: &Global,
    what: &str,
) -> Result<ExitCode, Failure> {
    // Whoever works on it may be done with it at once.
    let before = log.record(session).await?.holder;
    say(log, session, vec![event]).await?;
    let holder = before.or(log.record(session).await?.holder);
    if global.json {
        output::json_line(&json!({ "session": session, "sent": what, "holder": holder }));
    } else if !global.quiet {
        let text = match holder {
            Some(holder) => format!("{what}: sent to {holder}, which works on it"),
            None => format!("{what}: kept; nobody works on it now, so go on with: handbox wake {session}"),
        };
        output::note(Tone::Note, &text);
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::which;
    use handbox_session::fold::{Waiting, WaitingOn};
    use handbox_session::{EventId, Seq, SessionId};

    #[test]
    fn the_only_call_that_waits_need_not_be_named() {
        let one = |number: u128| {
            let id = EventId::from(number << 90);
            (Waiting { id, place: Seq::FIRST, on: WaitingOn::Confirmation }, "write {}".to_owned())
        };
        let which = |waiting: &[(Waiting, String)], word| which(SessionId::from(1 << 100), waiting, word);
        assert_eq!(which(&[one(1)], None).unwrap(), (one(1).0.id, "write {}".to_owned()));
        assert!(which(&[], None).is_err() && which(&[one(1), one(2)], None).is_err());
        let id = one(2).0.id;
        let word = id.to_string();
        assert_eq!(which(&[one(1), one(2)], Some(&word)).unwrap().0, id);
        let asked = which(&[one(1), one(2)], None).unwrap_err().hint.unwrap();
        assert!(asked.contains(&format!("{id} write {{}}")), "{asked}");
    }
}
