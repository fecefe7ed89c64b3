//! From text to what can be called.

use super::{Named, text};
use crate::engine::{self, Run};
use boa_engine::builtins::promise::PromiseState;
use boa_engine::object::JsObject;
use boa_engine::object::builtins::{
    JsArray, JsArrayBuffer, JsDataView, JsDate, JsMap, JsPromise, JsProxy, JsRegExp, JsSet, JsTypedArray,
};
use boa_engine::{Context, JsArgs, JsNativeError, JsResult, JsValue, Module, Script, js_string};

pub(super) const FUNCTIONS: &[Named] = &[
    ("compileFunction", compile_function),
    ("compileInternal", compile_internal),
    ("evalScript", eval_script),
    ("checkScript", check_script),
    ("evalModule", eval_module),
    ("checkModule", check_module),
    ("runJobs", run_jobs),
    ("promiseState", promise_state),
    ("kindOf", kind_of),
];

/// The texts of `js/`, by name: each is a function's body.
macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../js/", $name, ".js")))),*]
    };
}

const INTERNAL: &[(&str, &str)] = texts![
    "assert",
    "buffer",
    "child_process",
    "console",
    "crypto",
    "errors",
    "events",
    "fs",
    "inspect",
    "intl",
    "loader",
    "main",
    "os",
    "path",
    "process",
    "querystring",
    "readline",
    "stream",
    "string_decoder",
    "strings",
    "test",
    "timers",
    "url",
    "util",
    "web",
];

/// What our own texts are called with.
const INTERNAL_PARAMETERS: &str = "host, internal, module, exports";

/// The function that one of our own texts is the body of.
pub(crate) fn internal(name: &str, context: &mut Context) -> JsResult<JsObject> {
    let found = INTERNAL.iter().find(|(known, _)| *known == name);
    let (_, body) = found.ok_or_else(|| JsNativeError::error().with_message(format!("no internal module {name}")))?;
    function(body, &format!("node:internal/{name}"), INTERNAL_PARAMETERS, context)
}

/// A function with this body. The parameters stand in the body's first line, so that lines keep their numbers.
fn function(body: &str, path: &str, parameters: &str, context: &mut Context) -> JsResult<JsObject> {
    let wrapped = format!("(function ({parameters}) {{{body}\n}})");
    let script = engine::parse(&wrapped, path, context, |text, context| {
        Script::parse(engine::source(text, path), None, context)
    })?;
    script.evaluate(context)?.to_object(context)
}

fn compile_function(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (body, path, parameters) = (text(args, 0, context)?, text(args, 1, context)?, text(args, 2, context)?);
    Ok(function(&body, &path, &parameters, context)?.into())
}

fn compile_internal(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = text(args, 0, context)?;
    Ok(internal(&name, context)?.into())
}

fn parse_script(args: &[JsValue], context: &mut Context) -> JsResult<Script> {
    let (body, path) = (text(args, 0, context)?, text(args, 1, context)?);
    engine::parse(&body, &path, context, |text, context| Script::parse(engine::source(text, &path), None, context))
}

fn eval_script(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    parse_script(args, context)?.evaluate(context)
}

fn check_script(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    parse_script(args, context).map(|_| JsValue::undefined())
}

fn check_module(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (body, path) = (text(args, 0, context)?, text(args, 1, context)?);
    engine::parse(&body, &path, context, |text, context| Module::parse(engine::source(text, &path), None, context))?;
    Ok(JsValue::undefined())
}

/// Starts a module: what it exports, and the promise of its end.
fn eval_module(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (body, path) = (text(args, 0, context)?, text(args, 1, context)?);
    let modules = context.get_data::<Run>().map(|run| std::rc::Rc::clone(&run.modules));
    let modules = modules.ok_or_else(|| JsNativeError::error().with_message("the interpreter is not ready"))?;
    let module = modules.enter(&body, &path, context)?;
    let promise = module.load_link_evaluate(context);
    let namespace = module.namespace(context);
    Ok(JsArray::from_iter([namespace.into(), promise.into()], context).into())
}

/// Runs the jobs of promises, for one who cannot wait for a turn.
fn run_jobs(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let jobs = context.get_data::<Run>().map(|run| std::rc::Rc::clone(&run.jobs));
    match jobs {
        Some(jobs) => jobs.drain(context).map(JsValue::from),
        None => Ok(false.into()),
    }
}

/// `["pending"]`, `["fulfilled", value]` or `["rejected", reason]`.
fn promise_state(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let promise = JsPromise::from_object(args.get_or_undefined(0).to_object(context)?)?;
    let items: Vec<JsValue> = match promise.state() {
        PromiseState::Pending => vec![js_string!("pending").into()],
        PromiseState::Fulfilled(value) => vec![js_string!("fulfilled").into(), value],
        PromiseState::Rejected(reason) => vec![js_string!("rejected").into(), reason],
    };
    Ok(JsArray::from_iter(items, context).into())
}

/// What the engine keeps in an object; empty for one like any other.
fn kind_of(_: &JsValue, args: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let Some(object) = args.get_or_undefined(0).as_object() else { return Ok(js_string!("").into()) };
    let kind = if object.is_array() {
        "Array"
    } else if object.is::<boa_engine::builtins::error::Error>() {
        "Error"
    } else if JsMap::from_object(object.clone()).is_ok() {
        "Map"
    } else if JsSet::from_object(object.clone()).is_ok() {
        "Set"
    } else if JsTypedArray::from_object(object.clone()).is_ok() {
        "TypedArray"
    } else if JsPromise::from_object(object.clone()).is_ok() {
        "Promise"
    } else if JsDate::from_object(object.clone()).is_ok() {
        "Date"
    } else if JsRegExp::from_object(object.clone()).is_ok() {
        "RegExp"
    } else if JsArrayBuffer::from_object(object.clone()).is_ok() {
        "ArrayBuffer"
    } else if JsDataView::from_object(object.clone()).is_ok() {
        "DataView"
    } else if JsProxy::from_object(object.clone()).is_ok() {
        "Proxy"
    } else {
        ""
    };
    Ok(js_string!(kind).into())
}
