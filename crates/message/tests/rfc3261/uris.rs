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
            // The rules of the field are those of sections 7.3.1 and 7.3.3.
            ("sip:h?priority=Urgent", "sip:h?Priority=urgent"),
            ("sip:h?s=x", "sip:h?%73ubject=%78"),
            ("sip:h?a=1&a=1&b=2", "sip:h?b=2&A=1&a=1"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(one.equivalent(&two) && two.equivalent(&one), "{one} {two}");
        }
    }

    #[test]
    fn a_uri_of_very_many_parameters_is_compared_as_any_other() {
        let text = |last: &str| format!("sip:h{}{last}", ";a".repeat(8000));
        let (one, two) = (text(";b=1"), text(";b=2"));
        let (one, two) = (Uri::parse(&one).unwrap(), Uri::parse(&two).unwrap());
        assert!(one.equivalent(&one) && !one.equivalent(&two));
        let names: Vec<_> = (0..2000).map(|at| format!(";p{at}=x")).collect();
        let (mut back, front) = (names.clone(), names);
        back.reverse();
        let (one, two) = (
            format!("sip:h{}", front.concat()),
            format!("sip:h{}", back.concat()),
        );
        let (one, two) = (Uri::parse(&one).unwrap(), Uri::parse(&two).unwrap());
        assert!(one.equivalent(&two) && one != two);
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
            ("sip:h?a=1&a=1&b=2", "sip:h?a=1&b=2&b=2"),
            ("sip:h?body=X", "sip:h?body=x"),
            ("sip:h?Call-ID=X", "sip:h?Call-ID=x"),
            ("sip:h?i=X", "sip:h?call-id=x"),
            ("sip:h?x=%22A%22", "sip:h?x=%22a%22"),
            ("sip:h?x=1", "sip:h"),
        ] {
            let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
            assert!(
                !one.equivalent(&two) && !two.equivalent(&one),
                "{one} {two}"
            );
        }
    }
}
