//! Which functions become tools, and what they are called.

use super::wat::around_core;
use super::*;

/// A component that exports instances, each with functions of these names.
fn instances(exports: &[(&str, &[&str])]) -> Component {
    let instances = exports.iter().enumerate().map(|(index, (instance, functions))| {
        let functions: String = functions.iter().map(|name| format!("(export \"{name}\" (func $f)) ")).collect();
        format!("(instance $i{index} {functions}) (export \"{instance}\" (instance $i{index}))")
    });
    around_core(&format!(
        r#"(func $f (canon lift (core func $i "trap"))) {}"#,
        instances.collect::<Vec<_>>().join("\n")
    ))
}

#[test]
fn a_function_is_named_after_its_instance() {
    let component = instances(&[("local:calc/ops@0.1.0", &["add", "sub-all"]), ("plain", &["add"])]);
    assert_eq!(names(&reflected_tools(&component)), ["ops-add", "ops-sub-all", "plain-add"]);
}

#[test]
fn a_name_that_is_taken_gets_longer_for_all_that_want_it() {
    let component = instances(&[
        ("a:calc/ops@0.1.0", &["add", "only-here"]),
        ("b:calc/ops@0.1.0", &["add"]),
        ("b:calc/ops@0.2.0", &["add"]),
        ("c:other/ops", &["add"]),
    ]);
    let expected = ["a-calc-ops-add", "ops-only-here", "b-calc-ops-0-1-0-add", "b-calc-ops-0-2-0-add", "other-ops-add"];
    assert_eq!(names(&reflected_tools(&component)), expected);
}

#[test]
fn a_name_that_cannot_get_longer_goes_to_the_first() {
    let component = around_core(
        r#"(func $f (canon lift (core func $i "trap")))
        (instance $ops (export "add" (func $f)))
        (export "ops-add" (func $f))
        (export "ops" (instance $ops))"#,
    );
    let reflection = reflected_tools(&component);
    assert_eq!(names(&reflection), ["ops-add"]);
    assert_eq!(reflection.tools[0].path, ["ops-add"]);
    assert_eq!(reflection.skipped[0].export, "ops#add");
    assert_eq!(reflection.skipped[0].reason, "its name \"ops-add\" is already that of ops-add");
}

#[test]
fn a_name_too_long_for_a_tool_is_skipped_with_the_reason() {
    let long = "a".repeat(61);
    let reflection = reflected_tools(&instances(&[("ops", &["add", &long])]));
    assert_eq!(names(&reflection), ["ops-add"]);
    assert!(reflection.skipped[0].reason.contains("1 to 64 characters"), "{:?}", reflection.skipped);
    let huge = "a".repeat(10_000);
    let reflection = reflected_tools(&instances(&[("ops", &["add", &huge])]));
    assert_eq!(reflection.skipped[0].reason, "its name is longer than 256 bytes");
    assert!(reflection.skipped[0].export.len() < 100);
}

#[test]
fn instances_in_instances_are_found() {
    let component = around_core(
        r#"(func $f (canon lift (core func $i "trap")))
        (instance $inner (export "add" (func $f)))
        (instance $outer (export "inner" (instance $inner)))
        (export "outer" (instance $outer))"#,
    );
    let reflection = reflected_tools(&component);
    assert_eq!(names(&reflection), ["inner-add"]);
    assert_eq!(reflection.tools[0].path, ["outer", "inner", "add"]);
    assert!(matches!(call_once(&component, "inner-add", &serde_json::json!({})), Err(CallError::Engine(_))));
}

#[test]
fn what_json_cannot_express_is_skipped_with_the_reason() {
    let component = around_core(
        r#"(type $r' (resource (rep i32)))
        (export $r "thing" (type $r'))
        (core func $new (canon resource.new $r'))
        (core module $n
          (func (export "make") (result i32) (i32.const 0))
          (func (export "take") (param i32)))
        (core instance $j (instantiate $n))
        (func (export "[constructor]thing") (result (own $r)) (canon lift (core func $j "make")))
        (func (export "[static]thing.count") (result u32) (canon lift (core func $j "make")))
        (func (export "[method]thing.use") (param "self" (borrow $r)) (canon lift (core func $j "take")))
        (func (export "make") (result (own $r)) (canon lift (core func $j "make")))
        (func (export "take") (param "it" (own $r)) (canon lift (core func $j "take")))
        (func (export "count") (result u32) (canon lift (core func $j "make")))"#,
    );
    let reflection = reflected_tools(&component);
    assert_eq!(names(&reflection), ["count"]);
    let skipped: Vec<(&str, &str)> =
        reflection.skipped.iter().map(|it| (it.export.as_str(), it.reason.as_str())).collect();
    let handle = "a resource handle cannot be written as JSON";
    let expected = [
        ("[constructor]thing", "it belongs to a resource"),
        ("[static]thing.count", "it belongs to a resource"),
        ("[method]thing.use", "it belongs to a resource"),
        ("make", &*format!("result: {handle}")),
        ("take", &*format!("parameter it: {handle}")),
    ];
    assert_eq!(skipped, expected);
}

#[test]
fn a_component_without_usable_functions_is_an_error_that_says_why() {
    let empty = reflect(&around_core("")).unwrap_err();
    assert_eq!(empty.to_string(), "the component exports no functions, so there is nothing to call");
    let component = around_core(
        r#"(type $r' (resource (rep i32)))
        (export $r "thing" (type $r'))
        (core module $n (func (export "make") (result i32) (i32.const 0)))
        (core instance $j (instantiate $n))
        (func (export "make") (result (own $r)) (canon lift (core func $j "make")))"#,
    );
    assert_eq!(
        reflect(&component).unwrap_err().to_string(),
        "none of the exported functions can be a tool: make (result: a resource handle cannot be written as JSON)"
    );
}

#[test]
fn too_many_functions_are_refused() {
    let exports = |count: usize| -> String {
        let exports = (0..count).map(|index| format!("(export \"f{index}\" (func $f))\n"));
        format!(r#"(func $f (canon lift (core func $i "trap"))) {}"#, exports.collect::<String>())
    };
    assert_eq!(reflected_tools(&around_core(&exports(FUNCTIONS_MAX))).tools.len(), FUNCTIONS_MAX);
    let error = reflect(&around_core(&exports(FUNCTIONS_MAX + 1))).unwrap_err();
    assert!(matches!(error, ReflectError::TooMany));
}

#[test]
fn types_that_explode_when_written_out_are_skipped() {
    // Sixteen pairs of pairs are 131 071 types from 16 definitions.
    let pairs: String = (1..=16).map(|n| format!("(type $p{n} (tuple $p{} $p{}))\n", n - 1, n - 1)).collect();
    let deep: String = (1..=30).map(|n| format!("(type $d{n} (list $d{}))\n", n - 1)).collect();
    let component = around_core(
        &format!(
            r#"(type $p0 (tuple string)) {pairs} (type $d0 (tuple string)) {deep}
        (func $f (canon lift (core func $i "trap")))
        (func (export "wide") (param "v" (list $p16)) (canon lift (core func $i "swallow") LIFT))
        (func (export "deep") (param "v" $d30) (canon lift (core func $i "swallow") LIFT))
        (export "fine" (func $f))"#
        )
        .replace("\"echo2\"", "\"swallow\""),
    );
    let reflection = reflected_tools(&component);
    assert_eq!(names(&reflection), ["fine"]);
    assert_eq!(reflection.skipped[0].reason, "parameter v: its types are too large to be written out");
    assert_eq!(reflection.skipped[1].reason, "parameter v: its types nest deeper than 24 levels");
}

#[test]
fn only_a_component_without_imports_is_read_only() {
    let component = around_core(r#"(func (export "f") (canon lift (core func $i "trap")))"#);
    let tool = &reflected_tools(&component).tools[0].tool;
    assert!(tool.hints.read_only);
    assert_eq!(tool.recovery, Recovery::Retry);
    let importing = component_importing();
    let tool = &reflected_tools(&importing).tools[0].tool;
    assert_eq!((tool.hints, tool.recovery), (Hints::default(), Recovery::Ask));
}

fn component_importing() -> Component {
    around_core(r#"(import "host" (func)) (func (export "f") (canon lift (core func $i "trap")))"#)
}
