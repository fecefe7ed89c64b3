//! Small components and manifests, made here.

use handbox_bundle::{Asks, Compile, FolderAsk, Manifest, Mode, State, section};
use handbox_hand::{Hints, Recovery, Tool, ToolName};
use serde_json::{Value, json};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentImportSection, ComponentInstanceSection, ComponentTypeRef, ComponentTypeSection,
    ExportKind, ExportSection, Function, FunctionSection, InstanceSection, InstanceType, Module, ModuleArg,
    ModuleSection, TypeSection,
};

pub(crate) const HAND: &str = "handbox:hand/hand@0.1.0";
pub(crate) const RUN: &str = "wasi:cli/run@0.2.3";

/// A core module that exports one empty function, `f`.
pub(crate) fn core_module() -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    module.section(&types).section(&functions).section(&exports).section(&code);
    module
}

/// A component that imports empty instances and exports instances of one function each.
pub(crate) fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let mut component = Component::new();
    let mut types = ComponentTypeSection::new();
    types.function().params::<[(&str, wasm_encoder::ComponentValType); 0], _>([]).result(None);
    types.instance(&InstanceType::new());
    component.section(&types);
    let mut import_section = ComponentImportSection::new();
    for name in imports {
        import_section.import(*name, ComponentTypeRef::Instance(1));
    }
    component.section(&import_section);
    let core = core_module();
    component.section(&ModuleSection(&core));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, Vec::<(&str, ModuleArg)>::new());
    component.section(&instances);
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Func, name: "f" });
    component.section(&aliases);
    let mut functions = CanonicalFunctionSection::new();
    functions.lift(0, 0, []);
    component.section(&functions);
    let mut made = ComponentInstanceSection::new();
    for _ in exports {
        made.export_items([("execute", ComponentExportKind::Func, 0)]);
    }
    component.section(&made);
    let mut export_section = ComponentExportSection::new();
    for (index, name) in exports.iter().enumerate() {
        let index = (imports.len() + index) as u32;
        export_section.export(*name, ComponentExportKind::Instance, index, None);
    }
    component.section(&export_section);
    component.finish()
}

pub(crate) fn tool(name: &str) -> Tool {
    let input_schema =
        json!({"type": "object", "properties": {"text": {"type": "string"}, "path": {"type": "string"}}});
    tool_with(name, input_schema)
}

pub(crate) fn tool_with(name: &str, input_schema: Value) -> Tool {
    let name = ToolName::new(name).unwrap();
    let description = "Does something.".to_owned();
    Tool {
        name,
        description,
        input_schema,
        output_schema: None,
        hints: Hints::default(),
        recovery: Recovery::Ask,
        extra: Vec::new(),
    }
}

pub(crate) fn manifest(tools: &[&str]) -> Manifest {
    Manifest {
        name: "sample".into(),
        version: "0.1.0".into(),
        description: "A sample.".into(),
        author: String::new(),
        license: "MIT".into(),
        state: State::Fresh,
        tools: tools.iter().map(|name| tool(name)).collect(),
        commands: Vec::new(),
        programs: Vec::new(),
        compile: Compile::default(),
        asks: asks(&[("*", Mode::ReadOnly)]),
    }
}

pub(crate) fn asks(folders: &[(&str, Mode)]) -> Asks {
    let folders = folders.iter().map(|(path, mode)| FolderAsk { path: (*path).to_owned(), mode: *mode });
    Asks { folders: folders.collect(), ..Asks::default() }
}

/// A hand with these tools, packed.
pub(crate) fn packed(tools: &[&str]) -> Vec<u8> {
    section::write(&component(&[], &[HAND]), &manifest(tools)).unwrap()
}
