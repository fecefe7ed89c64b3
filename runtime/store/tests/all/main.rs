//! The log on redb, beside what its contract says.

#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod arriving;
mod backend;
mod contract;
mod damage;
mod failing;
mod reopen;
#[cfg(unix)]
mod socket_bounds;
mod socket_contract;
#[cfg(unix)]
mod socket_process;
mod socket_resolve;
mod socket_shared;
mod socket_support;
mod support;
