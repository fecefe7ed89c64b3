//! CPU, time, memory, handles, output: every budget has an end.

use crate::after::{alone, assert_limit, attack, small};
use handbox_bundle::{Limits, State};
use handbox_hand::{HandError, Limit};
use handbox_tests::{Lab, call};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn an_endless_loop_ends_at_the_cpu_limit() {
    alone(async {
        let lab = Lab::new().limits(small);
        assert_limit(&attack(&lab, "spin_forever", json!({})).await, Limit::Cpu);
    });
}

#[test]
fn who_computes_for_long_keeps_no_worker_of_the_runtime() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { time: Duration::from_secs(1), cpu_fuel: u64::MAX / 2, ..limits });
        let guest = lab.load("spin_forever", State::Fresh).await.expect("it loads");
        guest.warm().await.expect("it loads");
        let mut running = std::pin::pin!(call(&guest, "attack", json!({})));
        let mut polls = 0_u32;
        let ended = std::future::poll_fn(|context| {
            polls += 1;
            running.as_mut().poll(context)
        });
        assert_limit(&ended.await, Limit::Time);
        // With each tick of the clock it would be polled here once more: about a hundred times.
        assert!(polls < 15, "{polls} polls");
    });
}

#[test]
fn an_endless_loop_within_a_large_budget_ends_at_the_time_limit() {
    alone(async {
        let lab =
            Lab::new().limits(|limits| Limits { time: Duration::from_millis(300), cpu_fuel: u64::MAX / 2, ..limits });
        let started = Instant::now();
        assert_limit(&attack(&lab, "spin_forever", json!({})).await, Limit::Time);
        assert!(started.elapsed() < Duration::from_secs(30));
    });
}

#[test]
fn a_loop_at_the_start_or_while_listing_tools_refuses_the_component() {
    alone(async {
        let lab = Lab::new();
        for guest in ["spin_in_start", "spin_in_tools"] {
            let Err(HandError::Broken(text)) = lab.attack(guest, json!({})).await else { panic!("{guest} was loaded") };
            assert!(text.contains("cannot say which tools it has") && text.contains("cpu limit"), "{text}");
        }
    });
}

#[test]
fn a_loop_of_cheap_host_calls_ends() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { host_calls: 10_000, ..small(limits) });
        assert_limit(&attack(&lab, "host_call_loop", json!({})).await, Limit::HostCalls);
        let lab = Lab::new().limits(|limits| Limits { host_calls: u64::MAX / 2, ..small(limits) });
        assert_limit(&attack(&lab, "host_call_loop", json!({})).await, Limit::Cpu);
    });
}

#[test]
fn waiting_in_the_host_ends_at_the_time_limit() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { time: Duration::from_millis(200), ..limits });
        assert_limit(&attack(&lab, "sleep_forever", json!({})).await, Limit::Time);
    });
}

#[test]
fn memory_ends_at_its_limit_and_a_guest_may_survive_the_refusal() {
    alone(async {
        let lab = Lab::new().limits(small);
        assert_limit(&attack(&lab, "eat_memory", json!({})).await, Limit::Memory);
        let output = attack(&lab, "eat_memory", json!({"retries": 1000})).await.expect("it can go on without");
        let held: u64 = output.text().trim_end_matches(" MiB").parse().expect("a number");
        assert!((16..=32).contains(&held), "{held} MiB of 32");
        assert!(output.usage.memory_bytes <= 32 << 20);
    });
}

#[test]
fn deep_recursion_ends_at_the_stack_limit() {
    alone(async {
        assert_limit(&attack(&Lab::new().limits(small), "deep_recursion", json!({})).await, Limit::Stack);
    });
}

#[test]
fn a_result_beyond_its_cap_is_a_limit_and_not_a_copy() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { output_bytes: 1 << 20, memory_bytes: 64 << 20, ..limits });
        for (parts, bytes) in [(1, (1 << 20) + 1), (3, 1 << 19), (1, 20 << 20), (1_000_000, 0)] {
            let answer = attack(&lab, "flood_output", json!({"parts": parts, "bytes": bytes})).await;
            assert_limit(&answer, Limit::Output);
        }
        assert_limit(&attack(&lab, "flood_fault", json!({"bytes": 20 << 20})).await, Limit::Output);
        let fits = attack(&lab, "flood_output", json!({"parts": 1, "bytes": 1 << 20})).await;
        assert_eq!(fits.expect("exactly the cap").text().len(), 1 << 20);
    });
}

#[test]
fn printing_beyond_the_cap_is_counted_and_breaks_nothing() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { log_bytes: 10_000, ..limits });
        for stderr in [false, true] {
            let output =
                attack(&lab, "flood_stdout", json!({"bytes": 1 << 20, "stderr": stderr})).await.expect("it goes on");
            assert_eq!(output.text(), "1048576 bytes");
            assert_eq!(output.usage.dropped_bytes, (1 << 20) - 10_000);
        }
        let output = attack(&lab, "flood_log", json!({"lines": 10_000, "bytes": 100})).await;
        assert!(output.is_ok_and(|output| output.usage.dropped_bytes > 900_000));
    });
}

#[test]
fn handles_of_every_kind_are_capped() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { handles: 200, open_files: 50, ..small(limits) });
        std::fs::write(lab.path("file"), "x").expect("a file");
        assert_limit(&attack(&lab, "handle_bomb", json!({"kind": "pollables"})).await, Limit::Handles);
        for (kind, most) in [("descriptors", 50), ("streams", 50), ("lists", 32)] {
            let output = attack(&lab, "handle_bomb", json!({"kind": kind, "path": "/workspace"})).await;
            let text = output.expect("open files are refused, not trapped").text();
            assert!(text.starts_with(&format!("{most} handles")), "{kind}: {text}");
        }
    });
}

#[test]
fn random_bytes_are_capped() {
    alone(async {
        let lab = Lab::new().limits(small);
        let answer = attack(&lab, "random_bomb", json!({"bytes": u64::from(u32::MAX)})).await;
        assert!(matches!(answer, Err(HandError::Broken(_) | HandError::Limit(_))), "{answer:?}");
    });
}

#[test]
fn a_crash_is_the_tools_fault_and_says_so() {
    alone(async {
        let lab = Lab::new();
        for guest in ["panic", "abort"] {
            let Err(HandError::Broken(text)) = attack(&lab, guest, json!({})).await else {
                panic!("{guest} did not crash")
            };
            assert!(text.starts_with("the tool crashed"), "{text}");
        }
    });
}

#[test]
fn one_call_never_sees_anothers_state() {
    alone(async {
        let lab = Lab::new();
        let toolbox = lab.load("state_bleed", State::Fresh).await.expect("it loads");
        for _ in 0..3 {
            assert_eq!(call(&toolbox, "attack", json!({})).await.expect("it counts").text(), "1");
        }
    });
}

#[test]
fn a_slow_call_does_not_slow_a_hundred_others() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { time: Duration::from_secs(2), cpu_fuel: u64::MAX / 2, ..limits });
        let slow = lab.load("spin_forever", State::Fresh).await.expect("it loads");
        let honest = lab.load("hello", State::Fresh).await.expect("it loads");
        let slow = tokio::spawn(async move { call(&slow, "attack", json!({})).await });
        for _ in 0..100 {
            let output = call(&honest, "greet", json!({"name": "you"})).await;
            assert!(output.is_ok(), "{output:?}");
        }
        assert_limit(&slow.await.expect("no panic"), Limit::Time);
    });
}
