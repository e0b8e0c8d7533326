//! What makes training fast: frozen parts, kept features, bfloat16; and the dry run, which says how fast.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::core::progress::{self, Sink};
use cs385::image::Picture;
use cs385::nn::{Frozen, Net, Precision};
use std::cell::Cell;
use std::fs;
use std::rc::Rc;
use support::{Script, alone, below, close, fixture};
use tch::{Kind, Tensor};

/// Batch norms with statistics of their own, so that merging them matters.
fn stir(net: &Net) {
    let _no_grad = tch::no_grad_guard();
    for (name, mut t, _) in net.named() {
        if name.ends_with("running_mean") {
            let _ = t.f_normal_(0.0, 0.2).unwrap();
        } else if name.ends_with("running_var") {
            let _ = t.f_uniform_(0.5, 1.5).unwrap();
        }
    }
}

fn relative(a: &Tensor, b: &Tensor) -> f64 {
    let top = |t: &Tensor| t.abs().max().double_value(&[]);
    top(&(a - b)) / top(b).max(1e-12)
}

#[test]
fn a_frozen_part_gives_what_the_network_gives() {
    let _alone = alone();
    let mut s = Script::new();
    let x = Tensor::rand([20, 3, 40, 40], tch::kind::FLOAT_CPU);
    for (make, but) in [
        ("models::resnet18(#{classes: 5})", "fc"),
        ("models::resnet50(#{classes: 5})", "layer4"),
        ("models::efficientnet_lite0(#{classes: 5, dropout: 0.0})", "classifier"),
        ("models::mobilenet_v2(#{classes: 5})", "classifier"),
        ("models::squeezenet1_1(#{classes: 5})", "classifier"),
        ("models::plain_cnn(#{classes: 5, width: 6, bn_dropout: true})", "conv3"),
        (
            "nn::sequential([nn::residual(nn::sequential([nn::conv2d(3, 3, 3, #{padding: 1}), nn::batch_norm2d(3)])),
             nn::relu(), nn::flatten(), nn::dropout(0.4), [\"fc\", nn::linear(4800, 5)]])",
            "fc",
        ),
    ] {
        let net: Net = s.eval_object(&format!("{make}.freeze_all_but({but:?})"));
        stir(&net);
        let want = net.forward_tensor(&x).unwrap();
        let frozen = Frozen::of(&net, Precision::Float).unwrap().expect(make);
        let features = frozen.features(&x).unwrap();
        assert!(!features.requires_grad());
        let Value::Tensor(got) = frozen.rest(&features).unwrap() else { panic!() };
        assert!(relative(&got, &want) < 1e-4, "{make}: {}", relative(&got, &want));
        // The frozen part does not notice that the rest is training.
        net.set_training(true);
        close(make, &frozen.features(&x).unwrap(), &features, 0.0);
        net.set_training(false);
        let half = Frozen::of(&net, Precision::Bf16).unwrap().unwrap();
        let off = relative(&half.features(&x).unwrap(), &features);
        assert!(off > 1e-6 && off < 0.1, "{make} in bfloat16: {off}");
        // It knows when it is no longer the network's.
        assert!(frozen.is_current().unwrap() && frozen.same(&frozen).unwrap() && !frozen.same(&half).unwrap());
        let (_, mut w) = net.parameters(false).remove(0);
        tch::no_grad(|| w.f_copy_(&w.copy()).unwrap());
        assert!(frozen.is_current().unwrap(), "{make}: written to, with the same values");
        let _ = tch::no_grad(|| w.f_add_scalar_(0.1).unwrap());
        assert!(!frozen.is_current().unwrap(), "{make}");
    }
    for none in [
        "models::plain_cnn(#{width: 4})",
        "models::plain_cnn(#{width: 4}).freeze_all_but(\"conv1\")",
        "{ let n = models::plain_cnn(#{width: 4}).freeze_all_but(\"fc\"); n.on_forward(\"conv1\", |x| ()); n }",
        "nn::sequential([nn::dropout(0.5), nn::linear(2, 2), [\"b\", nn::linear(2, 2)]]).freeze_all_but(\"b\")",
    ] {
        let net: Net = s.eval_object(none);
        assert!(Frozen::of(&net, Precision::Float).unwrap().is_none(), "{none}");
    }
}

/// The head that learns behind a frozen part is the one that a plain step of the script's own learns.
#[test]
fn training_with_kept_features_is_training() {
    let _alone = alone();
    let mut s = Script::new();
    s.eval(
        r#"
        seed(3);
        let x = tensor::rand([40, 3, 16, 16]);
        let y = tensor::randint(0, 4, [40]);
        let data = data::from_tensors(x, y);
        let start = models::plain_cnn(#{classes: 4, width: 4, bn_dropout: true, dropout: 0.0});
        start.save("start.safetensors");
        let make = || { let n = nn::load("start.safetensors"); n.freeze_all_but("fc"); n };
        let weight = |n| n.part("fc").forward(tensor::eye(32));
        let fit = |o| {
            let n = make.call();
            let r = train::fit(n, data, #{epochs: 3, batch_size: 16, save: false, val: data.take(10), workers: 1,
                                          optimizer: optim::sgd(#{lr: 0.1, momentum: 0.9})} + o);
            [weight.call(n), tensor::of(r.history.map(|h| h.val_loss)), n.part("bn1").forward(tensor::ones([1, 4, 1, 1]))]
        };
        ();
        "#,
    );
    let parts = |v: Value| -> Vec<Tensor> {
        let Value::List(all) = v else { panic!() };
        all.iter().map(support::tensor).collect()
    };
    let by_hand = parts(s.eval(
        r#"{ let n = make.call();
        let opt = optim::sgd(n, #{lr: 0.1, momentum: 0.9});
        let r = train::run(#{nets: n, optimizers: opt, data: data, epochs: 3, batch_size: 16, save: false, workers: 1,
            val: data.take(10), step: |b, t| {
            let l = loss::cross_entropy(n.forward(b.input), b.target);
            opt.zero_grad(); l.backward(); opt.step(); l
        }, val_step: |b, t| loss::cross_entropy(n.forward(b.input), b.target)});
        [weight.call(n), tensor::of(r.history.map(|h| h.val_loss)), n.part("bn1").forward(tensor::ones([1, 4, 1, 1]))] }"#,
    ));
    for options in ["#{}", "#{cache: 0}", "#{augment: augment::resize([16, 16])}"] {
        let got = parts(s.eval(&format!("fit.call({options})")));
        for (a, b) in got.iter().zip(&by_hand) {
            // Another transform goes through bytes.
            close(options, a, b, if options.contains("augment") { 0.02 } else { 1e-4 });
        }
    }
}

/// Counts how often features are computed.
#[derive(Default)]
struct Counter(Cell<usize>);

impl Sink for Counter {
    fn begin(&self, label: &str, _: u64) {
        self.0.set(self.0.get() + usize::from(label == "features"));
    }
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self, _: &str) {}
    fn say(&self, _: &str) {}
    fn wants(&self) -> bool {
        false
    }
}

#[test]
fn kept_features_are_never_stale() {
    let _alone = alone();
    let counter = Rc::new(Counter::default());
    progress::set_sink(Some(counter.clone()));
    let dir = tempfile::tempdir().unwrap();
    let mut s = Script::new();
    s.set("dir", Value::Str(dir.path().display().to_string()));
    s.eval(
        r#"
        seed(3);
        let x = tensor::rand([24, 3, 16, 16]);
        let data = data::from_tensors(x, tensor::randint(0, 3, [24]));
        models::plain_cnn(#{classes: 3, width: 4}).save("start.safetensors");
        let make = || { let n = nn::load("start.safetensors"); n.freeze_all_but("fc"); n };
        let net = make.call();
        let fit = |n, data, o| {
            train::fit(n, data, #{epochs: 2, batch_size: 8, save: false, optimizer: optim::adam()} + o).last.train_loss
        };
        ();
        "#,
    );
    for i in 0..8 {
        let folder = dir.path().join((i / 4).to_string());
        fs::create_dir_all(&folder).unwrap();
        let picture: Picture = s.eval_object(&format!("data.picture({i})"));
        picture.save(folder.join(format!("{}.png", i % 4))).unwrap();
    }
    let red: Picture = s.eval_object("image::filled(18, 16, \"red\")");
    let mut computes = |times: usize, script: &str| {
        let before = counter.0.get();
        s.eval(script);
        assert_eq!(counter.0.get() - before, times, "{script}");
    };
    computes(1, "fit.call(net, data, #{})");
    computes(0, "fit.call(net, data, #{})");
    computes(0, "fit.call(make.call(), data, #{})"); // another network of the same weights
    computes(0, "train::predict(net, data)");
    computes(1, "fit.call(net, data, #{val: data.take(5)})"); // the validation pictures alone are new
    // Weights.
    computes(1, "tensor::no_grad(|| net.parameters()[\"conv1.weight\"].mul_(1.5)); fit.call(net, data, #{})");
    computes(
        1,
        "net.load(\"start.safetensors\"); net.freeze([\"fc\"]); net.unfreeze([\"conv4\", \"fc\"]); fit.call(net, data, #{})",
    );
    // Numbers.
    computes(1, "fit.call(make.call(), data, #{precision: \"bf16\"})");
    // Data: the script writes into the tensor it gave.
    computes(0, "let net = make.call(); fit.call(net, data, #{})");
    computes(1, "x.mul_(0.5); fit.call(net, data, #{})");
    computes(1, "fit.call(net, data.shuffled(), #{})");
    // Transforms.
    computes(1, "fit.call(net, data.normalized([0.4], [0.2]), #{})");
    computes(0, "fit.call(net, data.normalized([0.4], [0.2]), #{})");
    computes(1, "fit.call(net, data.normalized([0.5], [0.2]), #{})");
    computes(1, "fit.call(net, data, #{augment: augment::resize([20, 20])})");
    computes(0, "fit.call(net, data, #{augment: augment::random_horizontal_flip()})");
    computes(0, "fit.call(net, data, #{augment: augment::custom(|p| p)})");
    computes(0, "fit.call(net, data, #{cache: 0})");
    // An unfrozen network keeps nothing, also when it is unfrozen on the way.
    computes(0, "net.unfreeze([\"conv1\"]); fit.call(net, data, #{})");
    computes(
        0,
        "let net = make.call(); let before = net.parameters()[\"conv1.weight\"].clone();
         fit.call(net, data, #{on_epoch: |t| net.unfreeze([\"conv1\"])});
         assert(!net.parameters()[\"conv1.weight\"].equal(before), \"it learned\")",
    );
    // Files: one of them is another picture now.
    computes(
        1,
        "let photos = data::folder(dir, #{size: 16, cache: 0});
         let net = make.call();
         let first = fit.call(net, photos, #{})",
    );
    computes(0, "fit.call(make.call(), photos, #{})");
    red.save(dir.path().join("1/3.png")).unwrap();
    computes(
        1,
        "let changed = fit.call(make.call(), photos, #{}); assert(changed != first, \"another picture, another loss\")",
    );
    progress::set_sink(None);
}

/// Against torch.autocast (oracles/bf16/make.py).
#[test]
fn bf16_is_autocast() {
    let _alone = alone();
    let all = fixture("bf16");
    let mut s = Script::new();
    let net: Net = s.eval_object(
        r#"nn::sequential([["conv", nn::conv2d(3, 8, 3, #{padding: 1})], ["bn", nn::batch_norm2d(8)], ["relu", nn::relu()],
            ["gap", nn::adaptive_avg_pool2d(2)], ["flat", nn::flatten()], ["fc", nn::linear(32, 5)]])"#,
    );
    let learn = |s: &mut Script, net: &Net, precision: &str| {
        net.load_named(below(&all, "net"), true).unwrap();
        s.set("net", Value::object(net.clone())).tensor("x", &all["x"]).tensor("y", &all["y"]);
        s.eval(&format!(
            r#"let run = train::fit(net, data::from_tensors(x, y), #{{epochs: 3, batch_size: 16, shuffle: false, save: false,
                precision: "{precision}", optimizer: optim::sgd(#{{lr: 0.5, momentum: 0.9}})}}); ()"#
        ));
        let weights = net.named();
        assert!(weights.iter().all(|(_, t, _)| t.kind() != Kind::BFloat16));
        let loss = s.eval_tensor("tensor::of([run.history[0].train_loss])");
        (loss, net.state().unwrap())
    };
    let (loss, half) = learn(&mut s, &net, "bf16");
    let (full_loss, full) = learn(&mut s, &net, "float32");
    close("first loss", &loss, &all["loss"].reshape([1]), 2e-3);
    assert!((&full_loss - &loss).abs().double_value(&[0]) > 1e-7, "nothing was in bfloat16");
    for ((name, got), (_, full)) in half.iter().zip(&full) {
        let want = &all[&format!("after/{name}")];
        if want.kind() == Kind::Float {
            close(name, got, want, 0.02);
            assert!(relative(got, full) < 0.1, "{name}");
        }
    }
    // A script's own step computes its loss in float32, whatever the networks run in.
    net.load_named(below(&all, "net"), true).unwrap();
    let out = s.eval_tensor(
        r#"let seen = []; net.freeze(["bn"]); let opt = optim::sgd(net, #{lr: 0.0});
        train::run(#{nets: net, optimizers: opt, data: data::from_tensors(x, y), batch_size: 16, shuffle: false, save: false,
            precision: "bf16", step: |b, t| {
                let z = net.forward(b.input);
                let inside = net.capture(b.input, net.layers());
                seen += [z] + inside.values();
                z.sum().backward();
                z.mean()
            }});
        seen[0]"#,
    );
    assert_eq!(out.kind(), Kind::Float);
    s.eval(
        "assert(seen.len() > 2 && seen.all(|t| t.dtype == \"float32\"), seen.map(|t| t.dtype).to_string())",
    );
    s.fails(
        "train::fit(net, data::from_tensors(x, y), #{precision: \"bf61\"})",
        &["precision", "did you mean `bf16`"],
    );
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let _alone = alone();
    let heard = Rc::new(Counter::default());
    progress::set_sink(Some(heard.clone()));
    let mut s = Script::new();
    s.eval(
        r#"
        seed(5);
        let data = data::from_tensors(tensor::rand([40, 3, 16, 16]), tensor::randint(0, 3, [40]));
        let net = models::plain_cnn(#{classes: 3, width: 4, bn_dropout: true});
        let opt = optim::adam(net, #{lr: 0.01});
        let o = #{epochs: 4, batch_size: 8, optimizer: opt, val: data.take(9), save: false};
        net.save("a.safetensors");
        let found = train::dry_run(net, data, o);
        let drawn = tensor::rand([3]);
        seed(5);
        tensor::rand([40, 3, 16, 16]); tensor::randint(0, 3, [40]); models::plain_cnn(#{classes: 3, width: 4, bn_dropout: true});
        assert(tensor::rand([3]).equal(drawn), "random numbers go on as if nothing had been drawn");
        let was = nn::load("a.safetensors");
        "#,
    );
    let number = |s: &mut Script, what: &str| match s.eval(what) {
        Value::Int(i) => i as f64,
        Value::Float(f) => f,
        other => panic!("{}", other.describe()),
    };
    assert_eq!(number(&mut s, "found.steps"), 20.0);
    let (step, epoch, all) = (
        number(&mut s, "found.step_seconds"),
        number(&mut s, "found.epoch_seconds"),
        number(&mut s, "found.seconds"),
    );
    assert!(step > 0.0 && epoch > 5.0 * step && (all - 4.0 * epoch).abs() < 1e-9);
    assert!(number(&mut s, "found.memory") > 1e6);
    let net: Net = s.eval_object("net");
    let was: Net = s.eval_object("was");
    assert!(net.parameters(true).iter().all(|(_, t)| !t.grad().defined()));
    for ((name, a, _), (_, b, _)) in net.named().iter().zip(was.named()) {
        close(name, a, &b, 0.0);
    }
    // Features that would be kept are counted once, and computed here for a few pictures alone.
    let kept =
        "net.freeze_all_but(\"fc\"); train::dry_run(net, data, o + #{optimizer: optim::adam()}).seconds";
    assert!(number(&mut s, kept) > 0.0);
    assert_eq!(heard.0.get(), 2);
    s.fails("train::dry_run(net, data.take(0), o)", &["empty"]);
    progress::set_sink(None);
}
