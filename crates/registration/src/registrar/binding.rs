//! Bindings (RFC 3261 section 10.3) and where they are kept.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use sip_oauth_message::TypedHeader;
use sip_oauth_message::header::{Contact, QValue};

/// The key bindings are kept under: a user at a domain, in the canonical form of RFC 3261 section 10.3
/// step 5 (no parameters, host in lower case).
///
/// For Unified CM it is the first line of the device, whichever of its lines a request names, so that
/// all registrations of a device are found, and changed, under one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressOfRecord(Arc<str>);

impl AddressOfRecord {
    /// The address-of-record of a user at a host.
    ///
    /// ```
    /// use sip_oauth_registration::registrar::AddressOfRecord;
    ///
    /// assert_eq!(AddressOfRecord::new("1010", "Example.COM").as_str(), "1010@example.com");
    /// ```
    pub fn new(user: &str, host: &str) -> Self {
        let mut text = String::with_capacity(user.len() + 1 + host.len());
        text.push_str(user);
        text.push('@');
        text.extend(host.chars().map(|c| c.to_ascii_lowercase()));
        Self(text.into())
    }

    /// The address-of-record of a line of the cluster. Lines belong to the cluster, not to a node: a
    /// device that moves to another node keeps its key.
    pub fn of_line(line: &str) -> Self {
        Self::new(line, "cluster.invalid")
    }

    /// As `user@host`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One binding: an address-of-record can be reached at this Contact until then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// The Contact header field value as it came, without `expires`. Its parameters are what the client
    /// says; who it proved to be is in [`user`](Self::user) and [`device`](Self::device).
    pub contact: String,
    /// The URI in it, by which a later request finds the binding.
    pub contact_uri: String,
    /// The line it registers: user part of To.
    pub line: String,
    /// All lines it registers; more than one after a bulk registration.
    pub lines: Vec<String>,
    /// The Call-ID of the request that made or last refreshed it.
    pub call_id: String,
    /// The CSeq number of that request.
    pub cseq: u32,
    /// When it ends unless it is refreshed.
    pub expires_at: SystemTime,
    /// The device, where the Contact names one.
    pub device: Option<String>,
    /// The instance (`+sip.instance`), where the Contact names one.
    pub instance: Option<String>,
    /// The user of the token.
    pub user: Option<String>,
    /// The node that took it.
    pub node: String,
    /// Where the request came from.
    pub peer: SocketAddr,
    /// The Path to send requests over (RFC 3327), outermost first. A node of Unified CM takes one from
    /// an Expressway-C only.
    pub path: Vec<String>,
}

impl Binding {
    /// The binding that `line` makes for this Contact, for a store that reads it back: of no device,
    /// instance, user and Path, by the request of this Call-ID and CSeq.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sip_oauth_registration::registrar::Binding;
    ///
    /// let peer = "192.0.2.10:62162".parse()?;
    /// let mut binding =
    ///     Binding::new("1010", "sip:1010@192.0.2.10", ("1@192.0.2.10", 1), SystemTime::now(), "ucm1", peer);
    /// binding.device = Some("CSFJDOE".to_owned());
    /// assert_eq!(binding.contact, "<sip:1010@192.0.2.10>");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn new(
        line: &str,
        contact_uri: &str,
        (call_id, cseq): (&str, u32),
        expires_at: SystemTime,
        node: &str,
        peer: SocketAddr,
    ) -> Self {
        Self {
            contact: format!("<{contact_uri}>"),
            contact_uri: contact_uri.to_owned(),
            line: line.to_owned(),
            lines: vec![line.to_owned()],
            call_id: call_id.to_owned(),
            cseq,
            expires_at,
            device: None,
            instance: None,
            user: None,
            node: node.to_owned(),
            peer,
            path: Vec::new(),
        }
    }

    /// The `q` of the Contact: "a relative preference for the particular Contact header field value
    /// compared to other bindings for this address-of-record" (RFC 3261 section 10.2.1.2).
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sip_oauth_registration::registrar::Binding;
    ///
    /// let peer = "192.0.2.10:62162".parse()?;
    /// let mut binding =
    ///     Binding::new("1010", "sip:1010@192.0.2.10", ("1@192.0.2.10", 1), SystemTime::now(), "ucm1", peer);
    /// assert_eq!(binding.q(), None);
    /// binding.contact = "<sip:1010@192.0.2.10>;q=0.7".to_owned();
    /// assert_eq!(binding.q().map(|q| q.thousandths()), Some(700));
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn q(&self) -> Option<QValue> {
        Contact::parse(&self.contact).ok()?.q()
    }
}

/// Which state of an address-of-record was read. A change is stored only if that state is still the
/// current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The state in which there are no bindings.
    pub const ABSENT: Self = Self(0);

    /// A version of a store; 0 is [`Version::ABSENT`].
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The bindings of one address-of-record, as read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Which state this is.
    pub version: Version,
    /// The bindings; those past their expiry may still be among them.
    pub bindings: Arc<[Binding]>,
}

impl Snapshot {
    /// No bindings.
    pub fn absent() -> Self {
        Self {
            version: Version::ABSENT,
            bindings: Arc::new([]),
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// It is stored.
    Stored,
    /// The bindings changed since they were read: read again, decide again.
    Conflict,
}

/// Where bindings are kept.
///
/// A registrar reads the bindings of one address-of-record, decides, and stores the outcome only if
/// nobody else stored anything in between. So two requests for one address-of-record that are judged at
/// the same time, on one machine or on two, cannot lose each other's change.
///
/// The methods may be called from several threads. A store that can only be asked asynchronously is
/// driven by its owner instead: see [`Registrar::begin`](super::Registrar::begin).
pub trait BindingStore {
    /// Why the store did not answer.
    type Error: std::error::Error;

    /// The bindings of an address-of-record; [`Snapshot::absent`] when there are none.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn load(&self, aor: &AddressOfRecord) -> Result<Snapshot, Self::Error>;

    /// Puts `bindings` in place of what `expected` was read as. An empty list removes the entry.
    ///
    /// # Errors
    ///
    /// When the store does not answer. A lost race is not an error but [`Swap::Conflict`].
    fn compare_and_swap(
        &self,
        aor: &AddressOfRecord,
        expected: Version,
        bindings: Vec<Binding>,
    ) -> Result<Swap, Self::Error>;

    /// Removes the bindings that ended at or before `now` and gives them back.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn expire(&self, now: SystemTime) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error>;

    /// When the next binding ends.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn next_expiry(&self) -> Result<Option<SystemTime>, Self::Error>;

    /// Removes the bindings a node took and gives them back.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn drop_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error>;

    /// Every binding of a device.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn of_device(&self, device: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error>;

    /// Every binding a node took.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    fn of_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error>;
}

/// Several registrars, the nodes of one cluster, may share one store.
impl<S: BindingStore + ?Sized> BindingStore for Arc<S> {
    type Error = S::Error;

    fn load(&self, aor: &AddressOfRecord) -> Result<Snapshot, Self::Error> {
        (**self).load(aor)
    }

    fn compare_and_swap(
        &self,
        aor: &AddressOfRecord,
        expected: Version,
        bindings: Vec<Binding>,
    ) -> Result<Swap, Self::Error> {
        (**self).compare_and_swap(aor, expected, bindings)
    }

    fn expire(&self, now: SystemTime) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error> {
        (**self).expire(now)
    }

    fn next_expiry(&self) -> Result<Option<SystemTime>, Self::Error> {
        (**self).next_expiry()
    }

    fn drop_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error> {
        (**self).drop_node(node)
    }

    fn of_device(&self, device: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error> {
        (**self).of_device(device)
    }

    fn of_node(&self, node: &str) -> Result<Vec<(AddressOfRecord, Binding)>, Self::Error> {
        (**self).of_node(node)
    }
}
