//! The program as a user starts it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;

use place::{Place, err, interrupt, out};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn exit_codes_tell_script_errors_from_wrong_usage() {
    let p = Place::new();
    p.script("ok.rhai", "print(1 + 1)");
    p.script("bad.rhai", "let x = 1;\nx.nothing()");
    let ok = p.run(&["run", "ok.rhai"]);
    assert_eq!((ok.status.code(), out(&ok).as_str()), (Some(0), "2\n"));
    assert!(!p.path().join("outputs").exists(), "a script that writes nothing leaves no folder");
    let bad = p.run(&["run", "bad.rhai"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(err(&bad).starts_with("bad.rhai:2:3: error: "), "{}", err(&bad));
    for usage in [&["run", "nowhere.rhai"][..], &["run", "ok.rhai", "--device", "gpu"], &["jump"]] {
        assert_eq!(p.run(usage).status.code(), Some(2), "{usage:?}");
    }
}

#[test]
fn settings_come_from_the_command_line() {
    let p = Place::new();
    p.script("s.rhai", "let lr = param(\"lr\", 1e-3, \"Learning rate.\"); print(lr * 2);");
    assert_eq!(out(&p.run(&["run", "s.rhai", "--set", "lr=0.25"])), "0.5\n");
    let help = p.run(&["run", "s.rhai", "--help"]);
    assert!(out(&help).contains("lr") && out(&help).contains("Learning rate."), "{}", out(&help));
    let typo = p.run(&["run", "s.rhai", "--set", "lrr=1"]);
    assert_ne!(typo.status.code(), Some(0));
    assert!(err(&typo).contains("lrr") && err(&typo).contains("lr"), "{}", err(&typo));
}

#[test]
fn writing_is_allowed_in_the_run_folder_only() {
    let p = Place::new();
    let other = tempfile::tempdir().unwrap();
    let target = other.path().join("x.png");
    std::os::unix::fs::symlink(other.path(), p.path().join("link")).unwrap();
    let bad =
        [target.display().to_string(), "../../../x.png".into(), format!("{}/link/x.png", p.path().display())];
    for to in &bad {
        p.script("w.rhai", &format!("image::filled(2, 2, \"red\").save({to:?})"));
        let o = p.run(&["run", "w.rhai"]);
        assert_eq!(o.status.code(), Some(1), "{to}");
        assert!(
            err(&o).contains("scripts may not write there") && err(&o).contains("--allow-write"),
            "{}",
            err(&o)
        );
    }
    assert!(!target.exists());
    let dir = other.path().display().to_string();
    p.script("w.rhai", &format!("image::filled(2, 2, \"red\").save({:?})", bad[0]));
    assert_eq!(p.run(&["run", "w.rhai", "--allow-write", &dir]).status.code(), Some(0));
    assert!(target.exists());
}

#[test]
fn a_run_leaves_its_record() {
    let p = Place::new();
    p.script("r.rhai", "print(\"hello\"); image::filled(2, 2, \"red\").save(\"a/b.png\");");
    assert_eq!(p.run(&["run", "r.rhai", "--seed", "5"]).status.code(), Some(0));
    let folder = p.path().join("outputs/r/latest");
    assert!(folder.join("a/b.png").exists());
    assert!(fs::read_to_string(folder.join("log.txt")).unwrap().contains("hello"));
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
    assert_eq!((&record["seed"], &record["result"]), (&5.into(), &"ok".into()), "{record}");
}

#[test]
fn errors_in_the_library_and_in_closures_are_placed() {
    let p = Place::new();
    p.script("l.rhai", "let net = nn::relu();\nvae::latent(net)");
    let e = err(&p.run(&["run", "l.rhai"]));
    assert!(e.contains("stdlib/vae.rhai:") && e.contains("in `latent`, called at l.rhai:2:6"), "{e}");
    p.script("d.rhai", "let t = [1, 2];\nt.for_each(|x| t.push(x))");
    let e = err(&p.run(&["run", "d.rhai"]));
    assert!(
        e.contains("a method's closure uses the value the method is called on") && e.contains("hint:"),
        "{e}"
    );
}

#[test]
fn ctrl_c_ends_an_endless_loop() {
    let p = Place::new();
    p.script("loop.rhai", "print(\"on\"); let i = 0; loop { i += 1; }");
    let mut child =
        p.command(&["run", "loop.rhai"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "on\n");
    interrupt(child.id());
    let begin = Instant::now();
    let o = child.wait_with_output().unwrap();
    assert_eq!(o.status.code(), Some(130), "{}", err(&o));
    assert!(begin.elapsed() < Duration::from_secs(20));
}

/// A training script: dropout draws from libtorch's generator, so that resuming must restore it.
const TRAIN: &str = r#"
let epochs = param("epochs", 4, "Passes.");
seed(1);
let data = data::from_tensors(tensor::randn([600, 8]), tensor::randint(0, 3, [600]));
let net = nn::sequential([["a", nn::linear(8, 16)], nn::dropout(0.3), nn::relu(), ["b", nn::linear(16, 3)]]);
let run = train::fit(net, data.take(500), #{val: data.subset(500..600), epochs: epochs, batch_size: 32,
                     optimizer: optim::adam(#{lr: 0.01})});
net.save("end.safetensors");
"#;

/// Two networks with two optimizers and a step of the script's own.
const VAE: &str = r#"
let net = vae::linear(#{size: [1, 4, 4], hidden: [8], latent: 2});
let pictures = data::from_tensors(seeded(1, || tensor::rand([48, 1, 4, 4])));
let o = #{epochs: param("epochs", 4), batch_size: 16, warm_up: 3, binarize: true, corrupt: |x| noise::masking(x, 0.3)};
vae::fit(net, pictures, o);
net.save("end.safetensors");
"#;

const STEP: &str = r#"
let epochs = param("epochs", 4, "Passes.");
seed(1);
let data = data::from_tensors(tensor::randn([300, 8]));
let enc = nn::sequential([nn::linear(8, 4), nn::dropout(0.2)]);
let dec = nn::linear(4, 8);
let a = optim::sgd(enc, #{lr: 0.05, momentum: 0.9});
let b = optim::adam(dec, #{lr: 0.01});
train::run(#{nets: #{enc: enc, dec: dec}, optimizers: #{a: a, b: b}, data: data, epochs: epochs, step: |batch, t| {
    let z = enc.forward(batch.input);
    let loss = loss::mse(dec.forward(z + tensor::randn([1]) * 0.1), batch.input);
    a.zero_grad(); b.zero_grad();
    loss.backward();
    a.step(); b.step();
    #{loss: loss}
}});
enc.save("enc.safetensors");
dec.save("dec.safetensors");
"#;

fn latest(p: &Place, name: &str, file: &str) -> Vec<u8> {
    fs::read(p.path().join("outputs").join(name).join("latest").join(file)).unwrap()
}

#[test]
fn two_epochs_and_two_resumed_equal_four() {
    let grown_up = TRAIN.replace(
        "optimizer: optim::adam(#{lr: 0.01})",
        "optimizer: optim::adam(#{lr: 0.01, groups: [#{layers: [\"b\"], lr: 0.02}]}), clip_norm: 1.0, accumulate: 2,
            schedule: sched::warmup(0.5, #{then: sched::cosine(#{t_max: 3.5})}), ema: 0.9",
    );
    assert_ne!(grown_up, TRAIN);
    for (text, files) in [
        (TRAIN, &["end.safetensors"][..]),
        (STEP, &["enc.safetensors", "dec.safetensors"]),
        (&grown_up, &["end.safetensors"]),
        (VAE, &["end.safetensors"]),
    ] {
        let p = Place::new();
        p.script("t.rhai", text);
        let go = |args: &[&str]| {
            let o = p.run(&[&["run", "t.rhai", "--threads", "1"], args].concat());
            assert_eq!(o.status.code(), Some(0), "{}", err(&o));
            err(&o)
        };
        go(&[]);
        let whole: Vec<_> = files.iter().map(|f| latest(&p, "t", f)).collect();
        go(&["--set", "epochs=2"]);
        assert_ne!(files.iter().map(|f| latest(&p, "t", f)).collect::<Vec<_>>(), whole);
        let said = go(&["--resume"]);
        assert!(said.contains("epoch 3"), "{said}");
        assert_eq!(files.iter().map(|f| latest(&p, "t", f)).collect::<Vec<_>>(), whole);
    }
}

#[test]
fn a_run_interrupted_in_an_epoch_goes_on_to_the_same_bits() {
    let p = Place::new();
    let text = TRAIN.replace("epochs: epochs,", "epochs: epochs, on_epoch: |t| print(`epoch ${t.epoch}`),");
    p.script(
        "t.rhai",
        &text
            .replace("[600, 8]", "[60000, 8]")
            .replace("[600]", "[60000]")
            .replace("500", "50000")
            .replace("600)", "60000)"),
    );
    let args = ["run", "t.rhai", "--threads", "1"];
    assert_eq!(p.run(&args).status.code(), Some(0));
    let whole = latest(&p, "t", "end.safetensors");
    let mut child = p.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    interrupt(child.id());
    let o = child.wait_with_output().unwrap();
    assert_eq!(o.status.code(), Some(130), "{}", err(&o));
    assert!(!p.path().join("outputs/t/latest/end.safetensors").exists());
    let o = p.run(&[&args[..], &["--resume"]].concat());
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    assert_eq!(latest(&p, "t", "end.safetensors"), whole);
}

#[test]
fn a_loss_that_is_no_number_stops_the_run() {
    let p = Place::new();
    p.script("t.rhai", &TRAIN.replace("lr: 0.01", "lr: 1e30"));
    let o = p.run(&["run", "t.rhai"]);
    assert_eq!(o.status.code(), Some(1));
    assert!(
        err(&o).contains("loss became") && err(&o).contains("at step") && err(&o).contains("hint:"),
        "{}",
        err(&o)
    );
}

#[test]
fn the_four_classifiers_run_in_their_tiny_size() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/classify_compare.rhai");
    let p = Place::new();
    let o = p.run(&["run", script, "--set", "size=tiny", "--threads", "1"]);
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    let folder = p.path().join("outputs/classify_compare/latest");
    for file in ["curves.png", "confusion.png", "mistakes.png", "run-4/best.safetensors"] {
        assert!(folder.join(file).metadata().unwrap().len() > 100, "{file}");
    }
    let table = fs::read_to_string(folder.join("table.md")).unwrap();
    assert_eq!(table.lines().count(), 6);
    assert!(
        table.starts_with("| network | training | test | gap |")
            && table.contains("| ImageNet, last layer |")
    );
}

#[test]
fn the_quick_start_runs_in_its_tiny_size() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/quickstart.rhai");
    let p = Place::new();
    let o = p.run(&["run", script, "--set", "size=tiny"]);
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    let folder = p.path().join("outputs/quickstart/latest");
    for file in
        ["accuracy.png", "grad_cam.png", "best.safetensors", "last.safetensors", "history.csv", "run.json"]
    {
        assert!(folder.join(file).metadata().unwrap().len() > 100, "{file}");
    }
    assert!(out(&o).contains("105,866 parameters"), "{}", out(&o));
}

#[test]
fn the_scripts_of_maps_run_in_their_tiny_size() {
    let p = Place::new();
    for (name, files, says) in [
        ("shortcut", ["maps.png", "energy.png", "energy.md"].as_slice(), "ground betrays 1.0: accuracy"),
        ("gradcam_layers", ["layers.png", "layers.svg", "energy.png"].as_slice(), "| relu4 | 0."),
        (
            "gradcam_epochs",
            ["grad_cam.png", "guided.png", "epochs.gif", "curves.png", "curves.md"].as_slice(),
            "| 2 | 0.",
        ),
        (
            "gradcam_models",
            ["grad_cam.png", "guided.png", "energy.png", "energy.md"].as_slice(),
            "| plain CNN | 0.",
        ),
        ("cam_zoo", ["zoo.png", "scores.md"].as_slice(), "random_cam "),
        ("sanity_check", ["cascading.png", "independent.png", "sanity.md"].as_slice(), "| conv1 | guided"),
    ] {
        p.tiny(name, &[], files, says);
    }
}

#[test]
fn the_scripts_of_vaes_run_in_their_tiny_size() {
    let p = Place::new();
    for (name, files, says) in [
        (
            "vae_mnist",
            ["digits.png", "dims.png", "table.md", "run-4/last.safetensors"].as_slice(),
            "| linear, squared error | -",
        ),
        (
            "area_cam_mnist",
            ["area.png", "sweep.gif", "outside.png", "outside.md"].as_slice(),
            "| convolutional | 0.",
        ),
        (
            "vae_merge_impute",
            ["merge.png", "impute.png", "impute.md", "mix.png", "traverse.png", "manifold.png"].as_slice(),
            "| lower half | 0.",
        ),
        ("dvae", ["denoised.png", "errors.md"].as_slice(), "| masking | "),
        ("cvae", ["style.png", "sampled.png", "table.md"].as_slice(), "| told the class | -"),
        (
            "latent_embedding",
            ["codes.png", "photos.png", "table.md"].as_slice(),
            "| codes, convolutional | 0.",
        ),
        ("vae_dogs", ["pictures.png", "way.png", "dims.png", "table.md"].as_slice(), "| convolutional | "),
        (
            "vae_gan",
            ["pictures.png", "game.png", "table.md", "vae.safetensors", "vae_gan.safetensors"].as_slice(),
            "| VAE-GAN, made up | ",
        ),
        (
            "area_cam_vae_gan",
            ["area.png", "layers.png", "sweep.gif", "explore.html", "outside.md"].as_slice(),
            "| untrained | 0.",
        ),
    ] {
        p.tiny(name, &[], files, says);
    }
}

#[test]
fn what_learns_to_draw_takes_photos() {
    let p = Place::new();
    p.script(
        "photos.rhai",
        "let drawn = data::critters(#{size: 24, classes: 2, train: 40, test: 2}).train;
         for i in 0..40 { drawn.picture(i).save(`photos/${drawn.labels[i]}/${i}.png`); }",
    );
    assert_eq!(p.run(&["run", "photos.rhai"]).status.code(), Some(0));
    let photos = format!("root={}", p.path().join("outputs/photos/latest/photos").display());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/vae_gan.rhai");
    let o = p.run(&["run", script, "--set", "size=tiny", "--set", &photos, "--threads", "1"]);
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    assert!(out(&o).contains("| VAE-GAN, made up | "), "{}", out(&o));
}
