//! Ten steps of every optimizer against torch.optim (oracles/optim/make.py), and going on from saved state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use cs385::train::optim::Optimizer;
use support::{Script, Tensors, below, cases, close, fixture};
use tch::{Kind, Tensor};

/// A network, its optimizer, and the script that steps it.
struct Walk<'a> {
    s: Script,
    net: Net,
    all: &'a Tensors,
    late: bool,
}

impl<'a> Walk<'a> {
    fn new(all: &'a Tensors, case: &serde_json::Value) -> Self {
        let mut s = Script::new();
        let net: Net = s.eval_object("nn::linear(3, 4)");
        net.load_named(below(all, "start"), true).unwrap();
        s.set("net", Value::object(net.clone()));
        let opt = s.eval(case["script"].as_str().unwrap());
        s.set("opt", opt);
        Walk { s, net, all, late: case["late"].as_bool().unwrap() }
    }

    /// Step `i`: the gradient of `Σ p · g` is `g`, to the bit.
    fn step(&mut self, i: i64) {
        self.s.eval("opt.zero_grad();");
        for (key, p) in self.net.parameters(true) {
            if !(self.late && key == "bias" && i < 3) {
                (p * self.all[&format!("grad/{key}")].select(0, i)).sum(Kind::Float).backward();
            }
        }
        self.s.eval("opt.step();");
    }

    fn optimizer(&mut self) -> Optimizer {
        self.s.eval_object("opt")
    }
}

#[test]
fn ten_steps_equal_pytorch() {
    let all = fixture("optim");
    let table = cases("optim");
    assert!(table.len() >= 20);
    for case in &table {
        let name = case["name"].as_str().unwrap();
        let mut walk = Walk::new(&all, case);
        for i in 0..10 {
            walk.step(i);
            for (key, p) in walk.net.parameters(true) {
                if let Some(want) = all.get(&format!("{name}/{}/{key}", i + 1)) {
                    close(&format!("{key} of {name} after step {}", i + 1), &p, want, 1e-6);
                }
            }
        }
    }
}

#[test]
fn saved_state_goes_on_to_the_same_bits() {
    let all = fixture("optim");
    for case in cases("optim") {
        let name = case["name"].as_str().unwrap();
        let mut whole = Walk::new(&all, &case);
        (0..10).for_each(|i| whole.step(i));

        let mut before = Walk::new(&all, &case);
        (0..5).for_each(|i| before.step(i));
        let (weights, state) = (before.net.state().unwrap(), before.optimizer().state().unwrap());
        // As copies: what is saved must not change with the optimizer it came from.
        let state: Vec<_> = state.into_iter().map(|(n, t)| (n, t.copy())).collect();
        let mut after = Walk::new(&all, &case);
        after.net.load_named(weights.into_iter().map(|(n, t)| (n, t.copy())).collect(), true).unwrap();
        after.optimizer().load_state(&state).unwrap();
        (5..10).for_each(|i| after.step(i));
        for ((key, a), (_, b)) in after.net.parameters(true).iter().zip(whole.net.parameters(true)) {
            assert!(a.equal(&b), "{key} of {name}");
        }
    }
}

#[test]
fn state_belongs_to_its_network_and_rule() {
    let mut s = Script::new();
    let opt = |s: &mut Script, script: &str| s.eval_object::<Optimizer>(script);
    let adam = opt(&mut s, "optim::adam(nn::linear(3, 4))");
    let state = adam.state().unwrap();
    let e = opt(&mut s, "optim::adam(nn::linear(3, 4, #{bias: false}))").load_state(&state).unwrap_err();
    assert!(e.msg.contains("has 2 parameters, this one has 1"), "{e}");
    let e = opt(&mut s, "optim::rmsprop(nn::linear(3, 4))").load_state(&state).unwrap_err();
    assert!(e.msg.contains("square_avg/weight"), "{e}");
    assert!(opt(&mut s, "optim::adam(nn::linear(3, 5))").load_state(&state).is_err());
}

#[test]
fn a_shared_layer_is_stepped_once() {
    let mut s = Script::new();
    let net: Net = s.eval_object("let l = nn::linear(2, 2); nn::sequential([l, nn::tanh(), l])");
    s.set("net", Value::object(net.clone()));
    for script in ["optim::sgd(net, #{lr: 1})", "optim::sgd([net, net.part(\"0\")], #{lr: 1})"] {
        let opt = s.eval(script);
        s.set("opt", opt).eval("opt.zero_grad();");
        let weight = net.named()[0].1.shallow_clone();
        let before = weight.detach().copy();
        weight.sum(Kind::Float).backward();
        s.eval("opt.step();");
        close(script, &weight, &(before - 1.0), 1e-6);
    }
    assert_eq!(net.parameters(false).len(), 2);
    assert_eq!(net.state().unwrap().len(), 4);
}

/// Gradients lie in memory as their parameters do, whichever way they came: inputs are channels-last, weights are not.
#[test]
fn a_step_does_not_depend_on_the_way_to_the_gradients() {
    for rule in ["adam", "sgd", "rmsprop", "adamw"] {
        let mut s = Script::new();
        s.tensor("x", &Tensor::rand([2, 8, 9, 9], tch::kind::FLOAT_CPU));
        let make = "nn::sequential([nn::conv2d(8, 16, 3), nn::relu(), nn::conv2d(16, 4, 3)])";
        let [a, b]: [Net; 2] = [s.eval_object(make), s.eval_object(make)];
        b.load_named(a.state().unwrap(), true).unwrap();
        for (net, inputs) in [(&a, ""), (&b, "#{inputs: net.parameters().values()}")] {
            s.set("net", Value::object(net.clone()));
            s.eval(&format!(
                "let opt = optim::{rule}(net, #{{lr: 0.01}});
                 for i in 0..2 {{ opt.zero_grad(); net.forward(x).pow(2).mean().backward({inputs}); opt.step(); }}"
            ));
        }
        for ((name, one), (_, other)) in a.parameters(true).iter().zip(b.parameters(true)) {
            close(&format!("{rule} {name}"), &other.detach(), &one.detach(), 1e-5);
        }
    }
}

#[test]
fn frozen_parameters_stay() {
    let mut s = Script::new();
    let net: Net = s.eval_object(r#"nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 2)]])"#);
    s.set("net", Value::object(net.clone()));
    let opt = s.eval(r#"net.freeze_all_but("b"); optim::adam(net, #{lr: 0.1, weight_decay: 0.1})"#);
    s.set("opt", opt);
    let before: Vec<_> = net.named().iter().map(|n| n.1.detach().copy()).collect();
    let x = tch::Tensor::ones([1, 2], tch::kind::FLOAT_CPU);
    net.forward_tensor(&x).unwrap().sum(Kind::Float).backward();
    s.eval("opt.step();");
    let same: Vec<bool> = net.named().iter().zip(&before).map(|(n, b)| n.1.detach().equal(b)).collect();
    assert_eq!(same, [true, true, false, false]);
}

/// A frozen convolution's weight is laid out once: whatever writes to it must be seen by the next pass.
#[test]
fn what_was_written_to_a_frozen_convolution_is_seen() {
    let mut s = Script::new();
    let net: Net = s.eval_object(r#"nn::sequential([["conv", nn::conv2d(2, 3, 3)]]).freeze()"#);
    // Two pictures: without a graph they are convolved with packed weights, with one with laid out ones.
    let x = tch::Tensor::rand([2, 2, 5, 5], tch::kind::FLOAT_CPU);
    let leaf = x.detach().copy().set_requires_grad(true);
    s.set("net", Value::object(net.clone())).tensor("x", &x);
    let seen = || {
        let both = [&x, &leaf].map(|x| net.forward_tensor(x).unwrap().detach());
        close("packed and laid out", &both[0], &both[1], 1e-6);
        both[0].shallow_clone()
    };
    let agrees = |what: &str, before: &tch::Tensor| {
        let own: Vec<_> = net.named().into_iter().map(|n| n.1.detach()).collect();
        close(what, &seen(), &x.conv2d(&own[0], Some(&own[1]), [1, 1], [0, 0], [1, 1], 1), 1e-6);
        assert!(!seen().equal(before), "{what} changed nothing");
    };
    let step = |o: &str| {
        format!(
            "net.unfreeze(); let o = optim::{o}(net, #{{lr: 0.1}}); net.forward(x).sum().backward(); \
             o.step(); net.freeze();"
        )
    };
    let write = "tensor::no_grad(|| net.parameters()[\"conv.weight\"].mul_(2));".to_string();
    for change in ["adam", "adamw", "sgd", "rmsprop"].map(step).into_iter().chain([write]) {
        let before = seen();
        s.eval(&change);
        agrees(&change, &before);
    }
    let before = seen();
    let other: Net = s.eval_object(r#"nn::sequential([["conv", nn::conv2d(2, 3, 3)]])"#);
    net.load_named(other.named().into_iter().map(|(key, t, _)| (key, t)).collect(), true).unwrap();
    agrees("loading", &before);
}

#[test]
fn what_one_group_keeps_the_others_do_without() {
    let mut s = Script::new();
    s.eval(
        r#"let steps = |options| {
               let net = seeded(3, || nn::sequential([["a", nn::linear(3, 2)], ["b", nn::linear(3, 2)]]));
               let opt = optim::adam(net, #{lr: 0.1, betas: [0.9, 0.5]} + options);
               for k in 0..4 {
                   // Gradients that shrink, so that the largest square so far counts.
                   let x = seeded(k, || tensor::rand([5, 3])) / (1 + 9 * k);
                   opt.zero_grad();
                   (net.part("a").forward(x).square().sum() + net.part("b").forward(x).square().sum()).backward();
                   opt.step();
               }
               let p = net.parameters();
               [p["a.weight"].detach().clone(), p["b.weight"].detach().clone()]
           };
           let plain = steps.call(#{}); let all = steps.call(#{amsgrad: true});
           let some = steps.call(#{groups: [#{layers: ["b"], amsgrad: true}]});"#,
    );
    let far = s.eval_tensor("(plain[1] - all[1]).abs().max()");
    assert!(far.double_value(&[]) > 1e-4, "{far}");
    let off =
        s.eval_tensor("tensor::stack([(some[0] - plain[0]).abs().max(), (some[1] - all[1]).abs().max()])");
    close("groups", &off, &Tensor::zeros([2], tch::kind::FLOAT_CPU), 1e-9);
}

#[test]
fn optimizers_name_what_is_wrong() {
    let mut s = Script::new();
    s.eval("0");
    s.fails("optim::sgd(nn::linear(2, 1), #{lr: -1})", &["`lr` must not be negative, got -1"]);
    s.fails("optim::sgd(nn::linear(2, 1), #{nesterov: true})", &["`nesterov` needs a momentum"]);
    s.fails("optim::adam(nn::linear(2, 1), #{betas: [0.9, 1.0]})", &["betas", "[0, 1)"]);
    s.fails("optim::adam(nn::linear(2, 1), #{betas: 0.9})", &["betas", "list of 2"]);
    s.fails(
        "optim::adam(nn::linear(2, 1), #{momentum: 0.9})",
        &["unknown option `momentum`", "valid: lr, betas"],
    );
    s.fails("optim::rmsprop(nn::linear(2, 1), #{alpha: 1.5})", &["alpha"]);
    s.fails("optim::adam(3)", &["Net or list of Nets", "integer 3"]);
    s.fails("optim::adam(#{lr: 0.1}).step()", &["no parameters", "optim::adam(net"]);
    s.fails("optim::adam(nn::linear(2, 1)).step()", &["no parameter has a gradient", "backward()"]);
}
