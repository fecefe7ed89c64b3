//! The disk's quota: nothing is given back that was not taken, and nothing is hidden from it.

use crate::after::{alone, attack, peak_growth, small};
use handbox_bundle::{Limits, State};
use handbox_tests::{Lab, call};
use serde_json::json;
use std::fs::{self, File};

/// Bytes of one piece that the guests `refund` and `ghost` write.
const PIECE: u64 = 4096;
/// Pieces that fit into the quota of these tests.
const PIECES: u64 = 64;
/// Files or folders that are there before the guest comes.
const OLD: u64 = 100;

fn quota(limits: Limits) -> Limits {
    Limits { file_bytes: PIECES * PIECE, ..small(limits) }
}

/// Files that were there, each as large as a piece; they take no room on the disk.
fn old_files(lab: &Lab) {
    for number in 0..OLD {
        let file = File::create(lab.path(&format!("old-{number}"))).expect("a file");
        file.set_len(PIECE).expect("the disk has holes");
    }
}

/// Names and sizes of what the guest made.
fn new_files(lab: &Lab) -> Vec<(String, u64)> {
    let entries = fs::read_dir(lab.workspace.path()).expect("a folder").flatten();
    let entries = entries.map(|entry| {
        let size = entry.metadata().expect("it is there").len();
        (entry.file_name().to_string_lossy().into_owned(), size)
    });
    entries.filter(|(name, _)| !name.starts_with("old-")).collect()
}

#[test]
fn no_trick_gets_bytes_back_that_were_not_taken() {
    alone(async {
        for trick in ["unlink", "rename_over", "truncate", "link", "link_own", "symlink", "fail"] {
            let lab = Lab::new().limits(quota);
            old_files(&lab);
            let answer = attack(&lab, "refund", json!({"folder": "/workspace", "trick": trick})).await;
            let text = answer.expect("it reports").text();
            assert_eq!(text, format!("{PIECES} pieces, then insufficient-space"), "{trick}");
            let bytes: u64 = new_files(&lab).iter().map(|(_, size)| size).sum();
            assert_eq!(bytes, PIECES * PIECE, "{trick}: {:?}", new_files(&lab));
        }
        // A size is paid for each time; what is given back is what the file had in the end.
        let lab = Lab::new().limits(quota);
        let text = attack(&lab, "refund", json!({"folder": "/workspace", "trick": "resize"})).await;
        let text = text.expect("it reports").text();
        let pieces: u64 = text.split_once(' ').and_then(|(count, _)| count.parse().ok()).expect("a number");
        assert!(text.ends_with("then insufficient-space") && pieces <= PIECES / 2, "{text}");
    });
}

#[test]
fn no_trick_gets_files_back_that_were_not_taken() {
    alone(async {
        for trick in ["unlink", "rename_over", "truncate", "link", "link_own", "symlink", "folder", "fail"] {
            let lab = Lab::new().limits(|limits| Limits { files: 20, ..small(limits) });
            if trick == "folder" {
                (0..OLD).for_each(|number| fs::create_dir(lab.path(&format!("old-{number}"))).expect("a folder"));
            } else {
                old_files(&lab);
            }
            let input = json!({"folder": "/workspace", "trick": trick, "files": true});
            let text = attack(&lab, "refund", input).await.expect("it reports").text();
            assert!(text.ends_with("pieces, then insufficient-space"), "{trick}: {text}");
            assert_eq!(new_files(&lab).len(), 20, "{trick}: {text}");
        }
    });
}

#[test]
fn a_deleted_file_is_paid_for_as_long_as_anything_holds_it() {
    alone(async {
        for hold in ["writer", "reader", "read_stream", "write_stream"] {
            // Deleted and then written, written and then deleted, and both.
            for (before, after) in [(0, 8), (8, 0), (4, 4)] {
                let lab = Lab::new().limits(quota);
                let input = json!({"folder": "/workspace", "hold": hold, "before": before, "after": after});
                let text = attack(&lab, "ghost", input).await.expect("it reports").text();
                assert_eq!(text, format!("{PIECES} pieces, then insufficient-space"), "{hold}: {before}, {after}");
            }
        }
        // What was written before it was deleted is given back with its last holder.
        let lab = Lab::new().limits(quota);
        let input = json!({"folder": "/workspace", "hold": "reader", "before": 8, "after": 0, "let_go": true});
        let text = attack(&lab, "ghost", input).await.expect("it reports").text();
        assert_eq!(text, "1600 pieces");
    });
}

#[test]
fn lists_of_a_large_folder_are_capped() {
    /// Names as long as Linux takes them, in one folder.
    const NAMES: u32 = 4000;
    /// As many lists as there may be handles would take more than ten times as much.
    const PEAK_BYTES_MAX: u64 = 96 << 20;
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { handles: 1024, memory_bytes: 64 << 20, ..small(limits) });
        fs::create_dir(lab.path("large")).expect("a folder");
        for number in 0..NAMES {
            File::create(lab.path("large").join(format!("{number:0>250}"))).expect("a file");
        }
        let guest = lab.load("hold_lists", State::Fresh).await.expect("it loads");
        guest.warm().await.expect("it loads");
        let input = json!({"folder": "/workspace", "large": "large"});
        let (peak, answer) = peak_growth(call(&guest, "attack", input.clone())).await;
        assert!(
            peak.is_none_or(|peak| peak <= PEAK_BYTES_MAX),
            "the host grew by {:?} MiB",
            peak.map(|peak| peak >> 20)
        );
        assert_eq!(
            answer.expect("it reports").text(),
            "at first: 32 more, then insufficient-memory\n\
             one less: 1 more, then insufficient-memory\n\
             none: 32 more, then insufficient-memory\n"
        );
        attack(&lab, "hold_lists", input.clone()).await.expect("it reports again");
        // What the host holds counts as memory of the call: each takes more than a megabyte.
        let lab = lab.limits(|limits| Limits { memory_bytes: 16 << 20, ..limits });
        let text = attack(&lab, "hold_lists", input).await.expect("it reports").text();
        let first = text.strip_prefix("at first: ").and_then(|rest| rest.split(' ').next());
        assert!(first.and_then(|number| number.parse::<u32>().ok()).is_some_and(|number| number < 16), "{text}");
    });
}

#[test]
fn a_full_disk_is_called_one() {
    alone(async {
        let lab = Lab::new().limits(|limits| Limits { file_bytes: 100_000, ..small(limits) });
        let fill = async |sparse: bool| {
            let input = json!({"path": "/workspace/big", "sparse": sparse, "then": "/workspace/other"});
            let text = attack(&lab, "fill_disk", input).await.expect("it reports").text();
            (text, fs::metadata(lab.path("big")).expect("it is there").len())
        };
        // A size is refused in the words of a full disk; a smaller file still fits.
        let sized = fill(true).await;
        assert_eq!(sized, ("65536 bytes, then No space left on device (os error 51), then Ok(())".into(), 65_536));
        // So is every file that is opened next. Whatever a stream answers in the middle of a
        // file, wasi-libc calls an I/O error; as on a disk, what still fits is written.
        let (text, size) = fill(false).await;
        assert!(text.starts_with("65536 bytes, then ") && text.ends_with(", then Err(StorageFull)"), "{text}");
        assert_eq!(size, 100_000);
    });
}
