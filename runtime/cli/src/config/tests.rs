//! Parsing, layering, trust: on real files in a folder of their own.

use super::*;
use crate::args;
use crate::grants::{Asking, Effective, effective};
use handbox_bundle::{Mode, Profile};

/// A home with a configuration and a project in it.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) paths: Paths,
    pub(crate) config: Config,
}

/// A machine on which the operator configured `text`, and no project.
pub(crate) fn configured(text: &str) -> Bench {
    Bench::new(text, None).unwrap_or_else(|failure| panic!("{failure:?}"))
}

impl Bench {
    fn new(config: &str, project: Option<&str>) -> Result<Self, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["home/.config/handbox", "home/work", "home/data", "home/project/src", "home/project/.git"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let home = root.join("home");
        let config_folder = home.join(".config/handbox");
        std::fs::write(config_folder.join("config.toml"), config).unwrap();
        if let Some(project) = project {
            std::fs::write(home.join("project/handbox.toml"), project).unwrap();
        }
        let data = home.join(".local/handbox");
        let paths = Paths {
            vault_key: config_folder.join("vault.key"),
            config: config_folder.join("config.toml"),
            config_is_named: false,
            config_folder,
            cache: home.join(".cache/handbox"),
            trust: data.join("trust.json"),
            data,
            home,
        };
        let loaded = Config::load(&paths, &root.join("home/project/src"))?;
        Ok(Self { config: loaded, dir, paths })
    }

    fn with(config: &str, project: &str) -> Self {
        Self::new(config, Some(project)).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    fn project(&self) -> PathBuf {
        self.paths.home.join("project")
    }

    fn reload(&mut self) {
        self.config = Config::load(&self.paths, &self.project()).unwrap();
    }

    fn trust(mut self) -> Self {
        let file = self.project().join(PROJECT_FILE);
        let digest = read_project(&file).unwrap().digest;
        TrustFile::read(&self.paths.trust).unwrap().add(&file, digest).unwrap();
        self.reload();
        self
    }

    fn try_ask(&self, typed: &[&str], bundle: Option<&str>) -> Result<Effective, Failure> {
        self.try_ask_for(typed, bundle, &[])
    }

    fn try_ask_for(&self, typed: &[&str], bundle: Option<&str>, links: &[PathBuf]) -> Result<Effective, Failure> {
        use clap::Parser;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            grants: args::Grants,
        }
        let typed = Line::parse_from([&["x"], typed].concat()).grants;
        let cwd = self.project();
        effective(Asking { typed: &typed, config: &self.config, bundle, links, paths: &self.paths, cwd: &cwd })
    }

    fn ask(&self, typed: &[&str]) -> Effective {
        self.try_ask(typed, Some("x")).unwrap_or_else(|failure| panic!("{failure:?}"))
    }
}

/// What is granted, as `guest=folder:mode` with the folder's last name.
fn folders(effective: &Effective) -> Vec<String> {
    let folders = effective.grants.folders.iter();
    folders
        .map(|folder| format!("{}={}:{}", folder.guest, folder.host.file_name().unwrap().display(), folder.mode))
        .collect()
}

fn env(effective: &Effective) -> Vec<String> {
    effective.grants.env.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn fails(config: &str) -> Failure {
    let failure = Bench::new(config, None).err().unwrap_or_else(|| panic!("accepted: {config}"));
    assert!(failure.hint.is_some(), "{failure:?}");
    failure
}

#[test]
fn every_bad_configuration_is_an_error_with_file_line_and_key() {
    let cases = [
        ("\nprofle = \"strict\"", "config.toml:2", "profle"),
        ("profile = \"x\"", "config.toml:1", "x"),
        ("[limits]\nmemory = \"64\"\nmemory = \"1\"", "config.toml:3", "memory"),
        ("[limits]\nmemory = 0", "config.toml:2", "memory"),
        ("[limits]\ntime = 30", "config.toml:2", "time"),
        ("[limits]\nmemry = 1", "config.toml:2", "memry"),
        ("[[folders]]\nhost = 3", "config.toml:2", "host"),
        ("[[folders]]\nguest = \"/data\"", "config.toml:1", "host"),
        ("[[folders]]\nhost = \"~/work\"\nguest = \"data\"", "config.toml:3", "folders.0.guest"),
        ("[[folders]]\nhost = \"~bob/work\"", "config.toml:2", "folders.0.host"),
        ("[[folders]]\nhost = \"\"", "config.toml:2", "folders.0.host"),
        ("[[folders]]\nhost = \"a\"\n[[folders]]\nhost = \"b\"", "config.toml:3", "/workspace"),
        ("[env]\n\"A B\" = \"x\"", "config.toml:2", "env.A B"),
        ("[env]\n\"A=B\" = \"x\"", "config.toml:2", "env.A=B"),
        ("[env]\nA = 1", "config.toml:2", "A"),
        ("\n[bundles.x]\n", "config.toml:2", "bundles.x"),
        ("[bundles.\"../x\"]\npath = \"x\"", "config.toml:1", "bundles.../x"),
        ("[bundles.std]\npath = \"x\"", "config.toml:2", "bundles.std.path"),
        ("[bundles.x]\npath = \"x\"\nhosts = [\"ftp://x.example\"]", "config.toml:3", "http"),
        ("[network]\nranges = [\"10\"]", "config.toml:2", "network.ranges.0"),
        ("[narrow]\nenv = []", "config.toml:1", "narrow"),
    ];
    for (config, place, key) in cases {
        let failure = fails(config);
        let message = format!("{} ({})", failure.message, failure.hint.unwrap_or_default());
        assert!(message.contains(place) && message.contains(key), "{config:?}: {message}");
    }
}

#[test]
fn a_file_that_is_no_text_of_a_sane_size_is_refused() {
    let bench = configured("");
    let load = || Config::load(&bench.paths, &bench.project()).map(drop).map_err(|failure| failure.message);
    let file = &bench.paths.config;
    std::fs::write(file, vec![b'#'; 10 << 20]).unwrap();
    assert!(load().unwrap_err().contains("larger than the 256 KiB"));
    std::fs::write(file, b"# fine\nx = \"\xff\"").unwrap();
    assert!(load().unwrap_err().contains("config.toml:2: not UTF-8"));
    std::fs::remove_file(file).unwrap();
    load().unwrap();
    std::fs::create_dir(file).unwrap();
    assert!(load().unwrap_err().contains("is a folder"));
}

#[cfg(unix)]
#[test]
fn the_operator_may_link_the_configuration_and_a_project_may_not() {
    let bench = configured("");
    let load = || Config::load(&bench.paths, &bench.project());
    let (file, target) = (&bench.paths.config, bench.paths.home.join("dotfile"));
    std::fs::remove_file(file).unwrap();
    std::os::unix::fs::symlink(&target, file).unwrap();
    assert!(load().unwrap_err().message.contains("cannot read"), "a link that leads nowhere");
    std::fs::write(&target, "profile = \"strict\"").unwrap();
    assert_eq!(load().unwrap().operator.all.profile.map(|profile| profile.value), Some(Profile::Strict));
    std::os::unix::fs::symlink(&target, bench.project().join(PROJECT_FILE)).unwrap();
    assert!(load().unwrap_err().message.contains("is a link"));
}

#[test]
fn a_named_file_must_be_there() {
    let mut bench = configured("");
    bench.paths.config = "nowhere.toml".into();
    Config::load(&bench.paths, &bench.project()).unwrap();
    bench.paths.config_is_named = true;
    let failure = Config::load(&bench.paths, &bench.project()).unwrap_err();
    assert!(failure.message.contains("nowhere.toml") && failure.hint.unwrap().contains("--config"));
}

const CONFIG: &str = r#"
profile = "roomy"
limits = { memory = "64MiB" }
env = { LANG = "C", KEY = "1" }
[[folders]]
host = "~/work"
guest = "/work"
mode = "rw"
[bundles.x]
path = "x.wasm"
limits = { time = "7s" }
env = { KEY = "2" }
[[bundles.x.folders]]
host = "../../data"
guest = "/data"
"#;

#[test]
fn flags_win_over_a_bundles_table_which_wins_over_the_rest() {
    let bench = configured(CONFIG);
    let of_x = bench.ask(&[]);
    assert_eq!(folders(&of_x), ["/work=work:rw", "/data=data:ro"]);
    assert_eq!(env(&of_x), ["LANG=C", "KEY=2"]);
    let roomy = Profile::Roomy.limits();
    assert_eq!((of_x.limits.memory_bytes, of_x.limits.time.as_secs()), (64 << 20, 7));
    assert_eq!(of_x.limits.cpu_fuel, roomy.cpu_fuel);
    let from = |name: &str| of_x.sources.limits.sources[name].to_string();
    assert_eq!([from("memory"), from("time"), from("cpu")], ["config.toml:3", "config.toml:11", "config.toml:2"]);

    let other = bench.try_ask(&[], None).unwrap();
    assert_eq!(
        (folders(&other), env(&other)),
        (vec!["/work=work:rw".to_owned()], vec!["KEY=1".into(), "LANG=C".into()])
    );

    let typed = bench.ask(&["--dir", "src:/data", "--env", "KEY=3", "--profile", "strict", "--limit", "time=1s"]);
    assert_eq!(folders(&typed), ["/work=work:rw", "/data=src:ro"]);
    assert_eq!(env(&typed), ["LANG=C", "KEY=3"]);
    assert_eq!((typed.limits.time.as_secs(), typed.limits.memory_bytes), (1, 16 << 20));
    assert_eq!(typed.sources.limits.sources["memory"], Source::Flag("--profile"));
}

#[test]
fn the_current_folder_is_granted_only_if_nobody_grants_one() {
    assert_eq!(folders(&configured("").ask(&[])), ["/workspace=project:ro"]);
    assert_eq!(folders(&configured("").ask(&["--write"])), ["/workspace=project:rw"]);
    assert_eq!(folders(&configured("").ask(&["--dir", "src:/s"])), ["/s=src:ro"]);
    assert_eq!(folders(&configured(CONFIG).ask(&["--no-dir"])), Vec::<String>::new());
    assert!(folders(&configured(CONFIG).ask(&["--write"])).contains(&"/workspace=project:rw".to_owned()));
}

const GREEDY: &str = r#"
profile = "roomy"
env = { KEY = "stolen", MORE = "1" }
limits = { memory = "1GiB", time = "2s" }
[[folders]]
host = "~/data"
guest = "/work"
mode = "rw"
[bundles.own]
path = "own.wasm"
[bundles.x]
path = "evil.wasm"
env = { EVIL = "1" }
[narrow]
env = ["KEY"]
folders = [{ guest = "/work", mode = "ro" }]
"#;

#[test]
fn a_project_that_is_not_trusted_narrows_and_widens_nothing() {
    let bench = Bench::with(CONFIG, GREEDY);
    let effective = bench.ask(&[]);
    assert_eq!(folders(&effective), ["/work=work:ro"]);
    assert_eq!(env(&effective), ["KEY=2"]);
    assert_eq!((effective.limits.memory_bytes, effective.limits.time.as_secs()), (64 << 20, 2));
    let warnings = format!("{:?}", effective.warnings);
    for said in ["folder", "KEY", "MORE", "memory=1GiB", "line 4", "`handbox config trust`", "bundles.x is not used"] {
        assert!(warnings.contains(said), "{said}: {warnings}");
    }
    assert!(!warnings.contains("time=2s") && !warnings.contains("EVIL") && !warnings.contains("stolen"), "{warnings}");
    let removed: Vec<&str> = effective.sources.removed.iter().map(|gone| gone.value.as_str()).collect();
    assert_eq!(removed, ["writing to /work", "folder /data", "environment value LANG"]);
    assert!(bench.ask(&["--dir", "src:/s:rw"]).grants.folders.iter().any(|folder| folder.mode == Mode::ReadWrite));
}

#[test]
fn a_trusted_project_grants_until_it_changes() {
    let mut bench = Bench::with(CONFIG, GREEDY).trust();
    let effective = bench.ask(&[]);
    assert_eq!(folders(&effective), ["/work=data:rw"]);
    assert_eq!(env(&effective), ["KEY=stolen", "MORE=1"], "but never for a name of the operator's");
    assert_eq!((effective.limits.memory_bytes, effective.limits.time.as_secs()), (1 << 30, 2));
    assert!(effective.sources.env[0].to_string().contains("trusted"));

    let file = bench.project().join(PROJECT_FILE);
    std::fs::write(&file, GREEDY.replace("stolen", "changed")).unwrap();
    bench.reload();
    assert_eq!(env(&bench.ask(&[])), ["KEY=2"]);
    assert!(bench.ask(&[]).warnings.iter().any(|warning| warning.message.contains("has changed")));
    std::fs::write(&file, GREEDY).unwrap();
    bench.reload();
    assert_eq!(env(&bench.ask(&[])), ["KEY=stolen", "MORE=1"], "what was trusted is the content");
}

#[test]
fn narrowing_to_a_subfolder_cannot_lead_out_of_what_is_granted() {
    let narrow = |subfolder: &str| format!("[[narrow.folders]]\nguest = \"/workspace\"\nsubfolder = \"{subfolder}\"");
    assert_eq!(folders(&Bench::with("", &narrow("src")).ask(&[])), ["/workspace=src:ro"]);
    for bad in ["..", "src/../..", "/etc", "."] {
        let failure = Bench::new("", Some(&narrow(bad))).err().unwrap();
        assert!(failure.message.contains("narrow.folders.0.subfolder"), "{failure:?}");
    }
    let bench = Bench::with("", &narrow("link"));
    assert!(bench.try_ask(&[], None).unwrap_err().message.contains("handbox.toml:1"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(bench.paths.home.join("data"), bench.project().join("link")).unwrap();
        let failure = bench.try_ask(&[], None).unwrap_err();
        assert!(failure.message.contains("leads out") && failure.kind.code() == 3, "{failure:?}");
    }
    let none = Bench::with("env = { A = \"1\" }", "[narrow]\nfolders = []\nenv = []").ask(&[]);
    assert_eq!((folders(&none), env(&none)), (vec![], vec![]));
}

#[test]
fn a_refused_grant_names_the_line_that_asks_for_it() {
    let message = |config: &str| configured(config).try_ask(&[], None).unwrap_err().message;
    assert!(message("\n[[folders]]\nhost = \"~\"").contains("config.toml:2: "), "the home folder");
    assert!(message("[[folders]]\nhost = \"~/nowhere\"").contains("config.toml:1: "), "a missing folder");
    let own = configured("").try_ask(&["--dir", "../.config/handbox:/c:rw"], None).unwrap_err();
    assert!(own.message.starts_with("--dir: ") && own.kind.code() == 3, "{own:?}");
}

#[test]
fn everything_that_is_loaded_is_protected() {
    let bench = Bench::with("[bundles.f]\npath = \"~/work\"", "[bundles.own]\npath = \"own.wasm\"");
    std::fs::write(bench.project().join("own.wasm"), "").unwrap();
    let protected = bench.ask(&["--write"]).protected;
    let names = ["config.toml", "handbox.toml", "trust.json", "own.wasm"].map(std::ffi::OsStr::new);
    assert!(names.iter().all(|name| protected.iter().any(|file| file.file_name() == Some(name))), "{protected:?}");

    // What is not there cannot be protected, so that nothing may make it.
    std::fs::remove_file(bench.project().join("own.wasm")).unwrap();
    assert!(bench.try_ask(&["--write"], None).unwrap_err().message.contains("own.wasm"));
    #[cfg(unix)]
    {
        std::fs::write(bench.paths.home.join("real.wasm"), "").unwrap();
        std::os::unix::fs::symlink("../real.wasm", bench.project().join("own.wasm")).unwrap();
        let failure = bench.try_ask(&["--write"], None).unwrap_err();
        assert!(failure.message.contains("holds a link"), "{failure:?}");
        bench.ask(&[]);
    }
}

#[test]
fn a_link_to_the_bundle_cannot_be_replaced_by_its_tools() {
    let bench = configured("");
    let links = [bench.project().join("src/link.wasm")];
    let ask = |typed: &[&str]| bench.try_ask_for(typed, None, &links);
    for typed in [&["--write"][..], &["--dir", "src:/s:rw"]] {
        let failure = ask(typed).unwrap_err();
        assert!(failure.message.contains("through the link") && failure.kind.code() == 3, "{failure:?}");
    }
    ask(&[]).unwrap();
    ask(&["--dir", "../data:/data:rw"]).unwrap();
}

#[test]
fn names_lead_to_bundles_and_the_operators_win() {
    let bench = Bench::with(CONFIG, GREEDY);
    let open = |word: &str| bench.config.open(word, &bench.project(), &[]).map(|opened| (opened.name, opened.origin));
    let missing = open("x").unwrap_err();
    assert!(missing.message.contains("config.toml:10: bundles.x.path"), "{missing:?}");
    let component = b"\0asm\x0d\0\x01\0";
    std::fs::write(bench.paths.config_folder.join("x.wasm"), component).unwrap();
    std::fs::write(bench.project().join("own.wasm"), component).unwrap();
    std::fs::write(bench.project().join("evil.wasm"), component).unwrap();
    let named = |name: &str, origin| (Some(name.to_owned()), origin);
    for (word, expected) in [
        ("x", named("x", Origin::Config)),
        ("../.config/handbox/x.wasm", named("x", Origin::Config)),
        ("own", named("own", Origin::Project)),
        ("./own.wasm", named("own", Origin::Project)),
        ("./evil.wasm", (None, Origin::Path)),
    ] {
        // An empty component is opened or refused as broken, which is not for us to say.
        match open(word) {
            Ok(opened) => assert_eq!(opened, expected, "{word}"),
            Err(failure) => assert_eq!(failure.kind.code(), 5, "{word}: {failure:?}"),
        }
    }
    let unknown = open("nope").unwrap_err();
    assert!(unknown.hint.unwrap().contains("(x, own)"));
}

#[test]
fn a_project_is_looked_for_up_to_its_root_and_never_at_home() {
    let bench = configured("");
    let (home, project) = (&bench.paths.home, bench.project());
    std::fs::write(home.join(PROJECT_FILE), "broken = ").unwrap();
    std::fs::write(bench.dir.path().join(PROJECT_FILE), "broken = ").unwrap();
    let find = |folder: &Path| find_project(folder, home).unwrap();
    for folder in [home, &project, &home.join("work")] {
        assert_eq!(find(folder).file, None, "{}", folder.display());
    }
    let nested = project.join("src/deep");
    std::fs::create_dir_all(&nested).unwrap();
    std::fs::write(project.join(PROJECT_FILE), "").unwrap();
    assert_eq!(find(&nested).file, Some(project.join(PROJECT_FILE)));
    std::fs::create_dir(project.join("src/.git")).unwrap();
    assert_eq!(find(&nested).file, None, "a repository in a repository is its own project");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&project, std::fs::Permissions::from_mode(0o777)).unwrap();
        let shared = find(&project);
        assert_eq!((shared.file, shared.shared), (None, Some(project.join(PROJECT_FILE))));
    }
}

#[test]
fn the_examples_show_every_setting() {
    let example = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        // As it is, it must work anywhere; with every setting, it must parse.
        (text.clone(), text.replace("#:", ""))
    };
    let (plain, full) = example("config.toml");
    assert!(configured(&plain).config.operator.all.folders.is_empty());
    let bench = configured(&full);
    let config = &bench.config.operator;
    assert_eq!(config.all.limits.len(), 12, "each limit is shown");
    assert!(!config.all.folders.is_empty() && !config.all.env.is_empty() && !config.bundles.is_empty());
    assert!(!config.all.hosts.is_empty() && !config.ranges.is_empty());
    let (plain, full) = example("handbox.toml");
    assert!(Bench::with("", &plain).config.project.is_some());
    let bench = Bench::with("", &full);
    let project = bench.config.project.as_ref().unwrap();
    assert!(project.settings.narrow.folders.is_some() && project.settings.narrow.env.is_some());
    assert!(!project.settings.bundles.is_empty());
}
