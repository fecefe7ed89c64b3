//! Redirections.

use crate::io::{Fd, Io};
use crate::shell::{Flow, Run, Shell};
use crate::state::{NOCLOBBER, UMASK_USUAL};
use crate::system::{self, Fault, Input, Output, Writing};
use brush_parser::ast::{self, IoFileRedirectKind as Kind, IoFileRedirectTarget as Target, IoRedirect};
use std::rc::Rc;

/// Why a redirection did not happen.
pub(crate) enum Trouble {
    /// What to say.
    Says(String),
    Flow(Flow),
}

impl From<Flow> for Trouble {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

impl Shell {
    pub(crate) fn with_redirects(
        &mut self,
        redirects: Option<&ast::RedirectList>,
        run: impl FnOnce(&mut Self) -> Run,
    ) -> Run {
        match redirects {
            None => run(self),
            Some(list) => self.with_redirect_refs(&list.0.iter().collect::<Vec<_>>(), run),
        }
    }

    /// Runs with redirections, which end with it.
    pub(crate) fn with_redirect_refs(&mut self, redirects: &[&IoRedirect], run: impl FnOnce(&mut Self) -> Run) -> Run {
        if redirects.is_empty() {
            return run(self);
        }
        let was = self.io.clone();
        let readers = self.jobs.readers.len();
        let done = match self.redirect(redirects) {
            Ok(()) => run(self),
            Err(flow) => flow,
        };
        self.io = was;
        self.wait_for_readers(readers)?;
        done
    }

    /// Applies redirections.
    ///
    /// # Errors
    ///
    /// One could not be: how the command ends, then.
    pub(crate) fn redirect(&mut self, redirects: &[&IoRedirect]) -> Result<(), Run> {
        for redirect in redirects {
            match self.redirect_one(redirect) {
                Ok(()) => {}
                Err(Trouble::Flow(flow)) => return Err(Err(flow)),
                Err(Trouble::Says(what)) => {
                    self.complain(&what);
                    return Err(Ok(1));
                }
            }
        }
        Ok(())
    }

    /// `exec {name}> file`: the variable gets a number that is free, or says which to close.
    pub(crate) fn redirect_named(&mut self, name: &str, redirect: &IoRedirect) -> Run {
        let closes = matches!(redirect, IoRedirect::File(_, _, Target::Duplicate(word)) if word.value == "-");
        let number = if closes {
            // It may be an element, as of a coprocess: `exec {COPROC[1]}>&-`.
            self.expand_one(&format!("${{{name}}}"))?.parse().unwrap_or(-1)
        } else {
            self.io.free()
        };
        let mut numbered = redirect.clone();
        match &mut numbered {
            IoRedirect::File(to, ..) | IoRedirect::HereDocument(to, _) | IoRedirect::HereString(to, _) => {
                *to = Some(number)
            }
            IoRedirect::OutputAndError(..) => {}
        }
        if let Err(done) = self.redirect(&[&numbered]) {
            return done;
        }
        if !closes {
            self.set_own(name, number.to_string());
        }
        Ok(0)
    }

    fn redirect_one(&mut self, redirect: &IoRedirect) -> Result<(), Trouble> {
        match redirect {
            IoRedirect::File(number, kind, target) => self.redirect_file(*number, kind, target),
            IoRedirect::HereDocument(number, document) => {
                let text = if document.requires_expansion {
                    self.expand_here(&document.doc.value)?
                } else {
                    document.doc.value.clone()
                };
                self.io.set(number.unwrap_or(0), text_fd(&text)?);
                Ok(())
            }
            IoRedirect::HereString(number, word) => {
                let text = self.expand_one(&word.value)? + "\n";
                self.io.set(number.unwrap_or(0), text_fd(&text)?);
                Ok(())
            }
            IoRedirect::OutputAndError(word, append) => {
                let path = self.expand_one(&word.value)?;
                let how = if *append { Writing::Append } else { Writing::Truncate };
                self.both_to(&path, how)
            }
        }
    }

    fn both_to(&mut self, path: &str, how: Writing) -> Result<(), Trouble> {
        let fd = self.output_fd(path, how)?;
        self.io.set(1, fd.clone());
        self.io.set(2, fd);
        Ok(())
    }

    fn redirect_file(&mut self, number: Option<i32>, kind: &Kind, target: &Target) -> Result<(), Trouble> {
        let usual = if matches!(kind, Kind::Read | Kind::DuplicateInput | Kind::ReadAndWrite) { 0 } else { 1 };
        let to = number.unwrap_or(usual);
        match target {
            Target::Fd(from) => self.duplicate(to, &from.to_string()),
            Target::Duplicate(word) => {
                let from = self.expand_one(&word.value)?;
                let names_fd = from == "-" || from.trim_end_matches('-').parse::<i32>().is_ok();
                if !names_fd && matches!(kind, Kind::DuplicateOutput) && number.is_none() {
                    return self.both_to(&from, Writing::Truncate);
                }
                self.duplicate(to, &from)
            }
            Target::ProcessSubstitution(direction, list) => self.redirect_process(to, direction, &list.list),
            Target::Filename(word) => {
                let path = self.file_name(word)?;
                let fd = self.file_fd(&path, kind)?;
                self.io.set(to, fd);
                Ok(())
            }
        }
    }

    fn file_name(&mut self, word: &ast::Word) -> Result<String, Trouble> {
        let mut fields = Vec::new();
        self.expand_into(&word.value, &mut fields)?;
        match fields.len() {
            1 => Ok(fields.remove(0)),
            _ => Err(Trouble::Says(format!("{}: ambiguous redirect", word.value))),
        }
    }

    fn file_fd(&mut self, path: &str, kind: &Kind) -> Result<Fd, Trouble> {
        match kind {
            Kind::Read | Kind::DuplicateInput => {
                let input = self.open_input(path).map_err(|fault| says(path, &fault))?;
                Ok(Fd::In(input))
            }
            Kind::ReadAndWrite => {
                let output = self.open_output(path, Writing::Overwrite).map_err(|fault| says(path, &fault))?;
                let input = self.open_input(path).map_err(|fault| says(path, &fault))?;
                Ok(Fd::Both(input, output))
            }
            Kind::Append => self.output_fd(path, Writing::Append),
            Kind::Clobber => self.output_fd(path, Writing::Truncate),
            Kind::Write | Kind::DuplicateOutput => {
                let absolute = self.absolute(path);
                let kept = self.state.has(NOCLOBBER)
                    && !absolute.starts_with("/dev/")
                    && std::path::Path::new(&absolute).is_file();
                if kept {
                    return Err(Trouble::Says(format!("{path}: cannot overwrite existing file")));
                }
                self.output_fd(path, Writing::Truncate)
            }
        }
    }

    fn output_fd(&mut self, path: &str, how: Writing) -> Result<Fd, Trouble> {
        Ok(Fd::Out(self.open_output(path, how).map_err(|fault| says(path, &fault))?))
    }

    /// `n>&m`, `n>&-`, `n>&m-`.
    fn duplicate(&mut self, to: i32, from: &str) -> Result<(), Trouble> {
        if from == "-" {
            self.io.close(to);
            return Ok(());
        }
        let moved = from.ends_with('-');
        let bad = || Trouble::Says(format!("{from}: Bad file descriptor"));
        let number: i32 =
            from.trim_end_matches('-').parse().map_err(|_| Trouble::Says(format!("{from}: ambiguous redirect")))?;
        let fd = self.io.get(number).cloned().ok_or_else(bad)?;
        self.io.set(to, fd);
        if moved && number != to {
            self.io.close(number);
        }
        Ok(())
    }

    fn redirect_process(
        &mut self,
        to: i32,
        direction: &ast::ProcessSubstitutionKind,
        list: &ast::CompoundList,
    ) -> Result<(), Trouble> {
        let (output, input) = system::pipe().map_err(|fault| says("pipe", &fault))?;
        let mut io: Io = self.io.clone();
        if matches!(direction, ast::ProcessSubstitutionKind::Read) {
            io.set(1, Fd::Out(Rc::new(output)));
            let child = self.start_list(list, io).map_err(|status| Trouble::Flow(Flow::Discard(status)))?;
            self.add_writer(child);
            self.io.set(to, Fd::In(Rc::new(input)));
        } else {
            io.set(0, Fd::In(Rc::new(input)));
            let child = self.start_list(list, io).map_err(|status| Trouble::Flow(Flow::Discard(status)))?;
            self.jobs.readers.push(child);
            self.io.set(to, Fd::Out(Rc::new(output)));
        }
        Ok(())
    }

    /// Opens a file to read from, or what stands for one.
    pub(crate) fn open_input(&mut self, path: &str) -> Result<Rc<Input>, Fault> {
        let absolute = self.absolute(path);
        if let Some(number) = fd_number(&absolute) {
            return self.io.input(number).ok_or(Fault::NotFound);
        }
        Ok(Rc::new(match absolute.as_str() {
            "/dev/null" => Input::empty(),
            path if forbidden(path) => return Err(Fault::NotFound),
            path if std::path::Path::new(path).is_dir() => return Err(Fault::IsDirectory),
            path => Input::open(path)?,
        }))
    }

    /// Opens a file to write to, or what stands for one.
    pub(crate) fn open_output(&mut self, path: &str, how: Writing) -> Result<Rc<Output>, Fault> {
        let absolute = self.absolute(path);
        if let Some(number) = fd_number(&absolute) {
            return self.io.output(number).ok_or(Fault::NotFound);
        }
        Ok(Rc::new(match absolute.as_str() {
            "/dev/null" | "/dev/zero" => Output::discard(),
            path if forbidden(path) => return Err(Fault::NotFound),
            _ if path.is_empty() => return Err(Fault::NotFound),
            _ if path.ends_with('/') => return Err(Fault::IsDirectory),
            path => {
                let mask = self.state.umask;
                let is_new = mask != UMASK_USUAL && std::fs::symlink_metadata(path).is_err();
                let output = Output::open(path, how)?;
                if is_new {
                    // The system makes it with the usual mask. It is there, and has other bits at worst.
                    let _ = system::set_mode(path, 0o666 & !mask);
                }
                output
            }
        }))
    }
}

fn text_fd(text: &str) -> Result<Fd, Trouble> {
    let input = crate::scratch::input_of(&crate::text::to_bytes(text));
    Ok(Fd::In(Rc::new(input.map_err(|fault| says("cannot create temp file for here-document", &fault))?)))
}

fn says(path: &str, fault: &Fault) -> Trouble {
    Trouble::Says(format!("{path}: {fault}"))
}

pub(super) fn fd_number(path: &str) -> Option<i32> {
    match path {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        path => path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?.parse().ok(),
    }
}

/// Paths where the machine would show itself: nothing is there.
fn forbidden(path: &str) -> bool {
    let device = matches!(path, "/dev/zero" | "/dev/random" | "/dev/urandom");
    (path.starts_with("/dev/") && !device) || path.starts_with("/proc/")
}
