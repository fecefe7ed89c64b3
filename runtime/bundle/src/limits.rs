//! What one call may consume: every bound, with its unit, in one struct.

use crate::error::BundleError;
use crate::limit_field::Field;
use handbox_hand::Limit;
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
    /// Bytes of log lines, standard error and (of hands) standard output kept; what comes
    /// after is counted and dropped.
    pub log_bytes: u64,
    /// Bytes written to files. Deleting what was written gives them back.
    pub file_bytes: u64,
    /// Files, folders and links created. Deleting gives them back.
    pub files: u64,
    /// Calls into the host.
    pub host_calls: u64,
    /// Programs that may run at once beside the one that the call began with.
    pub processes: u32,
}

/// A change to some of the [`Limits`]; what is `None` stays as it is.
///
/// Written as `memory=64MiB,time=30s` on the command line ([`str::parse`], and
/// `Display` for the way back) or as a TOML table of the same names:
///
/// ```
/// let patch: handbox_bundle::LimitsPatch = "memory=64MiB,time=30s".parse()?;
/// assert_eq!(patch.memory_bytes, Some(64 << 20));
/// assert_eq!(patch.to_string(), "memory=64MiB,time=30s");
/// # Ok::<(), handbox_bundle::BundleError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitsPatch {
    /// See [`Limits::memory_bytes`]. Named `memory`.
    pub memory_bytes: Option<u64>,
    /// See [`Limits::cpu_fuel`]. Named `cpu`.
    pub cpu_fuel: Option<u64>,
    /// See [`Limits::time`]. Named `time`; read and printed in whole milliseconds.
    pub time: Option<Duration>,
    /// See [`Limits::table_elements`]. Named `tables`.
    pub table_elements: Option<u64>,
    /// See [`Limits::handles`]. Named `handles`.
    pub handles: Option<u32>,
    /// See [`Limits::open_files`]. Named `open-files`.
    pub open_files: Option<u32>,
    /// See [`Limits::output_bytes`]. Named `output`.
    pub output_bytes: Option<u64>,
    /// See [`Limits::log_bytes`]. Named `log`.
    pub log_bytes: Option<u64>,
    /// See [`Limits::file_bytes`]. Named `file-bytes`.
    pub file_bytes: Option<u64>,
    /// See [`Limits::files`]. Named `files`.
    pub files: Option<u64>,
    /// See [`Limits::host_calls`]. Named `host-calls`.
    pub host_calls: Option<u64>,
    /// See [`Limits::processes`]. Named `processes`.
    pub processes: Option<u32>,
}

impl Limits {
    /// These limits with those that `patch` names replaced, be that wider or narrower.
    #[must_use]
    pub fn with(self, patch: &LimitsPatch) -> Self {
        Self {
            memory_bytes: patch.memory_bytes.unwrap_or(self.memory_bytes),
            cpu_fuel: patch.cpu_fuel.unwrap_or(self.cpu_fuel),
            time: patch.time.unwrap_or(self.time),
            table_elements: patch.table_elements.unwrap_or(self.table_elements),
            handles: patch.handles.unwrap_or(self.handles),
            open_files: patch.open_files.unwrap_or(self.open_files),
            output_bytes: patch.output_bytes.unwrap_or(self.output_bytes),
            log_bytes: patch.log_bytes.unwrap_or(self.log_bytes),
            file_bytes: patch.file_bytes.unwrap_or(self.file_bytes),
            files: patch.files.unwrap_or(self.files),
            host_calls: patch.host_calls.unwrap_or(self.host_calls),
            processes: patch.processes.unwrap_or(self.processes),
        }
    }

    /// The lesser of both for each limit, so never wider than `self`.
    #[must_use]
    pub fn narrowed_by(self, by: impl Into<LimitsPatch>) -> Self {
        let by = by.into();
        Self {
            memory_bytes: least(self.memory_bytes, by.memory_bytes),
            cpu_fuel: least(self.cpu_fuel, by.cpu_fuel),
            time: least(self.time, by.time),
            table_elements: least(self.table_elements, by.table_elements),
            handles: least(self.handles, by.handles),
            open_files: least(self.open_files, by.open_files),
            output_bytes: least(self.output_bytes, by.output_bytes),
            log_bytes: least(self.log_bytes, by.log_bytes),
            file_bytes: least(self.file_bytes, by.file_bytes),
            files: least(self.files, by.files),
            host_calls: least(self.host_calls, by.host_calls),
            processes: least(self.processes, by.processes),
        }
    }

    /// Refuses amounts that would mean "nothing works" or "never": zero where a call
    /// could not even start, `u64::MAX`, and everything above the hard ceilings.
    /// Whatever was parsed by this crate has passed this already.
    ///
    /// # Errors
    ///
    /// [`BundleError::Invalid`] for the first bad amount, with the reason for its bound.
    pub fn validate(&self) -> Result<(), BundleError> {
        LimitsPatch::from(*self).validate()
    }

    /// How much one call may use of `limit`, with its unit ("64 MiB", "30 s"): the
    /// text for [`handbox_hand::LimitHit::allowed`].
    pub fn describe(&self, limit: Limit) -> String {
        let patch = LimitsPatch::from(*self);
        let show = |field: Field| field.show(&patch).unwrap_or_default();
        match limit {
            Limit::Cpu => format!("{} instructions", show(Field::Cpu)),
            Limit::Time => show(Field::Time),
            Limit::Memory => show(Field::Memory),
            Limit::Tables => format!("{} elements in a table", show(Field::Tables)),
            Limit::Handles => format!("{} handles", show(Field::Handles)),
            Limit::OpenFiles => format!("{} open files", show(Field::OpenFiles)),
            Limit::Output => show(Field::Output),
            Limit::FileBytes => format!("{} written to files", show(Field::FileBytes)),
            Limit::Files => format!("{} new files and folders", show(Field::Files)),
            Limit::HostCalls => format!("{} calls into the host", show(Field::HostCalls)),
            Limit::Processes => format!("{} programs at once", show(Field::Processes)),
            Limit::Stack => "the stack that the engine gives".to_owned(),
            other => format!("what `{}` allows", other.name()),
        }
    }

    /// Each limit's name and amount ("memory", "64 MiB"), in the order of the documentation.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let patch = LimitsPatch::from(*self);
        let row = |field: &Field| Some((field.name(), field.show(&patch)?));
        Field::ALL.iter().filter_map(row).collect()
    }
}

fn least<T: Ord + Copy>(own: T, by: Option<T>) -> T {
    by.map_or(own, |by| own.min(by))
}

impl From<Limits> for LimitsPatch {
    fn from(limits: Limits) -> Self {
        Self {
            memory_bytes: Some(limits.memory_bytes),
            cpu_fuel: Some(limits.cpu_fuel),
            time: Some(limits.time),
            table_elements: Some(limits.table_elements),
            handles: Some(limits.handles),
            open_files: Some(limits.open_files),
            output_bytes: Some(limits.output_bytes),
            log_bytes: Some(limits.log_bytes),
            file_bytes: Some(limits.file_bytes),
            files: Some(limits.files),
            host_calls: Some(limits.host_calls),
            processes: Some(limits.processes),
        }
    }
}

impl From<&Limits> for LimitsPatch {
    fn from(limits: &Limits) -> Self {
        (*limits).into()
    }
}

impl From<&LimitsPatch> for LimitsPatch {
    fn from(patch: &LimitsPatch) -> Self {
        *patch
    }
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
                processes: 8,
            },
            Self::Standard => Limits {
                // All processes of a call share it: a few interpreters at once, and tens of small programs.
                memory_bytes: 512 * MIB,
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
                processes: 64,
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
                processes: 256,
            },
        }
    }
}
