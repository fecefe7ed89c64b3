//! The store's file as the storage engine sees it when it must not change: what it writes stays in memory.

use handbox_store::StorageBackend;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is kept of a write at once. The engine writes whole pages of this size.
const PAGE_BYTES: usize = 4096;

/// A file below, and over it what was written.
#[derive(Debug)]
pub(super) struct Overlay(Mutex<Layers>);

#[derive(Debug)]
struct Layers {
    file: File,
    /// The bytes of the file that still count.
    below: u64,
    /// The length with what was written.
    len: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
}

impl Overlay {
    /// Opens a file for reading only. No lock is taken on it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self(Mutex::new(Layers { file, below: len, len, pages: BTreeMap::new() })))
    }

    fn layers(&self) -> MutexGuard<'_, Layers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A range of bytes, page by page: the page, where in it, and where in the range.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let size = PAGE_BYTES as u64;
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        // Less than a page, so it fits.
        let within = (at % size) as usize;
        let count = (len - done).min(PAGE_BYTES - within);
        let piece = (at / size, within..within + count, done..done + count);
        done += count;
        (count > 0).then_some(piece)
    })
}

impl Layers {
    /// What the file has there, and zeroes behind its end.
    fn read_below(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(self.below.saturating_sub(offset)).map_or(out.len(), |there| there.min(out.len()));
        let (file, rest) = out.split_at_mut(there);
        rest.fill(0);
        if file.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(file)
    }

    fn page(&mut self, number: u64) -> io::Result<&mut [u8; PAGE_BYTES]> {
        if !self.pages.contains_key(&number) {
            let mut page = Box::new([0; PAGE_BYTES]);
            self.read_below(number * PAGE_BYTES as u64, &mut page[..])?;
            self.pages.insert(number, page);
        }
        self.pages.get_mut(&number).map(Box::as_mut).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn contains(&self, offset: u64, len: usize) -> io::Result<()> {
        let end = offset.checked_add(len as u64).filter(|end| *end <= self.len);
        end.map(drop).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.layers().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut layers = self.layers();
        layers.contains(offset, out.len())?;
        layers.read_below(offset, out)?;
        for (number, within, place) in pieces(offset, out.len()) {
            if let Some(page) = layers.pages.get(&number) {
                out[place].copy_from_slice(&page[within]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut layers = self.layers();
        if len < layers.len {
            let (last, within) = (len / PAGE_BYTES as u64, (len % PAGE_BYTES as u64) as usize);
            layers.pages.split_off(&len.div_ceil(PAGE_BYTES as u64));
            if let Some(page) = layers.pages.get_mut(&last) {
                page[within..].fill(0);
            }
            layers.below = layers.below.min(len);
        }
        layers.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut layers = self.layers();
        layers.contains(offset, data.len())?;
        for (number, within, place) in pieces(offset, data.len()) {
            layers.page(number)?[within].copy_from_slice(&data[place]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything there is.
    fn all(overlay: &Overlay) -> Vec<u8> {
        let mut bytes = vec![0xee; usize::try_from(overlay.len().unwrap()).unwrap()];
        overlay.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn it_reads_as_a_file_that_was_written_and_the_file_stays_as_it_was() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let before: Vec<u8> = (0..10_000_u32).map(|at| at as u8).collect();
        std::fs::write(&path, &before).unwrap();
        let (overlay, mut expected) = (Overlay::open(&path).unwrap(), before.clone());
        for (at, len) in [(0, 10), (4_090, 20), (1, 9_000), (9_999, 1)] {
            let data = vec![at as u8 ^ 0x55; len];
            overlay.write(at as u64, &data).unwrap();
            expected[at..at + len].copy_from_slice(&data);
            assert!(all(&overlay) == expected, "{len} bytes at {at}");
        }
        for len in [9_500, 12_000, 5_000, 4_096, 20_000, 0, 100] {
            overlay.set_len(len as u64).unwrap();
            expected.resize(len, 0);
            assert!(all(&overlay) == expected, "{len} bytes");
        }
        assert!(overlay.read(90, &mut [0; 11]).is_err() && overlay.write(100, &[1]).is_err());
        assert!(std::fs::read(&path).unwrap() == before);
    }
}
