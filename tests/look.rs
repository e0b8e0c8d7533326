//! `cs385 look`, and the files it reads: networks that tell how they are built.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cs385::bindings::guard::ScriptError;
use cs385::core::func::Func;
use cs385::core::safetensors;
use cs385::nn::{About, Net};
use cs385::registry::session::{Session, Start, engine, scratch};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

/// Runs each line of a script in one session, in a folder of its own, and gives what the last one shows.
fn last(lines: &str) -> Result<String, String> {
    // The generator of random numbers belongs to the process, and one of the tests watches it: one script at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = Rc::new(engine().unwrap());
    let folder = scratch().unwrap();
    Start::test(folder.path().into()).begin().unwrap();
    let mut session = Session::new(engine.clone(), "test");
    let value = session.eval(lines).map_err(|e| message(&e))?;
    Ok(cs385::registry::session::show(&engine, &value))
}

fn message(e: &rhai::EvalAltResult) -> String {
    match e {
        rhai::EvalAltResult::ErrorRuntime(value, _) => value
            .read_lock::<ScriptError>()
            .map_or(e.to_string(), |e| format!("{} ({})", e.msg, e.hint.clone().unwrap_or_default())),
        e => e.to_string(),
    }
}

/// One of every layer there is, with settings that are not the usual ones.
const LAYERS: &str = r#"
    nn::conv2d(4, 8, [3, 5], #{stride: [1, 2], padding: [1, 2], dilation: 2, groups: 2, bias: false}),
    nn::conv2d(4, 8, 3, #{padding: "same"}),
    nn::conv_transpose2d(4, 2, 3, #{stride: 2, padding: 1, output_padding: 1, bias: false, groups: 2}),
    nn::conv2d(4, 3, 3, #{stride: 2, padding: "tf_same"}),
    nn::linear(6, 3, #{bias: false}), nn::embedding(5, 2), nn::dropout(0.25), nn::dropout2d(0.125), nn::identity(),
    nn::flatten(2, 3), nn::unflatten([2, 2]), nn::upsample(2, #{mode: "bilinear", align_corners: true}),
    nn::batch_norm1d(4, #{eps: 1e-3, affine: false}), nn::batch_norm2d(4, #{momentum: 0.25}),
    nn::batch_norm2d(4, #{track_running_stats: false}), nn::layer_norm([6, 6], #{eps: 0.5}), nn::layer_norm(6),
    nn::group_norm(2, 4, #{affine: false}), nn::instance_norm2d(4, #{affine: true}),
    nn::max_pool2d(3, #{stride: 2, padding: 1, ceil_mode: true}), nn::avg_pool2d([2, 3]),
    nn::adaptive_avg_pool2d([1, 2]), nn::adaptive_max_pool2d(1), nn::prelu(#{num_parameters: 4}),
    nn::elu(0.5), nn::gelu(), nn::hardswish(), nn::hardtanh(-2.0, 3.0), nn::leaky_relu(0.2), nn::log_softmax(-1),
    nn::mish(), nn::relu(), nn::relu6(), nn::selu(), nn::sigmoid(), nn::silu(), nn::softmax(2), nn::softplus(),
    nn::softsign(), nn::tanh(),
    nn::residual(nn::conv2d(4, 4, 1), #{shortcut: nn::sequential([["a \"b\"", nn::identity()]])}),
    nn::residual(nn::relu()), nn::bilinear_upsample(2, 3),
"#;

#[test]
fn every_layer_comes_back_as_it_was() {
    let layer =
        |f: &&Func| f.home == "nn" && f.ret == "Net" && !["custom", "sequential", "load"].contains(&f.name());
    let (mut all, mut missing) = (LAYERS.to_string(), Vec::new());
    for f in Func::all().into_iter().filter(layer) {
        match f.required() {
            0 => all += &format!("nn::{}(), ", f.name()),
            _ if LAYERS.contains(&format!("nn::{}(", f.name())) => {}
            _ => missing.push(f.path()),
        }
    }
    assert!(missing.is_empty(), "add to LAYERS: {missing:?}");
    let text = format!(
        "let all = [{all}];
         let wrong = [];
         for layer in all {{
             let net = nn::sequential([[\"x\", layer]]);
             net.save(\"n.safetensors\");
             let same = nn::load(\"n.safetensors\");
             if same.to_string() != net.to_string() || same.recipe() != net.recipe() {{ wrong.push(net.recipe()); }}
         }}
         [all.len() > 60, wrong]"
    );
    assert_eq!(last(&text).unwrap(), "[true, []]");
}

#[test]
fn a_loaded_network_computes_the_same_and_draws_no_numbers() {
    let text = r#"
        let net = nn::sequential([["c", nn::conv2d(3, 4, 3)], ["b", nn::batch_norm2d(4)],
            ["r", nn::residual(nn::sequential([nn::conv2d(4, 4, 3, #{padding: 1}), nn::relu()]))],
            ["p", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()], ["l", nn::linear(4, 5)]]);
        net.train().forward(tensor::randn([4, 3, 8, 8]));
        net.train(false).save("n.safetensors", #{size: [8, 9], mean: [0.5], std: [0.25], classes: ["a", "b"]});
        seed(3);
        let wanted = tensor::rand([3]);
        seed(3);
        let same = nn::load("n.safetensors");
        let x = tensor::ones([2, 3, 8, 8]);
        [tensor::rand([3]).equal(wanted), same.forward(x).equal(net.forward(x)), same.count_parameters() == net.count_parameters()]
    "#;
    assert_eq!(last(text).unwrap(), "[true, true, true]");
}

#[test]
fn a_forward_pass_of_a_script_needs_its_script() {
    let text = r#"
        let enc = nn::custom(#{l: nn::linear(2, 2)}, |m, x| m.l.forward(x));
        let net = nn::sequential([["first", nn::relu()], ["enc", enc]]);
        net.save("n.safetensors");
        net.load("n.safetensors");
        nn::load("n.safetensors")
    "#;
    let e = last(text).unwrap_err();
    assert!(e.contains("layer `enc`, of kind Custom, cannot be built without its script"), "{e}");
    assert!(e.contains("net.load(path)"), "{e}");
}

fn write(path: &Path, pairs: &[(&str, &str)]) {
    let t = tch::Tensor::ones([2, 3], tch::kind::FLOAT_CPU);
    let metadata: BTreeMap<String, String> =
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    safetensors::write(path, &[("weight".to_string(), t)], &metadata).unwrap();
}

#[test]
fn hostile_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.safetensors");
    let open = |pairs: &[(&str, &str)]| {
        write(&path, pairs);
        Net::open(&path)
            .map(|(net, about)| (net.tree(), about))
            .map_err(|e| format!("{} ({})", e.msg, e.hint.unwrap_or_default()))
    };
    let (tree, about) = open(&[("cs385.net", "nn::linear(3, 2, #{bias: false})")]).unwrap();
    assert!(tree.starts_with("Linear(in_features=3") && about == About::default());
    for (recipe, words) in [
        ("nn::linear(3, 2)", "1 missing (bias)"),
        ("nn::linear(100000, 100000)", "the network described is larger than its file"),
        ("nn::batch_norm2d(4000000000000, #{affine: false})", "larger than its file"),
        ("nn::conv2d(3037000500, 3037000500, 3037000500)", "larger than its file"),
        ("nn::load(\"n.safetensors\")", "`nn::load`, which builds no layer here"),
        ("image::open(\"/etc/passwd\")", "builds no layer here"),
        ("[nn::relu()]", "expected Net, got list of 1"),
        ("nn::custom(#{}, |m, x| exit())", "expected a value"),
    ] {
        let e = open(&[("cs385.net", recipe)]).unwrap_err();
        assert!(e.contains(words) && e.starts_with(&path.display().to_string()), "{recipe}: {e}");
    }
    let e =
        open(&[("cs385.net", "nn::linear(3, 2, #{bias: false})"), ("cs385.size", "[0, -1]")]).unwrap_err();
    assert!(e.contains("cs385.size"), "{e}");
    let e = open(&[]).unwrap_err();
    assert!(e.contains("does not tell how its network is built (build the network in a script"), "{e}");
    let e = Net::open(&folder.path().join("n.pth")).err().unwrap();
    assert!(e.msg.contains("only .safetensors files tell"), "{}", e.msg);
    let e = Net::open(&folder.path().join("no.safetensors")).err().unwrap();
    assert!(e.msg.ends_with("no such file or folder"), "{}", e.msg);
}

struct Place(tempfile::TempDir);

impl Place {
    /// A folder with a network for the script's pictures, and a picture with a bright square at the lower right.
    fn new(script: &str) -> Self {
        let p = Place(tempfile::tempdir().unwrap());
        fs::write(p.path("net.rhai"), script).unwrap();
        let o = p.run(&["run", "net.rhai", "--allow-write", "."]);
        assert!(o.status.success(), "{}", err(&o));
        p
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn run(&self, args: &[&str]) -> Output {
        let mut c = Command::new(env!("CARGO_BIN_EXE_cs385"));
        c.args(args).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap()
    }
    fn look(&self, args: &[&str]) -> Output {
        self.run(&[&["look"], args].concat())
    }
}

fn out(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

fn err(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}

/// Class 1 grows with the brightness anywhere, class 0 shrinks.
const GREY: &str = r#"
    let net = nn::sequential([["conv", nn::conv2d(1, 1, 1)], ["act", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
                              ["flat", nn::flatten()], ["fc", nn::linear(1, 2)]]);
    let p = net.parameters();
    p["conv.weight"].detach().fill_(1.0); p["conv.bias"].detach().fill_(0.0);
    p["fc.weight"].detach().copy_(tensor::of([[-4.0], [4.0]])); p["fc.bias"].detach().fill_(0.0);
    net.save("../../../net.safetensors", #{size: 16, classes: ["dark", "bright"]});
    net.save("../../../plain.safetensors");
    let img = image::filled(16, 16, "black").pad(0, "black");
    image::hstack([image::vstack([img, img]), image::vstack([img, image::filled(16, 16, "white")])]).save("../../../p.png");
"#;

#[test]
fn look_explains_a_picture_without_a_script() {
    let p = Place::new(GREY);
    let o = p.look(&["p.png", "--net", "net.safetensors", "--layer", "act"]);
    assert_eq!(err(&o), "");
    assert_eq!(
        out(&o),
        "input   grey, as layer `conv` takes 1 channel\n        16 × 16 pixels (from the file)\n        \
         values 0 to 1, not normalised\nscores  1 bright   88.1 %\n        0 dark     11.9 %\n\
         map     grad_cam at `act` for 1 bright -> look.png\n"
    );
    let seen = image::open(p.path("look.png")).unwrap().into_rgb8();
    assert_eq!(seen.dimensions(), (224, 224));
    let ([r, g, b], [r0, _, b0]) = (seen.get_pixel(180, 180).0, seen.get_pixel(20, 20).0);
    assert!(r > 180 && r > b + 50 && r > g + 50, "{r} {g} {b}");
    assert!(b0 > 40 && r0 < 10, "{r0} {b0}");
    // What the command line says goes before what the file says.
    let args = ["p.png", "--net", "net.safetensors", "--layer", "conv", "--class", "dark", "--out", "o.png"];
    let o = p.look(&[&args[..], &["--size", "8x4", "--mean", "-0.5", "--std", "2"]].concat());
    let text = out(&o);
    assert!(
        text.contains("4 × 8 pixels (--size)") && text.contains("mean [-0.5], deviation [2.0] (--mean"),
        "{text}"
    );
    assert!(text.contains("at `conv` for 0 dark -> o.png") && p.path("o.png").exists(), "{text}{}", err(&o));
    let o = p.look(&["p.png", "--net", "plain.safetensors", "--layer", "act", "--cam", "hires_cam"]);
    let text = out(&o);
    assert!(
        text.contains("32 × 32 pixels (the picture's own)") && text.contains("scores  class 1  "),
        "{text}"
    );
}

#[test]
fn look_says_what_does_not_fit() {
    let p = Place::new(GREY);
    fs::write(p.path("t.txt"), "no picture").unwrap();
    for (args, words) in [
        (&["no.png", "--net", "net.safetensors", "--layer", "act"][..], "no.png: no such file"),
        (&["t.txt", "--net", "net.safetensors", "--layer", "act"], "not a picture"),
        (&["p.png", "--net", "no.safetensors", "--layer", "act"], "no.safetensors: no such file"),
        (&["p.png", "--net", "p.png", "--layer", "act"], "only .safetensors files"),
        (
            &["p.png", "--net", "net.safetensors", "--layer", "atc"],
            "unknown layer `atc`; did you mean `act`?",
        ),
        (
            &["p.png", "--net", "net.safetensors", "--layer", "act", "--class", "2"],
            "there is no class 2: the network knows 0 to 1",
        ),
        (
            &["p.png", "--net", "net.safetensors", "--layer", "act", "--class", "brigth"],
            "did you mean `bright`?",
        ),
        (
            &["p.png", "--net", "net.safetensors", "--layer", "act", "--cam", "gradcam"],
            "did you mean `grad_cam`?",
        ),
        (&["p.png", "--net", "net.safetensors", "--layer", "fc"], "feature map"),
        (
            &["p.png", "--net", "net.safetensors", "--layer", "act", "--mean", "1,2,3", "--std", "1,1,1"],
            "1 or 1 numbers",
        ),
        (&["p.png", "--net", "net.safetensors", "--layer", "act", "--out", "x.tiff"], "tiff"),
    ] {
        let o = p.look(args);
        assert_eq!(o.status.code(), Some(1), "{args:?}: {}", out(&o));
        assert!(err(&o).contains(words), "{args:?}: {}", err(&o));
    }
    let o = p.look(&["p.png", "--net", "net.safetensors", "--layer", "act", "--size", "0"]);
    assert!(o.status.code() == Some(2) && err(&o).contains("HEIGHTxWIDTH"), "{}", err(&o));
    assert!(!p.path("look.png").exists());
}

#[test]
fn training_leaves_files_that_look_opens() {
    let p = Place::new(
        r#"
        let d = data::from_tensors(tensor::rand([20, 3, 8, 8]), tensor::randint(0, 2, [20]), #{classes: ["cat", "dog"]});
        let d = d.normalized([0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
        let net = nn::sequential([["c", nn::conv2d(3, 4, 3)], ["g", nn::adaptive_avg_pool2d(1)], ["f", nn::flatten()],
                                  ["l", nn::linear(4, 2)]]);
        train::fit(net, d, #{epochs: 1, optimizer: optim::adam(net, #{lr: 1e-3})});
        image::filled(300, 200, "orange").save("../../../p.png");
        "#,
    );
    let o = p.look(&["p.png", "--net", "outputs/net/latest/last.safetensors", "--layer", "c"]);
    let text = out(&o);
    assert!(
        text.contains("8 × 8 pixels (from the file)") && text.contains("mean [0.5, 0.5, 0.5]"),
        "{text}{}",
        err(&o)
    );
    assert!(text.contains(" cat ") && text.contains("3 channels"), "{text}");
    // The middle, as `data::folder` cuts it.
    assert!(text.contains("of the middle 200 × 200 of the picture's 300 × 200"), "{text}");
    assert_eq!(image::open(p.path("look.png")).unwrap().width(), 200);
}
