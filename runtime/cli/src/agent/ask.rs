//! Asking a person whether a call may run, while others may answer from elsewhere.

use super::show::Screen;
use crate::output::{self, Tone};
use async_trait::async_trait;
use handbox_session::fold::Verdict;
use handbox_session::{EventId, Followed, LogError, Tail, kinds};
use serde::Deserialize;
use std::io::BufRead;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// How often a question is put before no answer is taken for none.
const TRIES: u32 = 3;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Whoever was asked said so.
    Here(Verdict),
    /// It was answered elsewhere.
    Elsewhere(Verdict),
    /// The session was interrupted from elsewhere, or the call was settled in another way.
    Overtaken,
    /// Nobody answers.
    Nobody,
}

/// Where answers are typed.
#[async_trait]
pub(super) trait Lines: Send {
    /// Forgets what was typed before a question was put: it answers none.
    fn clear(&mut self);

    /// The next line; `None` at the end of the input. Dropping the future loses nothing.
    async fn line(&mut self) -> Option<String>;
}

/// Standard input. A read of it cannot be taken back, so that one which nobody waits for any more is kept for the next
/// question.
#[derive(Default)]
pub(super) struct Keyboard {
    reading: Option<oneshot::Receiver<Option<String>>>,
}

#[async_trait]
impl Lines for Keyboard {
    fn clear(&mut self) {
        let done = |reading: &mut oneshot::Receiver<_>| !matches!(reading.try_recv(), Err(TryRecvError::Empty));
        if self.reading.as_mut().is_some_and(done) {
            self.reading = None;
        }
        #[cfg(unix)]
        {
            // What waits in the terminal is as old. Where standard input is none, nothing is lost.
            let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
        }
    }

    async fn line(&mut self) -> Option<String> {
        let reading = self.reading.get_or_insert_with(|| {
            let (typed, reading) = oneshot::channel();
            // Not awaited: it ends with the process.
            std::thread::spawn(move || {
                let mut line = String::new();
                let read = std::io::stdin().lock().read_line(&mut line);
                typed.send(read.ok().filter(|bytes| *bytes > 0).map(|_| line))
            });
            reading
        });
        let line = reading.await.ok().flatten();
        self.reading = None;
        line
    }
}

/// Whether somebody may be asked on this terminal: a process in the background that reads from it is stopped, and with it
/// whoever uses the store that it holds.
pub(super) fn is_in_front() -> bool {
    #[cfg(unix)]
    {
        let front = rustix::termios::tcgetpgrp(std::io::stdin());
        front.is_ok_and(|front| front == rustix::process::getpgrp())
    }
    #[cfg(not(unix))]
    true
}

/// Asks whether a call may run, and shows what happens meanwhile.
pub(super) async fn ask(
    lines: &mut dyn Lines,
    (tail, screen): (&mut dyn Tail, &mut Screen),
    call: EventId,
    what: &str,
) -> Result<Answer, LogError> {
    lines.clear();
    for _ in 0..TRIES {
        output::note(Tone::Warning, &format!("Handbox asks: may it call {what}? [y/n]"));
        let line = loop {
            tokio::select! {
                // An answer that came first counts first.
                biased;
                followed = tail.next() => {
                    let followed = followed?;
                    screen.followed(&followed);
                    if let Some(answer) = answered(&followed, call) {
                        return Ok(answer);
                    }
                }
                line = lines.line() => break line,
                _ = tokio::signal::ctrl_c() => return Ok(Answer::Nobody),
            }
        };
        match line.as_deref().map(|line| line.trim().to_ascii_lowercase()).as_deref() {
            Some("y" | "yes") => return Ok(Answer::Here(Verdict::Allow)),
            Some("n" | "no") => return Ok(Answer::Here(Verdict::Deny)),
            Some(_) => {}
            // The end of the input is no answer.
            None => return Ok(Answer::Nobody),
        }
    }
    Ok(Answer::Nobody)
}

#[derive(Deserialize)]
struct OfCall {
    tool_use_id: EventId,
    result: Option<Verdict>,
}

/// What an event says to the question of a call.
fn answered(followed: &Followed, call: EventId) -> Option<Answer> {
    let Followed::Event(entry) = followed else { return None };
    let kind = entry.event.kind();
    if *kind == kinds::USER_INTERRUPT {
        return Some(Answer::Overtaken);
    }
    let about = serde_json::from_str::<OfCall>(entry.event.json()).ok().filter(|about| about.tool_use_id == call)?;
    match about.result {
        Some(verdict) if *kind == kinds::USER_TOOL_CONFIRMATION => Some(Answer::Elsewhere(verdict)),
        _ if *kind == kinds::AGENT_TOOL_RESULT => Some(Answer::Overtaken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::show::Form;
    use super::*;
    use handbox_session::{Entry, Event, Kind, Seq};
    use serde_json::{Value, json};
    use std::collections::VecDeque;

    /// Somebody who types these lines, and nothing after them.
    struct Typed(VecDeque<&'static str>);

    #[async_trait]
    impl Lines for Typed {
        fn clear(&mut self) {}

        async fn line(&mut self) -> Option<String> {
            match self.0.pop_front() {
                Some(line) => Some(line.to_owned()),
                None => std::future::pending().await,
            }
        }
    }

    /// A session in which these events follow, and then nothing.
    struct Follows(VecDeque<Event>);

    #[async_trait]
    impl Tail for Follows {
        async fn next(&mut self) -> Result<Followed, LogError> {
            match self.0.pop_front() {
                Some(event) => Ok(Followed::Event(Entry { seq: Seq::FIRST, event })),
                None => std::future::pending().await,
            }
        }
    }

    fn id(number: u128) -> EventId {
        EventId::from(number << 90)
    }

    fn event(kind: Kind, members: Value) -> Event {
        Event::new(id(99), kind, members.as_object().unwrap().clone()).unwrap()
    }

    fn confirmed(call: EventId, result: &str) -> Event {
        event(kinds::USER_TOOL_CONFIRMATION, json!({ "tool_use_id": call, "result": result }))
    }

    fn asked(typed: &[&'static str], events: Vec<Event>) -> Answer {
        let mut lines = Typed(typed.iter().copied().collect());
        let mut tail = Follows(events.into());
        let mut screen = Screen::new(Form::Text, true, None);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(&mut lines, (&mut tail, &mut screen), id(1), "write {}")).unwrap()
    }

    #[test]
    fn who_is_asked_may_need_more_than_one_line() {
        assert_eq!(asked(&["Yes\n"], Vec::new()), Answer::Here(Verdict::Allow));
        assert_eq!(asked(&["what?\n", "n\n"], Vec::new()), Answer::Here(Verdict::Deny));
        assert_eq!(asked(&["a\n", "b\n", "c\n", "y\n"], Vec::new()), Answer::Nobody);
    }

    #[test]
    fn an_answer_from_elsewhere_ends_the_question() {
        assert_eq!(asked(&[], vec![confirmed(id(1), "allow")]), Answer::Elsewhere(Verdict::Allow));
        assert_eq!(asked(&[], vec![confirmed(id(1), "deny")]), Answer::Elsewhere(Verdict::Deny));
        assert_eq!(asked(&[], vec![event(kinds::USER_INTERRUPT, json!({}))]), Answer::Overtaken);
        let settled = event(kinds::AGENT_TOOL_RESULT, json!({ "tool_use_id": id(1), "content": [] }));
        assert_eq!(asked(&[], vec![settled]), Answer::Overtaken);
    }

    #[test]
    fn what_is_said_of_other_calls_answers_nothing() {
        let others = vec![confirmed(id(2), "allow"), event(kinds::USER_MESSAGE, json!({ "content": [] }))];
        assert_eq!(asked(&["y\n"], others), Answer::Here(Verdict::Allow));
    }
}
