//! Standard output, which remembers what it could not take.
//!
//! A program that looks at no error of its own still ends badly, and says why: what was lost is asked for at its end.

use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;

/// What was the first to go wrong.
static LOST: Mutex<Option<Lost>> = Mutex::new(None);

struct Lost {
    reason: String,
    /// Whether there is nothing to say: whoever read this has seen enough, or was told already.
    silent: bool,
}

/// Standard output.
#[derive(Debug)]
pub(crate) struct Output(io::Stdout);

pub(crate) fn stdout() -> Output {
    Output(io::stdout())
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(remember)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().inspect_err(remember)
    }
}

fn remember(error: &io::Error) {
    if error.kind() == ErrorKind::Interrupted {
        return;
    }
    let lost = Lost { reason: crate::reason(error), silent: error.kind() == ErrorKind::BrokenPipe };
    if let Ok(mut place) = LOST.lock() {
        let _ = place.get_or_insert(lost);
    }
}

/// Whether something could not be written.
pub(crate) fn is_lost() -> bool {
    LOST.lock().is_ok_and(|lost| lost.is_some())
}

/// Takes note of a message: what says by itself that the output was lost is not said again.
pub(crate) fn said(text: &str) {
    if let Ok(mut lost) = LOST.lock()
        && let Some(lost) = lost.as_mut()
        && (text.ends_with(&lost.reason) || text.ends_with("write error"))
    {
        lost.silent = true;
    }
}

/// The status of a program that ended with this one, after all that it printed is written.
pub(crate) fn finish(program: &str, status: u8) -> u8 {
    // What goes wrong here is remembered as everywhere.
    let _ = stdout().flush();
    let lost = LOST.lock().ok().and_then(|mut lost| lost.take());
    let Some(lost) = lost else { return status };
    if !lost.silent {
        crate::report(program, &format!("write error: {}", lost.reason));
    }
    status.max(status_of_loss(program))
}

/// What a program gives that could not write.
fn status_of_loss(program: &str) -> u8 {
    match program {
        "awk" | "gawk" | "mawk" | "nawk" | "cmp" | "diff" | "dir" | "egrep" | "fgrep" | "grep" | "jaq" | "jq"
        | "ls" | "patch" | "rg" | "sort" | "tar" | "vdir" => 2,
        "sed" => 4,
        "env" | "timeout" => 125,
        _ => 1,
    }
}
