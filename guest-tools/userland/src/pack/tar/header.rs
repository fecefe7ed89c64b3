//! Headers of members: how they are written, and how a list shows them.

use std::io::{self, Write};
use tar::{EntryType, Header};

/// What a block of an archive holds.
pub(super) const BLOCK_BYTES: u64 = 512;
/// The most that a header's own field for a name holds.
const NAME_BYTES: usize = 100;

/// Writes a header, behind those for names that are too long for it.
pub(super) fn write(to: &mut impl Write, mut header: Header, name: &str, link: &str) -> io::Result<()> {
    long(to, EntryType::GNULongLink, link)?;
    long(to, EntryType::GNULongName, name)?;
    fill(&mut header, name, link);
    to.write_all(header.as_bytes())
}

fn fill(header: &mut Header, name: &str, link: &str) {
    if let Some(gnu) = header.as_gnu_mut() {
        copy(&mut gnu.name, name);
        copy(&mut gnu.linkname, link);
    }
    header.set_cksum();
}

fn copy(field: &mut [u8], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

fn long(to: &mut impl Write, kind: EntryType, text: &str) -> io::Result<()> {
    if text.len() <= NAME_BYTES {
        return Ok(());
    }
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(text.len() as u64 + 1);
    fill(&mut header, "././@LongLink", "");
    to.write_all(header.as_bytes())?;
    to.write_all(text.as_bytes())?;
    let padding = BLOCK_BYTES - text.len() as u64 % BLOCK_BYTES;
    to.write_all(&vec![0; usize::try_from(padding).unwrap_or(0)])
}

/// How wide the owner and the size are together, in a list; a wider one widens those behind it.
pub(super) struct Width(pub(super) usize);

/// One line of a long list.
pub(super) fn shown(header: &Header, size: u64, name: &str, link: &str, numeric: bool, width: &mut Width) -> String {
    let kind = header.entry_type();
    let field = |name: Option<&[u8]>, id: io::Result<u64>| match name {
        Some(name) if !name.is_empty() && !numeric => String::from_utf8_lossy(name).into_owned(),
        _ => id.unwrap_or(0).to_string(),
    };
    let user = field(header.username_bytes(), header.uid());
    let group = field(header.groupname_bytes(), header.gid());
    let size = if kind.is_hard_link() || kind.is_symlink() || kind.is_dir() { 0 } else { size }.to_string();
    let taken = user.len() + group.len() + size.len() + 2;
    width.0 = width.0.max(taken);
    let room = width.0 - taken + size.len();
    #[expect(clippy::cast_precision_loss, reason = "a time that far off is no date")]
    let time = crate::calendar::format("%Y-%m-%d %H:%M", header.mtime().unwrap_or(0) as f64);
    let target = match kind {
        EntryType::Symlink => format!(" -> {link}"),
        EntryType::Link => format!(" link to {link}"),
        _ => String::new(),
    };
    format!("{} {user}/{group} {size:>room$} {time} {name}{target}\n", mode(kind, name, header.mode().unwrap_or(0)))
}

fn mode(kind: EntryType, name: &str, bits: u32) -> String {
    let letter = match kind {
        EntryType::Directory => 'd',
        EntryType::Symlink => 'l',
        EntryType::Link => 'h',
        EntryType::Char => 'c',
        EntryType::Block => 'b',
        EntryType::Fifo => 'p',
        _ if name.ends_with('/') => 'd',
        _ => '-',
    };
    format!("{letter}{}", crate::mode::letters(bits))
}
