//! From a file to what is in memory.

use crate::book::{Book, Note};
use crate::error::{OpenError, engine, event, guard, store};
use crate::frame::{Broken, Frame, What};
use crate::inner::Inner;
use crate::known::{self, Known};
use crate::lease::Leases;
use crate::lock::{Held, Lock, open_own};
use crate::options::{Options, Surroundings};
use crate::tables::{self, FORMAT, FRAMES, GRAVES, IDS, INDEX, MARKS, META, SESSIONS, SHARES};
use crate::verify::session_in;
use crate::writer::prepare;
use handbox_session::{LogError, SessionId};
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend};
use std::fs::{DirBuilder, File};
use std::path::Path;
use std::sync::Arc;

/// The file of the log in its folder.
pub const FILE: &str = "sessions.redb";

/// The engine's mark at the front of a file.
const MARK_BYTES: usize = 9;
/// A page of the engine.
const PAGE_BYTES: usize = 4096;
/// More than the engine gives a file to begin with.
const UNBORN_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Opens the file in a folder; makes both if they are not there.
pub(crate) fn file(folder: &Path, options: &Options) -> Result<Held, OpenError> {
    make_folder(folder)?;
    // Before anything is looked at, let alone made anew: another process may be at work in it.
    let lock = Lock::take(folder)?;
    let path = folder.join(FILE);
    if !path.try_exists()? {
        lock.unmark()?;
    }
    let file = FileBackend::new(open_own(&path)?).map_err(|error| OpenError::Log(engine(error)))?;
    if file.len()? == 0 || is_unborn(&file)? {
        lock.check_unmarked()?;
        file.set_len(0)?;
    }
    let database = database(|| create(file, options))?;
    // The file's name has to survive power loss as its content does.
    sync_folder(folder)?;
    lock.mark()?;
    Ok(Held { database, lock: Some(lock) })
}

/// Opens what nobody else can have.
pub(crate) fn backend(backend: impl StorageBackend, options: &Options) -> Result<Held, OpenError> {
    if is_unborn(&backend)? {
        backend.set_len(0)?;
    }
    Ok(Held { database: database(|| create(backend, options))?, lock: None })
}

fn create(backend: impl StorageBackend, options: &Options) -> Result<Database, DatabaseError> {
    redb::Builder::new().set_cache_size(options.cache_bytes_max).create_with_backend(backend)
}

/// Whether a file was begun, but not so far that anything could have been put into it: power was lost while it was made.
///
/// The engine writes its mark at the front last, and opens no file without it. A file that lost its mark holds something
/// behind the first page, and is damaged.
fn is_unborn(backend: &impl StorageBackend) -> Result<bool, std::io::Error> {
    let len = backend.len()?;
    if len == 0 || len > UNBORN_BYTES_MAX {
        return Ok(false);
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    backend.read(0, &mut bytes[..MARK_BYTES.min(usize::try_from(len).unwrap_or(0))])?;
    if bytes.iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    backend.read(0, &mut bytes)?;
    Ok(bytes.iter().skip(PAGE_BYTES).all(|byte| *byte == 0))
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), OpenError> {
    let mut make = DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(folder)?;
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync_folder(parent)?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and its names are durable with its files.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn database(open: impl FnOnce() -> Result<Database, DatabaseError>) -> Result<Database, OpenError> {
    let mut busy = false;
    let opened = guard(|| {
        open().map_err(|error| {
            busy = matches!(error, DatabaseError::DatabaseAlreadyOpen);
            engine(error)
        })
    });
    match opened {
        Err(_) if busy => Err(OpenError::Busy),
        opened => Ok(opened?),
    }
}

/// What is shared by all who use the log.
pub(crate) fn inner(held: Held, options: Options, around: Surroundings) -> Result<Inner, OpenError> {
    guard(|| Ok(check_format(&held.database)))??;
    let opening = guard(|| begin(&held.database, &options))?;
    let mut book = Book::default();
    let inner = Inner::new(held, Book::default(), Leases::new(opening), (options, around));
    guard(|| find_arriving(&inner, &mut book))?;
    guard(|| replay(&inner, &mut book))?;
    *inner.book_mut() = book;
    Ok(inner)
}

/// Refuses what a newer Handbox wrote, and what lacks a table, before anything is changed.
fn check_format(database: &Database) -> Result<(), OpenError> {
    let read = database.begin_read().map_err(engine)?;
    if read.list_tables().map_err(engine)?.next().is_none() {
        return Ok(());
    }
    let table = read.open_table(META).map_err(engine)?;
    let format = table.get("format").map_err(engine)?;
    match format.map(|value| tables::take_format(value.value())).transpose()? {
        None => Err(OpenError::Log(store("it has no format number"))),
        Some(found) if found > FORMAT => Err(OpenError::Newer { found, known: FORMAT }),
        Some(_) => Ok(check_tables(&read)?),
    }
}

/// Whether all tables are found. One whose name changed must not be made anew: empty, it would say that nothing is there.
fn check_tables(read: &ReadTransaction) -> Result<(), LogError> {
    read.open_table(FRAMES).map_err(engine)?;
    read.open_table(INDEX).map_err(engine)?;
    read.open_table(IDS).map_err(engine)?;
    read.open_table(SESSIONS).map_err(engine)?;
    read.open_table(MARKS).map_err(engine)?;
    read.open_table(GRAVES).map_err(engine)?;
    read.open_table(SHARES).map_err(engine)?;
    Ok(())
}

pub(crate) fn meta(
    table: &impl ReadableTable<&'static str, &'static [u8; 16]>,
    name: &str,
) -> Result<Option<u64>, LogError> {
    let stored = table.get(name).map_err(engine)?;
    stored.map(|value| tables::unseal("meta", name.as_bytes(), value.value())).transpose()
}

/// Makes the tables, upgrades what is older, and counts the opening, so that no epoch comes twice.
fn begin(database: &Database, options: &Options) -> Result<u64, LogError> {
    let mut write = database.begin_write().map_err(engine)?;
    prepare(&mut write, options.commit);
    write.open_table(FRAMES).map_err(engine)?;
    write.open_table(INDEX).map_err(engine)?;
    write.open_table(IDS).map_err(engine)?;
    write.open_table(SESSIONS).map_err(engine)?;
    write.open_table(MARKS).map_err(engine)?;
    write.open_table(GRAVES).map_err(engine)?;
    write.open_table(SHARES).map_err(engine)?;
    let mut table = write.open_table(META).map_err(engine)?;
    let opening = meta(&table, "opening")?.unwrap_or(0) + 1;
    // There is no older format yet; the first that comes is upgraded here, in this transaction.
    table.insert("format", &tables::put_format(FORMAT)).map_err(engine)?;
    table.insert("opening", &tables::seal("meta", b"opening", opening)).map_err(engine)?;
    drop(table);
    write.commit().map_err(engine)?;
    // Epochs are made of it, see `Leases`.
    if opening > u64::from(u32::MAX) {
        return Err(store("it was opened more often than can be counted"));
    }
    Ok(opening)
}

/// Notes the sessions that were arriving when the tables were written. As a rule there is none, and nothing is read.
fn find_arriving(inner: &Inner, book: &mut Book) -> Result<(), LogError> {
    let read = inner.begin_read()?;
    if meta(&read.open_table(META).map_err(engine)?, "arriving")?.unwrap_or(0) == 0 {
        return Ok(());
    }
    for stored in read.open_table(SESSIONS).map_err(engine)?.range::<&[u8; 16]>(..).map_err(engine)? {
        let (key, value) = stored.map_err(engine)?;
        let known = tables::unseal_known("sessions", key.value(), value.value())?;
        if known.arrival.is_some() {
            book.arriving.insert(known.id);
        }
    }
    Ok(())
}

/// Reads the frames that no table knows yet.
fn replay(inner: &Inner, book: &mut Book) -> Result<(), LogError> {
    let read = inner.begin_read()?;
    let indexed = meta(&read.open_table(META).map_err(engine)?, "indexed")?.unwrap_or(0);
    let frames = read.open_table(FRAMES).map_err(engine)?;
    let now = inner.surroundings.clock.now();
    // Numbers are not used again, also of frames that are gone.
    book.last_frame = indexed;
    // If frames are out of order, those that follow may be elsewhere.
    if let Some(stored) = frames.range(..=indexed).map_err(engine)?.next_back() {
        let (number, bytes) = stored.map_err(engine)?;
        let broken = Frame::decode(number.value(), bytes.value()).err();
        if number.value() > indexed || broken == Some(Broken::Whole) {
            return Err(store(format!("frame {} is not what was written", number.value())));
        }
    }
    for stored in frames.range(indexed + 1..).map_err(engine)? {
        let (number, bytes) = stored.map_err(engine)?;
        // Frames are freed only after the tables have them.
        if number.value() != book.last_frame + 1 {
            return Err(store(format!("frame {} is missing", book.last_frame + 1)));
        }
        let note = note(inner, book, number.value(), bytes.value())?;
        book.apply(note, now);
    }
    Ok(())
}

fn note(inner: &Inner, book: &Book, number: u64, bytes: &[u8]) -> Result<Note, LogError> {
    let damage = |broken: Broken| {
        let known = session_in(bytes).and_then(|session| present(inner, book, session).ok());
        known.map_or_else(|| store(broken.what(number)), |known| broken.damage(number, known.id, known.head))
    };
    let frame = Frame::decode(number, bytes).map_err(damage)?;
    // Nothing else says so yet, so the hash is computed from the events.
    let after = frame.after().map_err(damage)?;
    let header = &frame.header;
    let mut known = match &header.what {
        What::Create(origin) => Known::begin(header.session, number, origin, header.before),
        What::Events | What::Remove => latest(inner, book, &frame)?,
    };
    if known.number != header.number || known.head + 1 != header.first || known.hash != header.before {
        return Err(event(header.session, header.first, "what was appended before it is missing"));
    }
    let events: Vec<_> = frame.items.iter().map(|item| (item.id, known::mark(item.kind))).collect();
    known.take(events.iter().copied(), after);
    Ok(Note { frame: number, known, removes: header.what == What::Remove, events })
}

fn latest(inner: &Inner, book: &Book, frame: &Frame<'_>) -> Result<Known, LogError> {
    let session = frame.header.session;
    present(inner, book, session).map(Arc::unwrap_or_clone).map_err(|error| match error {
        LogError::NoSession(_) => event(session, frame.header.first, "the session was never created, or is removed"),
        error => error,
    })
}

/// A session as the frames before say.
fn present(inner: &Inner, book: &Book, session: SessionId) -> Result<Arc<Known>, LogError> {
    match book.sessions.get(&session) {
        Some(slot) if slot.removed => Err(LogError::NoSession(session)),
        Some(slot) => Ok(Arc::clone(&slot.known)),
        None => inner.any(session),
    }
}
