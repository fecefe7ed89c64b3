//! Wakes a session, shows what happens, and asks whoever is there.

use super::brain::known_cost;
use super::hands::Folders;
use super::show::{Form, Screen, duration};
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_brain::{Brain, Machine, Rest, Surroundings};
use handbox_session::fold::{StopReason, Waiting, WaitingOn, summary};
use handbox_session::{Batch, Event, EventId, Kind as EventKind, SessionId, Slice, Writer, kinds};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::ctrl_c;

/// A session that somebody watches.
pub(super) struct Drive<'a> {
    pub(super) brain: Brain,
    pub(super) session: SessionId,
    pub(super) global: &'a Global,
    pub(super) paths: &'a Paths,
    /// Whether no model is asked.
    pub(super) scripted: bool,
}

/// How it ended.
enum End {
    Rests(Rest),
    /// Whoever watched left it for later.
    Left,
}

/// An event of a client, with a new id.
pub(super) fn event(kind: EventKind, members: Value) -> Result<Event, Failure> {
    let mut chance = [0; 10];
    Machine.chance(&mut chance);
    let members = if let Value::Object(members) = members { members } else { Map::new() };
    Event::new(EventId::at(Machine.now_unix_ms(), chance), kind, members)
        .map_err(|error| Failure::usage(format!("this is too much for one event: {error}")))
}

/// Appends what a client says.
pub(super) async fn say(
    log: &dyn handbox_session::SessionLog,
    session: SessionId,
    events: Vec<Event>,
) -> Result<(), Failure> {
    log.append(vec![Batch { session, writer: Writer::Client, after: None, events }]).await?;
    Ok(())
}

impl Drive<'_> {
    /// Works on the session until it rests, or is left.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let head = self.brain.log.record(self.session).await?.head;
        let form = if self.global.json { Form::Json } else { Form::Text };
        let mut screen = Screen::new(form, self.global.quiet, Some(head));
        if self.scripted {
            screen.note("scripted: no model is asked");
        }
        let end = self.follow(&mut screen).await;
        screen.end_line();
        match end? {
            End::Left => {
                output::note(Tone::Hint, &format!("left as it is; go on with: handbox wake {}", self.session));
                Ok(ExitCode::from(Kind::Denied.code()))
            }
            End::Rests(rest) => self.report(&rest).await,
        }
    }

    async fn follow(&self, screen: &mut Screen) -> Result<End, Failure> {
        let mut tail = self.brain.log.tail(self.session, screen.last).await?;
        let mut interrupted = false;
        loop {
            let rest = {
                let mut wake = std::pin::pin!(self.brain.wake(self.session));
                loop {
                    tokio::select! {
                        // What happened is shown before what came of it.
                        biased;
                        followed = tail.next() => screen.followed(&followed?),
                        rest = &mut wake => break rest?,
                        _ = ctrl_c() => {
                            if interrupted {
                                return Ok(End::Left);
                            }
                            interrupted = true;
                            screen.end_line();
                            screen.note("interrupted; once more leaves it for later");
                            say(&*self.brain.log, self.session, vec![event(kinds::USER_INTERRUPT, json!({}))?]).await?;
                        }
                    }
                }
            };
            while screen.last < Some(rest.head) {
                screen.followed(&tail.next().await?);
            }
            if rest.stop_reason != Some(StopReason::RequiresAction) || interrupted {
                return Ok(End::Rests(rest));
            }
            let answers = self.answers(&rest.waiting).await?;
            if answers.is_empty() {
                return Ok(End::Rests(rest));
            }
            say(&*self.brain.log, self.session, answers).await?;
        }
    }

    /// Asks about each call that may run only if somebody allows it.
    async fn answers(&self, waiting: &[Waiting]) -> Result<Vec<Event>, Failure> {
        let mut answers = Vec::new();
        for waiting in waiting.iter().filter(|waiting| waiting.on == WaitingOn::Confirmation) {
            let slice = Slice { to: Some(waiting.place), ..Slice::from(waiting.place) };
            let page = self.brain.log.read(self.session, slice).await?;
            let members = page.entries.first().map(|entry| entry.event.members().clone()).unwrap_or_default();
            let name = members.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
            let input = members.get("input").unwrap_or(&Value::Null).to_string();
            let answer = if self.somebody_is_there() {
                match ask(format!("{name} {input}")).await {
                    Some(true) => json!({ "tool_use_id": waiting.id, "result": "allow" }),
                    Some(false) => json!({ "tool_use_id": waiting.id, "result": "deny" }),
                    // Nobody answers; it waits.
                    None => continue,
                }
            } else {
                output::note(Tone::Warning, &format!("denied {name}, because there is no terminal to ask on"));
                output::note(Tone::Hint, &format!("--allow {name} lets it run without asking, from a new session on"));
                let why = "Nobody is there to allow it. Do without this tool.";
                json!({ "tool_use_id": waiting.id, "result": "deny", "deny_message": why })
            };
            answers.push(event(kinds::USER_TOOL_CONFIRMATION, answer)?);
        }
        Ok(answers)
    }

    fn somebody_is_there(&self) -> bool {
        !self.global.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    async fn report(&self, rest: &Rest) -> Result<ExitCode, Failure> {
        let summary = summary(&*self.brain.log, self.session).await?;
        let reason = rest.stop_reason.as_ref();
        let total = summary.total;
        let cost = known_cost(&*self.brain.log, self.session, &total).await?;
        if self.global.json {
            output::json_line(&json!({
                "session": self.session, "events": summary.events, "status": summary.status, "stop_reason": reason,
                "model_requests": total.model_requests, "tool_calls": total.tool_calls, "tokens": total.tokens.total(),
                "cost_picodollars": cost, "active_ms": total.active_ms, "scripted": self.scripted,
            }));
        } else if !self.global.quiet {
            let model = if self.scripted { "scripted answers, no model asked" } else { "model requests" };
            let line = format!(
                "{}: {}, {} {model}, {} tool calls, {} tokens, {}, {}",
                self.session,
                reason.map_or("at rest", words),
                total.model_requests,
                total.tool_calls,
                total.tokens.total(),
                cost.map_or_else(|| "cost unknown: no --price was given".to_owned(), |cost| cost.to_string()),
                duration(total.active_ms)
            );
            output::note(Tone::Note, &line);
            left_over(&Folders::of(&self.paths.data, self.session).outputs);
        }
        Ok(match reason {
            None | Some(StopReason::EndTurn) => ExitCode::SUCCESS,
            Some(StopReason::RequiresAction) => {
                let one = rest.waiting.first().map(|waiting| waiting.id.to_string()).unwrap_or_default();
                let session = self.session;
                output::note(
                    Tone::Hint,
                    &format!("it waits for you: handbox approve {session} {one}, or deny; then handbox wake {session}"),
                );
                ExitCode::from(Kind::Denied.code())
            }
            Some(StopReason::BudgetReached) => ExitCode::from(Kind::Limit.code()),
            Some(StopReason::RetriesExhausted | StopReason::Refusal | StopReason::Other(_)) => {
                if let Some(error) = summary.last_error {
                    output::note(Tone::Error, &error.message);
                }
                ExitCode::from(Kind::Tool.code())
            }
        })
    }
}

fn words(reason: &StopReason) -> &str {
    match reason {
        StopReason::EndTurn => "done",
        StopReason::RequiresAction => "waits for you",
        StopReason::RetriesExhausted => "gave up",
        StopReason::BudgetReached => "reached its limit",
        StopReason::Refusal => "the model refused",
        StopReason::Other(other) => other,
    }
}

/// Says what the tools left for the user.
fn left_over(outputs: &Path) {
    let names = std::fs::read_dir(outputs).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    if !names.is_empty() {
        names.sort();
        output::note(Tone::Note, &format!("left in {}: {}", outputs.display(), names.join(", ")));
    }
}

/// Asks for yes or no. `None` if nobody answers.
async fn ask(what: String) -> Option<bool> {
    let asked = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            output::note(Tone::Note, &format!("may it call {what}? [y/n]"));
            let mut line = String::new();
            // The end of the input is no answer.
            std::io::stdin().read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
            match line.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Some(true),
                "n" | "no" => return Some(false),
                _ => {}
            }
        }
        None
    });
    tokio::select! {
        answer = asked => answer.ok().flatten(),
        _ = ctrl_c() => None,
    }
}
