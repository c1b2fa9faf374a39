//! The algorithms of RFC 7518 (and EdDSA of RFC 8037), by their registered names.

use std::fmt;

macro_rules! registered_names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $text, "`")] $variant,)+
        }

        impl $name {
            /// The registered name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The algorithm of this name, compared by case.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

registered_names! {
    /// Signature algorithms that can be verified (RFC 7518 section 3.1, RFC 8037 section 3.1).
    ///
    /// `none` is not among them, and cannot be.
    Algorithm {
        /// HMAC with SHA-256:
        Hs256 = "HS256",
        /// HMAC with SHA-384:
        Hs384 = "HS384",
        /// HMAC with SHA-512:
        Hs512 = "HS512",
        /// RSASSA-PKCS1-v1_5 with SHA-256, Unified CM's:
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384:
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512:
        Rs512 = "RS512",
        /// RSASSA-PSS with SHA-256:
        Ps256 = "PS256",
        /// RSASSA-PSS with SHA-384:
        Ps384 = "PS384",
        /// RSASSA-PSS with SHA-512:
        Ps512 = "PS512",
        /// ECDSA on P-256 with SHA-256:
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384:
        Es384 = "ES384",
        /// Ed25519:
        EdDsa = "EdDSA",
    }
}

registered_names! {
    /// How the content key of a JWE is found (RFC 7518 section 4.1).
    ///
    /// [`KeyManagement::Dir`] is what Unified CM uses; it, A128KW, A256KW and RSA-OAEP-256 are built in.
    /// The others are named so that they are refused by name.
    KeyManagement {
        /// The shared key is the content key:
        Dir = "dir",
        /// AES Key Wrap, 128 bits:
        A128Kw = "A128KW",
        /// AES Key Wrap, 192 bits:
        A192Kw = "A192KW",
        /// AES Key Wrap, 256 bits:
        A256Kw = "A256KW",
        /// RSAES OAEP with SHA-1:
        RsaOaep = "RSA-OAEP",
        /// RSAES OAEP with SHA-256:
        RsaOaep256 = "RSA-OAEP-256",
        /// RSAES-PKCS1-v1_5, refused for good (Bleichenbacher):
        Rsa1v5 = "RSA1_5",
        /// Elliptic curve Diffie-Hellman:
        EcdhEs = "ECDH-ES",
        /// The same with AES Key Wrap, 128 bits:
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        /// The same with AES Key Wrap, 192 bits:
        EcdhEsA192Kw = "ECDH-ES+A192KW",
        /// The same with AES Key Wrap, 256 bits:
        EcdhEsA256Kw = "ECDH-ES+A256KW",
        /// AES GCM key wrap, 128 bits:
        A128GcmKw = "A128GCMKW",
        /// AES GCM key wrap, 192 bits:
        A192GcmKw = "A192GCMKW",
        /// AES GCM key wrap, 256 bits:
        A256GcmKw = "A256GCMKW",
        /// Password based, refused for good (the sender chooses the work):
        Pbes2Hs256A128Kw = "PBES2-HS256+A128KW",
        /// Password based, refused for good:
        Pbes2Hs384A192Kw = "PBES2-HS384+A192KW",
        /// Password based, refused for good:
        Pbes2Hs512A256Kw = "PBES2-HS512+A256KW",
    }
}

registered_names! {
    /// How the content of a JWE is encrypted (RFC 7518 section 5.1).
    ContentEncryption {
        /// AES-CBC 128 with HMAC SHA-256, Unified CM's:
        A128CbcHs256 = "A128CBC-HS256",
        /// AES-CBC 192 with HMAC SHA-384, not built in:
        A192CbcHs384 = "A192CBC-HS384",
        /// AES-CBC 256 with HMAC SHA-512:
        A256CbcHs512 = "A256CBC-HS512",
        /// AES GCM, 128 bits:
        A128Gcm = "A128GCM",
        /// AES GCM, 192 bits, not built in:
        A192Gcm = "A192GCM",
        /// AES GCM, 256 bits:
        A256Gcm = "A256GCM",
    }
}

impl ContentEncryption {
    /// Length of the content key in bytes.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A192Gcm => 24,
            Self::A128CbcHs256 | Self::A256Gcm => 32,
            Self::A192CbcHs384 => 48,
            Self::A256CbcHs512 => 64,
        }
    }

    /// Whether this build can decrypt it.
    pub const fn is_built_in(self) -> bool {
        cfg!(feature = "aws-lc-rs") && !matches!(self, Self::A192CbcHs384 | Self::A192Gcm)
    }
}

impl Algorithm {
    pub(crate) const fn to_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        use jsonwebtoken::Algorithm as Theirs;
        match self {
            Self::Hs256 => Theirs::HS256,
            Self::Hs384 => Theirs::HS384,
            Self::Hs512 => Theirs::HS512,
            Self::Rs256 => Theirs::RS256,
            Self::Rs384 => Theirs::RS384,
            Self::Rs512 => Theirs::RS512,
            Self::Ps256 => Theirs::PS256,
            Self::Ps384 => Theirs::PS384,
            Self::Ps512 => Theirs::PS512,
            Self::Es256 => Theirs::ES256,
            Self::Es384 => Theirs::ES384,
            Self::EdDsa => Theirs::EdDSA,
        }
    }
}
