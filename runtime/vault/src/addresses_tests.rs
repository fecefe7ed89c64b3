use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn judged(text: &str, granted: &[&str]) -> Result<(), Unfit> {
    let granted: Vec<IpNet> = granted.iter().map(|range| range.parse().unwrap()).collect();
    judge(address(text), &granted)
}

/// U5 to U9: what is not anybody's, the first and last address of each range.
#[test]
fn special_addresses_are_refused() {
    for text in [
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.255",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "233.252.0.1",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "64:ff9b:1::1",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:10::1",
        "2001:20::1",
        "2001:30::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002::1",
        "2620:4f:8000::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "4000::1",
        "1::1",
        "200::1",
        "e000::1",
    ] {
        assert!(matches!(judged(text, &[]), Err(Unfit::Special { .. })), "{text}");
    }
}

#[test]
fn public_addresses_are_not() {
    for text in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "3ffe:ffff::1",
        "64:ff9b::808:808",
    ] {
        assert_eq!(judged(text, &[]), Ok(()), "{text}");
    }
}

/// U8: an address inside an address is judged too, whatever of the outer one is granted.
#[test]
fn an_address_that_holds_another_counts_as_both() {
    let outside = ["::/0"];
    for (form, private, public) in [
        ("mapped", "::ffff:10.0.0.1", "::ffff:8.8.8.8"),
        ("compatible", "::10.0.0.1", "::8.8.8.8"),
        ("translated", "::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8"),
        ("NAT64", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8"),
        ("6to4", "2002:a00:1::1", "2002:808:808::1"),
        ("Teredo's server", "2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f7f7:f7f7"),
        ("Teredo's client", "2001:0:808:808::f5ff:fffe", "2001:0:808:808::f7f7:f7f7"),
        ("ISATAP", "2606:4700::5efe:10.0.0.1", "2606:4700::5efe:8.8.8.8"),
        ("ISATAP, global", "2606:4700::200:5efe:10.0.0.1", "2606:4700::200:5efe:8.8.8.8"),
    ] {
        assert!(judged(private, &[]).is_err(), "{form}");
        let inner = Unfit::Special {
            address: address("10.0.0.1"),
            range: "10.0.0.0/8".parse().unwrap(),
            what: "private use (RFC 1918)",
        };
        assert_eq!(judged(private, &outside), Err(inner), "{form}");
        assert_eq!(judged(private, &["::/0", "10.0.0.0/8"]), Ok(()), "{form}");
        assert_eq!(judged(public, &outside), Ok(()), "{form}");
    }
    // A network's own NAT64: after 48, 56, 64 and 96 bits.
    for text in ["64:ff9b:1:a00:0:100::", "64:ff9b:1:a:0:1::", "64:ff9b:1:0:a:0:100:0", "64:ff9b:1::10.0.0.1"] {
        assert!(judged(text, &outside).is_err(), "{text}");
    }
}

/// U10.
#[test]
fn no_grant_reaches_metadata() {
    let all = ["0.0.0.0/0", "::/0", "169.254.169.254/32", "fd00:ec2::254/128"];
    for text in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
        "2001:0:808:808::5601:5601",
        "fe80::5efe:a9fe:a9fe",
        "2606:4700::5efe:168.63.129.16",
    ] {
        assert_eq!(judged(text, &all), Err(Unfit::Metadata), "{text}");
        assert!(is_metadata(address(text)), "{text}");
    }
    assert!(is_metadata_name("Metadata.Google.Internal") && !is_metadata_name("metadata.example.com"));
}

#[test]
fn a_granted_range_is_granted_and_no_more() {
    assert_eq!(judged("10.1.2.3", &["10.1.0.0/16"]), Ok(()));
    assert!(judged("10.2.2.3", &["10.1.0.0/16"]).is_err());
    assert!(judged("127.0.0.1", &["10.0.0.0/8", "::/0"]).is_err());
    assert_eq!(judged("fd12::1", &["fd12::/16"]), Ok(()));
    assert!(judged("::ffff:127.0.0.1", &["127.0.0.0/8"]).is_err(), "the outer form was not granted");
}
