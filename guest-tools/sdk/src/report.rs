//! What a tool may say while it runs. A tool that says nothing imports nothing of this.
//!
//! Outside a component (in a native test of the tool) these do nothing.

#[cfg(target_arch = "wasm32")]
use crate::border::generated::hand::handbox::hand::report as host;

/// How a log line is ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For the tool's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Odd, but the call goes on.
    Warn,
    /// Part of why the call fails.
    Error,
}

/// Tells whoever watches how far the call is: a fraction from 0 to 1, or none if that
/// cannot be known. The message is cut at 1 KiB, and more than a watcher can follow is
/// dropped.
#[cfg_attr(not(target_arch = "wasm32"), expect(unused_variables, reason = "nobody watches a native test"))]
pub fn progress(fraction: impl Into<Option<f32>>, message: impl AsRef<str>) {
    #[cfg(target_arch = "wasm32")]
    host::progress(fraction.into(), message.as_ref());
}

/// Leaves a line for the operator. The model never sees it. A line is cut at 8 KiB; past
/// the call's limit lines are counted and dropped.
#[cfg_attr(not(target_arch = "wasm32"), expect(unused_variables, reason = "a native test has no operator"))]
pub fn log(level: Level, message: impl AsRef<str>) {
    #[cfg(target_arch = "wasm32")]
    host::log(
        match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        },
        message.as_ref(),
    );
}

/// Leaves a line for the tool's author.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message);
}

/// Leaves a line worth knowing.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message);
}

/// Leaves a line about something odd.
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, message);
}

/// Leaves a line about why the call fails.
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, message);
}
