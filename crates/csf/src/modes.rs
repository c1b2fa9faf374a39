//! Elements that hold one of a few numbers.

/// Defines an enum, its number in the file, and the sentence an error shows.
macro_rules! coded {
    (
        $(#[$meta:meta])*
        $name:ident = $expected:literal {
            $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// The number that stands in the file.
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            pub(crate) const EXPECTED: &str = $expected;

            pub(crate) fn from_text(text: &str) -> Option<Self> {
                match crate::value::digits(text)?.parse::<u8>().ok()? {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

coded! {
    /// `<sipOAuthMode>`, a child of `<device>`. Missing is off: the cluster is older than the feature.
    SipOauthMode = "0 (off) or 1 (on)" {
        /// Off: security mode and transport choose the port.
        Off = 0,
        /// On: TLS to the OAuth ports, an access token in the REGISTER.
        On = 1,
    }
}

coded! {
    /// `<deviceSecurityMode>`. Missing is non-secure.
    DeviceSecurityMode = "0 (not set), 1 (non secure), 2 (authenticated) or 3 (encrypted)" {
        /// Seen as "not set"; treated as non-secure.
        NotSet = 0,
        /// No TLS.
        NonSecure = 1,
        /// TLS with the NULL cipher.
        Authenticated = 2,
        /// TLS.
        Encrypted = 3,
    }
}

impl DeviceSecurityMode {
    /// Whether signalling is on TLS.
    pub const fn is_secure(self) -> bool {
        match self {
            Self::NotSet | Self::NonSecure => false,
            Self::Authenticated | Self::Encrypted => true,
        }
    }
}

coded! {
    /// `<transportLayerProtocol>`. Missing is TCP+UDP, the product's default.
    TransportLayerProtocol = "1 (TCP), 2 (UDP), 3 (TLS) or 4 (TCP+UDP)" {
        /// TCP only.
        Tcp = 1,
        /// UDP only.
        Udp = 2,
        /// TLS.
        Tls = 3,
        /// Either, as the device likes.
        TcpUdp = 4,
    }
}

coded! {
    /// `<capfAuthMode>`: how the device proves itself when it asks for a locally significant certificate (LSC).
    CapfAuthMode = "0 (none), 1 (string), 2 (null string), 3 (LSC, then MIC) or 4 (MIC)" {
        /// No certificate operation is pending.
        None = 0,
        /// By authentication string.
        AuthenticationString = 1,
        /// By null string.
        NullString = 2,
        /// By existing certificate, LSC before MIC.
        LscThenMic = 3,
        /// By existing certificate, MIC.
        Mic = 4,
    }
}

coded! {
    /// `<phoneServices><provisioning>`: where a phone has its services from.
    PhoneServiceProvisioning = "0 (internal), 1 (external URL) or 2 (both)" {
        /// The list in the file.
        Internal = 0,
        /// The page at `servicesURL`.
        ExternalUrl = 1,
        /// Both.
        Both = 2,
    }
}

coded! {
    /// `<phoneService type="...">`: the menu a phone service stands in.
    PhoneServiceKind = "0 (services), 1 (directories) or 2 (messages)" {
        /// The services menu.
        Services = 0,
        /// The directories menu.
        Directories = 1,
        /// The messages menu.
        Messages = 2,
    }
}
