//! Calls of real instances.

use super::wat::around_core;
use super::*;
use serde_json::json;

/// Functions over one text at address 16 ("hello"), one for each way to answer.
fn answers() -> Component {
    around_core(
        r#"(core module $n
          (memory (export "memory") 1)
          (data (i32.const 16) "hello")
          (func $pair (param $at i32) (param $tag i32) (result i32)
            (i32.store (local.get $at) (local.get $tag))
            (i32.store offset=4 (local.get $at) (i32.const 16))
            (i32.store offset=8 (local.get $at) (i32.const 5))
            (local.get $at))
          (func (export "text") (result i32)
            (i32.add (call $pair (i32.const 64) (i32.const 0)) (i32.const 4)))
          (func (export "ok-or-text") (param $tag i32) (result i32) (call $pair (i32.const 64) (local.get $tag)))
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
          (func (export "same") (param i32) (result i32) (local.get 0))
          (func (export "nothing")))
        (core instance $j (instantiate $n))
        (func (export "text") (result string) (canon lift (core func $j "text") (memory (core memory $j "memory"))))
        (func (export "bytes") (result (list u8)) (canon lift (core func $j "text") (memory (core memory $j "memory"))))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $j "add")))
        (func (export "nothing") (canon lift (core func $j "nothing")))
        (func (export "bare") (param "fail" bool) (result (result))
          (canon lift (core func $j "same")))
        (func (export "fallible") (param "fail" bool) (result (result string (error string)))
          (canon lift (core func $j "ok-or-text") (memory (core memory $j "memory"))))
        (func (export "typed") (param "fail" bool) (result (result (error (tuple u32 u32))))
          (canon lift (core func $j "ok-or-text") (memory (core memory $j "memory"))))
        (func (export "trap") (canon lift (core func $i "trap")))"#,
    )
}

fn text(component: &Component, tool: &str, input: Value) -> String {
    let parts = call_once(component, tool, &input).unwrap().unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].media_type, "text/plain");
    String::from_utf8(parts[0].data.clone()).unwrap()
}

fn fault(component: &Component, tool: &str, input: Value) -> ToolFault {
    call_once(component, tool, &input).unwrap().unwrap_err()
}

#[test]
fn what_a_function_returns_is_the_output() {
    let component = answers();
    assert_eq!(text(&component, "text", json!({})), "hello");
    assert_eq!(text(&component, "add", json!({ "b": 2, "a": 40 })), "42");
    assert_eq!(text(&component, "nothing", json!({})), "");
    let bytes = call_once(&component, "bytes", &json!({})).unwrap().unwrap();
    let expected = Part { media_type: "application/octet-stream".into(), data: b"hello".to_vec() };
    assert_eq!(bytes, [expected]);
}

#[test]
fn an_err_is_a_fault_of_the_tool() {
    let component = answers();
    assert_eq!(text(&component, "fallible", json!({ "fail": false })), "hello");
    let failed = |text: &str| ToolFault::Failed(text.to_owned());
    assert_eq!(fault(&component, "fallible", json!({ "fail": true })), failed("hello"));
    assert_eq!(fault(&component, "typed", json!({ "fail": true })), failed("[16,5]"));
    assert_eq!(text(&component, "typed", json!({ "fail": false })), "");
    assert_eq!(fault(&component, "bare", json!({ "fail": true })), failed("the tool failed and gave no reason"));
    assert_eq!(text(&component, "bare", json!({ "fail": false })), "");
}

#[test]
fn a_wrong_input_is_told_from_a_trap() {
    let component = answers();
    let wrong = call_once(&component, "add", &json!({ "a": 1 })).unwrap_err();
    assert!(matches!(&wrong, CallError::Input(error) if error.pointer == "/b"), "{wrong}");
    let trapped = call_once(&component, "trap", &json!({})).unwrap_err();
    let CallError::Engine(error) = trapped else { panic!("{trapped}") };
    assert_eq!(error.downcast_ref::<wasmtime::Trap>(), Some(&wasmtime::Trap::UnreachableCodeReached));
}

#[test]
fn an_instance_of_another_component_is_an_error() {
    let (ours, other) = (answers(), answers());
    let reflection = reflected_tools(&ours);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(async {
        let mut store = Store::new(other.engine(), ());
        let instance = Linker::new(other.engine()).instantiate_async(&mut store, &other).await.unwrap();
        call(&mut store, &instance, &reflection.tools[0], &json!({})).await
    });
    assert!(matches!(result, Err(CallError::Engine(_))));
}

#[test]
fn a_call_can_run_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    let component = answers();
    let reflection = reflected_tools(&component);
    is_send_and_sync(&reflection);
    let mut store = Store::new(component.engine(), ());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let linker = Linker::new(component.engine());
    let instance = runtime.block_on(linker.instantiate_async(&mut store, &component)).unwrap();
    is_send(&call(&mut store, &instance, &reflection.tools[0], &json!({})));
}
