//! `handbox check`: does a bundle load, and is it granted what it asks for?

use crate::args::{self, Global};
use crate::config::{Config, Lines, Opened, Origin, Source, TextFile, absolute};
use crate::failure::{Failure, Kind};
use crate::grants::{self, Asking, Effective};
use crate::output;
use crate::paths::Paths;
use crate::{describe, repack, wiring};
use handbox_bundle::{GUEST_PATH_DEFAULT, Gap, GapKind, Profile};
use handbox_hand::{Hand, ToolName};
use handbox_hands::Environment;
use handbox_hands::reflect::Skipped;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Load a bundle and say everything that it asks for and is not granted.
///
/// Every component is compiled and asked for its tools, which must be those of its manifest.
/// What it asks for is compared with what a call would grant it, with the same flags and
/// configuration; no tool is run.
///
/// Exit status: 0 if it loads and is granted all it asks for, 3 if something is not
/// granted, 5 if it is broken.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// `std`, a name from config.toml, a folder with bundle.toml, or a .wasm file
    pub(crate) bundle: String,
    #[command(flatten)]
    pub(crate) grants: args::Grants,
}

pub(crate) fn run(global: &Global, command: Check) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = crate::paths::current_folder()?;
    let config = Config::load(&paths, &cwd)?;
    let opened = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?;
    repack::note(&opened.bundle, &cwd, global.quiet);
    let bundle = opened.name.as_deref();
    let links = &opened.bundle.links;
    let asking = Asking { typed: &command.grants, config: &config, bundle, links, paths: &paths, cwd: &cwd };
    let mut effective = grants::effective(asking)?;
    effective.warn_of_unasked(&command.grants, &opened.bundle, &cwd);
    effective.warn(global.quiet);
    let loaded = load(global, &paths, &opened, &effective);
    output::clear_transient();
    let mut report = Report::new(&opened, &effective, loaded, &config, absolute(&paths.config, &cwd));
    if command.grants.no_dir && report.gaps.iter().any(|(_, gap)| gap.kind == GapKind::Folder) {
        report.notes.push("--no-dir grants no folder, and goes with no flag that does: leave it out".to_owned());
    }
    if global.json {
        output::json_line(&report.to_json());
    } else {
        if !global.quiet {
            output::data(&report.to_text());
        }
        report.failure().inspect(|failure| failure.report_text());
    }
    Ok(report.failure().map_or(ExitCode::SUCCESS, |failure| ExitCode::from(failure.kind.code())))
}

/// Compiles every component and compares it with its manifest. Gives what came of it.
fn load(global: &Global, paths: &Paths, opened: &Opened, effective: &Effective) -> Result<Loaded, Failure> {
    let environment = Environment {
        grants: effective.grants.clone(),
        limits: effective.limits,
        protected: effective.protected.clone(),
        ..Environment::bare(Profile::default())
    };
    let mut toolbox = wiring::toolbox(paths, global.quiet)?;
    wiring::runtime()?.block_on(async {
        toolbox.add(&opened.bundle, &environment).await?;
        toolbox.warm().await?;
        let tools = toolbox.tools().iter().map(|tool| tool.name.to_string()).collect();
        Ok(Loaded { tools, left_out: toolbox.left_out() })
    })
}

/// What came of loading.
struct Loaded {
    /// The names of the tools.
    tools: Vec<String>,
    left_out: Vec<Skipped>,
}

/// What was found out.
struct Report<'a> {
    opened: &'a Opened,
    effective: &'a Effective,
    loaded: Result<Loaded, Failure>,
    /// Component and what it misses.
    gaps: Vec<(&'a str, Gap)>,
    /// Things to know that are no gaps.
    notes: Vec<String>,
    config_file: PathBuf,
    /// What would close gaps, to be added to that file.
    config_lines: String,
    /// What would close the others, to be changed in it.
    config_changes: Vec<String>,
}

impl<'a> Report<'a> {
    fn new(
        opened: &'a Opened,
        effective: &'a Effective,
        loaded: Result<Loaded, Failure>,
        config: &Config,
        config_file: PathBuf,
    ) -> Self {
        let mut gaps = Vec::new();
        let mut notes = loaded.as_ref().map(|loaded| describe::left_out(&loaded.left_out)).unwrap_or_default();
        for component in &opened.bundle.components {
            for gap in component.effective(&effective.grants).gaps {
                match gap.kind {
                    // It asks for nothing, so all that it asks for is granted.
                    GapKind::Unpacked => notes.push(pack_it(opened, gap)),
                    _ => gaps.push((component.name.as_str(), gap)),
                }
            }
        }
        if !gaps.is_empty() {
            let removed = effective.sources.removed.iter();
            notes.extend(removed.map(|gone| format!("{} takes away: {}", gone.source, gone.value)));
        }
        let (mut missing, mut config_changes) = (Vec::new(), Vec::new());
        for gap in wanted(&gaps) {
            match read_only_in_config(gap, effective) {
                // Several components may miss the same.
                Some(change) if config_changes.contains(&change) => {}
                Some(change) => config_changes.push(change),
                None => missing.push(gap),
            }
        }
        let config_lines = config_lines(opened, &missing, config);
        Self { opened, effective, loaded, gaps, notes, config_file, config_lines, config_changes }
    }

    /// Why the exit status is not 0. What is broken weighs more than what is not granted.
    fn failure(&self) -> Option<Failure> {
        if let Err(failure) = &self.loaded {
            return Some(failure.clone());
        }
        let hint = match self.config_lines.is_empty() && self.config_changes.is_empty() {
            true => "",
            false => "grant it as shown, or leave it: a tool may do without",
        };
        let message = format!("not everything that the bundle `{}` asks for is granted", self.opened.bundle.name);
        (!self.gaps.is_empty()).then(|| Failure::new(Kind::Denied, message).hint(hint))
    }

    fn flags(&self) -> Vec<&str> {
        let mut flags: Vec<&str> = Vec::new();
        for flag in wanted(&self.gaps).into_iter().filter_map(|gap| gap.flag.as_deref()) {
            if !flags.contains(&flag) {
                flags.push(flag);
            }
        }
        // Beside a --dir, the current folder is granted only if it is named, too.
        let is_dir = |flag: &&str| flag.starts_with("--dir ");
        let is_usual = |flag: &&str| flag.contains(&format!(":{GUEST_PATH_DEFAULT}:"));
        let grants = &self.effective.grants;
        let folders = self.opened.bundle.components.iter().flat_map(|one| one.effective(grants).grants.folders);
        let is_seen = folders.into_iter().any(|folder| folder.guest == GUEST_PATH_DEFAULT);
        let is_lost = self.effective.sources.folders.contains(&Source::CurrentFolder) && is_seen;
        if is_lost && flags.iter().any(is_dir) && !flags.iter().any(is_usual) {
            flags.insert(0, "--dir .");
        }
        flags
    }

    fn to_text(&self) -> String {
        let bundle = &self.opened.bundle;
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} ({})", bundle.name, bundle.version, origin(self.opened.origin));
        for component in &bundle.components {
            let _ = writeln!(text, "  component {}  {}", component.name, component.digest);
        }
        let _ = match &self.loaded {
            Ok(loaded) => writeln!(text, "loads; its tools are: {}", loaded.tools.join(", ")),
            Err(_) => writeln!(text, "does not load"),
        };
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        if self.gaps.is_empty() {
            text.push_str("everything that it asks for is granted\n");
            return output::visible(&text);
        }
        text.push_str("asked for and not granted:\n");
        for (component, gap) in &self.gaps {
            let _ = writeln!(text, "  {component}: {}: {}", gap.asked, gap.reason);
        }
        if !self.config_lines.is_empty() {
            let _ = writeln!(text, "to grant it always, add to {}:\n", self.config_file.display());
            let _ = writeln!(text, "{}", self.config_lines);
        }
        if !self.config_changes.is_empty() {
            let _ = writeln!(text, "to grant it always, change in {}:", self.config_file.display());
            let _ = writeln!(text, "  {}", self.config_changes.join("\n  "));
        }
        if !self.flags().is_empty() {
            let _ = writeln!(text, "to grant it for one call: {}", self.flags().join(" "));
        }
        output::visible(&text)
    }

    fn to_json(&self) -> Value {
        let bundle = &self.opened.bundle;
        let gap = |(component, gap): &(&str, Gap)| {
            json!({
                "component": component, "kind": gap.kind, "asked": gap.asked, "reason": gap.reason, "flag": gap.flag,
            })
        };
        let component =
            |component: &handbox_bundle::BundleComponent| json!({ "name": component.name, "digest": component.digest });
        let warnings: Vec<Value> = self.effective.remarks().map(crate::config_cmd::warning_json).collect();
        json!({
            "bundle": bundle.name,
            "version": bundle.version,
            "called": self.opened.name,
            "components": bundle.components.iter().map(component).collect::<Vec<_>>(),
            "loads": self.loaded.is_ok(),
            "tools": self.loaded.as_ref().map(|loaded| loaded.tools.as_slice()).unwrap_or_default(),
            "left_out": describe::left_out_json(self.loaded.as_ref().map(|loaded| loaded.left_out.as_slice()).unwrap_or_default()),
            "gaps": self.gaps.iter().map(gap).collect::<Vec<_>>(),
            "config_file": self.config_file.display().to_string(),
            "config_lines": self.config_lines,
            "config_changes": self.config_changes,
            "flags": self.flags(),
            "notes": self.notes,
            "warnings": warnings,
            "error": self.failure().map(|failure| failure.to_json()),
        })
    }
}

pub(crate) fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::BuiltIn => "built in",
        Origin::Config => "from config.toml",
        Origin::Project => "from handbox.toml",
        Origin::Path => "from its path",
    }
}

/// The gaps whose closing does not close another one as well: a folder that one component
/// would read and another change is granted once, for both.
fn wanted<'g>(gaps: &'g [(&str, Gap)]) -> Vec<&'g Gap> {
    let flags: Vec<&str> = gaps.iter().filter_map(|(_, gap)| gap.flag.as_deref()).collect();
    let writable = |gap: &Gap| gap.flag.as_deref()?.strip_suffix(":ro").map(|folder| format!("{folder}:rw"));
    let covered = |gap: &Gap| writable(gap).is_some_and(|flag| flags.contains(&flag.as_str()));
    gaps.iter().map(|(_, gap)| gap).filter(|gap| !covered(gap)).collect()
}

/// With the file's own name, if it is one.
fn pack_it(opened: &Opened, gap: Gap) -> String {
    match opened.bundle.files.first().filter(|_| opened.bundle.components.len() == 1) {
        Some(file) if file.extension().is_some_and(|end| end == "wasm") => {
            gap.reason.replace("FILE.wasm", &describe::shell_word(&file.display().to_string()))
        }
        _ => gap.reason,
    }
}

/// What to change, if the folder is there already and only its mode is too little.
fn read_only_in_config(gap: &Gap, effective: &Effective) -> Option<String> {
    if gap.kind != GapKind::Mode {
        return None;
    }
    let wanted = gap.flag.as_deref()?;
    let mut folders = effective.grants.folders.iter().zip(&effective.sources.folders);
    let (folder, place) = folders.find_map(|(folder, source)| match source {
        Source::Config(place) if wanted.contains(&format!(":{}:", folder.guest)) => Some((folder, place)),
        _ => None,
    })?;
    Some(format!("the folder of line {}, {}: mode = \"rw\"", place.line, folder.guest))
}

/// The lines for `config.toml` that close all gaps: each table once, and none that is there.
fn config_lines(opened: &Opened, gaps: &[&Gap], config: &Config) -> String {
    let name = config_name(opened, config);
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    for lines in gaps.iter().filter_map(|gap| gap.config_lines(&name)) {
        let (head, body) = lines.split_once('\n').unwrap_or((&lines, ""));
        let body: Vec<String> = body.lines().map(str::to_owned).collect();
        // `[[…]]` begins one more, unless it would be the same one.
        let list = head.starts_with("[[");
        match blocks.iter_mut().find(|block| block.0 == head && (!list || block.1 == body)) {
            Some(_) if list => {}
            Some((_, lines)) => {
                let new: Vec<String> = body.into_iter().filter(|line| !lines.contains(line)).collect();
                lines.extend(new);
            }
            None => blocks.push((head.to_owned(), body)),
        }
    }
    if blocks.is_empty() {
        return String::new();
    }
    let known = config.operator.bundles.contains_key(&name) || opened.origin == Origin::BuiltIn;
    if let (false, Some(file)) = (known, opened.bundle.files.first()) {
        // A bundle is known to configuration by its path, whatever it calls itself.
        let path = toml::Value::String(file_to_name(file)).to_string();
        blocks.insert(0, (format!("[bundles.{name}]"), vec![format!("path = {path}")]));
    }
    let text = config.file.as_deref().and_then(|file| TextFile::read(file).ok().flatten());
    let lines = text.as_ref().map(Lines::of);
    let block = |(head, body): (String, Vec<String>)| {
        let keys: Vec<&str> = head.trim_matches(['[', ']']).split('.').collect();
        let there = lines.as_ref().filter(|_| !head.starts_with("[[")).and_then(|lines| lines.line_if_there(&keys));
        let head = there.map_or(head.clone(), |line| format!("# in {head}, which is there in line {line}"));
        format!("{head}\n{}\n", body.join("\n"))
    };
    blocks.into_iter().map(block).collect::<Vec<_>>().join("\n")
}

/// What a bundle's own `path` should say: the folder of a `bundle.toml`.
fn file_to_name(file: &Path) -> String {
    let folder = file.file_name().is_some_and(|name| name == handbox_bundle::BUNDLE_FILE);
    let path = if folder { file.parent().unwrap_or(file) } else { file };
    path.display().to_string()
}

/// The name under which the operator's file would speak about this bundle.
fn config_name(opened: &Opened, config: &Config) -> String {
    let own = |name: &&str| matches!(opened.origin, Origin::BuiltIn | Origin::Config) || !taken(name, config);
    if let Some(name) = opened.name.as_deref().filter(own) {
        return name.to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let mut name: String = opened.bundle.name.chars().map(plain).take(ToolName::LENGTH_MAX - 4).collect();
    if name.is_empty() || taken(&name, config) {
        name.push_str("-own");
    }
    name
}

fn taken(name: &str, config: &Config) -> bool {
    config.operator.bundles.contains_key(name) || crate::config::RESERVED_NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::configured;
    use handbox_bundle::{Asks, Bundle, FolderAsk, Grants, LimitsPatch, Mode};

    fn opened(name: &str) -> Opened {
        let (name, version) = (name.to_owned(), "0.1.0".to_owned());
        let (limits, files) = (LimitsPatch::default(), vec!["/p/x.wasm".into()]);
        let bundle = Bundle { name, version, components: Vec::new(), limits, files, links: Vec::new() };
        Opened { bundle, name: None, origin: Origin::Path }
    }

    /// As two components have them that ask for the same.
    fn gaps() -> Vec<(&'static str, Gap)> {
        let folder = |path: &str, mode| FolderAsk { path: path.to_owned(), mode };
        let env = vec!["X".to_owned(), "Y".to_owned()];
        let folders = vec![folder("/a", Mode::ReadWrite), folder("/b", Mode::ReadOnly)];
        let some = Asks { folders, env, ..Asks::default() };
        let more = Asks { folders: vec![folder("/b", Mode::ReadWrite)], ..some.clone() };
        let gaps = [some, more].map(|asks| asks.effective(&Grants::default()).gaps);
        gaps.into_iter().flatten().map(|gap| ("c", gap)).collect()
    }

    fn lines(opened: &Opened, config: &str) -> String {
        config_lines(opened, &wanted(&gaps()), &configured(config).config)
    }

    #[test]
    fn the_lines_to_add_are_a_configuration_that_names_each_table_once() {
        let lines = lines(&opened("x"), "");
        let toml: toml::Table = lines.parse().unwrap();
        let bundle = &toml["bundles"]["x"];
        assert_eq!(bundle["path"].as_str(), Some("/p/x.wasm"));
        assert_eq!(bundle["folders"].as_array().map(Vec::len), Some(2), "{lines}");
        assert_eq!(bundle["folders"][1]["mode"].as_str(), Some("rw"));
        assert_eq!(bundle["env"].as_table().map(toml::Table::len), Some(2));
    }

    #[test]
    fn a_bundle_that_calls_itself_std_is_not_granted_what_std_is() {
        let lines = lines(&opened("std"), "");
        assert!(lines.contains("[bundles.std-own]\npath = \"/p/x.wasm\""), "{lines}");
    }

    #[test]
    fn a_table_that_is_there_is_pointed_at_instead_of_repeated() {
        let config = "[bundles.x]\npath = \"/p/x.wasm\"\n[bundles.x.env]\nX = \"1\"\n";
        let opened = Opened { name: Some("x".to_owned()), origin: Origin::Config, ..opened("y") };
        let lines = lines(&opened, config);
        assert!(lines.contains("# in [bundles.x.env], which is there in line 3\n"), "{lines}");
        assert!(!lines.contains("path ="), "{lines}");
    }
}
