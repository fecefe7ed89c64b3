//! The recipe that hands are provisioned from.

use crate::kept::KeptLimits;
use crate::network::Network;
use handbox_bundle::{FolderGrant, Grants, Limits, Mode, Profile};
use std::path::PathBuf;
use std::time::Duration;

/// Where a hand's scratch folder appears in the guest.
pub const SCRATCH_GUEST: &str = "/tmp";
/// Where a hand leaves files that are meant for the user.
pub const OUTPUTS_GUEST: &str = "/mnt/session/outputs";

/// What hands of a toolbox get. Everything that is not in here does not exist for them.
#[derive(Clone, Debug)]
pub struct Environment {
    /// What the operator grants. A bundle gets at most what its manifest asks for of it.
    pub grants: Grants,
    /// What one call may consume. A bundle's own limits narrow it further.
    pub limits: Limits,
    /// A folder of the host that hands see as `/tmp`, writable and metered. The
    /// caller makes and removes it.
    pub scratch: Option<PathBuf>,
    /// A folder of the host that hands see as `/mnt/session/outputs`, likewise.
    pub outputs: Option<PathBuf>,
    /// Files that no hand may change even inside a writable folder: everything that the
    /// host program loads (configuration, bundles, locks, its own data).
    pub protected: Vec<PathBuf>,
    /// Who sends what hands want to send. Without one, every request is refused.
    pub network: Option<Network>,
    /// For hands that keep their state between calls.
    pub kept: KeptLimits,
}

impl Environment {
    /// Grants nothing, with the limits of `profile`.
    pub fn bare(profile: Profile) -> Self {
        Self {
            grants: Grants::default(),
            limits: profile.limits(),
            scratch: None,
            outputs: None,
            protected: Vec::new(),
            network: None,
            kept: KeptLimits { queue_max: 64, idle_max: Duration::from_secs(30 * 60) },
        }
    }

    /// The folders that the host gives beside the grants.
    pub(crate) fn own_folders(&self) -> Vec<FolderGrant> {
        let own = [(&self.scratch, SCRATCH_GUEST), (&self.outputs, OUTPUTS_GUEST)];
        let own = own.into_iter().filter_map(|(host, guest)| {
            let host = host.clone()?;
            Some(FolderGrant { host, guest: guest.to_owned(), mode: Mode::ReadWrite })
        });
        own.collect()
    }
}
