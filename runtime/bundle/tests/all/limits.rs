use handbox_bundle::{Limits, LimitsPatch, Profile, parse_toml};
use handbox_hand::Limit;
use proptest::prelude::*;
use std::time::Duration;

fn patch(text: &str) -> LimitsPatch {
    text.parse().unwrap()
}

/// The error's text and its hint.
fn refused(text: &str) -> String {
    let error = text.parse::<LimitsPatch>().unwrap_err();
    format!("{error} | {}", error.hint())
}

#[test]
fn every_limit_is_read_with_its_unit() {
    let all = patch(
        "memory=64MiB,time=30s,cpu=5G,output=1MiB,files=100,file-bytes=2GiB,handles=1_000,open-files=20,log=64KiB,tables=10k,host-calls=3M,processes=12",
    );
    let limits = Profile::Standard.limits().with(&all);
    assert_eq!(limits.memory_bytes, 64 << 20);
    assert_eq!(limits.time, Duration::from_secs(30));
    assert_eq!(limits.cpu_fuel, 5_000_000_000);
    assert_eq!((limits.output_bytes, limits.log_bytes, limits.file_bytes), (1 << 20, 64 << 10, 2 << 30));
    assert_eq!((limits.files, limits.handles, limits.open_files), (100, 1000, 20));
    assert_eq!((limits.table_elements, limits.host_calls, limits.processes), (10_000, 3_000_000, 12));
    assert_eq!(LimitsPatch::from(limits), all);
}

#[test]
fn what_is_not_named_stays() {
    let strict = Profile::Strict.limits();
    assert_eq!(strict.with(&patch("")), strict);
    assert_eq!(strict.with(&patch("time=250ms")), Limits { time: Duration::from_millis(250), ..strict });
}

#[test]
fn narrowing_never_widens() {
    let (strict, roomy) = (Profile::Strict.limits(), Profile::Roomy.limits());
    assert_eq!(strict.narrowed_by(roomy), strict);
    assert_eq!(roomy.narrowed_by(strict), strict);
    let narrowed = roomy.narrowed_by(patch("memory=1MiB,time=24h"));
    assert_eq!(narrowed, Limits { memory_bytes: 1 << 20, ..roomy });
}

#[test]
fn a_later_patch_wins_over_an_earlier_one() {
    let both = patch("memory=64MiB,time=1s").overlaid_with(&patch("time=2s,files=0"));
    assert_eq!(both.to_string(), "memory=64MiB,time=2s,files=0");
}

#[test]
fn unknown_and_repeated_names_say_what_there_is() {
    assert!(refused("memroy=1MiB").contains("no limit `memroy` | known limits: memory, cpu, time, output"));
    assert!(refused("time=1s,time=2s").contains("`time` is given twice"));
    assert!(refused("64MiB").contains("NAME=AMOUNT"));
}

#[test]
fn an_amount_that_cannot_be_read_shows_one_that_can() {
    for bad in ["memory=64MB", "memory=lots", "memory=-1", "memory=1.5GiB", "memory=99999999999999999999", "memory="] {
        assert!(refused(bad).contains("64MiB"), "{bad}: {}", refused(bad));
    }
    assert!(refused("time=30").contains("30s"), "a bare time could be seconds or milliseconds");
}

#[test]
fn zero_never_and_absurd_amounts_are_refused_with_the_reason() {
    for name in ["memory", "cpu", "output", "handles", "open-files", "tables", "host-calls"] {
        assert!(refused(&format!("{name}=0")).contains("zero never means \"no limit\""), "{name}");
    }
    assert!(refused("time=0s").contains("zero"));
    assert!(refused("cpu=18446744073709551615").contains("everything is bounded"));
    assert!(refused("memory=8GiB").contains("above the ceiling of 4 GiB: a component can address no more"));
    assert!(refused("memory=1KiB").contains("too little"));
    assert!(refused("time=25h").contains("above the ceiling of 86400 s"));
    assert!(refused("handles=4294967296").contains("ceiling"));
    assert_eq!(patch("files=0,file-bytes=0,log=0").files, Some(0), "zero is plain where it means none");
}

#[test]
fn limits_made_in_code_are_checked_as_well() {
    for profile in Profile::ALL {
        profile.limits().validate().unwrap();
    }
    let standard = Profile::Standard.limits();
    assert!(Limits { cpu_fuel: u64::MAX, ..standard }.validate().is_err());
    assert!(Limits { time: Duration::ZERO, ..standard }.validate().is_err());
    assert!(Limits { time: Duration::MAX, ..standard }.validate().is_err());
}

#[test]
fn toml_errors_name_file_line_and_key() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        limits: LimitsPatch,
    }
    let read = |text: &str| parse_toml::<File>("config.toml", text);
    let good = read("[limits]\nmemory = \"64MiB\"\ntime = \"30 s\"\nfiles = 100\n").unwrap();
    assert_eq!(good.limits, patch("memory=64MiB,time=30s,files=100"));
    for (text, expected) in [
        ("[limits]\nmemory = \"64MiB\"\nmemroy = 1\n", ["config.toml:3", "memroy", "known limits"]),
        ("[limits]\n\ntime = 30\n", ["config.toml:3", "`time`", "30s"]),
        ("[limits]\ncpu = 0\n", ["config.toml:2", "`cpu`", "zero"]),
        ("[limits]\ncpu = true\n", ["config.toml:2", "boolean", "5G"]),
        ("[limits]\ncpu = 1\ncpu = 2\n", ["config.toml:3", "duplicate key", "`cpu`"]),
        ("[limits]\n[limit]\n", ["config.toml:2", "limit", "unknown field"]),
        ("[limits", ["config.toml:1", "unclosed", "table"]),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(expected.iter().all(|part| error.contains(part)), "{text:?}: {error}");
    }
}

#[test]
fn toml_errors_show_no_value() {
    #[derive(Debug, serde::Deserialize)]
    struct File {
        #[expect(dead_code, reason = "never read, since nothing here parses")]
        env: std::collections::BTreeMap<String, String>,
    }
    for (text, place) in [
        ("env.A = \"s3cret", "column 16"),
        ("env.A = s3cret", "column 9"),
        ("env.A = { b = \"s3cret\" }", "column 9"),
        ("\nenv = \"s3cret, expected `x`\"", "column 7"),
        ("env.A = 1\nenv.A = \"s3cret\"", "column 5"),
        ("env.A = [\"s3cret\"]", "column 9"),
        ("env.A = 9s3cret", "column 10"),
    ] {
        let error = parse_toml::<File>("config.toml", text).unwrap_err();
        let said = format!("{error}\n{}", error.hint());
        assert!(!said.contains("s3cret") && said.contains(place), "{text:?}: {said}");
    }
    let number = parse_toml::<File>("config.toml", "env.A = 31337").unwrap_err().to_string();
    assert_eq!(number, "config.toml:1: invalid type: integer, expected text in quotes in `env.A`");
}

#[test]
fn what_a_limit_allows_is_said_with_its_unit() {
    let limits = Profile::Standard.limits();
    assert_eq!(limits.describe(Limit::Memory), "512 MiB");
    assert_eq!(limits.describe(Limit::Time), "30 s");
    assert_eq!(limits.describe(Limit::Cpu), "50 G instructions");
    assert_eq!(limits.describe(Limit::Handles), "1024 handles");
    assert_eq!(limits.describe(Limit::OpenFiles), "256 open files");
    assert_eq!(limits.describe(Limit::Files), "10 k new files and folders");
    assert!(limits.rows().contains(&("file-bytes", "256 MiB".to_owned())));
}

#[test]
fn profiles_are_spelled_strict_default_roomy() {
    for (name, profile) in [("strict", Profile::Strict), ("default", Profile::Standard), ("roomy", Profile::Roomy)] {
        assert_eq!(name.parse::<Profile>().unwrap(), profile);
        assert_eq!(profile.to_string(), name);
    }
    assert!("standard".parse::<Profile>().unwrap_err().hint().contains("strict, default, roomy"));
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        memory in 65_536..=4_294_967_296_u64, cpu in 1..=10_000_000_000_000_000_u64, time in 1..=86_400_000_u64,
        output in 1..=268_435_456_u64, log in 0..=67_108_864_u64, handles in 1..=1_000_000_u32, files in 0..=10_000_000_u64,
    ) {
        let patch = LimitsPatch {
            memory_bytes: Some(memory), cpu_fuel: Some(cpu), time: Some(Duration::from_millis(time)), output_bytes: Some(output),
            log_bytes: Some(log), handles: Some(handles), files: Some(files), ..LimitsPatch::default()
        };
        prop_assert_eq!(patch.to_string().parse::<LimitsPatch>().unwrap(), patch);
        let limits = Profile::Roomy.limits().with(&patch);
        for (name, amount) in limits.rows() {
            let one: LimitsPatch = format!("{name}={amount}").parse().unwrap();
            prop_assert_eq!(limits.with(&one), limits);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,60}", name in "(time|cpu|memory)", amount in "[0-9_]{0,25} ?[a-zA-Z]{0,4}") {
        let _ = text.parse::<LimitsPatch>();
        if let Ok(patch) = format!("{name}={amount}").parse::<LimitsPatch>() {
            patch.validate().unwrap();
        }
    }
}
