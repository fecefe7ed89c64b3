//! One store for all processes of a user.
//!
//! A store admits one process at a time: its *holder*. The holder serves the log on a local socket in the data folder;
//! every other process asks there. [`SharedLog`] is whichever of the two its process can be, and changes over when the
//! holder dies. This module *never* decides who holds the store: the store's own lock does.
//!
//! # Files
//!
//! `run/` in the data folder, which only its owner may enter: `holder.sock`, the socket, and `holder.json`, who holds the
//! store. Both go with the holder; what a killed one leaves is replaced by the next. Nothing there needs to be copied.
//!
//! # Protocol
//!
//! 1. Both sides say hello ([`PROTOCOL`], build version, and the client's name); another protocol is refused with both
//!    numbers, another user without a word about the store.
//! 2. Then frames: length, sort, request number, body in postcard. A length above the sort's limit, a sort or a body of
//!    another form ends the connection.
//! 3. The client numbers its requests; they are worked on at once, and answered in any order.
//! 4. A tail is a request that is answered once, then followed by what it saw, one event or preview a frame. The holder
//!    sends [`TAIL_WINDOW_BYTES`] ahead at most; the client says what it took.
//! 5. `Cancel` ends a request or a tail; it is sent when a future or a tail is dropped.
//! 6. Previews go both ways without an answer, and may be lost.
//! 7. Each connection has its own handle to the log; when it ends, the handle goes, and with it its leases.
//! 8. A client that connects again says the same name; the holder ends its old connection first, so that nothing asked
//!    there happens after anything asked on the new one.
//! 9. A holder whose log cannot go on, because its disk failed, answers nothing more: it gives the store up, and whoever
//!    opens it anew answers.
//! 10. Where there are as many connections as there can be, one that does nothing and keeps nothing makes room; its client
//!     connects again when it has something to ask.
//! 11. Every count and size is bounded by a constant here; what exceeds a count waits in the socket.

mod client;
mod connection;
mod frame;
mod hello;
mod holder;
mod local;
mod message;
mod opener;
mod pulse;
mod requests;
mod resolve;
mod seat;
mod server;
mod shared;
mod wire;

pub use client::{ConnectError, RemoteLog};
pub use connection::{REQUEST_BYTES_MAX, REQUESTS_MAX, TAIL_WINDOW_BYTES, TAILS_MAX, WRITE_STALL_MAX};
pub use frame::{ASK_BYTES_MAX, FRAME_TIME_MAX, PREVIEW_BYTES_MAX, PUT_BYTES_MAX, REPLY_BYTES_MAX};
pub use hello::{BUILD, HELLO_TIME_MAX, PROTOCOL};
pub use holder::{Holder, holder};
pub use opener::redb;
pub use server::{CONNECTIONS_MAX, Handles, IDLE_TIME_MIN, Server, serve};
pub use shared::{Opener, RECOVERY_TIME_MAX, SharedLog};
pub use wire::REPLY_TIME_MAX;
