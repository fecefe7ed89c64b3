//! Where bodies and heads go.

use crate::failure::Failure;
use crate::options::{Options, Output};
use crate::run::Streams;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use url::Url;

/// What a body is called whose address names nothing.
const NAMELESS: &str = "curl_response";

/// A place for bytes, opened when the first come.
#[derive(Debug)]
pub(crate) struct Sink {
    /// `None` for standard output.
    path: Option<PathBuf>,
    file: Option<File>,
    create_dirs: bool,
    append: bool,
    no_clobber: bool,
    /// Whether anything went to standard output, where it stays.
    pub(crate) shown: bool,
}

impl Sink {
    /// The place of a body.
    pub(crate) fn new(options: &Options, output: Option<&Output>, url: &Url, named: impl Fn(&str) -> String) -> Self {
        let name = match output {
            None => None,
            Some(Output::File(name)) if name == "-" => None,
            Some(Output::File(name)) => Some(named(name)),
            Some(Output::RemoteName) => Some(remote_name(url)),
        };
        let path = name.map(|name| match &options.output_dir {
            Some(folder) => Path::new(folder).join(name),
            None => PathBuf::from(name),
        });
        Self::at(path, options.create_dirs, options.no_clobber)
    }

    /// The place of heads.
    pub(crate) fn for_heads(name: &str, create_dirs: bool) -> Self {
        Self::at((name != "-").then(|| PathBuf::from(name)), create_dirs, false)
    }

    fn at(path: Option<PathBuf>, create_dirs: bool, no_clobber: bool) -> Self {
        let path = path.filter(|path| path != Path::new("/dev/stdout"));
        Self { path, file: None, create_dirs, append: false, no_clobber, shown: false }
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// How long the file is now.
    pub(crate) fn bytes(&self) -> u64 {
        self.path.as_ref().and_then(|path| fs::metadata(path).ok()).map_or(0, |about| about.len())
    }

    /// Goes on where the file ends.
    pub(crate) fn append(&mut self) {
        self.append = true;
    }

    /// Takes the name that the server gives, in the same folder.
    pub(crate) fn rename(&mut self, name: &str) {
        if let Some(path) = self.path.as_mut().filter(|_| self.file.is_none()) {
            path.set_file_name(name);
        }
    }

    pub(crate) fn write(&mut self, streams: &mut Streams<'_>, bytes: &[u8]) -> Result<(), Failure> {
        let Some(path) = self.path.clone() else {
            self.shown |= !bytes.is_empty();
            let written = streams.out.write_all(bytes).and_then(|()| streams.out.flush());
            return written.map_err(|error| Failure::writing("", &error));
        };
        self.open()?;
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        written.map_err(|error| Failure::writing(&path.to_string_lossy(), &error))
    }

    /// Makes the file, as an empty body does.
    pub(crate) fn open(&mut self) -> Result<(), Failure> {
        let Some(path) = self.path.clone().filter(|_| self.file.is_none() && !self.nowhere()) else { return Ok(()) };
        let file = self.make();
        match file {
            Ok(file) => self.file = Some(file),
            Err(error) => return Err(Failure::writing(&path.to_string_lossy(), &error)),
        }
        Ok(())
    }

    /// What is written there is gone, so nothing has to be opened.
    fn nowhere(&self) -> bool {
        self.path() == Some(Path::new("/dev/null"))
    }

    fn make(&mut self) -> io::Result<File> {
        let Some(path) = &self.path else { return Err(io::ErrorKind::NotFound.into()) };
        if let Some(folder) = path.parent().filter(|folder| self.create_dirs && !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        if self.append {
            return OpenOptions::new().append(true).create(true).open(path);
        }
        if !self.no_clobber {
            return File::create(path);
        }
        let mut free = path.clone();
        for number in 1..=100 {
            match OpenOptions::new().write(true).create_new(true).open(&free) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    free = PathBuf::from(format!("{}.{number}", path.display()));
                }
                opened => {
                    self.path = Some(free);
                    return opened;
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Forgets what came, for another try. `false` if somebody has seen it.
    pub(crate) fn restart(&mut self) -> bool {
        if self.path.is_some() {
            self.file = None;
        }
        !self.shown
    }

    /// Takes the file away.
    pub(crate) fn remove(&mut self) {
        if let (Some(path), Some(_)) = (&self.path, self.file.take()) {
            // It stays then, as half of it would.
            let _ = fs::remove_file(path);
        }
    }
}

/// The last part of the path.
fn remote_name(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    if matches!(last, "" | "." | "..") { NAMELESS.to_owned() } else { last.to_owned() }
}

/// The name that `Content-Disposition` gives, without folders.
pub(crate) fn given_name(header: &str) -> Option<String> {
    let lower = header.to_ascii_lowercase();
    let at = lower.find("filename=")? + "filename=".len();
    let rest = &header[at..];
    let name = match rest.strip_prefix('"') {
        Some(rest) => rest.split('"').next()?,
        None => rest.split(';').next()?.trim(),
    };
    let name = name.rsplit(['/', '\\']).next()?.trim_start_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_folders_in_them() {
        let name = |url: &str| remote_name(&Url::parse(url).unwrap());
        assert_eq!(name("https://a.test/b/c.tar.gz?x=/y"), "c.tar.gz");
        assert_eq!(name("https://a.test/b/"), NAMELESS);
        assert_eq!(given_name("attachment; filename=\"../../x.txt\"; a").as_deref(), Some("x.txt"));
        assert_eq!(given_name("attachment; FileName=.bashrc").as_deref(), Some("bashrc"));
        assert_eq!(given_name("inline"), None);
    }

    #[test]
    fn files_are_made_with_their_folders_and_not_overwritten_if_so_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err };
        let failure = Sink::at(Some(path.clone()), false, false).write(&mut streams, b"x").unwrap_err();
        assert_eq!(failure.code, 23);
        Sink::at(Some(path.clone()), true, false).write(&mut streams, b"1").unwrap();
        let mut second = Sink::at(Some(path.clone()), true, true);
        second.write(&mut streams, b"2").unwrap();
        let mut more = Sink::at(Some(path.clone()), true, false);
        more.append();
        more.write(&mut streams, b"+").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1+");
        assert_eq!(fs::read(path.with_file_name("b.1")).unwrap(), b"2");
        second.remove();
        assert!(!path.with_file_name("b.1").exists());
    }
}
