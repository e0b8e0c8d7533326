//! Schedules against torch.optim.lr_scheduler (oracles/sched/make.py), and what a run makes of them, of groups of
//! layers, clipped and accumulated gradients, and averaged weights.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::train::history::History;
use cs385::train::sched::{Clock, Schedule};
use support::{Script, oracle};
use tch::{Kind, Tensor};

const EPOCHS: i64 = 6;
const STEPS: i64 = 5;

fn numbers(v: &serde_json::Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn rates_equal_pytorch() {
    let text = std::fs::read_to_string(oracle("sched/cases.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = all["cases"].as_array().unwrap();
    assert!(cases.len() >= 16);
    for case in cases {
        let (name, script) = (&case["name"], case["script"].as_str().unwrap());
        let want = numbers(&case["rates"]);
        let mut s = Script::new();
        let got: Vec<f64> = if case["losses"].is_null() {
            let rates = s.eval_tensor(&format!("{script}.rates(0.1, {EPOCHS}, {STEPS})"));
            Vec::try_from(rates).unwrap()
        } else {
            let (schedule, losses) = (s.eval_object::<Schedule>(script), numbers(&case["losses"]));
            let one = |step: i64| {
                let mut history = History::default();
                for loss in &losses[..(step / STEPS) as usize] {
                    history.push(vec![("val_loss".to_string(), *loss)]);
                }
                let at = Clock { step, per_epoch: STEPS, epochs: EPOCHS as f64, history: &history };
                schedule.lr(0.1, &at).unwrap()
            };
            (0..EPOCHS * STEPS).map(one).collect()
        };
        assert_eq!(got.len(), want.len(), "{name}");
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            assert!((g - w).abs() < 1e-12, "{name}: step {i}: {g}, PyTorch has {w}");
        }
    }
}

/// A script with 20 points in 4 dimensions and a linear network.
fn linear() -> Script {
    let mut s = Script::new();
    tch::manual_seed(1);
    s.tensor("x", &Tensor::randn([20, 4], tch::kind::FLOAT_CPU));
    s.tensor("y", &Tensor::arange(20, (Kind::Int64, tch::Device::Cpu)).remainder(2));
    s.eval("let data = data::from_tensors(x, y); let net = nn::linear(4, 2); let start = net.parameters().weight.clone().detach();");
    s
}

fn number(v: Value) -> f64 {
    match v {
        Value::Float(f) => f,
        Value::Int(i) => i as f64,
        Value::Tensor(t) => t.double_value(&[]),
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn a_run_sets_the_rate_before_every_step() {
    let mut s = linear();
    s.eval("let opt = optim::sgd(net, #{lr: 0.1});");
    let rates = s.eval_tensor(
        "train::run(#{nets: net, optimizers: opt, data: data, epochs: 2, batch_size: 5, save: false,
            schedule: sched::cosine(), step: |batch, t| { log.push(opt.lr); () }});
         tensor::of(log).double()",
    );
    let want = s.eval_tensor("sched::cosine().rates(0.1, 2, 4)");
    assert!(rates.allclose(&want, 1e-6, 1e-8, false), "{rates} {want}");
}

#[test]
fn schedules_by_name_and_those_of_nobody() {
    let mut s = linear();
    let run = |schedules: &str| {
        format!(
            "let a = optim::sgd(net, #{{lr: 1.0}}); let b = optim::adam(net, #{{lr: 1.0}});
             let run = train::run(#{{nets: net, optimizers: #{{a: a, b: b}}, data: data, epochs: 2, save: false,
                schedule: {schedules}, step: |batch, t| ()}}); [run.last.lr_a, run.last.lr_b, a.lr, b.lr]"
        )
    };
    let Value::List(lrs) = s.eval(&run("#{b: sched::step(1, #{gamma: 0.5})}")) else { panic!() };
    // After the run an optimizer has the rate it was made with, for the next one.
    assert_eq!(lrs.into_iter().map(number).collect::<Vec<_>>(), [1.0, 0.5, 1.0, 1.0]);
    let e = s.try_eval(&run("#{c: sched::step(1)}")).err().unwrap();
    assert!(e.contains("option `schedule`: unknown optimizer `c`") && e.contains("a, b"), "{e}");
}

#[test]
fn groups_have_options_of_their_own() {
    let mut s = Script::new();
    let net = "let net = nn::sequential([[\"a\", nn::linear(2, 2)], [\"b\", nn::linear(2, 1)]]);";
    s.eval(net);
    // The gradient of the sum of all parameters is 1 everywhere.
    let moved = s.eval_tensor(
        "let opt = optim::sgd(net, #{lr: 0.1, groups: [#{layers: [\"b\"], lr: 0.5, momentum: 0.9}]});
         let p = net.parameters(); let before = [p[\"a.weight\"].sum().item(), p[\"b.weight\"].sum().item()];
         for i in 0..2 {
             opt.zero_grad();
             (p[\"a.weight\"].sum() + p[\"b.weight\"].sum()).backward();
             opt.step();
         }
         tensor::of([before[0] - p[\"a.weight\"].sum().item(), before[1] - p[\"b.weight\"].sum().item()])",
    );
    // a: 4 elements · 2 steps · 0.1; b: 2 elements · 0.5 · (1 + 1.9)
    assert!(moved.allclose(&Tensor::from_slice(&[0.8f32, 2.9]), 1e-5, 1e-5, false), "{moved}");
    s.eval("opt.set_lr(0.01);");
    let opt: cs385::train::optim::Optimizer = s.eval_object("opt");
    let [a, b] = opt.rates()[..] else { panic!() };
    assert!((a - 0.01).abs() < 1e-12 && (b - 0.05).abs() < 1e-12, "{a} {b}");
    for (groups, words) in [
        ("[#{layers: [\"c\"]}]", "unknown layer `c`"),
        ("[#{lr: 1}]", "`layers` is missing"),
        ("[#{layers: [\"a\"], lrr: 1}]", "unknown option `lrr`; did you mean `lr`?"),
        ("[#{layers: [\"a\"]}, #{layers: [\"a.weight\"]}]", "in two of the `groups`"),
    ] {
        let e = s.try_eval(&format!("{net} optim::sgd(net, #{{groups: {groups}}})")).err().unwrap();
        assert!(e.contains(words), "{groups}: {e}");
    }
}

#[test]
fn accumulated_pieces_are_one_batch() {
    let mut s = linear();
    let after = |s: &mut Script, options: &str| {
        s.eval(&format!(
            "net.parameters().weight.detach().copy_(start); net.parameters().bias.detach().zero_();
             train::fit(net, data, #{{epochs: 1, shuffle: false, save: false, optimizer: optim::sgd(#{{lr: 0.5}}), {options}}});"
        ));
        s.eval_tensor("net.parameters().weight.detach().clone()")
    };
    let (whole, pieces) = (after(&mut s, "batch_size: 8"), after(&mut s, "batch_size: 3, accumulate: 3"));
    let (nine, three) = (after(&mut s, "batch_size: 9"), after(&mut s, "batch_size: 3"));
    assert!(pieces.allclose(&nine, 1e-5, 1e-6, false));
    assert!(!pieces.allclose(&whole, 1e-5, 1e-6, false) && !pieces.allclose(&three, 1e-5, 1e-6, false));
    // Clipped to nothing the weights hardly move; 1 · lr is the longest step of a norm of 1.
    let clipped = after(&mut s, "batch_size: 20, clip_norm: 0.01");
    let start = s.eval_tensor("start");
    let free = after(&mut s, "batch_size: 20");
    let bias = |s: &mut Script| s.eval_tensor("net.parameters().bias.detach().norm()").double_value(&[]);
    assert!((&free - &start).norm().double_value(&[]) > 0.02);
    let _ = after(&mut s, "batch_size: 20, clip_norm: 0.01");
    let length = ((&clipped - &start).norm().double_value(&[]).powi(2) + bias(&mut s).powi(2)).sqrt();
    assert!((length - 0.005).abs() < 1e-5, "{length}");
}

#[test]
fn averaged_weights_are_measured_and_left() {
    let mut s = linear();
    s.eval(
        "let opt = optim::sgd(net, #{lr: 0.5});
         train::run(#{nets: net, optimizers: opt, data: data, epochs: 2, batch_size: 10, save: false, ema: 0.6,
            step: |batch, t| {
                let loss = loss::cross_entropy(net.forward(batch.input), batch.target);
                opt.zero_grad(); loss.backward(); opt.step();
                log.push(net.parameters().weight.detach().clone());
                loss
            }});",
    );
    let want = s.eval_tensor("let m = log[0]; for i in 1..4 { m = m * 0.6 + log[i] * 0.4; } m");
    let got = s.eval_tensor("net.parameters().weight.detach()");
    assert!(got.allclose(&want, 1e-5, 1e-6, false), "{got} {want}");
    assert!(!got.allclose(&s.eval_tensor("log[3]"), 1e-5, 1e-6, false));
    let e = s.try_eval("train::fit(net, data, #{optimizer: optim::sgd(), ema: 1.0})").err().unwrap();
    assert!(e.contains("`ema` must lie in [0, 1), got 1"), "{e}");
}
