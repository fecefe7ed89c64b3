//! A network that answers from a list, and the command run over it.

use crate::failure::Trouble;
use crate::request::Request;
use crate::run::{Streams, run};
use crate::wire::{Answer, Incoming, Times, Wire};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

/// Pieces of a body, and what comes instead of further ones.
type Pieces = Vec<Result<Vec<u8>, Trouble>>;

type Head = (u16, Vec<(String, String)>);

struct Canned {
    url: String,
    answer: Result<(Head, Pieces), Trouble>,
}

/// Answers each address with what is listed for it, in order; the last again and again.
#[derive(Default)]
pub(crate) struct Network {
    answers: RefCell<VecDeque<Canned>>,
    pub(crate) asked: RefCell<Vec<Request>>,
    pub(crate) waited: RefCell<Vec<Duration>>,
}

impl Network {
    pub(crate) fn with(self, url: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        self.pieces(url, status, headers, vec![Ok(body.as_bytes().to_vec())])
    }

    pub(crate) fn pieces(self, url: &str, status: u16, headers: &[(&str, &str)], pieces: Pieces) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.answers.borrow_mut().push_back(Canned { url: url.to_owned(), answer: Ok(((status, headers), pieces)) });
        self
    }

    pub(crate) fn trouble(self, url: &str, trouble: Trouble) -> Self {
        self.answers.borrow_mut().push_back(Canned { url: url.to_owned(), answer: Err(trouble) });
        self
    }

    /// Runs the command; its status and what it wrote.
    pub(crate) fn curl(&self, args: &[&str]) -> (u8, String, String) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = run(&args, self, &mut Streams { out: &mut out, err: &mut err });
        (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    /// What was asked, as `METHOD address`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked.borrow().iter().map(|request| format!("{} {}", request.method, request.url)).collect()
    }
}

impl Wire for Network {
    fn open(&self, request: &Request, _times: Times) -> Result<Answer, Trouble> {
        self.asked.borrow_mut().push(request.clone());
        let mut answers = self.answers.borrow_mut();
        let fits = |canned: &Canned| canned.url == request.url.as_str();
        let at = answers.iter().position(fits).ok_or(Trouble::Refused)?;
        let more = answers.iter().filter(|canned| fits(canned)).count() > 1;
        let answer = answers[at].answer.clone();
        if more {
            answers.remove(at);
        }
        let ((status, headers), pieces) = answer?;
        Ok(Answer { status, headers, body: Box::new(Body(pieces.into())) })
    }

    fn wait(&self, time: Duration) {
        self.waited.borrow_mut().push(time);
    }
}

struct Body(VecDeque<Result<Vec<u8>, Trouble>>);

impl Incoming for Body {
    fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        self.0.pop_front().transpose()
    }
}
