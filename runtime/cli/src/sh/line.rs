//! The shell on a terminal: lines are edited, kept and completed.

use super::complete::Names;
use super::{Ended, Shell};
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use brush_parser::{ParseError, Parser, ParserOptions};
use handbox_bundle::Bundle;
use handbox_hand::one_line;
use handbox_hands::Environment;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper, Highlighter, Hinter};
use std::cell::RefCell;
use std::io::Cursor;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// How many lines are kept.
const HISTORY_MAX: usize = 10_000;

/// Reads and runs lines until the shell is left; gives its last status.
pub(super) fn talk(
    shell: &mut Shell,
    runtime: &tokio::runtime::Runtime,
    paths: &Paths,
    bundle: &Bundle,
    environment: &Environment,
) -> Result<u8, Failure> {
    let names = Rc::new(RefCell::new(Names::new(bundle, environment)));
    let mut editor = editor(Rc::clone(&names))?;
    let history = paths.data.join("sh_history");
    let folder = std::fs::create_dir_all(&paths.data);
    // There is none at first.
    let _ = editor.load_history(&history);
    if !shell.quiet {
        output::note(Tone::Note, "every program runs in a sandbox; `exit` or Ctrl-D ends");
    }
    let mut status = 0;
    loop {
        let prompt = format!("{} $ ", one_line(names.borrow().folder()));
        shell.ending.typing.store(true, Ordering::SeqCst);
        let typed = editor.readline(&prompt);
        shell.ending.typing.store(false, Ordering::SeqCst);
        match typed {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                // Losing a line of history is no reason to stop. It is kept at once: a signal may end this.
                let _ = editor.add_history_entry(&line);
                let _ = editor.append_history(&history);
                match runtime.block_on(shell.run(&line, false)) {
                    Ok(Ended { status: ended, folder, left, .. }) => {
                        status = ended;
                        names.borrow_mut().enter(folder);
                        if left {
                            break;
                        }
                    }
                    Err(failure) => {
                        status = failure.kind.code();
                        failure.report(false);
                    }
                }
            }
            Err(ReadlineError::Interrupted) => status = 130,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(Failure::usage(format!("the terminal cannot be read: {error}"))),
        }
    }
    if let Err(error) = folder.map_err(Into::into).and_then(|()| editor.save_history(&history)) {
        output::note(Tone::Warning, &format!("the history cannot be kept in {}: {error}", history.display()));
    }
    Ok(status)
}

fn editor(names: Rc<RefCell<Names>>) -> Result<Editor<Reader, FileHistory>, Failure> {
    let unusable = |error| Failure::usage(format!("the terminal cannot be used: {error}"));
    let config = Config::builder().max_history_size(HISTORY_MAX).map_err(unusable)?.build();
    let mut editor = Editor::with_config(config).map_err(unusable)?;
    editor.set_helper(Some(Reader { names }));
    Ok(editor)
}

/// What the editor asks about a line.
#[derive(Helper, Highlighter, Hinter)]
struct Reader {
    names: Rc<RefCell<Names>>,
}

impl Completer for Reader {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, names) = self.names.borrow().complete(&line[..position]);
        let pair = |name: String| Pair { display: name.clone(), replacement: name };
        Ok((start, names.into_iter().map(pair).collect()))
    }
}

impl Validator for Reader {
    /// A text that ends in the middle goes on in the next line.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        Ok(if is_whole(text) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

/// The parser says of a word that closes what was never opened (`fi`) that the text ends too early; so it goes on, too.
fn is_whole(text: &str) -> bool {
    if text.ends_with('\\') {
        return false;
    }
    match Parser::new(Cursor::new(text.as_bytes()), &ParserOptions::default()).parse_program() {
        Ok(_) | Err(ParseError::ParsingNear(_)) => true,
        Err(ParseError::ParsingAtEndOfInput) => false,
        Err(ParseError::Tokenizing { inner, .. }) => !inner.is_incomplete(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_text_that_ends_in_the_middle_is_not_whole() {
        for text in [
            "if true; then",
            "for i in 1 2; do\necho $i",
            "echo 'a",
            "cat <<E\na\n",
            "echo a \\",
            "f() {",
            "(",
            "true &&",
        ] {
            assert!(!is_whole(text), "{text}");
        }
        for text in ["echo a", "if true; then echo; fi", "cat <<E\na\nE\n", "", "a | b"] {
            assert!(is_whole(text), "{text}");
        }
    }
}
