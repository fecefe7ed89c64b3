//! See [`Canned`].

use crate::{Fetch, Request, Response, Trouble};
use std::cell::RefCell;

/// A network that answers from a list, and remembers what it was asked.
#[derive(Debug, Default)]
pub struct Canned {
    answers: Vec<(String, Result<Response, Trouble>)>,
    /// What was asked, in order.
    pub asked: RefCell<Vec<Request>>,
}

impl Canned {
    /// Answers requests to `url`.
    #[must_use]
    pub fn with(mut self, url: &str, status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.answers.push((url.to_owned(), Ok(Response { status, headers, body: body.into(), broken_off: None })));
        self
    }

    /// A page at `url`.
    #[must_use]
    pub fn page(self, url: &str, html: &str) -> Self {
        self.with(url, 200, &[("content-type", "text/html; charset=utf-8")], html)
    }

    /// Sends requests to `url` elsewhere.
    #[must_use]
    pub fn redirect(self, url: &str, to: &str) -> Self {
        self.with(url, 302, &[("location", to)], "")
    }

    /// Gives no answer for `url`. What is in no list is refused.
    #[must_use]
    pub fn trouble(mut self, url: &str, trouble: Trouble) -> Self {
        self.answers.push((url.to_owned(), Err(trouble)));
        self
    }

    /// The addresses that were asked for, in order.
    pub fn urls(&self) -> Vec<String> {
        self.asked.borrow().iter().map(|request| request.url.to_string()).collect()
    }
}

impl Fetch for Canned {
    fn fetch(&self, request: &Request) -> Result<Response, Trouble> {
        self.asked.borrow_mut().push(request.clone());
        let found = self.answers.iter().find(|(url, _)| *url == request.url.as_str());
        found.map_or(Err(Trouble::Refused), |(_, answer)| answer.clone())
    }
}
