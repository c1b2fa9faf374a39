//! A certificate chain as a person wants to see it.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;

use crate::way::{Way, anchors_of};
use crate::{
    Anchor, CertificateSummary, Fingerprint, Sha1Fingerprint, Source, TrustStore,
    UnreadableCertificate,
};

/// A chain, end entity first, on its way from issuer to issuer, and the anchors of a store that could end it. `Display` is a tree of several
/// lines.
///
/// It shows; it does not verify. Whether a chain is good is what the verifiers say.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChainDescription {
    /// The certificates in the order they were presented.
    pub certificates: Vec<DescribedCertificate>,
    /// The way from the end entity from issuer to issuer, by name: indices into [`certificates`](Self::certificates).
    pub way: Vec<usize>,
    /// What was presented and is not on that way: certificates of others, an anchor that the store has itself, and what
    /// cannot be read.
    pub strangers: Vec<usize>,
    /// Name of the store that was asked.
    pub store: String,
    /// Anchors whose subject is the issuer of the last certificate on the way, and the one that is the end entity itself
    /// (a pin). Two with one subject are the self-signed Tomcat and CallManager trap.
    pub anchors: Vec<DescribedAnchor>,
}

/// One certificate of a chain.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DescribedCertificate {
    /// Subject, issuer, serial, validity, names; or why they cannot be read.
    pub summary: Result<CertificateSummary, UnreadableCertificate>,
    /// SHA-256 fingerprint; `None` if the provider has no SHA-256.
    pub sha256: Option<Fingerprint>,
    /// SHA-1 fingerprint, as older pages show it.
    pub sha1: Sha1Fingerprint,
}

/// One anchor that could end a chain.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DescribedAnchor {
    /// The anchor's certificate.
    pub certificate: DescribedCertificate,
    /// Where it came from.
    pub source: Source,
}

/// Describes `chain`, end entity first, against the anchors of `store`. A certificate that cannot be read is shown as
/// that, with the others.
pub fn describe(
    chain: &[CertificateDer<'_>],
    store: &TrustStore,
    provider: &CryptoProvider,
) -> ChainDescription {
    let certificates: Vec<_> = chain
        .iter()
        .map(|certificate| DescribedCertificate {
            summary: CertificateSummary::of(certificate),
            sha256: Fingerprint::sha256(certificate, provider),
            sha1: Sha1Fingerprint::of(certificate),
        })
        .collect();
    let way = way(chain, &certificates, store, provider);
    let last = way.last().and_then(|last| certificates.get(*last));
    let mut anchors: Vec<&Anchor> = last
        .and_then(|last| last.summary.as_ref().ok())
        .into_iter()
        .flat_map(|last| anchors_of(last, store))
        .collect();
    if let Some(pin) = chain.first().and_then(|end_entity| store.find(end_entity))
        && !anchors
            .iter()
            .any(|anchor| anchor.certificate() == pin.certificate())
    {
        anchors.push(pin);
    }
    ChainDescription {
        strangers: (0..chain.len())
            .filter(|index| !way.contains(index))
            .collect(),
        way,
        store: store.name().to_owned(),
        anchors: anchors
            .into_iter()
            .map(|anchor| DescribedAnchor {
                certificate: DescribedCertificate {
                    summary: Ok(anchor.summary().clone()),
                    sha256: anchor.sha256(provider),
                    sha1: anchor.sha1(),
                },
                source: anchor.source().clone(),
            })
            .collect(),
        certificates,
    }
}

/// The way over those that can be read; none begins at an end entity that cannot.
fn way(
    chain: &[CertificateDer<'_>],
    described: &[DescribedCertificate],
    store: &TrustStore,
    provider: &CryptoProvider,
) -> Vec<usize> {
    let readable: Vec<(usize, &CertificateDer<'_>, &CertificateSummary)> = chain
        .iter()
        .zip(described)
        .enumerate()
        .filter_map(|(index, (certificate, described))| {
            Some((index, certificate, described.summary.as_ref().ok()?))
        })
        .collect();
    if readable.first().is_none_or(|(index, ..)| *index > 0) {
        return Vec::new();
    }
    let certificates: Vec<_> = readable.iter().map(|(_, it, _)| *it).collect();
    let summaries: Vec<_> = readable.iter().map(|(_, _, it)| (*it).clone()).collect();
    let algorithms = provider.signature_verification_algorithms.all;
    Way::of(&certificates, &summaries, store, algorithms)
        .indices
        .into_iter()
        .filter_map(|at| readable.get(at).map(|(index, ..)| *index))
        .collect()
}

impl fmt::Display for ChainDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_the_way = self
            .way
            .iter()
            .filter_map(|index| self.certificates.get(*index));
        for (depth, certificate) in on_the_way.enumerate() {
            certificate.write(f, depth)?;
        }
        let depth = self.way.len();
        if self.anchors.is_empty() {
            let indent = "   ".repeat(depth.saturating_sub(1));
            writeln!(f, "{indent}└─ no anchor for it in {}", self.store)?;
        }
        for anchor in &self.anchors {
            anchor.certificate.write(f, depth)?;
            let indent = "   ".repeat(depth);
            writeln!(
                f,
                "{indent}anchor of {}, from {}",
                self.store, anchor.source
            )?;
        }
        for certificate in self
            .strangers
            .iter()
            .filter_map(|index| self.certificates.get(*index))
        {
            writeln!(f, "presented too, and not on that way:")?;
            certificate.write(f, 0)?;
        }
        Ok(())
    }
}

impl DescribedCertificate {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = "   ".repeat(depth);
        if depth > 0 {
            write!(f, "{}└─ ", "   ".repeat(depth - 1))?;
        }
        let summary = match &self.summary {
            Ok(summary) => summary,
            Err(error) => {
                writeln!(f, "cannot be read: {error}")?;
                return writeln!(f, "{indent}SHA-1    {}", self.sha1);
            }
        };
        writeln!(f, "{}", summary.subject())?;
        writeln!(f, "{indent}issuer   {}", summary.issuer())?;
        writeln!(f, "{indent}serial   {}", summary.serial())?;
        writeln!(
            f,
            "{indent}valid    {} to {}",
            Utc(summary.not_before()),
            Utc(summary.not_after())
        )?;
        writeln!(f, "{indent}names    {}", summary.identities())?;
        for name in summary.identities().unusable() {
            writeln!(f, "{indent}unused   {name}")?;
        }
        if let Some(fingerprint) = &self.sha256 {
            writeln!(f, "{indent}SHA-256  {fingerprint}")?;
        }
        writeln!(f, "{indent}SHA-1    {}", self.sha1)
    }
}

/// A time as `Display` writes it here: `2026-11-23 09:15:00Z`, RFC 3339 with a blank in place of the T.
///
/// ```
/// use std::time::UNIX_EPOCH;
///
/// assert_eq!(sip_oauth_trust::Utc(UNIX_EPOCH).to_string(), "1970-01-01 00:00:00Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(pub SystemTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match self.0.duration_since(UNIX_EPOCH) {
            Ok(after) => i128::from(after.as_secs()),
            Err(before) => -i128::from(before.duration().as_secs()),
        };
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Days since 1970-01-01 to a date of the Gregorian calendar. Years begin with March, so that the leap day
/// is the last of its year.
fn civil(days: i128) -> (i128, i128, i128) {
    const DAYS_IN_400_YEARS: i128 = 146_097;
    let since_march_0 = days + 719_468;
    let era = since_march_0.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = since_march_0.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_gregorian() {
        let cases = [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (951_868_799, "2000-02-29 23:59:59Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
            (253_402_300_799, "9999-12-31 23:59:59Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(
                Utc(UNIX_EPOCH + Duration::from_secs(seconds)).to_string(),
                expected
            );
        }
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Utc(before).to_string(), "1969-12-31 23:59:59Z");
    }
}
