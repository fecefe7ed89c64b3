//! Finds the functions that a component exports.

use super::{FUNCTIONS_MAX, ReflectError, Skipped};
use wasmtime::component::types::{ComponentExtern, ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex};

/// How deep exported instances may nest.
const INSTANCE_DEPTH_MAX: usize = 4;

/// How long one export's name may be, in bytes. The engine allows 100 000, and a
/// path is copied for each function.
const NAME_BYTES_MAX: usize = 256;

/// An exported function, before its types are looked at.
pub(super) struct Found {
    pub(super) path: Vec<String>,
    pub(super) ty: ComponentFunc,
    pub(super) export: ComponentExportIndex,
}

/// The exported functions, also those of exported instances, in the order of the
/// exports; and those that cannot be tools whatever their types are.
pub(super) fn functions(component: &Component) -> Result<(Vec<Found>, Vec<Skipped>), ReflectError> {
    let mut finder = Finder { component, found: Vec::new(), skipped: Vec::new() };
    finder.look(&[], None, component.component_type().exports(component.engine()))?;
    Ok((finder.found, finder.skipped))
}

/// Whether the component imports nothing that it could call: types at most.
pub(super) fn is_pure(component: &Component) -> bool {
    let engine = component.engine();
    let is_type = |item: &ComponentItem| matches!(item, ComponentItem::Type(_));
    component.component_type().imports(engine).all(|(_, import)| match &import.ty {
        ComponentItem::ComponentInstance(instance) => instance.exports(engine).all(|(_, export)| is_type(&export.ty)),
        item => is_type(item),
    })
}

struct Finder<'c> {
    component: &'c Component,
    found: Vec<Found>,
    skipped: Vec<Skipped>,
}

impl Finder<'_> {
    fn look<'e>(
        &mut self,
        parents: &[String],
        parent: Option<&ComponentExportIndex>,
        exports: impl Iterator<Item = (&'e str, ComponentExtern<'e>)>,
    ) -> Result<(), ReflectError> {
        for (name, item) in exports {
            if !matches!(item.ty, ComponentItem::ComponentFunc(_) | ComponentItem::ComponentInstance(_)) {
                continue;
            }
            if self.found.len() + self.skipped.len() == FUNCTIONS_MAX {
                return Err(ReflectError::TooMany);
            }
            let path = |name: &str| parents.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
            if name.len() > NAME_BYTES_MAX {
                let reason = format!("its name is longer than {NAME_BYTES_MAX} bytes");
                self.skipped.push(Skipped::new(&path(&super::shortened(name, 60)), reason));
                continue;
            }
            let path = path(name);
            let Some(export) = self.component.get_export_index(parent, name) else {
                self.skipped.push(Skipped::new(&path, "the engine does not find it by its name"));
                continue;
            };
            match item.ty {
                ComponentItem::ComponentFunc(ty) => match refused(name, &ty) {
                    Some(reason) => self.skipped.push(Skipped::new(&path, reason)),
                    None => self.found.push(Found { path, ty, export }),
                },
                ComponentItem::ComponentInstance(_) if path.len() > INSTANCE_DEPTH_MAX => {
                    let reason = format!("its instances nest deeper than {INSTANCE_DEPTH_MAX} levels");
                    self.skipped.push(Skipped::new(&path, reason));
                }
                ComponentItem::ComponentInstance(instance) => {
                    self.look(&path, Some(&export), instance.exports(self.component.engine()))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Why a function cannot be a tool, whatever its types are.
fn refused(name: &str, ty: &ComponentFunc) -> Option<&'static str> {
    if ty.async_() || name.starts_with("[async") {
        return Some("it is an async function");
    }
    name.starts_with('[').then_some("it belongs to a resource")
}
