//! Wakes a session, or follows whoever works on it, and shows what happens until it rests.

use super::ask::{Answer, Keyboard, ask, is_in_front};
use super::brain::{call_at, folded, state};
use super::client::{event, say};
use super::hands::BundleHands;
use super::report::{Ended, report};
use super::show::{Form, Screen};
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_brain::{Brain, Policy, Rest, RunsWith, Settings, WakeError};
use handbox_session::fold::{Status, StopReason, Verdict, Waiting, WaitingOn};
use handbox_session::{Followed, Lease, Seq, SessionId, Tail, kinds};
use serde_json::json;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::ctrl_c;

/// How often it is looked whether whoever works on a session is still there.
const LOOK: Duration = Duration::from_millis(500);

/// A session that somebody watches.
pub(super) struct Drive<'a> {
    pub(super) brain: Brain,
    pub(super) hands: Arc<BundleHands>,
    pub(super) session: SessionId,
    /// The place after which things are shown.
    pub(super) after: Seq,
    pub(super) global: &'a Global,
    pub(super) paths: &'a Paths,
    /// Whether no model is asked.
    pub(super) scripted: bool,
    /// Whether calls that need somebody are denied if nobody is there, or else wait.
    pub(super) denies: bool,
}

/// The most characters of an input in a question; more would push its beginning out of sight.
const ASKED_CHARS_MAX: usize = 2000;

/// How it ended.
enum End {
    Rests(Rest),
    /// Whoever watched left it for later.
    Left,
    /// Whoever watched left it to another process, which goes on with it.
    LeftTo(String),
}

/// What came of working on it.
enum Worked {
    Rests(Rest),
    Left,
    /// Somebody else works on it.
    Held(String),
}

/// What came of following somebody else.
enum Watched {
    Rests(Rest),
    Left,
    /// Nobody works on it any more.
    Free,
}

impl Drive<'_> {
    /// Works on the session until it rests, or is left.
    pub(super) async fn run(self) -> Result<ExitCode, Failure> {
        let form = if self.global.json { Form::Json } else { Form::Text };
        let mut screen = Screen::new(form, self.global.quiet, Some(self.after));
        if self.global.verbose > 0 {
            screen.requests();
        }
        screen.hints(self.hands.hints.clone());
        let fold = folded(&*self.brain.log, self.session).await?;
        fold.calls.iter().for_each(|call| screen.knows(call));
        if self.global.json {
            output::json_line(&json!({ "session": self.session }));
        }
        screen.note(&self.session.to_string());
        if self.scripted {
            screen.note("scripted: no model is asked");
        }
        let end = self.follow(&mut screen).await;
        screen.end_line();
        let rest = match end? {
            End::Rests(rest) => rest,
            End::Left => {
                let hint = format!("left as it is; go on with: handbox wake {}", self.session);
                output::note(Tone::Hint, &hint);
                return Ok(ExitCode::from(Kind::Denied.code()));
            }
            End::LeftTo(holder) => {
                let hint = format!("{holder} goes on with it; follow it with: handbox wake {}", self.session);
                output::note(Tone::Hint, &hint);
                // Who followed has seen enough, and nothing is lost.
                return Ok(ExitCode::SUCCESS);
            }
        };
        let Self { brain, session, global, paths, scripted, .. } = &self;
        let ended = Ended { log: &*brain.log, session: *session, paths, scripted: *scripted, rest: &rest };
        report(ended, global, screen.advised).await
    }

    async fn follow(&self, screen: &mut Screen) -> Result<End, Failure> {
        let mut tail = self.brain.log.tail(self.session, screen.last).await?;
        let (mut keyboard, mut interrupted) = (Keyboard::default(), false);
        loop {
            let rest = match self.work(&mut *tail, screen, &mut interrupted).await? {
                Worked::Rests(rest) => rest,
                Worked::Left => return Ok(End::Left),
                Worked::Held(holder) => match self.watch(&mut *tail, screen, &holder).await? {
                    Watched::Rests(rest) => return Ok(End::Rests(rest)),
                    Watched::Left => return Ok(End::LeftTo(holder)),
                    Watched::Free => continue,
                },
            };
            while screen.last < Some(rest.head) {
                screen.followed(&tail.next().await?);
            }
            if rest.stop_reason != Some(StopReason::RequiresAction) || interrupted {
                return Ok(End::Rests(rest));
            }
            let asking = self.answers(&rest.waiting, &mut keyboard, (&mut *tail, screen));
            if !self.holding(asking).await? {
                return Ok(End::Rests(rest));
            }
        }
    }

    /// Works on it, unless somebody else does. Ctrl-C interrupts it; a second one leaves it.
    async fn work(&self, tail: &mut dyn Tail, screen: &mut Screen, interrupted: &mut bool) -> Result<Worked, Failure> {
        let mut wake = std::pin::pin!(self.brain.wake(self.session));
        loop {
            tokio::select! {
                // What happened is shown before what came of it.
                biased;
                followed = tail.next() => screen.followed(&followed?),
                rest = &mut wake => return match rest {
                    Ok(rest) => Ok(Worked::Rests(rest)),
                    Err(WakeError::Held { holder, .. }) => Ok(Worked::Held(holder)),
                    Err(WakeError::Fenced { .. }) => {
                        let holder = self.brain.log.record(self.session).await?.holder;
                        Ok(Worked::Held(holder.unwrap_or_else(|| "another process".to_owned())))
                    }
                    Err(error) => Err(error.into()),
                },
                _ = ctrl_c() => {
                    if *interrupted {
                        return Ok(Worked::Left);
                    }
                    *interrupted = true;
                    screen.end_line();
                    screen.note("interrupted; once more, if it does not end, leaves it for later");
                    say(&*self.brain.log, self.session, vec![event(kinds::USER_INTERRUPT, json!({}))?]).await?;
                }
            }
        }
    }

    /// Follows what somebody else does, until all that was said to the session is done or nobody works on it.
    async fn watch(&self, tail: &mut dyn Tail, screen: &mut Screen, holder: &str) -> Result<Watched, Failure> {
        if let Some(rest) = self.rests().await? {
            return Ok(Watched::Rests(rest));
        }
        screen.end_line();
        screen
            .note(&format!("{holder} works on this session; what comes next is followed here, Ctrl-C ends only that"));
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                biased;
                followed = tail.next() => {
                    let followed = followed?;
                    screen.followed(&followed);
                    if ends_turn(&followed) && let Some(rest) = self.rests().await? {
                        return Ok(Watched::Rests(rest));
                    }
                }
                _ = look.tick() => {
                    if self.brain.log.record(self.session).await?.holder.is_none() {
                        return Ok(Watched::Free);
                    }
                }
                _ = ctrl_c() => return Ok(Watched::Left),
            }
        }
    }

    /// How it rests, if it does and has nothing more to do.
    async fn rests(&self) -> Result<Option<Rest>, Failure> {
        let fold = folded(&*self.brain.log, self.session).await?;
        let over = match fold.status {
            Status::Running | Status::Rescheduling => false,
            Status::Terminated => true,
            Status::Idle => fold.queue.is_empty() || fold.stop_reason == Some(StopReason::RequiresAction),
        };
        Ok(over.then(|| Rest {
            head: fold.through().unwrap_or(Seq::FIRST),
            status: fold.status,
            stop_reason: fold.stop_reason.clone(),
            waiting: fold.waiting().collect(),
            wake_at_unix_ms: None,
        }))
    }

    /// Does something that takes as long as a person does. Meanwhile the session is held, so that whoever answers from
    /// elsewhere is told that somebody is there.
    async fn holding<T>(&self, work: impl Future<Output = T>) -> T {
        let Settings { holder, lease: time, .. } = &self.brain.settings;
        // If somebody else has it by now, the log says what comes of it.
        let Ok(lease) = self.brain.log.claim(self.session, holder, *time).await else { return work.await };
        let done = tokio::select! {
            done = work => done,
            never = self.keep(&lease, *time) => match never {},
        };
        // One that cannot be given back ends by itself.
        let _ = self.brain.log.release(&lease).await;
        done
    }

    async fn keep(&self, lease: &Lease, time: Duration) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(time / 3).await;
            // One that is lost makes nothing wrong: a client's answer needs none.
            let _ = self.brain.log.renew(lease, time).await;
        }
    }

    /// Asks about each call that may run only if somebody allows it; gives whether there is an answer to any.
    async fn answers(
        &self,
        waiting: &[Waiting],
        keyboard: &mut Keyboard,
        (tail, screen): (&mut dyn Tail, &mut Screen),
    ) -> Result<bool, Failure> {
        let (_, runs) = state(&*self.brain.log, self.session).await?;
        let mut any = false;
        for waiting in waiting.iter().filter(|waiting| waiting.on == WaitingOn::Confirmation) {
            // While one was asked about, others may have been answered from elsewhere.
            let fold = folded(&*self.brain.log, self.session).await?;
            if !fold.waiting().any(|still| still.id == waiting.id) {
                any = true;
                continue;
            }
            let (name, input) = call_at(&*self.brain.log, self.session, waiting.place).await?;
            let members = if runs.tool(&name).is_some_and(|tool| tool.permission == Policy::AlwaysAllow) {
                screen.note(&format!("{name} may run without asking by now"));
                json!({ "tool_use_id": waiting.id, "result": Verdict::Allow })
            } else if self.somebody_is_there() {
                let what = format!("{} {}", output::one_line(&name, 128), bounded(&input));
                match ask(keyboard, (&mut *tail, &mut *screen), waiting.id, &what).await? {
                    Answer::Here(verdict) => json!({ "tool_use_id": waiting.id, "result": verdict }),
                    Answer::Elsewhere(verdict) => {
                        let verdict = if verdict == Verdict::Allow { "allowed" } else { "denied" };
                        screen.note(&format!("{verdict} from elsewhere"));
                        any = true;
                        continue;
                    }
                    Answer::Overtaken => {
                        screen.note("interrupted from elsewhere");
                        return Ok(true);
                    }
                    // It waits.
                    Answer::Nobody => continue,
                }
            } else if !self.denies || self.is_behind() {
                // It waits for whoever comes, or for this process to come to the front.
                continue;
            } else {
                self.deny_for_want_of_a_terminal(&name, &runs);
                let why = "Nobody is there to allow it. Do without this tool.";
                json!({ "tool_use_id": waiting.id, "result": Verdict::Deny, "deny_message": why })
            };
            say(&*self.brain.log, self.session, vec![event(kinds::USER_TOOL_CONFIRMATION, members)?]).await?;
            any = true;
        }
        Ok(any)
    }

    fn deny_for_want_of_a_terminal(&self, name: &str, runs: &RunsWith) {
        let why = if self.global.json { "with --json nobody is asked" } else { "there is no terminal to ask on" };
        output::note(Tone::Warning, &format!("denied {name}, because {why}"));
        let hand = runs.tool(name).and_then(|tool| tool.hand.as_deref());
        let provisions = hand.and_then(|hand| self.hands.provisions(runs, hand).ok());
        let mut flags = provisions.map(|(provisions, _)| provisions.flags_to_write(name)).unwrap_or_default();
        flags.push(format!("--allow {name}"));
        let flags = flags.join(" ");
        let hint =
            format!("{flags} lets it run without asking: handbox run --session {} {flags} \"go on\"", self.session);
        output::note(Tone::Hint, &hint);
    }

    /// Whether there is a terminal, and another process has it: somebody is there, and is not to be asked now.
    fn is_behind(&self) -> bool {
        !self.global.json && std::io::stdin().is_terminal() && !is_in_front()
    }

    fn somebody_is_there(&self) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        !self.global.json && terminal && is_in_front()
    }
}

/// An input as a question shows it: whole, unless nobody would read it.
fn bounded(input: &str) -> String {
    match input.char_indices().nth(ASKED_CHARS_MAX) {
        Some((end, _)) => format!("{}… (and {} more bytes)", &input[..end], input.len() - end),
        None => input.to_owned(),
    }
}

fn ends_turn(followed: &Followed) -> bool {
    let Followed::Event(entry) = followed else { return false };
    [kinds::SESSION_STATUS_IDLE, kinds::SESSION_STATUS_TERMINATED].contains(entry.event.kind())
}
