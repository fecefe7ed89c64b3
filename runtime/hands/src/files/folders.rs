//! Granted folders, opened once and cloned for each call.

use super::root::{Devices, Root};
use handbox_bundle::{FolderGrant, GUEST_PATH_DEFAULT, Mode};
use handbox_hand::Refusal;
use std::sync::Arc;
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// Whether the guest finds the working folder under the name `.`, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relative {
    /// For programs: they were written for a shell, and wasi-libc looks up relative paths there.
    Opened,
    /// Not at all, but there is a `/` in which every folder has its place, and devices. For processes, which are told
    /// their working folder.
    Rooted,
    /// For tools, which work paths out themselves and would take it for one more folder.
    Named,
}

/// The folders of one recipe, as granted and with everything read-only.
pub(crate) struct Folders {
    granted: WasiFilesystemCtx,
    read_only: WasiFilesystemCtx,
    first: Option<String>,
    /// Set for processes.
    root: Option<Root>,
}

impl Folders {
    /// Opens every folder. Holding them open is what makes a later swap of a
    /// path on the host harmless.
    ///
    /// `granted` come from the operator; `own` are the host's scratch folders, in which no
    /// relative path should ever start.
    pub(crate) async fn open(
        granted: &[FolderGrant],
        own: &[FolderGrant],
        relative: Relative,
    ) -> Result<Self, Refusal> {
        let usual = granted.iter().find(|grant| grant.guest == GUEST_PATH_DEFAULT);
        let first = usual.or(granted.first());
        let start = first
            .filter(|_| relative == Relative::Opened)
            .map(|grant| FolderGrant { guest: ".".to_owned(), ..grant.clone() });
        let first = first.map(|grant| grant.guest.clone());
        let mut grants: Vec<&FolderGrant> = granted.iter().chain(own).chain(&start).collect();
        let root = if relative == Relative::Rooted { Some(Self::root(&grants).await?) } else { None };
        let top = root.as_ref().map(|root| FolderGrant {
            host: root.folder.path().to_owned(),
            guest: "/".to_owned(),
            mode: Mode::ReadOnly,
        });
        grants.extend(top.iter().filter(|top| !granted.iter().any(|grant| grant.guest == top.guest)));
        // wasi-libc takes the longest matching preopen; other guests may take the first.
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.guest.len()));
        let open = |weakest: Mode| -> Result<WasiFilesystemCtx, Refusal> {
            let mut builder = WasiCtx::builder();
            // The decorator sees to it that this runs where blocking is allowed.
            builder.allow_blocking_current_thread(true);
            for grant in &grants {
                let perms = match grant.mode.min(weakest) {
                    Mode::ReadOnly => FsPerms::ReadOnly,
                    Mode::ReadWrite => FsPerms::ReadWrite,
                };
                builder.preopened_dir(&grant.host, &grant.guest, perms).map_err(|error| Refusal {
                    reason: format!("the granted folder {} cannot be opened: {error}", grant.host.display()),
                    hint: format!("create it, or grant another folder: --dir HOST:{}", grant.guest),
                })?;
            }
            Ok(builder.build().filesystem().clone())
        };
        Ok(Self { granted: open(Mode::ReadWrite)?, read_only: open(Mode::ReadOnly)?, first, root })
    }

    async fn root(grants: &[&FolderGrant]) -> Result<Root, Refusal> {
        Root::make(grants).await.map_err(|error| Refusal {
            reason: format!("the folder that stands for / cannot be made: {error}"),
            hint: format!("see to it that {} can be written to", std::env::temp_dir().display()),
        })
    }

    /// The devices that there are; none but for processes.
    pub(crate) fn devices(&self) -> Option<Arc<Devices>> {
        self.root.as_ref().map(|root| Arc::clone(&root.devices))
    }

    /// The context for one call.
    pub(crate) fn context(&self, weakest: Mode) -> WasiFilesystemCtx {
        match weakest {
            Mode::ReadWrite => self.granted.clone(),
            Mode::ReadOnly => self.read_only.clone(),
        }
    }

    /// Where relative paths start: `/workspace`, or the folder that was granted first.
    pub(crate) fn working_folder(&self) -> Option<&str> {
        self.first.as_deref()
    }
}
