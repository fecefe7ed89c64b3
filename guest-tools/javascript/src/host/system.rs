//! The program itself: what it was told, what it writes, what time it is.

use super::{Named, array, failed, output, text};
use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsArgs, JsResult, JsValue, js_string};
use std::io::Read;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(super) const FUNCTIONS: &[Named] = &[
    ("readStdin", read_stdin),
    ("environment", environment),
    ("cwd", cwd),
    ("chdir", chdir),
    ("exit", exit),
    ("now", now),
    ("elapsed", elapsed),
    ("sleep", sleep),
    ("program", program),
];

/// At most so many bytes; null at the end.
fn read_stdin(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut bytes = vec![0; args.get_or_undefined(0).to_length(context)? as usize];
    output::flush();
    let read = std::io::stdin().read(&mut bytes).map_err(|error| failed(&error))?;
    if read == 0 { Ok(JsValue::null()) } else { array(&bytes[..read], context) }
}

/// Names and values in turn.
fn environment(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let words: Vec<JsValue> = std::env::vars_os()
        .flat_map(|(name, value)| [name, value])
        .map(|word| js_string!(&*word.to_string_lossy()).into())
        .collect();
    Ok(JsArray::from_iter(words, context).into())
}

fn cwd(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let folder = std::env::current_dir().map_err(|error| failed(&error))?;
    Ok(js_string!(&*folder.to_string_lossy()).into())
}

fn chdir(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let path = text(args, 0, context)?;
    std::env::set_current_dir(path).map_err(|error| failed(&error))?;
    Ok(JsValue::undefined())
}

fn exit(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    crate::leave(args.get_or_undefined(0).to_uint8(context)?)
}

/// Milliseconds since 1970, with their fractions.
fn now(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(JsValue::from(since.as_secs_f64() * 1000.0))
}

/// Nanoseconds since this was first asked.
fn elapsed(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    Ok(JsValue::from(elapsed.as_secs_f64() * 1e9))
}

fn sleep(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let milliseconds = args.get_or_undefined(0).to_number(context)?;
    output::flush();
    if milliseconds > 0.0 {
        // A year is for ever here, and a number that is none is no time.
        std::thread::sleep(Duration::from_secs_f64((milliseconds / 1000.0).min(3.2e7)));
    }
    Ok(JsValue::undefined())
}

/// What the program was started as.
fn program(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let name = std::env::args_os().next().unwrap_or_default();
    Ok(js_string!(&*name.to_string_lossy()).into())
}
