//! Folders: nothing outside, nothing through a read-only grant, nothing beyond the quota.

use crate::after::{alone, attack, small};
use handbox_bundle::{Limits, Mode};
use handbox_hand::{HandError, Limit, ToolFault};
use handbox_tests::{Lab, call};
use serde_json::json;
use std::path::Path;

const SECRET: &str = "the secret beside the workspace";

/// A lab whose workspace lies beside a file that must not be read.
fn lab_with_secret() -> (Lab, tempfile::TempDir) {
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret"), SECRET).expect("a file");
    (Lab::new().limits(small), outside)
}

#[test]
fn no_path_leads_out_of_a_folder() {
    alone(async {
        let (lab, outside) = lab_with_secret();
        let secret = outside.path().join("secret").display().to_string();
        let climbing = format!("../{}/secret", outside.path().file_name().expect("a name").to_string_lossy());
        std::fs::create_dir(lab.path("a")).expect("a folder");
        let deep = format!("a/../../{}/secret", outside.path().file_name().expect("a name").to_string_lossy());
        let long = "x/".repeat(40_000);
        for path in
            [&secret, &climbing, &deep, "..", "/", "/etc/passwd", "a/../..", &long, "C:\\secret", "\\\\?\\x", ""]
        {
            let answer = attack(&lab, "read_outside", json!({"folder": "/workspace", "path": path})).await;
            assert!(matches!(&answer, Err(HandError::Tool(ToolFault::Denied(_)))), "{path:.60}: {answer:?}");
        }
    });
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_folder() {
    alone(async {
        let (lab, outside) = lab_with_secret();
        let secret = outside.path().join("secret");
        std::os::unix::fs::symlink(&secret, lab.path("to-file")).expect("a link");
        std::os::unix::fs::symlink(outside.path(), lab.path("to-folder")).expect("a link");
        std::os::unix::fs::symlink("to-file", lab.path("to-link")).expect("a link");
        for path in ["to-file", "to-folder/secret", "to-folder/", "to-link"] {
            let answer = attack(&lab, "read_outside", json!({"folder": "/workspace", "path": path})).await;
            assert!(matches!(&answer, Err(HandError::Tool(ToolFault::Denied(_)))), "{path}: {answer:?}");
        }
        for target in [secret.display().to_string(), "../../../../etc/passwd".to_owned()] {
            let input = json!({"folder": "/workspace", "path": target, "link": "made"});
            let answer = attack(&lab, "read_outside", input).await;
            assert!(matches!(&answer, Err(HandError::Tool(ToolFault::Denied(_)))), "{target}: {answer:?}");
            let _ = std::fs::remove_file(lab.path("made"));
        }
    });
}

#[cfg(unix)]
#[test]
fn only_files_and_folders_can_be_opened() {
    alone(async {
        let lab = Lab::new().limits(small);
        let made = std::process::Command::new("mkfifo").arg(lab.path("fifo")).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo is part of every Unix");
        let _socket = std::os::unix::net::UnixListener::bind(lab.path("socket")).expect("a socket");
        for path in ["fifo", "socket"] {
            let answer = attack(&lab, "read_outside", json!({"folder": "/workspace", "path": path})).await;
            let Err(HandError::Tool(ToolFault::Denied(text))) = answer else { panic!("{path}: {answer:?}") };
            assert_eq!(text, "open: not-permitted", "{path}");
        }
    });
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn nothing_changes_through_a_read_only_grant() {
    alone(async {
        let mut lab = Lab::new().limits(small).read_only();
        let other = tempfile::tempdir().expect("a folder");
        lab.grant(other.path(), "/other", Mode::ReadWrite);
        std::fs::write(lab.path("file"), "content").expect("a file");
        let before = contents(lab.workspace.path());
        let input = json!({"folder": "/workspace", "file": "file", "other": "/other"});
        let report = attack(&lab, "write_readonly", input).await.expect("it reports").text();
        let done: Vec<&str> = report.lines().filter(|line| line.ends_with("done")).collect();
        assert_eq!(done, [""; 0], "{report}");
        assert!(report.lines().count() > 15, "{report}");
        assert_eq!(contents(lab.workspace.path()), before);
        assert_eq!(contents(other.path()), []);
    });
}

#[test]
fn a_tool_that_claims_to_read_cannot_write_whatever_was_granted() {
    alone(async {
        let lab = Lab::new().limits(small);
        std::fs::write(lab.path("file"), "content").expect("a file");
        let before = contents(lab.workspace.path());
        let answer = attack(&lab, "says_read_only_but_writes", json!({"path": "/workspace/file"})).await;
        assert!(answer.is_err(), "{answer:?}");
        assert_eq!(contents(lab.workspace.path()), before);
    });
}

#[test]
fn the_files_that_the_host_loads_cannot_be_changed_through_a_write_grant() {
    alone(async {
        let mut lab = Lab::new().limits(small);
        std::fs::create_dir(lab.path("conf")).expect("a folder");
        let loaded = lab.path("conf/loaded.toml");
        std::fs::write(&loaded, "content").expect("a file");
        std::fs::hard_link(&loaded, lab.path("innocent")).expect("a hard link");
        lab.environment.protected.push(loaded.clone());
        for file in ["conf/loaded.toml", "innocent"] {
            let report = attack(&lab, "write_readonly", json!({"folder": "/workspace", "file": file})).await;
            let report = report.expect("it reports").text();
            for line in report.lines().filter(|line| line.ends_with("done")) {
                let harmless = ["create: ", "create for reading: ", "symlink: ", "folder: "];
                assert!(harmless.iter().any(|name| line.starts_with(name)), "{file}: {line}");
            }
            assert_eq!(std::fs::read_to_string(&loaded).expect("it is there"), "content");
            for made in ["new", "new2", "symlinked"] {
                let _ = std::fs::remove_file(lab.path(made));
            }
            let _ = std::fs::remove_dir(lab.path("folder"));
        }
        // The folder that it lies in keeps its place, and no project file appears from nowhere.
        let moved = attack(&lab, "write_readonly", json!({"folder": "/workspace", "file": "conf"})).await;
        assert!(moved.expect("it reports").text().contains("rename: refused"));
        let planted = attack(&lab, "fill_disk", json!({"path": "/workspace/Handbox.toml", "bytes": 1})).await;
        assert!(planted.is_err() && !lab.path("Handbox.toml").exists(), "{planted:?}");
    });
}

#[test]
fn the_disk_has_a_quota_in_bytes() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { file_bytes: 1 << 20, ..small(limits) });
        for sparse in [false, true] {
            let answer = attack(&lab, "fill_disk", json!({"path": "/workspace/big", "sparse": sparse})).await;
            let text = answer.expect("it reports").text();
            assert!(text.starts_with("1048576 bytes, then"), "{text}");
            assert_eq!(std::fs::metadata(lab.path("big")).expect("it is there").len(), 1 << 20);
            std::fs::remove_file(lab.path("big")).expect("it is there");
        }
        // What was deleted may be written again.
        let churn =
            attack(&lab, "fill_disk", json!({"path": "/workspace/big", "delete": true, "bytes": 8 << 20})).await;
        let text = churn.expect("it reports").text();
        assert_eq!(text, "8388608 bytes");
    });
}

#[test]
fn the_disk_has_a_quota_in_files() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { files: 20, ..small(limits) });
        for folders in [false, true] {
            let answer = attack(&lab, "many_files", json!({"path": "/workspace", "folders": folders})).await;
            let text = answer.expect("it reports").text();
            assert!(text.starts_with("20 made, then"), "{text}");
        }
        let lab = Lab::new().limits(|limits| Limits { files: 5, ..small(limits) });
        let answer = attack(&lab, "fill_disk", json!({"path": "/workspace/missing/x"})).await;
        assert!(!matches!(&answer, Err(HandError::Limit(hit)) if hit.limit == Limit::Files), "{answer:?}");
    });
}

#[cfg(unix)]
#[test]
fn no_link_makes_a_file_that_the_host_would_load() {
    alone(async {
        let lab = Lab::new().limits(small);
        let std = lab.std().await;
        std::fs::create_dir(lab.path("sub")).expect("a folder");
        std::os::unix::fs::symlink("handbox.toml", lab.path("innocent")).expect("a link");
        std::os::unix::fs::symlink("../innocent", lab.path("sub/twice")).expect("a link");
        for path in ["innocent", "sub/twice"] {
            let planted = call(&std, "write", json!({"file_path": path, "content": "x"})).await;
            assert!(planted.is_err(), "{path}: {planted:?}");
        }
        assert!(!lab.path("handbox.toml").exists());
        // Nor is one changed that is there already, by its name or through a link.
        std::fs::write(lab.path("handbox.toml"), "old").expect("a file");
        for path in ["handbox.toml", "sub/../Handbox.toml", "innocent", "sub/twice"] {
            let changed = call(&std, "write", json!({"file_path": path, "content": "x"})).await;
            assert!(changed.is_err(), "{path}: {changed:?}");
        }
        assert_eq!(std::fs::read_to_string(lab.path("handbox.toml")).expect("it is there"), "old");
        // An honest link to an honest file still works.
        std::fs::write(lab.path("plain.txt"), "old").expect("a file");
        std::os::unix::fs::symlink("plain.txt", lab.path("alias")).expect("a link");
        call(&std, "write", json!({"file_path": "alias", "content": "new"})).await.expect("it writes");
        assert_eq!(std::fs::read_to_string(lab.path("plain.txt")).expect("it is there"), "new");
    });
}
