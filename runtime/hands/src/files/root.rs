//! What a process sees at `/`: where its folders are, a few devices, and what says whose machine this is.

use super::protect::{self, Identity};
use super::temporary::Temporary;
use handbox_bundle::FolderGrant;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

/// A device that exists for processes. Nothing else in `/dev` does: the process's streams are given to it another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Null,
    Zero,
    Random,
}

/// The devices by their name in `/dev`.
const DEVICES: [(&str, Device); 4] =
    [("null", Device::Null), ("random", Device::Random), ("urandom", Device::Random), ("zero", Device::Zero)];

/// What programs ask of a system, in `/etc`: the one user, and the one name. Nothing in it is this machine's.
const ETC: [(&str, &str); 5] = [
    ("passwd", "root:x:0:0:root:/root:/bin/bash\nagent:x:1000:1000:agent:/tmp:/bin/bash\n"),
    ("group", "root:x:0:\nagent:x:1000:\n"),
    ("hostname", "handbox\n"),
    ("hosts", "127.0.0.1\tlocalhost\n127.0.1.1\thandbox\n"),
    ("os-release", "NAME=\"Handbox\"\nID=handbox\nPRETTY_NAME=\"Handbox (WebAssembly sandbox, WASI 0.2)\"\n"),
];

impl Device {
    /// By the last part of a path.
    fn named(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        DEVICES.iter().find(|(known, _)| *known == name).map(|(_, device)| *device)
    }

    /// Opens the host's own, of which no byte is a secret.
    pub(super) fn open(self) -> io::Result<fs::File> {
        let path = match self {
            Self::Null => "/dev/null",
            Self::Zero => "/dev/zero",
            Self::Random => "/dev/urandom",
        };
        // What is written to the source of random bytes would be mixed into the host's.
        fs::File::options().read(true).write(self != Self::Random).open(path)
    }
}

/// The files that stand for devices, by their identity on the disk.
#[derive(Debug, Default)]
pub(crate) struct Devices(HashMap<Identity, Device>);

impl Devices {
    /// Whether a path may lead to a device: only then is it worth looking.
    pub(super) fn may_be(path: &str) -> bool {
        Device::named(path).is_some()
    }

    pub(super) fn get(&self, identity: Identity) -> Option<Device> {
        self.0.get(&identity).copied()
    }
}

/// A folder that stands for `/`.
pub(super) struct Root {
    pub(super) folder: Temporary,
    pub(super) devices: Arc<Devices>,
}

impl Root {
    /// Makes one in which each of the granted folders has its place.
    pub(super) async fn make(grants: &[&FolderGrant]) -> io::Result<Self> {
        let folder = Temporary::make()?;
        for grant in grants {
            let names = Path::new(&grant.guest).components().filter(|part| matches!(part, Component::Normal(_)));
            fs::create_dir_all(folder.path().join(names.collect::<std::path::PathBuf>()))?;
        }
        let etc = folder.path().join("etc");
        fs::create_dir_all(&etc)?;
        for (name, text) in ETC {
            // A folder may be granted there.
            if !etc.join(name).exists() {
                fs::write(etc.join(name), text)?;
            }
        }
        let devices = Arc::new(Self::devices(folder.path()).await?);
        Ok(Self { folder, devices })
    }

    #[cfg(unix)]
    async fn devices(root: &Path) -> io::Result<Devices> {
        let (mut devices, folder) = (Devices::default(), root.join("dev"));
        fs::create_dir_all(&folder)?;
        for (name, device) in DEVICES {
            let path = folder.join(name);
            fs::File::create(&path)?;
            if let Some(identity) = protect::identity(&path).await.map_err(io::Error::other)? {
                devices.0.insert(identity, device);
            }
        }
        Ok(devices)
    }

    /// There are none that could be opened.
    #[cfg(not(unix))]
    async fn devices(_: &Path) -> io::Result<Devices> {
        Ok(Devices::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Mode;

    #[tokio::test]
    async fn folders_have_their_place_and_devices_are_known_by_what_they_are() {
        let grant = FolderGrant { host: "/".into(), guest: "/mnt/session/outputs".to_owned(), mode: Mode::ReadOnly };
        let over = FolderGrant { guest: "/etc/passwd/x".to_owned(), ..grant.clone() };
        assert!(Root::make(&[&grant, &over]).await.unwrap().folder.path().join("etc/passwd/x").is_dir());
        let root = Root::make(&[&grant]).await.unwrap();
        assert!(root.folder.path().join("mnt/session/outputs").is_dir());
        let identity = async |path: &str| protect::identity(&root.folder.path().join(path)).await.unwrap().unwrap();
        assert_eq!(root.devices.get(identity("dev/urandom").await), Some(Device::Random));
        fs::write(root.folder.path().join("null"), "").unwrap();
        assert_eq!(root.devices.get(identity("null").await), None, "a name alone makes no device");
        let passwd = fs::read_to_string(root.folder.path().join("etc/passwd")).unwrap();
        assert!(passwd.lines().all(|line| line.split(':').count() == 7), "{passwd}");
    }
}
