//! Whether and when it is tried again.

use crate::failure::{Failure, code};
use crate::options::Options;
use std::time::{Duration, Instant};

/// The longest wait that grows by itself.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// Why it is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The server says that it may work later.
    Status {
        status: u16,
        /// What it says in `Retry-After`.
        after: Option<String>,
    },
    Failed(Failure),
    /// The host refuses it, and will again.
    Refused(Failure),
}

/// The tries that are left.
pub(crate) struct Retrying {
    left: u32,
    began: Instant,
    next: Duration,
}

impl Retrying {
    pub(crate) fn new(options: &Options) -> Self {
        Self { left: options.retries, began: Instant::now(), next: Duration::from_secs(1) }
    }

    /// Whether an answer with that status is worth another try.
    pub(crate) fn transient(&self, options: &Options, status: u16) -> bool {
        let passing = matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 522 | 524);
        self.left > 0 && self.in_time(options) && (passing || (options.retry_all && fails(options, status)))
    }

    /// How long to wait before the next try, and what is said of it; `None` if there is none.
    pub(crate) fn again(&mut self, options: &Options, why: &Why) -> Option<(Duration, String)> {
        let worth = match why {
            Why::Status { .. } => true,
            Why::Refused(_) => false,
            Why::Failed(failure) => match failure.code {
                code::TIMEOUT | code::RESOLVE => true,
                code::CONNECT => options.retry_refused || options.retry_all,
                code::PROTOCOL | code::URL | code::WRITE | code::READ | code::REDIRECTS | code::REWIND => false,
                _ => options.retry_all,
            },
        };
        if !worth || self.left == 0 || !self.in_time(options) {
            return None;
        }
        let mut wait = options.retry_delay.unwrap_or(self.next);
        self.next = (self.next * 2).min(WAIT_MAX);
        let problem = match why {
            Why::Status { after, .. } => {
                let after = after.as_ref().and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                wait = after.map_or(wait, |after| after.max(wait));
                "HTTP error"
            }
            Why::Failed(failure) | Why::Refused(failure) => match failure.code {
                code::TIMEOUT => "timeout",
                code::CONNECT => "connection refused",
                _ => "(retrying all errors)",
            },
        };
        if options.retry_time_max.is_some_and(|max| self.began.elapsed() + wait > max) {
            return None;
        }
        let left = self.left;
        self.left -= 1;
        let retries = if left == 1 { "1 retry" } else { &*format!("{left} retries") };
        Some((wait, format!("Problem: {problem}. Will retry in {} seconds. {retries} left.", wait.as_secs_f32())))
    }

    fn in_time(&self, options: &Options) -> bool {
        options.retry_time_max.is_none_or(|max| self.began.elapsed() < max)
    }
}

fn fails(options: &Options, status: u16) -> bool {
    options.fail != crate::options::Fail::Never && status >= 400
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { retries: 2, ..Options::default() }
    }

    #[test]
    fn waits_double_and_the_server_may_ask_for_longer() {
        let mut retrying = Retrying::new(&options());
        assert!(retrying.transient(&options(), 503) && !retrying.transient(&options(), 404));
        let status = |after: Option<&str>| Why::Status { status: 503, after: after.map(str::to_owned) };
        let (wait, said) = retrying.again(&options(), &status(None)).unwrap();
        assert_eq!(wait, Duration::from_secs(1));
        assert_eq!(said, "Problem: HTTP error. Will retry in 1 seconds. 2 retries left.");
        assert_eq!(retrying.again(&options(), &status(Some("7"))).unwrap().0, Duration::from_secs(7));
        assert_eq!(retrying.again(&options(), &status(None)), None);
        assert!(!retrying.transient(&options(), 503));
    }

    #[test]
    fn what_will_not_change_is_not_tried_again() {
        let all = Options { retry_all: true, ..options() };
        let mut retrying = Retrying::new(&all);
        let failed = |code| Why::Failed(Failure::new(code, "why"));
        assert!(retrying.again(&all, &Why::Refused(Failure::new(7, "why"))).is_none());
        assert!(retrying.again(&all, &failed(1)).is_none());
        assert!(retrying.again(&options(), &failed(7)).is_none());
        assert!(retrying.again(&options(), &failed(28)).is_some());
        assert!(retrying.again(&all, &failed(7)).is_some());
    }
}
