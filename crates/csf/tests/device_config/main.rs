//! Device configuration files, by the sections of what is known about them: retrieval, the OAuth elements, values,
//! reading rules, the inventory of a complete file, signed and encrypted forms.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

mod changing;
mod companions;
mod device_kinds;
mod inventory;
mod judging;
mod oauth_elements;
mod reading_rules;
mod registering_again;
mod retrieval;
mod signed_and_encrypted;
#[path = "../support/mod.rs"]
mod support;
mod values;

use sip_oauth_csf::{
    Authentication, Capf, ConfigService, ConnectedBy, Device, DeviceConfig, DeviceFile, DeviceKind,
    DeviceName, DeviceNameError, DeviceSecurityMode, Document, EdgeConfig, EditError, FileForm,
    Gateway, JabberConfig, Limits, LineSettings, Member, MraPortReading, Origin, PhoneServiceEntry,
    PhoneServiceKind, PhoneServiceProvisioning, Place, ReadErrorKind, Rule, Setting, Severity,
    SipOauthMode, TargetError, Transport, TransportLayerProtocol, VendorLevel, WriteError,
};
use support::{OAUTH_PORTS, file, jabber, member, read};
