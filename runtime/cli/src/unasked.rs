//! Warnings about flags that grant what no component gets.

use crate::args;
use crate::ceiling::{Ceiling, Kept};
use crate::config::{Source, Warning};
use crate::grants::{Effective, typed_mode};
use handbox_bundle::{Bundle, FolderGrant, Mode};
use std::path::Path;

impl Effective {
    /// Adds a warning for what was typed and no component gets.
    pub(crate) fn warn_of_unasked(&mut self, typed: &args::Grants, bundle: &Bundle, cwd: &Path) {
        let ceilings: Vec<Ceiling<'_>> =
            bundle.components.iter().map(|component| Ceiling { bundle, component, cwd }).collect();
        let mut warnings: Vec<Warning> = idle_write(typed).into_iter().collect();
        let names = typed.env.iter().filter_map(|value| Some(value.split_once('=')?.0));
        warnings.extend(names.filter_map(|name| {
            let kept = kept_from_all(&ceilings, |one| one.keeps_env(name))?;
            let message =
                format!("--env {name}: nothing in the bundle `{}` asks for it, so no tool gets it", bundle.name);
            Some(warning(message, kept, "correct the name, or, "))
        }));
        let granted: Vec<_> = self.grants.folders.iter().zip(&self.sources.folders).collect();
        warnings.extend(granted.into_iter().filter_map(|(folder, source)| {
            let Source::Flag(flag) = source else { return None };
            folder_warning(flag, folder, &ceilings, &bundle.name)
        }));
        self.warnings.extend(warnings);
    }
}

/// --write speaks for folders whose mode nobody named.
fn idle_write(typed: &args::Grants) -> Option<Warning> {
    let modes: Vec<Option<Mode>> = typed.dir.iter().map(|dir| typed_mode(dir)).collect();
    let idle = typed.write && !modes.is_empty() && modes.iter().all(Option::is_some);
    let read_only = typed.dir.iter().zip(&modes).find(|(_, mode)| **mode == Some(Mode::ReadOnly));
    let (dir, _) = read_only.filter(|_| idle)?;
    let dir = dir.trim_end_matches(":ro");
    Some(Warning {
        message: "--write does nothing: every --dir names a mode".to_owned(),
        hint: format!("write --dir {dir}:rw, or --dir {dir} --write"),
    })
}

fn folder_warning(flag: &str, folder: &FolderGrant, ceilings: &[Ceiling<'_>], bundle: &str) -> Option<Warning> {
    let unseen = kept_from_all(ceilings, |one| one.keeps_folder(folder, Mode::ReadOnly)).is_some();
    let kept = kept_from_all(ceilings, |one| one.keeps_folder(folder, folder.mode))?;
    let message = match unseen {
        true => format!("{flag}: nothing in the bundle `{bundle}` asks for this folder, so no tool sees it"),
        false => format!("{flag}: the bundle `{bundle}` asks for its folders only to read"),
    };
    Some(warning(message, kept, ""))
}

fn warning(message: String, kept: Kept, before: &str) -> Warning {
    Warning { message, hint: format!("{}: {before}{}", kept.reason, kept.remedy) }
}

/// What keeps every component from it; that of a component which asks for something says more.
fn kept_from_all(ceilings: &[Ceiling<'_>], kept: impl Fn(&Ceiling<'_>) -> Option<Kept>) -> Option<Kept> {
    let all: Option<Vec<Kept>> = ceilings.iter().map(&kept).collect();
    let all = all?;
    let asking = ceilings
        .iter()
        .position(|one| one.component.manifest.as_ref().is_some_and(|manifest| !manifest.asks.is_empty()));
    all.into_iter().nth(asking.unwrap_or(0))
}
