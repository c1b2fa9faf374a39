//! Certificates out of PEM text, with errors where rustls-pki-types is silent.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject};

use crate::dns_name::printable;

/// Why a PEM file did not give what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The text holds no `BEGIN CERTIFICATE` section.
    #[error("PEM: expected at least one BEGIN CERTIFICATE section, found none in {bytes} bytes")]
    NoCertificate {
        /// Length of the input.
        bytes: usize,
    },
    /// The certificates are in OpenSSL's own form, which carries extra trust data.
    #[error(
        "PEM: expected BEGIN CERTIFICATE, found BEGIN TRUSTED CERTIFICATE (OpenSSL's own form); convert it with `openssl x509`"
    )]
    TrustedCertificate,
    /// A line seems to begin or end a section and does not do so as RFC 7468 §3 has it: it would be passed over, and
    /// what it holds be missing.
    #[error("PEM: line {line}: expected {expected} alone on its line, found \"{found}\"")]
    Boundary {
        /// Which line, the first is 1.
        line: usize,
        /// The line as it should be.
        expected: &'static str,
        /// As much of it as is no content.
        found: String,
    },
    /// A section is broken: missing end line, bad base64.
    #[error("PEM: section {section}: {what}")]
    Section {
        /// Which certificate section of the file, the first is 1.
        section: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// A kind of section, and the labels by which others write it.
pub(crate) struct Kind {
    begin: &'static str,
    end: &'static str,
    /// How labels end that mean it all the same, in capitals.
    endings: &'static [&'static str],
}

/// RFC 7468 §5; its `X509 CERTIFICATE` and `X.509 CERTIFICATE` are not to be taken for it.
pub(crate) const CERTIFICATE: Kind = Kind {
    begin: "-----BEGIN CERTIFICATE-----",
    end: "-----END CERTIFICATE-----",
    endings: &["CERTIFICATE"],
};

/// RFC 7468 §6.
pub(crate) const CRL: Kind = Kind {
    begin: "-----BEGIN X509 CRL-----",
    end: "-----END X509 CRL-----",
    endings: &["CRL"],
};

/// RFC 7468 §8.
pub(crate) const PKCS7: Kind = Kind {
    begin: "-----BEGIN PKCS7-----",
    end: "-----END PKCS7-----",
    endings: &["PKCS7", "PKCS #7 SIGNED DATA"],
};

/// RFC 7468 §9.
pub(crate) const CMS: Kind = Kind {
    begin: "-----BEGIN CMS-----",
    end: "-----END CMS-----",
    endings: &["CMS"],
};

/// Every certificate of a PEM text, in order. Other sections (keys, CRLs) are passed over.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let text = without_mark(text);
    let expected = sections(text, &CERTIFICATE)?;
    let mut found = Vec::new();
    for item in CertificateDer::pem_slice_iter(text) {
        match item {
            Ok(certificate) => found.push(certificate),
            Err(error) => {
                return Err(PemError::Section {
                    section: found.len() + 1,
                    what: describe(&error),
                });
            }
        }
    }
    if found.len() != expected {
        return Err(PemError::Section {
            section: found.len() + 1,
            what: "another section begins before its END line".to_owned(),
        });
    }
    if found.is_empty() {
        return Err(PemError::NoCertificate { bytes: text.len() });
    }
    Ok(found)
}

/// The text without the mark that some editors put before UTF-8.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// How many sections of this kind the text has, once it is sure that none of them is passed over by a reader that
/// takes a boundary at the start of a line only and with five hyphens.
pub(crate) fn sections(text: &[u8], kind: &Kind) -> Result<usize, PemError> {
    let (mut begins, mut ends) = (0, 0);
    for (index, line) in text.split(|octet| *octet == b'\n').enumerate() {
        for line in line.split(|octet| *octet == b'\r') {
            for boundary in boundaries(line) {
                let label = boundary.label();
                if !kind.endings.iter().any(|ending| label.ends_with(ending))
                    || label == "ATTRIBUTE CERTIFICATE"
                {
                    continue;
                }
                if label == "TRUSTED CERTIFICATE" {
                    return Err(PemError::TrustedCertificate);
                }
                let expected = if boundary.begins {
                    kind.begin
                } else {
                    kind.end
                };
                if boundary.at > 0 || !line.starts_with(expected.as_bytes()) {
                    return Err(PemError::Boundary {
                        line: index + 1,
                        expected,
                        found: boundary.shown(),
                    });
                }
                if boundary.begins {
                    begins += 1;
                } else {
                    ends += 1;
                }
            }
        }
    }
    if ends > begins {
        return Err(PemError::Section {
            section: begins + 1,
            what: "no BEGIN line".to_owned(),
        });
    }
    Ok(begins)
}

/// Something in a line that a person takes for the begin or the end of a section: the word, a label, and hyphens.
struct Boundary<'a> {
    begins: bool,
    /// Where in the line its hyphens begin.
    at: usize,
    /// From its first hyphen to its last.
    text: &'a [u8],
}

impl Boundary<'_> {
    /// In capitals, without the word before it.
    fn label(&self) -> String {
        let text = self.text.to_ascii_uppercase();
        let text = String::from_utf8_lossy(&text);
        let inside = text.trim_matches(|c: char| c == '-' || c.is_whitespace());
        let label = inside.split_once(char::is_whitespace);
        label.map_or("", |(_, label)| label.trim()).to_owned()
    }

    /// Never more than a label: the rest of the line may be a key.
    fn shown(&self) -> String {
        printable(&String::from_utf8_lossy(self.text))
    }
}

fn boundaries(line: &[u8]) -> impl Iterator<Item = Boundary<'_>> {
    // Few lines of a file have a blank, and no content has.
    let blanks = line.iter().enumerate();
    blanks
        .filter(|(_, octet)| **octet == b' ')
        .filter_map(|(blank, _)| boundary(line, blank))
}

/// The boundary whose first word ends at `blank`.
fn boundary(line: &[u8], blank: usize) -> Option<Boundary<'_>> {
    let (before, after) = line.split_at_checked(blank)?;
    let ends_with = |word: &[u8]| {
        let at = before.len().checked_sub(word.len())?;
        let found = before.get(at..)?;
        found.eq_ignore_ascii_case(word).then_some(at)
    };
    let (begins, word) = match (ends_with(b"BEGIN"), ends_with(b"END")) {
        (Some(word), _) => (true, word),
        (_, Some(word)) => (false, word),
        _ => return None,
    };
    let is_hyphen = |octet: &&u8| **octet == b'-';
    let front = line.get(..word)?.trim_ascii_end();
    let hyphens = front.iter().rev().take_while(is_hyphen).count();
    let label = after.iter().take_while(|octet| **octet != b'-').count();
    let more = after.get(label..)?.iter().take_while(is_hyphen).count();
    if hyphens + more < 2 {
        return None;
    }
    let at = if hyphens == 0 {
        word
    } else {
        front.len() - hyphens
    };
    Some(Boundary {
        begins,
        at,
        text: line.get(at..blank + label + more)?,
    })
}

/// One phrase for a section error, never quoting the section: it may be a key.
pub(crate) fn describe(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "no END line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => {
            "a BEGIN line that does not end in -----".to_owned()
        }
        pem::Error::Base64Decode(_) => "its content is not base64".to_owned(),
        pem::Error::NoItemsFound => "no such section".to_owned(),
        _ => "not readable as PEM".to_owned(),
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
