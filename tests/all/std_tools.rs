//! The standard tools through their sandbox, as a model uses them.

use handbox_hand::{Hand, HandError};
use handbox_tests::{Lab, call};
use serde_json::json;

fn failure(answer: Result<handbox_hand::Output, HandError>) -> String {
    match answer {
        Err(HandError::Tool(fault)) => fault.to_string(),
        other => panic!("expected the tool to fail, got {other:?}"),
    }
}

#[tokio::test]
async fn the_tools_are_those_of_the_agent_toolset() {
    let lab = Lab::new();
    let std = lab.std().await;
    let names: Vec<&str> = std.tools().iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["read", "write", "edit", "glob", "grep", "web_fetch", "bash"]);
    for (name, required, optional) in [
        ("read", vec!["file_path"], vec!["view_range"]),
        ("write", vec!["file_path", "content"], vec![]),
        ("edit", vec!["file_path", "old_string", "new_string"], vec!["replace_all"]),
        ("web_fetch", vec!["url"], vec![]),
        ("glob", vec!["pattern"], vec!["path"]),
        ("grep", vec!["pattern"], vec!["path"]),
    ] {
        let tool = std.tools().iter().find(|tool| tool.name.as_str() == name).expect("it is there");
        assert_eq!(tool.input_schema["required"], json!(required), "{name}");
        let properties: Vec<&str> =
            tool.input_schema["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(properties, [required, optional].concat(), "{name}");
        let reads = matches!(name, "read" | "glob" | "grep" | "web_fetch");
        assert_eq!(tool.hints.read_only, reads, "{name}");
    }
}

#[tokio::test]
async fn a_file_is_written_read_in_parts_and_edited() {
    let lab = Lab::new();
    let std = lab.std().await;
    let written = call(&std, "write", json!({"file_path": "/workspace/a/b.txt", "content": "one\ntwo\nthree\n"})).await;
    assert!(written.expect("it writes").text().contains("14"));
    assert_eq!(std::fs::read_to_string(lab.path("a/b.txt")).expect("it is there"), "one\ntwo\nthree\n");
    let read = async |range| call(&std, "read", json!({"file_path": "a/b.txt", "view_range": range})).await;
    assert_eq!(read([2, 2]).await.expect("it reads").text().trim_end(), "two");
    assert_eq!(read([2, -1]).await.expect("it reads").text().trim_end(), "two\nthree");
    assert_eq!(read([3, 0]).await.expect("it reads").text().trim_end(), "three");
    assert!(failure(read([9, -1]).await).contains('3'), "it says how many lines there are");

    let edit = async |old: &str, new: &str, all: bool| {
        call(&std, "edit", json!({"file_path": "a/b.txt", "old_string": old, "new_string": new, "replace_all": all}))
            .await
    };
    assert!(failure(edit("t", "T", false).await).contains('2'), "it says how often");
    edit("two", "zwei", false).await.expect("it edits");
    edit("e", "E", true).await.expect("it edits");
    assert_eq!(std::fs::read_to_string(lab.path("a/b.txt")).expect("it is there"), "onE\nzwEi\nthrEE\n");
    assert!(
        failure(edit("absent", "x", false).await).contains("absent")
            || !failure(edit("absent", "x", false).await).is_empty()
    );
}

#[tokio::test]
async fn grep_answers_like_ripgrep() {
    let lab = Lab::new();
    for (name, text) in [
        ("src/a.rs", "fn main() {}\n// TODO one\n"),
        ("src/b.rs", "// TODO two\n"),
        ("ignored/c.rs", "// TODO three\n"),
        (".hidden.rs", "// TODO four\n"),
        (".gitignore", "ignored/\n"),
        ("binary", "TODO\0five\n"),
    ] {
        let path = lab.path(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    std::fs::create_dir(lab.path(".git")).expect("a folder");
    let std = lab.std().await;
    let found = call(&std, "grep", json!({"pattern": "TODO \\w+"})).await.expect("it searches").text();
    assert_eq!(found.trim_end(), "src/a.rs:2:// TODO one\nsrc/b.rs:1:// TODO two");
    let one = call(&std, "grep", json!({"pattern": "TODO", "path": "src/b.rs"})).await.expect("it searches").text();
    assert!(one.trim_end().ends_with("1:// TODO two"), "{one}");
    assert!(!failure(call(&std, "grep", json!({"pattern": "("})).await).is_empty());
    let listed = call(&std, "glob", json!({"pattern": "**/*.rs"})).await.expect("it lists").text();
    assert!(listed.contains("src/a.rs") && listed.contains("src/b.rs"), "{listed}");
}

#[tokio::test]
async fn a_long_answer_is_cut_and_says_how_to_get_the_rest() {
    let lab = Lab::new();
    std::fs::write(lab.path("long.txt"), "needle and more text to make the line long\n".repeat(5_000)).expect("a file");
    let std = lab.std().await;
    let found = call(&std, "grep", json!({"pattern": "needle"})).await.expect("it searches").text();
    assert!(found.chars().count() <= 101_000, "{} characters", found.chars().count());
    let note = found.lines().last().expect("a note");
    assert!(note.contains("narrow") || note.contains("cut") || note.contains("more"), "{note}");
}

#[tokio::test]
async fn a_read_only_grant_holds_for_write_and_edit() {
    let lab = Lab::new().read_only();
    std::fs::write(lab.path("a.txt"), "old").expect("a file");
    let std = lab.std().await;
    let denied = call(&std, "write", json!({"file_path": "/workspace/a.txt", "content": "new"})).await;
    assert!(denied.is_err(), "{denied:?}");
    let denied =
        call(&std, "edit", json!({"file_path": "/workspace/a.txt", "old_string": "old", "new_string": "new"})).await;
    assert!(denied.is_err(), "{denied:?}");
    assert_eq!(std::fs::read_to_string(lab.path("a.txt")).expect("it is there"), "old");
}
