//! RFC 6750: the text of a bearer token, and the errors that answer one.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

use sip_oauth_token::{AccessToken, BearerError, MAX_TOKEN_BYTES, TokenErrorKind, inspect};

mod section_2_1 {
    use super::*;

    /// Text, sentence of refusal.
    const REFUSED: &[(&str, &str)] = &[
        ("", "token: empty, expected a token"),
        ("abc\n", "token: line break at byte 3; a token is one line"),
        (
            "abc\r\n",
            "token: line break at byte 3; a token is one line",
        ),
        ("ab\ncd", "token: line break at byte 2; a token is one line"),
        (" abc", "token: blank at byte 0; a token is one word"),
        ("abc\t", "token: blank at byte 3; a token is one word"),
        ("Bearer abc", "token: blank at byte 6; a token is one word"),
        (
            "\"abc\"",
            "token: character at byte 0 that no token may contain (RFC 6750 section 2.1)",
        ),
        (
            "abc,def",
            "token: character at byte 3 that no token may contain (RFC 6750 section 2.1)",
        ),
        (
            "a=b",
            "token: character at byte 1 that no token may contain (RFC 6750 section 2.1)",
        ),
        (
            "===",
            "token: character at byte 0 that no token may contain (RFC 6750 section 2.1)",
        ),
        (
            "caf\u{e9}",
            "token: character at byte 3 that no token may contain (RFC 6750 section 2.1)",
        ),
        (
            "abc\0",
            "token: character at byte 3 that no token may contain (RFC 6750 section 2.1)",
        ),
    ];

    #[test]
    fn text_outside_b64token_is_refused_with_its_place() {
        for (text, sentence) in REFUSED {
            assert_eq!(
                AccessToken::parse(text).unwrap_err().to_string(),
                *sentence,
                "{text:?}"
            );
        }
    }

    #[test]
    fn every_character_of_b64token_is_taken() {
        let text = "ABCXYZabcxyz0189-._~+/==";
        assert_eq!(AccessToken::parse(text).unwrap().expose(), text);
    }

    #[test]
    fn sixteen_kibibytes_are_the_limit() {
        assert!(AccessToken::parse(&"a".repeat(MAX_TOKEN_BYTES)).is_ok());
        let refused = AccessToken::parse(&"a".repeat(MAX_TOKEN_BYTES + 1)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "token: 16385 bytes, more than the 16384 allowed"
        );
    }

    #[test]
    fn equal_means_the_same_text() {
        let token = |text| AccessToken::parse(text).unwrap();
        assert_eq!(token("abc"), token("abc"));
        assert_ne!(token("abc"), token("abd"));
        assert_ne!(token("abc"), token("abcd"));
    }
}

mod section_3_1 {
    use super::*;

    #[test]
    fn a_bad_token_is_invalid_token() {
        let refused = inspect("a b").unwrap_err();
        assert_eq!(refused.kind(), &TokenErrorKind::Blank { at: 1 });
        assert_eq!(refused.error_code(), BearerError::InvalidToken);
        assert_eq!(refused.error_code().as_str(), "invalid_token");
    }
}
