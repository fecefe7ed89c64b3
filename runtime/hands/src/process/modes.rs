//! `handbox:process/permissions`: the permission bits of files, by the way of every other file of a guest's own.

use crate::bindings::permissions;
use crate::bindings::processes::StreamFault;
use crate::guest::Guest;
use wasmtime::Result;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

impl permissions::Host for Guest {
    async fn get(&mut self, path: String) -> Result<Result<u16, StreamFault>> {
        let way = self.enter(&path)?;
        let mode = match way.place() {
            Some((folder, rest)) => self.files().mode(&folder, &rest).await,
            None => Err(ErrorCode::NoEntry.into()),
        };
        self.leave(way, mode)
    }

    async fn set(&mut self, path: String, mode: u16) -> Result<Result<(), StreamFault>> {
        let way = self.enter(&path)?;
        let set = match way.place() {
            Some((folder, rest)) => self.files().set_mode(&folder, &rest, mode).await,
            None => Err(ErrorCode::NoEntry.into()),
        };
        self.leave(way, set)
    }
}
