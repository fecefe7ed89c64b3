use crate::support::{HAND, asks, component, manifest, packed};
use handbox_bundle::{
    Bundle, BundleError, BundleSource, Bytes, ComponentSource, Digest, GapKind, Grants, Kind, LimitsPatch, Mode,
    section,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    fn open(&self, toml: &str) -> Result<Bundle, BundleError> {
        self.write("bundle.toml", toml);
        Bundle::open(".", &self.path(), &[])
    }
}

const HEAD: &str = "name = \"mine\"\nversion = \"0.1.0\"\n";

fn entry(path: &str, bytes: &[u8], more: &str) -> String {
    format!("[[components]]\npath = \"{path}\"\ndigest = \"{}\"\n{more}\n", Digest::of(bytes))
}

fn said(result: Result<Bundle, BundleError>) -> String {
    let error = result.unwrap_err();
    format!("{error} | {}", error.hint())
}

fn names(bundle: &Bundle) -> Vec<String> {
    bundle.known_tools().unwrap().iter().map(|tool| tool.name.to_string()).collect()
}

#[test]
fn a_folder_with_bundle_toml_is_a_bundle() {
    let (one, two) = (packed(&["read", "write"]), packed(&["grep", "glob"]));
    let folder = Folder::new();
    folder.write("a.wasm", &one).write("sub/b.wasm", &two);
    let toml = format!(
        "{HEAD}{}{}[limits]\nmemory = \"64MiB\"\n[[asks.folders]]\npath = \"/data\"\nmode = \"rw\"\n",
        entry("a.wasm", &one, "tools = { read = \"look\" }"),
        entry("sub/b.wasm", &two, "tools = [\"grep\"]"),
    );
    let bundle = folder.open(&toml).unwrap();
    assert_eq!((bundle.name.as_str(), bundle.version.as_str()), ("mine", "0.1.0"));
    assert_eq!(names(&bundle), ["look", "write", "grep"]);
    assert_eq!(bundle.components[0].known_tools().unwrap().unwrap()[0].0.as_str(), "read");
    assert_eq!(bundle.limits.memory_bytes, Some(64 << 20));
    assert_eq!(bundle.components[0].asks, asks(&[("/data", Mode::ReadOnly)]), "the lesser of both");
    assert_eq!(&*bundle.components[1].load().unwrap(), &two[..]);
    let files = ["bundle.toml", "a.wasm", "sub/b.wasm"].map(|name| folder.path().join(name));
    assert_eq!(bundle.files, files);
}

#[test]
fn a_component_without_or_with_a_wrong_digest_is_not_run_but_shown() {
    let wasm = packed(&["a"]);
    let folder = Folder::new();
    folder.write("a.wasm", &wasm);
    let line = format!("digest = \"{}\"", Digest::of(&wasm));
    let missing = said(folder.open(&format!("{HEAD}[[components]]\npath = \"a.wasm\"\n")));
    assert!(
        missing.contains("bundle.toml:4: components.path: components.digest is missing") && missing.contains(&line),
        "{missing}"
    );
    let wrong = said(folder.open(&format!("{HEAD}{}", entry("a.wasm", b"other", ""))));
    assert!(
        wrong.contains("bundle.toml:5: components.digest: `a.wasm` has changed") && wrong.contains(&line),
        "{wrong}"
    );
    let spelled = format!("{HEAD}[[components]]\npath = \"a.wasm\"\ndigest = \"md5:abc\"\n");
    assert!(said(folder.open(&spelled)).contains(&line));
}

#[test]
fn a_path_stays_inside_the_folder() {
    let wasm = packed(&["a"]);
    let folder = Folder::new();
    folder.write("outside.wasm", &wasm).write("inner/x", "");
    let inner = Folder::new();
    inner.write("a.wasm", &wasm);
    let absolute = folder.path().join("outside.wasm").display().to_string();
    for bad in ["../outside.wasm", "x/../../outside.wasm", absolute.as_str(), "C:x.wasm", "a\\\\b.wasm"] {
        let text = said(inner.open(&format!("{HEAD}{}", entry(bad, &wasm, ""))));
        assert!(text.contains("leads out of the bundle's folder"), "{bad}: {text}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("outside.wasm"), inner.path().join("link.wasm")).unwrap();
        assert!(
            said(inner.open(&format!("{HEAD}{}", entry("link.wasm", &wasm, "")))).contains("is a link that leads out")
        );
    }
}

#[test]
fn errors_in_bundle_toml_name_file_line_and_key() {
    let wasm = packed(&["a", "b"]);
    let folder = Folder::new();
    folder.write("a.wasm", &wasm);
    let good = format!("{HEAD}{}", entry("a.wasm", &wasm, ""));
    folder.open(&good).unwrap();
    for (toml, expected) in [
        (good.replace("version", "vresion"), "bundle.toml:2: unknown field `vresion`"),
        (good.replace("digest", "digset"), "bundle.toml:5: unknown field `digset`"),
        (good.replace("0.1.0", "one"), "bundle.toml:2: version: `one` is not a SemVer version"),
        (good.replace("mine", "my own"), "bundle.toml:1: name"),
        (format!("{good}[limits]\nmemory = 0\n"), "bundle.toml:8: limit `memory` is zero"),
        (format!("{good}[limits]\ntime = \"1s\"\ntime = \"1s\"\n"), "bundle.toml:9: duplicate key"),
        (format!("{HEAD}components = []\n"), "list 1 to 64 [[components]]"),
        (format!("{good}{}", entry("A.wasm", &wasm, "")), "bundle.toml:8: components.path: `A.wasm` stands twice"),
        (good.clone() + "tools = { c = \"d\" }\n", "has no tool `c` | its tools are: a, b"),
        (good.clone() + "tools = [\"c\"]\n", "has no tool `c`"),
        (good.clone() + "tools = { a = \"x y\" }\n", "bundle.toml:7"),
        (good.clone() + "tools = 3\n", "a list of tools to show, or a table"),
        (good.clone() + "tools = { a = \"B\" }\n", "differ only in case | rename one of them in bundle.toml"),
        (good.replace("a.wasm", "none.wasm"), "none.wasm"),
    ] {
        let text = said(folder.open(&toml));
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

#[test]
fn two_components_cannot_have_a_tool_of_the_same_name() {
    let (one, two) = (packed(&["read"]), packed(&["Read", "x"]));
    let folder = Folder::new();
    folder.write("a.wasm", &one).write("b.wasm", &two);
    let toml = |more: &str| format!("{HEAD}{}{}", entry("a.wasm", &one, ""), entry("b.wasm", &two, more));
    assert!(said(folder.open(&toml(""))).contains("`read` and `Read`"));
    assert_eq!(names(&folder.open(&toml("tools = [\"x\"]")).unwrap()), ["read", "x"]);
}

#[cfg(unix)]
#[test]
fn the_links_on_the_way_to_a_bundle_are_known() {
    use std::os::unix::fs::symlink;
    let wasm = packed(&["a"]);
    let (folder, other) = (Folder::new(), Folder::new());
    let (here, there) = (folder.path(), other.path());
    other.write("real/x.wasm", &wasm).write("real/bundle.toml", format!("{HEAD}{}", entry("y.wasm", &wasm, "")));
    symlink("x.wasm", there.join("real/y.wasm")).unwrap();
    symlink("real", there.join("folder")).unwrap();
    symlink(there.join("folder/../folder/x.wasm"), here.join("link.wasm")).unwrap();
    symlink(&there, here.join("there")).unwrap();

    let bundle = Bundle::open("./link.wasm", &here, &[]).unwrap();
    assert_eq!(bundle.files, [there.join("real/x.wasm")]);
    assert_eq!(bundle.links, [here.join("link.wasm"), there.join("folder"), there.join("folder")]);

    let bundle = Bundle::open("there/folder", &here, &[]).unwrap();
    assert_eq!(bundle.links, [here.join("there"), there.join("folder"), there.join("real/y.wasm")]);
    assert_eq!(Bundle::open("real/x.wasm", &there, &[]).unwrap().links, Vec::<PathBuf>::new());
}

#[test]
fn a_single_packed_component_is_a_bundle() {
    let folder = Folder::new();
    folder.write("x.wasm", packed(&["a"]));
    let bundle = Bundle::open("x.wasm", &folder.path(), &[]).unwrap();
    assert_eq!((bundle.name.as_str(), bundle.version.as_str(), bundle.files.len()), ("sample", "0.1.0", 1));
    assert_eq!(bundle.components[0].kind, Kind::Hand);
}

#[test]
fn an_unpacked_component_asks_for_nothing_and_is_told_to_be_packed() {
    let folder = Folder::new();
    folder.write("x.wasm", component(&["wasi:filesystem/types@0.2.0"], &[HAND]));
    let bundle = Bundle::open("x.wasm", &folder.path(), &[]).unwrap();
    assert!(bundle.components[0].known_tools().unwrap().is_none());
    let grants = Grants { env: vec![("A".into(), "b".into())], ..Grants::default() };
    let effective = bundle.effective(&grants).remove(0);
    assert_eq!(effective.grants, Grants::default());
    assert_eq!(effective.gaps[0].kind, GapKind::Unpacked);
    assert!(effective.gaps[0].reason.contains("handbox pack"), "{}", effective.gaps[0].reason);
}

#[test]
fn what_is_no_bundle_is_answered_with_what_is() {
    let folder = Folder::new();
    folder.write("readme.txt", "hello").write("empty/x", "");
    let open = |what: &str| Bundle::open(what, &folder.path(), &[source(packed(&["a"]))]);
    for (what, expected) in [
        (
            "foo",
            "there is no bundle `foo` | a bundle is a built-in one (std), a folder with bundle.toml, or a .wasm file",
        ),
        ("empty", "there is no bundle.toml in it"),
        ("readme.txt", "this is not WebAssembly"),
    ] {
        let text = said(open(what));
        assert!(text.contains(expected), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_opened() {
    let error = Bundle::open("/dev/null", Path::new("/"), &[]).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

static UNPACKED: AtomicUsize = AtomicUsize::new(0);

fn source(wasm: Vec<u8>) -> BundleSource {
    let digest = Digest::of(&wasm);
    let unpack = move || {
        UNPACKED.fetch_add(1, Ordering::SeqCst);
        Ok(wasm.clone())
    };
    let manifest = serde_json::to_string(&manifest(&["a"])).unwrap();
    let component = ComponentSource { digest, kind: Kind::Hand, manifest, bytes: Bytes::Lazy(Arc::new(unpack)) };
    BundleSource {
        name: "std".into(),
        version: "0.1.0".into(),
        limits: LimitsPatch::default(),
        components: vec![component],
    }
}

#[test]
fn a_built_in_bundle_is_unpacked_only_when_loaded_and_then_checked() {
    let folder = Folder::new();
    folder.write("std/bundle.toml", "poses as std");
    let honest = source(packed(&["a"]));
    let bundle = Bundle::open("std", &folder.path(), std::slice::from_ref(&honest)).unwrap();
    assert_eq!((names(&bundle), UNPACKED.load(Ordering::SeqCst)), (vec!["a".to_owned()], 0));
    assert_eq!(bundle.components[0].asks, asks(&[("*", Mode::ReadOnly)]));
    bundle.components[0].load().unwrap();
    assert_eq!(UNPACKED.load(Ordering::SeqCst), 1);
    let mut tampered = honest;
    tampered.components[0].bytes = Bytes::Lazy(Arc::new(|| Ok(b"other".to_vec())));
    let bundle = tampered.bundle().unwrap();
    assert!(matches!(bundle.components[0].load(), Err(BundleError::Changed { .. })));
    assert!(Bundle::open("./std", &folder.path(), &[]).is_err(), "./std is the folder");
}

#[test]
fn a_component_that_lies_about_its_needs_does_not_load() {
    let folder = Folder::new();
    let liar = section::write(&component(&["wasi:http/outgoing-handler@0.2.0"], &[HAND]), &manifest(&["a"])).unwrap();
    folder.write("x.wasm", liar);
    assert!(said(Bundle::open("x.wasm", &folder.path(), &[])).contains("claims less than it imports"));
}
