//! The tensor language against PyTorch (tests/oracles/{printing,indexing,tensor_ops}), and what it says when a call
//! is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Script, close, fixture, oracle};

use cs385::core::Value;
use cs385::tensor::print;
use std::time::Instant;
use tch::{Kind, Tensor};

/// The cases of an oracle and how many there should at least be.
fn cases(name: &str, least: usize) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(oracle(&format!("{name}/cases.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap().clone();
    assert!(cases.len() >= least, "{name}: only {} cases", cases.len());
    cases
}

/// A script with the `in/…` tensors of an oracle, each of its own.
fn inputs(all: &support::Tensors) -> Script {
    let mut s = Script::new();
    for (name, t) in support::below(all, "in") {
        s.tensor(&name, &t.copy());
    }
    s
}

/// Equal shapes, dtypes and numbers; NaN equals NaN.
#[track_caller]
fn same(what: &str, got: &Tensor, want: &Tensor) {
    assert_eq!(got.kind(), want.kind(), "dtype of {what}");
    let tame = |t: &Tensor| t.detach().to_kind(Kind::Double).nan_to_num(12345.0, None, None);
    close(what, &tame(got), &tame(want), 1e-4);
}

#[test]
fn tensors_print_as_in_pytorch() {
    let all = fixture("printing");
    for case in cases("printing", 80) {
        let name = case["name"].as_str().unwrap();
        let t = all[name].copy().set_requires_grad(case["requires_grad"].as_bool().unwrap());
        assert_eq!(print::show(&t), case["repr"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn printing_does_not_depend_on_the_size() {
    let big = Tensor::rand([3000, 3000], tch::kind::FLOAT_CPU);
    let start = Instant::now();
    for _ in 0..100 {
        assert!(print::show(&big).contains("..."));
    }
    assert!(start.elapsed().as_secs_f64() < 1.0, "100 prints of 9 million numbers: {:?}", start.elapsed());
}

#[test]
fn indexing_equals_pytorch() {
    let all = fixture("indexing");
    for case in cases("indexing", 120) {
        let [name, kind, cs] = ["name", "kind", "cs"].map(|k| case[k].as_str().unwrap());
        let mut s = inputs(&all);
        match kind {
            "get" => same(&format!("{name}: {cs}"), &s.eval_tensor(cs), &all[&format!("out/{name}")]),
            "set" => same(
                &format!("{name}: {cs}"),
                &s.eval_tensor(&format!("{cs}; x")),
                &all[&format!("out/{name}")],
            ),
            _ => s.fails(cs, &[]),
        }
    }
}

#[test]
fn operations_equal_pytorch() {
    let all = fixture("tensor_ops");
    for case in cases("tensor_ops", 400) {
        let [name, cs] = ["name", "cs"].map(|k| case[k].as_str().unwrap());
        let mut s = inputs(&all);
        let grad = case["grad"].as_bool().unwrap();
        let a = all["in/a"].copy().set_requires_grad(grad);
        let out = s.tensor("a", &a).eval_tensor(cs);
        same(&format!("{name}: {cs}"), &out, &all[&format!("out/{name}")]);
        if grad {
            out.sum(None).backward();
            same(&format!("gradient of {name}: {cs}"), &a.grad(), &all[&format!("grad/{name}")]);
        }
    }
}

#[test]
fn wrong_calls_say_what_is_wrong() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::arange(6.0, tch::kind::FLOAT_CPU).view([2, 3]));
    for (script, parts) in [
        ("x[2]", &["index 2 is out of range for axis 0 of size 2", "-1 to -2"][..]),
        ("x[[0, -4]]", &["index -4 is out of range for axis 1 of size 3"]),
        ("x[[0, 0, 0]]", &["3 indices", "2 axes", "[2, 3]"]),
        ("x[[.., [0, 3]]]", &["index 3 is out of range for axis 1 of size 3"]),
        ("x[tensor([true, false, true])]", &["mask of shape [3]", "[2]"]),
        ("x[tensor([0.5])]", &["float32", ".long()"]),
        ("x[0] = tensor([1, 2])", &["shape [2]", "shape [3]"]),
        ("x + tensor([1, 2])", &["[2, 3] + [2]", "broadcast"]),
        ("x == \"a\"", &["string"]),
        ("\"a\" != x", &["string"]),
        ("x < [1, 2, 3]", &["list", "tensor::of"]),
        ("x < ()", &["()"]),
        ("tensor([5]) % 0", &["division of whole numbers by zero"]),
        ("tensor([2]) ** -1", &["negative integer powers"]),
        ("tensor([[1, 2], [3]])", &["ragged list: item [1]", "expected 2"]),
        ("tensor([[[1], [2]], [[3], 4]])", &["item [1][1] is integer 4", "list of 1"]),
        ("tensor([1, \"a\"])", &["item [1]", "string \"a\""]),
        ("tensor::zeros([2], #{dtpe: \"bool\"})", &["unknown option `dtpe`; did you mean `dtype`?"]),
        ("tensor::zeros([2], #{dtype: \"flot32\"})", &["unknown dtype `flot32`; did you mean `float32`?"]),
        ("tensor::zeros([2], #{dtype: \"int64\", requires_grad: true})", &["floating point"]),
        ("tensor::zeros([2], #{device: \"tpu\"})", &["unknown device `tpu`"]),
        ("x.view(4)", &["[2, 3] has 6 elements", "[4]"]),
        ("x.item()", &["[2, 3]", "one element"]),
        ("x.sum(2)", &["out of range", "got 2"]),
        ("x.size(2)", &["axis 2"]),
        ("x.long().mean()", &["floating-point", "int64", ".float()"]),
        ("x.matmul(x)", &["[2, 3] and [2, 3]", "2x3"]),
        ("x.clamp()", &["lower or an upper bound"]),
        ("x.avg_pool2d(0)", &["`kernel` must be at least 1, got 0"]),
        ("x.unsqueeze(0).max_pool2d(2, #{stride: 0})", &["`stride` must be at least 1, got 0"]),
        ("x.interpolate(#{size: 3})", &["[2, 3]"]),
        (
            "tensor::zeros([1, 1, 2, 2]).interpolate(#{size: 3, mode: \"bilinar\"})",
            &["did you mean `bilinear`"],
        ),
        ("tensor::zeros([1, 1, 2, 2]).interpolate(#{size: 3, mode: \"linear\"})", &["`linear` does not fit"]),
        ("x.unsqueeze(0).pad([1], #{mode: \"mirror\"})", &["unknown mode `mirror`", "reflect"]),
        ("tensor::einsum(\"ij,jk->ik\", x)", &["einsum"]),
        ("tensor::cat([])", &["at least one tensor"]),
        ("tensor([[0.0]]).inverse()", &["singular"]),
        ("x.sum().backward()", &["requires a gradient", "requires_grad"]),
        ("tensor::grad(x.sum(), x)", &["requires a gradient"]),
        ("let w = x.clone().requires_grad_(); (w * 2).backward()", &["[2, 3]", ".sum()"]),
        ("let w = x.clone().requires_grad_(); tensor::grad((w * 2).sum(), x)", &["input 0 does not require"]),
        (
            "let w = x.clone().requires_grad_(); let v = x.clone().requires_grad_(); tensor::grad(w.sum(), [w, v])",
            &["does not depend on input 1", "allow_unused"],
        ),
        ("let w = x.clone().requires_grad_(); (w * 2).requires_grad_(false)", &["detach()"]),
        ("let w = x.clone().requires_grad_(); w.add_(1)", &["leaf"]),
        ("tensor::load(\"no such.npy\")", &["no such.npy: no such file"]),
        ("x.save(\"x.xyz\")", &["x.xyz"]),
        ("assert((x > 1))", &["[2, 3]", ".all()"]),
        ("assert_close(x, x + 0.5)", &["6 of 6 elements differ", "5 is not close to 5.5"]),
        ("assert_close(tensor([1.0, 2, 3]), [1.0, 2, 4])", &["1 of 3", "[2]", "3 is not close to 4"]),
        ("assert_close(x, [1.0])", &["[2, 3]", "[1]"]),
        ("assert_shape(x, [2, 4])", &["[2, 3]", "[2, 4]"]),
    ] {
        s.fails(script, parts);
    }
}

#[test]
fn handles_share_their_elements() {
    let mut s = Script::new();
    for (script, want) in [
        ("let x = tensor([1, 2]); let y = x; y.add_(1); x", &[2.0, 3.0][..]),
        ("let x = tensor([1, 2]); let y = x; y += 1; x", &[1.0, 2.0]),
        ("let x = tensor([1, 2]); let y = x.clone(); y.zero_(); x", &[1.0, 2.0]),
        ("let x = tensor([[1, 2], [3, 4]]); x[0].add_(5); x.ravel()", &[6.0, 7.0, 3.0, 4.0]),
        ("let x = tensor([[1, 2], [3, 4]]); x[0][1] = 9; x.ravel()", &[1.0, 9.0, 3.0, 4.0]),
        ("let x = tensor([[1, 2], [3, 4]]); x.T[0] = 0; x.ravel()", &[0.0, 2.0, 0.0, 4.0]),
        ("let x = tensor([1, 2, 3]); x[x > 1] *= 10; x", &[1.0, 20.0, 30.0]),
        ("let x = tensor([1, 2, 3]); x[x > 1].mul_(10); x", &[1.0, 2.0, 3.0]),
        ("const X = tensor([1, 2]); X[0] = 5; X.add_(1); X", &[6.0, 3.0]),
        ("let l = [tensor([1, 2])]; l[0].add_(1); l[0]", &[2.0, 3.0]),
        ("let m = #{a: tensor([1, 2])}; m.a[1] = 7; m.a", &[1.0, 7.0]),
        ("fn f(t) { t.add_(1); } let x = tensor([1, 2]); f(x); x", &[2.0, 3.0]),
        (
            "let s = tensor(0); for row in tensor([[1, 2], [3, 4]]) { s += row.sum(); } s.reshape([1])",
            &[10.0],
        ),
    ] {
        same(script, &s.eval_tensor(script).to_kind(Kind::Double), &Tensor::from_slice(want));
    }
}

#[test]
fn reading_a_part_of_a_leaf_leaves_its_graph_alone() {
    let mut s = Script::new();
    let script = "let w = tensor([[1.0, 2], [3, 4]], #{requires_grad: true});
        let h = w * w;
        let loss = h[0].sum() + h[[.., 1]].mean() + h[h > 8][0] + w.T[0].sum() + w[[[1]]].sum() + h.shape.len();
        loss.backward();
        w.grad.mul_(1);
        w.grad";
    same(script, &s.eval_tensor(script), &Tensor::from_slice(&[3f32, 6.0, 8.0, 5.0]).view([2, 2]));
    let script = "let w = tensor([1.0, 2], #{requires_grad: true});
        for i in 0..2 { (w * w).sum().backward(); }
        let twice = w.grad.clone();
        w.zero_grad();
        twice + w.grad";
    same(script, &s.eval_tensor(script), &Tensor::from_slice(&[4f32, 8.0]));
    let script = "let w = tensor([2.0], #{requires_grad: true});
        let g = tensor::grad((w ** 3).sum(), w, #{create_graph: true});
        tensor::grad(g.sum(), w)";
    same(script, &s.eval_tensor(script), &Tensor::from_slice(&[12f32]));
    let script =
        "let w = tensor([2.0], #{requires_grad: true}); let v = tensor([1.0], #{requires_grad: true});
        tensor::grad((w ** 2).sum(), [w, v], #{allow_unused: true})";
    match s.eval(script) {
        Value::List(g) => assert!(g.len() == 2 && g[1].is_nil(), "{script}"),
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn gradients_are_recorded_again_after_a_failing_no_grad() {
    let mut s = Script::new();
    let script = "let w = tensor([1.0], #{requires_grad: true});
        try { tensor::no_grad(|| { let y = w * 2; throw \"stop\"; }) } catch {}
        [(w * 2).requires_grad, tensor::no_grad(|| (w * 2).requires_grad)]";
    match s.eval(script) {
        Value::List(v) => assert!(matches!(v[..], [Value::Bool(true), Value::Bool(false)]), "{script}"),
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn comparing_with_nothing_and_with_bools() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::from_slice(&[1i64, 0]));
    for (script, want) in [("x == ()", false), ("() == x", false), ("x != ()", true), ("() != x", true)] {
        assert!(matches!(s.eval(script), Value::Bool(b) if b == want), "{script}");
    }
    for script in [
        "x == true",
        "true == x",
        "x != false",
        "x > false",
        "(x > 0) & true",
        "false | (x > 0)",
        "!(x == 0)",
    ] {
        same(script, &s.eval_tensor(script), &Tensor::from_slice(&[true, false]));
    }
}

/// One is not one and a half, whichever comes first.
#[test]
fn comparisons_of_two_dtypes_cut_nothing_off() {
    let mut s = Script::new();
    for script in [
        "tensor([1, 2]).equal(tensor([1.9, 2.9]))",
        "tensor([1, 2]).allclose(tensor([1.9, 2.9]))",
        "tensor([true]).equal(tensor([2]))",
        "tensor([1]).isclose(1.5).item() == 1",
        "tensor([1.9, 2.9]).equal(tensor([1, 2]))",
    ] {
        assert!(matches!(s.eval(script), Value::Bool(false)), "{script}");
    }
    for script in ["tensor([1, 2]).equal(tensor([1.0, 2.0]))", "tensor([1, 2]).allclose(tensor([1.0, 2.0]))"]
    {
        assert!(matches!(s.eval(script), Value::Bool(true)), "{script}");
    }
}

#[test]
fn random_numbers_follow_the_seed() {
    let mut s = Script::new();
    for make in [
        "tensor::rand([4])",
        "tensor::randn([4])",
        "tensor::randint(0, 100, [4])",
        "tensor::randperm(9)",
        "tensor::bernoulli(tensor::full([9], 0.5))",
        "tensor::multinomial(tensor::ones([9]), 4)",
        "tensor::normal(1, 2, [4])",
        "tensor::zeros([4]).uniform_()",
        "tensor::ones([20]).dropout(0.5)",
        "tensor::rand_like(tensor::ones([4]))",
    ] {
        let script = format!(
            "seed(5); let a = {make}; let b = {make}; seed(5); let c = {make}; [a.equal(c), a.equal(b)]"
        );
        match s.eval(&script) {
            Value::List(v) => assert!(matches!(v[..], [Value::Bool(true), Value::Bool(false)]), "{script}"),
            other => panic!("{}", other.describe()),
        }
    }
}

/// Coins fall as often as they should (six deviations of a mean of 20,000), whatever the layout; neighbours fall independently.
#[test]
fn coins_fall_as_often_as_they_should() {
    let mut s = Script::new();
    let text = "seed(3); let p = (tensor::arange(0, 11) / 10.0).expand([20000, 11]); let x = tensor::bernoulli(p.transpose(0, 1)); \
                let off = (x.mean(1) - p[0]).abs().max().item(); let a = x[5].narrow(0, 0, 19999); let b = x[5].narrow(0, 1, 19999); \
                let both = (a * b).mean().item(); `${[x.shape, x[0].max().item(), x[10].min().item(), x.unique().to_list(), off < 0.021, \
                (both - 0.25).abs() < 0.02, tensor::bernoulli(tensor(1.0)).shape, tensor::bernoulli(tensor::zeros([0])).shape]}`";
    match s.eval(text) {
        Value::Str(told) => assert_eq!(told, "[[11, 20000], 0.0, 1.0, [0.0, 1.0], true, true, [], [0]]"),
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn numbers_pass_through_lists_whole() {
    let mut s = Script::new();
    s.tensor("big", &Tensor::from_slice(&[9_007_199_254_740_993i64, -1]));
    assert!(matches!(s.eval("big.to_list()[0]"), Value::Int(9_007_199_254_740_993)));
    assert!(matches!(s.eval("tensor([9007199254740993]).item()"), Value::Int(9_007_199_254_740_993)));
    assert!(matches!(s.eval("tensor([true]).item()"), Value::Bool(true)));
    assert!(matches!(s.eval("tensor(2.5).item()"), Value::Float(2.5)));
    assert!(matches!(s.eval("tensor([0.1], #{dtype: \"float64\"}).item()"), Value::Float(0.1)));
    assert!(matches!(s.eval("tensor::zeros([0, 3]).to_list().len()"), Value::Int(0)));
}
