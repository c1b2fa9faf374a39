//! Session-ID: RFC 7989.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use sip_oauth_message::header::SessionId;
use sip_oauth_message::{HeaderName, Params, TypedHeader};

const LOCAL: &str = "0123456789abcdef0123456789abcdef";
const REMOTE: &str = "fedcba9876543210fedcba9876543210";
const NULL: &str = "00000000000000000000000000000000";

/// ```text
/// session-id-value = local-uuid *(SEMI sess-id-param)
/// sess-id-param    = remote-param / generic-param
/// ```
mod section_5 {
    use super::*;

    #[test]
    fn both_sides_have_a_uuid_and_the_null_one_until_it_is_known() {
        for (value, local, remote) in [
            (format!("{LOCAL};remote={NULL}"), LOCAL, Some(NULL)),
            (format!("{LOCAL} ; remote = {REMOTE}"), LOCAL, Some(REMOTE)),
            (format!("{NULL};Remote={REMOTE}"), NULL, Some(REMOTE)),
        ] {
            let id = SessionId::parse(&value).unwrap();
            assert_eq!((id.local(), id.remote()), (local, remote), "{value}");
            let written = id.to_string();
            assert_eq!(SessionId::parse(&written), Ok(id));
        }
    }

    #[test]
    fn further_parameters_are_kept() {
        let value = format!("{LOCAL};x=1;remote={REMOTE};y");
        let id = SessionId::parse(&value).unwrap();
        assert_eq!(id.remote(), Some(REMOTE));
        let params = format!(";x=1;remote={REMOTE};y");
        assert_eq!(id.params(), Params::parse(&params).unwrap());
    }

    #[test]
    fn a_uuid_is_32_hex_digits_in_lower_case() {
        let short = LOCAL.strip_prefix('0').unwrap();
        let upper = LOCAL.to_ascii_uppercase();
        let dashed = "01234567-89ab-cdef-0123-456789abcdef";
        let long = format!("{LOCAL}0");
        for uuid in [
            "",
            short,
            &upper,
            dashed,
            &long,
            "x123456789abcdef0123456789abcdef",
        ] {
            let error = SessionId::parse(uuid).unwrap_err();
            assert_eq!(
                (error.header(), error.offset()),
                (Some(HeaderName::SessionId), 0),
                "{uuid}"
            );
            let value = format!("{LOCAL};remote={uuid}");
            let error = SessionId::parse(&value).unwrap_err();
            assert_eq!(error.header(), Some(HeaderName::SessionId), "{value}");
            assert!(error.offset() >= LOCAL.len(), "{value}");
        }
        let quoted = format!("{LOCAL};remote=\"{REMOTE}\"");
        assert!(SessionId::parse(&quoted).is_err());
    }

    #[test]
    fn it_is_one_value_and_no_list() {
        let value = format!("{LOCAL},{REMOTE}");
        let error = SessionId::parse(&value).unwrap_err();
        assert_eq!(error.offset(), LOCAL.len());
    }
}

mod section_11 {
    use super::*;

    #[test]
    fn the_older_form_has_no_remote_uuid() {
        let id = SessionId::parse(LOCAL).unwrap();
        assert_eq!((id.local(), id.remote()), (LOCAL, None));
    }
}
