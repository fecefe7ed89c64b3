//! Files. Paths are those of the program; JavaScript makes messages and classes of what comes back.

use super::{Named, array, bytes_of, code, failed, text};
use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsArgs, JsError, JsResult, JsValue, js_string};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const FUNCTIONS: &[Named] = &[
    ("open", open),
    ("close", close),
    ("read", read),
    ("writeFd", write_fd),
    ("stat", stat),
    ("fstat", fstat),
    ("ftruncate", ftruncate),
    ("readFile", read_file),
    ("readdir", readdir),
    ("mkdir", mkdir),
    ("rmdir", rmdir),
    ("unlink", unlink),
    ("rename", rename),
    ("copyFile", copy_file),
    ("readlink", readlink),
    ("symlink", symlink),
    ("link", link),
    ("utimes", utimes),
    ("realpath", realpath),
    ("chmod", chmod),
];

/// The files that are open, by their number. 0, 1 and 2 are the streams, which are not here.
#[derive(Default)]
struct Open(RefCell<HashMap<i32, File>>);

pub(super) fn prepare(context: &mut Context) {
    context.insert_data(Open::default());
}

fn fail(error: std::io::Error) -> JsError {
    failed(&error)
}

/// A path. An empty one names nothing; made absolute, it would be the working folder.
fn path_of(args: &[JsValue], index: usize, context: &mut Context) -> JsResult<String> {
    let path = text(args, index, context)?;
    if path.is_empty() { Err(code("ENOENT")) } else { Ok(path) }
}

/// Calls `act` with an open file.
fn with<T>(args: &[JsValue], context: &mut Context, act: impl FnOnce(&mut File) -> std::io::Result<T>) -> JsResult<T> {
    let number = args.get_or_undefined(0).to_i32(context)?;
    let open = context.get_data::<Open>().ok_or_else(|| code("EBADF"))?;
    let mut files = open.0.borrow_mut();
    let file = files.get_mut(&number).ok_or_else(|| code("EBADF"))?;
    act(file).map_err(fail)
}

/// A file by its flags (`r`, `w`, `a`, with `+` and `x`): its number.
fn open(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (path, flags) = (path_of(args, 0, context)?, text(args, 1, context)?);
    let (both, new) = (flags.contains('+'), flags.contains('x'));
    let mut options = OpenOptions::new();
    match flags.chars().next() {
        Some('w') => options.write(true).read(both).truncate(!new).create(true).create_new(new),
        Some('a') => options.append(true).read(both).create(true).create_new(new),
        _ => options.read(true).write(both),
    };
    let file = options.open(path).map_err(fail)?;
    let open = context.get_data::<Open>().ok_or_else(|| code("EBADF"))?;
    let mut files = open.0.borrow_mut();
    let number = (3..).find(|number| !files.contains_key(number)).ok_or_else(|| code("EMFILE"))?;
    files.insert(number, file);
    Ok(number.into())
}

fn close(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let number = args.get_or_undefined(0).to_i32(context)?;
    let open = context.get_data::<Open>().ok_or_else(|| code("EBADF"))?;
    open.0.borrow_mut().remove(&number).ok_or_else(|| code("EBADF"))?;
    Ok(JsValue::undefined())
}

/// Where to read or write; None for where the file stands.
fn position(args: &[JsValue], index: usize, context: &mut Context) -> JsResult<Option<u64>> {
    let position = args.get_or_undefined(index).to_number(context)?;
    Ok((position >= 0.0).then_some(position as u64))
}

/// Acts at a position, and leaves the file where it stood.
fn at<T>(
    file: &mut File,
    position: Option<u64>,
    act: impl FnOnce(&mut File) -> std::io::Result<T>,
) -> std::io::Result<T> {
    let Some(position) = position else { return act(file) };
    let before = file.stream_position()?;
    file.seek(SeekFrom::Start(position))?;
    let result = act(file);
    file.seek(SeekFrom::Start(before))?;
    result
}

fn read(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut bytes = vec![0; args.get_or_undefined(1).to_length(context)? as usize];
    let position = position(args, 2, context)?;
    let read = with(args, context, |file| at(file, position, |file| file.read(&mut bytes)))?;
    array(&bytes[..read], context)
}

fn write_fd(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (bytes, position) = (bytes_of(args, 1, context)?, position(args, 2, context)?);
    with(args, context, |file| at(file, position, |file| file.write_all(&bytes)))?;
    Ok(bytes.len().into())
}

fn ftruncate(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let length = args.get_or_undefined(1).to_length(context)?;
    with(args, context, |file| file.set_len(length))?;
    Ok(JsValue::undefined())
}

fn read_file(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = path_of(args, 0, context)?;
    let mut file = File::open(path).map_err(fail)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(code("EISDIR"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(fail)?;
    array(&bytes, context)
}

/// Kind, size, permission bits, times in milliseconds (read, changed, made), then number, device and links.
fn stat(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (path, follow) = (path_of(args, 0, context)?, args.get_or_undefined(1).to_boolean());
    let metadata = if follow { fs::metadata(&path) } else { fs::symlink_metadata(&path) }.map_err(fail)?;
    Ok(described(&metadata, bits(&metadata, &path), context))
}

fn fstat(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let metadata = with(args, context, |file| file.metadata())?;
    Ok(described(&metadata, usual(&metadata), context))
}

fn described(metadata: &Metadata, bits: u32, context: &mut Context) -> JsValue {
    let time = |time: std::io::Result<SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.unwrap_or_default().as_secs_f64() * 1000.0
    };
    let (number, device, links) = identity(metadata);
    let changed = time(metadata.modified());
    let made = metadata.created().map_or(changed, |made| time(Ok(made)));
    let fields: Vec<JsValue> = vec![
        js_string!(kind(metadata.file_type())).into(),
        (metadata.len() as f64).into(),
        bits.into(),
        time(metadata.accessed()).into(),
        changed.into(),
        made.into(),
        (number as f64).into(),
        (device as f64).into(),
        (links as f64).into(),
    ];
    JsArray::from_iter(fields, context).into()
}

fn kind(kind: fs::FileType) -> &'static str {
    match kind {
        _ if kind.is_dir() => "dir",
        _ if kind.is_symlink() => "link",
        _ if kind.is_file() => "file",
        _ => "other",
    }
}

fn usual(metadata: &Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}

#[cfg(target_os = "wasi")]
fn bits(metadata: &Metadata, path: &str) -> u32 {
    let path = std::path::absolute(path).unwrap_or_default();
    super::spawn::permissions(&path.to_string_lossy()).unwrap_or_else(|| usual(metadata))
}

#[cfg(not(target_os = "wasi"))]
fn bits(metadata: &Metadata, _: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

#[cfg(target_os = "wasi")]
fn identity(_: &Metadata) -> (u64, u64, u64) {
    (0, 0, 1)
}

#[cfg(not(target_os = "wasi"))]
fn identity(metadata: &Metadata) -> (u64, u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.dev(), metadata.nlink())
}

/// Names and kinds in turn, by name.
fn readdir(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = path_of(args, 0, context)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        found.push((entry.file_name().to_string_lossy().into_owned(), kind(entry.file_type().map_err(fail)?)));
    }
    found.sort();
    let words: Vec<JsValue> =
        found.iter().flat_map(|(name, kind)| [js_string!(name.as_str()).into(), js_string!(*kind).into()]).collect();
    Ok(JsArray::from_iter(words, context).into())
}

/// One path and what is done with it.
macro_rules! of_path {
    ($($name:ident: $act:expr),* $(,)?) => {
        $(fn $name(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
            let path = path_of(args, 0, context)?;
            $act(path.as_str()).map_err(fail)?;
            Ok(JsValue::undefined())
        })*
    };
}

of_path! {
    mkdir: fs::create_dir::<&str>,
    rmdir: fs::remove_dir::<&str>,
    unlink: fs::remove_file::<&str>,
}

/// Two paths and what is done with them.
macro_rules! of_two_paths {
    ($($name:ident: $act:expr),* $(,)?) => {
        $(fn $name(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
            let (one, other) = (path_of(args, 0, context)?, path_of(args, 1, context)?);
            $act(one.as_str(), other.as_str()).map_err(fail)?;
            Ok(JsValue::undefined())
        })*
    };
}

of_two_paths! {
    rename: fs::rename::<&str, &str>,
    copy_file: fs::copy::<&str, &str>,
    symlink: make_link,
    link: fs::hard_link::<&str, &str>,
}

#[cfg(target_os = "wasi")]
fn make_link(target: &str, path: &str) -> std::io::Result<()> {
    rustix::fs::symlink(target, path).map_err(std::io::Error::from)
}

#[cfg(not(target_os = "wasi"))]
fn make_link(target: &str, path: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

fn readlink(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let target = fs::read_link(path_of(args, 0, context)?).map_err(fail)?;
    Ok(js_string!(&*target.to_string_lossy()).into())
}

fn realpath(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = path_of(args, 0, context)?;
    Ok(js_string!(&*real(&path).map_err(fail)?.to_string_lossy()).into())
}

#[cfg(not(target_os = "wasi"))]
fn real(path: &str) -> std::io::Result<std::path::PathBuf> {
    fs::canonicalize(path)
}

/// As `canonicalize`, which the library does not have for components.
#[cfg(target_os = "wasi")]
fn real(path: &str) -> std::io::Result<std::path::PathBuf> {
    use std::path::{Component, PathBuf};
    /// As many links as other systems follow.
    const LINKS_MAX: usize = 40;
    let mut links = 0;
    let mut done = PathBuf::from("/");
    let whole = std::path::absolute(path)?;
    let mut rest: Vec<PathBuf> = whole.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
    while let Some(part) = rest.pop() {
        match part.components().next() {
            Some(Component::RootDir) => done = PathBuf::from("/"),
            Some(Component::ParentDir) => drop(done.pop()),
            Some(Component::Normal(name)) => {
                let next = done.join(name);
                match fs::read_link(&next) {
                    Ok(_) if links == LINKS_MAX => return Err(std::io::Error::other("too many symbolic links")),
                    Ok(target) => {
                        links += 1;
                        rest.extend(target.components().rev().map(|part| PathBuf::from(part.as_os_str())));
                    }
                    Err(_) => done = next,
                }
            }
            _ => {}
        }
    }
    fs::metadata(&done)?;
    Ok(done)
}

/// Sets when a file was last read and changed, in milliseconds.
fn utimes(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = path_of(args, 0, context)?;
    let mut time = |index| -> JsResult<SystemTime> {
        let milliseconds = args.get_or_undefined(index).to_number(context)?.max(0.0);
        Duration::try_from_secs_f64(milliseconds / 1000.0).map(|since| UNIX_EPOCH + since).map_err(|_| code("EINVAL"))
    };
    let times = FileTimes::new().set_accessed(time(1)?).set_modified(time(2)?);
    File::open(path).and_then(|file| file.set_times(times)).map_err(fail)?;
    Ok(JsValue::undefined())
}

fn chmod(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (path, mode) = (path_of(args, 0, context)?, args.get_or_undefined(1).to_u32(context)?);
    set_bits(&path, mode).map_err(fail)?;
    Ok(JsValue::undefined())
}

#[cfg(target_os = "wasi")]
fn set_bits(path: &str, mode: u32) -> std::io::Result<()> {
    fs::metadata(path)?;
    let path = std::path::absolute(path)?;
    super::spawn::set_permissions(&path.to_string_lossy(), mode)
}

#[cfg(not(target_os = "wasi"))]
fn set_bits(path: &str, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
