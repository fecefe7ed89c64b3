//! `handbox new`: a project to start from.

use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::{describe, paths};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// As long as a tool's name may be, since the component is called so.
const NAME_LENGTH_MAX: usize = 64;
/// Names that Cargo or the compiler refuses for a package, or that would hide a crate.
const NAMES_TAKEN: [&str; 14] = [
    "alloc",
    "core",
    "std",
    "proc_macro",
    "test",
    "build",
    "deps",
    "examples",
    "incremental",
    "handbox-tool",
    "handbox_tool",
    "serde",
    "schemars",
    "self",
];

/// Make a Rust project with two small tools, ready to build.
///
/// It becomes a component that Handbox can run: `src/lib.rs` has the tools, `tool.toml` says
/// who made them and what they ask for, and the README has the commands. You need Rust with the
/// target wasm32-wasip2 (`rustup target add wasm32-wasip2`).
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  handbox new greeter --sdk ~/handbox/guest-tools/sdk && cd greeter && cat README.md"
)]
pub(crate) struct New {
    /// What to call it: a-z, 0-9, `-` and `_`, beginning with a letter
    name: String,
    /// Where to make it, instead of a folder NAME in the current one
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Where the crate handbox-tool is: guest-tools/sdk of a checkout of Handbox (it is not on
    /// crates.io yet, so this is needed)
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, command: &New) -> Result<ExitCode, Failure> {
    check_name(&command.name)?;
    let sdk = sdk(command.sdk.as_deref())?;
    let folder = command.dir.clone().unwrap_or_else(|| PathBuf::from(&command.name));
    let folder = paths::current_folder()?.join(folder);
    check_folder(&folder)?;
    let files = files(&command.name, &sdk);
    for (name, text) in &files {
        write(&folder.join(name), text)?;
    }
    let shown = command.dir.as_deref().unwrap_or(Path::new(&command.name)).display().to_string();
    let steps = steps(&command.name, &shown);
    if global.json {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        output::json_line(&json!({ "folder": folder, "files": names, "next": steps }));
        return Ok(ExitCode::SUCCESS);
    }
    output::data(&output::visible(&format!(
        "made {shown}: the tools are in src/lib.rs, what they ask for in tool.toml"
    )));
    if !global.quiet {
        output::note(Tone::Note, &format!("next:\n  {}", steps.join("\n  ")));
    }
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let refuse = |why: &str| {
        Err(Failure::usage(format!("{name:?} cannot be the name: {why}"))
            .hint("use a-z, 0-9, - and _, beginning with a letter, such as my-tools"))
    };
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if name.len() > NAME_LENGTH_MAX {
        return refuse("it is longer than 64 characters");
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return refuse("it does not begin with one of a-z");
    }
    if !name.bytes().all(allowed) {
        return refuse("it has other characters");
    }
    if NAMES_TAKEN.contains(&name) || is_keyword(name) {
        return Err(Failure::usage(format!("{name:?} cannot be the name: it means something else to Rust"))
            .hint(format!("add a word, such as {name}-tools")));
    }
    Ok(())
}

fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &str = "abstract as async await become box break const continue crate do dyn else enum extern \
        false final fn for gen if impl in let loop macro match mod move mut override priv pub ref return static struct \
        super trait true try type typeof unsafe unsized use virtual where while yield";
    KEYWORDS.split_ascii_whitespace().any(|keyword| keyword == name)
}

/// The dependency on the SDK, as TOML.
fn sdk(path: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = path else {
        return Err(Failure::usage("handbox-tool is not on crates.io yet")
            .hint("add --sdk CHECKOUT/guest-tools/sdk, from a checkout of Handbox"));
    };
    let missing = || {
        Failure::usage(format!("--sdk {}: there is no crate handbox-tool", path.display()))
            .hint("name the folder guest-tools/sdk of a checkout of Handbox")
    };
    let real = path.canonicalize().map_err(|_| missing())?;
    let about = std::fs::read_to_string(real.join("Cargo.toml")).map_err(|_| missing())?;
    let about: toml::Table = about.parse().map_err(|_| missing())?;
    if about.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str())
        != Some("handbox-tool")
    {
        return Err(missing());
    }
    let text = real.to_str().ok_or_else(|| Failure::usage("--sdk: the path is not UTF-8"))?;
    Ok(format!("{{ path = {} }}", toml::Value::String(text.to_owned())))
}

fn check_folder(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::usage(format!("{shown}: {error}"))),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => {
                Err(Failure::usage(format!("{shown} is there and not empty")).hint("name another folder with --dir"))
            }
        },
    }
}

fn files(name: &str, sdk: &str) -> Vec<(&'static str, String)> {
    // What Cargo calls the built file.
    let file = name.replace('-', "_");
    let fill = |text: &str| text.replace("{{name}}", name).replace("{{file}}", &file).replace("{{sdk}}", sdk);
    vec![
        ("Cargo.toml", fill(include_str!("../templates/Cargo.toml.txt"))),
        ("src/lib.rs", fill(include_str!("../templates/lib.rs.txt"))),
        ("tool.toml", fill(include_str!("../templates/tool.toml.txt"))),
        ("README.md", fill(include_str!("../templates/README.md.txt"))),
        (".gitignore", "/target\n*.tool.wasm\n".to_owned()),
    ]
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| {
        let mut file = std::fs::File::create_new(path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())
    });
    made.map_err(|error| Failure::usage(format!("{} cannot be written: {error}", path.display())))
}

fn steps(name: &str, folder: &str) -> Vec<String> {
    let built = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    vec![
        format!("cd {}", describe::shell_word(folder)),
        "rustup target add wasm32-wasip2".to_owned(),
        "cargo build --release --target wasm32-wasip2".to_owned(),
        format!("handbox pack {built} -o {name}.tool.wasm --manifest tool.toml"),
        format!("handbox call ./{name}.tool.wasm greet '{{\"name\":\"you\"}}'"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::ManifestFile;

    #[test]
    fn names_are_those_of_packages() {
        for good in ["a", "my-tools", "x_1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a b", "a/b", "../a", "é", "fn", "std", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_templates_are_filled_and_well_formed() {
        for (name, text) in files("my-tools", "\"0.1\"") {
            assert!(!text.contains("{{"), "{name}");
            if name.ends_with(".toml") {
                assert!(text.parse::<toml::Table>().is_ok(), "{name}: {text}");
            }
            if name == "tool.toml" {
                assert_eq!(ManifestFile::parse(name, &text).unwrap().name, "my-tools");
            }
        }
    }

    #[test]
    fn nothing_that_is_there_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_folder(folder.path()).is_ok() && check_folder(&folder.path().join("new")).is_ok());
        write(&folder.path().join("a/b"), "mine").unwrap();
        assert!(check_folder(folder.path()).is_err());
        assert!(write(&folder.path().join("a/b"), "other").is_err());
    }

    #[test]
    fn a_folder_that_is_no_sdk_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(sdk(Some(folder.path())).is_err());
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"handbox-tool\"").unwrap();
        assert!(sdk(Some(folder.path())).unwrap().starts_with("{ path = "));
        assert!(sdk(None).unwrap_err().hint.unwrap().contains("--sdk CHECKOUT/guest-tools/sdk"));
    }
}
