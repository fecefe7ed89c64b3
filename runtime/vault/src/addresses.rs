//! Which addresses are anybody's, and which are somebody's own.
//!
//! The ranges are those of the IANA registries of special-purpose addresses for
//! [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry) (RFC 6890 and those that update it), multicast, what
//! is reserved, and whatever of IPv6 lies outside the one block that public addresses are given from (2000::/3). Entries
//! that the registries call globally reachable are in it as well (AS 112, anycast of protocols): no web server is there.
//! An IPv6 address that holds an IPv4 address counts as both.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]), length)
}

/// Narrow ones before those that hold them.
const SPECIAL_V4: [(Ipv4Net, &str); 22] = [
    (v4(0, 0, 0, 0, 8), "this network (RFC 791)"),
    (v4(10, 0, 0, 0, 8), "private use (RFC 1918)"),
    (v4(100, 64, 0, 0, 10), "shared address space (RFC 6598)"),
    (v4(127, 0, 0, 0, 8), "loopback (RFC 1122)"),
    (v4(169, 254, 0, 0, 16), "link local (RFC 3927)"),
    (v4(172, 16, 0, 0, 12), "private use (RFC 1918)"),
    (v4(192, 0, 0, 0, 24), "IETF protocol assignments (RFC 6890)"),
    (v4(192, 0, 2, 0, 24), "documentation (RFC 5737)"),
    (v4(192, 31, 196, 0, 24), "AS112 (RFC 7535)"),
    (v4(192, 52, 193, 0, 24), "AMT (RFC 7450)"),
    (v4(192, 88, 99, 0, 24), "6to4 relay anycast (RFC 7526)"),
    (v4(192, 168, 0, 0, 16), "private use (RFC 1918)"),
    (v4(192, 175, 48, 0, 24), "AS112 (RFC 7534)"),
    (v4(198, 18, 0, 0, 15), "benchmarking (RFC 2544)"),
    (v4(198, 51, 100, 0, 24), "documentation (RFC 5737)"),
    (v4(203, 0, 113, 0, 24), "documentation (RFC 5737)"),
    (v4(224, 0, 0, 0, 24), "local multicast (RFC 5771)"),
    (v4(233, 252, 0, 0, 24), "documentation of multicast (RFC 6676)"),
    (v4(239, 0, 0, 0, 8), "multicast of an organisation (RFC 2365)"),
    (v4(224, 0, 0, 0, 4), "multicast (RFC 5771)"),
    (v4(255, 255, 255, 255, 32), "broadcast (RFC 8190)"),
    (v4(240, 0, 0, 0, 4), "reserved (RFC 1112)"),
];

const SPECIAL_V6: [(Ipv6Net, &str); 24] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified (RFC 4291)"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback (RFC 4291)"),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "IPv4-mapped (RFC 4291)"),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), "IPv4-translated (RFC 2765)"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "IPv4-compatible (RFC 4291)"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "NAT64 of a network's own (RFC 8215)"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "discard only (RFC 6666)"),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "dummy prefix (RFC 9780)"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "Teredo (RFC 4380)"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "benchmarking (RFC 5180)"),
    (v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), "AMT (RFC 7450)"),
    (v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), "AS112 (RFC 7535)"),
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), "ORCHID (RFC 4843)"),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), "ORCHIDv2 (RFC 7343)"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "IETF protocol assignments (RFC 2928)"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "documentation (RFC 3849)"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4 (RFC 3056)"),
    (v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "AS112 (RFC 7534)"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "documentation (RFC 9637)"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "segment routing (RFC 9602)"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "unique local (RFC 4193)"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link local (RFC 4291)"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site local (RFC 3879)"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast (RFC 4291)"),
];

/// What public addresses of IPv6 are given from (RFC 4291).
const UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
/// Everything else of IPv6.
const ALL_V6: Ipv6Net = v6([0, 0, 0, 0, 0, 0, 0, 0], 0);
/// The one form with an IPv4 address in it that is reached like that address (RFC 6052). Networks with IPv6 alone need it.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Where clouds hand out credentials to whoever asks. No grant reaches them.
const METADATA: [IpAddr; 15] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), // AWS, Azure, Google, Oracle, DigitalOcean, OpenStack and others
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)), // the resolver beside it
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 123)), // and the clock
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),   // AWS ECS tasks
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),  // AWS EKS pods
    IpAddr::V4(Ipv4Addr::new(169, 254, 0, 23)),    // Tencent
    IpAddr::V4(Ipv4Addr::new(169, 254, 42, 42)),   // Scaleway
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),     // Oracle, the older
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), // Alibaba
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),   // Azure's agents
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), // AWS
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)), // AWS EKS pods
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), // Google
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)), // Scaleway
    IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe)), // OpenStack
];
/// What they are called.
const METADATA_NAMES: [&str; 6] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.tencentyun.com",
];

/// Why an address is not anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Nothing reaches it.
    Metadata,
    /// An operator can grant it.
    Special { address: IpAddr, range: IpNet, what: &'static str },
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metadata => f.write_str("it is where a cloud hands out credentials"),
            Self::Special { address, range, what } => write!(f, "{address} is in {range}, {what}"),
        }
    }
}

/// Whether a name is that of a metadata service.
pub(crate) fn is_metadata_name(name: &str) -> bool {
    METADATA_NAMES.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether one may connect there: a public address, or one in these ranges.
pub(crate) fn judge(address: IpAddr, granted: &[IpNet]) -> Result<(), Unfit> {
    let faces: Vec<IpAddr> = std::iter::once(address).chain(embedded(address).into_iter().map(IpAddr::V4)).collect();
    if faces.iter().any(|face| METADATA.contains(face)) {
        return Err(Unfit::Metadata);
    }
    for face in faces {
        let granted = granted.iter().any(|range| range.contains(&face));
        if let Some((range, what)) = special(face).filter(|_| !granted) {
            return Err(Unfit::Special { address: face, range, what });
        }
    }
    Ok(())
}

/// Whether it is an address that a credential would not leave the machine for.
pub(crate) fn is_metadata(address: IpAddr) -> bool {
    judge(address, &[]) == Err(Unfit::Metadata)
}

fn special(address: IpAddr) -> Option<(IpNet, &'static str)> {
    match address {
        IpAddr::V4(address) => {
            let found = SPECIAL_V4.iter().find(|(range, _)| range.contains(&address));
            found.map(|(range, what)| (IpNet::V4(*range), *what))
        }
        IpAddr::V6(address) => {
            let found = SPECIAL_V6.iter().find(|(range, _)| range.contains(&address));
            let known = found.map(|(range, what)| (IpNet::V6(*range), *what));
            let given = UNICAST.contains(&address) || NAT64.contains(&address);
            known.or_else(|| (!given).then_some((IpNet::V6(ALL_V6), "given to nobody")))
        }
    }
}

/// The IPv4 addresses that an IPv6 address leads to, or may lead to.
fn embedded(address: IpAddr) -> Vec<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return Vec::new() };
    let bytes = address.octets();
    let at = |place: [usize; 4]| Ipv4Addr::from(place.map(|at| bytes[at]));
    let last = at([12, 13, 14, 15]);
    let mut found = Vec::new();
    let [first, second, third, ..] = address.segments();
    // Mapped, translated, compatible, and the well-known NAT64 hold it at their end. So do `::` and `::1`, which are other
    // addresses; as IPv4 they would be 0.0.0.0 and 0.0.0.1, and refused as well.
    let low = bytes[..8] == [0; 8] && matches!(bytes[8..12], [0, 0, 0, 0] | [0, 0, 0xff, 0xff] | [0xff, 0xff, 0, 0]);
    if low && address != Ipv6Addr::UNSPECIFIED && address != Ipv6Addr::LOCALHOST || NAT64.contains(&address) {
        found.push(last);
    }
    // A network's own NAT64 puts it after a prefix of 48, 56, 64 or 96 bits (RFC 6052, 2.2).
    if (first, second, third) == (0x64, 0xff9b, 1) {
        found.extend([at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12]), last]);
    }
    if first == 0x2002 {
        found.push(at([2, 3, 4, 5]));
    }
    if (first, second) == (0x2001, 0) {
        // Teredo: the server, and the client with its bits turned.
        found.push(at([4, 5, 6, 7]));
        found.push(Ipv4Addr::from(last.octets().map(|byte| !byte)));
    }
    // ISATAP (RFC 5214), under any prefix.
    if matches!(bytes[8..12], [0 | 2, 0, 0x5e, 0xfe]) {
        found.push(last);
    }
    found
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
