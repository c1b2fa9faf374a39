//! What ties the requests of one client to one registrar together: Call-ID, From tag and CSeq.

use std::fmt::Write;
use std::net::IpAddr;

use super::config::Instance;
use crate::entropy::Entropy;

/// "All registrations from a UAC SHOULD use the same Call-ID header field value for registrations sent
/// to a particular registrar", and "a UA MUST increment the CSeq value by one for each REGISTER request
/// with the same Call-ID" (RFC 3261 section 10.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Series {
    /// The node the series belongs to.
    pub(super) node: usize,
    /// The client's own address, which the Call-ID ends with.
    pub(super) local: IpAddr,
    pub(super) call_id: String,
    pub(super) from_tag: String,
    cseq: u32,
}

impl Series {
    /// A new series, in the product's form:
    ///
    /// ```text
    /// Call-ID  <8 hex>-<4 hex><4 hex>-<8 hex>-<8 hex>@<local ip>   its first 12 digits are the instance
    /// From tag <12 hex instance><12 hex>-<8 hex>
    /// ```
    pub(super) fn new(
        node: usize,
        local: IpAddr,
        instance: &Instance,
        entropy: &mut dyn Entropy,
    ) -> Self {
        let instance = instance.as_str();
        let (head, tail) = instance.split_at(8.min(instance.len()));
        let mut call_id = format!(
            "{head}-{tail}{}-{}-{}@",
            hex(entropy, 4),
            hex(entropy, 8),
            hex(entropy, 8)
        );
        match local {
            IpAddr::V4(address) => write!(call_id, "{address}"),
            IpAddr::V6(address) => write!(call_id, "[{address}]"),
        }
        .expect("writing into a String cannot fail");
        Self {
            node,
            local,
            call_id,
            from_tag: format!("{instance}{}-{}", hex(entropy, 12), hex(entropy, 8)),
            // Far below 2^31, the end of the range (RFC 3261 section 8.1.1.5).
            cseq: entropy.next_u32() % 4096,
        }
    }

    /// The number of the next request.
    pub(super) fn next_cseq(&mut self) -> u32 {
        self.cseq += 1;
        self.cseq
    }

    /// The request of the last number was never sent: the next one takes it.
    pub(super) fn give_back(&mut self) {
        self.cseq -= 1;
    }

    /// A new branch: `z9hG4bK` and 8 hexadecimal digits, as the product writes it.
    pub(super) fn branch(entropy: &mut dyn Entropy) -> String {
        format!("z9hG4bK{}", hex(entropy, 8))
    }
}

fn hex(entropy: &mut dyn Entropy, digits: usize) -> String {
    entropy.hex(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Seeded;

    #[test]
    fn call_id_and_tag_start_with_the_instance() {
        let instance = Instance::new("005056aabbcc").unwrap();
        let series = Series::new(0, [192, 0, 2, 10].into(), &instance, &mut Seeded::new(1));
        assert!(
            series.call_id.starts_with("005056aa-bbcc"),
            "{}",
            series.call_id
        );
        assert!(
            series.call_id.ends_with("@192.0.2.10"),
            "{}",
            series.call_id
        );
        assert_eq!(
            series.call_id.len(),
            "02000000-12340029-00002d1c-00001ebd@192.0.2.10".len()
        );
        assert!(
            series.from_tag.starts_with("005056aabbcc"),
            "{}",
            series.from_tag
        );
        assert_eq!(
            series.from_tag.len(),
            "0200000012340a1b00004c5d-00006e7f".len()
        );
    }

    #[test]
    fn cseq_counts_up_by_one() {
        let instance = Instance::new("005056aabbcc").unwrap();
        let mut series = Series::new(0, [192, 0, 2, 10].into(), &instance, &mut Seeded::new(1));
        let first = series.next_cseq();
        assert_eq!(series.next_cseq(), first + 1);
    }
}
