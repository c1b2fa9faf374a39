//! Where a request arrived: the part of a decision that is not in the message.

use std::fmt;
use std::net::SocketAddr;

use sip_oauth_token::{AccessToken, VerifiedToken};
use sip_oauth_trust::Identities;

/// The listeners of a Unified CM node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    /// SIP Phone OAuth Port, 5090: TLS, no client certificate.
    SipOAuth,
    /// SIP Mobile and Remote Access Port, 5091: mutual TLS, the peer is an Expressway-C.
    SipMraOAuth,
    /// SIP Phone Port, 5060: TCP.
    Sip,
    /// SIP Phone Secure Port, 5061: mutual TLS with the certificate of the phone.
    SipSecure,
}

impl Listener {
    /// The four, in the order of the administrator's page.
    pub const ALL: [Self; 4] = [
        Self::Sip,
        Self::SipSecure,
        Self::SipOAuth,
        Self::SipMraOAuth,
    ];

    /// Whether the connection is protected by TLS.
    pub const fn is_tls(self) -> bool {
        match self {
            Self::SipOAuth | Self::SipMraOAuth | Self::SipSecure => true,
            Self::Sip => false,
        }
    }

    /// Whether it is opened by the cluster's SIP OAuth mode.
    pub const fn is_oauth(self) -> bool {
        match self {
            Self::SipOAuth | Self::SipMraOAuth => true,
            Self::Sip | Self::SipSecure => false,
        }
    }

    /// Whether the peer must show a certificate.
    pub const fn wants_client_certificate(self) -> bool {
        match self {
            Self::SipMraOAuth | Self::SipSecure => true,
            Self::SipOAuth | Self::Sip => false,
        }
    }

    /// The label of the port on the administrator's page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SipOAuth => "SIP Phone OAuth Port",
            Self::SipMraOAuth => "SIP Mobile and Remote Access Port",
            Self::Sip => "SIP Phone Port",
            Self::SipSecure => "SIP Phone Secure Port",
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Who the TLS layer found at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PeerIdentity {
    /// The names of the certificate: CN and DNS names, as presented.
    pub names: Vec<String>,
    /// The row of the allowed Expressway-C names that let it in, by its host name or address.
    pub allowed_by: Option<String>,
}

impl PeerIdentity {
    /// A peer with these names, let in by no row.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            allowed_by: None,
        }
    }

    /// The peer that showed a certificate with these identities, let in by no row.
    ///
    /// A name with a comma, semicolon or blank in it is a name like others: each is compared as a whole. Only in the one
    /// string of a row would it be several
    /// ([`Identities::names_for_table`](sip_oauth_trust::Identities::names_for_table)).
    ///
    /// ```
    /// use sip_oauth_registration::registrar::{Cluster, PeerIdentity};
    /// use sip_oauth_trust::Identities;
    ///
    /// fn identify(identities: &Identities, cluster: &Cluster) -> PeerIdentity {
    ///     let peer = PeerIdentity::of(identities);
    ///     match cluster.allowed_names().check(identities) {
    ///         Ok(found) => peer.allowed_by(&found.row),
    ///         Err(_) => peer,
    ///     }
    /// }
    /// ```
    pub fn of(identities: &Identities) -> Self {
        let names = identities.common_names().iter();
        Self::new(names.chain(identities.dns_names()))
    }

    /// The same peer, let in by the row of this host name or address.
    #[must_use]
    pub fn allowed_by(mut self, row: &str) -> Self {
        self.allowed_by = Some(row.to_owned());
        self
    }
}

/// How a request reached the registrar.
///
/// ```
/// use sip_oauth_registration::registrar::{Arrival, Listener, PeerIdentity};
///
/// let on_premises = Arrival::new(Listener::SipOAuth, 5090, "192.0.2.10:50000".parse()?);
/// assert!(on_premises.peer_identity.is_none());
///
/// let edge = PeerIdentity::new(["expc.example.com"]).allowed_by("expc.example.com");
/// let mra = Arrival::new(Listener::SipMraOAuth, 5091, "192.0.2.20:25000".parse()?).with_peer_identity(edge);
/// assert!(mra.peer_identity.is_some());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrival {
    /// Which listener took the connection.
    pub listener: Listener,
    /// The port of that listener.
    pub local_port: u16,
    /// The address of the peer.
    pub peer: SocketAddr,
    /// Who the peer proved to be by its certificate, where it showed one.
    pub peer_identity: Option<PeerIdentity>,
    /// A token of the request that was judged before the request is.
    judged: Option<(AccessToken, VerifiedToken)>,
}

impl Arrival {
    /// A request of a peer that showed no certificate.
    pub const fn new(listener: Listener, local_port: u16, peer: SocketAddr) -> Self {
        Self {
            listener,
            local_port,
            peer,
            peer_identity: None,
            judged: None,
        }
    }

    /// The same, with the identity the TLS layer verified.
    #[must_use]
    pub fn with_peer_identity(mut self, identity: PeerIdentity) -> Self {
        self.peer_identity = Some(identity);
        self
    }

    /// The same for one request with a token that the registrar's verifier has accepted by now: it is not judged
    /// again, which need not find what the authorization server said of it a moment ago.
    #[must_use]
    pub fn with_judged_token(mut self, token: AccessToken, judged: VerifiedToken) -> Self {
        self.judged = Some((token, judged));
        self
    }

    /// The verdict on the token with this text, if it came along.
    pub(super) fn judged_token(&self, text: &str) -> Option<&VerifiedToken> {
        let (token, judged) = self.judged.as_ref()?;
        // Compared as secrets are, in constant time.
        (AccessToken::parse(text).ok()? == *token).then_some(judged)
    }
}
