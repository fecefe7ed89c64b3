//! Programs that pack and unpack files.
//!
//! Never writes outside the folder that is unpacked to, whatever an archive's names and links say.

mod gzip;
mod stream;
mod tar;
mod unzip;
mod zip;
mod zstd;

use std::ffi::OsString;
use std::fs::File;
use std::time::{Duration, SystemTime};

/// Runs one of them. None if there is none of this name.
pub(crate) fn run(name: &str, args: &[OsString]) -> Option<u8> {
    let program: fn(&[OsString]) -> u8 = match name {
        "gzip" => gzip::gzip,
        "gunzip" => gzip::gunzip,
        "zcat" | "gzcat" => gzip::zcat,
        "tar" => tar::run,
        "unzip" => unzip::run,
        "zip" => zip::run,
        "zstd" => zstd::zstd,
        "unzstd" => zstd::unzstd,
        "zstdcat" => zstd::zstdcat,
        _ => return None,
    };
    Some(program(args))
}

/// When something was written, in seconds since 1970; 0 where nobody knows.
fn written_at(metadata: &std::fs::Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

/// Says that a file was written then. Where that cannot be said, the file is good all the same.
fn set_written_at(file: &File, seconds: u64) {
    let _ = file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
}
