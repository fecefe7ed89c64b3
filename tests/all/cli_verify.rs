//! Whether damage is found: in the store's file, in its end, and while another process holds it.

use handbox_session::{Batch, NewSession, Writer};
use handbox_tests::Machine;
use handbox_tests::sample::{self, Opened};
use serde_json::json;
use std::path::PathBuf;

fn store(machine: &Machine) -> PathBuf {
    machine.home(".data/handbox/sessions.redb")
}

/// Puts sessions into the store.
fn keep(machine: &Machine, sessions: Vec<NewSession>) {
    let opened = Opened::new(&machine.home(".data/handbox"));
    opened.run(async |log| {
        for new in sessions {
            log.create(new).await.expect("it is new");
        }
    });
}

/// Puts sessions into the store as they come to be: the first event, then all others.
fn keep_in_steps(machine: &Machine, sessions: Vec<NewSession>) {
    let opened = Opened::new(&machine.home(".data/handbox"));
    for mut new in sessions {
        let events = new.events.split_off(1);
        let batch = Batch { session: new.id, writer: Writer::Client, after: None, events };
        opened.run(async |log| {
            log.create(new).await.expect("it is new");
            log.append(vec![batch]).await.expect("appended");
        });
    }
}

/// Changes one bit of the first place in the store's file that holds these bytes.
fn flip(machine: &Machine, bytes: &[u8]) {
    let mut file = std::fs::read(store(machine)).expect("the store");
    let at = file.windows(bytes.len()).position(|found| found == bytes).expect("it is there");
    file[at] ^= 1;
    std::fs::write(store(machine), file).expect("written");
}

#[test]
fn a_sound_store_is_found_sound() {
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1), sample::session(2)]);
    let ran = machine.run(&["log", "verify"]).ok().says(&["2 sessions, 36 events: all as they were written"]);
    assert_eq!(ran.out().lines().filter(|line| line.ends_with("  sound")).count(), 2, "{ran:?}");
    let found = machine.run(&["log", "verify", "--json"]).ok().json();
    assert_eq!((&found["status"], &found["through"], &found["damages"]), (&json!("sound"), &json!("file"), &json!([])));
    let heads = found["heads"].as_array().expect("heads");
    assert!(heads.len() == 2 && heads.iter().all(|head| head["seq"] == 18 && head["hash"].is_string()), "{found}");
    let id = sample::session(2).id.to_string();
    let one = machine.run(&["log", "verify", &id, "--json"]).ok().json();
    assert_eq!((&one["heads"][0]["session"], &one["events"]), (&json!(id), &json!(18)));
}

#[test]
fn a_changed_byte_of_an_event_is_named_with_its_place() {
    let machine = Machine::new();
    keep_in_steps(&machine, vec![sample::session(1), sample::session(2)]);
    let text = b"What is left to do in my notes?";
    flip(&machine, text);
    let ran = machine.run(&["log", "verify"]).code(5).says(&["error: ", "hint: "]);
    assert!(ran.out().contains("DAMAGED at 2: ") && ran.out().contains("  sound"), "{ran:?}");
    let found = machine.run(&["log", "verify", "--json"]).code(5).json();
    assert_eq!((&found["status"], &found["damages"][0]["seq"]), (&json!("damaged"), &json!(2)));
    let (damaged, sound) = [sample::session(1), sample::session(2)]
        .map(|new| new.id.to_string())
        .into_iter()
        .partition::<Vec<_>, _>(|id| found["damages"][0]["session"] == json!(id));
    ran.says(&[&format!("`handbox log export {} -o FILE` takes out", sound[0]), "comes back from a backup"]);
    machine.run(&["log", "verify", &sound[0]]).ok();
    machine.run(&["log", "verify", &damaged[0]]).code(5);
    machine.run(&["log", "export", &sound[0]]).ok();
    machine.run(&["log", "export", &damaged[0], "-o", "never"]).code(5).says(&["damaged", "place 2"]);
    assert!(!machine.path("never").exists(), "half an export");
    // The list shows what it can.
    let listed = machine.run(&["sessions"]).code(5);
    assert!(listed.out().contains("DAMAGED") && listed.out().contains("idle"), "{listed:?}");
}

#[test]
fn a_file_that_the_engine_cannot_read_is_damaged_and_no_crash() {
    for damage in [
        (|file: &mut Vec<u8>| file[..4096].fill(0x5a)) as fn(&mut Vec<u8>),
        |file| file.truncate(8192),
        |file| file[64..320].fill(0xff),
        |file| {
            let end = file.len();
            file[4096..end].fill(0);
        },
    ] {
        let machine = Machine::new();
        keep(&machine, vec![sample::session(1)]);
        let mut file = std::fs::read(store(&machine)).expect("the store");
        damage(&mut file);
        std::fs::write(store(&machine), &file).expect("written");
        let ran = machine.run(&["log", "verify"]).code(5).says(&["error: "]);
        assert!(ran.out().contains("DAMAGED"), "{ran:?}");
        let doctor = machine.run(&["doctor"]).code(1);
        assert!(doctor.out().contains("FAIL  sessions "), "{doctor:?}");
    }
}

#[test]
fn heads_that_were_kept_elsewhere_find_a_cut_end_and_a_rewritten_session() {
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1), sample::session(2)]);
    let heads = machine.run(&["log", "verify", "--json"]).ok();
    let heads = machine.file("heads.json", heads.out()).display().to_string();
    machine.run(&["log", "verify", "--anchors", &heads]).ok();
    std::fs::remove_file(store(&machine)).expect("removed");
    machine.run(&["log", "verify", "--anchors", &heads]).code(5).says(&["2 damages", "the whole session"]);

    let mut cut = sample::session(1);
    cut.events.truncate(11);
    let mut rewritten = sample::session(2);
    rewritten.events[1] = sample::message(1, "something else");
    rewritten.events.push(sample::message(2, "more"));
    keep(&machine, vec![cut.clone(), rewritten.clone()]);
    machine.run(&["log", "verify"]).ok();
    let found = machine.run(&["log", "verify", "--anchors", &heads, "--json"]).code(5).json();
    let of = |id: &str| {
        let damages = found["damages"].as_array().expect("damages");
        damages.iter().find(|damage| damage["session"] == json!(id)).cloned().expect("it is found")
    };
    let (cut, rewritten) = (of(&cut.id.to_string()), of(&rewritten.id.to_string()));
    assert_eq!((&cut["seq"], &cut["what"]), (&json!(12), &json!("cut: it ends at the entry 11, but once reached 18")));
    assert!(rewritten["what"].as_str().is_some_and(|what| what.starts_with("changed: ")), "{rewritten}");
    machine.file("wrong.json", "{}");
    machine.run(&["log", "verify", "--anchors", "wrong.json"]).code(2).says(&["wrong.json holds no anchors"]);
}

#[test]
fn heads_stay_right_while_a_session_grows() {
    let machine = Machine::new();
    let mut new = sample::session(1);
    let later = new.events.split_off(9);
    let id = new.id;
    keep(&machine, vec![new]);
    let heads = machine.run(&["log", "verify", "--json"]).ok();
    let heads = machine.file("heads.json", heads.out()).display().to_string();
    let opened = Opened::new(&machine.home(".data/handbox"));
    let batch = Batch { session: id, writer: Writer::Client, after: None, events: later };
    opened.run(async |log| log.append(vec![batch]).await).expect("appended");
    drop(opened);
    machine.run(&["log", "verify", "--anchors", &heads]).ok();
}

#[test]
fn a_store_that_is_held_is_verified_through_its_holder() {
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1), sample::session(2)]);
    let id = sample::session(1).id.to_string();
    let heads = machine.run(&["log", "verify", "--json"]).ok();
    let anchors = machine.file("heads.json", heads.out()).display().to_string();
    let follower = machine.line(&["sessions", "events", &id, "--last", "1", "--follow"]).start();
    follower.line();
    let who = format!("process {} (handbox sessions events --follow) holds the store", follower.process());
    let ran = machine.run(&["log", "verify", "--anchors", &anchors]).ok();
    ran.says(&[&who, "read through it and checked by their hashes", "2 sessions, 36 events"]);
    let found = machine.run(&["log", "verify", "--json"]).ok().json();
    assert_eq!((&found["through"], &found["holder"]["process"]), (&json!("holder"), &json!(follower.process())));
    assert_eq!(found["heads"], heads.json()["heads"], "both ways find the same");
    assert_eq!(machine.run(&["log", "verify", &id, "--json"]).ok().json()["events"], 18);
    follower.kill();
    assert_eq!(machine.run(&["log", "verify", "--json"]).ok().json()["through"], "file");
}

#[test]
fn doctor_says_how_the_store_is_and_leaves_it_as_it_is() {
    let machine = Machine::new();
    let line = |status: &str| {
        let ran = machine.run(&["doctor"]);
        let at = ran.out().find(&format!("{status}  sessions ")).unwrap_or_else(|| panic!("{status}: {ran:?}"));
        ran.out()[at..].lines().take(2).collect::<Vec<_>>().join("\n")
    };
    assert!(line("ok  ").contains("is made by the first session"));
    assert!(!machine.home(".data/handbox").exists(), "looking made a folder");
    keep(&machine, vec![sample::session(1)]);
    let before = std::fs::read(store(&machine)).expect("the store");
    let found = line("ok  ");
    for part in ["held by nobody", "format 1, opens, 1 session", "MiB"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(std::fs::read(store(&machine)).expect("the store") == before, "looking changed the file");
}
