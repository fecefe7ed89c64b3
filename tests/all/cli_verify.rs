//! Whether damage is found: in the store's file, in its end, and while another process holds it.

use handbox_session::{Batch, NewSession, Writer};
use handbox_tests::Machine;
use handbox_tests::sample::{self, Opened};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

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
    ran.says(&[&format!("handbox log export {} -o", sound[0]), &format!("{} comes back from the backup", damaged[0])]);
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
fn a_store_that_is_held_and_written_to_is_verified_through_its_holder() {
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1), sample::session(2)]);
    let id = sample::session(1).id.to_string();
    let heads = machine.run(&["log", "verify", "--json"]).ok();
    let anchors = machine.file("heads.json", heads.out()).display().to_string();
    let opened = Opened::new(&machine.home(".data/handbox"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in (0..).take_while(|_| !done.load(Ordering::Relaxed)) {
                let events = vec![sample::message(number, "more")];
                let batch = Batch { session: sample::session(2).id, writer: Writer::Client, after: None, events };
                opened.run(async |log| log.append(vec![batch]).await).expect("appended");
            }
        });
        let ran = machine.run(&["log", "verify", "--anchors", &anchors]);
        let found = machine.run(&["log", "verify", "--json"]);
        let one = machine.run(&["log", "verify", &id, "--json"]);
        done.store(true, Ordering::Relaxed);
        let who = format!("process {} (a test) holds the store and writes", std::process::id());
        ran.ok().says(&[&who, "read through it and checked by their hashes", "2 sessions, "]);
        let (found, one) = (found.ok().json(), one.ok().json());
        assert_eq!((&found["through"], &found["holder"]["process"]), (&json!("holder"), &json!(std::process::id())));
        let of_one = |report: &serde_json::Value| {
            let heads = report["heads"].as_array().expect("heads");
            heads.iter().find(|head| head["session"] == json!(id)).cloned().expect("it is there")
        };
        assert_eq!(of_one(&found), of_one(&heads.json()), "both ways find the same");
        assert_eq!(one["events"], 18);
    });
}

#[test]
fn a_store_that_is_held_by_somebody_who_reads_is_verified_by_its_file() {
    let machine = Machine::new();
    keep_in_steps(&machine, vec![sample::session(1), sample::session(2)]);
    let id = sample::session(1).id.to_string();
    let follower = machine.line(&["sessions", "events", &id, "--last", "1", "--follow"]).start();
    follower.line();
    let before = std::fs::read(store(&machine)).expect("the store");
    assert_eq!(machine.run(&["log", "verify", "--json"]).ok().json()["through"], "file");
    assert!(std::fs::read(store(&machine)).expect("the store") == before, "verifying changed the file");
    assert_eq!(machine.run(&["sessions", "--json"]).ok().json()["sessions"].as_array().map(Vec::len), Some(2));
    // What was changed is named with its exact place, and not only between two that are known.
    flip(&machine, b"What is left to do in my notes?");
    let ran = machine.run(&["log", "verify"]).code(5);
    assert!(ran.out().contains("DAMAGED at 2: "), "{ran:?}");
    follower.kill();
}

#[test]
fn verifying_changes_nothing_and_says_what_to_do() {
    let machine = Machine::new();
    keep_in_steps(&machine, vec![sample::session(1), sample::session(2)]);
    for verb in [&["log", "verify"][..], &["doctor"]] {
        let before = std::fs::read(store(&machine)).expect("the store");
        machine.run(verb).ok();
        assert!(std::fs::read(store(&machine)).expect("the store") == before, "{verb:?} changed the file");
    }
    assert_eq!(std::fs::read_dir(machine.beside("tmp")).expect("a folder").count(), 0, "a copy was left");
    machine
        .run(&["log", "verify", "nosuch"])
        .code(2)
        .says(&["no session's id is `nosuch`", "`handbox sessions` lists"]);
    flip(&machine, b"What is left to do in my notes?");
    let ran = machine.run(&["log", "verify"]).code(5);
    let id = |end: &str| {
        let row = ran.out().lines().find(|row| row.contains(end)).expect("a row");
        row.split(' ').next().expect("an id").to_owned()
    };
    let (sound, damaged) = (id("  sound"), id("DAMAGED"));
    assert!(!ran.err().contains("export ID"), "{ran:?}");
    let export = format!("handbox log export {sound} -o {sound}.jsonl");
    ran.says(&[&export, &format!("{damaged} comes back from the backup"), "sessions.redb"]);
    std::fs::remove_dir_all(machine.home(".data/handbox")).expect("removed");
    machine.run(&["log", "verify", "nosuch"]).code(2).says(&["hint: ", "handbox log import FILE"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_that_reads_the_file_ends_with_the_one_that_asked() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1)]);
    // A FIFO in the place of the file holds it up for as long as this test wants.
    std::fs::remove_file(store(&machine)).expect("removed");
    assert!(Command::new("mkfifo").arg(store(&machine)).status().expect("mkfifo").success());
    let mut child = Command::new(handbox_tests::program());
    child.args(["log", "engine", "verify"]).arg(machine.home(".data/handbox"));
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(b"[]\n").expect("it reads");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().expect("our own child").is_none(), "it waits for the file");
    drop(pipe);
    let late = Instant::now() + Duration::from_secs(10);
    while child.try_wait().expect("our own child").is_none() {
        assert!(Instant::now() < late, "it goes on without anybody");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn doctor_fails_where_nothing_can_be_written() {
    let machine = Machine::new();
    keep(&machine, vec![sample::session(1)]);
    let data = machine.home(".data/handbox");
    // A read-only mount of a namespace of its own: root writes to files of any mode.
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" || exit 99; \
        \"$1\" doctor --data \"$0\"; echo \"doctor $?\"; \"$1\" log verify --data \"$0\"; echo \"verify $?\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).arg(&data).arg(handbox_tests::program());
    let Some(ran) = command.output().ok().filter(|ran| ran.status.code() == Some(0)) else {
        return handbox_tests::skipped("no mount can be made here");
    };
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(text.contains("FAIL  sessions ") && text.contains("cannot be written"), "{text}");
    assert!(text.contains("doctor 1") && text.contains("verify 0"), "{text}");
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
