//! Two calls at once, one of which changes what the other is about to use.

use crate::after::{alone, attack_together, small};
use handbox_bundle::Limits;
use handbox_tests::Lab;
use serde_json::json;
use std::fs;

/// For how long guests race, in milliseconds: some thousand rounds.
const MILLIS: u64 = 1500;

fn racing(limits: Limits) -> Limits {
    Limits { cpu_fuel: u64::MAX / 2, ..small(limits) }
}

#[test]
fn no_flipped_link_leads_to_a_file_that_the_host_loads() {
    alone(async {
        let mut lab = Lab::new().limits(racing);
        let content = b"a component of a bundle, say".as_slice();
        for folder in ["decoy", "bundle"] {
            fs::create_dir(lab.path(folder)).expect("a folder");
        }
        let loaded = lab.path("bundle/tool.wasm");
        fs::write(&loaded, content).expect("a file");
        fs::write(lab.path("decoy/tool.wasm"), "honest").expect("a file");
        lab.environment.protected.push(loaded.clone());

        let flip = json!({"folder": "/workspace", "name": "d", "decoy": "decoy", "target": "bundle", "millis": MILLIS});
        let through = json!({"folder": "/workspace", "path": "d/tool.wasm", "millis": MILLIS});
        let answers = attack_together(&lab, [("flip_link", flip), ("through_link", through)]).await;
        let [flips, report] = answers.map(|answer| answer.expect("it reports").text());

        assert_eq!(fs::read(&loaded).expect("it is there"), content, "{flips}\n{report}");
        let names: Vec<_> = fs::read_dir(lab.path("bundle")).expect("it is there").flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        // Every way led to the file, and some led to the honest folder's, which they may change.
        for way in ["write", "create", "truncate", "rename over", "rename away", "link away", "unlink"] {
            assert!(report.contains(&format!("{way} refused: ")), "{way}: {flips}\n{report}");
        }
        assert!(report.contains(" done: "), "{flips}\n{report}");
    });
}

#[test]
fn no_file_is_made_for_nothing_in_the_place_of_one_that_is_taken_away() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { files: 5, ..racing(limits) });
        let part = |role: &str| json!({"folder": "/workspace", "role": role, "millis": MILLIS});
        let attacks = [("free_name", part("maker")), ("free_name", part("mover"))];
        let [made, taken] = attack_together(&lab, attacks).await.map(|answer| answer.expect("it reports").text());
        let files = fs::read_dir(lab.workspace.path()).expect("a folder").count();
        assert!((1..=5).contains(&files), "{files} files; made {made}, taken away {taken}");
    });
}
