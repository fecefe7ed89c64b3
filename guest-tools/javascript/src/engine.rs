//! One run: the engine is made ready, the script is started, and turns of the event loop follow until nothing is left.

use crate::depth;
use crate::host;
use crate::jobs::{Jobs, Rejections};
use crate::modules::Modules;
use crate::options::{Options, Script, VERSION};
use boa_engine::object::builtins::JsArray;
use boa_engine::object::{JsObject, ObjectInitializer};
use boa_engine::property::Attribute;
use boa_engine::vm::RuntimeLimits;
use boa_engine::{Context, JsError, JsNativeError, JsResult, JsValue, Source, js_string};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// Calls of calls, about as many as Node's. Those that take stack of the program end earlier: see `depth`.
const RECURSION_MAX: usize = 10_000;
/// Values on the engine's own stack.
const STACK_VALUES_MAX: usize = 1 << 20;
/// As many lines of a stack as Node gives, and those that are left out.
const BACKTRACE_MAX: usize = 40;

/// What JavaScript answers the program with.
#[derive(Clone)]
pub(crate) struct Hooks(JsObject);

impl Hooks {
    /// Those of this run.
    pub(crate) fn of(context: &Context) -> JsResult<Self> {
        let hooks = context.get_data::<Self>().cloned();
        hooks.ok_or_else(|| JsNativeError::error().with_message("the interpreter is not ready").into())
    }

    /// Calls one of them.
    pub(crate) fn call(&self, name: &str, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
        let hook = self.0.get(js_string!(name), context)?;
        let hook = hook.as_callable().ok_or_else(|| JsNativeError::typ().with_message(format!("no hook {name}")))?;
        hook.call(&JsValue::undefined(), args, context)
    }
}

/// What the host's functions need of the run.
pub(crate) struct Run {
    pub(crate) jobs: Rc<Jobs>,
    pub(crate) modules: Rc<Modules>,
}

/// Runs a script: its status.
pub(crate) fn run(options: Options) -> u8 {
    let (jobs, modules, rejections) = (Rc::new(Jobs::default()), Rc::default(), Rc::new(Rejections::default()));
    let built = Context::builder()
        .job_executor(Rc::clone(&jobs))
        .module_loader(Rc::clone(&modules))
        .host_hooks(Rc::clone(&rejections))
        .build();
    let mut context = match built {
        Ok(context) => context,
        Err(error) => return broken(&error),
    };
    let mut limits = RuntimeLimits::default();
    limits.set_recursion_limit(RECURSION_MAX);
    limits.set_stack_size_limit(STACK_VALUES_MAX);
    limits.set_backtrace_limit(BACKTRACE_MAX);
    context.set_runtime_limits(limits);
    context.insert_data(Run { jobs: Rc::clone(&jobs), modules });
    let context = &mut context;
    let hooks = match ready(context) {
        Ok(hooks) => hooks,
        Err(error) => return broken(&error),
    };
    let result = started(options, &hooks, context).and_then(|()| turns(&hooks, &jobs, &rejections, context));
    let status = match result {
        Ok(()) => hooks.call("finish", &[], context),
        Err(error) => {
            let value = thrown(error, context);
            hooks.call("fatal", &[value], context)
        }
    };
    match status {
        Ok(status) => status.to_uint8(context).unwrap_or(1),
        // A listener of the exit itself threw.
        Err(error) => {
            let value = thrown(error, context);
            let status = hooks.call("fatal", &[value], context);
            status.and_then(|status| status.to_uint8(context)).unwrap_or(7)
        }
    }
}

/// Our own text does not run, which a script can bring about only by taking the engine apart.
fn broken(error: &JsError) -> u8 {
    eprintln!("node: {error}");
    70
}

fn ready(context: &mut Context) -> JsResult<Hooks> {
    let host = host::object(context)?;
    let main = host::compile::internal("main", context)?;
    let hooks = main.call(&JsValue::undefined(), &[host.into()], context)?;
    let hooks = Hooks(hooks.to_object(context)?);
    context.insert_data(hooks.clone());
    Ok(hooks)
}

fn started(options: Options, hooks: &Hooks, context: &mut Context) -> JsResult<()> {
    let (kind, script) = match options.script {
        Script::File(path) => ("file", path),
        Script::Text(text) => ("text", text),
        Script::Stdin => ("stdin", String::new()),
        Script::Tests => ("test", String::new()),
    };
    let mut list = |items: &[String]| -> JsValue {
        let items: Vec<JsValue> = items.iter().map(|item| js_string!(item.as_str()).into()).collect();
        JsArray::from_iter(items, context).into()
    };
    let (args, exec_args, preload) = (list(&options.args), list(&options.exec_args), list(&options.preload));
    let mut wanted = ObjectInitializer::new(context);
    wanted.property(js_string!("kind"), js_string!(kind), Attribute::all());
    wanted.property(js_string!("script"), js_string!(script.as_str()), Attribute::all());
    wanted.property(js_string!("version"), js_string!(VERSION), Attribute::all());
    wanted.property(js_string!("print"), options.print, Attribute::all());
    wanted.property(js_string!("check"), options.check, Attribute::all());
    let input_type = options.input_type.unwrap_or_default();
    wanted.property(js_string!("inputType"), js_string!(input_type.as_str()), Attribute::all());
    wanted.property(js_string!("args"), args, Attribute::all());
    wanted.property(js_string!("execArgs"), exec_args, Attribute::all());
    wanted.property(js_string!("preload"), preload, Attribute::all());
    let wanted = wanted.build();
    hooks.call("start", &[wanted.into()], context).map(|_| ())
}

/// Turns of the event loop, until one says that nothing is left.
fn turns(hooks: &Hooks, jobs: &Jobs, rejections: &Rejections, context: &mut Context) -> JsResult<()> {
    loop {
        settle(hooks, jobs, rejections, context)?;
        let wait = match hooks.call("turn", &[], context) {
            Ok(wait) => wait.to_number(context)?,
            Err(error) => {
                caught(error, hooks, context)?;
                continue;
            }
        };
        if wait < 0.0 {
            return Ok(());
        }
        if wait > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(wait / 1000.0));
        }
    }
}

/// Runs ticks and jobs until none of either is left, then tells of rejections that nobody handled.
fn settle(hooks: &Hooks, jobs: &Jobs, rejections: &Rejections, context: &mut Context) -> JsResult<()> {
    loop {
        let ticked = match hooks.call("ticks", &[], context) {
            Ok(ticked) => ticked.to_boolean(),
            Err(error) => {
                caught(error, hooks, context)?;
                true
            }
        };
        let ran = match jobs.drain(context) {
            Ok(ran) => ran,
            Err(error) => {
                caught(error, hooks, context)?;
                true
            }
        };
        if ticked || ran {
            continue;
        }
        let open = rejections.take();
        if open.is_empty() {
            return Ok(());
        }
        for promise in open {
            hooks.call("rejected", &[promise.into()], context)?;
        }
    }
}

/// Gives an error to a script's own listener, if it has one; else it is the end.
fn caught(error: JsError, hooks: &Hooks, context: &mut Context) -> JsResult<()> {
    let value = thrown(error, context);
    if hooks.call("uncaught", std::slice::from_ref(&value), context)?.to_boolean() {
        return Ok(());
    }
    Err(JsError::from_opaque(value))
}

/// An error as a value. One of the engine's own limits cannot be one, and becomes what Node gives.
pub(crate) fn thrown(error: JsError, context: &mut Context) -> JsValue {
    match error.clone().into_opaque(context) {
        Ok(value) => value,
        Err(_) => {
            let text = error.to_string();
            let text = if text.contains("recursi") || text.contains("stack size") {
                "Maximum call stack size exceeded".to_owned()
            } else {
                text
            };
            JsNativeError::range().with_message(text).into_opaque(context).into()
        }
    }
}

/// Notes which text a syntax error is about.
fn syntax_error(error: JsError, path: &str, context: &mut Context) -> JsError {
    let value = thrown(error, context);
    if let Some(object) = value.as_object() {
        let note = boa_engine::property::PropertyDescriptor::builder()
            .value(js_string!(path))
            .enumerable(false)
            .configurable(true)
            .writable(true);
        // The error is new, so nothing about it is fixed.
        let _ = object.define_property_or_throw(js_string!("sourcePath"), note, context);
    }
    JsError::from_opaque(value)
}

/// Parses a source under its path. An error tells which one it is about.
pub(crate) fn parse<T>(
    text: &str,
    path: &str,
    context: &mut Context,
    parse: impl FnOnce(&str, &mut Context) -> JsResult<T>,
) -> JsResult<T> {
    let refused =
        || JsNativeError::range().with_message("Maximum call stack size exceeded: the script is nested too deeply");
    if depth::too_nested(text) {
        return Err(refused().into());
    }
    let parsed = depth::parse(|| parse(text, context)).ok_or_else(refused)?;
    parsed.map_err(|error| syntax_error(error, path, context))
}

/// A source with its path.
pub(crate) fn source<'a>(text: &'a str, path: &'a str) -> Source<'a, impl boa_engine::parser::source::ReadChar + 'a> {
    Source::from_bytes(text).with_path(Path::new(path))
}
