use crate::support::asks;
use handbox_bundle::{Asks, FolderGrant, GapKind, Grants, Mode};
use handbox_hand::Destination;
use std::path::PathBuf;

use Mode::{ReadOnly, ReadWrite};

fn granted(folders: &[(&str, Mode)]) -> Grants {
    let folders = folders.iter().map(|(guest, mode)| FolderGrant {
        host: PathBuf::from("/host").join(guest.trim_start_matches('/')),
        guest: (*guest).to_owned(),
        mode: *mode,
    });
    Grants {
        folders: folders.collect(),
        env: vec![("LANG".into(), "C".into()), ("KEY".into(), "k".into())],
        hosts: Vec::new(),
    }
}

fn seen(asks: &Asks, grants: &Grants) -> Vec<(String, Mode)> {
    asks.effective(grants).grants.folders.into_iter().map(|folder| (folder.guest, folder.mode)).collect()
}

#[test]
fn nothing_asked_is_nothing_given() {
    let effective = Asks::default().effective(&granted(&[("/workspace", ReadWrite)]));
    assert_eq!(effective.grants, Grants::default());
    assert!(effective.gaps.is_empty());
}

#[test]
fn a_folder_has_the_lesser_of_both_modes() {
    let grants = granted(&[("/workspace", ReadWrite), ("/data", ReadOnly)]);
    let all = asks(&[("*", ReadWrite)]);
    assert_eq!(seen(&all, &grants), [("/workspace".into(), ReadWrite), ("/data".into(), ReadOnly)]);
    let read = asks(&[("*", ReadOnly)]);
    assert_eq!(seen(&read, &grants), [("/workspace".into(), ReadOnly), ("/data".into(), ReadOnly)]);
}

#[test]
fn the_most_specific_ask_decides() {
    let grants = granted(&[("/workspace", ReadWrite), ("/workspace/out", ReadWrite), ("/workspacex", ReadWrite)]);
    let some = asks(&[("/workspace", ReadOnly), ("/workspace/out", ReadWrite)]);
    assert_eq!(seen(&some, &grants), [("/workspace".into(), ReadOnly), ("/workspace/out".into(), ReadWrite)]);
}

#[test]
fn environment_values_are_given_by_name_or_all() {
    let names = |env: &[&str]| {
        let asks = Asks { env: env.iter().map(|name| (*name).to_owned()).collect(), ..Asks::default() };
        let given = asks.effective(&granted(&[])).grants.env;
        given.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(&["LANG"]), ["LANG"]);
    assert_eq!(names(&["*"]), ["LANG", "KEY"]);
    assert_eq!(names(&["lang"]), [""; 0]);
}

#[test]
fn all_gaps_are_reported_at_once_with_what_closes_them() {
    let asks = Asks {
        folders: asks(&[("/data", ReadWrite), ("/workspace", ReadWrite)]).folders,
        env: vec!["TZ".into()],
        hosts: vec!["api.example.com".into()],
        credentials: vec!["github".into()],
    };
    let gaps = asks.effective(&granted(&[("/workspace", ReadOnly)])).gaps;
    let kinds: Vec<GapKind> = gaps.iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::Folder, GapKind::Mode, GapKind::Env, GapKind::Host]);
    assert_eq!(gaps[0].flag.as_deref(), Some("--dir HOST:/data:rw"));
    let lines = gaps[0].config_lines("my.bundle").unwrap();
    assert_eq!(lines, "[[bundles.\"my.bundle\".folders]]\nhost = \"HOST\"\nguest = \"/data\"\nmode = \"rw\"");
    assert!(toml::from_str::<toml::Table>(&lines).is_ok());
    assert!(gaps[1].reason.contains("read-only"));
    assert_eq!(gaps[2].flag.as_deref(), Some("--env TZ=VALUE"));
    assert!(toml::from_str::<toml::Table>(&gaps[2].config_lines("std").unwrap()).is_ok());
    assert_eq!(gaps[3].flag.as_deref(), Some("--host https://api.example.com"));
    assert_eq!(gaps[3].config_lines("web").unwrap(), "[bundles.web]\nhosts = [\"https://api.example.com\"]");
}

#[test]
fn hosts_are_given_as_far_as_they_are_asked_for() {
    let hosts = |asked: &[&str], granted: &[&str]| {
        let asks = Asks { hosts: asked.iter().map(|host| (*host).to_owned()).collect(), ..Asks::default() };
        let hosts = granted.iter().map(|host| Destination::parse(host).unwrap()).collect();
        let given = asks.effective(&Grants { hosts, ..Grants::default() });
        (given.grants.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), given.gaps.len())
    };
    let one = "https://api.example.com";
    assert_eq!(hosts(&["*"], &[one]), (vec![one.to_owned()], 0));
    assert_eq!(hosts(&["api.example.com"], &["https://*.example.com"]), (vec![one.to_owned()], 0));
    assert_eq!(hosts(&["*.example.com"], &[one, "https://evil.net"]), (vec![one.to_owned()], 0));
    assert_eq!(hosts(&["api.example.com"], &["https://example.com"]), (vec![], 1));
    assert_eq!(hosts(&[], &[one]), (vec![], 0), "what does not ask gets nothing");
}

#[test]
fn asking_for_any_folder_is_a_gap_only_while_there_is_none() {
    let any = asks(&[("*", ReadOnly)]);
    let none = any.effective(&Grants::default()).gaps;
    assert_eq!(none[0].flag.as_deref(), Some("--dir HOST:/workspace:ro"));
    assert!(any.effective(&granted(&[("/data", ReadOnly)])).gaps.is_empty());
}

#[test]
fn a_bundle_narrows_what_its_components_ask_for() {
    let component = asks(&[("*", ReadWrite)]);
    assert_eq!(component.narrowed_by(&asks(&[("/data", ReadOnly)])), asks(&[("/data", ReadOnly)]));
    assert_eq!(asks(&[("/data", ReadOnly)]).narrowed_by(&component), asks(&[("/data", ReadOnly)]));
    assert_eq!(asks(&[("/data", ReadOnly)]).narrowed_by(&asks(&[("/other", ReadWrite)])), Asks::default());
    assert_eq!(component.narrowed_by(&asks(&[("*", ReadOnly)])), asks(&[("*", ReadOnly)]));
    let env = |names: &[&str]| Asks { env: names.iter().map(|name| (*name).to_owned()).collect(), ..Asks::default() };
    assert_eq!(env(&["*"]).narrowed_by(&env(&["A"])), env(&["A"]));
    assert_eq!(env(&["A", "B"]).narrowed_by(&env(&["*"])), env(&["A", "B"]));
    assert_eq!(env(&["A", "B"]).narrowed_by(&env(&["B", "C"])), env(&["B"]));
    assert_eq!(env(&["*"]).narrowed_by(&env(&["*"])), env(&["*"]));
}

#[test]
fn asks_that_could_never_be_granted_are_the_authors_fault() {
    for bad in [asks(&[("data", ReadOnly)]), asks(&[("/tmp", ReadOnly)]), asks(&[("*", ReadOnly), ("*", ReadWrite)])] {
        assert!(bad.validate().is_err(), "{bad:?}");
    }
    assert!(Asks { env: vec!["A=B".into()], ..Asks::default() }.validate().is_err());
    assert!(Asks { hosts: vec!["a\nb".into()], ..Asks::default() }.validate().is_err());
    assert!(Asks { hosts: (0..1000).map(|n| format!("h{n}")).collect(), ..Asks::default() }.validate().is_err());
}
