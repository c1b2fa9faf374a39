//! RFC 6749: what a refresh token may be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod appendix_a_17 {
    use sip_oauth_token::{AccessToken, MAX_TOKEN_BYTES, RefreshToken};

    /// "refresh-token = 1*VSCHAR", "VSCHAR = %x20-7E".
    #[test]
    fn every_visible_character_and_the_space_are_taken() {
        let text: String = (0x20..=0x7e_u8).map(char::from).collect();
        assert_eq!(RefreshToken::parse(&text).unwrap().expose(), text);
        assert!(
            AccessToken::parse(&text).is_err(),
            "that one goes into a header field of SIP"
        );
    }

    #[test]
    fn what_is_not_visible_is_refused_with_its_place() {
        for (text, sentence) in [
            ("", "token: empty, expected a token"),
            ("abc\n", "token: line break at byte 3; a token is one line"),
            (
                "a\tb",
                "token: character at byte 1 that no refresh token may contain (RFC 6749 appendix A.17)",
            ),
            (
                "abc\0",
                "token: character at byte 3 that no refresh token may contain (RFC 6749 appendix A.17)",
            ),
            (
                "abc\x7f",
                "token: character at byte 3 that no refresh token may contain (RFC 6749 appendix A.17)",
            ),
            (
                "caf\u{e9}",
                "token: character at byte 3 that no refresh token may contain (RFC 6749 appendix A.17)",
            ),
        ] {
            let refused = RefreshToken::parse(text).unwrap_err();
            assert_eq!(refused.to_string(), sentence, "{text:?}");
        }
    }

    #[test]
    fn sixteen_kibibytes_are_the_limit() {
        assert!(RefreshToken::parse(&"|".repeat(MAX_TOKEN_BYTES)).is_ok());
        assert_eq!(
            RefreshToken::parse(&"|".repeat(MAX_TOKEN_BYTES + 1))
                .unwrap_err()
                .to_string(),
            "token: 16385 bytes, more than the 16384 allowed"
        );
    }
}
