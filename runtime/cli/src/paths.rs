//! The folders of this program, by the platform's own rules.

use crate::failure::Failure;
use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use std::path::PathBuf;

/// Where Handbox keeps things. None of them need exist.
pub(crate) struct Paths {
    /// The operator's configuration file.
    pub(crate) config: PathBuf,
    /// The folder that file lies in, unless it was named.
    pub(crate) config_folder: PathBuf,
    /// Compiled components; safe to delete.
    pub(crate) cache: PathBuf,
    /// What must not be lost.
    pub(crate) data: PathBuf,
    /// The user's home folder.
    pub(crate) home: PathBuf,
}

impl Paths {
    pub(crate) fn find(config: Option<&PathBuf>) -> Result<Self, Failure> {
        let app = AppStrategyArgs {
            top_level_domain: "dev".to_owned(),
            author: "Handbox".to_owned(),
            app_name: "handbox".to_owned(),
        };
        let no_home = |error| Failure::usage(format!("your home folder cannot be found: {error}")).hint("set HOME");
        let strategy = choose_app_strategy(app).map_err(no_home)?;
        let config_folder = strategy.config_dir();
        Ok(Self {
            config: config.cloned().unwrap_or_else(|| config_folder.join("config.toml")),
            config_folder,
            cache: strategy.cache_dir(),
            data: strategy.data_dir(),
            home: etcetera::home_dir().map_err(no_home)?,
        })
    }
}
