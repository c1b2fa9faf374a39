//! Section 19.1.4: when two URIs are the same.

use sip_oauth_message::Uri;

mod section_19_1_4 {
    use super::*;

    #[test]
    fn equivalent_uris() {
        for (one, two) in [
            (
                "sip:%61lice@atlanta.example.com;transport=TCP",
                "sip:alice@AtLanTa.Example.CoM;Transport=tcp",
            ),
            (
                "sip:carol@chicago.example.com",
                "sip:carol@chicago.example.com;newparam=5",
            ),
            (
                "sip:carol@chicago.example.com;security=on",
                "sip:carol@chicago.example.com;newparam=5",
            ),
            (
                "sip:b@example.com;transport=tcp?priority=urgent&to=sip:a%40example.com",
                "sip:b@example.com;transport=tcp?to=sip:a%40example.com&priority=urgent",
            ),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
            ("tel:+1-201-555-0123", "tel:+12015550123"),
            ("sip:h;x=1;x=2", "sip:h;x=2;x=1"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(one.equivalent(&two) && two.equivalent(&one), "{one} {two}");
        }
    }

    #[test]
    fn a_uri_of_very_many_parameters_is_compared_as_text() {
        let text = |last: &str| format!("sip:h{}{last}", ";a".repeat(8000));
        let (one, two) = (text(";b=1"), text(";b=2"));
        let (one, two) = (Uri::parse(&one).unwrap(), Uri::parse(&two).unwrap());
        assert!(one.equivalent(&one) && !one.equivalent(&two));
    }

    #[test]
    fn different_uris() {
        for (one, two) in [
            ("sip:h", "sip:h;%75ser=phone"),
            ("sip:ALICE@example.com", "sip:alice@example.com"),
            ("sip:bob@example.com", "sip:bob@example.com:5060"),
            ("sip:bob@example.com", "sip:bob@example.com;transport=udp"),
            ("sip:bob@example.com", "sips:bob@example.com"),
            ("sip:bob@example.com", "sip:bob@example.com;maddr=192.0.2.1"),
            (
                "sip:carol@example.com;newparam=5",
                "sip:carol@example.com;newparam=6",
            ),
            (
                "sip:carol@example.com",
                "sip:carol@example.com?Subject=next%20meeting",
            ),
            ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
            ("sip:a@192.0.2.1", "sip:a@pc.example.com"),
            ("sip:example.com", "sip:a@example.com"),
            ("tel:+1-201-555-0123", "tel:+1-201-555-0124"),
            ("urn:service:sos", "urn:service:test"),
            ("sip:h;x=1;x=2", "sip:h;x=1;x=3"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(
                !one.equivalent(&two) && !two.equivalent(&one),
                "{one} {two}"
            );
        }
    }
}
