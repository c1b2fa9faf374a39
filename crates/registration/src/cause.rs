//! Why a device could not register, why it no longer is, and how it stands: the three lists of
//! CISCO-CCM-MIB.
//!
//! The two lists of causes are not one: 10, 11 and 13 to 18 mean different things in them.

use std::fmt;

/// Declares one list of the MIB: codes, names as the MIB writes them, and a sentence.
macro_rules! vocabulary {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $mib:literal, $sentence:literal;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $code,)+
        }

        impl $name {
            /// Every value, by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The number the MIB gives it.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value of a number; `None` for one the MIB does not define.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The name as the MIB writes it.
            pub const fn mib_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $mib,)+
                }
            }

            /// What it means, for a person.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", self.mib_name(), self.code())
            }
        }
    };
}

vocabulary! {
    /// Why a registration was refused: `CcmDevRegFailCauseCode`.
    ///
    /// ```
    /// use sip_oauth_registration::RegistrationFailure;
    ///
    /// let cause = RegistrationFailure::SecurityMismatch;
    /// assert_eq!(cause.to_string(), "securityMismatch(28)");
    /// assert_eq!(RegistrationFailure::from_code(28), Some(cause));
    /// ```
    RegistrationFailure {
        /// No error.
        NoError = 0, "noError", "no error";
        /// Cause not known.
        Unknown = 1, "unknown", "cause not known";
        /// The device is not in the database.
        NoEntryInDatabase = 2, "noEntryInDatabase", "the device is not in the database";
        /// The database record of the device is inconsistent.
        DatabaseConfigurationError = 3, "databaseConfigurationError", "the database record of the device is inconsistent";
        /// The device name cannot be resolved.
        DeviceNameUnresolveable = 4, "deviceNameUnresolveable", "the device name cannot be resolved";
        /// The node has as many registrations as it takes.
        MaxDevRegExceeded = 5, "maxDevRegExceeded", "the node has as many registrations as it takes";
        /// The connection broke during registration.
        ConnectivityError = 6, "connectivityError", "the connection broke during registration";
        /// The device could not be initialised.
        InitializationError = 7, "initializationError", "the device could not be initialised";
        /// The device reset itself.
        DeviceInitiatedReset = 8, "deviceInitiatedReset", "the device reset itself";
        /// The node reset the device.
        CallManagerReset = 9, "callManagerReset", "the node reset the device";
        /// The credentials were refused.
        AuthenticationError = 10, "authenticationError", "the credentials were refused";
        /// The certificate does not carry the expected name.
        InvalidX509NameInCertificate = 11, "invalidX509NameInCertificate", "the certificate does not carry the expected name";
        /// The TLS cipher is not allowed.
        InvalidTlsCipher = 12, "invalidTLSCipher", "the TLS cipher is not allowed";
        /// The line is not one of the device.
        DirectoryNumberMismatch = 13, "directoryNumberMismatch", "the line is not one of the device";
        /// The REGISTER could not be read.
        MalformedRegisterMsg = 14, "malformedRegisterMsg", "the REGISTER could not be read";
        /// The device speaks another protocol than configured.
        ProtocolMismatch = 15, "protocolMismatch", "the device speaks another protocol than configured";
        /// The device is not active.
        DeviceNotActive = 16, "deviceNotActive", "the device is not active";
        /// Another client is registered as this device.
        AuthenticatedDeviceAlreadyExists = 17, "authenticatedDeviceAlreadyExists", "another client is registered as this device";
        /// The protocol version is too old.
        ObsoleteProtocolVersion = 18, "obsoleteProtocolVersion", "the protocol version is too old";
        /// The database did not answer in time.
        DatabaseTimeout = 23, "databaseTimeout", "the database did not answer in time";
        /// A registration message came out of order.
        RegistrationSequenceError = 25, "registrationSequenceError", "a registration message came out of order";
        /// The capabilities are invalid.
        InvalidCapabilities = 26, "invalidCapabilities", "the capabilities are invalid";
        /// The capabilities were not sent in time.
        CapabilityResponseTimeout = 27, "capabilityResponseTimeout", "the capabilities were not sent in time";
        /// The security of the connection is not the configured one.
        SecurityMismatch = 28, "securityMismatch", "the security of the connection is not the configured one";
        /// Auto-registration failed in the database.
        AutoRegisterDbError = 29, "autoRegisterDBError", "auto-registration failed in the database";
        /// The database could not be reached.
        DbAccessError = 30, "dbAccessError", "the database could not be reached";
        /// Auto-registration took too long.
        AutoRegisterDbConfigTimeout = 31, "autoRegisterDBConfigTimeout", "auto-registration took too long";
        /// The device is of another type than configured.
        DeviceTypeMismatch = 32, "deviceTypeMismatch", "the device is of another type than configured";
        /// The device uses another IP addressing mode than configured.
        AddressingModeMismatch = 33, "addressingModeMismatch", "the device uses another IP addressing mode than configured";
    }
}

vocabulary! {
    /// Why a registration ended: `CcmDevUnregCauseCode`.
    ///
    /// ```
    /// use sip_oauth_registration::{RegistrationFailure, Unregistration};
    ///
    /// // The same number, another meaning than in the other list.
    /// assert_eq!(Unregistration::KeepAliveTimeout.code(), 13);
    /// assert_eq!(RegistrationFailure::DirectoryNumberMismatch.code(), 13);
    /// ```
    Unregistration {
        /// No error.
        NoError = 0, "noError", "no error";
        /// Cause not known.
        Unknown = 1, "unknown", "cause not known";
        /// The device is no longer in the database.
        NoEntryInDatabase = 2, "noEntryInDatabase", "the device is no longer in the database";
        /// The database record of the device is inconsistent.
        DatabaseConfigurationError = 3, "databaseConfigurationError", "the database record of the device is inconsistent";
        /// The device name cannot be resolved.
        DeviceNameUnresolveable = 4, "deviceNameUnresolveable", "the device name cannot be resolved";
        /// The node has as many registrations as it takes.
        MaxDevRegExceeded = 5, "maxDevRegExceeded", "the node has as many registrations as it takes";
        /// The connection broke.
        ConnectivityError = 6, "connectivityError", "the connection broke";
        /// The device could not be initialised.
        InitializationError = 7, "initializationError", "the device could not be initialised";
        /// The device reset itself.
        DeviceInitiatedReset = 8, "deviceInitiatedReset", "the device reset itself";
        /// The node reset the device.
        CallManagerReset = 9, "callManagerReset", "the node reset the device";
        /// The device unregistered.
        DeviceUnregistered = 10, "deviceUnregistered", "the device unregistered";
        /// A REGISTER could not be read.
        MalformedRegisterMsg = 11, "malformedRegisterMsg", "a REGISTER could not be read";
        /// An SCCP device was throttled.
        SccpDeviceThrottling = 12, "sccpDeviceThrottling", "an SCCP device was throttled";
        /// No refresh arrived before the binding expired.
        KeepAliveTimeout = 13, "keepAliveTimeout", "no refresh arrived before the binding expired";
        /// The configuration of device and node differ.
        ConfigurationMismatch = 14, "configurationMismatch", "the configuration of device and node differ";
        /// The node restarted.
        CallManagerRestart = 15, "callManagerRestart", "the node restarted";
        /// Another client registered as this device.
        DuplicateRegistration = 16, "duplicateRegistration", "another client registered as this device";
        /// A configuration was applied.
        CallManagerApplyConfig = 17, "callManagerApplyConfig", "a configuration was applied";
        /// The device did not answer.
        DeviceNoResponse = 18, "deviceNoResponse", "the device did not answer";
        /// An extension mobility user logged in or out.
        EmLoginLogout = 19, "emLoginLogout", "an extension mobility user logged in or out";
        /// An extension mobility user of another cluster logged in or out.
        EmccLoginLogout = 20, "emccLoginLogout", "an extension mobility user of another cluster logged in or out";
        /// The device went to sleep.
        EnergywisePowerSavePlus = 21, "energywisePowerSavePlus", "the device went to sleep";
        /// The node was forced to restart.
        CallManagerForcedRestart = 22, "callManagerForcedRestart", "the node was forced to restart";
        /// The device moved to another IP address.
        SourceIpAddrChanged = 23, "sourceIPAddrChanged", "the device moved to another IP address";
        /// The device moved to another port.
        SourcePortChanged = 24, "sourcePortChanged", "the device moved to another port";
        /// A registration message came out of order.
        RegistrationSequenceError = 25, "registrationSequenceError", "a registration message came out of order";
        /// The capabilities are invalid.
        InvalidCapabilities = 26, "invalidCapabilities", "the capabilities are invalid";
        /// The device went back to a better node.
        FallbackInitiated = 28, "fallbackInitiated", "the device went back to a better node";
        /// The user switched devices.
        DeviceSwitch = 29, "deviceSwitch", "the user switched devices";
    }
}

vocabulary! {
    /// How a device stands with its node: `CcmDeviceStatus`.
    DeviceStatus {
        /// State not known.
        Unknown = 1, "unknown", "state not known";
        /// Registered.
        Registered = 2, "registered", "registered";
        /// No longer registered.
        Unregistered = 3, "unregistered", "no longer registered";
        /// Registration was refused.
        Rejected = 4, "rejected", "registration was refused";
        /// Some lines are registered.
        PartiallyRegistered = 5, "partiallyregistered", "some lines are registered";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_values_are_one_to_one() {
        for &cause in RegistrationFailure::ALL {
            assert_eq!(RegistrationFailure::from_code(cause.code()), Some(cause));
        }
        for &cause in Unregistration::ALL {
            assert_eq!(Unregistration::from_code(cause.code()), Some(cause));
        }
        assert_eq!(RegistrationFailure::from_code(19), None, "not in the MIB");
        assert_eq!(Unregistration::from_code(27), None, "not in the MIB");
        assert_eq!(DeviceStatus::from_code(0), None, "not in the MIB");
    }
}
