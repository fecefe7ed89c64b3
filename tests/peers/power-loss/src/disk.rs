//! A file system in a file, and what the file holds at a moment.

use crate::command::run;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The size of the file, which has holes: only what is written takes space.
const BYTES: u64 = 1024 * 1024 * 1024;
/// How often the file is copied until nothing is written meanwhile.
const COPIES_MAX: u64 = 50;
const COPY_PAUSE: Duration = Duration::from_millis(5);

/// A mounted file system. Dropping it unmounts it, which also frees its loop device.
#[derive(Debug)]
pub(crate) struct Disk {
    file: PathBuf,
    folder: PathBuf,
    /// Of the loop device, such as `loop0`.
    device: String,
    mounted: bool,
}

impl Disk {
    /// A new one, in a file of a folder.
    pub(crate) fn make(folder: &Path, name: &str) -> Result<Self> {
        let file = folder.join(name);
        std::fs::File::create_new(&file)?.set_len(BYTES)?;
        // All tables at once: nobody else is to write to the device later.
        let eager = "lazy_itable_init=0,lazy_journal_init=0";
        run("mkfs.ext4", &["-q", "-F", "-E", eager, text(&file)?])?;
        Self::mount(&file)
    }

    /// One that is in a file already. Mounting replays its journal.
    pub(crate) fn mount(file: &Path) -> Result<Self> {
        let folder = file.with_extension("mounted");
        std::fs::create_dir(&folder)?;
        let path = run("losetup", &["--direct-io=on", "--find", "--show", text(file)?])?;
        let path = path.trim().to_owned();
        let device = path.strip_prefix("/dev/").context("a loop device")?.to_owned();
        let mounted = Self::mount_device(&path, &folder);
        // While it is mounted this only notes that it goes with the mount, whoever ends that.
        let detached = run("losetup", &["--detach", &path]);
        mounted?;
        let disk = Self { file: file.to_owned(), folder, device, mounted: true };
        detached?;
        Ok(disk)
    }

    fn mount_device(path: &str, folder: &Path) -> Result<()> {
        let direct = run("losetup", &["--list", "--noheadings", "--output", "DIO", path])?;
        ensure!(
            direct.trim() == "1",
            "direct I/O on the loop device; the folder's file system does not give it (name another with --folder)"
        );
        run("mount", &["-t", "ext4", path, text(folder)?])?;
        Ok(())
    }

    /// Whether all this works here.
    pub(crate) fn try_out(folder: &Path) -> Result<()> {
        let disk = Self::make(folder, "try")?;
        disk.sync()?;
        disk.copy(&folder.join("try-copy"))?;
        disk.remove()?;
        Self::mount(&folder.join("try-copy"))?.remove()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Brings all that was written so far to the device.
    pub(crate) fn sync(&self) -> Result<()> {
        run("sync", &["--file-system", text(&self.folder)?]).map(drop)
    }

    /// Copies the file as it is. If something is written meanwhile, which the kernel does every few seconds, the copy is of
    /// no moment that ever was, and is made again. Gives how many were made in vain.
    pub(crate) fn copy(&self, to: &Path) -> Result<u64> {
        for vain in 0..COPIES_MAX {
            let before = self.written()?;
            let (from, to) = (format!("if={}", text(&self.file)?), format!("of={}", text(to)?));
            // Past the page cache, as the loop device wrote it.
            run("dd", &[&from, &to, "bs=1M", "iflag=direct", "conv=sparse", "status=none"])?;
            if before.is_some() && before == self.written()? {
                return Ok(vain);
            }
            std::thread::sleep(COPY_PAUSE);
        }
        bail!("the device was written to all the time, so there was no moment at which to copy it")
    }

    /// What the device was asked to write so far; nothing while a request is under way.
    fn written(&self) -> Result<Option<[u64; 3]>> {
        let counts = std::fs::read_to_string(format!("/sys/block/{}/stat", self.device))?;
        written(&counts)
    }

    /// Unmounts it and deletes the file.
    pub(crate) fn remove(mut self) -> Result<()> {
        run("umount", &[text(&self.folder)?])?;
        self.mounted = false;
        std::fs::remove_dir(&self.folder)?;
        Ok(std::fs::remove_file(&self.file)?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // On the way out of a failure. What stays mounted ends with this process, whose mounts are its own.
        if self.mounted {
            run("umount", &[&self.folder.to_string_lossy()]).ok();
        }
    }
}

/// Writes, discards and flushes of a block device, from its `stat`.
fn written(counts: &str) -> Result<Option<[u64; 3]>> {
    let counts: Vec<u64> = counts.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let at = |place: usize| counts.get(place).copied().context("a kernel that counts discards and flushes (5.5)");
    let under_way = at(8)?;
    let done = [at(4)?, at(11)?, at(15)?];
    Ok((under_way == 0).then_some(done))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_device_that_is_being_written_to_has_no_count() {
        let still = "10 0 80 1 20 0 160 2 0 3 4 5 0 40 6 7 8";
        assert_eq!(written(still).unwrap(), Some([20, 5, 7]));
        let busy = "10 0 80 1 20 0 160 2 1 3 4 5 0 40 6 7 8";
        assert_eq!(written(busy).unwrap(), None);
        assert!(written("10 0 80").is_err());
    }
}
