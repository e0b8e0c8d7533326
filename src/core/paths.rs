//! Where a script's paths lead. Reading: the run's folder first, then the current folder, anywhere. Writing: the
//! run's folder; elsewhere only under the output folder or one the command line allows.

use super::error::{Error, Result};
use super::run;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The file a script means when it reads `path`: relative paths are looked up in the run's folder, then in the
/// current folder. The file need not be there.
///
/// # Errors
/// An empty path.
pub fn readable(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    if path.as_os_str().is_empty() {
        return Err(Error::new("the path is empty"));
    }
    if path.is_relative()
        && let Some(here) = run::folder().map(|f| f.join(path)).filter(|p| p.exists())
    {
        return Ok(here);
    }
    Ok(path.to_path_buf())
}

/// The file a script means when it writes `path`, with its parent folders made. Relative paths lie in the run's
/// folder.
///
/// # Errors
/// An empty path; a path outside the output folder and the folders of `--allow-write`, symbolic links followed;
/// a folder that cannot be made.
pub fn writable(path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    if path.as_os_str().is_empty() {
        return Err(Error::new("the path is empty"));
    }
    let full = if path.is_relative() { run::ensure_folder()?.join(path) } else { path.to_path_buf() };
    let target = resolve(&full)?;
    let roots = run::writable_roots();
    let inside = roots.iter().any(|root| resolve(root).is_ok_and(|root| target.starts_with(root)));
    if !inside {
        return Err(Error::new(format!("{}: scripts may not write there", path.display())).hint(format!(
            "relative paths lie in the run's folder; to write elsewhere, start with --allow-write {}",
            target.parent().unwrap_or(&target).display()
        )));
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, &e))?;
    }
    Ok(target)
}

/// `path` made absolute, with `..` and symbolic links resolved step by step; what is not there yet is taken as
/// written.
fn resolve(path: &Path) -> Result<PathBuf> {
    let mut out = std::env::current_dir().map_err(|e| Error::io(".", &e))?;
    for part in path.components() {
        match part {
            Component::RootDir => out = "/".into(),
            Component::ParentDir => drop(out.pop()),
            Component::Normal(name) => {
                out.push(name);
                if fs::symlink_metadata(&out).is_ok() {
                    // A link to nothing fails here: writing through it would make a file where it points.
                    out = fs::canonicalize(&out).map_err(|e| Error::io(&out, &e))?;
                }
            }
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Ok(out)
}

functions! {
    on "string";
    /// Writes the text to a file of the run's folder.
    /// ```rhai
    /// "| a |".save("table.md")
    /// ```
    fn save(text: String, path: String) {
        super::atomic::write(writable(&path)?, text.as_bytes())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn begin(out: &Path, allow: Vec<PathBuf>) {
        run::begin(run::Setup { name: "t".into(), out: out.into(), allow, ..run::Setup::default() });
    }

    #[test]
    fn relative_paths_lie_in_the_run() {
        let out = tempfile::tempdir().unwrap();
        begin(out.path(), vec![]);
        let to = writable("a/b.txt").unwrap();
        assert!(to.starts_with(fs::canonicalize(out.path().join("t")).unwrap()) && to.ends_with("a/b.txt"));
        fs::write(&to, "x").unwrap();
        assert_eq!(fs::canonicalize(readable("a/b.txt").unwrap()).unwrap(), to);
        assert_eq!(readable("Cargo.toml").unwrap(), Path::new("Cargo.toml"));
        assert!(writable("../other/b.txt").is_ok());
    }

    #[test]
    fn the_rest_of_the_disk_is_refused() {
        let (out, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        begin(out.path(), vec![]);
        let folder = run::ensure_folder().unwrap();
        symlink(other.path(), folder.join("link")).unwrap();
        symlink(other.path().join("nothing"), folder.join("dangling")).unwrap();
        let absolute = other.path().join("x").display().to_string();
        for bad in ["../../../x", "no/../../../../x", "link/x", "dangling", "", &absolute] {
            assert!(writable(bad).is_err(), "{bad}");
        }
        assert!(!other.path().join("x").exists());
        begin(out.path(), vec![other.path().into()]);
        assert!(writable(&absolute).is_ok());
    }
}
