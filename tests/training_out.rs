//! What a training run shows and leaves: event files, the lines on a terminal, states to resume from; and the scripts of the
//! study's classifiers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/place.rs"]
mod place;
#[path = "support/tensorboard.rs"]
mod tensorboard;
#[path = "support/terminal.rs"]
mod terminal;

use place::{Place, err, interrupt, out};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

/// Reads an event file with TensorBoard's own reader.
const READER: &str = "
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1]); a.Reload()
print(json.dumps({t: [[e.step, e.value, e.wall_time] for e in a.Scalars(t)] for t in a.Tags()['scalars']}))
";

const EVENTS: &str = r#"
let data = data::from_tensors(seeded(1, || tensor::rand([30, 4])), tensor::zeros([30]).long());
train::fit(nn::linear(4, 2), data, #{epochs: param("epochs", 3), optimizer: optim::adam(), val: data.take(9), tensorboard: true});
"#;

#[test]
fn tensorboard_reads_the_history() {
    let p = Place::new();
    p.script("t.rhai", EVENTS);
    let folder = p.path().join("outputs/t/latest");
    let go = |args: &[&str]| assert_eq!(p.run(&[&["run", "t.rhai"], args].concat()).status.code(), Some(0));
    let read = || -> serde_json::Value {
        let o = tensorboard::python().args(["-c", READER]).arg(&folder).output().unwrap();
        assert!(o.status.success(), "{}", err(&o));
        serde_json::from_slice(&o.stdout).unwrap()
    };
    go(&[]);
    let first = read();
    go(&["--resume", "--set", "epochs=5"]);
    let all = read();
    let csv = fs::read_to_string(folder.join("history.csv")).unwrap();
    let mut rows = csv.lines().map(|l| l.split(',').map(str::to_string).collect::<Vec<_>>());
    let columns = rows.next().unwrap();
    let rows: Vec<_> = rows.collect();
    assert_eq!((rows.len(), all.as_object().unwrap().len()), (5, columns.len() - 1));
    for (tag, column) in
        [("loss/train", "train_loss"), ("accuracy/val", "val_accuracy"), ("lr", "lr"), ("seconds", "seconds")]
    {
        let at = columns.iter().position(|c| c == column).unwrap();
        let events = all[tag].as_array().unwrap();
        assert_eq!(events.len(), 5, "{tag}");
        for (i, (event, row)) in events.iter().zip(&rows).enumerate() {
            assert_eq!(event[0], i + 1);
            assert!(
                (event[1].as_f64().unwrap() - row[at].parse::<f64>().unwrap()).abs() < 1e-6,
                "{tag}: {event}"
            );
        }
        // What was there before the resumed part has not moved.
        assert_eq!(events[..3], first[tag].as_array().unwrap()[..], "{tag}");
    }
}

const LONG: &str = r#"
let data = data::from_tensors(tensor::rand([800, 400]), tensor::zeros([800]).long());
train::fit(nn::linear(400, 2), data, #{epochs: 1000, batch_size: 4, optimizer: optim::adam(), val: data.take(9), save: false});
"#;

#[test]
fn a_terminal_shows_how_the_measures_went() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("t.rhai");
    fs::write(&script, LONG).unwrap();
    let t = terminal::Terminal::start(
        &format!("run {} --out {}", script.display(), folder.path().display()),
        &[],
    );
    let text = t.until("  accuracy  train ");
    let line =
        text.lines().find(|l| l.trim_start().starts_with("loss  ")).unwrap_or_else(|| panic!("{text}"));
    // Two values of one scale are its ends.
    assert!(line.contains("train ") && line.contains("  val "), "{text}");
    assert!(line.contains('█') && line.contains('▁'), "{text}");
    t.keys(&["C-c"]);
    t.ended();
}

/// All that draws or remembers at once: augmentation on several threads, a schedule, averages, bfloat16, a frozen part
/// whose features are kept.
const GROWN_UP: &str = r#"
let epochs = param("epochs", 6, "Passes.");
seed(1);
let drawn = data::critters(#{size: 24, classes: 3, train: 36, test: 12});
let net = models::plain_cnn(#{classes: 3, width: 4, bn_dropout: true});
FREEZE
train::fit(net, drawn.train, #{val: drawn.test, epochs: epochs, batch_size: 8, workers: 2, ema: 0.9, clip_norm: 1.0, AUGMENT
    optimizer: optim::adam(#{lr: 0.01}), schedule: sched::warmup(1, #{then: sched::cosine(#{t_max: 6})}), PRECISION});
net.save("end.safetensors");
"#;

#[test]
fn three_epochs_and_three_resumed_equal_six() {
    let augment =
        "augment: augment::compose([augment::random_resized_crop(24), augment::color_jitter(0.2)]),";
    let frozen = "net.freeze_all_but(\"fc\");";
    let bf16 = "precision: \"bf16\"";
    for (freeze, augment, precision) in [
        ("", augment, ""),
        ("", augment, bf16),
        (frozen, "", ""),
        (frozen, "", bf16),
        (frozen, augment, bf16),
    ] {
        let p = Place::new();
        let text =
            GROWN_UP.replace("FREEZE", freeze).replace("AUGMENT", augment).replace("PRECISION", precision);
        p.script("t.rhai", &text);
        let go = |args: &[&str]| {
            let o = p.run(&[&["run", "t.rhai", "--threads", "1"], args].concat());
            assert_eq!(o.status.code(), Some(0), "{}", err(&o));
            fs::read(p.path().join("outputs/t/latest/end.safetensors")).unwrap()
        };
        let whole = go(&[]);
        assert_ne!(go(&["--set", "epochs=3"]), whole);
        assert_eq!(go(&["--resume"]), whole, "{freeze} {augment} {precision}");
    }
}

#[test]
fn scripts_of_classifiers_run_in_their_tiny_size() {
    let p = Place::new();
    for (name, files, says) in [
        (
            "classify_plain",
            ["curves.png", "table.md", "confusion.png", "mistakes.png"].as_slice(),
            "| plain CNN | ",
        ),
        (
            "classify_bn_dropout",
            ["curves.png", "table.md", "run-3/best.safetensors"].as_slice(),
            "| batch norm, dropout | ",
        ),
        (
            "classify_augment",
            ["curves.png", "preview.png", "gaps.png"].as_slice(),
            "| crop + colour + affine | ",
        ),
        (
            "classify_transfer",
            ["curves.png", "confusion.png"].as_slice(),
            "| efficientnet_lite0, last layer | ",
        ),
    ] {
        p.tiny(name, &[], files, says);
    }
    // Photos, several seeds, and a size of its own for the network that knows ImageNet.
    p.script(
        "photos.rhai",
        "let drawn = data::critters(#{size: 24, classes: 2, train: 40, test: 2}).train;
         for i in 0..40 { drawn.picture(i).save(`photos/${drawn.labels[i]}/${i}.png`); }",
    );
    assert_eq!(p.run(&["run", "photos.rhai"]).status.code(), Some(0));
    let photos = format!("root={}", p.path().join("outputs/photos/latest/photos").display());
    let more = ["--set", &photos, "--set", "seeds=2", "--set", "px=16", "--set", "transfer_px=32"];
    p.tiny("classify_compare", &more, &["table.md"], "| plain CNN | ");
    let table = fs::read_to_string(p.path().join("outputs/classify_compare/latest/table.md")).unwrap();
    assert!(table.starts_with("| network | training | test | gap | test of each | gap of each |"), "{table}");
    assert_eq!(table.lines().count(), 6);
}

const OWN_STEP: &str = r#"
let all = data::from_tensors(tensor::rand([8, 1]), tensor::zeros([8]));
let net = nn::linear(1, 1);
let opt = optim::sgd(net);
train::run(#{nets: net, optimizers: opt, data: all, epochs: 1, batch_size: 1, step: |batch, t| {
    let begin = timestamp();
    while begin.elapsed < 0.3 {}
    let loss = net.forward(batch.input).square().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    print(t.steps);
    #{loss: loss}
}});
"#;

/// Ctrl-C in the midst of a script's own step: the step is done whole, and nothing is done twice.
#[test]
fn ctrl_c_waits_for_the_end_of_a_step() {
    let p = Place::new();
    p.script("own.rhai", OWN_STEP);
    let mut child =
        p.command(&["run", "own.rhai"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut done: Vec<String> = lines.by_ref().take(3).collect();
    std::thread::sleep(Duration::from_millis(100));
    interrupt(child.id());
    done.extend(lines);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(done, ["0", "1", "2", "3"]);
    let o = p.run(&["run", "own.rhai", "--resume"]);
    assert!(o.status.success(), "{}", err(&o));
    assert_eq!(out(&o).lines().collect::<Vec<_>>(), ["4", "5", "6", "7"]);
}

/// Steps of a tenth of a second, in a script of one long epoch.
const SLOW: &str = r#"
let net = nn::linear(2, 1);
let opt = optim::sgd(net, #{lr: 0.1});
train::run(#{nets: net, optimizers: opt, data: data::from_tensors(tensor::rand([400, 2])), epochs: 1, batch_size: 1,
    step: |batch, t| {
        let begin = timestamp();
        while begin.elapsed < 0.1 { let x = batch.input + 1; }
        #{loss: net.forward(batch.input).sum()}
    }});
"#;

#[test]
fn a_limit_of_time_waits_for_the_end_of_a_step() {
    let p = Place::new();
    p.script("slow.rhai", SLOW);
    let o = p.run(&["run", "slow.rhai", "--max-time", "4", "--threads", "1"]);
    assert!(err(&o).contains("stopped: --max-time 4 s is over"), "{}", err(&o));
    assert!(p.path().join("outputs/slow/latest/resume.safetensors").exists());
    let o = p.run(&["run", "slow.rhai", "--max-time", "4", "--threads", "1", "--resume"]);
    let text = err(&o) + &out(&o);
    assert!(text.contains("at epoch 1, batch ") && !text.contains("batch 1\n"), "{text}");
}

const CALLBACKS: &str = r#"
let data = data::from_tensors(tensor::rand([20, 4]), tensor::zeros([20]).long());
let go = |options| {
    let net = nn::sequential([nn::linear(4, 8), nn::dropout(0.5), nn::linear(8, 2)]);
    let x = tensor::ones([1, 4]);
    train::fit(net, data, #{epochs: 1, optimizer: optim::adam(), name: "twin",
        on_epoch: |t| print((net.forward(x) - net.forward(x)).abs().max().item())} + options)
};
go.call(#{});
go.call(#{val: data});
"#;

#[test]
fn callbacks_see_networks_as_they_are_used_and_names_keep_apart() {
    let p = Place::new();
    p.script("t.rhai", &CALLBACKS.replace("go", "attempt"));
    let o = p.run(&["run", "t.rhai", "--threads", "1", "--quiet"]);
    assert_eq!(out(&o), "0.0\n0.0\n", "{}", err(&o));
    for folder in ["twin", "twin-2"] {
        assert!(p.path().join("outputs/t/latest").join(folder).join("last.safetensors").exists());
    }
    let few = "train::fit(nn::linear(4, 2), data::from_tensors(tensor::rand([20, 4]), tensor::zeros([20]).long()), \
               #{epochs: 1, optimizer: optim::adam(), drop_last: true})";
    p.script("few.rhai", few);
    let o = p.run(&["run", "few.rhai"]);
    assert!(err(&o).contains("20 items make no batch of 64"), "{}", err(&o));
}

/// An epoch long enough for its state to be written before what comes after it.
const ENDS: &str = r#"
let fails = param("fails", true, "No luck.");
let net = nn::linear(2, 1);
let opt = optim::sgd(net, #{lr: 0.1});
train::run(#{nets: net, optimizers: opt, data: data::from_tensors(tensor::rand([60, 2])), epochs: 1, batch_size: 1,
    step: |batch, t| {
        let begin = timestamp();
        while begin.elapsed < 0.1 { let x = batch.input + 1; }
        opt.zero_grad();
        let loss = net.forward(batch.input).square().sum();
        loss.backward();
        opt.step();
        #{loss: loss}
    },
    on_epoch: |t| {
        print(net.parameters()["weight"].sum().item());
        if fails { throw "no luck"; }
    }});
"#;

#[test]
fn what_stops_after_an_epoch_loses_none_of_it() {
    let p = Place::new();
    p.script("ends.rhai", ENDS);
    let run = |more: &[&str]| p.run(&[&["run", "ends.rhai", "--threads", "1"], more].concat());
    let first = run(&[]);
    assert!(err(&first).contains("no luck"), "{}", err(&first));
    let file = p.path().join("outputs/ends/latest/run.json");
    let record = || serde_json::from_str::<serde_json::Value>(&fs::read_to_string(&file).unwrap()).unwrap();
    let mut old = record();
    old["seconds"] = 1000.0.into();
    fs::write(&file, old.to_string()).unwrap();
    let then = run(&["--resume", "--set", "fails=false"]);
    assert!(then.status.success(), "{}", err(&then));
    let text = err(&then) + &out(&then);
    assert!(text.contains("at epoch 1, batch 61"), "{text}");
    let number = |text: String| text.lines().find(|l| l.parse::<f64>().is_ok()).map(str::to_string);
    assert!(number(out(&first)).is_some());
    assert_eq!(number(out(&then)), number(out(&first)));
    assert!(record()["seconds"].as_f64().unwrap() > 1000.0, "{}", record());
}
