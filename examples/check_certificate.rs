//! Judges a certificate chain as a node, an Expressway-C or a phone would: against a store, and against the name of a
//! server or the allowed names of an Expressway-C. Prints the verdict, the tree of the chain, and what to do.
//!
//!     cargo run --example check_certificate
//!     cargo run --example check_certificate -- --store tomcat-trust.pem --name ucm-pub.example.com tomcat.pem
//!     cargo run --example check_certificate -- --store tomcat-trust/ --allowed "expc1.example.com, 192.0.2.7" expc.p7b
//!
//! A chain or a store is PEM, DER or PKCS#7; a store may be a folder. Without arguments the node's chain beside this
//! program is judged. The exit status is 0 when the chain is good, 1 otherwise.

// A program talks to a person.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use sip_oauth::trust::{
    AllowedNames, AllowedRow, ChainDescription, DescribedCertificate, Identities, Purpose, Reason,
    ReferenceIdentity, Rule, Side, TrustStore, Utc, certificates, default_provider, describe,
    rustls::pki_types::CertificateDer, verify_chain,
};

mod common;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// Judges a certificate chain against a store, and a name or a list of allowed names.
#[derive(Parser)]
struct Arguments {
    /// The chain, end entity first.
    chain: Option<PathBuf>,
    /// A file or folder of certificates to trust; may be given more than once.
    #[arg(long)]
    store: Vec<PathBuf>,
    /// A file of revocation lists; may be given more than once.
    #[arg(long)]
    crl: Vec<PathBuf>,
    /// The name the server is addressed by.
    #[arg(long, conflicts_with = "allowed")]
    name: Option<String>,
    /// The rule that name is compared under.
    #[arg(long, value_enum, default_value_t = NameRule::Rfc9525)]
    rule: NameRule,
    /// The names of a row of expresswaycconfiguration: the chain is a client's on port 5091.
    #[arg(long)]
    allowed: Option<String>,
    /// What the certificate is used for: a server with --name, a client with --allowed, both otherwise.
    #[arg(long, value_enum)]
    purpose: Option<Use>,
    /// Judge as of so many days from now.
    #[arg(long, default_value_t = 0)]
    in_days: u32,
    /// Text for a person, or one JSON document.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum NameRule {
    Rfc9525,
    Rfc5922,
}

#[derive(Clone, Copy, ValueEnum)]
enum Use {
    Server,
    Client,
    Both,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What came out, whichever way it is printed.
struct Verdict {
    tree: ChainDescription,
    /// The path that was found: places in the chain, and the subject of the anchor.
    path: Option<(Vec<usize>, String)>,
    /// Which name matched what.
    matched: Option<String>,
    refused: Option<Refused>,
}

struct Refused {
    why: String,
    /// Place in the chain and subject.
    at: Option<(usize, String)>,
    act: &'static str,
    place: &'static str,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match judge(&arguments) {
        Ok(verdict) => {
            match arguments.format {
                Format::Text => print(&verdict),
                Format::Json => println!("{:#}", report(&verdict)),
            }
            if verdict.refused.is_none() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// An error is bad input; a chain that is refused is a verdict.
fn judge(arguments: &Arguments) -> Result<Verdict, String> {
    let (chain, store, name) = match &arguments.chain {
        Some(chain) => (
            chain.clone(),
            arguments.store.clone(),
            arguments.name.clone(),
        ),
        None => (
            Path::new(DATA).join("tomcat.pem"),
            vec![Path::new(DATA).join("tomcat-trust.pem")],
            Some("ucm-pub.example.com".to_owned()),
        ),
    };
    let chain = certificates(&common::read(&chain)?)
        .map_err(|error| format!("{}: {error}", chain.display()))?;
    let store = open_store(&store, &arguments.crl)?;
    let provider = default_provider().map_err(|error| error.to_string())?;
    let now = SystemTime::now() + Duration::from_secs(u64::from(arguments.in_days) * 86_400);
    let purpose = match (arguments.purpose, &name, &arguments.allowed) {
        (Some(Use::Server), ..) | (None, Some(_), _) => Purpose::Server,
        (Some(Use::Client), ..) | (None, None, Some(_)) => Purpose::Client,
        (Some(Use::Both), ..) | (None, None, None) => Purpose::Both,
    };
    let presenter = if purpose == Purpose::Client {
        Side::Client
    } else {
        Side::Server
    };
    let reference = name
        .as_deref()
        .map(str::parse::<ReferenceIdentity>)
        .transpose()
        .map_err(|error| error.to_string())?;
    let mut verdict = Verdict {
        tree: describe(&chain, &store, &provider),
        path: None,
        matched: None,
        refused: None,
    };
    match verify_chain(&chain, &store, purpose, now, &provider) {
        Ok(verified) => {
            let anchor = verified.anchor.summary().subject().to_owned();
            verdict.path = Some((verified.path, anchor));
            match match_names(&chain, reference.as_ref(), arguments) {
                Ok(matched) => verdict.matched = matched,
                Err(reason) => {
                    let end_entity = verdict.tree.certificates.first();
                    let summary = end_entity.and_then(|it| it.summary.as_ref().ok());
                    let at = summary.map(|it| (0, it.subject().to_owned()));
                    verdict.refused = Some(refused(&reason, reason.to_string(), at, presenter));
                }
            }
        }
        Err(refusal) => {
            let why = refusal.to_string();
            let at = refusal.at.zip(refusal.subject.clone());
            verdict.refused = Some(refused(&refusal.reason, why, at, presenter));
        }
    }
    Ok(verdict)
}

fn open_store(places: &[PathBuf], lists: &[PathBuf]) -> Result<TrustStore, String> {
    let mut store = TrustStore::new("the store");
    for place in places {
        if place.is_dir() {
            store.add_folder(place).map(drop)
        } else {
            store.add_file(place).map(drop)
        }
        .map_err(|error| error.to_string())?;
    }
    for list in lists {
        store
            .add_crl_file(list)
            .map_err(|error| error.to_string())?;
    }
    Ok(store)
}

/// Which name matched, if one was asked for.
fn match_names(
    chain: &[CertificateDer<'_>],
    reference: Option<&ReferenceIdentity>,
    arguments: &Arguments,
) -> Result<Option<String>, Reason> {
    let Some(Ok(identities)) = chain.first().map(Identities::of) else {
        return Ok(None); // A chain that was verified has been read.
    };
    let rule = match arguments.rule {
        NameRule::Rfc9525 => Rule::Rfc9525,
        NameRule::Rfc5922 => Rule::Rfc5922,
    };
    if let Some(reference) = reference {
        return match rule.matches(reference, &identities) {
            Ok(matched) => Ok(Some(format!(
                "{} is {reference} ({rule})",
                matched.presented
            ))),
            Err(names) => Err(Reason::NameMismatch { names: Some(names) }),
        };
    }
    let Some(names) = &arguments.allowed else {
        return Ok(None);
    };
    let table = AllowedNames::new([AllowedRow::new("the row given", "", names)]);
    match table.check(&identities) {
        Ok(matched) => Ok(Some(matched.to_string())),
        Err(names) => Err(Reason::NameNotInTable { names: Some(names) }),
    }
}

fn refused(reason: &Reason, why: String, at: Option<(usize, String)>, presenter: Side) -> Refused {
    let remedy = reason.remedy(presenter);
    Refused {
        why,
        at,
        act: remedy.action,
        place: remedy.place.name(),
    }
}

fn print(verdict: &Verdict) {
    match (&verdict.refused, &verdict.path) {
        (Some(refused), _) => println!("Refused: {}.", refused.why),
        (None, Some((path, anchor))) => {
            println!("Good: {} certificates to anchor \"{anchor}\".", path.len());
        }
        (None, None) => println!("Good."),
    }
    if let Some(matched) = &verdict.matched {
        println!("{matched}");
    }
    println!("\n{}", verdict.tree);
    if let Some(refused) = &verdict.refused {
        println!("To do ({}): {}.", refused.place, refused.act);
    }
}

fn report(verdict: &Verdict) -> Value {
    let tree = &verdict.tree;
    let refused = verdict.refused.as_ref().map(|refused| {
        json!({
            "why": refused.why,
            "at": refused.at.as_ref().map(|(index, subject)| json!({ "number": index + 1, "subject": subject })),
            "place": refused.place,
            "act": refused.act,
        })
    });
    json!({
        "schema": "sip-oauth-check-certificate/1",
        "verdict": if refused.is_some() { "refused" } else { "good" },
        "refused": refused,
        "path": verdict.path.as_ref().map(|(path, anchor)| json!({
            "certificates": path.iter().map(|index| index + 1).collect::<Vec<_>>(),
            "anchor": anchor,
        })),
        "matched": verdict.matched,
        "chain": tree.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "way": tree.way.iter().map(|index| index + 1).collect::<Vec<_>>(),
        "anchors": tree.anchors.iter().map(|anchor| json!({
            "certificate": certificate(&anchor.certificate),
            "source": anchor.source.to_string(),
        })).collect::<Vec<_>>(),
    })
}

fn certificate(described: &DescribedCertificate) -> Value {
    let summary = match &described.summary {
        Ok(summary) => summary,
        Err(error) => {
            return json!({
                "unreadable": error.to_string(),
                "sha256": described.sha256.map(|it| it.to_string()),
                "sha1": described.sha1.to_string(),
            });
        }
    };
    let names = summary.identities();
    json!({
        "subject": summary.subject(),
        "issuer": summary.issuer(),
        "serial": summary.serial(),
        "not_before": Utc(summary.not_before()).to_string(),
        "not_after": Utc(summary.not_after()).to_string(),
        "is_authority": summary.is_authority(),
        "names": {
            "cn": names.common_names(),
            "dns": names.dns_names(),
            "uri": names.uris(),
            "ip": names.ip_addresses().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "others": names.others(),
            "unusable": names.unusable().iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "sha256": described.sha256.map(|it| it.to_string()),
        "sha1": described.sha1.to_string(),
    })
}
