//! Hooks where it is easy to go wrong: outputs changed in place, bad hooks, networks used many lines later.

use crate::FLOAT;
use crate::support::{Script, close};
use cs385::core::run;
use cs385::registry::session::{self, Session};
use cs385::tensor::tape::{self, Graph};
use std::rc::Rc;
use tch::Tensor;

#[test]
fn changing_an_output_in_place_keeps_its_hook() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::from_slice(&[-1f32, 2.0]).set_requires_grad(true));
    let g = s.eval_tensor(
        "let n = 0; let net = nn::custom(#{a: nn::identity()}, |m, x| { let h = m.a.forward(x * 3); h.mul_(2); h });
         net.on_backward(\"a\", |g| { n += 1; g + n }); net.forward(x).sum().backward(); x.grad",
    );
    close("gradient", &g, &Tensor::from_slice(&[9f32, 9.0]), 0.0);
    // A score that is a leaf, or that is asked of itself.
    let one = s.eval_tensor(
        "let w = tensor(3.0, #{requires_grad: true}); w.backward(); w.grad + tensor::grad(w, w)",
    );
    assert_eq!(one.double_value(&[]), 2.0);
    let twice = s.eval_tensor("let l = tensor::grad((w * w).sum(), [w, w]); l[0] + l[1]");
    assert_eq!(twice.double_value(&[]), 12.0);
}

#[test]
fn hooks_name_what_is_wrong() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::ones([1, 2], FLOAT)).tensor("row", &Tensor::ones([1, 3], FLOAT));
    let hook = |f: &str| {
        format!(
            "let net = nn::sequential([[\"a\", nn::linear(2, 2)]]); net.on_backward(\"a\", |g| {f}); net.forward(x).sum().backward()"
        )
    };
    s.fails(&hook("row"), &["hook on layer `a` returned [1, 3], the gradient is [1, 2]"]);
    s.fails(&hook("3"), &["hook on layer `a` returned integer 3", "() leaves it"]);
    s.fails(
        "nn::sequential([[\"a\", nn::linear(2, 2)]]).on_backward(\"b\", |g| g)",
        &["unknown layer `b`", "valid: a"],
    );
    s.fails(
        "let net = nn::sequential([[\"c\", nn::custom(#{a: nn::linear(2, 2)}, |m, x| #{y: m.a.forward(x)})]]);
         net.on_backward(\"c\", |g| g); net.forward(x)",
        &["layer `c` gives", "gradient to hook onto"],
    );
    s.fails(
        "let w = tensor([1.0], #{requires_grad: true}); let y = (w * w).sum(); y.backward(); y.backward();",
        &["is gone", "retain_graph: true"],
    );
    s.fails("tensor::ones([1]).backward()", &["requires a gradient"]);
    let x = Tensor::ones([1], FLOAT);
    assert!(tape::backward(&x, None, Graph::default()).is_err());
    assert!(tape::grad(&x, &[x.shallow_clone()], Graph::default()).is_err());
    let w = Tensor::ones([1], FLOAT).set_requires_grad(true);
    assert!(tape::grad(&(&w * 2.0), &[x], Graph::default()).is_err());
    assert!(
        tape::grad(&(&w * 2.0), &[w.detach().set_requires_grad(true)], Graph::default()).unwrap()[0]
            .is_none()
    );
}

/// The conversation of a REPL: every line is a program of its own.
#[test]
fn a_custom_network_and_its_hooks_go_on_many_lines_later() {
    let out = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "lines".into(), out: out.path().into(), ..run::Setup::default() });
    let mut session = Session::new(Rc::new(session::engine().unwrap()), "lines");
    let mut line = |text: &str| match session.eval(text) {
        Ok(d) => d.to_string(),
        Err(e) => panic!("{text}: {e}"),
    };
    line("fn twice(x) { x * 2 }");
    line("let k = 3");
    line(
        "fn make(k) { nn::custom(#{a: nn::linear(2, 2), b: nn::linear(2, 2)}, |m, x| { let h = twice(m.a.forward(x)); m.b.forward(h * k) }) }",
    );
    line("let net = make(k)");
    line("let seen = []");
    line("let h = net.on_forward(\"a\", |o| { seen.push(\"forward\"); twice(o) })");
    line("let g = net.on_backward(\"a\", |o| { seen.push(\"backward\"); })");
    for i in 0..10 {
        line(&format!("let x{i} = {i}"));
    }
    line("fn through(net, x) { net.forward(x) }");
    line("let x = tensor::ones([1, 2])");
    line("through(net, x).sum().backward()");
    assert_eq!(line("seen"), r#"["forward", "backward"]"#);
    line("net.save(\"w.safetensors\"); h.remove()");
    line("let other = make(k)");
    line("other.load(\"w.safetensors\")");
    for i in 0..10 {
        line(&format!("let y{i} = {i}"));
    }
    assert_eq!(line("through(other, x).equal(net.forward(x))"), "true");
}
