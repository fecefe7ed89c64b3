//! Who may read and write the files of the vault, and what is left of them.

use super::tests::{Bench, CANARY, new};
use super::*;
use std::path::Path;

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.keep().set(new("a", CANARY)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let key = bench.options().key;
    assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));
    assert_eq!((mode(&bench.vault()), mode(bench.vault().parent().unwrap())), (0o600, 0o700));
    for wrong in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(wrong)).unwrap();
        let error = bench.keep().list().unwrap_err();
        assert!(matches!(&error, KeepError::Unsafe { .. }) && error.hint().starts_with("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(bench.keep().list().is_ok());
    let open = tempfile::tempdir().unwrap();
    std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let keep = Keep::new(Options { key: open.path().join("vault.key"), ..Bench::new().options() });
    assert!(matches!(keep.init(&Rest::Plain), Err(KeepError::Unsafe { .. })));
}

#[cfg(unix)]
#[test]
fn a_key_in_a_folder_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.keep().set(new("a", CANARY)).unwrap();
    let folder = bench.options().key.parent().unwrap().to_owned();
    for (mode, is_fine) in [(0o770, false), (0o757, false), (0o755, true)] {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        let listed = bench.keep().list();
        assert_eq!(listed.is_ok(), is_fine, "{mode:o}");
        assert!(is_fine || matches!(&listed, Err(KeepError::Unsafe { .. })));
    }
}

#[cfg(unix)]
#[test]
fn a_vault_in_a_folder_that_others_can_write_is_neither_read_nor_changed() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    bench.keep().set(new("a", CANARY)).unwrap();
    let folder = bench.vault().parent().unwrap().to_owned();
    for (mode, is_fine) in [(0o777, false), (0o1777, false), (0o770, false), (0o755, true)] {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        for done in [bench.keep().list().map(drop), bench.keep().rotate("a", super::tests::held(CANARY))] {
            assert_eq!(done.is_ok(), is_fine, "{mode:o} {done:?}");
            let Err(error) = done else { continue };
            assert_eq!(error.hint(), format!("chmod 700 {}", folder.display()));
            assert!(error.to_string().contains("where the vault is"), "{error}");
        }
    }
}

#[test]
fn what_a_killed_process_left_is_removed_with_the_next_change() {
    let bench = Bench::new();
    let keep = bench.keep();
    keep.set(new("a", CANARY)).unwrap();
    let (data, key) = (bench.vault().parent().unwrap().to_owned(), bench.options().key);
    let used = data.join("vault-used.json");
    let leave = |path: &Path| beside::create(path).unwrap().keep().unwrap();
    let (of_vault, old, of_key) = (leave(&bench.vault()).1, leave(&used), leave(&key));
    let (now, now_of_key) = (leave(&used).1, leave(&key).1);
    for (file, _) in [&old, &of_key] {
        file.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
    }
    let others = [".tmpAb12Cd", ".vault.age.new", "vault.age.Ab12Cd.new", ".vault.age.Ab12Cd.new.txt"];
    let others = others.map(|name| data.join(name));
    others.iter().for_each(|path| std::fs::write(path, "x").unwrap());
    assert!(keep.list().is_ok() && of_vault.exists(), "who only reads removes nothing");
    keep.remove("a").unwrap();
    for gone in [&of_vault, &old.1, &of_key.1] {
        assert!(!gone.exists(), "{}", gone.display());
    }
    for kept in others.iter().chain([&now, &now_of_key, &key]) {
        assert!(kept.exists(), "somebody else's, or still being written: {}", kept.display());
    }
}

#[test]
fn a_full_disk_is_not_called_a_file_that_may_not_be_written() {
    let hint = |kind: std::io::ErrorKind| KeepError::file(Path::new("vault.age"), &kind.into()).hint();
    assert!(hint(std::io::ErrorKind::StorageFull).starts_with("make room there"));
    assert!(hint(std::io::ErrorKind::PermissionDenied).contains("may read and write"));
}
