//! Twenty ways to write outside the run's folder: each is an error with its place and what to do, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use place::{Place, err};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// `OUT` stands for a folder elsewhere that holds kept.txt; `fit` trains for a moment.
const ATTEMPTS: &[&str] = &[
    r#"image::filled(2, 2, "red").save("OUT/x.png")"#,
    r#"image::filled(2, 2, "red").save("OUT/kept.png")"#,
    r#"image::filled(2, 2, "red").save("../../../x.png")"#,
    r#"image::filled(2, 2, "red").save("a/../../../../x.png")"#,
    r#"image::filled(2, 2, "red").save("OUT/deep/er/x.jpg")"#,
    r#"image::filled(2, 2, "red").save("/proc/self/cwd/x.png")"#,
    r#"image::filled(2, 2, "red").save("LINK/x.png")"#,
    r#"image::filled(2, 2, "red").save("DANGLING")"#,
    r#"image::filled(2, 2, "red").save("")"#,
    r#"image::filled(2, 2, "red").save("/x.png")"#,
    r#"image::gif([image::filled(2, 2, "red"), image::filled(2, 2, "blue")], "OUT/x.gif")"#,
    r#"tensor::ones([2]).save("OUT/x.npy")"#,
    r#"tensor::ones([2]).save("../../../x.safetensors")"#,
    r#"tensor::save("OUT/x.npz", #{a: tensor::ones([2])})"#,
    r#"nn::linear(2, 2).save("OUT/x.safetensors")"#,
    r#"nn::linear(2, 2).save("OUT/kept.txt")"#,
    r#"plot::curves(#{a: [1, 2]}).save("OUT/x.png")"#,
    r#"fit("../../../run")"#,
    r#"fit("OUT")"#,
    r#"fit("").plot("OUT/x.png", "loss")"#,
];

const FIT: &str = r#"
fn fit(name) {
    train::fit(nn::linear(2, 2), data::from_tensors(tensor::ones([4, 2]), tensor::zeros([4]).long()),
               #{name: name, optimizer: optim::sgd()})
}"#;

/// Every file below `folder` but what the program keeps in outputs/, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() && !path.is_symlink() {
            true if path.ends_with("outputs") => {}
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), fs::read(&path).unwrap_or_default())),
        }
    }
    all
}

#[test]
fn twenty_attempts_change_nothing() {
    assert_eq!(ATTEMPTS.len(), 20);
    let (p, elsewhere) = (Place::new(), tempfile::tempdir().unwrap());
    for name in ["kept.txt", "kept.png"] {
        fs::write(elsewhere.path().join(name), "kept").unwrap();
    }
    let (link, dangling) = (p.path().join("link"), p.path().join("dangling.png"));
    symlink(elsewhere.path(), &link).unwrap();
    symlink(elsewhere.path().join("new.png"), &dangling).unwrap();
    let before: Vec<_> = [p.path(), elsewhere.path()].map(files).into();
    for attempt in ATTEMPTS {
        let text = attempt
            .replace("OUT", &elsewhere.path().display().to_string())
            .replace("LINK", &link.display().to_string())
            .replace("DANGLING", &dangling.display().to_string());
        let script = p.script("w.rhai", &format!("{text};\n{FIT}"));
        let o = p.run(&["run", "w.rhai"]);
        let said = err(&o);
        assert_eq!(o.status.code(), Some(1), "{attempt}: {said}");
        assert!(
            said.contains("w.rhai:1:") || attempt.contains("fit") && said.contains("w.rhai:4:"),
            "{attempt}: {said}"
        );
        let (cause, remedy) = match *attempt {
            a if a.contains(r#"save("")"#) => ("the path is empty", "the path is empty"),
            a if a.contains("DANGLING") => ("dangling.png", "no such file"),
            _ => ("scripts may not write there", "--allow-write"),
        };
        assert!(said.contains(cause) && said.contains(remedy), "{attempt}: {said}");
        fs::remove_file(script).unwrap();
        assert_eq!([p.path(), elsewhere.path()].map(files), *before, "{attempt}");
    }
}
