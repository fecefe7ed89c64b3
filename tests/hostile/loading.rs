//! What is refused before it ever runs.

use crate::after::alone;
use handbox_bundle::State;
use handbox_hand::HandError;
use handbox_hands::{Cache, Library, QuietLoad, Toolbox, ToolboxError};
use handbox_tests::{Lab, guest_bytes};
use std::sync::Arc;

#[test]
fn a_component_that_answers_differently_from_its_manifest_is_refused() {
    alone(async {
        let lab = Lab::new();
        let bundle = lab.bundle("different_tools", State::Fresh).await.expect("it can be packed");
        // No cache: the tools are asked for again, and differ.
        let mut toolbox = Toolbox::new(Library::new(lab.engine.clone(), None, Arc::new(QuietLoad)));
        toolbox.add(&bundle, &lab.environment).await.expect("nothing is loaded yet");
        let Err(HandError::Broken(text)) = toolbox.warm().await else { panic!("it was loaded") };
        assert!(text.contains("does not do what its manifest says"), "{text}");
    });
}

#[test]
fn a_component_with_bad_tools_cannot_be_used() {
    alone(async {
        let lab = Lab::new();
        assert!(matches!(lab.load("bad_tools", State::Fresh).await, Err(HandError::Broken(_))));
    });
}

#[test]
fn proposals_that_are_off_are_refused_at_load() {
    alone(async {
        let lab = Lab::new();
        let exported = |core: &str| {
            format!(
                r#"(component (core module $m {core} (func (export "f") (result i32) i32.const 1))
               (core instance $i (instantiate $m))
               (func (export "f") (result u32) (canon lift (core func $i "f"))))"#
            )
        };
        let plain = wat::parse_str(exported("")).expect("valid text");
        lab.pack("plain", &plain, State::Fresh).await.expect("the same without the proposal loads");
        for (what, core) in [
            ("threads", "(memory 1 1 shared)"),
            ("64-bit memory", "(memory i64 1)"),
            ("two memories", "(memory 1) (memory 1)"),
            ("exceptions", "(tag)"),
            ("garbage collection", "(type (struct (field i32)))"),
            ("a table of 2³² elements", "(table 0xffffffff funcref)"),
            ("a memory of 4 GiB", "(memory 65536)"),
        ] {
            let bytes = wat::parse_str(exported(core)).expect("valid text");
            let answer = async {
                let bundle = lab.pack("odd", &bytes, State::Fresh).await?;
                let mut toolbox = lab.toolbox();
                toolbox.add(&bundle, &lab.environment).await.map_err(|error| match error {
                    ToolboxError::Hand(error) => error,
                    other => HandError::Broken(other.to_string()),
                })?;
                handbox_tests::call(&toolbox, "f", serde_json::json!({})).await
            };
            let answer = answer.await;
            assert!(matches!(answer, Err(HandError::Broken(_) | HandError::Limit(_))), "{what}: {answer:?}");
        }
    });
}

#[test]
fn a_tampered_cache_entry_is_compiled_again_and_never_run() {
    alone(async {
        let lab = Lab::new();
        let folder = tempfile::tempdir().expect("a folder").keep().join("cache");
        let bundle = lab.pack("hello", &guest_bytes("hello"), State::Fresh).await.expect("it packs");
        let other = lab.pack("state_bleed", &guest_bytes("state_bleed"), State::Fresh).await.expect("it packs");
        let compiled = || {
            let counter = Arc::new(Counter::default());
            (Arc::clone(&counter), counter as Arc<dyn handbox_hands::LoadWatcher>)
        };
        let warm = async |bundle: &handbox_bundle::Bundle| {
            let (counter, watcher) = compiled();
            let mut toolbox = Toolbox::new(Library::new(lab.engine.clone(), Cache::open(&folder).ok(), watcher));
            toolbox.add(bundle, &lab.environment).await.expect("it is a bundle");
            toolbox.warm().await.expect("it loads");
            counter.0.load(std::sync::atomic::Ordering::SeqCst)
        };
        assert_eq!((warm(&bundle).await, warm(&bundle).await), (1, 0), "the second load comes from the cache");

        for end in ["cwasm", "entry"] {
            let entry = only(&folder, end);
            let good = std::fs::read(&entry).expect("an entry");
            for place in [0, 9, 40, good.len() / 2, good.len() - 1] {
                let mut bad = good.clone();
                bad[place] ^= 1;
                replace(&entry, &bad);
                assert_eq!(warm(&bundle).await, 1, "a flip at {place} of .{end} was not noticed");
            }
            replace(&entry, &good[..good.len() / 2]);
            assert_eq!(warm(&bundle).await, 1, "half an .{end} was taken for a whole one");
        }

        // Another component's entry, intact, under this one's name.
        let entries = [only(&folder, "cwasm"), only(&folder, "entry")];
        for entry in &entries {
            std::fs::remove_file(entry).expect("an entry");
        }
        assert_eq!(warm(&other).await, 1);
        let foreign = [only(&folder, "cwasm"), only(&folder, "entry")];
        for (foreign, entry) in foreign.iter().zip(&entries) {
            std::fs::rename(foreign, entry).expect("the entry can be moved");
        }
        assert_eq!(warm(&bundle).await, 1, "a foreign entry was taken");
        std::fs::remove_dir_all(folder.parent().expect("it has one")).expect("our own folder");
    });
}

#[cfg(unix)]
#[test]
fn a_cache_that_others_can_enter_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("our own folder");
    let Err(error) = Cache::open(folder.path()) else { panic!("it was used") };
    assert!(error.to_string().contains("chmod 700"), "{error}");
}

#[derive(Default)]
struct Counter(std::sync::atomic::AtomicUsize);

impl handbox_hands::LoadWatcher for Counter {
    fn compiling(&self, _: &str, _: usize) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Replaces a file as an attacker would who cannot stop the host from having it mapped.
fn replace(path: &std::path::Path, bytes: &[u8]) {
    std::fs::remove_file(path).expect("the file is there");
    std::fs::write(path, bytes).expect("the folder can be written");
}

fn only(folder: &std::path::Path, end: &str) -> std::path::PathBuf {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let mut entries: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == end)).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}
