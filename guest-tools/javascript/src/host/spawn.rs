//! Starts programs and waits for them: over `handbox:process` in a component.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod sandbox;

#[cfg(not(target_os = "wasi"))]
use native as system;
#[cfg(target_os = "wasi")]
use sandbox as system;
#[cfg(target_os = "wasi")]
pub(super) use sandbox::{permissions, set_permissions};

use super::{Named, array, bytes_of, code, output, text};
use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsArgs, JsResult, JsValue};
use std::time::Duration;

pub(super) const FUNCTIONS: &[Named] = &[("spawn", spawn)];

/// Where one of a program's streams leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Where this program's own does.
    Inherit,
    Nowhere,
    /// From or to JavaScript.
    Kept,
}

/// What is to be started.
struct Wanted {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    folder: String,
    input: Vec<u8>,
    ways: [Way; 3],
    time: Option<Duration>,
}

/// How it ended.
struct Ended {
    status: Option<i32>,
    signal: Option<u8>,
    /// Whether its time was over.
    late: bool,
    output: Vec<u8>,
    errors: Vec<u8>,
}

/// `spawn(program, args, env, folder, ways, input, milliseconds)`: status, signal, whether it was too late, and what it
/// wrote. Fails with a code if it could not be started.
fn spawn(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let env = words(args, 2, context)?;
    let ways = text(args, 4, context)?;
    let way = |index| match ways.as_bytes().get(index) {
        Some(b'i') => Way::Inherit,
        Some(b'k') => Way::Kept,
        _ => Way::Nowhere,
    };
    let milliseconds = args.get_or_undefined(6).to_number(context)?;
    let wanted = Wanted {
        program: text(args, 0, context)?,
        args: words(args, 1, context)?,
        env: env.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        folder: text(args, 3, context)?,
        input: bytes_of(args, 5, context)?,
        ways: [way(0), way(1), way(2)],
        time: (milliseconds > 0.0).then(|| Duration::from_secs_f64(milliseconds / 1000.0)),
    };
    output::flush();
    let ended = system::run(wanted).map_err(code)?;
    let fields: Vec<JsValue> = vec![
        ended.status.map_or(JsValue::null(), JsValue::from),
        ended.signal.map_or(JsValue::null(), JsValue::from),
        ended.late.into(),
        array(&ended.output, context)?,
        array(&ended.errors, context)?,
    ];
    Ok(JsArray::from_iter(fields, context).into())
}

fn words(args: &[JsValue], index: usize, context: &mut Context) -> JsResult<Vec<String>> {
    let list = JsArray::from_object(args.get_or_undefined(index).to_object(context)?)?;
    let mut words = Vec::new();
    for place in 0..list.length(context)? {
        words.push(list.get(place, context)?.to_string(context)?.to_std_string_lossy());
    }
    Ok(words)
}
