//! Builds the shims of the C libraries that are installed; the others are left out, by name.

use std::process::Command;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(osip, sofia)");
    println!("cargo::rerun-if-changed=shims");
    shim("osip", "libosip2", "libosip2-dev");
    shim("sofia", "sofia-sip-ua", "libsofia-sip-ua-dev");
}

fn shim(name: &str, library: &str, package: &str) {
    let Ok(found) = pkg_config::Config::new()
        .cargo_metadata(false)
        .probe(library)
    else {
        return;
    };
    // Before the libraries it needs, since a linker reads from left to right.
    cc::Build::new()
        .file(format!("shims/{name}.c"))
        .includes(&found.include_paths)
        .opt_level(2)
        .compile(&format!("{name}_peer"));
    for path in &found.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for library in &found.libs {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
    let version = installed(package).unwrap_or(found.version);
    println!("cargo::rustc-env={}_VERSION={version}", name.to_uppercase());
    println!("cargo::rustc-cfg={name}");
}

/// The version as the distribution counts it, which says which patches there are.
fn installed(package: &str) -> Option<String> {
    let query = ["-W", "-f=${Version}", package];
    let output = Command::new("dpkg-query").args(query).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !version.is_empty()).then_some(version)
}
