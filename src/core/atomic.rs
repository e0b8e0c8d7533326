//! Files written whole: into a temporary name in the same folder, flushed to the disk, then renamed.
//! Whoever reads sees the old file or the new one, never half of one, also after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::{Error, Result};

/// Writes `bytes` as the whole file.
///
/// # Errors
/// No such folder, no permission, no space; the file is then as it was.
pub fn write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    write_with(path, |file| file.write_all(bytes).map_err(|e| Error::io(path, &e)))
}

/// Writes a whole file by `fill`, which sees a seekable file without a name yet.
///
/// # Errors
/// As [`write`], and what `fill` returns; the file is then as it was.
pub fn write_with(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    // Through a link the file behind it is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let io = |e: &std::io::Error| Error::io(path, e);
    if target.is_dir() {
        return Err(Error::new(format!("{}: is a folder", path.display())));
    }
    let mut temp = Temp::beside(&target)?;
    let mut file =
        BufWriter::new(OpenOptions::new().write(true).create_new(true).open(&temp.0).map_err(|e| io(&e))?);
    fill(&mut file)?;
    let file = file.into_inner().map_err(|e| io(e.error()))?;
    if let Ok(meta) = fs::metadata(&target) {
        file.set_permissions(meta.permissions()).map_err(|e| io(&e))?;
    }
    file.sync_all().map_err(|e| io(&e))?;
    fs::rename(&temp.0, &target).map_err(|e| io(&e))?;
    temp.0 = PathBuf::new();
    if let Some(folder) = target.parent().and_then(|p| File::open(p).ok()) {
        // Some file systems cannot sync a folder; the file itself is safe.
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A temporary file that goes when it is not renamed, also by an error or a panic.
struct Temp(PathBuf);

impl Temp {
    fn beside(target: &Path) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = target
            .file_name()
            .ok_or_else(|| Error::new(format!("{}: is not the name of a file", target.display())))?
            .to_string_lossy();
        // A long name leaves no room for the rest: 255 bytes are allowed.
        let short: String = name.chars().take(40).collect();
        let unique = COUNT.fetch_add(1, Ordering::Relaxed);
        Ok(Self(target.with_file_name(format!(".{short}.{}-{unique}.tmp", std::process::id()))))
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn replaces_the_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(dir.path()), ["a.bin"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        write(&path, b"old").unwrap();
        let failed = write_with(&path, |file| {
            file.write_all(b"half").unwrap();
            Err(Error::new("stop"))
        });
        assert_eq!(failed.unwrap_err().msg, "stop");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["a.bin"]);
        let nowhere = write(dir.path().join("no/such/a.bin"), b"x").unwrap_err();
        assert!(nowhere.msg.ends_with("no/such/a.bin: no such file or folder"), "{nowhere}");
        assert!(write(dir.path(), b"x").unwrap_err().msg.ends_with("is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn writes_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
