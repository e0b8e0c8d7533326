//! A folder of its own for the program as a user starts it.
#![allow(dead_code, clippy::unwrap_used)] // every test program uses a part of it

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }
    pub fn path(&self) -> &Path {
        self.0.path()
    }
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_cs385"));
        c.args(args).current_dir(self.path()).stdin(Stdio::null());
        c
    }
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
    /// Runs a script of scripts/ in its tiny size: the files it leaves, and what it says.
    pub fn tiny(&self, name: &str, more: &[&str], files: &[&str], says: &str) {
        let script = format!("{}/scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
        let o = self.run(&[&["run", &script, "--set", "size=tiny", "--threads", "1"], more].concat());
        assert_eq!(o.status.code(), Some(0), "{name}: {}", err(&o));
        for file in files {
            let path = self.path().join("outputs").join(name).join("latest").join(file);
            assert!(path.metadata().unwrap().len() > 50, "{file}");
        }
        assert!(out(&o).contains(says), "{name}: {}", out(&o));
    }
}

pub fn out(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

pub fn err(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

/// Ctrl-C.
pub fn interrupt(pid: u32) {
    assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().unwrap().success());
}
