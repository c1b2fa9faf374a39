//! What holds for the bindings whatever REGISTERs come, in whatever order.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says so by panicking"
)]

mod support;

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sip_oauth_message::{Limits, MessageView, Response};
use sip_oauth_registration::Seeded;
use sip_oauth_registration::registrar::{
    AddressOfRecord, Binding, BindingStore, DeviceLine, DeviceRecord, Registrar, RegistrarConfig,
};
use support::{LINE, NODE, on_premises, registrar_with, token_of, wall};

const MAX_BINDINGS: usize = 4;

/// Two devices that share their first line, and who owns them.
const DEVICES: [(&str, &str); 2] = [("CSFJDOE", "jdoe"), ("CSFOTHER", "other")];

/// Making a signature takes a while: one token for each user.
static TOKENS: LazyLock<[String; 2]> =
    LazyLock::new(|| DEVICES.map(|(_, user)| token_of(user, wall()).expose().to_owned()));

/// A REGISTER and the time that passes before it.
#[derive(Clone, Debug)]
struct Request {
    wait: u64,
    device: usize,
    call_id: u8,
    cseq: u32,
    /// Port, instance, `expires` of each Contact; none is a query.
    contacts: Vec<(u8, u8, Option<u8>)>,
    star: bool,
    expires: Option<u8>,
    graceful: bool,
    /// Whether the token is the other user's.
    stolen: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let expires =
        || prop_oneof![3 => Just(None), 1 => Just(Some(0)), 2 => (1..200_u8).prop_map(Some)];
    let contact = (0..4_u8, 0..2_u8, expires());
    (
        (0..80_u64, 0..2_usize, 0..3_u8, 1..9_u32),
        proptest::collection::vec(contact, 0..6),
        (any::<bool>(), expires(), any::<bool>(), any::<bool>()),
        0..8_u8,
    )
        .prop_map(
            |((wait, device, call_id, cseq), contacts, flags, rare)| Request {
                wait,
                device,
                call_id,
                cseq,
                contacts,
                star: flags.0 && rare == 0,
                expires: flags.1,
                graceful: flags.2,
                stolen: flags.3 && rare == 1,
            },
        )
}

impl Request {
    fn text(&self) -> String {
        let device = DEVICES[self.device].0;
        let mut lines: Vec<String> = self
            .contacts
            .iter()
            .map(|(port, instance, expires)| {
                let expires = expires.map_or(String::new(), |left| format!(";expires={left}"));
                format!(
                    "Contact: <sip:guid@192.0.2.10:6000{port}>;+sip.instance=\"<urn:uuid:{instance}>\"\
                     ;+u.sip!devicename.ccm.cisco.com=\"{device}\"{expires}\r\n"
                )
            })
            .collect();
        if self.star {
            lines = vec!["Contact: *\r\n".to_owned()];
        }
        if let Some(expires) = self.expires {
            lines.push(format!("Expires: {expires}\r\n"));
        }
        if self.graceful {
            lines.push("Supported: X-cisco-graceful-reg\r\n".to_owned());
        }
        let token = &TOKENS[if self.stolen {
            1 - self.device
        } else {
            self.device
        }];
        format!(
            "REGISTER sip:{NODE} SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10:62162;branch=z9hG4bK1\r\n\
             From: <sip:{LINE}@{NODE}>;tag=1\r\nTo: <sip:{LINE}@{NODE}>\r\nCall-ID: {}-{}\r\n\
             Max-Forwards: 70\r\nCSeq: {} REGISTER\r\n{}\
             Proxy-Authorization: Bearer token=\"{token}\"\r\nContent-Length: 0\r\n\r\n",
            self.device,
            self.call_id,
            self.cseq,
            lines.concat()
        )
    }
}

fn two_devices() -> Registrar {
    let mut config = RegistrarConfig::unified_cm(NODE);
    config.max_bindings = MAX_BINDINGS;
    config.expires.min = Duration::from_secs(10);
    let registrar = registrar_with(config);
    registrar.database().edit(|cluster| {
        for (device, user) in DEVICES {
            let record = DeviceRecord::csf(device, "oauth", user, [DeviceLine::new(LINE)]);
            cluster.put_device(record).unwrap();
        }
    });
    registrar
}

fn bound(registrar: &Registrar, now: SystemTime) -> Vec<Binding> {
    let aor = AddressOfRecord::of_line(LINE);
    let snapshot = registrar.store().load(&aor).unwrap();
    let alive = snapshot
        .bindings
        .iter()
        .filter(|binding| binding.expires_at > now);
    alive.cloned().collect()
}

fn of(bindings: &[Binding], device: usize) -> Vec<&Binding> {
    let name = DEVICES[device].0;
    let own = bindings
        .iter()
        .filter(|binding| binding.device.as_deref() == Some(name));
    own.collect()
}

fn answer(registrar: &Registrar, request: &Request, now: SystemTime) -> Response {
    let text = request.text();
    let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
    let answer = registrar.handle(&on_premises(), &view, now, &mut Seeded::new(1));
    answer.response.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_refusal_changes_nothing_and_a_device_changes_its_own(
        requests in proptest::collection::vec(request(), 1..25),
    ) {
        let registrar = two_devices();
        let mut now = wall();
        for request in requests {
            now += Duration::from_secs(request.wait);
            let before = bound(&registrar, now);
            let status = answer(&registrar, &request, now).status.as_u16();
            let after = bound(&registrar, now);
            let other = 1 - request.device;
            prop_assert_eq!(of(&before, other), of(&after, other), "{:?}", request);
            prop_assert!(of(&after, request.device).len() <= MAX_BINDINGS);
            prop_assert!(status != 200 || !request.stolen);
            if status != 200 {
                prop_assert_eq!(&before, &after, "{} {:?}", status, request);
            }
        }
    }

    #[test]
    fn what_is_older_than_a_binding_of_its_call_id_changes_nothing(
        requests in proptest::collection::vec(request(), 1..25),
    ) {
        let registrar = two_devices();
        let mut now = wall();
        for request in requests {
            now += Duration::from_secs(request.wait);
            let before = bound(&registrar, now);
            let _ = answer(&registrar, &request, now);
            let after = bound(&registrar, now);
            let call_id = format!("{}-{}", request.device, request.call_id);
            for binding in before.iter().filter(|binding| binding.call_id == call_id) {
                if request.cseq <= binding.cseq {
                    prop_assert!(after.contains(binding), "{:?}\n{:#?}", request, after);
                }
            }
        }
    }
}
