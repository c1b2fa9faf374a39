//! One file of each kind of device SIP OAuth mode is for: its name, where it leads, what is found in it.

use super::*;

#[test]
fn a_file_of_each_kind_of_device_is_named_and_leads_to_its_node() {
    use Transport::{MutualTls, TcpOrUdp, Tls};
    let build = |name: &str| {
        DeviceFile::builder(name.parse().unwrap(), "0")
            .node(Member::new("cucm1.example.com").oauth_ports(5190, 5191))
            .line(LineSettings::new("2001"))
    };
    let off = &[Rule::SipOauthOff][..];
    let table = [
        (
            DeviceKind::Csf,
            build("CSFrado").sip_oauth(),
            5190,
            Tls,
            &[][..],
        ),
        (
            DeviceKind::Tct,
            build("TCTRADO").sip_oauth(),
            5190,
            Tls,
            &[],
        ),
        (
            DeviceKind::Bot,
            build("BOTRADO").encrypted(),
            5061,
            MutualTls,
            off,
        ),
        (
            DeviceKind::Tab,
            build("TABRADO").non_secure(),
            5060,
            TcpOrUdp,
            off,
        ),
        (
            DeviceKind::Sep,
            build("SEP001122334455").sip_oauth(),
            5190,
            Tls,
            &[],
        ),
    ];
    for (kind, device, port, transport, rules) in table {
        assert_eq!(device.name.kind(), Some(kind));
        let config = read(&device.to_xml().unwrap());
        let target = config
            .registration_targets(Place::OnPremises)
            .unwrap()
            .remove(0);
        assert_eq!(
            (target.port, target.transport),
            (port, transport),
            "{kind:?}"
        );
        let found: Vec<_> = config
            .findings()
            .iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(found, rules, "{kind:?}");
    }
}
