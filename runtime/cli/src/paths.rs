//! The folders of this program, by the platform's own rules.

use crate::args::Global;
use crate::failure::Failure;
use etcetera::app_strategy::{AppStrategy, AppStrategyArgs, choose_native_strategy};
use std::path::PathBuf;

/// Names the file with the vault's key.
const VAULT_KEY: &str = "HANDBOX_VAULT_KEY_FILE";

/// Where Handbox keeps things. None of them need exist.
#[derive(Debug)]
pub(crate) struct Paths {
    /// The operator's configuration file.
    pub(crate) config: PathBuf,
    /// Whether somebody named that file; then it must exist.
    pub(crate) config_is_named: bool,
    /// The folder that file lies in, unless it was named.
    pub(crate) config_folder: PathBuf,
    /// Compiled components; safe to delete.
    pub(crate) cache: PathBuf,
    /// What must not be lost: the sessions, and which projects are trusted.
    pub(crate) data: PathBuf,
    /// Which project files the operator trusts. In the data folder.
    pub(crate) trust: PathBuf,
    /// The vault's key. In the configuration folder, apart from what it opens.
    pub(crate) vault_key: PathBuf,
    /// The user's home folder.
    pub(crate) home: PathBuf,
}

impl Paths {
    /// By the platform's rules, unless `--config`, `--data` or their variables name others.
    pub(crate) fn find(global: &Global) -> Result<Self, Failure> {
        let app = AppStrategyArgs {
            top_level_domain: "dev".to_owned(),
            author: "Handbox".to_owned(),
            app_name: "handbox".to_owned(),
        };
        let no_home = |error| Failure::usage(format!("your home folder cannot be found: {error}")).hint("set HOME");
        let strategy = choose_native_strategy(app).map_err(no_home)?;
        let config_folder = strategy.config_dir();
        let data = global.data.as_ref().map_or_else(|| Ok(strategy.data_dir()), std::path::absolute);
        let data = data.map_err(|error| Failure::usage(format!("the folder of --data cannot be found: {error}")))?;
        let config = global.config.as_ref();
        let vault_key = std::env::var_os(VAULT_KEY).filter(|file| !file.is_empty());
        let vault_key = vault_key.map_or_else(|| Ok(config_folder.join("vault.key")), std::path::absolute);
        let vault_key = vault_key.map_err(|error| Failure::usage(format!("{VAULT_KEY}: {error}")))?;
        Ok(Self {
            config: config.cloned().unwrap_or_else(|| config_folder.join("config.toml")),
            config_is_named: config.is_some(),
            config_folder,
            cache: strategy.cache_dir(),
            trust: data.join("trust.json"),
            data,
            vault_key,
            home: etcetera::home_dir().map_err(no_home)?,
        })
    }
}
pub(crate) fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("the current folder cannot be found: {error}")))
}
