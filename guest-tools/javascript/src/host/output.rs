//! What the program writes. The first of it goes out at once; when there is much, many lines go out as one. What is for the
//! one stream never overtakes what is for the other.
//!
//! All of it has gone out when a turn of the event loop is over, before a program is started, before it is waited for anything,
//! and when the script ends, however it does.

use super::{Named, bytes_of, code_of};
use boa_engine::{Context, JsArgs, JsResult, JsValue, js_string};
use std::cell::RefCell;
use std::io::{Result, Write};
use std::time::{Duration, Instant};

pub(super) const FUNCTIONS: &[Named] = &[("write", write), ("flush", flush_kept)];

/// How much is kept back.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// How many writes of a turn go out at once, since few of them are dear and one who is stopped wants to have said them.
const AT_ONCE: u32 = 16;
/// How long something is kept back while more comes.
const KEPT_TIME: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Output = 1,
    Errors = 2,
}

/// What could not be written where.
struct Failed(Stream, std::io::Error);

struct Kept {
    stream: Stream,
    /// It never grows: it is emptied where there may be no more memory.
    bytes: Vec<u8>,
    writes: u32,
    last: Option<Instant>,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new(Kept {
        stream: Stream::Output,
        bytes: Vec::with_capacity(KEPT_BYTES_MAX),
        writes: 0,
        last: None,
    });
}

impl Kept {
    fn put(&mut self, stream: Stream, bytes: &[u8]) -> std::result::Result<(), Failed> {
        if self.stream != stream || self.bytes.len() + bytes.len() > KEPT_BYTES_MAX {
            self.flush()?;
        }
        self.stream = stream;
        self.writes += 1;
        if bytes.len() > KEPT_BYTES_MAX {
            return send(stream, bytes).map_err(|error| Failed(stream, error));
        }
        self.bytes.extend_from_slice(bytes);
        if self.is_due() { self.flush() } else { Ok(()) }
    }

    fn is_due(&self) -> bool {
        // The time is asked of the host, which is worth it only now and then.
        let asks = || self.writes.is_multiple_of(8) && self.last.is_none_or(|last| last.elapsed() > KEPT_TIME);
        self.writes <= AT_ONCE || asks()
    }

    /// What cannot be written is gone; it is told once.
    fn flush(&mut self) -> std::result::Result<(), Failed> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let sent = send(self.stream, &self.bytes);
        self.bytes.clear();
        self.last = Some(Instant::now());
        sent.map_err(|error| Failed(self.stream, error))
    }
}

fn send(stream: Stream, bytes: &[u8]) -> Result<()> {
    match stream {
        Stream::Errors => std::io::stderr().write_all(bytes),
        Stream::Output => {
            let mut out = std::io::stdout();
            out.write_all(bytes).and_then(|()| out.flush())
        }
    }
}

/// Lets everything out for one who cannot do anything about a failure.
pub(crate) fn flush() {
    // Whoever is just writing, or has ended, holds nothing that could still be sent.
    let _ = KEPT.try_with(|kept| kept.try_borrow_mut().map(|mut kept| kept.flush()));
}

/// Undefined, or the code of what failed and the number of the stream.
fn told(result: std::result::Result<(), Failed>) -> JsValue {
    match result {
        Ok(()) => JsValue::undefined(),
        Err(Failed(stream, error)) => js_string!(format!("{} {}", code_of(&error), stream as u8).as_str()).into(),
    }
}

fn write(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let bytes = bytes_of(args, 1, context)?;
    let stream = if args.get_or_undefined(0).to_i32(context)? == 2 { Stream::Errors } else { Stream::Output };
    Ok(told(KEPT.with_borrow_mut(|kept| kept.put(stream, &bytes))))
}

/// Lets everything out; a new turn begins.
fn flush_kept(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Ok(told(KEPT.with_borrow_mut(|kept| {
        kept.writes = 0;
        kept.flush()
    })))
}
