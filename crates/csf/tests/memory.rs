//! What reading and editing cost in memory, counted by an allocator. One test, so that no other thread allocates.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod support;

use peak_alloc::PeakAlloc;
use sip_oauth_csf::{DeviceConfig, Limits, LineSettings, Member, ReadErrorKind, Setting};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most that was allocated at one time while `work` ran, beyond what was before, and what it gave.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let given = work();
    (ALLOCATOR.peak_usage().saturating_sub(before), given)
}

#[test]
fn reading_and_editing_take_four_times_the_file_at_most() {
    let mut device = support::jabber();
    device.device.lines.push(LineSettings::new("2002"));
    device.device.enterprise_config = (0..180)
        .map(|number| Setting {
            name: format!("enterpriseSetting{number}"),
            value: "1".to_owned(),
        })
        .collect();
    let file = device.to_xml().unwrap().into_bytes();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(
            std::str::from_utf8(&file)
                .unwrap()
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let limits = Limits::default();
    for (name, bytes) in [("UTF-8", &file), ("UTF-16", &utf16)] {
        let (reading, read) = peak(|| DeviceConfig::read(bytes, &limits));
        let mut config = read.unwrap();
        let held = ALLOCATOR.current_usage();
        // The file that was read is still held while it is edited, and counts.
        let (editing, _) = peak(|| config.set_sip_oauth_port(1, 59_999).unwrap());
        let (adding, _) = peak(|| config.add_member(&Member::new("ucm9.example.com")).unwrap());
        drop(config);
        let config_bytes = held - ALLOCATOR.current_usage();
        let times = |allocated: usize| allocated as f64 / bytes.len() as f64;
        println!(
            "{name}, {} bytes: reading {:.2}x, setting a port {:.2}x, adding a node {:.2}x",
            bytes.len(),
            times(reading),
            times(config_bytes + editing),
            times(config_bytes + adding),
        );
        assert!(times(reading) <= 4.0, "{name}");
        assert!(times(config_bytes + editing) <= 4.0, "{name}");
        assert!(times(config_bytes + adding) <= 4.0, "{name}");
    }

    // A file that is nothing but tags is bounded by the number of elements instead, and one too long by its length.
    let dense = format!("<device>{}</device>", "<a/>".repeat(200_000));
    let (allocated, read) = peak(|| DeviceConfig::read(dense.as_bytes(), &limits));
    let error = read.unwrap_err();
    println!("dense, {} bytes: {allocated} bytes", dense.len());
    assert!(matches!(
        error.kind(),
        ReadErrorKind::TooManyElements { .. }
    ));
    assert!(allocated < 1 << 20, "{allocated}");
    let mut attacks = 0;
    for file in support::corpus("xml/attacks")
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
    {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let (allocated, _) = peak(|| DeviceConfig::read(&bytes, &limits).is_ok());
        assert!(allocated <= 4 * bytes.len() + (4 << 10), "{allocated}");
        attacks += 1;
    }
    println!("{attacks} attacks within four times their size and 4 KiB");
    let long = vec![b' '; limits.max_bytes + 1];
    let (allocated, read) = peak(|| DeviceConfig::read(&long, &limits));
    assert!(read.is_err());
    assert!(allocated < 4 << 10, "{allocated}");
}
