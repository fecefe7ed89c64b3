//! Guests that misbehave. Each gets its typed answer, and afterwards the host is as it
//! was: the next honest call works, no file stays open, no memory stays taken.

mod after;
mod budgets;
mod files;
mod loading;
mod quota;
mod races;
