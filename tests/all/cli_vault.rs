//! `handbox vault`: what is taken in comes out nowhere, and what goes wrong is said.

use handbox_tests::{Machine, Ran};
use serde_json::json;
use std::path::{Path, PathBuf};

const CANARY: &str = "sk-canary-0123456789";
const OTHER: &str = "sk-second-canary-9876543210";

/// The canary as it is, in hexadecimal, and in Base64 wherever it begins.
fn forms(value: &str) -> Vec<String> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let shifted = (0..3).map(|shift| {
        let text = format!("{}{value}", "x".repeat(shift));
        let whole = base64(text.as_bytes());
        // Without what its neighbours would change.
        whole[4..whole.len() - 4].to_owned()
    });
    [value.to_owned(), hex].into_iter().chain(shifted).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([0; 3].iter()).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63] as char;
            text.push(if at <= group.len() { letter } else { '=' });
        }
    }
    text
}

/// Every byte of every file below a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else {
            all.extend(std::fs::read(&path).expect("a file"));
        }
    }
    all
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[track_caller]
fn hides(ran: &Ran) {
    for form in forms(CANARY).into_iter().chain(forms(OTHER)) {
        assert!(!ran.out().contains(&form) && !ran.err().contains(&form), "{form}: {ran:?}");
    }
}

/// Takes a bearer token in.
fn set(machine: &Machine, name: &str) -> Ran {
    machine.line(&["vault", "set", name, "--stdin"]).stdin(CANARY).run()
}

fn key(machine: &Machine) -> PathBuf {
    machine.home(".config/handbox/vault.key")
}

fn vault(machine: &Machine) -> PathBuf {
    machine.home(".data/handbox/vault.age")
}

#[test]
fn no_command_shows_a_value_and_no_file_holds_one() {
    let machine = Machine::new();
    let listed = machine.run(&["vault", "list", "--json"]).ok().json();
    assert_eq!(listed, json!({ "credentials": [] }));
    let bound = ["vault", "bind", "a", "https://api.example.com/v1", "--for", "std"];
    let mut ran = vec![
        set(&machine, "a").ok().says(&["a is in the vault (bearer)", "handbox vault bind a https://HOST/PATH"]),
        machine.run(&bound).ok().says(&["a goes to https://api.example.com/v1 for std"]),
        machine.run(&["vault", "list"]).ok(),
        machine.run(&["vault", "list", "--json"]).ok(),
        machine.line(&["vault", "rotate", "a", "--stdin"]).stdin(&format!("{OTHER}\n")).run().ok(),
        set(&machine, "a").code(2).says(&["has a credential \"a\" already", "handbox vault rotate a"]),
        machine.run(&["-vv", "vault", "list"]).ok(),
    ];
    let files = bytes(&machine.home(""));
    for form in forms(CANARY).into_iter().chain(forms(OTHER)) {
        assert!(!holds(&files, &form), "{form}");
    }
    assert!(!holds(&files, "api.example.com"), "where it goes is not told either");
    let json = ran[3].json();
    let one = &json["credentials"][0];
    assert_eq!((&one["name"], &one["kind"], &one["last_used"]), (&json!("a"), &json!("bearer"), &json!(null)));
    assert_eq!(one["bindings"][0]["to"], "https://api.example.com/v1");
    assert!(ran[2].out().contains("-> https://api.example.com/v1 for std"), "{:?}", ran[2]);
    ran.push(machine.run(&["vault", "unbind", "a", "https://api.example.com/v1"]).ok());
    ran.push(machine.run(&["vault", "unbind", "a", "--for", "std"]).code(2).says(&["has no such binding"]));
    ran.push(machine.run(&["vault", "rm", "a"]).ok());
    ran.push(machine.run(&["vault", "rm", "a"]).code(2).says(&["no credential \"a\"", "handbox vault list"]));
    ran.iter().for_each(hides);
}

#[test]
fn a_value_that_is_typed_as_an_argument_is_refused_and_not_repeated() {
    let machine = Machine::new();
    for line in [
        &["vault", "set", "a", CANARY][..],
        &["vault", "set", "a", CANARY, "--stdin"],
        &["vault", "set", "a", CANARY, "more"],
        &["vault", "rotate", "a", CANARY],
        &["vault", "set", "a", CANARY, "--json"],
    ] {
        let ran = machine.line(line).stdin(OTHER).run().code(2);
        hides(&ran);
        let said = format!("{}{}", ran.out(), ran.err());
        assert!(said.contains("never typed as an argument") && said.contains("--stdin"), "{said}");
    }
    assert!(!vault(&machine).exists() && !key(&machine).exists());
    // Nobody is there to be asked.
    machine.run(&["vault", "set", "a"]).code(2).says(&["standard input is no terminal", "--stdin", "--file"]);
}

#[test]
fn what_is_no_credential_is_refused_without_repeating_it() {
    let machine = Machine::new();
    let long = "x".repeat(9000);
    for (value, why) in [
        ("k-12345", "at least 8 bytes"),
        ("", "at least 8 bytes"),
        (long.as_str(), "at most"),
        ("sk-canary-0123456789\nsecond", "visible ASCII"),
        ("sk-canary-0123456789\u{1b}[2J", "visible ASCII"),
        ("sk canary 0123456789", "visible ASCII"),
    ] {
        let ran = machine.line(&["vault", "set", "a", "--stdin"]).stdin(value).run().code(2).says(&[why]);
        assert!(value.is_empty() || !ran.err().contains(value), "{ran:?}");
        hides(&ran);
    }
    machine.file("value", format!("  {CANARY}\n"));
    machine.run(&["vault", "set", "a", "--file", "value"]).ok();
    machine.run(&["vault", "set", "b", "--file", "missing"]).code(2).says(&["missing", "correct the path"]);
}

#[test]
fn kinds_say_what_they_need() {
    let machine = Machine::new();
    let set = |flags: &[&str]| {
        let line = [&["vault", "set", "a", "--stdin"], flags].concat();
        machine.line(&line).stdin(CANARY).run()
    };
    set(&["--kind", "basic"]).code(2).says(&["add --user USER"]);
    set(&["--header", "host"]).code(2).says(&["no header that can carry a credential"]);
    set(&["--header", "x-api-key", "--user", "me"]).code(2).says(&["--user says nothing", "leave --user out"]);
    set(&["--kind", "model"]).code(2).says(&["--provider anthropic"]);
    set(&["--kind", "oauth"]).code(2).says(&["handbox vault login a --device"]);
    set(&["--variable", "KEY"]).code(2).says(&["--pointer"]);
    set(&["--query", "key"]).ok().says(&["warning", "logs of servers", "prefer a header"]);
    machine.run(&["vault", "rm", "a"]).ok();
    set(&["--variable", "API_KEY", "--header", "authorization:Bearer"]).ok();
    let listed = machine.run(&["vault", "list", "--json"]).ok().json();
    let place = json!({ "env": { "variable": "API_KEY", "place": { "header": { "name": "authorization", "prefix": "Bearer " } } } });
    assert_eq!(listed["credentials"][0]["place"], place);
    let bound = machine.run(&["vault", "bind", "a", "https://a.example", "--for", "std", "--json"]).ok().json();
    assert_eq!(bound["binding"]["guest_header"], "replace");
    let command = |text: &str| machine.run(&["vault", "set", "c", "--from-command", text]);
    command("pass show \"my mail\"").code(2).says(&["without a shell", "JSON array"]);
    command("[\"pass\", \"show\", \"my mail\"]").ok();
    let listed = machine.run(&["vault", "list"]).ok();
    assert!(listed.out().contains("command pass") && !listed.out().contains("my mail"), "{listed:?}");
}

#[test]
fn a_bundle_is_pinned_as_it_was_when_it_was_bound() {
    let machine = Machine::new();
    set(&machine, "a").ok();
    let guest = machine.guest("echo");
    let bind = |more: &[&str]| {
        let line = [&["vault", "bind", "a", "https://a.example", "--for", &guest, "--json"], more].concat();
        machine.run(&line).ok().json()["binding"].clone()
    };
    let bound = bind(&[]);
    assert!(bound["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{bound}");
    assert_eq!(bound["bundle"], guest.as_str());
    let bound = bind(&["--any-version", "--method", "get"]);
    assert_eq!((&bound["digest"], &bound["methods"]), (&json!(null), &json!(["GET"])));
    let listed = machine.run(&["vault", "list", "--json"]).ok().json();
    assert_eq!(listed["credentials"][0]["bindings"].as_array().map(Vec::len), Some(1), "{listed}");
    machine.run(&["vault", "bind", "a", "https://a.example", "--for", "nobody"]).code(2);
    machine.run(&["vault", "bind", "a", "http://a.example", "--for", "std"]).code(2).says(&["use https"]);
    machine.run(&["vault", "unbind", "a"]).code(2).says(&["--all"]);
    assert_eq!(machine.run(&["vault", "unbind", "a", "--for", &guest, "--json"]).ok().json()["unbound"], 1);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_closes_the_vault() {
    use std::os::unix::fs::PermissionsExt as _;
    let machine = Machine::new();
    set(&machine, "a").ok();
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&key(&machine)), mode(&vault(&machine))), (0o600, 0o600));
    std::fs::set_permissions(key(&machine), std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    for line in [&["vault", "list"][..], &["vault", "rm", "a"], &["vault", "init"]] {
        machine.run(line).code(3).says(&["can be read or changed by others (mode 644)", "chmod 600"]);
    }
    set(&machine, "b").code(3);
    std::fs::set_permissions(key(&machine), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    machine.run(&["vault", "list"]).ok();
}

#[test]
fn a_damaged_vault_is_closed_and_left_as_it_is() {
    let machine = Machine::new();
    set(&machine, "a").ok();
    let whole = std::fs::read(vault(&machine)).expect("a vault");
    for part in [&b""[..], b"garbage", &whole[..whole.len() / 2]] {
        std::fs::write(vault(&machine), part).expect("a file");
        for ran in [machine.run(&["vault", "list"]), set(&machine, "b"), machine.run(&["vault", "rm", "a"])] {
            ran.code(5).says(&["vault.age cannot be opened", "backup"]);
        }
        assert_eq!(std::fs::read(vault(&machine)).expect("a file"), part);
    }
    std::fs::write(vault(&machine), &whole).expect("a file");
    machine.run(&["vault", "list"]).ok();
    std::fs::remove_file(key(&machine)).expect("a key");
    set(&machine, "b").code(5).says(&["but not its key", "HANDBOX_VAULT_KEY_FILE"]);
    assert!(!key(&machine).exists());
}

#[test]
fn processes_that_change_it_at_once_lose_nothing() {
    let machine = Machine::new();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let machine = &machine;
            scope.spawn(move || set(machine, &format!("n{at}")).ok());
        }
    });
    let listed = machine.run(&["vault", "list", "--json"]).ok().json();
    assert_eq!(listed["credentials"].as_array().map(Vec::len), Some(8), "{listed}");
}

#[test]
fn a_passphrase_closes_the_key() {
    let machine = Machine::new();
    set(&machine, "a").ok();
    let init = ["vault", "init", "--passphrase-file", "-"];
    machine.line(&init).stdin("short\n").run().code(2).says(&["at least 8 characters"]);
    machine.line(&init).stdin("correct horse battery\n").run().ok().says(&["closed by your passphrase"]);
    assert!(!holds(&bytes(&machine.home("")), "AGE-SECRET-KEY"));
    machine.run(&["vault", "list"]).code(2).says(&["HANDBOX_VAULT_PASSPHRASE_FILE"]);
    machine.file("wrong", "another horse\n");
    let file = machine.file("right", "correct horse battery\n");
    let list = |file: &str| machine.line(&["vault", "list"]).env("HANDBOX_VAULT_PASSPHRASE_FILE", file).run();
    list("wrong").code(5).says(&["does not open"]);
    assert!(list("right").ok().out().contains("bearer"));
    machine.line(&["vault", "init"]).env("HANDBOX_VAULT_PASSPHRASE_FILE", &file).run().ok();
    machine.run(&["vault", "list"]).ok();
}

#[test]
fn no_grant_reaches_the_vault_however_it_is_forced() {
    let machine = Machine::new();
    set(&machine, "a").ok();
    let read = |dir: &Path, force: bool| {
        let dir = format!("{}:/w:ro", dir.display());
        let force: &[&str] = if force { &["--allow-dangerous-folders"] } else { &[] };
        machine.run(&[&["call", "std", "glob", "--pattern", "*", "--dir", &dir], force].concat())
    };
    for folder in [".config/handbox", ".config", ".data/handbox", ".data", ""] {
        for force in [false, true] {
            let ran = read(&machine.home(folder), force).code(3);
            assert!(!ran.out().contains("vault"), "{ran:?}");
        }
        read(&machine.home(folder), true).code(3).says(&["no tool may reach the vault"]);
    }
    let elsewhere = machine.path("keys/mine.key");
    std::fs::create_dir(machine.path("keys")).expect("a folder");
    let line = ["call", "std", "glob", "--pattern", "*"];
    machine.line(&line).env("HANDBOX_VAULT_KEY_FILE", &elsewhere).run().code(3).says(&["no tool may reach the vault"]);
}

#[cfg(unix)]
#[test]
fn a_value_is_not_waited_for_where_nobody_writes_one() {
    let machine = Machine::new();
    let fifo = machine.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let ran = machine.run(&["vault", "set", "a", "--kind", "bearer", "--file", &fifo.display().to_string()]).code(2);
    ran.says(&["fifo is no regular file", "with --stdin in the place of --file"]);
}
