//! How hands live and die: fresh and kept, cancelled, crowded.

use handbox_bundle::{Limits, State};
use handbox_hand::{Call, CallId, Hand, HandError, Limit, Outcome, Output, Recovery, ToolName};
use handbox_hands::{Allocation, KeptLimits, Toolbox};
use handbox_tests::{Lab, call, guest_bytes};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn attack() -> ToolName {
    ToolName::new("attack").expect("a name")
}

async fn count(toolbox: &Toolbox) -> String {
    call(toolbox, "attack", json!({})).await.expect("it counts").text()
}

/// That a kept hand counts from the start again, and says so.
#[track_caller]
fn assert_anew(text: &str) {
    let (first, rest) = text.split_once('\n').expect("two lines");
    assert!(first.contains("started anew") && rest == "1", "{text}");
}

#[tokio::test]
async fn a_kept_hand_remembers_until_it_is_released() {
    let lab = Lab::new();
    let toolbox = lab.load("state_bleed", State::Kept).await.expect("it loads");
    let hand = toolbox.hand_of(&attack()).expect("it is there");
    assert_eq!(hand.incarnation(), 0, "nothing is provisioned before the first call");
    assert_eq!((count(&toolbox).await, count(&toolbox).await), ("1".into(), "2".into()));
    assert_eq!(hand.incarnation(), 1);
    hand.release().await;
    assert_anew(&count(&toolbox).await);
    assert_eq!((count(&toolbox).await, hand.incarnation()), ("2".into(), 2), "it is said once");
}

#[tokio::test]
async fn state_travels_to_another_hand() {
    let lab = Lab::new();
    let giver = lab.load("state_bleed", State::Kept).await.expect("it loads");
    let receiver = lab.load("state_bleed", State::Kept).await.expect("it loads");
    for _ in 0..3 {
        count(&giver).await;
    }
    let saved = giver.save_state().await.expect("it saves");
    receiver.restore_state(saved).await.expect("it restores");
    assert_eq!(count(&receiver).await, "4");

    let fresh = lab.load("state_bleed", State::Fresh).await.expect("it loads");
    for refused in [fresh.save_state().await, fresh.hand_of(&attack()).expect("it is there").save().await] {
        assert!(matches!(refused, Err(HandError::Input(_))), "{refused:?}");
    }
    let nonsense = receiver.hand_of(&attack()).expect("it is there").restore(vec![1]).await;
    assert!(matches!(nonsense, Err(HandError::Tool(_))), "{nonsense:?}");
}

#[tokio::test]
async fn a_hand_goes_on_where_another_ended_and_says_so_with_its_first_answer() {
    let lab = Lab::new();
    let giver = lab.load("state_bleed", State::Kept).await.expect("it loads");
    for _ in 0..3 {
        count(&giver).await;
    }
    let saved = giver.save_state().await.expect("it saves");
    let next = lab.load("state_bleed", State::Kept).await.expect("it loads");
    assert!(next.keeps_state(&attack()));
    next.resume(Some(saved.clone())).await;
    let hand = next.hand_of(&attack()).expect("it is there");
    assert_eq!(hand.incarnation(), 0, "nothing is provisioned before the first call");
    assert_eq!(next.save_state().await.expect("it has it"), saved, "it can be passed on as it came");
    let first = count(&next).await;
    assert!(first.contains("is as it was") && first.ends_with("\n4"), "{first}");
    assert_eq!(count(&next).await, "5", "it is said once");

    for lost in [None, Some(vec![1])] {
        let next = lab.load("state_bleed", State::Kept).await.expect("it loads");
        next.resume(lost).await;
        assert_anew(&count(&next).await);
        assert_eq!(count(&next).await, "2", "it is said once");
    }
}

#[tokio::test]
async fn a_hand_whose_store_ended_has_no_state_to_save() {
    let lab = Lab::new();
    let toolbox = lab.load("state_bleed", State::Kept).await.expect("it loads");
    count(&toolbox).await;
    assert!(!toolbox.lost_state());
    toolbox.hand_of(&attack()).expect("it is there").release().await;
    assert!(toolbox.lost_state());
    let saved = toolbox.save_state().await;
    assert!(matches!(saved, Err(HandError::Gone(_))), "{saved:?}");
    assert_anew(&count(&toolbox).await);
}

#[tokio::test]
async fn an_unused_kept_store_is_let_go() {
    let mut lab = Lab::new();
    lab.environment.kept = KeptLimits { queue_max: 1, idle_max: Duration::from_millis(50) };
    let toolbox = lab.load("state_bleed", State::Kept).await.expect("it loads");
    assert_eq!(count(&toolbox).await, "1");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_anew(&count(&toolbox).await);
    assert_eq!(toolbox.hand_of(&attack()).expect("it is there").incarnation(), 2);
}

#[tokio::test]
async fn a_kept_hand_that_reached_a_limit_is_replaced() {
    let lab = Lab::new().limits(|limits| Limits { time: Duration::from_millis(200), ..limits });
    let toolbox = lab.load("sleep_forever", State::Kept).await.expect("it loads");
    for incarnation in 1..=2 {
        let Err(HandError::Limit(hit)) = call(&toolbox, "attack", json!({})).await else { panic!("it ended") };
        assert_eq!(hit.limit, Limit::Time);
        assert_eq!(toolbox.hand_of(&attack()).expect("it is there").incarnation(), incarnation);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_before_a_kept_hand_is_told_that_it_is_busy() {
    let mut lab = Lab::new().limits(|limits| Limits { time: Duration::from_secs(1), ..limits });
    lab.environment.kept.queue_max = 2;
    let toolbox = Arc::new(lab.load("sleep_forever", State::Kept).await.expect("it loads"));
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let toolbox = Arc::clone(&toolbox);
            tokio::spawn(async move { call(&*toolbox, "attack", json!({})).await })
        })
        .collect();
    let mut busy = 0;
    for call in calls {
        busy += usize::from(matches!(call.await.expect("no panic"), Err(HandError::Busy(_))));
    }
    // Two may wait, and give up when the first has used up the time of a call.
    assert!((16..=19).contains(&busy), "{busy} of 20 were told");
}

#[tokio::test]
async fn a_cancelled_call_leaves_its_hand_usable() {
    let lab = Lab::new();
    for state in [State::Fresh, State::Kept] {
        for guest in ["sleep_forever", "spin_forever"] {
            let toolbox = lab.load(guest, state).await.expect("it loads");
            for _ in 0..3 {
                let cancelled =
                    tokio::time::timeout(Duration::from_millis(50), call(&toolbox, "attack", json!({}))).await;
                assert!(cancelled.is_err(), "{guest} answered");
            }
        }
        let toolbox = lab.load("state_bleed", state).await.expect("it loads");
        assert_eq!(count(&toolbox).await, "1");
    }
}

#[tokio::test]
async fn a_call_cancelled_between_its_files_ends_on_its_thread() {
    let lab = Lab::new();
    let toolbox = lab.load("many_files", State::Fresh).await.expect("it loads");
    let input = json!({"path": "/workspace"});
    let cancelled = tokio::time::timeout(Duration::from_millis(30), call(&toolbox, "attack", input)).await;
    if cancelled.is_ok() {
        return; // It was faster than the clock; the other cases are covered above.
    }
    let made = || std::fs::read_dir(lab.workspace.path()).expect("a folder").count();
    for _ in 0..100 {
        let before = made();
        tokio::time::sleep(Duration::from_millis(50)).await;
        if made() == before {
            return;
        }
    }
    panic!("it went on making files");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_too_many_for_the_pool_is_told_so_and_the_next_works() {
    let lab = Lab::with(Allocation::Pool { instances: 2 });
    let lab = lab.limits(|limits| Limits { time: Duration::from_secs(1), ..limits });
    let toolbox = Arc::new(lab.load("sleep_forever", State::Fresh).await.expect("it loads"));
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let toolbox = Arc::clone(&toolbox);
            tokio::spawn(async move { call(&*toolbox, "attack", json!({})).await })
        })
        .collect();
    let mut busy = 0;
    for call in calls {
        busy += usize::from(matches!(call.await.expect("no panic"), Err(HandError::Busy(_))));
    }
    assert_eq!(busy, 6);
    let honest = lab.load("state_bleed", State::Fresh).await.expect("it loads");
    assert_eq!(count(&honest).await, "1");
}

#[tokio::test]
async fn what_became_of_a_call_is_asked_of_the_tool() {
    let lab = Lab::new();
    let toolbox = lab.load("reconciles", State::Fresh).await.expect("it loads");
    assert_eq!(toolbox.tools()[0].recovery, Recovery::Reconcile);
    let call = |id: &str, trap: bool| Call {
        attempt: 3,
        ..Call::new(id, attack(), json!({"path": "/workspace", "trap": trap}))
    };
    assert_eq!(toolbox.reconcile(call("c1", false)).await.expect("it answers"), Outcome::NotStarted);
    assert!(toolbox.execute(call("c1", true)).await.is_err(), "it dies after the effect");
    let Outcome::Committed(output) = toolbox.reconcile(call("c1", false)).await.expect("it answers") else { panic!() };
    assert_eq!(output.text(), "written at attempt 3");
}

#[tokio::test]
async fn parts_are_passed_on_whatever_they_claim_to_be() {
    let lab = Lab::new();
    let toolbox = lab.load("odd_parts", State::Fresh).await.expect("it loads");
    let output: Output = call(&toolbox, "attack", json!({})).await.expect("it answers");
    assert_eq!(output.text(), "\u{fffd}a\0\u{1b}[2J");
    let types: Vec<&str> = output.attachments().map(|part| part.media_type.as_str()).collect();
    assert_eq!(types, ["application/octet-stream"; 2]);
}

#[tokio::test]
async fn input_is_checked_before_the_guest_runs() {
    let lab = Lab::new();
    let toolbox = lab.load("hello", State::Fresh).await.expect("it loads");
    let Err(HandError::Input(text)) = call(&toolbox, "greet", json!({"name": 5})).await else { panic!("it ran") };
    assert!(text.contains("/name"), "{text}");
    let unknown = toolbox.execute(Call::new("c", ToolName::new("nope").expect("a name"), json!({}))).await;
    assert!(matches!(unknown, Err(HandError::Tool(_))), "{unknown:?}");
}

#[tokio::test]
async fn exported_functions_become_tools() {
    let text = r#"(component
        (core module $m (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
        (core instance $i (instantiate $m))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;
    let lab = Lab::new();
    let bytes = wat::parse_str(text).expect("valid text");
    let bundle = lab.pack("adder", &bytes, State::Fresh).await.expect("it packs");
    let mut toolbox = lab.toolbox();
    toolbox.add(&bundle, &lab.environment).await.expect("it loads");
    assert_eq!(call(&toolbox, "add", json!({"a": 2, "b": 40})).await.expect("it adds").text(), "42");
    let Err(HandError::Input(text)) = call(&toolbox, "add", json!({"a": -1, "b": 0})).await else { panic!("it ran") };
    assert!(text.contains("/a"), "{text}");
}

#[tokio::test]
async fn two_bundles_cannot_have_tools_of_one_name() {
    let lab = Lab::new();
    let one = lab.pack("hello", &guest_bytes("hello"), State::Fresh).await.expect("it packs");
    let mut toolbox = lab.toolbox();
    toolbox.add(&one, &lab.environment).await.expect("the first");
    let error = toolbox.add(&one, &lab.environment).await.expect_err("the second");
    assert!(error.to_string().contains("greet"), "{error}");
    assert_eq!(toolbox.tools().len(), 1);
}

#[tokio::test]
async fn the_call_id_and_attempt_reach_the_tool() {
    let lab = Lab::new();
    let toolbox = lab.load("reconciles", State::Fresh).await.expect("it loads");
    let call = Call { id: CallId("key-7".into()), ..Call::new("", attack(), json!({"path": "/workspace"})) };
    assert_eq!(toolbox.execute(call).await.expect("it writes").text(), "written at attempt 1");
    assert!(lab.path("key-7").exists());
}

#[tokio::test]
async fn a_kept_hand_may_still_write_after_a_call_that_only_read() {
    let lab = Lab::new();
    let std =
        handbox_bundle::Bundle::open("std", lab.workspace.path(), &handbox_std_bundle::bundles()).expect("built in");
    let files = std.components.iter().find(|component| component.name == "files").expect("it is there");
    let bundle = lab.pack("files", &files.load().expect("its bytes"), State::Kept).await.expect("it packs");
    let mut toolbox = lab.toolbox();
    toolbox.add(&bundle, &lab.environment).await.expect("it loads");
    std::fs::write(lab.path("a.txt"), "old").expect("a file");
    let read = call(&toolbox, "read", json!({"file_path": "a.txt"})).await.expect("it reads");
    assert_eq!(read.text().trim_end(), "old");
    call(&toolbox, "write", json!({"file_path": "a.txt", "content": "new"})).await.expect("it writes");
    assert_eq!(std::fs::read_to_string(lab.path("a.txt")).expect("it is there"), "new");
}
