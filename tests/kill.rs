//! A training run that is killed again and again loses at most the work since its last checkpoint, and no file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use cs385::core::safetensors;
use place::{Place, err};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

/// About a second and a half of work an epoch, which writes its state twenty times a second.
const SCRIPT: &str = r#"
seed(1);
let data = data::from_tensors(tensor::randn([3000, 256]), tensor::randint(0, 10, [3000]));
let net = nn::sequential([["a", nn::linear(256, 256)], nn::dropout(0.3), nn::relu(), ["b", nn::linear(256, 10)]]);
train::fit(net, data, #{epochs: param("epochs", 1000, "Passes."), batch_size: 8, optimizer: optim::adam(#{lr: 1e-4}),
                        save_every: 0.05});
net.save("end.safetensors");
"#;

/// Where the state stands: step of the whole run.
fn step(file: &Path) -> i64 {
    let metadata = safetensors::read(file).unwrap().metadata;
    let header: serde_json::Value = serde_json::from_str(&metadata["cs385.run"]).unwrap();
    header["step"].as_i64().unwrap()
}

/// Every file of the run is whole.
fn intact(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|e| e.to_str()) {
            Some("safetensors") => drop(safetensors::read(&path).unwrap()),
            Some("json") => {
                drop(serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&path).unwrap()).unwrap());
            }
            Some("csv") => {
                let text = fs::read_to_string(&path).unwrap();
                let columns = text.lines().next().unwrap().split(',').count();
                assert!(
                    text.ends_with('\n') && text.lines().all(|l| l.split(',').count() == columns),
                    "{text}"
                );
            }
            _ => {}
        }
    }
}

#[test]
fn twenty_kills_lose_no_file_and_no_checkpoint() {
    let p = Place::new();
    p.script("t.rhai", SCRIPT);
    let folder = p.path().join("outputs/t/latest");
    let state = folder.join("resume.safetensors");
    let args = ["run", "t.rhai", "--threads", "1"];
    let mut reached = 0;
    for kill in 0..20 {
        let resume: &[&str] = if kill == 0 { &[] } else { &["--resume"] };
        let mut command = p.command(&[&args[..], resume].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // It is at work again when the state has moved on; then any moment may be the last.
        let begin = Instant::now();
        while !state.exists() || step(&state) == reached {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended: {}",
                err(&child.wait_with_output().unwrap())
            );
            assert!(begin.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        let random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        std::thread::sleep(Duration::from_micros(u64::from(random) % 200_000));
        let before = step(&state);
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        intact(&folder);
        assert!(
            step(&state) >= before && before > reached,
            "kill {kill}: {reached}, {before}, {}",
            step(&state)
        );
        reached = step(&state);
    }
    // To the end of the next epoch, and the same without any.
    let epochs = format!("epochs={}", reached / 375 + 2);
    let go = |args: &[&str]| {
        let o = p.run(args);
        assert_eq!(o.status.code(), Some(0), "{}", err(&o));
        (fs::read(folder.join("end.safetensors")).unwrap(), err(&o))
    };
    let (killed, said) = go(&[&args[..], &["--resume", "--set", &epochs]].concat());
    assert!(
        said.contains(&format!("epoch {}, batch {}", reached / 375 + 1, reached % 375 + 1)),
        "{reached}: {said}"
    );
    assert_eq!(go(&[&args[..], &["--set", &epochs]].concat()).0, killed);
}
