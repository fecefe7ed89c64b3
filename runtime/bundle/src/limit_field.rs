//! What is known about each limit beside its value: name, unit, bounds and the reasons
//! for the bounds.

use crate::amount::Unit;
use crate::error::{BundleError, shown};
use crate::limits::LimitsPatch;
use std::time::Duration;

/// One page: with less, no component has any memory at all.
const MEMORY_BYTES_MIN: u64 = 64 << 10;

/// What a 32-bit memory can address; a call that needs more would exhaust the host first.
const MEMORY_BYTES_MAX: u64 = 4 << 30;

/// Months of one core. Far enough below `i64::MAX`, where the engine's own fuel counter
/// wraps, that no sum of budgets comes near it.
const CPU_FUEL_MAX: u64 = 10_000_000_000_000_000;

/// A day. A call holds a place in the pool for as long as it runs, and a deadline further
/// away is no deadline.
const TIME_MS_MAX: u64 = 24 * 3_600_000;

/// What engines agree to allow for one table; some 80 MB of host memory.
const TABLE_ELEMENTS_MAX: u64 = 10_000_000;

/// Each handle costs the host about 100 bytes that no memory limit of the guest counts.
const HANDLES_MAX: u64 = 1_000_000;

/// The usual hard bound on the open files of a process; beyond it the host itself cannot
/// open its log.
const OPEN_FILES_MAX: u64 = 65_536;

/// The host holds a result in memory, for a moment twice.
const OUTPUT_BYTES_MAX: u64 = 256 << 20;

/// The host holds what was logged in memory until the call ends.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// A tool that writes more than a disk is not an everyday tool.
const FILE_BYTES_MAX: u64 = 1 << 40;

/// File systems have a fixed number of inodes, and clearing up takes seconds for each million.
const FILES_MAX: u64 = 10_000_000;

/// About a day of the cheapest calls.
const HOST_CALLS_MAX: u64 = 1_000_000_000_000;

/// Each is a sandbox with its own memory map and stack, and an agent's widest pipelines have some tens.
const PROCESSES_MAX: u64 = 4096;

/// One limit, by the name it has in configuration and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Memory,
    Cpu,
    Time,
    Output,
    Log,
    Files,
    FileBytes,
    OpenFiles,
    Handles,
    Tables,
    HostCalls,
    Processes,
}

impl Field {
    /// In the order in which they are listed for people.
    pub(crate) const ALL: [Self; 12] = [
        Self::Memory,
        Self::Cpu,
        Self::Time,
        Self::Output,
        Self::Log,
        Self::Files,
        Self::FileBytes,
        Self::OpenFiles,
        Self::Handles,
        Self::Tables,
        Self::HostCalls,
        Self::Processes,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Time => "time",
            Self::Output => "output",
            Self::Log => "log",
            Self::Files => "files",
            Self::FileBytes => "file-bytes",
            Self::OpenFiles => "open-files",
            Self::Handles => "handles",
            Self::Tables => "tables",
            Self::HostCalls => "host-calls",
            Self::Processes => "processes",
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Memory | Self::Output | Self::Log | Self::FileBytes => Unit::Bytes,
            Self::Time => Unit::Milliseconds,
            Self::Cpu
            | Self::Files
            | Self::OpenFiles
            | Self::Handles
            | Self::Tables
            | Self::HostCalls
            | Self::Processes => Unit::Count,
        }
    }

    /// The least amount with which a call can start. Zero of these four is plain: none.
    fn min(self) -> u64 {
        match self {
            Self::Log | Self::Files | Self::FileBytes | Self::Processes => 0,
            Self::Memory => MEMORY_BYTES_MIN,
            Self::Cpu
            | Self::Time
            | Self::Output
            | Self::OpenFiles
            | Self::Handles
            | Self::Tables
            | Self::HostCalls => 1,
        }
    }

    /// The hard ceiling, and what an operator who meets it is told.
    fn max(self) -> (u64, &'static str) {
        match self {
            Self::Memory => (MEMORY_BYTES_MAX, "a component can address no more"),
            Self::Cpu => (CPU_FUEL_MAX, "that is months of one core"),
            Self::Time => (TIME_MS_MAX, "a call holds its place as long as it runs"),
            Self::Output => (OUTPUT_BYTES_MAX, "the host holds it in memory"),
            Self::Log => (LOG_BYTES_MAX, "the host holds it in memory"),
            Self::Files => (FILES_MAX, "a file system can run out of entries"),
            Self::FileBytes => (FILE_BYTES_MAX, "that is as much as a disk"),
            Self::OpenFiles => (OPEN_FILES_MAX, "a process can open no more"),
            Self::Handles => (HANDLES_MAX, "each costs the host memory"),
            Self::Tables => (TABLE_ELEMENTS_MAX, "engines allow no more in one table"),
            Self::HostCalls => (HOST_CALLS_MAX, "that is a day of the cheapest calls"),
            Self::Processes => (PROCESSES_MAX, "each is a sandbox of its own"),
        }
    }

    pub(crate) fn get(self, patch: &LimitsPatch) -> Option<u64> {
        match self {
            Self::Memory => patch.memory_bytes,
            Self::Cpu => patch.cpu_fuel,
            // Above u64::MAX milliseconds is above the ceiling, too.
            Self::Time => patch.time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            Self::Output => patch.output_bytes,
            Self::Log => patch.log_bytes,
            Self::Files => patch.files,
            Self::FileBytes => patch.file_bytes,
            Self::OpenFiles => patch.open_files.map(u64::from),
            Self::Handles => patch.handles.map(u64::from),
            Self::Tables => patch.table_elements,
            Self::HostCalls => patch.host_calls,
            Self::Processes => patch.processes.map(u64::from),
        }
    }

    /// The amount must have passed [`Field::check`], so that the 32-bit ones fit.
    pub(crate) fn set(self, patch: &mut LimitsPatch, amount: u64) {
        let small = || Some(u32::try_from(amount).unwrap_or(u32::MAX));
        match self {
            Self::Memory => patch.memory_bytes = Some(amount),
            Self::Cpu => patch.cpu_fuel = Some(amount),
            Self::Time => patch.time = Some(Duration::from_millis(amount)),
            Self::Output => patch.output_bytes = Some(amount),
            Self::Log => patch.log_bytes = Some(amount),
            Self::Files => patch.files = Some(amount),
            Self::FileBytes => patch.file_bytes = Some(amount),
            Self::OpenFiles => patch.open_files = small(),
            Self::Handles => patch.handles = small(),
            Self::Tables => patch.table_elements = Some(amount),
            Self::HostCalls => patch.host_calls = Some(amount),
            Self::Processes => patch.processes = small(),
        }
    }

    /// The amount in `patch` as people read it ("64 MiB").
    pub(crate) fn show(self, patch: &LimitsPatch) -> Option<String> {
        Some(self.unit().show(self.get(patch)?).to_string())
    }

    pub(crate) fn named(name: &str) -> Result<Self, BundleError> {
        let found = Self::ALL.into_iter().find(|field| field.name() == name);
        found.ok_or_else(|| BundleError::invalid(format!("there is no limit `{}`", shown(name)), known_names()))
    }

    pub(crate) fn read(self, text: &str) -> Result<u64, BundleError> {
        let (name, unit) = (self.name(), self.unit());
        let amount = unit.parse(text).ok_or_else(|| {
            BundleError::invalid(
                format!("limit `{name}`: `{}` is not an amount", shown(text)),
                format!("write {}", unit.example()),
            )
        })?;
        self.check(amount)?;
        Ok(amount)
    }

    pub(crate) fn check(self, amount: u64) -> Result<(), BundleError> {
        let (name, unit, min) = (self.name(), self.unit(), self.min());
        let (max, why_max) = self.max();
        let range = || format!("write an amount from {} to {}", unit.show(min), unit.show(max));
        if amount < min {
            let message = match amount {
                0 => {
                    format!("limit `{name}` is zero: no call could even start, and zero never means \"no limit\" here")
                }
                _ => format!("limit `{name}` is {}: too little for any call to start", unit.show(amount)),
            };
            return Err(BundleError::invalid(message, range()));
        }
        if amount == u64::MAX {
            let message =
                format!("limit `{name}` is the largest number there is, which is no limit: everything is bounded here");
            return Err(BundleError::invalid(message, range()));
        }
        if amount > max {
            let message =
                format!("limit `{name}` is {}, above the ceiling of {}: {why_max}", unit.show(amount), unit.show(max));
            return Err(BundleError::invalid(message, range()));
        }
        Ok(())
    }
}

fn known_names() -> String {
    let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
    format!("known limits: {}", names.join(", "))
}
