//! ECMAScript modules: where one is, is JavaScript's to say (`js/loader.js`), so that `import` and `require` agree.

use crate::engine::{self, Hooks};
use boa_engine::module::{Module, ModuleLoader, ModuleRequest, Referrer, SyntheticModuleInitializer};
use boa_engine::object::JsObject;
use boa_engine::object::builtins::JsArray;
use boa_engine::{Context, JsResult, JsString, JsValue, js_string};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The modules that were loaded, by path or name.
#[derive(Default)]
pub(crate) struct Modules(RefCell<HashMap<String, Module>>);

impl Modules {
    /// The module that an import means.
    fn find(&self, specifier: &JsString, referrer: &str, context: &mut Context) -> JsResult<Module> {
        let hooks = Hooks::of(context)?;
        let args = [specifier.clone().into(), js_string!(referrer).into()];
        let found = hooks.call("resolveImport", &args, context)?;
        let found = found.to_object(context)?;
        let path = text(&found, "path", context)?;
        if let Some(module) = self.0.borrow().get(&path) {
            return Ok(module.clone());
        }
        let module = match text(&found, "kind", context)?.as_str() {
            "module" => parse(&text(&found, "source", context)?, &path, context)?,
            _ => exported(&found, &path, context)?,
        };
        self.0.borrow_mut().insert(path, module.clone());
        Ok(module)
    }

    /// The module at a path, from its text.
    pub(crate) fn enter(&self, source: &str, path: &str, context: &mut Context) -> JsResult<Module> {
        if let Some(module) = self.0.borrow().get(path) {
            return Ok(module.clone());
        }
        let module = parse(source, path, context)?;
        self.0.borrow_mut().insert(path.to_owned(), module.clone());
        Ok(module)
    }
}

fn parse(source: &str, path: &str, context: &mut Context) -> JsResult<Module> {
    engine::parse(source, path, context, |text, context| Module::parse(engine::source(text, path), None, context))
}

/// A module of what something else exports: `value` as the default, and its `names`.
fn exported(found: &JsObject, path: &str, context: &mut Context) -> JsResult<Module> {
    let value = found.get(js_string!("value"), context)?;
    let listed = JsArray::from_object(found.get(js_string!("names"), context)?.to_object(context)?)?;
    let mut names = vec![js_string!("default")];
    for index in 0..listed.length(context)? {
        names.push(listed.get(index, context)?.to_string(context)?);
    }
    let steps = SyntheticModuleInitializer::from_copy_closure_with_captures(
        |module, (names, value): &(Vec<JsString>, JsValue), context| {
            module.set_export(&names[0], value.clone())?;
            for name in &names[1..] {
                let exported = value.to_object(context)?.get(name.clone(), context)?;
                module.set_export(name, exported)?;
            }
            Ok(())
        },
        (names.clone(), value),
    );
    Ok(Module::synthetic(&names, steps, Some(path.into()), None, context))
}

fn text(object: &JsObject, key: &str, context: &mut Context) -> JsResult<String> {
    Ok(object.get(js_string!(key), context)?.to_string(context)?.to_std_string_lossy())
}

impl ModuleLoader for Modules {
    async fn load_imported_module(
        self: Rc<Self>,
        referrer: Referrer,
        request: ModuleRequest,
        context: &RefCell<&mut Context>,
    ) -> JsResult<Module> {
        let referrer = referrer.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        self.find(request.specifier(), &referrer, &mut context.borrow_mut())
    }

    fn init_import_meta(self: Rc<Self>, meta: &JsObject, module: &Module, context: &mut Context) {
        let path = module.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        if let Ok(hooks) = Hooks::of(context) {
            // It cannot fail but by what a script did to the very objects it is made of.
            let _ = hooks.call("importMeta", &[meta.clone().into(), js_string!(path).into()], context);
        }
    }
}
