//! What networks do besides computing: taps and hooks, names, freezing, checkpoints.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::{Value, run};
use cs385::nn::{Fast, Net};
use safetensors::{Dtype, SafeTensors};
use support::{Script, close, fixture, oracle};
use tch::{Kind, Tensor};

const FLOAT: (Kind, tch::Device) = tch::kind::FLOAT_CPU;

/// The net of oracles/checkpoint/make.py, its names as PyTorch's.
const NET: &str = r#"nn::sequential([
    ["conv1", nn::conv2d(3, 4, 3)], ["bn1", nn::batch_norm2d(4)], ["act", nn::relu()],
    ["layer1", nn::sequential([nn::sequential([["conv", nn::conv2d(4, 4, 3, #{padding: 1})], ["bn", nn::batch_norm2d(4)]])])],
    ["gap", nn::adaptive_avg_pool2d(2)], ["flat", nn::flatten()], ["fc", nn::linear(16, 5)]])"#;

const TWO: &str =
    r#"let net = nn::sequential([["a", nn::linear(2, 2)], ["act", nn::relu()], ["b", nn::linear(2, 2)]]);"#;

/// A script with `x` of shape [1, 2].
fn script() -> Script {
    let mut s = Script::new();
    s.tensor("x", &Tensor::ones([1, 2], FLOAT));
    s
}

fn integers(v: &Value) -> Vec<i64> {
    match v {
        Value::List(l) => {
            l.iter().map(|v| if let Value::Int(i) = v { *i } else { panic!("{}", v.describe()) }).collect()
        }
        other => panic!("{}", other.describe()),
    }
}

fn strings(v: &Value) -> Vec<String> {
    match v {
        Value::List(l) => l
            .iter()
            .map(|v| if let Value::Str(s) = v { s.clone() } else { panic!("{}", v.describe()) })
            .collect(),
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn hooks_observe_replace_and_go() {
    let mut s = script();
    let seen = s.eval(&format!(
        "{TWO} let n = 0; let h = net.on_forward(\"a\", |out| {{ n += 1; }});
         net.forward(x); net.forward(x); h.remove(); net.forward(x); h.remove(); [n]"
    ));
    assert_eq!(integers(&seen), [2]);
    // Each hook sees what the one before left; the layers behind compute with it.
    let out = s.eval_tensor(&format!(
        "{TWO} net.on_forward(\"act\", |out| out * 0 + 2); net.on_forward(\"act\", |out| out * 3);
         net.forward(x) - net.part(\"b\").forward(x * 6)"
    ));
    close("output", &out, &Tensor::zeros([1, 2], FLOAT), 1e-6);
    // A replaced output carries gradients.
    let net: Net = s.eval_object(&format!("{TWO} net"));
    let loss = s
        .set("net", Value::object(net.clone()))
        .eval_tensor("net.on_forward(\"a\", |out| out * 2); net.forward(x)");
    loss.sum(Kind::Float).backward();
    assert!(net.parameters(true).iter().all(|(_, t)| t.grad().defined()));
}

#[test]
fn hooks_name_what_is_wrong() {
    let mut s = script();
    s.tensor("row", &Tensor::ones([1, 3], FLOAT));
    let hook = |f: &str| format!("{TWO} net.on_forward(\"act\", |out| {f}); net.forward(x)");
    s.fails(&hook("row"), &["hook on layer `act` returned [1, 3], the output is [1, 2]"]);
    s.fails(&hook("3"), &["hook on layer `act` returned integer 3", "()"]);
    s.fails(&hook("throw \"no thanks\""), &["no thanks"]);
    s.fails(
        &format!("{TWO} net.on_forward(\"acts\", |out| out)"),
        &["unknown layer `acts`", "did you mean `act`?", "a, act, b"],
    );
    s.fails(&format!("{TWO} net.capture(x, [\"a\", \"c\"])"), &["unknown layer `c`", "a, act, b"]);
    s.fails(&format!("{TWO} net.part(\"a.weight\")"), &["unknown layer `a.weight`"]);
}

#[test]
fn captures_reach_into_every_kind_of_network() {
    let mut s = script();
    let out = s.eval(
        r#"let inner = nn::sequential([["fc", nn::linear(2, 2)], ["act", nn::tanh()]]);
           let block = nn::residual(inner);
           let net = nn::sequential([["top", nn::custom(#{block: block, end: nn::linear(2, 3)}, |m, x| m.end.forward(m.block.forward(x)))]]);
           let seen = net.capture(x, ["top.block.body.fc", "top.block.body.act", "top.block", "top.end", "top"]);
           seen.names = net.layers(true);
           seen.out = net.forward(x);
           seen.fc = inner.part("fc").forward(x);
           seen"#,
    );
    let Value::Map(m) = out else { panic!("{}", out.describe()) };
    let t = |k: &str| support::tensor(&m[k]);
    close("fc", &t("top.block.body.fc"), &t("fc"), 0.0);
    close("act", &t("top.block.body.act"), &t("fc").tanh(), 1e-6);
    close("block", &t("top.block"), &(t("fc").tanh() + 1.0), 1e-6);
    close("end", &t("top.end"), &t("out"), 0.0);
    close("top", &t("top"), &t("out"), 0.0);
    let names = ["top", "top.block", "top.block.body", "top.block.body.fc", "top.block.body.act", "top.end"];
    assert_eq!(strings(&m["names"]), names);
}

#[test]
fn custom_networks_have_names_modes_and_state() {
    let mut s = script();
    let net: Net = s.eval_object(
        r#"nn::custom(#{enc: nn::sequential([["fc", nn::linear(2, 3)]]), drop: nn::dropout(1.0)},
                      |m, x| #{code: m.enc.forward(x), dropped: m.drop.forward(x)})"#,
    );
    let names: Vec<String> = net.state().unwrap().into_iter().map(|n| n.0).collect();
    assert_eq!(names, ["enc.fc.weight", "enc.fc.bias"]);
    let make = r#"let net = nn::custom(#{enc: nn::linear(2, 3), drop: nn::dropout(1.0)}, |m, x| m.drop.forward(m.enc.forward(x)));"#;
    close(
        "training",
        &s.eval_tensor(&format!("{make} net.train().forward(x)")),
        &Tensor::zeros([1, 3], FLOAT),
        0.0,
    );
    assert!(s.eval_tensor(&format!("{make} net.forward(x)")).abs().sum(Kind::Float).double_value(&[]) > 0.0);
    let Value::Str(text) = s.eval(&format!("{make} net.summary([2])")) else { panic!("no text") };
    for part in
        ["enc", "drop", "Linear", "[1, 3]", "9 parameters, 9 of them trainable; input [1, 2], output [1, 3]"]
    {
        assert!(text.contains(part), "{text}");
    }
    s.fails("nn::custom(#{a: 3}, |m, x| x)", &["part `a`", "expected Net", "integer 3"]);
    s.fails("nn::sequential([[\"a\", nn::relu()], [\"a\", nn::relu()]])", &["two layers are called `a`"]);
    s.fails("nn::relu().named(\"a.b\")", &["holds no dot", "a.b"]);
    s.fails(
        "nn::custom(#{fc: nn::linear(3, 2)}, |m, x| m.fc.forward(x)).forward(x)",
        &["layer `fc`, Linear(in_features=3", "[1, 2]"],
    );
    s.fails(
        "nn::sequential([[\"body\", nn::sequential([nn::relu(), nn::linear(3, 2)])]]).forward(x)",
        &[
            "layer `body.1`, Linear(in_features=3, out_features=2, bias=True), given Tensor [1, 2]",
            "(1x2 and 3x2)",
        ],
    );
    s.fails(
        "nn::sequential([nn::residual(nn::linear(2, 3))]).forward(x)",
        &["layer `0`, Residual", "[1, 3]", "[1, 2]", "shortcut"],
    );
}

#[test]
fn freezing_is_all_or_nothing() {
    let mut s = script();
    let count = |s: &mut Script, script: &str| {
        integers(&s.eval(&format!("{TWO} {script} [net.count_parameters(true)]")))[0]
    };
    for (script, trainable) in [
        ("", 12),
        ("net.freeze();", 0),
        ("net.freeze([\"a\"]);", 6),
        ("net.freeze([\"b.bias\"]);", 10),
        ("net.freeze(); net.unfreeze([\"b\"]);", 6),
        ("net.freeze_all_but(\"b\");", 6),
        ("net.freeze_all_but([\"a\", \"b.bias\"]);", 8),
        ("net.freeze(); net.unfreeze();", 12),
    ] {
        assert_eq!(count(&mut s, script), trainable, "{script}");
    }
    s.fails(&format!("{TWO} net.freeze_all_but(\"c\")"), &["unknown layer `c`", "a, act, b"]);
    s.fails(&format!("{TWO} net.freeze_all_but(\"act\")"), &["layer `act` has no parameters"]);
    for bad in
        ["net.freeze_all_but(\"act\")", "net.freeze([\"a\", \"act\"])", "net.freeze([\"a\", \"nope\"])"]
    {
        assert_eq!(count(&mut s, &format!("try {{ {bad}; }} catch {{ }}")), 12, "{bad} changes nothing");
    }
}

#[test]
fn pytorchs_checkpoints_give_pytorchs_output() {
    let all = fixture("checkpoint");
    let mut s = Script::new();
    s.tensor("x", &all["x"]);
    for file in ["net.pth", "training.pth"] {
        s.set("path", Value::Str(oracle("checkpoint").join(file).display().to_string()));
        let y = s.eval_tensor(&format!("let net = {NET}; net.load(path); net.forward(x)"));
        close(file, &y, &all["y"], 1e-5);
    }
    s.fails("nn::linear(16, 5).load(path)", &["training.pth", "2 missing (weight, bias)", "strict: false"]);
}

#[test]
fn saved_files_hold_names_shapes_and_bytes() {
    let out = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "nn".into(), out: out.path().into(), ..run::Setup::default() });
    let mut s = Script::new();
    s.tensor("x", &Tensor::randn([2, 3, 9, 9], FLOAT));
    let net: Net = s.eval_object(&format!(
        "let net = {NET}; net.train().forward(x); net.save(\"w/net.safetensors\"); net.save(\"net.npz\"); net"
    ));
    let bytes = std::fs::read(run::folder().unwrap().join("w/net.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let state = net.state().unwrap();
    assert_eq!(file.len(), state.len());
    for (name, t) in &state {
        let view = file.tensor(name).unwrap();
        let counter = name.ends_with("num_batches_tracked");
        assert_eq!(view.dtype(), if counter { Dtype::I64 } else { Dtype::F32 }, "{name}");
        assert_eq!(view.shape().iter().map(|n| *n as i64).collect::<Vec<_>>(), t.size(), "{name}");
        let mut data = vec![0; view.data().len()];
        t.copy_data_u8(&mut data, t.numel());
        assert_eq!(view.data(), data, "{name}");
    }
    s.set("net", Value::object(net));
    for file in ["w/net.safetensors", "net.npz"] {
        let d = s.eval_tensor(&format!(
            "let other = {NET}; other.load(\"{file}\"); net.train(false); other.forward(x) - net.forward(x)"
        ));
        close(file, &d, &Tensor::zeros([2, 5], FLOAT), 0.0);
    }
}

#[test]
fn loading_reports_what_does_not_fit() {
    let out = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "load".into(), out: out.path().into(), ..run::Setup::default() });
    let mut s = script();
    s.eval(r#"nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 3)], ["c", nn::linear(2, 2)]]).save("net.safetensors");"#);
    let Value::Map(m) = s.eval(r#"let net = nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 2)], ["d", nn::linear(2, 2)]]);
                                  net.load("net.safetensors", #{strict: false})"#) else { panic!("no map") };
    assert!(matches!(m["loaded"], Value::Int(2)));
    assert_eq!(strings(&m["missing"]), ["d.weight", "d.bias"]);
    assert_eq!(strings(&m["unexpected"]), ["c.bias", "c.weight"]);
    assert_eq!(
        strings(&m["mismatched"]),
        ["b.weight: [2, 2] here, [3, 2] in the file", "b.bias: [2] here, [3] in the file"]
    );
    let strict = r#"let net = nn::sequential([["a", nn::linear(2, 2)]]);
                    let before = net.forward(x); try { net.load("net.safetensors"); } catch { } before - net.forward(x)"#;
    close("nothing is loaded", &s.eval_tensor(strict), &Tensor::zeros([1, 2], FLOAT), 0.0);
    let part = r#"let net = nn::linear(2, 3); [net.load("net.safetensors", #{prefix: "b"}).loaded]"#;
    assert_eq!(integers(&s.eval(part)), [2]);
    s.fails(r#"nn::linear(2, 2).load("none.safetensors")"#, &["none.safetensors: no such file"]);
    s.fails(
        r#"nn::linear(2, 2).load("net.safetensors")"#,
        &["does not fit", "missing (weight, bias)", "6 unexpected"],
    );
    s.fails(r#"nn::linear(2, 2).save("net.h5")"#, &["net.h5", ".safetensors"]);
}

/// What lies behind a layer can run alone: so methods that look many times need not run the whole network.
#[test]
fn classifiers_can_be_cut() {
    let pool = ["AdaptiveAvgPool2d", "Flatten", "Linear"];
    for (name, layer, kinds) in [
        ("resnet18", "layer4", &pool[..]),
        ("plain_cnn", "relu4", &["MaxPool2d", pool[0], pool[1], pool[2]]),
        (
            "vgg16",
            "features.30",
            &[pool[0], pool[1], pool[2], "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"],
        ),
    ] {
        let net: Net =
            cs385::nn::init::blank(i64::MAX, || Script::new().eval_object(&format!("models::{name}()")));
        let rest = net.rest(layer).unwrap();
        assert_eq!(rest.within, None, "{name}");
        let seen: Vec<String> = rest.net.chain().iter().map(|(_, l)| l.kind()).collect();
        assert_eq!(seen, kinds, "{name}");
    }
}

#[test]
fn a_pass_that_only_looks_gives_the_same() {
    let mut s = Script::new();
    for (make, folds) in [
        ("models::resnet18(#{classes: 5})", true),
        ("models::resnet50(#{classes: 5})", true),
        ("models::plain_cnn(#{classes: 5, width: 4, bn_dropout: true})", true),
        // One convolution in two places, with a norm of its own in each.
        (
            "let conv = nn::conv2d(3, 3, 3, #{padding: 1}); nn::sequential([conv, nn::batch_norm2d(3), conv, nn::batch_norm2d(3),
             nn::adaptive_avg_pool2d(1), nn::flatten(), nn::linear(3, 5)])",
            true,
        ),
        // The convolution's output also goes around the norm.
        (
            "nn::sequential([nn::conv2d(3, 3, 3), nn::residual(nn::batch_norm2d(3)), nn::adaptive_avg_pool2d(1), nn::flatten(),
             nn::linear(3, 5)])",
            true,
        ),
        ("nn::sequential([nn::conv2d(3, 3, 3), nn::sigmoid(), nn::flatten(), nn::linear(2700, 5)])", false),
        ("nn::sequential([nn::conv2d(3, 3, 3), nn::batch_norm2d(3)])", false),
    ] {
        let net: Net = s.eval_object(make);
        for (_, mut t, _) in net.named().into_iter().filter(|(n, _, _)| n.contains("running_")) {
            let _ = t.uniform_(0.5, 2.0);
        }
        let x = s.eval_tensor("tensor::rand([2, 3, 32, 32])");
        let fast = Fast::new(&net).unwrap();
        assert_eq!(fast.is_some(), folds, "{make}");
        if let Some(fast) = fast {
            let want = tch::no_grad(|| net.forward_tensor(&x)).unwrap();
            close(make, &fast.forward(&x).unwrap(), &want, 1e-4);
        }
    }
    let net: Net = s.eval_object("let net = models::resnet18(); net.on_forward(\"layer1\", |x| x * 2); net");
    assert!(Fast::new(&net).unwrap().is_none(), "hooks want to be called");
}
