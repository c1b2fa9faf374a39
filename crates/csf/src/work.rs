//! How much work is done, counted in this crate's own tests: elements looked at and bytes gone over. No clock is asked.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// More than the tests of this crate do, one at a time.
#[cfg(test)]
const MAX_STEPS: usize = 100_000_000;

/// Counts in tests, and is nothing elsewhere.
#[cfg_attr(not(test), allow(clippy::missing_const_for_fn, unused_variables))]
#[inline]
pub(crate) fn count(steps: usize) {
    #[cfg(test)]
    {
        // What grows with the square of its input ends here, not after minutes.
        assert!(STEPS.get() < MAX_STEPS, "more than {MAX_STEPS} steps");
        STEPS.set(STEPS.get() + steps);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::STEPS;
    use crate::{
        Device, DeviceConfig, EdgeConfig, JabberConfig, Limits, LineSettings, Member, Place,
    };

    fn steps(work: impl FnOnce()) -> usize {
        let before = STEPS.get();
        work();
        STEPS.get() - before
    }

    /// All there is to ask of a device file, and edits.
    fn everything(text: &str, nodes: usize) {
        let mut config = DeviceConfig::read(text.as_bytes(), &Limits::default()).unwrap();
        assert!(config.findings().len() <= 100);
        let _ = config.registration_targets(Place::OnPremises);
        let _ = config.registration_targets(Place::Mra);
        let _ = Device::try_from(&config);
        assert!(!config.is_restart_needed(&config));
        let _ = config.set("/device/sipOAuthMode", "0");
        let _ = config.remove_member(nodes.saturating_sub(1));
        let _ = config.add_member(&Member::new("ucm9.example.com"));
        let _ = config.add_line(&LineSettings::new("1001"));
    }

    fn group(members: &str) -> String {
        format!(
            "<device><devicePool><callManagerGroup><members>{members}</members></callManagerGroup></devicePool>\
             <deviceSecurityMode>3</deviceSecurityMode><sipOAuthMode>1</sipOAuthMode></device>"
        )
    }

    /// Work that grows with the square of a file would keep a server busy for minutes.
    #[test]
    fn twice_the_file_is_twice_the_work() {
        type Hostile = fn(usize) -> String;
        let files: [(&str, Hostile); 7] = [
            ("lines without a button", |n| {
                let lines = "<line button=\"x\" lineIndex=\"x\"></line>".repeat(n);
                format!("<device><sipProfile><sipLines>{lines}</sipLines></sipProfile></device>")
            }),
            ("nodes without a priority", |n| {
                group(&"<member  priority=\"x\"></member>".repeat(n))
            }),
            ("nodes without a port", |n| {
                let node = "<member><callManager><ports><sipOAuthPort>x</sipOAuthPort></ports>\
                    <processNodeName>a</processNodeName></callManager></member>";
                group(&node.repeat(n / 5))
            }),
            ("lines without a feature", |n| {
                let lines = "<line><featureID>x</featureID></line>".repeat(n / 2);
                format!("<device><sipProfile><sipLines>{lines}</sipLines></sipProfile></device>")
            }),
            ("a value many times", |n| {
                let modes = "<sipOAuthMode>&#49;</sipOAuthMode>".repeat(n);
                format!("<device>{modes}</device>")
            }),
            ("a long value", |n| {
                let mode = "&#49;".repeat(5 * n);
                format!("<device><sipOAuthMode>{mode}</sipOAuthMode></device>")
            }),
            ("vendor settings", |n| {
                let settings = "<webAccess></webAccess>".repeat(n);
                format!("<device><vendorConfig>{settings}</vendorConfig></device>")
            }),
        ];
        for (name, file) in files {
            let [half, whole] = [3_000, 6_000].map(|n| {
                let text = file(n);
                let steps = steps(|| everything(&text, n));
                println!("{name}: {} bytes, {steps} steps", text.len());
                steps
            });
            assert!(half > 3_000, "{name}: nothing was counted");
            assert!(whole < half * 5 / 2, "{name}: {half} and {whole} steps");
        }
    }

    /// The companions, of which a server on the way can make as much.
    #[test]
    fn twice_a_companion_is_twice_the_work() {
        type Hostile = fn(usize) -> String;
        let files: [Hostile; 2] = [
            |n| {
                let settings = "<TftpServer1>/</TftpServer1>".repeat(n);
                format!("<config><Phone>{settings}</Phone></config>")
            },
            |n| {
                let groups = "<Phone></Phone>".repeat(n);
                format!("<config>{groups}</config>")
            },
        ];
        for file in files {
            let [half, whole] = [3_000, 6_000].map(|n| {
                let text = file(n);
                steps(|| {
                    let config = JabberConfig::read(text.as_bytes(), &Limits::default()).unwrap();
                    let _ = config.findings();
                })
            });
            assert!(whole < half * 5 / 2, "{half} and {whole} steps");
        }
        let edge = |n: usize| {
            let servers =
                "<server><priority>x</priority><address>a</address></server>".repeat(n / 3);
            let text = format!(
                "<getEdgeConfigResponse><serviceConfig><service><name>_cisco-uds</name>{servers}</service>\
                 </serviceConfig></getEdgeConfigResponse>"
            );
            steps(|| {
                let edge = EdgeConfig::read(text.as_bytes(), &Limits::default()).unwrap();
                let _ = edge.uds_servers();
            })
        };
        let (half, whole) = (edge(3_000), edge(6_000));
        assert!(whole < half * 5 / 2, "{half} and {whole} steps");
    }
}
