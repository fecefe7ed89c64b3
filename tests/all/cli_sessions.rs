//! Sessions as people look at them: listed, shown, followed, forked, removed, taken out and taken in.

use handbox_session::{Batch, NewSession, Writer};
use handbox_tests::sample::{self, Opened};
use handbox_tests::{Machine, repository};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The events of the sample that clients see, in the order in which they were processed.
const SEEN: [&str; 10] = [
    "session.status_running",
    "user.message",
    "span.model_request_start",
    "span.model_request_end",
    "agent.tool_use",
    "agent.tool_result",
    "span.model_request_start",
    "span.model_request_end",
    "agent.message",
    "session.status_idle",
];

fn data(machine: &Machine) -> PathBuf {
    machine.home(".data/handbox")
}

/// Imports the sample of a number, and gives its id.
fn import(machine: &Machine, number: u64) -> String {
    let file = machine.file("import.jsonl", sample::export(&sample::session(number)));
    let ran = machine.run(&["log", "import", &file.display().to_string()]).ok();
    ran.out().trim_end().to_owned()
}

/// Every line that a command prints, as JSON.
fn lines(machine: &Machine, args: &[&str]) -> Vec<Value> {
    let ran = machine.run(args).ok();
    ran.out().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("it has a type")).collect()
}

#[test]
fn the_session_among_the_examples_is_this_sample() {
    let path = repository().join("examples/session.jsonl");
    let written = sample::export(&sample::session(0));
    if std::env::var_os("HANDBOX_WRITE_EXAMPLES").is_some() {
        std::fs::write(&path, &written).expect("the example can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == written, "run this test with HANDBOX_WRITE_EXAMPLES=1 to write examples/session.jsonl anew");
}

#[test]
fn where_nothing_is_kept_looking_makes_nothing() {
    let machine = Machine::new();
    machine.run(&["sessions"]).ok().says(&["no sessions in ", "handbox log import"]);
    assert_eq!(machine.run(&["sessions", "list", "--json"]).ok().json(), json!({ "sessions": [], "next": null }));
    assert!(machine.run(&["log", "verify"]).ok().says(&["nothing to check"]).out().is_empty());
    for verb in [
        &["show", "xxxxxxxx"][..],
        &["events", "xxxxxxxx"],
        &["fork", "xxxxxxxx"],
        &["rm", "xxxxxxxx"],
        &["list", "--before", "xxxxxxxx"],
    ] {
        machine.run(&[&["sessions"], verb].concat()).code(2).says(&["error: no session's id is `xxxxxxxx`"]);
    }
    machine.run(&["log", "export", "xxxxxxxx"]).code(2);
    assert!(!data(&machine).exists(), "looking made a folder");
}

#[test]
fn an_imported_session_is_listed_and_shown() {
    let machine = Machine::new();
    let example = repository().join("examples/session.jsonl");
    let id = machine.run(&["log", "import", &example.display().to_string()]).ok().out().trim_end().to_owned();
    let listed = machine.run(&["sessions"]).ok();
    let rows: Vec<&str> = listed.out().lines().collect();
    assert!(rows[0].starts_with("ID ") && rows.len() == 2, "{listed:?}");
    for part in [&*id, "idle", "What is left to do?", "18", "2026-11-21T09:30:04Z", "$0.0060"] {
        assert!(rows[1].contains(part), "{part}: {listed:?}");
    }
    let shown = machine.run(&["sessions", "show", &id]).ok();
    for part in ["helper claude-sonnet-4-5", "2 model requests, 1 tool calls", "1696 in, 57 out", "began", "hash"] {
        assert!(shown.out().contains(part), "{part}: {shown:?}");
    }
    let shown = machine.run(&["sessions", "show", &id, "--json"]).ok().json();
    assert_eq!((&shown["status"], &shown["stop_reason"]), (&json!("idle"), &json!("end_turn")));
    assert_eq!(shown["cost"], json!({ "usd": "0.0060", "picodollars": "5943000000" }));
    assert_eq!(shown["created_at"], "2026-11-21T09:30:00.000Z");
    let of_list = &machine.run(&["sessions", "--json"]).ok().json()["sessions"][0];
    assert_eq!((&of_list["id"], &of_list["events"]), (&json!(id), &json!(18)));
}

#[test]
fn an_id_may_be_cut_as_long_as_it_fits_one_session() {
    let machine = Machine::new();
    let (one, other) = (import(&machine, 1), import(&machine, 2));
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    for cut in [&one[..=same], &one["sesn_".len()..=same]] {
        assert_eq!(machine.run(&["sessions", "show", cut, "--json"]).ok().json()["id"], json!(one));
        assert_eq!(machine.run(&["log", "verify", cut, "--json"]).ok().json()["heads"][0]["session"], json!(one));
        machine.run(&["log", "export", cut]).ok();
    }
    machine.run(&["sessions", "show", &one[..same]]).code(2).says(&["fits more than one session", &one, &other]);
    machine.run(&["log", "verify", &one[..same]]).code(2).says(&["fits 2 sessions"]);
    for wrong in ["sesn_zzz", "nonsense-0", "sesn_1111111111111111111111"] {
        machine.run(&["sessions", "events", wrong]).code(2).says(&["session"]);
        machine.run(&["sessions", "rm", &one, wrong]).code(2);
    }
    assert_eq!(machine.run(&["sessions", "--json"]).ok().json()["sessions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn nothing_names_no_session_and_little_removes_none() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    for nothing in ["", "sesn_", "s", "sesn"] {
        for verb in [&["sessions", "show"][..], &["sessions", "rm"], &["sessions", "events"], &["log", "verify"]] {
            machine.run(&[verb, &[nothing]].concat()).code(2).says(&["hint: "]);
        }
        machine.run(&["log", "export", nothing]).code(2);
    }
    let digits = &id["sesn_".len()..];
    for little in ["1", &digits[..7], &id[.."sesn_".len() + 7]] {
        machine.run(&["sessions", "show", little]).ok();
        machine.run(&["sessions", "rm", little]).code(2).says(&["too little of an id", "at least 8 digits"]);
        machine.run(&["sessions", "rm", &id, little]).code(2);
    }
    machine.run(&["sessions", "show", &id]).ok();
    assert_eq!(machine.run(&["sessions", "rm", &digits[..8]]).ok().out(), format!("{id}\n"));
}

#[test]
fn the_ids_in_the_documents_fit_the_example_alone() {
    let machine = Machine::new();
    let example = repository().join("examples/session.jsonl").display().to_string();
    let id = machine.run(&["log", "import", &example]).ok().out().trim_end().to_owned();
    machine.run(&["sessions", "fork", &id, "--at", "7"]).ok();
    let mut texts = vec![std::fs::read_to_string(repository().join("README.md")).expect("it is there")];
    for verb in [&["sessions"][..], &["sessions", "events"], &["log", "export"]] {
        texts.push(machine.run(&[verb, &["--help"]].concat()).ok().out().to_owned());
    }
    for text in texts {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named: Vec<&str> = words.filter(|word| word.starts_with("sesn_1")).collect();
        assert!(!named.is_empty(), "{text}");
        for word in named {
            assert_eq!(machine.run(&["sessions", "show", word, "--json"]).ok().json()["id"], json!(id), "{word}");
        }
    }
}

#[test]
fn what_is_shown_of_a_session_forges_no_rows() {
    let machine = Machine::new();
    let mut new = sample::session(1);
    let last = new.events.pop().expect("it ended");
    let reason = format!("x\nsesn_1111111111111111111111  idle  {}", "forged ".repeat(60));
    let members = json!({ "stop_reason": { "type": reason } });
    let Value::Object(members) = members else { unreachable!() };
    new.events.push(handbox_session::Event::new(last.id(), last.kind().clone(), members).expect("an event"));
    let file = machine.file("forged.jsonl", sample::export(&new)).display().to_string();
    machine.run(&["log", "import", &file]).ok();
    let listed = machine.run(&["sessions"]).ok();
    assert!(listed.out().lines().count() == 2 && listed.out().lines().all(|row| row.len() < 200), "{listed:?}");
    let shown = machine.run(&["sessions", "show", &new.id.to_string()]).ok();
    assert!(shown.out().lines().all(|row| !row.contains("forged forged forged")), "{shown:?}");
}

#[test]
fn a_list_goes_on_where_it_ended() {
    let machine = Machine::new();
    let mut ids: Vec<String> = (0..5).map(|number| import(&machine, number)).collect();
    ids.sort();
    ids.reverse();
    let page = |args: &[&str]| {
        let page = machine.run(&[&["sessions", "list", "--json"], args].concat()).ok().json();
        let ids = page["sessions"].as_array().expect("a list").iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        (ids, page["next"].clone())
    };
    assert_eq!(page(&["--limit", "2"]), (vec![json!(ids[0]), json!(ids[1])], json!(ids[1])));
    assert_eq!(page(&["--limit", "3", "--before", &ids[1]]).0, [json!(ids[2]), json!(ids[3]), json!(ids[4])]);
    assert_eq!(page(&["--before", &ids[1]]).1, Value::Null);
    let none = machine.run(&["sessions", "list", "--before", &ids[4]]).ok();
    assert!(none.says(&["no session is older than ", &ids[4]]).out().is_empty());
    for wrong in ["0", "x", "-1"] {
        machine.run(&["sessions", &format!("--limit={wrong}")]).code(2).says(&["a whole number from 1 on"]);
    }
    machine.run(&["sessions", "--limit", "2"]).ok().says(&["there are older ones", &ids[1]]);
    machine.run(&["sessions", "--limit", "2", "show", &ids[0]]).code(2).says(&["belong to `list`"]);
}

#[test]
fn events_are_those_of_managed_agents_in_the_order_they_were_processed() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let events = |args: &[&str]| lines(&machine, &[&["sessions", "events", &id, "--json"], args].concat());
    assert_eq!(types(&events(&[])), SEEN);
    assert!(events(&[]).iter().all(|event| event["processed_at"].as_str().is_some_and(|time| time.ends_with('Z'))));
    let asked = &events(&["--types", "user.message"])[0];
    assert_eq!(asked["processed_at"], "2026-11-21T09:30:02.005Z", "when it was taken up, not when it came");
    assert_eq!(types(&events(&["--last", "2"])), SEEN[8..]);
    assert_eq!(types(&events(&["--types", "agent.tool_use,agent.tool_result"])), [SEEN[4], SEEN[5]]);
    assert_eq!(types(&events(&["--from", "2", "--to", "4"])), ["session.status_running", "user.message"]);
    assert_eq!(types(&events(&["--to", "1"])), Vec::<&str>::new());
    assert_eq!(types(&events(&["--to", "1", "--all"])), ["handbox.session_created"]);
    assert_eq!(types(&events(&["--types", "handbox.model_reply", "--last", "1"])), ["handbox.model_reply"]);
    assert_eq!(events(&["--all"]).len(), 18);
    assert_eq!(events(&["--from", "19"]).len(), 0);
    machine.run(&["sessions", "events", &id, "--last", "x"]).code(2).says(&["a whole number from 1 on"]);
    machine.run(&["sessions", "events", &id, "--from", "9", "--to", "3"]).code(2).says(&["--from 3 --to 9"]);
    for wrong in [&["--from", "0"][..], &["--last", "0"], &["--types", "No!"], &["--raw", "--json"]] {
        machine.run(&[&["sessions", "events", &id], wrong].concat()).code(2);
    }
    assert_eq!(machine.run(&["sessions", "events", &id, "--types", "session.deleted"]).ok().err(), "");
    machine.run(&["sessions", "events", &id, "--types", "agent.mesage"]).ok().says(&["warning: ", "agent.mesage"]);
}

#[test]
fn events_for_people_and_as_they_are_stored() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let text = machine.run(&["sessions", "events", &id]).ok();
    let rows: Vec<&str> = text.out().lines().collect();
    assert_eq!(rows.len(), SEEN.len(), "{text:?}");
    for (row, parts) in [
        (1, ["     2  2026-11-21T09:30:02.005Z  user.message ", "What is left to do in my notes?"]),
        (4, ["agent.tool_use", r#"grep {"pattern":"TODO"}"#]),
        (9, ["session.status_idle", "end_turn"]),
    ] {
        assert!(parts.iter().all(|part| rows[row].contains(part)), "{parts:?}: {text:?}");
    }
    let raw = machine.run(&["sessions", "events", &id, "--raw", "--all"]).ok();
    let stored: String = sample::session(1).events.iter().map(|event| format!("{}\n", event.json())).collect();
    assert_eq!(raw.out(), stored);
    assert_eq!(
        machine.run(&["sessions", "events", &id, "--raw", "--last", "1"]).ok().out(),
        stored.lines().last().map(|line| format!("{line}\n")).unwrap_or_default()
    );
}

#[test]
fn a_fork_shares_the_beginning_and_outlives_its_parent() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let fork =
        machine.run(&["sessions", "fork", &id, "--at", "7"]).ok().says(&["events 1 to 7"]).out().trim_end().to_owned();
    let shown = machine.run(&["sessions", "show", &fork, "--json"]).ok().json();
    assert_eq!((&shown["events"], &shown["forked_from"]["session"]), (&json!(7), &json!(id)));
    assert_eq!(shown["forked_from"]["at"], 7);
    machine.run(&["sessions", "fork", &id, "--at", "19"]).code(2);
    machine.run(&["sessions", "fork", &id, "--at", "0"]).code(2).says(&["a place is a whole number"]);
    assert_eq!(machine.run(&["sessions", "fork", &id, "--json"]).ok().json()["forked_from"]["at"], 18);
    let forks = machine.run(&["sessions", "--json"]).ok().json()["sessions"].as_array().expect("a list").clone();
    let forks: Vec<String> = forks.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned).collect();
    let forks: Vec<&str> = forks.iter().map(String::as_str).filter(|fork| **fork != *id).collect();
    let removed = machine.run(&["sessions", "rm", &id, &id]).ok();
    assert_eq!(removed.out(), format!("{id}\n"));
    // Until they go nobody else can have its id.
    let file = machine.file("again.jsonl", sample::export(&sample::session(1))).display().to_string();
    assert_eq!(forks.len(), 2);
    machine.run(&["log", "import", &file]).code(2).says(&["handbox sessions rm ", &forks.join(" ")]);
    removed.says(&["until they go", &forks.join(" ")]);
    machine.run(&["sessions", "show", &id]).code(2).says(&["there is no session"]);
    assert_eq!(lines(&machine, &["sessions", "events", &fork, "--json", "--all"]).len(), 7);
    // Elsewhere there is nothing to share with, and its hashes are the same all the same.
    let out = machine.path("fork.jsonl").display().to_string();
    machine.run(&["log", "export", &fork, "-o", &out]).ok();
    let elsewhere = machine.path("elsewhere").display().to_string();
    machine.run(&["log", "import", &out, "--data", &elsewhere]).ok();
    let again = machine.run(&["log", "export", &fork, "--data", &elsewhere]).ok();
    assert_eq!(again.out(), machine.read("fork.jsonl"));
    assert_eq!(machine.run(&["sessions", "rm", &fork, "--json"]).ok().json()["removed"], json!([fork]));
}

#[test]
fn what_is_exported_and_imported_is_the_same_to_the_byte() {
    let machine = Machine::new();
    // More than one append takes.
    let mut new = sample::session(1);
    new.events.extend((0..5_000).map(|number| sample::message(number, "more")));
    let written = sample::export(&new);
    let file = machine.file("a.jsonl", &written).display().to_string();
    let imported = machine.run(&["log", "import", &file, "--json"]).ok().json();
    assert_eq!((&imported["session"], &imported["events"]), (&json!(new.id), &json!(5_018)));
    let id = new.id.to_string();
    assert!(machine.run(&["log", "export", &id]).ok().out() == written);
    assert_eq!(machine.run(&["log", "export", &id, "-o", "b.jsonl", "--json"]).ok().json()["file"], "b.jsonl");
    assert!(machine.read("b.jsonl") == written);
    machine.run(&["log", "import", &file]).code(2).says(&["already", "it is the same, event for event"]);
    machine.run(&["sessions", "rm", &id]).ok();
    machine.line(&["log", "import", "-"]).stdin(&written).run().ok();
    assert!(machine.run(&["log", "export", &id]).ok().out() == written);
    assert_eq!(lines(&machine, &["sessions", "events", &id, "--json"]).len(), 5_010);
    let queued = lines(&machine, &["sessions", "events", &id, "--json", "--last", "3"]);
    assert!(queued.iter().all(|event| event["processed_at"].is_null()), "{queued:?}");
}

#[test]
fn an_export_replaces_nothing_without_being_told_to() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let written = sample::export(&sample::session(1));
    let export = |args: &[&str]| machine.run(&[&["log", "export", &id, "-o"], args].concat());
    machine.file("notes.txt", "mine");
    export(&["notes.txt"]).code(2).says(&["notes.txt is there already", "--force"]);
    assert_eq!(machine.read("notes.txt"), "mine");
    export(&["notes.txt", "--force"]).ok();
    assert!(machine.read("notes.txt") == written);
    export(&["."]).code(2).says(&["is a folder"]);
    let lost = export(&["no/such/folder.jsonl"]).code(2).says(&["no/such/folder.jsonl", "create it first"]);
    assert!(!lost.err().contains(".handbox-"), "{lost:?}");
    machine.run(&["log", "export", &id, "--force"]).code(2);
    let kept = data(&machine);
    for inside in ["sessions.redb", "new.jsonl", "run/new.jsonl"] {
        let inside = kept.join(inside).display().to_string();
        export(&[&inside, "--force"]).code(2).says(&["lies in the data folder"]);
    }
    machine.run(&["log", "verify"]).ok();
    links_and_devices(&machine, &id, &written);
}

#[cfg(unix)]
fn links_and_devices(machine: &Machine, id: &str, written: &str) {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let export = |args: &[&str]| machine.run(&[&["log", "export", id, "-o"], args].concat());
    symlink(machine.path("notes.txt"), machine.path("link")).expect("a link");
    machine.file("notes.txt", "mine");
    export(&["link"]).code(2).says(&["link is there already"]);
    export(&["link", "--force"]).ok();
    assert!(machine.read("notes.txt") == written && machine.path("link").is_symlink());
    symlink(machine.path("nowhere"), machine.path("loose")).expect("a link");
    export(&["loose", "--force"]).code(2).says(&["leads to nothing"]);
    symlink(data(machine).join("sessions.redb"), machine.path("store")).expect("a link");
    export(&["store", "--force"]).code(2).says(&["lies in the data folder"]);
    export(&["/dev/null"]).ok();
    assert!(std::fs::metadata("/dev/null").expect("it is there").file_type().is_char_device());
    let fifo = machine.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let reader = std::thread::spawn(move || std::fs::read_to_string(fifo));
    export(&["fifo"]).ok();
    assert!(reader.join().expect("no panic").expect("text") == written);
}

#[cfg(not(unix))]
fn links_and_devices(_: &Machine, _: &str, _: &str) {}

#[test]
fn a_file_in_which_anything_was_changed_is_refused_with_the_place() {
    let machine = Machine::new();
    let written = sample::export(&sample::session(1));
    let all: Vec<&str> = written.lines().collect();
    let without = |gone: usize| {
        all.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect::<Vec<_>>().join("\n")
    };
    for (file, code, says) in [
        (written.replace("bread\\n", "cakes\\n"), 5, "changed: the entry 13"),
        (without(5), 5, "missing: the entry 5"),
        (without(19), 5, "cut: the last line is missing, after the entry 18"),
        (all[..9].join("\n"), 5, "after the entry 8"),
        (written.replace("\n{\"seq\":3,", "\n{\"seq\": 3,"), 5, "the entry 3 or the end cannot be read"),
        (format!("{written}{}", all[3]), 5, "after the last line"),
        (String::new(), 2, "not an export"),
        ("{\"handbox_log\":2}".to_owned(), 2, "its form is 2"),
        ("PK\u{3}\u{4}".to_owned(), 2, "not an export"),
    ] {
        let path = machine.file("bad.jsonl", file).display().to_string();
        machine.run(&["log", "import", &path]).code(code).says(&["bad.jsonl", says]);
    }
    machine.run(&["log", "import", "absent.jsonl"]).code(2).says(&["absent.jsonl"]);
    assert!(!data(&machine).exists(), "nothing was kept of them");
}

#[test]
fn an_entry_that_comes_later_is_moved_and_one_that_does_not_is_missing() {
    let machine = Machine::new();
    let written = sample::export(&sample::session(1));
    let mut lines: Vec<&str> = written.lines().collect();
    lines.swap(5, 9);
    let file = machine.file("turned.jsonl", lines.join("\n")).display().to_string();
    machine.run(&["log", "import", &file]).code(5).says(&["moved: the entry 5 comes later"]);
    lines.remove(9);
    let file = machine.file("cut.jsonl", lines.join("\n")).display().to_string();
    machine.run(&["log", "import", &file]).code(5).says(&["missing: the entry 5"]);
    assert!(!data(&machine).exists(), "nothing was kept of them");
}

fn append(opened: &Opened, new: &NewSession, events: Vec<handbox_session::Event>) {
    let batch = Batch { session: new.id, writer: Writer::Client, after: None, events };
    opened.run(async |log| log.append(vec![batch]).await).expect("appended");
}

#[test]
fn two_processes_use_the_store_at_once_and_a_follower_sees_what_the_other_appends() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let new = sample::session(1);
    let follower = machine.line(&["sessions", "events", &id, "--json", "--last", "1", "--follow"]).start();
    assert!(follower.line().contains("session.status_idle"));
    let opened = Opened::new(&data(&machine));
    assert!(!opened.is_holder(), "the follower is");
    let (one, two) = (sample::message(1, "one"), sample::message(2, "two"));
    append(&opened, &new, vec![one.clone(), two]);
    let seen = |line: String| serde_json::from_str::<Value>(&line).expect("an event");
    let came = [seen(follower.line()), seen(follower.line())];
    assert!(came.iter().all(|event| event["processed_at"].is_null()), "{came:?}");
    append(&opened, &new, vec![sample::taken(3, vec![one.id()])]);
    let processed = seen(follower.line());
    assert_eq!((&processed["id"], &processed["content"]), (&json!(one.id()), &came[0]["content"]));
    assert_eq!(processed["processed_at"], "2026-11-21T09:31:00.003Z");
    // A third process lists, forks and says who holds the store.
    assert_eq!(machine.run(&["sessions", "--json"]).ok().json()["sessions"][0]["events"], 21);
    machine.run(&["sessions", "fork", &id, "--at", "3"]).ok();
    let doctor = machine.run(&["doctor"]).ok();
    let holder = format!("held by process {} (handbox sessions events --follow) since ", follower.process());
    assert!(doctor.out().contains(&holder) && doctor.out().contains("serves all other processes"), "{doctor:?}");
    // Without it the others go on.
    follower.kill();
    append(&opened, &new, vec![sample::message(4, "three")]);
    assert_eq!(machine.run(&["sessions", "show", &id, "--json"]).ok().json()["queued"], 2);
}

#[test]
fn a_follower_ends_at_the_place_it_was_given_and_with_its_session() {
    let machine = Machine::new();
    let id = import(&machine, 1);
    let new = sample::session(1);
    let bounded = machine.line(&["sessions", "events", &id, "--follow", "--raw", "--from", "18", "--to", "19"]).start();
    let endless = machine.line(&["sessions", "events", &id, "-f", "--from", "18"]).start();
    assert!(bounded.line().contains("status_idle") && endless.line().contains("status_idle"));
    let opened = Opened::new(&data(&machine));
    append(&opened, &new, vec![sample::message(1, "one")]);
    assert!(bounded.line().contains("one"));
    assert_eq!(bounded.code(), Some(0));
    assert!(endless.line().contains("queued"));
    // Input that came before the follower is seen when it is taken up.
    let late = machine.line(&["sessions", "events", &id, "-f", "--last", "1", "--types", "user.message,agent.message"]);
    let late = late.start();
    assert!(late.line().contains("queued"));
    let older = machine.line(&["sessions", "events", &id, "-f", "--from", "20"]).start();
    append(&opened, &new, vec![sample::message(2, "two")]);
    assert!(older.line().contains("two") && late.line().contains("two"));
    append(&opened, &new, vec![sample::taken(3, vec![sample::message(1, "one").id()])]);
    assert!(older.line().contains("one") && late.line().contains("one"));
    machine.run(&["sessions", "rm", &id]).ok();
    assert_eq!(endless.code(), Some(2));
}

#[test]
fn the_data_folder_can_be_named() {
    let machine = Machine::new();
    let example = repository().join("examples/session.jsonl").display().to_string();
    machine.run(&["log", "import", &example, "--data", "kept/here"]).ok();
    assert!(machine.path("kept/here/sessions.redb").is_file() && !data(&machine).exists());
    let count = |ran: handbox_tests::Ran| ran.ok().json()["sessions"].as_array().map(Vec::len);
    assert_eq!(count(machine.line(&["sessions", "--json"]).env("HANDBOX_DATA", "kept/here").run()), Some(1));
    assert_eq!(count(machine.run(&["--data", "kept", "sessions", "--json"])), Some(0));
    machine.run(&["sessions", "--data", ""]).code(2).says(&["--data"]);
    let file = machine.file("notes.txt", "mine").display().to_string();
    let store = machine.path("kept/here/sessions.redb").display().to_string();
    for wrong in [&file, &store] {
        for verb in
            [&["sessions"][..], &["log", "verify"], &["log", "import", &example], &["sessions", "rm", "1ChFqbrR"]]
        {
            machine.run(&[verb, &["--data", wrong]].concat()).code(2).says(&[wrong, "is a file: name a folder"]);
        }
        let doctor = machine.run(&["doctor", "--data", wrong]).code(1);
        assert!(doctor.out().contains("FAIL  data ") && doctor.out().contains("name a folder"), "{doctor:?}");
        assert!(!doctor.out().contains("make it readable for you"), "{doctor:?}");
    }
    machine.run(&["sessions", "--data", &store]).code(2).says(&["it lies in ", "kept/here"]);
    private(&machine.path("kept/here"));
}

#[cfg(unix)]
fn private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for (path, mode) in [(folder.to_owned(), 0o700), (folder.join("sessions.redb"), 0o600)] {
        let about = std::fs::metadata(&path).expect("it is there");
        assert_eq!(about.permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[cfg(not(unix))]
fn private(_: &Path) {}
