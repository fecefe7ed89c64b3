//! What flags change about a session that there is already.
//!
//! They are laid over what it runs with: what no flag speaks of stays. It is the operator's own word at a terminal, so it
//! may widen what the session may do, and all of it is kept in the log.

use super::begin::{lay_over, system};
use super::model::Choice;
use super::pinned::{Chosen, Pinned, Policies, choose, digest, tools};
use super::run::Run;
use crate::args;
use crate::config::{Config, LayeredLimits, Source};
use crate::failure::{Failure, Kind};
use crate::grants::{self, Asking};
use crate::paths::Paths;
use handbox_brain::{Policy, RunsWith, ToolSpec};
use handbox_bundle::{FolderGrant, GUEST_PATH_DEFAULT, Grants, Mode};
use handbox_hand::Destination;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a session runs with from here on.
pub(super) struct Changed {
    pub(super) runs: RunsWith,
    /// What is new about it, for people: sentences that begin with "from here on".
    pub(super) what: Vec<String>,
}

/// What flags make of what a session runs with; nothing if they change nothing. Of one that is `foreign` nothing counts that it
/// says it may use: its bundles are chosen anew, and ask first.
pub(super) fn change(
    command: &Run,
    old: &RunsWith,
    foreign: bool,
    (paths, cwd): (&Paths, &Path),
) -> Result<Option<Changed>, Failure> {
    let mut runs = old.clone();
    if let Some(word) = &command.model {
        runs.agent = Choice::parse(word, cwd)?.agent();
    }
    let policies = Policies { allow: &command.allow, deny: &command.deny };
    let config = Config::load(paths, cwd)?;
    let regrants = command.grants.any() || !command.no_host.is_empty();
    let grants = !command.bundle.is_empty() || regrants;
    let own: Vec<String> = match Pinned::read(old) {
        Ok(pinned) if foreign && grants => pinned.bundles.into_iter().map(|bundle| bundle.source).collect(),
        _ => Vec::new(),
    };
    let chosen = choose(if command.bundle.is_empty() { &own } else { &command.bundle }, &config, cwd)?;
    if chosen.is_empty() {
        policies.change(&mut runs.tools)?;
    } else {
        runs.tools = tools(&chosen, &policies, cwd)?;
        runs.bundles = chosen.iter().map(|one| (one.pinned.hand.clone(), digest(&one.bundle))).collect();
        if !foreign {
            keep_permissions(&mut runs, old, command);
        }
    }
    if !chosen.is_empty() || regrants {
        let mut before = Pinned::read(old).map_err(|error| Failure::new(Kind::Broken, error))?;
        if foreign {
            before = before.without_grants();
        }
        let links: Vec<PathBuf> = chosen.iter().flat_map(|one| one.bundle.links.clone()).collect();
        let typed = &command.grants;
        let ask = Asking { typed, config: &config, bundle: None, links: &links, paths, cwd };
        let after = grant(&before, &chosen, &command.no_host, ask)?;
        // One that was not written for this session tells where it is.
        if old.system == Some(system(&before.grants())) {
            runs.system = Some(system(&after.grants()));
        }
        // What is sealed anew if anything changed is no change by itself.
        runs.grants = serde_json::to_value(after.sealed_as(&before))?;
    }
    lay_over(&mut runs, command, cwd)?;
    Ok((runs != *old).then(|| Changed { what: differences(old, &runs), runs }))
}

/// A tool of the very bundle that the session had keeps its permission, unless a flag names it.
fn keep_permissions(runs: &mut RunsWith, old: &RunsWith, command: &Run) {
    let named = |name: &str| command.allow.iter().chain(&command.deny).any(|one| one == name || one == "all");
    for tool in runs.tools.iter_mut().filter(|tool| !named(tool.name.as_str())) {
        let digest = |of: &BTreeMap<String, String>| tool.hand.as_ref().and_then(|hand| of.get(hand)).cloned();
        let same = digest(&runs.bundles).is_some() && digest(&runs.bundles) == digest(&old.bundles);
        if let Some(before) = old.tool(tool.name.as_str()).filter(|before| same && before.hand == tool.hand) {
            tool.permission = before.permission;
        }
    }
}

/// Lays flags over what a session was granted.
fn grant(before: &Pinned, chosen: &[Chosen], no_host: &[String], ask: Asking<'_>) -> Result<Pinned, Failure> {
    let typed = ask.typed;
    let allow_dangerous_folders = before.allow_dangerous_folders || typed.allow_dangerous_folders;
    let flags = grants::flags(typed, ask.cwd)?;
    let Grants { mut folders, mut env, mut hosts } = before.grants();
    if typed.no_dir {
        folders.clear();
    }
    let working = folders.iter_mut().find(|folder| folder.guest == GUEST_PATH_DEFAULT);
    match working.filter(|_| typed.write && typed.dir.is_empty()) {
        // --write speaks of what the session has as its working folder, wherever the operator stands by now.
        Some(working) => working.mode = Mode::ReadWrite,
        None => {
            let new: Vec<FolderGrant> = flags.folders.iter().map(|folder| folder.value.clone()).collect();
            folders.retain(|own| new.iter().all(|new| new.guest != own.guest));
            folders.extend(new);
        }
    }
    let new: Vec<(String, String)> = flags.env.iter().map(|pair| pair.value.clone()).collect();
    env.retain(|(own, _)| new.iter().all(|(new, _)| new != own));
    env.extend(new);
    take_away(&mut hosts, no_host)?;
    let new = flags.hosts.iter().map(|host| host.value.clone()).filter(|new| !hosts.contains(new)).collect::<Vec<_>>();
    hosts.extend(new);
    let mut limits = LayeredLimits {
        limits: before.limits().map_err(|error| Failure::new(Kind::Broken, error))?,
        sources: BTreeMap::new(),
    };
    limits.replace(&flags);
    limits.limits.validate()?;
    let typed = args::Grants { allow_dangerous_folders, ..args::Grants::default() };
    let checked = grants::recheck(&Grants { folders, env, hosts }, Asking { typed: &typed, ..ask })?;
    let bundles = match chosen {
        [] => before.bundles.clone(),
        chosen => chosen.iter().map(|one| one.pinned.clone()).collect(),
    };
    // What its hosts' names may lead to stays what it was, until the operator gives it another host.
    let ranges = if flags.hosts.is_empty() { &before.ranges } else { &ask.config.operator.ranges };
    Ok(Pinned::new(bundles, &checked, limits.limits, allow_dangerous_folders).with_ranges(ranges.clone()))
}

/// Takes hosts away, each as it was given: what it would leave of a wider one could not be written.
fn take_away(hosts: &mut Vec<Destination>, gone: &[String]) -> Result<(), Failure> {
    for text in gone {
        let gone = grants::host(text, &Source::Flag("--no-host"))?;
        let Some(at) = hosts.iter().position(|own| *own == gone) else {
            let own: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let hint = match own.as_slice() {
                [] => "it has no host".to_owned(),
                own => format!("it has: {}; name one as it stands there", own.join(", ")),
            };
            return Err(Failure::usage(format!("--no-host: the session has no host {gone}")).hint(hint));
        };
        hosts.remove(at);
    }
    Ok(())
}

/// What is new, in the order in which people care.
fn differences(old: &RunsWith, new: &RunsWith) -> Vec<String> {
    let mut what = Vec::new();
    if old.agent != new.agent {
        what.push(format!("{} answers", new.agent.model.id));
    }
    if let (Ok(old), Ok(new)) = (Pinned::read(old), Pinned::read(new)) {
        granted(&old, &new, &mut what);
    }
    if old.bundles != new.bundles {
        let hands: Vec<&str> = new.bundles.keys().map(String::as_str).collect();
        what.push(format!("it has for hands: {}", hands.join(", ")));
    }
    for (policy, words) in [
        (Policy::AlwaysAllow, "run without asking"),
        (Policy::AlwaysAsk, "run only if somebody allows it"),
        (Policy::Deny, "never run"),
    ] {
        let new_to_it = |tool: &&ToolSpec| {
            tool.permission == policy && old.tool(tool.name.as_str()).is_none_or(|old| old.permission != policy)
        };
        let tools: Vec<&str> = new.tools.iter().filter(new_to_it).map(|tool| tool.name.as_str()).collect();
        if !tools.is_empty() {
            what.push(format!("these {words}: {}", tools.join(", ")));
        }
    }
    limited(old, new, &mut what);
    let rest = [
        (old.system != new.system && old.grants == new.grants, "it has another system prompt"),
        (old.context != new.context, "the model is shown another part of what happened"),
        (old.prices != new.prices, "it has other prices"),
    ];
    what.extend(rest.into_iter().filter(|(differs, _)| *differs).map(|(_, words)| words.to_owned()));
    what
}

/// The limits that flags change.
fn limited(old: &RunsWith, new: &RunsWith, what: &mut Vec<String>) {
    let (money, requests) = (new.limits.session.money, new.limits.turn.model_requests);
    if let Some(money) = money.filter(|_| money != old.limits.session.money) {
        what.push(format!("it may cost {money} in all"));
    }
    if let Some(requests) = requests.filter(|_| requests != old.limits.turn.model_requests) {
        what.push(format!(
            "a turn may ask the model {}",
            if requests == 1 { "once".to_owned() } else { format!("{requests} times") }
        ));
    }
}

fn granted(old: &Pinned, new: &Pinned, what: &mut Vec<String>) {
    for folder in new.folders.iter().filter(|folder| !old.folders.contains(folder)) {
        let mode = if folder.mode == Mode::ReadWrite { "to read and write" } else { "only to read" };
        what.push(format!("its tools see {} at {}, {mode}", folder.host.display(), folder.guest));
    }
    for folder in old.folders.iter().filter(|old| new.folders.iter().all(|new| new.guest != old.guest)) {
        what.push(format!("its tools do not see {} any more", folder.host.display()));
    }
    for (name, _) in new.env.iter().filter(|pair| !old.env.contains(pair)) {
        what.push(format!("its tools are given the environment value {name}"));
    }
    for host in new.hosts.iter().filter(|host| !old.hosts.contains(host)) {
        what.push(format!("its tools may send requests to {host}"));
    }
    for host in old.hosts.iter().filter(|host| !new.hosts.contains(host)) {
        what.push(format!("its tools may not send requests to {host} any more"));
    }
    for range in new.ranges.iter().filter(|range| !old.ranges.contains(range)) {
        what.push(format!("the names of its hosts may lead to {range}"));
    }
    for range in old.ranges.iter().filter(|range| !new.ranges.contains(range)) {
        what.push(format!("the names of its hosts may not lead to {range} any more"));
    }
    if old.limits != new.limits {
        what.push("its tools have other limits".to_owned());
    }
}
