//! How `handbox config show` looks.

use crate::check::origin;
use crate::config::{Agents, Config, Opened, Origin, Placed, Source, Trust, single_limits};
use crate::config_cmd::warning_json;
use crate::grants::Effective;
use crate::output;
use handbox_bundle::{Limits, LimitsPatch};
use handbox_session::fold::Money;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// One limit: its name in configuration, the unit of its number in JSON, what it bounds,
/// and its number.
type About = (&'static str, &'static str, &'static str, fn(&Limits) -> u64);

/// Every limit, in the order in which they are shown.
const LIMITS: [About; 12] = [
    ("memory", "bytes", "memory of everything a call runs", |limits| limits.memory_bytes),
    ("cpu", "instructions", "instructions that a call may execute", |limits| limits.cpu_fuel),
    ("time", "ms", "time from the start of a call to its end", |limits| {
        u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX)
    }),
    ("output", "bytes", "what a call may answer", |limits| limits.output_bytes),
    ("log", "bytes", "what is kept of its standard error", |limits| limits.log_bytes),
    ("files", "count", "files and folders that it may make", |limits| limits.files),
    ("file-bytes", "bytes", "what it may write to files", |limits| limits.file_bytes),
    ("open-files", "count", "files open at once", |limits| limits.open_files.into()),
    ("handles", "count", "handles of the host at once", |limits| limits.handles.into()),
    ("tables", "count", "elements of one table", |limits| limits.table_elements),
    ("host-calls", "count", "calls into the host", |limits| limits.host_calls),
    ("processes", "count", "programs that run at once", |limits| u64::from(limits.processes)),
];

/// What is shown.
pub(crate) struct Shown<'a> {
    pub(crate) config: &'a Config,
    pub(crate) effective: &'a Effective,
    pub(crate) opened: Option<&'a Opened>,
    /// Where the operator's file is or would be.
    pub(crate) file: &'a Path,
}

/// A name, where it leads, and who says so.
struct Name<'a> {
    name: &'a str,
    path: Option<PathBuf>,
    source: Option<&'a Source>,
}

impl Shown<'_> {
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.head();
        let limits = single_limits(&LimitsPatch::from(self.effective.limits));
        let rows = LIMITS.iter().map(|(name, _, about, _)| {
            let value = limits.iter().find(|(own, _)| own == name).map(|(_, single)| single.to_string());
            let value = value.and_then(|pair| Some(pair.split_once('=')?.1.to_owned())).unwrap_or_default();
            [(*name).to_owned(), value, self.limit_source(name), (*about).to_owned()]
        });
        table(&mut text, ["LIMIT", "VALUE", "FROM", "WHAT IT BOUNDS"], rows.collect());
        let (grants, sources) = (&self.effective.grants, &self.effective.sources);
        let folders = grants.folders.iter().zip(&sources.folders);
        let rows = folders.map(|(folder, source)| {
            [folder.guest.clone(), folder.mode.to_string(), source.to_string(), folder.host.display().to_string()]
        });
        table(&mut text, ["FOLDER", "MODE", "FROM", "ON THIS MACHINE"], rows.collect());
        let env = grants.env.iter().zip(&sources.env);
        // A value may be secret, so only its length is shown.
        let rows = env.map(|((name, value), source)| {
            [name.clone(), format!("{} B", value.len()), source.to_string(), String::new()]
        });
        table(&mut text, ["ENVIRONMENT", "VALUE", "FROM", ""], rows.collect());
        let hosts = grants.hosts.iter().zip(&sources.hosts);
        let rows = hosts.map(|(host, source)| [host.to_string(), source.to_string(), String::new(), String::new()]);
        table(&mut text, ["HOST", "FROM", "", ""], rows.collect());
        let removed = sources
            .removed
            .iter()
            .map(|gone| [gone.value.clone(), gone.source.to_string(), String::new(), String::new()]);
        table(&mut text, ["TAKEN AWAY", "BY", "", ""], removed.collect());
        let rows = self.names().into_iter().map(|name| {
            let from = name.source.map_or("built in".to_owned(), Source::to_string);
            let path = name.path.map(|path| path.display().to_string()).unwrap_or_default();
            [name.name.to_owned(), from, path, String::new()]
        });
        table(&mut text, ["BUNDLE", "FROM", "WHERE", ""], rows.collect());
        table(&mut text, ["AGENTS", "VALUE", "", ""], agents(&self.config.operator.agents));
        output::visible(&text)
    }

    /// Which files and which bundle this is about.
    fn head(&self) -> String {
        let mut text = String::new();
        let absent = if self.config.file.is_some() { "" } else { " (not there)" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "config.toml   {}{absent}", self.file.display());
        let _ = match &self.config.project {
            Some(project) => writeln!(text, "handbox.toml  {} ({})", project.file.display(), project.trust.name()),
            None => writeln!(text, "handbox.toml  none here"),
        };
        if let Some(opened) = self.opened {
            let _ = writeln!(
                text,
                "bundle        {} {} ({})",
                opened.bundle.name,
                opened.bundle.version,
                origin(opened.origin)
            );
        }
        text
    }

    fn limit_source(&self, name: &str) -> String {
        self.effective.sources.limits.sources.get(name).map(Source::to_string).unwrap_or_default()
    }

    fn names(&self) -> Vec<Name<'_>> {
        let built_in = crate::config::RESERVED_NAMES.iter().map(|name| Name { name, path: None, source: None });
        let named = self.config.names().into_iter().filter_map(|name| {
            let (path, _) = self.config.alias(name)?;
            Some(Name { name, path: Some(path.value.clone()), source: Some(&path.source) })
        });
        built_in.chain(named).collect()
    }

    pub(crate) fn to_json(&self) -> Value {
        let (grants, sources) = (&self.effective.grants, &self.effective.sources);
        let limits = LIMITS.iter().map(|(name, unit, _, number)| {
            let source = sources.limits.sources.get(*name).map(Source::to_json);
            json!({ "name": name, "value": number(&self.effective.limits), "unit": unit, "source": source })
        });
        let folders = grants.folders.iter().zip(&sources.folders).map(|(folder, source)| {
            let (host, source) = (shown(&folder.host), source.to_json());
            json!({ "guest": folder.guest, "host": host, "mode": folder.mode, "source": source })
        });
        let env =
            grants.env.iter().zip(&sources.env).map(
                |((name, value), source)| json!({ "name": name, "bytes": value.len(), "source": source.to_json() }),
            );
        let hosts = grants.hosts.iter().zip(&sources.hosts);
        let hosts = hosts.map(|(host, source)| json!({ "host": host, "source": source.to_json() }));
        let removed = |gone: &Placed<String>| json!({ "what": gone.value, "source": gone.source.to_json() });
        let project = self.config.project.as_ref().map(|project| {
            let changed = project.trust == Trust::Changed;
            json!({ "file": shown(&project.file), "trusted": project.trust == Trust::Given, "changed": changed })
        });
        let bundle = |name: Name<'_>| {
            let (path, source) = (name.path.as_deref().map(shown), name.source.map(Source::to_json));
            json!({ "name": name.name, "path": path, "source": source })
        };
        json!({
            "config": { "file": shown(self.file), "exists": self.config.file.is_some() },
            "project": project,
            "bundle": self.opened.map(|opened| json!({
                "name": opened.bundle.name, "called": opened.name, "built_in": opened.origin == Origin::BuiltIn,
            })),
            "limits": limits.collect::<Vec<_>>(),
            "folders": folders.collect::<Vec<_>>(),
            "env": env.collect::<Vec<_>>(),
            "hosts": hosts.collect::<Vec<_>>(),
            "removed": sources.removed.iter().map(removed).collect::<Vec<_>>(),
            "bundles": self.names().into_iter().map(bundle).collect::<Vec<_>>(),
            "agents": agents_json(&self.config.operator.agents),
            "warnings": self.effective.remarks().map(warning_json).collect::<Vec<_>>(),
        })
    }
}

/// What holds for agents, which only the operator's file says.
fn agents(agents: &Agents) -> Vec<[String; 4]> {
    let row = |name: &str, value: String| [name.to_owned(), value, String::new(), String::new()];
    let mut rows = vec![
        row("model", agents.model.clone().unwrap_or_else(|| "none: --model chooses".to_owned())),
        row("context", agents.context.as_ref().map_or("everything".to_owned(), ToString::to_string)),
        row("awake_max", agents.awake_max.to_string()),
        row("wait", agents.limits.wait_ms.map_or("never ends".to_owned(), time)),
    ];
    for (of, allowance) in [("turn", agents.limits.turn), ("session", agents.limits.session)] {
        let number =
            |name: &str, value: Option<u64>| value.map(|value| row(&format!("{of}.{name}"), value.to_string()));
        rows.extend(number("requests", allowance.model_requests));
        rows.extend(number("calls", allowance.tool_calls));
        rows.extend(number("tokens", allowance.tokens));
        rows.extend(allowance.active_ms.map(|ms| row(&format!("{of}.time"), time(ms))));
        rows.extend(allowance.money.map(|money| row(&format!("{of}.cost"), money.to_string())));
    }
    rows.extend(agents.keys.iter().map(|(provider, file)| row(&format!("keys.{provider}"), shown(file))));
    let per_million = |price: Money| Money::from_picodollars(price.picodollars().saturating_mul(1_000_000));
    rows.extend(agents.prices.0.iter().map(|(model, price)| {
        let million = format!("{} read, {} written, a million", per_million(price.input), per_million(price.output));
        row(&format!("prices.{model}"), million)
    }));
    rows
}

fn agents_json(agents: &Agents) -> Value {
    json!({
        "model": agents.model, "context": agents.context, "awake_max": agents.awake_max, "limits": agents.limits,
        "keys": agents.keys.iter().map(|(provider, file)| (provider.clone(), shown(file).into())).collect::<Map<_, _>>(),
        "prices": agents.prices,
    })
}

/// The largest unit that says it exactly.
fn time(ms: u64) -> String {
    let units = [(24 * 60 * 60 * 1000, "d"), (60 * 60 * 1000, "h"), (60 * 1000, "min"), (1000, "s")];
    let unit = units.iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

/// A path that need not be UTF-8, for JSON, which must be.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Appends rows under a heading, in columns. Nothing if there are none.
fn table(text: &mut String, heading: [&str; 4], rows: Vec<[String; 4]>) {
    if rows.is_empty() {
        return;
    }
    let heading = heading.map(str::to_owned);
    let all: Vec<&[String; 4]> = std::iter::once(&heading).chain(&rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2].map(width);
    text.push('\n');
    for row in all {
        let [a, b, c, d] = row;
        let line = format!("{a:0$}  {b:1$}  {c:2$}  {d}", widths[0], widths[1], widths[2]);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Profile;

    #[test]
    fn every_limit_is_shown_with_the_number_it_has() {
        let limits = Profile::Roomy.limits();
        let known = single_limits(&LimitsPatch::from(limits));
        assert_eq!(
            LIMITS.map(|about| about.0).to_vec(),
            known.iter().map(|known| known.0.as_str()).collect::<Vec<_>>()
        );
        for (name, unit, _, number) in LIMITS {
            let unit = if unit == "ms" { "ms" } else { "" };
            let same: LimitsPatch = format!("{name}={}{unit}", number(&limits)).parse().unwrap();
            assert_eq!(limits.with(&same), limits, "{name}");
        }
    }
}
