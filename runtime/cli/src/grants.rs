//! From what was typed to what a call may do.

use crate::args;
use crate::failure::Failure;
use crate::paths::Paths;
use handbox_bundle::{
    Dangerous, Fence, FolderDefaults, FolderGrant, GUEST_PATH_DEFAULT, Grants, Limits, LimitsPatch, Mode, Profile,
    parse_env,
};
use std::path::Path;

/// The folders and values that were granted, checked.
pub(crate) fn grants(typed: &args::Grants, paths: &Paths, cwd: &Path) -> Result<Grants, Failure> {
    let mode = if typed.write { Mode::ReadWrite } else { Mode::ReadOnly };
    let defaults = FolderDefaults { cwd, guest: GUEST_PATH_DEFAULT, mode };
    let mut folders = Vec::new();
    for dir in &typed.dir {
        folders.push(FolderGrant::parse(dir, defaults).map_err(|error| error.at("--dir"))?);
    }
    if folders.is_empty() && !typed.no_dir {
        folders.push(FolderGrant { host: cwd.to_owned(), guest: GUEST_PATH_DEFAULT.to_owned(), mode });
    }
    let mut env = Vec::new();
    for value in &typed.env {
        env.push(parse_env(value).map_err(|error| error.at("--env"))?);
    }
    Ok(Grants { folders, env }.checked(&fence(typed, paths))?)
}

fn fence(typed: &args::Grants, paths: &Paths) -> Fence {
    Fence {
        home: Some(paths.home.clone()),
        protected: vec![paths.config_folder.clone(), paths.cache.clone(), paths.data.clone()],
        dangerous: if typed.allow_dangerous_folders { Dangerous::Allow } else { Dangerous::Refuse },
    }
}

/// The limits of one call: a profile, then what was typed.
pub(crate) fn limits(typed: &args::Grants) -> Result<Limits, Failure> {
    let profile = match &typed.profile {
        Some(name) => name.parse::<Profile>().map_err(|error| error.at("--profile"))?,
        None => Profile::default(),
    };
    let mut limits = profile.limits();
    for text in &typed.limit {
        let patch = text.parse::<LimitsPatch>().map_err(|error| error.at("--limit"))?;
        limits = limits.with(&patch);
    }
    limits.validate()?;
    Ok(limits)
}
