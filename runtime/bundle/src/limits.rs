//! What one call may consume: every bound, with its unit, in one struct.

use std::time::Duration;

/// What one call may consume. Every field is set by the caller; there is no
/// `Default`, so that nothing is unbounded by omission. See [`Profile::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory and tables of everything the call runs, together, in bytes.
    pub memory_bytes: u64,
    /// CPU, in engine fuel: about one unit for each WebAssembly instruction.
    pub cpu_fuel: u64,
    /// Wall time of the whole call, waiting for the host included.
    pub time: Duration,
    /// Elements of one table.
    pub table_elements: u64,
    /// Resource handles (streams, pollables, descriptors …) at once.
    pub handles: u32,
    /// Open files and folders at once.
    pub open_files: u32,
    /// Bytes of the result, all parts together; standard output where that is the result.
    pub output_bytes: u64,
    /// Bytes of standard error kept; what comes after is counted and dropped.
    pub log_bytes: u64,
    /// Bytes written to files. Deleting what was written gives them back.
    pub file_bytes: u64,
    /// Files, folders and links created. Deleting gives them back.
    pub files: u64,
    /// Calls into the host.
    pub host_calls: u64,
}

/// A named set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// For small pure tools.
    Strict,
    /// For everyday tools on a repository.
    #[default]
    Standard,
    /// For interpreters and large inputs.
    Roomy,
}

const MIB: u64 = 1 << 20;

impl Profile {
    /// The limits that this name stands for.
    pub fn limits(self) -> Limits {
        match self {
            Self::Strict => Limits {
                memory_bytes: 16 * MIB,
                cpu_fuel: 1_000_000_000,
                time: Duration::from_secs(5),
                table_elements: 10_000,
                handles: 128,
                open_files: 16,
                output_bytes: MIB,
                log_bytes: 64 << 10,
                file_bytes: MIB,
                files: 16,
                host_calls: 100_000,
            },
            Self::Standard => Limits {
                memory_bytes: 128 * MIB,
                cpu_fuel: 50_000_000_000,
                time: Duration::from_secs(30),
                table_elements: 100_000,
                handles: 1024,
                open_files: 256,
                output_bytes: 4 * MIB,
                log_bytes: MIB,
                file_bytes: 256 * MIB,
                files: 10_000,
                host_calls: 20_000_000,
            },
            Self::Roomy => Limits {
                memory_bytes: 1024 * MIB,
                cpu_fuel: 1_000_000_000_000,
                time: Duration::from_secs(600),
                table_elements: 1_000_000,
                handles: 8192,
                open_files: 512,
                output_bytes: 16 * MIB,
                log_bytes: 4 * MIB,
                file_bytes: 4096 * MIB,
                files: 200_000,
                host_calls: 1_000_000_000,
            },
        }
    }
}
