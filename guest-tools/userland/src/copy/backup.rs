//! What a file that is written over is kept as.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backup {
    Simple,
    Numbered,
    /// Numbered where there are such already.
    Existing,
}

impl Backup {
    /// By what `--backup` or the environment says. None for none at all.
    pub(crate) fn named(name: &str) -> Result<Option<Self>, String> {
        let usual = std::env::var("VERSION_CONTROL").unwrap_or_default();
        let name = if name.is_empty() { usual.as_str() } else { name };
        Ok(Some(match name {
            "none" | "off" => return Ok(None),
            "simple" | "never" => Self::Simple,
            "numbered" | "t" => Self::Numbered,
            "" | "existing" | "nil" => Self::Existing,
            _ => return Err(format!("invalid argument ‘{name}’ for ‘backup type’")),
        }))
    }

    pub(crate) fn path(self, path: &str, suffix: &str) -> String {
        let simple = format!("{path}{suffix}");
        let numbers = match self {
            Self::Simple => return simple,
            Self::Numbered | Self::Existing => highest(path),
        };
        if self == Self::Existing && numbers == 0 { simple } else { format!("{path}.~{}~", numbers + 1) }
    }
}

/// The highest number of a backup of this file, or 0.
fn highest(path: &str) -> u64 {
    let (folder, name) = path
        .rsplit_once('/')
        .map_or((".", path), |(folder, name)| (if folder.is_empty() { "/" } else { folder }, name));
    let number = |entry: &String| entry.strip_prefix(name)?.strip_prefix(".~")?.strip_suffix('~')?.parse().ok();
    crate::listing::names(folder).0.iter().filter_map(number).max().unwrap_or(0)
}
