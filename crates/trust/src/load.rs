//! Trust stores out of files, folders and the platform's store.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::{Source, StoreError, TrustStore};

/// The most bytes a file of certificates or revocation lists may have.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// The most entries of a folder that are looked at.
const MAX_FOLDER_ENTRIES: usize = 10_000;

/// What a folder gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderLoad {
    /// How many anchors were new.
    pub added: usize,
    /// How many revocation lists count.
    pub revocation_lists: usize,
    /// Files that were passed over because their names do not end as those of certificates do.
    pub passed_over: Vec<PathBuf>,
}

/// What the platform's store gave.
#[cfg(feature = "platform")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformLoad {
    /// How many anchors were new.
    pub added: usize,
    /// Why single certificates were left out: such a store is not ours to mend.
    pub left_out: Vec<String>,
}

impl TrustStore {
    /// Adds every certificate of a file, as [`add_bundle`](Self::add_bundle), and says how many were new.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, holds no certificate, or one that cannot be an anchor.
    pub fn add_file(&mut self, path: impl AsRef<Path>) -> Result<usize, StoreError> {
        let path = path.as_ref();
        let bytes = self.read(path)?;
        self.add_bundle(&bytes, &Source::File(path.to_owned()))
    }

    /// Adds the revocation lists of a file, as [`add_crl`](Self::add_crl), and says how many count.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no list.
    pub fn add_crl_file(&mut self, path: impl AsRef<Path>) -> Result<usize, StoreError> {
        let path = path.as_ref();
        let bytes = self.read(path)?;
        self.add_crl(&bytes, &Source::File(path.to_owned()))
    }

    /// Adds the certificates of a folder: files that end in `.pem`, `.crt`, `.cer`, `.der`, `.p7b` or `.p7c`, by
    /// name; and the revocation lists of those that end in `.crl`. Folders within it are not entered.
    ///
    /// # Errors
    ///
    /// When the folder or one of those files cannot be read, or holds nothing that can be added. The store is then
    /// as it was before.
    pub fn add_folder(&mut self, folder: impl AsRef<Path>) -> Result<FolderLoad, StoreError> {
        let folder = folder.as_ref();
        let unreadable = |what: String| StoreError::Unreadable {
            store: self.name().to_owned(),
            origin: Source::File(folder.to_owned()),
            what,
        };
        let entries =
            fs::read_dir(folder).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| unreadable(format!("cannot be read: {error}")))?
                .path();
            if files.len() == MAX_FOLDER_ENTRIES {
                return Err(unreadable(format!(
                    "expected at most {MAX_FOLDER_ENTRIES} files, found more"
                )));
            }
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let mut next = self.clone();
        let mut load = FolderLoad::default();
        for path in files {
            let ending = path
                .extension()
                .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
            match ending.as_deref() {
                Some("pem" | "crt" | "cer" | "der" | "p7b" | "p7c") => {
                    load.added += next.add_file(&path)?;
                }
                Some("crl") => load.revocation_lists += next.add_crl_file(&path)?,
                _ => load.passed_over.push(path),
            }
        }
        *self = next;
        Ok(load)
    }

    /// Adds what the operating system trusts. A certificate of it that cannot be an anchor is left out and named;
    /// the feature is `platform`.
    ///
    /// # Errors
    ///
    /// When the platform gives no certificate at all.
    #[cfg(feature = "platform")]
    pub fn add_platform(&mut self) -> Result<PlatformLoad, StoreError> {
        let found = rustls_native_certs::load_native_certs();
        let mut load = PlatformLoad {
            added: 0,
            left_out: found.errors.iter().map(ToString::to_string).collect(),
        };
        if found.certs.is_empty() {
            let why = load.left_out.first();
            return Err(StoreError::Unreadable {
                store: self.name().to_owned(),
                origin: Source::Platform,
                what: why.map_or_else(
                    || "it holds no certificate".to_owned(),
                    |why| format!("it gives no certificate ({why})"),
                ),
            });
        }
        let (good, bad): (Vec<_>, Vec<_>) = found.certs.into_iter().partition(|certificate| {
            TrustStore::new("")
                .add_der(certificate.clone(), &Source::Platform)
                .is_ok()
        });
        load.left_out.extend(bad.iter().map(|certificate| {
            let fingerprint = crate::Sha1Fingerprint::of(certificate);
            format!("certificate with SHA-1 {fingerprint} cannot be a trust anchor")
        }));
        load.added = self.add_all(good, &Source::Platform)?;
        Ok(load)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let unreadable = |what: String| StoreError::Unreadable {
            store: self.name().to_owned(),
            origin: Source::File(path.to_owned()),
            what,
        };
        let file =
            File::open(path).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(unreadable(format!(
                "expected at most {MAX_FILE_BYTES} bytes, found more"
            )));
        }
        Ok(bytes)
    }
}
