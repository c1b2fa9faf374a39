//! What reading and editing cost in memory, counted by an allocator. One test, so that no other thread allocates.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod support;

use peak_alloc::PeakAlloc;
use sip_oauth_csf::{
    Device, DeviceConfig, Limits, LineSettings, Member, Place, ReadErrorKind, Setting,
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most that was allocated at one time while `work` ran, beyond what was before, and what it gave.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let given = work();
    (ALLOCATOR.peak_usage().saturating_sub(before), given)
}

/// What is allowed beside four times the file: room for some paths and messages.
const BESIDE: usize = 4 << 10;

/// A file as Unified CM hands it out, with the vendor levels filled: 18 KB.
fn product_file() -> Vec<u8> {
    let mut device = support::jabber();
    device.device.lines.push(LineSettings::new("2002"));
    device.device.enterprise_config = (0..180)
        .map(|number| Setting {
            name: format!("enterpriseSetting{number}"),
            value: "1".to_owned(),
        })
        .collect();
    device.to_xml().unwrap().into_bytes()
}

/// Files that are nothing but what costs most beside its bytes. Each has an element `a` first.
fn degenerate_files() -> Vec<(&'static str, Vec<u8>)> {
    let whole = |inner: String| format!("<device><a/>{inner}</device>").into_bytes();
    let (size, name) = (200_000, "n".repeat(5_000));
    let repeat = |piece: &str| whole(piece.repeat(size / piece.len()));
    let attributes: Vec<String> = (0..32).map(|number| format!(" a{number}=''")).collect();
    let attributes = attributes.concat();
    let nested = format!("{}{}", "<b>".repeat(30), "</b>".repeat(30));
    let names = format!("<{name}>").repeat(30) + &format!("</{name}>").repeat(30);
    vec![
        ("<b/>", repeat("<b/>")),
        ("<b></b>", repeat("<b></b>")),
        ("<b>1</b> a line", repeat("<b>1</b>\n")),
        ("nested to the limit", repeat(&nested)),
        ("names of 5,000 bytes", whole(names)),
        ("32 attributes each", repeat(&format!("<b{attributes}/>"))),
        (
            "attribute values that are references",
            repeat(&format!("<b c='{}'/>", "&lt;".repeat(16_000))),
        ),
        ("references", repeat("&#49;")),
        ("CDATA", repeat("<![CDATA[<b><b><b><b>]]>")),
        ("comments", repeat("<!--<b><b>-->")),
        ("processing instructions", repeat("<?b?>")),
        (
            "line ends",
            repeat(&format!("<b>{}</b>", "\r\n".repeat(30_000))),
        ),
    ]
}

/// Files that are refused, late and with much in hand.
fn refused_files() -> Vec<(&'static str, Vec<u8>)> {
    let name = "n".repeat(30_000);
    let names = format!("<{name}>").repeat(30);
    let reference = "x".repeat(60_000);
    vec![
        ("tags that are not closed", format!("<device>{names}")),
        (
            "an end tag that does not match",
            format!("<device>{names}</{}>", "m".repeat(90_000)),
        ),
        (
            "an end tag without a start tag",
            format!("</{}>", "m".repeat(90_000)),
        ),
        ("another root", format!("<{name}/>")),
        ("a second root", format!("<device/><{name}/>")),
        (
            "an unknown entity",
            format!("<device>&{reference};</device>"),
        ),
        (
            "an unknown entity in an attribute",
            format!("<device a='&{reference};'/>"),
        ),
        (
            "a name that is none",
            format!("<device><1{name}/></device>"),
        ),
        (
            "an attribute that stands twice",
            format!("<device {name}='' {name}=''/>"),
        ),
        (
            "a reference that is not closed",
            format!("<device>&{reference}"),
        ),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.into_bytes()))
    .collect()
}

fn utf16(utf8: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(utf8).unwrap();
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xFF, 0xFE].into_iter().chain(units).collect()
}

/// Files in encodings of one byte a character, with how many times their size they may take: the text is in UTF-8, where
/// those of Thai have three bytes.
fn one_byte_files(product: &[u8]) -> [(&'static str, Vec<u8>, usize); 3] {
    let declared = |encoding: &str, inner: &[u8]| {
        let head = format!("<?xml version='1.0' encoding='{encoding}'?>");
        [head.as_bytes(), inner].concat()
    };
    let label = b"<!-- Z\xFCrich -->";
    let tags = [
        b"<device><a/>",
        label.as_slice(),
        &b"<b/>".repeat(50_000),
        b"</device>",
    ]
    .concat();
    let letters = format!(
        "<device><a/>{}</device>",
        "<b>#</b>".repeat(20).replace('#', &"#".repeat(10_000))
    );
    let letters: Vec<u8> = letters
        .bytes()
        .map(|byte| if byte == b'#' { 0xA1 } else { byte })
        .collect();
    [
        (
            "product file in windows-1252",
            declared("windows-1252", &[label, product].concat()),
            4,
        ),
        ("<b/> in windows-1252", declared("windows-1252", &tags), 6),
        (
            "letters of three bytes in windows-874",
            declared("windows-874", &letters),
            6,
        ),
    ]
}

/// The peaks of reading a file to its targets and of edits of what was read: what is held while an edit goes on counts.
struct Peaks {
    reading: usize,
    editing: usize,
    adding: usize,
}

fn peaks(bytes: &[u8], limits: &Limits) -> Peaks {
    let before = ALLOCATOR.current_usage();
    let (reading, config) = peak(|| {
        let config = DeviceConfig::read(bytes, limits).unwrap();
        let _ = config.registration_targets(Place::OnPremises);
        config
    });
    let mut config = config;
    let held = ALLOCATOR.current_usage() - before;
    let (editing, ()) = peak(|| {
        let path = if config.root().child("a").is_some() {
            "a[1]"
        } else {
            "sipOAuthMode"
        };
        config.set(path, "0").unwrap();
        config.set(path, "").unwrap();
    });
    // Where there is no group to add to, what is refused must not cost more either.
    let (adding, _) = peak(|| config.add_member(&Member::new("cucm9.example.com")).is_ok());
    Peaks {
        reading,
        editing: held + editing,
        adding: held + adding,
    }
}

fn report(name: &str, bytes: &[u8], peaks: &Peaks) {
    let times = |allocated: usize| allocated as f64 / bytes.len() as f64;
    println!(
        "{name}, {} bytes: reading {:.2}x, setting a value {:.2}x, adding a node {:.2}x",
        bytes.len(),
        times(peaks.reading),
        times(peaks.editing),
        times(peaks.adding),
    );
}

#[test]
fn reading_and_editing_take_four_times_the_file_at_most() {
    // Bounds that do not save us: as many elements as the bytes can hold.
    let limits = Limits {
        max_elements: usize::MAX,
        ..Limits::default()
    };
    let product = product_file();
    let in_utf16 = utf16(&product);
    for (name, bytes) in [
        ("product file", &product),
        ("product file in UTF-16", &in_utf16),
    ] {
        let peaks = peaks(bytes, &limits);
        report(name, bytes, &peaks);
        for allocated in [peaks.reading, peaks.editing, peaks.adding] {
            assert!(allocated <= 4 * bytes.len(), "{name}: {allocated}");
        }
    }
    let degenerate = degenerate_files();
    let in_utf16 = degenerate.iter().map(|(name, bytes)| (*name, utf16(bytes)));
    for (name, bytes) in degenerate.iter().cloned().chain(in_utf16) {
        let peaks = peaks(&bytes, &limits);
        report(name, &bytes, &peaks);
        for allocated in [peaks.reading, peaks.editing, peaks.adding] {
            assert!(allocated <= 4 * bytes.len() + BESIDE, "{name}: {allocated}");
        }
    }
    for (name, bytes, most) in one_byte_files(&product) {
        let peaks = peaks(&bytes, &limits);
        report(name, &bytes, &peaks);
        for allocated in [peaks.reading, peaks.editing, peaks.adding] {
            assert!(
                allocated <= most * bytes.len() + BESIDE,
                "{name}: {allocated}"
            );
        }
    }
    for (name, bytes) in refused_files() {
        let (allocated, read) =
            peak(|| DeviceConfig::read(&bytes, &limits).map_err(|error| error.to_string()));
        let error = read.unwrap_err();
        println!(
            "{name}, {} bytes: {:.2}x",
            bytes.len(),
            allocated as f64 / bytes.len() as f64
        );
        assert!(error.len() < 1000, "{name}: {} bytes", error.len());
        assert!(allocated <= 4 * bytes.len() + BESIDE, "{name}: {allocated}");
    }
    corpus(&limits);
    devices(&Limits::default());

    // By the default limits, a file of nothing but tags ends at their number, and one too long at its length.
    let limits = Limits::default();
    let dense = format!("<device>{}</device>", "<a/>".repeat(200_000));
    let (allocated, read) = peak(|| DeviceConfig::read(dense.as_bytes(), &limits));
    let error = read.unwrap_err();
    assert!(matches!(
        error.kind(),
        ReadErrorKind::TooManyElements { .. }
    ));
    assert!(allocated < dense.len(), "{allocated}");
    let long = vec![b' '; limits.max_bytes + 1];
    let (allocated, read) = peak(|| DeviceConfig::read(&long, &limits));
    assert!(read.is_err());
    assert!(allocated < BESIDE, "{allocated}");
}

/// A device taken from files of nothing but what costs most in one: 512 bytes an element, beside the text.
fn devices(limits: &Limits) {
    let group = "g".repeat(Setting::MAX_PATH_BYTES - 2);
    let in_group = |inner: &str| format!("<vendorConfig><{group}>{inner}</{group}></vendorConfig>");
    for (name, inner) in [
        (
            "settings under a long path",
            in_group(&"<a/>".repeat(19_900)),
        ),
        (
            "a setting with a long text",
            in_group(&format!("<a>{}</a>", "t".repeat(60_000))),
        ),
        (
            "lines",
            format!(
                "<sipProfile><sipLines>{}</sipLines></sipProfile>",
                "<line/>".repeat(19_900)
            ),
        ),
    ] {
        let file = format!("<device>{inner}</device>");
        let config = DeviceConfig::read(file.as_bytes(), limits).unwrap();
        let elements = config.document().element_count();
        let (allocated, device) = peak(|| Device::try_from(&config).unwrap());
        println!("{name}, {elements} elements: a device takes {allocated} bytes");
        assert!(device.vendor_config.len() + device.lines.len() > 0);
        let most = 512 * elements + file.len() + BESIDE;
        assert!(allocated <= most, "{name}: {allocated} of {most}");
    }
}

/// Every published file and every attack.
fn corpus(limits: &Limits) {
    let (mut files, mut worst) = (0, (0.0, 0));
    for folder in ["xml/cisco", "xml/attacks"] {
        let mut folders: Vec<_> = support::corpus(folder).into_iter().collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                let (allocated, _) = peak(|| DeviceConfig::read(&bytes, limits).is_ok());
                assert!(
                    allocated <= 4 * bytes.len() + BESIDE,
                    "{}: {allocated}",
                    path.display()
                );
                files += 1;
                if bytes.len() > 8 << 10 {
                    let times = allocated as f64 / bytes.len() as f64;
                    worst = if times > worst.0 {
                        (times, bytes.len())
                    } else {
                        worst
                    };
                }
            }
        }
    }
    println!(
        "{files} files of the corpus; the worst of those above 8 KiB: {:.2}x {} bytes",
        worst.0, worst.1
    );
}
