//! What is configured: the operator's file, a project's file, and when that is believed.

use handbox_tests::{Machine, Ran};
use serde_json::json;

/// Wants more than anybody granted.
const GREEDY: &str = r#"[limits]
memory = "2GiB"
time = "5s"

[env]
KEY = "value-of-the-project"

[[folders]]
host = "../beside"
guest = "/beside"
mode = "rw"
"#;

fn read(machine: &Machine, path: &str) -> Ran {
    machine.run(&["call", "std", "read", "--file_path", path])
}

#[test]
fn config_path_is_where_the_file_would_be() {
    let machine = Machine::new();
    let path = machine.run(&["config", "path", "--json"]).ok().json();
    assert_eq!(path["exists"], false);
    let file = machine.config("profile = \"strict\"\n");
    assert_eq!(machine.run(&["config", "path"]).ok().out(), format!("{}\n", file.display()));
    assert_eq!(machine.run(&["config", "path", "--json"]).ok().json()["exists"], true);
}

#[test]
fn config_show_says_where_each_value_came_from_and_shows_no_environment_value() {
    let machine = Machine::new();
    std::fs::create_dir(machine.beside("data")).expect("a folder");
    let config = "[limits]\nmemory = \"64MiB\"\n[env]\nKEY = \"s3cret-value\"\n[[folders]]\nhost = \"DATA\"\nguest = \"/data\"\n";
    machine.config(&config.replace("DATA", &machine.beside("data").display().to_string()));
    machine.file("handbox.toml", "[limits]\ntime = \"3s\"\n");
    let shown = machine.run(&["config", "show", "--env", "MORE=s3cret-too", "--limit", "files=7"]).ok();
    for row in [
        "memory 64MiB config.toml:2",
        "time 3s handbox.toml:2",
        "files 7 --limit",
        "/data ro config.toml:5",
        "KEY 12 B config.toml:4",
        "MORE 10 B --env",
        "std built in",
    ] {
        let words: Vec<&str> = row.split(' ').collect();
        let has = |line: &str| line.split_whitespace().collect::<Vec<_>>().starts_with(&words);
        assert!(shown.out().lines().any(has), "{row:?}: {shown:?}");
    }
    let json = machine.run(&["config", "show", "--json"]).ok();
    for ran in [&shown, &json] {
        assert!(!ran.out().contains("s3cret") && !ran.err().contains("s3cret"), "{ran:?}");
    }
    let json = json.json();
    assert_eq!((&json["project"]["trusted"], &json["folders"][0]["guest"]), (&json!(false), &json!("/data")));
    assert_eq!((&json["env"][0]["name"], &json["env"][0]["source"]["line"]), (&json!("KEY"), &json!(4)));
}

#[test]
fn a_file_named_by_flag_or_variable_is_used_instead_and_must_be_there() {
    let machine = Machine::new();
    machine.config("[limits]\ntime = \"1s\"\n");
    let other = machine.file("other.toml", "[limits]\ntime = \"2s\"\n");
    let time = |ran: Ran| ran.ok().json()["limits"][2]["value"].as_u64();
    assert_eq!(time(machine.run(&["config", "show", "--json"])), Some(1000));
    assert_eq!(time(machine.run(&["config", "show", "--json", "--config", "other.toml"])), Some(2000));
    assert_eq!(time(machine.line(&["config", "show", "--json"]).env("HANDBOX_CONFIG", &other).run()), Some(2000));
    machine.run(&["tools", "std", "--config", "absent.toml"]).code(2).says(&["absent.toml", "--config"]);
}

#[test]
fn a_project_that_is_not_trusted_narrows_and_widens_nothing() {
    let machine = Machine::new();
    let beside = machine.beside("beside");
    std::fs::create_dir(&beside).expect("a folder");
    std::fs::write(beside.join("a.txt"), "beside").expect("a file");
    machine.file("handbox.toml", GREEDY);
    let refused = read(&machine, "/beside/a.txt").code(3);
    refused.says(&[
        "warning: ",
        "handbox.toml is not trusted",
        "line 2: limit memory=2GiB",
        "line 6: environment value KEY",
        "/beside (rw)",
        "hint: read it; if you agree, run `handbox config trust`",
    ]);
    let shown = machine.run(&["config", "show", "--json"]).ok();
    assert!(!shown.out().contains("value-of-the-project"), "{shown:?}");
    let shown = shown.json();
    assert_eq!(
        (shown["limits"][0]["value"].as_u64(), shown["limits"][2]["value"].as_u64()),
        (Some(512 << 20), Some(5000))
    );
    assert_eq!((&shown["env"], &shown["warnings"].as_array().map(Vec::len)), (&json!([]), &Some(1)));
    assert_eq!(read(&machine, "handbox.toml").ok().out(), GREEDY, "the current folder is still there");
    let quiet = machine.run(&["call", "std", "glob", "--pattern", "*", "-q"]).ok();
    assert_eq!(quiet.err(), "");
}

#[test]
fn a_trusted_project_widens_until_it_changes_or_is_untrusted() {
    let machine = Machine::new();
    let beside = machine.beside("beside");
    std::fs::create_dir(&beside).expect("a folder");
    std::fs::write(beside.join("a.txt"), "beside").expect("a file");
    machine.file("handbox.toml", GREEDY);
    machine.file("sub/folder/x", "");
    let trusted = machine.run(&["config", "trust"]).ok();
    for part in ["trusted: ", "limit memory=2GiB", "environment value KEY", "at /beside (rw)"] {
        assert!(trusted.out().contains(part), "{part:?}: {trusted:?}");
    }
    assert!(!trusted.out().contains("value-of-the-project"), "{trusted:?}");
    let ran = read(&machine, "/beside/a.txt").ok();
    assert_eq!((ran.out(), ran.err()), ("beside\n", ""));
    let deeper =
        machine.line(&["call", "std", "read", "--file_path", "/beside/a.txt"]).within(&machine.path("sub/folder"));
    deeper.run().ok();

    machine.file("handbox.toml", format!("{GREEDY}# one more line\n"));
    read(&machine, "/beside/a.txt").code(3).says(&["has changed since you trusted it"]);
    machine.file("handbox.toml", GREEDY);
    read(&machine, "/beside/a.txt").ok();

    let path = machine.path("handbox.toml").display().to_string();
    assert_eq!(machine.run(&["config", "untrust"]).ok().out(), format!("no longer trusted: {path}\n"));
    read(&machine, "/beside/a.txt").code(3).says(&["is not trusted"]);
    assert_eq!(machine.run(&["config", "untrust", &path, "--json"]).ok().json()["was_trusted"], false);
    machine.run(&["config", "trust", &path]).ok();
    read(&machine, "/beside/a.txt").ok();
}

#[test]
fn a_copy_of_a_trusted_project_is_not_trusted() {
    let machine = Machine::new();
    machine.file("one/handbox.toml", "[env]\nKEY = \"1\"\n");
    machine.file("two/handbox.toml", "[env]\nKEY = \"1\"\n");
    machine.run(&["config", "trust", "one"]).ok();
    let warnings = |folder: &str| {
        let line = machine.line(&["config", "show", "--json"]).within(&machine.path(folder));
        line.run().ok().json()["warnings"].as_array().map(Vec::len)
    };
    assert_eq!((warnings("one"), warnings("two")), (Some(0), Some(1)));
    machine.run(&["config", "trust", "three"]).code(2).says(&["three", "hint: "]);
    machine.run(&["config", "trust"]).code(2).says(&["there is no handbox.toml"]);
}

#[test]
fn a_project_takes_away_and_says_so() {
    let machine = Machine::new();
    machine.file("src/a.txt", "inside");
    machine.file("b.txt", "outside");
    machine.file("handbox.toml", "[[narrow.folders]]\nguest = \"/workspace\"\nsubfolder = \"src\"\n");
    let ran = read(&machine, "/workspace/a.txt").ok();
    assert_eq!((ran.out(), ran.err()), ("inside\n", ""));
    read(&machine, "/workspace/b.txt").code(1);
    let shown = machine.run(&["config", "show"]).ok();
    assert!(shown.out().contains("TAKEN AWAY") && shown.out().contains("handbox.toml:1"), "{shown:?}");
    // What the operator types is not narrowed.
    machine.run(&["call", "std", "read", "--file_path", "/workspace/b.txt", "--dir", "."]).ok();
}

#[test]
fn whatever_is_not_understood_is_an_error_with_file_line_and_key() {
    let machine = Machine::new();
    let cases = [
        ("profile = \"strict\"\nprofle = \"x\"\n", ":2", "profle"),
        ("[limits]\ntime = \"1s\"\n\nmemry = 1\n", ":4", "memry"),
        ("[limits]\ntime = \"1s\"\ntime = \"2s\"\n", ":3", "time"),
        ("[[folders]]\nhost = 3\n", ":2", "host"),
        ("[bundles.x]\n", ":1", "bundles.x"),
        ("[narrow]\nenv = []\n", ":1", "narrow"),
    ];
    for (text, line, key) in cases {
        let file = machine.config(text);
        for args in [&["tools", "std"][..], &["call", "std", "glob", "--pattern", "*"], &["config", "show"]] {
            let ran = machine.run(args).code(2);
            ran.says(&[&format!("error: {}{line}", file.display()), key, "hint: "]);
        }
    }
    machine.config("");
    machine.file("handbox.toml", "\n[lmits]\n");
    machine.run(&["tools", "std"]).code(2).says(&["handbox.toml:2", "lmits"]);
    machine.file("handbox.toml", b"a = 1\n\xff\n");
    machine.run(&["tools", "std"]).code(2).says(&["handbox.toml:2: not UTF-8"]);
}

#[test]
fn a_fault_near_an_environment_value_does_not_show_it() {
    let machine = Machine::new();
    let faults = [
        "[env]\nKEY = \"s3cret\n",
        "[env]\nKEY = s3cret\n",
        "[env]\nKEY \"s3cret\"\n",
        "[env]\nKEY = { a = \"s3cret\" }\n",
        "[env]\nKEY = [\"s3cret\"]\n",
        "[env]\nKEY = \"1\"\nKEY = \"s3cret\"\n",
        "[env]\nKEY = \"s3cret\\q\"\n",
        "[env]\nKEY = \"a\" s3cret\n",
        "[env]\nKEY = '''\nx\ns3cret=\n",
        "[env]\nKEY = 9s3cret\n",
        "env = \"s3cret\"\n",
        "env = [\"s3cret\"]\n",
        "[env]\nKEY = 712345\n",
        "[env]\nKEY = 712345.5\n",
        "[env]\nKEY = 2712-3-45T1:2:3\n",
        "[bundles.std.env]\nKEY = 712345\n",
        "[bundles.std]\nenv = \"s3cret, expected nothing\"\n",
    ];
    for fault in faults {
        machine.config(fault);
        for args in [&["tools", "std"][..], &["tools", "std", "--json"]] {
            let ran = machine.run(args).code(2);
            let said = format!("{}{}", ran.out(), ran.err());
            assert!(!said.contains("s3cret") && !said.contains("7123") && !said.contains("2712"), "{fault}: {ran:?}");
            assert!(said.contains("config.toml:"), "{ran:?}");
        }
    }
}

#[test]
fn whoever_trusts_a_project_is_shown_the_hosts_that_it_grants() {
    let machine = Machine::new();
    let project = "hosts = [\"*\"]\n[bundles.http]\nhosts = [\"http://api.example.com\"]\n";
    machine.file("handbox.toml", project);
    let trusted = machine.run(&["config", "trust"]).ok();
    let shown = trusted.out();
    assert!(shown.contains("it may now set:") && shown.contains("  host https://*\n"), "{shown}");
    assert!(shown.contains("  for http: host http://api.example.com\n"), "{shown}");
    let json = machine.run(&["config", "trust", "--json"]).ok().json();
    assert_eq!(json["grants"].as_array().map(Vec::len), Some(2), "{json}");
}
