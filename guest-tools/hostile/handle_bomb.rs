//! Takes handles of the host and gives none back.

use handbox_hostile::folder;
use handbox_tool::{Fault, tool};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

/// Which kind.
#[handbox_tool::input]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A granted folder, opened again and again.
    Descriptors,
    /// Lists of a granted folder.
    Lists,
    /// Streams out of a file named `file` in it.
    Streams,
    /// Timers.
    Pollables,
}

/// Which kind, and where from.
#[handbox_tool::input]
struct Attack {
    /// Which kind.
    kind: Kind,
    /// A granted folder.
    path: Option<String>,
}

/// Leaks handles until it is refused, and says how many it got.
#[tool]
fn attack(input: Attack) -> Result<String, Fault> {
    let mut count = 0_u64;
    if matches!(input.kind, Kind::Pollables) {
        loop {
            std::mem::forget(std::hint::black_box(subscribe_duration(u64::MAX)));
        }
    }
    let root = folder(input.path.as_deref().unwrap_or("/workspace"))?;
    let open = |path, flags| root.open_at(PathFlags::empty(), path, flags, DescriptorFlags::READ);
    let refused = loop {
        let leaked = match input.kind {
            Kind::Lists => root.read_directory().map(std::mem::forget),
            Kind::Streams => open("file", OpenFlags::empty()).and_then(|file| {
                let stream = file.read_via_stream(0).map(std::mem::forget);
                std::mem::forget(file);
                stream
            }),
            Kind::Descriptors | Kind::Pollables => open(".", OpenFlags::DIRECTORY).map(std::mem::forget),
        };
        match leaked {
            Ok(()) => count += 1,
            Err(code) => break code,
        }
    };
    Ok(format!("{count} handles, then {}", refused.name()))
}

handbox_tool::export!(attack);
