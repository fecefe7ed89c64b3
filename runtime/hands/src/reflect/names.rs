//! Names of reflected tools.
//!
//! A function exported by the component itself keeps its name; one of an
//! instance is `instance-function`, so `add` of `local:calc/ops@0.1.0` is
//! `ops-add`. Where that is taken, everything that wants the name takes more of
//! its instance's: `calc-ops-add`, `local-calc-ops-add`,
//! `local-calc-ops-0-1-0-add`. What still collides goes to the first in the
//! order of the exports.

use handbox_hand::ToolName;
use std::collections::HashMap;

/// Names the functions at `paths`, or says why one cannot be named.
pub(super) fn tool_names(paths: &[&[String]]) -> Vec<Result<ToolName, String>> {
    let ladders: Vec<Vec<String>> = paths.iter().map(|path| ladder(path)).collect();
    let names = climb(&ladders);
    let mut taken: HashMap<&str, &[String]> = HashMap::new();
    let named = names.iter().zip(paths).map(|(name, path)| {
        let tool = ToolName::new(*name).map_err(|error| error.to_string())?;
        match taken.insert(name, path) {
            None => Ok(tool),
            Some(first) => {
                taken.insert(name, first);
                Err(format!("its name {name:?} is already that of {}", first.join("#")))
            }
        }
    });
    named.collect()
}

/// Takes the shortest name of each ladder, and the next for all that collide,
/// until none does or all ladders end.
fn climb(ladders: &[Vec<String>]) -> Vec<&str> {
    let mut rungs = vec![0; ladders.len()];
    loop {
        let names: Vec<&str> = ladders.iter().zip(&rungs).map(|(ladder, rung)| ladder[*rung].as_str()).collect();
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        for name in &names {
            *wanted.entry(name).or_default() += 1;
        }
        let mut moved = false;
        for ((name, rung), ladder) in names.iter().zip(&mut rungs).zip(ladders) {
            if wanted[name] > 1 && *rung + 1 < ladder.len() {
                *rung += 1;
                moved = true;
            }
        }
        if !moved {
            return names;
        }
    }
}

/// The names that a function may have, from short to long; at least one.
fn ladder(path: &[String]) -> Vec<String> {
    let (function, instances) = path.split_last().map_or(("", path), |(last, rest)| (last.as_str(), rest));
    let Some((instance, outer)) = instances.split_last() else {
        return vec![clean(function)];
    };
    let (id, version) = instance.split_once('@').unwrap_or((instance, ""));
    let segments: Vec<&str> = id.split(['/', ':']).collect();
    let named = |segments: &[&str]| clean(&[segments, &[function]].concat().join("-"));
    let mut ladder: Vec<String> = (0..segments.len()).rev().map(|first| named(&segments[first..])).collect();
    let outer: Vec<&str> = outer.iter().map(String::as_str).collect();
    let version = (!version.is_empty()).then_some(version);
    if version.is_some() || !outer.is_empty() {
        ladder.push(named(&outer.into_iter().chain([id]).chain(version).collect::<Vec<_>>()));
    }
    ladder
}

/// The text with everything that a tool name cannot have as `-`.
fn clean(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '-' }).collect()
}
