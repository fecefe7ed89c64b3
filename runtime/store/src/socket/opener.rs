//! The store that processes share by default: the log on redb.

use super::Opener;
use crate::{OpenError, Options, RedbLog};
use handbox_session::LogError;
use std::path::Path;
use std::sync::Arc;

/// Opens the log on redb in a data folder, for [`SharedLog::open`](super::SharedLog::open).
///
/// What the opener cannot do is [`LogError::Refused`] with the cause, or what the log itself says of its damage.
#[must_use]
pub fn redb(data: &Path, options: Options) -> Opener {
    let data = data.to_owned();
    Arc::new(move || match RedbLog::open(&data, options.clone()) {
        Ok(log) => Ok(Some(Arc::new(move || Arc::new(log.connection())))),
        Err(OpenError::Busy) => Ok(None),
        Err(OpenError::Log(error)) => Err(error),
        Err(error @ (OpenError::Newer { .. } | OpenError::Io(_))) => Err(LogError::Refused(error.to_string())),
    })
}
