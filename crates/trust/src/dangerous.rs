//! Checks weaker than the standards, for estates that cannot be changed today.

use crate::rule::dns_id_matches;
use crate::{Identities, Matched, NameMismatch, PresentedName, ReferenceIdentity, Rule};

/// As [`Rule::Rfc9525`], and when the certificate has no dNSName, iPAddress, URI or otherName (such as an SRV-ID) at all,
/// the CN counts (RFC 6125 §6.4.4, withdrawn by RFC 9525 §2).
///
/// Of several CNs the last, most specific one counts.
///
/// A CN is free text that no CA constrains to DNS names and that name constraints do not reach, hence
/// the name of this module.
///
/// # Errors
///
/// As [`Rule::matches`]; the CNs are then among the presented names.
pub fn common_name_fallback(
    reference: &ReferenceIdentity,
    identities: &Identities,
) -> Result<Matched, NameMismatch> {
    let mismatch = match Rule::Rfc9525.matches(reference, identities) {
        Ok(matched) => return Ok(matched),
        Err(mismatch) => mismatch,
    };
    if !identities.dns_names().is_empty()
        || !identities.ip_addresses().is_empty()
        || !identities.uris().is_empty()
        || identities.has_other_name()
    {
        return Err(mismatch);
    }
    let common_names = identities.common_names();
    // A certificate whose only entry of these is unusable has one all the same, and one with a CN that
    // two readers may read differently has none that counts.
    let hidden = !identities.unusable().is_empty();
    let found = common_names
        .last()
        .filter(|name| !hidden && is_same(reference, name));
    match found {
        Some(name) => Ok(Matched {
            rule: Rule::Rfc9525,
            presented: PresentedName::CommonName(name.clone()),
        }),
        None => Err(NameMismatch {
            presented: common_names
                .iter()
                .cloned()
                .map(PresentedName::CommonName)
                .collect(),
            unusable: identities.unusable().to_vec(),
            ..mismatch
        }),
    }
}

fn is_same(reference: &ReferenceIdentity, common_name: &str) -> bool {
    match reference {
        ReferenceIdentity::Dns(expected) => dns_id_matches(expected.as_str(), common_name),
        ReferenceIdentity::Ip(expected) => common_name.parse() == Ok(*expected),
    }
}
