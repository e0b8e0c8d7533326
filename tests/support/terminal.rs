//! The program in a terminal of its own (tmux).
#![allow(dead_code)] // every test program uses a part of it

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// A tmux server of its own with one window.
pub struct Terminal {
    pub socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Terminal {
    pub fn start(args: &str, env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let t = Terminal { socket: folder.path().join("socket"), _folder: folder };
        let home = t.socket.with_file_name("home");
        let mut set = format!("XDG_DATA_HOME={}", home.display()); // a later one wins
        env.iter().for_each(|(k, v)| set += &format!(" {k}={v}"));
        let line = format!("env -u NO_COLOR {set} {} {args}", env!("CARGO_BIN_EXE_cs385"));
        let folder = t.socket.parent().unwrap().to_path_buf();
        t.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "90",
            "-y",
            "30",
            "-c",
            &folder.display().to_string(),
            &line,
        ]);
        t
    }

    pub fn tmux(&self, args: &[&str]) -> String {
        let o =
            Command::new("tmux").arg("-S").arg(&self.socket).args(args).output().expect("tmux is installed");
        String::from_utf8_lossy(&o.stdout).into_owned()
    }

    pub fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Waits for an empty prompt: what is typed before it can be lost.
    pub fn ready(&self) {
        let begin = Instant::now();
        loop {
            let text = self.tmux(&["capture-pane", "-p"]);
            if text.trim_end().lines().last().is_some_and(|l| l.trim() == ">") {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "no prompt in\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn line(&self, text: &str) {
        self.ready();
        self.tmux(&["send-keys", "-l", text]);
        self.keys(&["Enter"]);
    }

    /// The window's text as soon as it holds `wanted`.
    pub fn until(&self, wanted: &str) -> String {
        self.text(&["capture-pane", "-p"], wanted)
    }

    /// What tmux says, asked as `how`, as soon as it holds `wanted`.
    pub fn text(&self, how: &[&str], wanted: &str) -> String {
        let begin = Instant::now();
        loop {
            let text = self.tmux(how);
            if text.contains(wanted) {
                return text;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "no {wanted:?} in\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn ended(&self) {
        let begin = Instant::now();
        while self.tmux(&["list-sessions"]).contains("windows") {
            assert!(begin.elapsed() < Duration::from_secs(30), "the session goes on:\n{}", self.until(""));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
