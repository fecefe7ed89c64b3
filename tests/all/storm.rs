//! The binary under a storm of SIGKILL, and a brain that was stopped past its lease.
//!
//! The short storm is part of `cargo test`. The long one, with its seed:
//! `HANDBOX_PROOF=long cargo test --release --test all storm -- --nocapture`; `HANDBOX_PROOF_SEED=n` repeats another.
#![cfg(unix)]

use handbox_tests::{Machine, Running};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A session reads, changes the same file in two replies, and says so. An edit that is made twice shows: its old text is
/// found again in its new one.
fn script(delay_ms: u64) -> String {
    let file = "/workspace/n.txt";
    let edit = |old: &str, new: &str| json!({ "name": "edit", "input": { "file_path": file, "old_string": old, "new_string": new } });
    json!([
        { "when": { "step": 1 }, "delay_ms": delay_ms, "reply": [
            { "text": "First." }, { "tool_use": { "name": "read", "input": { "file_path": file } } },
            { "tool_use": edit("x", "xy") } ] },
        { "when": { "step": 2 }, "delay_ms": delay_ms, "reply": [
            { "tool_use": { "name": "grep", "input": { "pattern": "x" } } }, { "tool_use": edit("z", "zw") } ] },
        { "when": { "step": 3 }, "delay_ms": delay_ms, "reply": [{ "text": "Done." }] }
    ])
    .to_string()
}

/// How much of a storm.
struct Storm {
    sessions: u32,
    /// How many processes there are at once.
    lanes: u32,
    /// How often a session's process is killed at most.
    kills: u32,
    /// When, after it began.
    after_ms: std::ops::Range<u64>,
    delay_ms: u64,
}

impl Storm {
    fn chosen() -> Self {
        if std::env::var("HANDBOX_PROOF").is_ok_and(|what| what == "long") {
            Self { sessions: 120, lanes: 8, kills: 4, after_ms: 300..5_000, delay_ms: 1_200 }
        } else {
            Self { sessions: 8, lanes: 4, kills: 2, after_ms: 50..700, delay_ms: 120 }
        }
    }
}

/// Numbers that a seed repeats (SplitMix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn within(&mut self, range: &std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
    }
}

/// What came of one session.
struct Came {
    kills: u32,
    unknown: usize,
}

fn sessions(machine: &Machine) -> Vec<Value> {
    let listed = machine.run(&["sessions", "list", "--json", "--limit", "1000"]).ok().json();
    listed["sessions"].as_array().cloned().unwrap_or_default()
}

/// The session that began with this prompt.
fn session(machine: &Machine, prompt: &str) -> Option<String> {
    let one = sessions(machine).into_iter().find(|one| one["title"] == prompt)?;
    one["id"].as_str().map(str::to_owned)
}

fn events(machine: &Machine, id: &str) -> Vec<Value> {
    let ran = machine.run(&["sessions", "events", id, "--json", "--all"]).ok();
    ran.out().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}

/// Runs one session, killing whoever works on it, and checks what came of it.
fn one(machine: &Machine, number: u32, storm: &Storm, seed: u64) -> Came {
    let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number)));
    let (prompt, folder) = (format!("storm {number}"), format!("storm-{number}"));
    let file = machine.file(&format!("{folder}/n.txt"), "x z\n");
    machine.file(&format!("{folder}/s.json"), script(storm.delay_ms));
    let within = machine.path(&folder);
    let begin = || {
        let args = ["run", "--model", "script:s.json", "--write", "--allow", "edit", "--json", &prompt];
        machine.line(&args).within(&within).start()
    };
    let mut kills = 0;
    let mut id: Option<String> = None;
    while kills < storm.kills {
        let running = match &id {
            None => begin(),
            Some(id) => machine.line(&["wake", id.as_str(), "--json"]).start(),
        };
        std::thread::sleep(Duration::from_millis(chance.within(&storm.after_ms)));
        running.kill();
        kills += 1;
        // What was killed before it began is begun again.
        id = id.or_else(|| session(machine, &prompt));
    }
    match &id {
        None => assert_eq!(begin().code(), Some(0), "{prompt} runs to its end"),
        Some(id) => drop(machine.run(&["wake", id.as_str(), "--json"]).ok()),
    }
    let id = id.or_else(|| session(machine, &prompt)).expect("it is there");
    let came = std::fs::read_to_string(&file).expect("the file is there");
    check(&events(machine, &id), &came, kills)
}

/// Every call has one answer, and no edit was made twice; one of which nobody knows was made once or never.
fn check(events: &[Value], file: &str, kills: u32) -> Came {
    let (uses, results) = (of_kind(events, "agent.tool_use"), of_kind(events, "agent.tool_result"));
    assert_eq!((uses.len(), results.len()), (4, 4), "four calls, each answered once");
    let mut unknown = 0;
    for (edit, done, undone) in [("x", "xy", "x"), ("z", "zw", "z")] {
        let call = uses.iter().find(|call| call["input"]["old_string"] == edit).expect("it was called");
        let answers: Vec<_> = results.iter().filter(|result| result["tool_use_id"] == call["id"]).collect();
        assert_eq!(answers.len(), 1, "{call}");
        let words: Vec<&str> = file.split_whitespace().collect();
        if answers[0]["is_error"] == json!(false) {
            assert!(words.contains(&done), "the edit is told as made, and the file is {file:?}");
        } else {
            assert_eq!(answers[0]["handbox"]["why"], "unknown_outcome", "{}", answers[0]);
            assert!(words.contains(&done) || words.contains(&undone), "made more than once: {file:?}");
            unknown += 1;
        }
    }
    let last = events.last().expect("there are events");
    assert_eq!((&last["type"], &last["stop_reason"]["type"]), (&json!("session.status_idle"), &json!("end_turn")));
    assert_eq!(of_kind(events, "agent.message").len(), 2, "what was said was said once");
    Came { kills, unknown }
}

#[test]
fn sessions_whose_processes_are_killed_again_and_again_end_as_if_nothing_had_happened() {
    let storm = Storm::chosen();
    let seed = std::env::var("HANDBOX_PROOF_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let machine = Machine::new();
    let begun = Instant::now();
    let next = AtomicU32::new(0);
    let lane = || {
        let mut came = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= storm.sessions {
                return came;
            }
            came.push(one(&machine, number, &storm, seed));
        }
    };
    let came: Vec<Came> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..storm.lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane ends")).collect()
    });
    assert_eq!(came.len(), storm.sessions as usize);
    let (kills, unknown) = came.iter().fold((0, 0), |sum, came| (sum.0 + came.kills, sum.1 + came.unknown));
    let calls = storm.sessions * 4;
    println!(
        "storm: seed {seed}, {} sessions, {} lanes, {kills} kills; {calls} calls, each answered once, {unknown} as unknown; {:.0} s",
        storm.sessions,
        storm.lanes,
        begun.elapsed().as_secs_f64()
    );
    machine.run(&["log", "verify"]).ok();
}

fn signal(running: &Running, name: &str) {
    let kill = format!("kill -{name} {}", running.process());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("there is a shell").success(), "{kill}");
}

fn wait_for(running: &Running, kind: &str) {
    while !running.line().contains(&format!("\"type\":\"{kind}\"")) {}
}

/// A lease lasts 30 s, which this test waits for.
#[test]
fn a_brain_that_was_stopped_past_its_lease_is_fenced_off_when_it_goes_on() {
    let machine = Machine::new();
    // Somebody else holds the store, so that stopping a brain stops no other.
    machine.run(&["run", "--model", "tour", "holder"]).ok();
    let held = session(&machine, "holder").expect("it is there");
    let holder = machine.line(&["sessions", "events", &held, "--follow", "--json"]).start();
    wait_for(&holder, "session.status_idle");

    machine.file("n.txt", "x z\n");
    machine.file("s.json", script(1_000));
    let args = ["run", "--model", "script:s.json", "--write", "--allow", "edit", "--json", "stopped"];
    let zombie = machine.line(&args).start();
    wait_for(&zombie, "span.model_request_end");
    wait_for(&zombie, "agent.tool_result");
    wait_for(&zombie, "agent.tool_result");
    // It waits for the model's second reply now, or begins to.
    signal(&zombie, "STOP");
    let id = session(&machine, "stopped").expect("it is there");
    // It waits for the lease of the one that is stopped, and goes on in its place.
    let begun = Instant::now();
    machine.run(&["wake", &id, "--json"]).ok();
    assert!(begun.elapsed() > Duration::from_secs(15), "a lease keeps others off while it lasts");
    assert_eq!(machine.read("n.txt"), "xy zw\n");
    signal(&zombie, "CONT");
    // It sees that another brain has done its work, and says how that ended.
    assert_eq!(zombie.code(), Some(0));
    assert_eq!(machine.read("n.txt"), "xy zw\n");
    let events = events(&machine, &id);
    check(&events, "xy zw\n", 0);
    let woke = of_kind(&events, "handbox.brain_woke");
    assert_eq!(woke.len(), 2, "two brains worked on it, and the first wrote nothing once the second had begun");
    drop(holder);
    machine.run(&["log", "verify"]).ok();
}
