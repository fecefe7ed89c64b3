//! Where lines go: standard output, a file that is edited in place, and the files of `w`.

use super::Fatal;
use crate::about::{About, set_mode};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// So many names are tried for the file beside the one that is edited.
const NAMES_MAX: u32 = 1000;

/// What is written to, and whether the last line there has no end yet.
struct Sink<W> {
    writer: W,
    name: String,
    unended: bool,
}

impl<W: Write> Sink<W> {
    fn new(writer: W, name: &str) -> Self {
        Self { writer, name: name.to_owned(), unended: false }
    }

    /// Writes what is whole in itself, behind the end of the line before.
    fn write(&mut self, bytes: &[u8], separator: u8) -> Result<(), Fatal> {
        let ended = if std::mem::take(&mut self.unended) { self.writer.write_all(&[separator]) } else { Ok(()) };
        ended.and_then(|()| self.writer.write_all(bytes)).map_err(|error| self.failed(&error))
    }

    fn line(&mut self, line: &[u8], ends: bool, separator: u8) -> Result<(), Fatal> {
        self.write(line, separator)?;
        self.unended = !ends;
        if ends { self.writer.write_all(&[separator]).map_err(|error| self.failed(&error)) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Fatal> {
        self.writer.flush().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Fatal {
        Fatal::new(4, format!("couldn't write to {}: {}", self.name, crate::reason(error)))
    }
}

/// A file that is edited: what is written beside it takes its place in the end.
struct Edit {
    sink: Sink<BufWriter<File>>,
    path: PathBuf,
    beside: PathBuf,
    /// What was begun and not finished leaves nothing.
    done: bool,
}

impl Drop for Edit {
    fn drop(&mut self) {
        if !self.done {
            // Nobody is left to be told.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

enum Target {
    Stdout,
    Stderr,
    File(Sink<File>),
}

pub(super) struct Output {
    stdout: Sink<BufWriter<crate::output::Output>>,
    edit: Option<Edit>,
    targets: Vec<Target>,
    separator: u8,
    /// Each line is to be seen at once.
    unbuffered: bool,
}

impl Output {
    /// The files of `w` are made, or made empty, at once.
    pub(super) fn new(written: &[String], separator: u8, unbuffered: bool) -> Result<Self, Fatal> {
        let mut targets = Vec::with_capacity(written.len());
        for name in written {
            targets.push(match name.as_str() {
                "/dev/stdout" => Target::Stdout,
                "/dev/stderr" => Target::Stderr,
                name => {
                    let file = File::create(name).map_err(|error| {
                        Fatal::new(4, format!("couldn't open file {name}: {}", crate::reason(&error)))
                    })?;
                    Target::File(Sink::new(file, name))
                }
            });
        }
        let writer = BufWriter::with_capacity(1 << 16, crate::output::stdout());
        Ok(Self { stdout: Sink::new(writer, "stdout"), edit: None, targets, separator, unbuffered })
    }

    /// A line, with its end if it has one.
    pub(super) fn line(&mut self, line: &[u8], ends: bool) -> Result<(), Fatal> {
        let separator = self.separator;
        match &mut self.edit {
            Some(edit) => edit.sink.line(line, ends, separator),
            None => self.stdout.line(line, ends, separator),
        }?;
        self.shown()
    }

    /// What is whole in itself. Where it is empty, the line before gets its end all the same.
    pub(super) fn text(&mut self, text: &[u8]) -> Result<(), Fatal> {
        let separator = self.separator;
        match &mut self.edit {
            Some(edit) => edit.sink.write(text, separator),
            None => self.stdout.write(text, separator),
        }?;
        self.shown()
    }

    fn shown(&mut self) -> Result<(), Fatal> {
        if self.unbuffered && self.edit.is_none() { self.stdout.flush() } else { Ok(()) }
    }

    /// A line for one of the files of `w`.
    pub(super) fn write(&mut self, target: usize, line: &[u8], ends: bool) -> Result<(), Fatal> {
        let mut whole = line.to_vec();
        if ends {
            whole.push(self.separator);
        }
        match self.targets.get_mut(target) {
            Some(Target::Stdout) => {
                let written = self.stdout.writer.write_all(&whole);
                written.map_err(|error| self.stdout.failed(&error))
            }
            Some(Target::Stderr) => {
                // Where that is closed, nobody is told.
                let _ = std::io::stderr().write_all(&whole);
                Ok(())
            }
            Some(Target::File(sink)) => {
                sink.write(&whole, self.separator)?;
                sink.unended = !ends;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// From here on all goes to what will be this file.
    pub(super) fn begin(&mut self, path: &Path) -> Result<(), Fatal> {
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        for number in 0..NAMES_MAX {
            let beside = folder.join(format!(".sed{number:06}"));
            match File::create_new(&beside) {
                Ok(file) => {
                    // Before anything is written: what only its owner may read is for nobody else at any time.
                    if let Ok(about) = About::of(&path.to_string_lossy()) {
                        // A file system without such rights has none to keep.
                        let _ = set_mode(&beside.to_string_lossy(), about.mode & 0o777);
                    }
                    let sink = Sink::new(BufWriter::with_capacity(1 << 16, file), &beside.to_string_lossy());
                    self.edit = Some(Edit { sink, path: path.to_path_buf(), beside, done: false });
                    return Ok(());
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let text = format!("couldn't open temporary file {}: {}", beside.display(), crate::reason(&error));
                    return Err(Fatal::new(4, text));
                }
            }
        }
        Err(Fatal::new(4, format!("couldn't open temporary file in {}: File exists", folder.display())))
    }

    /// What was written takes the file's place; what was there is kept under the other name.
    pub(super) fn finish(&mut self, suffix: &str) -> Result<(), Fatal> {
        let Some(mut edit) = self.edit.take() else { return Ok(()) };
        edit.sink.flush()?;
        let renamed = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(|error| {
                let text = format!("cannot rename {}: {}", from.display(), crate::reason(&error));
                Fatal::new(4, text)
            })
        };
        let kept = (!suffix.is_empty()).then(|| backup(&edit.path, suffix));
        if let Some(kept) = &kept {
            renamed(&edit.path, kept)?;
        }
        let replaced = renamed(&edit.beside, &edit.path);
        if let (Err(_), Some(kept)) = (&replaced, &kept) {
            renamed(kept, &edit.path)?;
        }
        edit.done = replaced.is_ok();
        replaced
    }

    pub(super) fn flush(&mut self) -> Result<(), Fatal> {
        self.stdout.flush()
    }
}

/// Where the file is kept as it was: a `*` in the suffix is its name.
fn backup(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = if suffix.contains('*') { suffix.replace('*', &name) } else { format!("{name}{suffix}") };
    if kept.contains('/') { PathBuf::from(kept) } else { path.with_file_name(kept) }
}
