//! Every loss against torch.nn.functional (oracles/losses/make.py): value and gradient; bad targets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Script, below, cases, close, fixture, weigh};
use tch::{Kind, Tensor};

#[test]
fn losses_equal_pytorch() {
    let all = fixture("losses");
    let table = cases("losses");
    assert!(table.len() > 45);
    for case in &table {
        let [name, output, script] = ["name", "output", "script"].map(|k| case[k].as_str().unwrap());
        let mut s = Script::new();
        for (key, t) in below(&all, "given") {
            s.tensor(&key, &t);
        }
        let x = all[&format!("given/{output}")].copy().set_requires_grad(true);
        let value = s.tensor(output, &x).eval_tensor(script);
        close(&format!("{name}: {script}"), &value, &all[&format!("{name}/value")], 1e-4);
        weigh(&value).backward();
        close(&format!("gradient of {name}: {script}"), &x.grad(), &all[&format!("{name}/grad")], 1e-4);
    }
}

/// A root has no slope at 0, where a sure pixel is.
#[test]
fn focal_with_a_root_has_finite_gradients() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::from_slice2(&[[40.0f32, 0.0], [0.3, 0.1]]).set_requires_grad(true));
    s.eval("loss::focal(x, tensor::of([0, 1]), #{gamma: 0.5}).backward();");
    let grad = s.eval_tensor("x.grad");
    assert!(bool::try_from(grad.isfinite().all()).unwrap(), "{grad}");
}

#[test]
fn bad_targets_are_errors() {
    let mut s = Script::new();
    let float = tch::kind::FLOAT_CPU;
    s.tensor("x", &Tensor::rand([3, 4], float));
    s.tensor("flat", &Tensor::rand([3], float));
    s.tensor("maps", &Tensor::rand([2, 4, 3, 3], float));
    s.tensor("high", &Tensor::from_slice(&[0i64, 4, 1]));
    s.tensor("low", &Tensor::from_slice(&[0i64, -1, 1]));
    s.tensor("short", &Tensor::from_slice(&[0i64, 1]));
    s.tensor("classes", &Tensor::from_slice(&[0i64, 1, 2]));
    s.tensor("narrow", &Tensor::from_slice(&[0i32, 1, 2]));
    s.tensor("integers", &Tensor::zeros([3, 4], (Kind::Int64, tch::Device::Cpu)));
    s.tensor("weight", &Tensor::ones([3], float));
    s.tensor("number", &Tensor::from(1.0f32));
    for loss in ["cross_entropy", "nll"] {
        s.fails(&format!("loss::{loss}(x, high)"), &["target 4 is not a class", "classes 0 to 3"]);
        s.fails(&format!("loss::{loss}(x, low)"), &["target -1 is not a class"]);
        s.fails(&format!(r#"loss::{loss}(x, high, #{{reduction: "none"}})"#), &["target 4"]);
        s.fails(&format!("loss::{loss}(x, short)"), &[loss, "2", "3"]);
        s.fails(&format!("loss::{loss}(x, narrow)"), &["class numbers (int64)", ".long()"]);
        s.fails(&format!("loss::{loss}(x, flat)"), &[loss]);
        s.fails(&format!("loss::{loss}(x, integers)"), &[loss]);
        s.fails(&format!("loss::{loss}(maps, classes)"), &[loss]);
        s.fails(&format!("loss::{loss}(number, classes)"), &[loss]);
        s.fails(&format!("loss::{loss}(x, classes, #{{weight: weight}})"), &["weight"]);
        s.fails(&format!(r#"loss::{loss}(x, classes, #{{reduction: "avg"}})"#), &["unknown reduction `avg`"]);
        s.fails(&format!("loss::{loss}(x, 3)"), &["target", "expected Tensor, got integer 3"]);
    }
    s.fails("loss::cross_entropy(x, high, #{label_smoothing: 0.1})", &["target 4 is not a class"]);
    s.fails("loss::cross_entropy(x, classes, #{label_smoothing: 2})", &["label_smoothing"]);
    for loss in ["mse", "l1", "smooth_l1", "huber", "bce", "bce_with_logits", "kl_div"] {
        s.fails(&format!("loss::{loss}(x, flat)"), &["one shape, got [3, 4] and [3]"]);
        s.fails(&format!("loss::{loss}(x, integers)"), &["Int64", "target.float()"]);
        s.fails(
            &format!(r#"loss::{loss}(x, x, #{{reduction: "avg"}})"#),
            &["unknown reduction `avg`", "mean"],
        );
    }
    s.fails("loss::bce(x * 2 + 1, x)", &["[0, 1]", "bce_with_logits"]);
    s.fails("loss::bce(x, x, #{weight: weight})", &["bce"]);
    s.fails("loss::huber(x, x, #{delta: -1})", &["delta"]);
    s.fails("loss::smooth_l1(x, x, #{beta: -1})", &["beta"]);
}
