//! Drives `./cs385` in a temporary copy of the repository, with stand-ins for cargo, pip and curl first on PATH:
//! no network, no build. The rest (sh, find, python3's zipfile, the lock) is real.

#![allow(clippy::unwrap_used)] // of the helpers too, which clippy does not count as tests

mod copy;

use copy::{Copy, text, zip};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[test]
fn first_start_fetches_and_builds_the_second_does_neither() {
    let copy = Copy::new();
    let calls = copy.calls(&["--version"]);
    let build = format!("cargo in {} LIBTORCH=unset: build --release\n", copy.root().display());
    let pip = "pip torch==2.11.0\npip nvidia-cuda-runtime==13.0.96\npip nvidia-cuda-cupti==13.0.85\n";
    assert_eq!(calls, format!("curl\n{pip}{build}"));
    copy.assert_libtorch();
    assert_eq!(copy.calls(&["--version"]), "");
}

#[test]
fn every_change_of_a_source_leads_to_a_build() {
    let copy = Copy::new();
    copy.calls(&[]);
    let expect_one_build = |change: &str| {
        assert_eq!(copy.calls(&[]).matches(": build --release").count(), 1, "{change}");
        assert_eq!(copy.calls(&[]), "", "built twice: {change}");
    };
    for source in ["Cargo.toml", "build.rs", "src/core/a.rs", "stdlib/a.rhai", "data/catalog.toml"] {
        copy.write(source, "changed");
        expect_one_build(source);
    }
    copy.write("src/core/new.rs", "");
    expect_one_build("a new file");
    copy.write(".cargo/config.toml", "");
    expect_one_build("a new file at the top");
    sleep(Duration::from_millis(20));
    fs::remove_file(copy.root().join("src/core/new.rs")).unwrap();
    expect_one_build("a deleted file");
    fs::remove_dir_all(copy.root().join("stdlib")).unwrap();
    expect_one_build("a deleted folder");
    fs::remove_file(copy.root().join("target/release/cs385")).unwrap();
    expect_one_build("no binary");
}

#[test]
fn a_source_replaced_by_an_older_one_looks_new_to_cargo() {
    let copy = Copy::new();
    copy.calls(&[]);
    let built = fs::metadata(copy.root().join("target/release/cs385")).unwrap().modified().unwrap();
    copy.write("src/main.rs", "old");
    let source = copy.root().join("src/main.rs");
    File::open(&source).unwrap().set_modified(built - Duration::from_secs(3600)).unwrap();
    assert!(copy.calls(&[]).contains("build"));
    assert!(fs::metadata(&source).unwrap().modified().unwrap() > built);
}

#[test]
fn a_failed_build_runs_nothing_and_is_tried_again() {
    let copy = Copy::new();
    copy.calls(&[]);
    copy.write("src/main.rs", "changed");
    copy.flag("cargo-fails");
    for _ in 0..2 {
        let output = copy.run(&["--version"]);
        assert_eq!(output.status.code(), Some(101));
        assert_eq!(text(&output.stdout), "");
        assert!(text(&output.stderr).contains("no luck"));
    }
    fs::remove_file(copy.fake("cargo-fails")).unwrap();
    assert!(copy.calls(&[]).contains("build"));
}

#[test]
fn a_corrupt_wheel_is_fetched_again() {
    let copy = Copy::new();
    copy.flag("pip-corrupts");
    assert_eq!(copy.calls(&[]).matches("pip torch==2.11.0").count(), 2);
    copy.assert_libtorch();
}

#[test]
fn a_wheel_corrupt_twice_is_a_clear_error() {
    let copy = Copy::new();
    copy.flag("pip-corrupts");
    copy.flag("pip-corrupts-always");
    let output = copy.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("torch==2.11.0") && message.contains("set LIBTORCH"), "{message}");
    assert_eq!(copy.log().matches("pip torch").count(), 2);
    assert!(!copy.log().contains("cargo"), "built without libtorch");
    fs::remove_file(copy.fake("pip-corrupts")).unwrap();
    copy.calls(&[]);
    copy.assert_libtorch();
}

#[test]
fn an_interrupted_fetch_heals() {
    let copy = Copy::new();
    copy.flag("pip-hangs");
    let mut child =
        copy.command(&copy.root().join("cs385")).process_group(0).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !copy.fake("hanging").exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "pip was not called");
        sleep(Duration::from_millis(10));
    }
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    child.wait().unwrap();
    fs::remove_file(copy.fake("pip-hangs")).unwrap();
    // As if it had also been killed while moving: libraries without the stamp that comes last.
    for leftover in
        [".libtorch/lib/libtorch_cpu.so", ".libtorch/lib/stray.so", ".libtorch/tmp/new/lib/stray.so"]
    {
        copy.write(leftover, "half");
    }
    copy.calls(&[]);
    copy.assert_libtorch();
    assert_eq!(copy.lib("lib/stray.so"), None);
}

#[test]
fn two_launchers_at_once_fetch_once() {
    let copy = Copy::new();
    copy.flag("pip-is-slow");
    let start = || {
        copy.command(&copy.root().join("cs385")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (one, two) = (start(), start());
    for child in [one, two] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    assert_eq!(copy.log().matches("pip ").count(), 3, "{}", copy.log());
    copy.assert_libtorch();
}

#[test]
fn pytorchs_own_archive_is_preferred_when_it_is_what_it_should_be() {
    for (version, taken) in [("2.11.0+cpu\n", true), ("2.10.0+cpu\n", false)] {
        let copy = Copy::new();
        zip(
            &copy.fake("archive.zip"),
            &[
                ("libtorch/build-version", version),
                ("libtorch/lib/libc10.so", "c10"),
                ("libtorch/lib/libtorch_cpu.so", "archive"),
                ("libtorch/lib/libtorch.so", "archive"),
                ("libtorch/lib/libgomp-98b21ff3.so.1", "gomp"),
                ("libtorch/include/torch/csrc/api/include/torch/torch.h", "header"),
            ],
        );
        assert_eq!(copy.calls(&[]).contains("pip"), !taken);
        if taken {
            assert_eq!(copy.lib("build-version").as_deref(), Some(version));
            assert_eq!(copy.lib("lib/libtorch.so").as_deref(), Some("archive"));
            assert_eq!(copy.lib("lib/libgomp-98b21ff3.so.1").as_deref(), Some("gomp"));
        } else {
            copy.assert_libtorch();
        }
        assert_eq!(copy.calls(&[]), "");
    }
}

#[test]
fn cuda_lies_in_a_folder_of_its_own() {
    let copy = Copy::new();
    copy.calls(&[]);
    let calls = copy.calls(&["--cuda", "a"]);
    assert!(
        calls.contains("cuda-toolkit[cublas]==13.0.2") && calls.contains("nvidia-nccl-cu13==2.28.9"),
        "{calls}"
    );
    assert!(!calls.contains("sympy"), "{calls}");
    copy.assert_libtorch();
    assert_eq!(copy.lib("cuda/libtorch_cuda.so").as_deref(), Some("cuda"));
    assert_eq!(copy.lib("cuda/libnccl.so.2").as_deref(), Some("nccl"));
    assert_eq!(copy.calls(&["--cuda"]), "");
    assert!(text(&copy.run(&["--cuda", "a"]).stdout).ends_with("\n<a>\n"));
}

#[test]
fn a_libtorch_of_the_user_is_taken_and_nothing_fetched() {
    let copy = Copy::new();
    fs::create_dir_all(copy.folder.path().join("mine/lib")).unwrap();
    let mine = copy.folder.path().join("mine");
    let run = |value: &str| copy.command(&copy.root().join("cs385")).env("LIBTORCH", value).output().unwrap();
    assert!(run("mine").status.success());
    assert_eq!(
        copy.log(),
        format!("cargo in {} LIBTORCH={}: build --release\n", copy.root().display(), mine.display())
    );
    assert!(!copy.root().join(".libtorch").exists());
    let wrong = run("elsewhere");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("elsewhere"));
    assert!(copy.calls(&[]).contains("build"), "the binary of another libtorch was run");
}

#[test]
fn arguments_input_folder_and_exit_status_pass_through() {
    let copy = Copy::new();
    copy.calls(&[]);
    let link = copy.folder.path().join("link to cs385");
    symlink("a clone/cs385", &link).unwrap();
    let elsewhere = copy.folder.path().join("else where");
    fs::create_dir(&elsewhere).unwrap();
    let mut command = copy.command(&link);
    let output = command
        .current_dir(&elsewhere)
        .args(["exit", "42", "two  words", "", "*", "$HOME \\n"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(42));
    let expected = format!("in {}\n<exit>\n<42>\n<two  words>\n<>\n<*>\n<$HOME \\n>\n", elsewhere.display());
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(text(&output.stderr), "");
    // Input reaches the program even if the build comes first.
    copy.write("src/main.rs", "changed");
    let input = File::open(copy.fake("specs")).unwrap();
    let output = copy.command(&link).arg("cat").stdin(input).output().unwrap();
    assert!(text(&output.stdout).ends_with(&fs::read_to_string(copy.fake("specs")).unwrap()));
}

#[test]
fn cargo_is_run_in_the_same_environment() {
    let copy = Copy::new();
    let output = copy.run(&["cargo", "test", "--release", "a b"]);
    assert_eq!(output.status.code(), Some(7), "cargo's exit status");
    let log = copy.log();
    let call = format!("cargo in {} LIBTORCH=unset: test --release a b\n", copy.root().display());
    assert!(log.ends_with(&call) && log.contains("pip torch"), "{log}");
    copy.assert_libtorch();
}

#[test]
fn the_build_folder_of_the_user_is_kept() {
    let copy = Copy::new();
    let mut command = copy.command(&copy.root().join("cs385"));
    assert!(command.env("CARGO_TARGET_DIR", "built here").output().unwrap().status.success());
    assert!(copy.folder.path().join("built here/release/cs385").exists());
    assert!(!copy.root().join("target").exists());
}
