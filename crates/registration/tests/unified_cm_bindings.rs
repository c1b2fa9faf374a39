//! What a node of Unified CM binds: for how long, by which Path, and for which of several clients.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that fails says so by panicking, one that is skipped by printing"
)]

mod support;

use std::time::Duration;

use sip_oauth_message::{Limits, MessageView};
use sip_oauth_registration::registrar::{
    AddressOfRecord, Arrival, BindingStore, Decision, DeviceLine, DeviceRecord, Listener,
    PeerIdentity, Registrar, RegistrarConfig,
};
use sip_oauth_registration::{Refusal, Seeded, Unregistration};
use support::{
    DEVICE, LINE, NODE, USER, ask, contact_line, credentials_line, local, on_premises, register,
    registrar, registrar_with, response, wall,
};

mod contacts_of_the_answer {
    use super::*;

    fn contacts(registrar: &Registrar, cseq: u32, lines: &str) -> Vec<String> {
        let lines = format!("{lines}{}", credentials_line(USER));
        let answer = response(ask(registrar, &on_premises(), &register(cseq, &lines)));
        assert_eq!(answer.status.as_u16(), 200);
        let contacts = answer.headers.get_all("Contact");
        contacts.map(str::to_owned).collect()
    }

    #[test]
    fn an_expiry_asked_for_in_the_contact_is_answered_there() {
        let written = contact_line().trim_end().replace("Contact: ", "");
        let asked = format!("Contact: {written};expires=600;x-cisco-newreg\n");
        let registrar = registrar();
        assert_eq!(
            contacts(&registrar, 1, &asked),
            [format!("{written};expires=120;x-cisco-newreg")]
        );
        assert_eq!(
            contacts(&registrar, 2, &asked),
            [format!("{written};expires=120")],
            "that the registration is new is not the client's to say"
        );
    }

    #[test]
    fn what_was_removed_is_not_listed() {
        let other = contact_line().replace(":62162", ":62163");
        let registrar = registrar();
        contacts(&registrar, 1, &format!("{}{other}", contact_line()));
        let removing = format!(
            "{}{}",
            contact_line(),
            other.replace(";video", ";expires=0")
        );
        let listed = contacts(&registrar, 2, &removing);
        assert_eq!(listed.len(), 1);
        assert!(listed[0].contains(":62162"), "{listed:?}");
    }

    #[test]
    fn a_request_without_contact_lists_what_is_bound() {
        let registrar = registrar();
        assert_eq!(contacts(&registrar, 1, ""), [""; 0]);
        contacts(&registrar, 2, &contact_line());
        let written = contact_line().trim_end().replace("Contact: ", "");
        assert_eq!(
            contacts(&registrar, 3, ""),
            [format!("{written};expires=120")]
        );
    }
}

/// What is granted: the service parameter SIP Station KeepAlive Interval for stations, Timer Register Expires of the SIP
/// profile for dual-mode clients.
mod expires {
    use super::*;
    use sip_oauth_registration::registrar::DeviceKind;

    #[test]
    fn follows_the_kind_of_device_and_never_exceeds_what_was_asked() {
        let dual = |seconds| DeviceKind::DualMode {
            timer_register_expires: seconds,
        };
        for (name, kind, asked, granted) in [
            ("CSFJDOE", DeviceKind::Station, Some(3600), 120),
            ("CSFJDOE", DeviceKind::Station, Some(60), 60),
            ("CSFJDOE", DeviceKind::Station, None, 120),
            ("TCTJDOE", dual(720), Some(3600), 720),
            ("BOTJDOE", dual(3600), Some(3600), 3600),
            ("BOTJDOE", dual(3600), Some(600), 600),
            ("BOTJDOE", dual(60), Some(3600), 60),
            ("BOTJDOE", dual(720), None, 720),
            ("BOTJDOE", dual(60), None, 60),
        ] {
            let registrar = registrar();
            registrar.database().edit(|cluster| {
                let lines = [DeviceLine::new(LINE)];
                let mut device = DeviceRecord::csf(name, "oauth", USER, lines);
                device.kind = kind;
                cluster.put_device(device).unwrap();
            });
            let asks = asked.map_or(String::new(), |asked: u32| format!("Expires: {asked}\n"));
            let contact = contact_line().replace(DEVICE, name);
            let lines = format!("{contact}{}{asks}", credentials_line(USER));
            let answer = ask(&registrar, &on_premises(), &register(1, &lines));
            let answer = response(answer);
            let told = answer.headers.get("Expires").map(str::to_owned);
            assert_eq!(told, Some(granted.to_string()), "{name} {kind:?} {asked:?}");
            let bound = &registrar.store().of_device(name).unwrap()[0].1;
            let lasts = bound.expires_at.duration_since(wall()).unwrap();
            assert_eq!(lasts.as_secs(), granted, "{name} {kind:?} {asked:?}");
        }
    }
}

/// RFC 3327 section 5.3: "the registrar … returns the Path in the response" to a client that says it understands it.
mod rfc3327 {
    use super::*;

    #[test]
    fn section_5_3_path_is_stored_and_given_back_where_it_is_understood() {
        let edge = PeerIdentity::new(["expc.example.com"]).allowed_by("expc.example.com");
        let arrival = Arrival::new(Listener::SipMraOAuth, 5091, local()).with_peer_identity(edge);
        let path = "<sip:expc.example.com:5061;transport=tls;lr>";
        for (supported, given_back) in [("", None), ("Supported: path\n", Some(path))] {
            let registrar = registrar();
            let lines = format!(
                "Path: {path}\n{supported}{}{}",
                contact_line(),
                credentials_line(USER)
            );
            let answer = response(ask(&registrar, &arrival, &register(1, &lines)));
            assert_eq!(answer.headers.get("Path"), given_back);
            assert_eq!(
                registrar.store().of_device(DEVICE).unwrap()[0].1.path,
                [path]
            );
        }
    }
}

mod what_the_client_says {
    use super::*;

    #[test]
    fn a_path_is_taken_from_an_expressway_c_only() {
        let edge = PeerIdentity::new(["expc.example.com"]).allowed_by("expc.example.com");
        let through_edge =
            Arrival::new(Listener::SipMraOAuth, 5091, local()).with_peer_identity(edge);
        for (arrival, expected) in [(on_premises(), 0), (through_edge, 1)] {
            let registrar = registrar();
            let path = "Path: <sip:expc.example.com:5061;transport=tls;lr>\n";
            let lines = format!("{path}{}{}", contact_line(), credentials_line(USER));
            ask(&registrar, &arrival, &register(1, &lines));
            let bound = registrar.store().of_device(DEVICE).unwrap();
            assert_eq!(bound[0].1.path.len(), expected, "{}", arrival.listener);
        }
    }

    #[test]
    fn does_not_end_a_line_of_the_log() {
        let text = register(1, &format!("{}{}", contact_line(), credentials_line(USER)));
        let text = text.replace(&format!("To: <sip:{LINE}@"), "To: <sip:1%0d%0a2@");
        let said = ask(&registrar(), &on_premises(), &text)
            .observation
            .to_string();
        assert!(said.contains("line 1\\r\\n2 "), "{said}");
    }
}

mod ownership {
    use super::*;

    const GRACEFUL: &str = "Supported: X-cisco-graceful-reg\n";

    fn from_instance(cseq: u32, instance: &str, port: u16, more: &str) -> String {
        let contact = contact_line()
            .replace("005056aabbcc", instance)
            .replace(":62162", &format!(":{port}"));
        register(cseq, &format!("{contact}{}{more}", credentials_line(USER)))
            .replace("Call-ID: 1@", &format!("Call-ID: {instance}@"))
    }

    #[test]
    fn a_device_in_use_is_taken_over_by_force_only() {
        let registrar = registrar();
        let ask = |text: String| ask(&registrar, &on_premises(), &text);
        assert_eq!(
            response(ask(from_instance(1, "005056aabbcc", 62162, GRACEFUL)))
                .status
                .as_u16(),
            200
        );
        let second = ask(from_instance(1, "005056ddeeff", 50000, GRACEFUL));
        assert_eq!(second.observation.refusal(), Some(Refusal::ActiveElsewhere));
        let warning = response(second).headers.get("Warning").map(str::to_owned);
        assert_eq!(
            warning.as_deref(),
            Some("399 ucm1.example.com \"Registration is active for another client\"")
        );

        let forced = format!(
            "{GRACEFUL}Reason: SIP;cause=200;text=\"cisco-alarm:111 Name={DEVICE} ActiveLoad=x InactiveLoad=x \
             Last=Application-Requested-Destroy\"\n"
        );
        assert_eq!(
            response(ask(from_instance(2, "005056ddeeff", 50000, &forced)))
                .status
                .as_u16(),
            200
        );
        let first_again = ask(from_instance(2, "005056aabbcc", 62162, GRACEFUL));
        assert_eq!(
            first_again.observation.refusal(),
            Some(Refusal::ActiveElsewhere),
            "no ping-pong"
        );
    }

    /// Who lost a device did not ask to be unregistered: it is told like any registration that ends.
    #[test]
    fn the_registration_that_is_taken_over_has_ended() {
        let registrar = registrar();
        let ask = |text: String| ask(&registrar, &on_premises(), &text);
        assert_eq!(
            ask(from_instance(1, "005056aabbcc", 62162, "")).ended,
            Vec::new()
        );
        let refused = ask(from_instance(1, "005056ddeeff", 50000, GRACEFUL));
        assert_eq!(refused.ended, Vec::new(), "a refusal ends nothing");
        let ended = ask(from_instance(2, "005056ddeeff", 50000, "")).ended;
        let [lost] = ended.as_slice() else {
            panic!("{ended:?}")
        };
        assert_eq!(lost.cause, Unregistration::DuplicateRegistration);
        assert_eq!(lost.aor, AddressOfRecord::of_line(LINE));
        assert!(lost.binding.contact_uri.contains(":62162"));
        let moved = ask(from_instance(3, "005056ddeeff", 50001, ""));
        assert_eq!(moved.ended, Vec::new(), "who moves asks for it");
        let gone = ask(from_instance(4, "005056ddeeff", 50001, "Expires: 0\n"));
        assert_eq!(gone.ended, Vec::new(), "who leaves asks for it");
    }

    /// A request may come between the end of a binding and the timer that looks for it.
    #[test]
    fn a_registration_that_a_request_finds_over_has_ended() {
        let registrar = registrar();
        let ask = |cseq, at| {
            let text = from_instance(cseq, "005056aabbcc", 62162, "").replace('\n', "\r\n");
            let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
            registrar.handle(&on_premises(), &view, at, &mut Seeded::new(1))
        };
        ask(1, wall());
        let late = ask(2, wall() + Duration::from_secs(120));
        assert!(matches!(
            late.observation.decision,
            Decision::Registered { .. }
        ));
        let [over] = late.ended.as_slice() else {
            panic!("{:?}", late.ended)
        };
        assert_eq!(over.cause, Unregistration::KeepAliveTimeout);
        assert_eq!(over.binding.cseq, 1);
        let again = registrar.expire(wall() + Duration::from_secs(121)).unwrap();
        assert_eq!(again, Vec::new(), "told once");
    }

    #[test]
    fn the_same_client_from_a_new_port_replaces_itself() {
        let registrar = registrar();
        let ask = |text: String| ask(&registrar, &on_premises(), &text);
        assert_eq!(
            response(ask(from_instance(1, "005056aabbcc", 62162, GRACEFUL)))
                .status
                .as_u16(),
            200
        );
        assert_eq!(
            response(ask(from_instance(2, "005056aabbcc", 62163, GRACEFUL)))
                .status
                .as_u16(),
            200
        );
        let bindings = registrar.store().of_device(DEVICE).unwrap();
        assert_eq!(bindings.len(), 1);
        assert!(bindings[0].1.contact_uri.contains(":62163"));
    }

    #[test]
    fn a_request_sent_before_the_client_moved_and_arriving_after_changes_nothing() {
        let registrar = registrar();
        let ask = |text: String| ask(&registrar, &on_premises(), &text);
        for (cseq, port) in [(1, 62162), (3, 62163)] {
            let answer = ask(from_instance(cseq, "005056aabbcc", port, ""));
            assert_eq!(response(answer).status.as_u16(), 200);
        }
        let late = ask(from_instance(2, "005056aabbcc", 62162, ""));
        assert_eq!(late.observation.refusal(), Some(Refusal::OutOfOrder));
        let bindings = registrar.store().of_device(DEVICE).unwrap();
        assert_eq!(bindings.len(), 1);
        assert!(bindings[0].1.contact_uri.contains(":62163"));
    }

    #[test]
    fn several_contacts_of_one_request_are_all_bound() {
        let registrar = registrar();
        let second = contact_line().replace(":62162", ":62163");
        let lines = format!("{}{second}{}", contact_line(), credentials_line(USER));
        let answer = ask(&registrar, &on_premises(), &register(1, &lines));
        assert_eq!(response(answer).headers.get_all("Contact").count(), 2);
        assert_eq!(registrar.store().of_device(DEVICE).unwrap().len(), 2);
    }

    #[test]
    fn of_two_devices_with_one_first_line_neither_touches_the_binding_of_the_other() {
        let registrar = registrar();
        registrar.database().edit(|cluster| {
            let shared = [DeviceLine::new(LINE)];
            let record = DeviceRecord::csf("CSFMALLORY", "oauth", "mallory", shared);
            cluster.put_device(record).unwrap();
        });
        let ask = |cseq: u32, device: &str, user: &str, more: &str| {
            let contact = contact_line().replace(DEVICE, device);
            let lines = format!("{contact}{}{more}", credentials_line(user));
            let text =
                register(cseq, &lines).replace("Call-ID: 1@", &format!("Call-ID: {device}@"));
            ask(&registrar, &on_premises(), &text).observation.decision
        };
        assert!(matches!(
            ask(1, DEVICE, USER, ""),
            Decision::Registered { .. }
        ));
        for (cseq, more) in [(1, "Expires: 0\n"), (2, "")] {
            ask(cseq, "CSFMALLORY", "mallory", more);
            let own = registrar.store().of_device(DEVICE).unwrap();
            assert_eq!(own.len(), 1, "{more}");
            assert_eq!(own[0].1.user.as_deref(), Some(USER), "{more}");
        }
    }

    /// The bindings of another device are not its own, though they stand under one address-of-record.
    #[test]
    fn of_two_devices_with_one_first_line_neither_uses_up_the_bindings_of_the_other() {
        let mut config = RegistrarConfig::unified_cm(NODE);
        config.max_bindings = 1;
        let registrar = registrar_with(config);
        registrar.database().edit(|cluster| {
            let shared = [DeviceLine::new(LINE)];
            let record = DeviceRecord::csf("CSFOTHER", "oauth", USER, shared);
            cluster.put_device(record).unwrap();
        });
        for device in [DEVICE, "CSFOTHER"] {
            let contact = contact_line().replace(DEVICE, device);
            let text = register(1, &format!("{contact}{}", credentials_line(USER)))
                .replace("Call-ID: 1@", &format!("Call-ID: {device}@"));
            let answer = ask(&registrar, &on_premises(), &text);
            assert_eq!(response(answer).status.as_u16(), 200, "{device}");
        }
    }
}
