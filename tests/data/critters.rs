//! Critters: the same pictures whenever asked for; masks, parts and boxes that are true; the knob.

use super::super::support::{Script, tensor};
use cs385::core::Value;
use tch::Kind;

fn item(s: &mut Script, script: &str) -> std::collections::BTreeMap<String, Value> {
    match s.eval(script) {
        Value::Map(m) => m,
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn masks_parts_and_boxes_agree() {
    let mut s = Script::new();
    s.eval("let set = data::critters(#{size: 48, train: 60, test: 5, classes: 20}).train;");
    for i in 0..60 {
        let m = item(&mut s, &format!("set.get({i})"));
        let (mask, parts) = (tensor(&m["mask"]), tensor(&m["parts"]));
        assert!(mask.equal(&parts.gt(0)));
        let share = mask.to_kind(Kind::Float).mean(Kind::Float).double_value(&[]);
        assert!((0.02..0.5).contains(&share), "animal {i} covers {share}");
        // Every part is seen, unless another hides it.
        let seen = (1..7).filter(|p| parts.eq(*p).any().int64_value(&[]) == 1).count();
        assert!(seen >= 5, "animal {i} shows {seen} parts");
        let b = Vec::<f64>::try_from(tensor(&m["box"]).to_kind(Kind::Double)).unwrap();
        let on = mask.nonzero();
        let (low, high) = (on.amin([0i64], false), on.amax([0i64], false));
        let want = [
            low.int64_value(&[1]),
            low.int64_value(&[0]),
            high.int64_value(&[1]) + 1,
            high.int64_value(&[0]) + 1,
        ];
        let want = want.map(|v| v as f64);
        assert_eq!(b, [want[0], want[1], want[2] - want[0], want[3] - want[1]], "animal {i}");
    }
}

#[test]
fn pictures_depend_on_their_seed_alone() {
    let mut s = Script::new();
    let ask = |seed: i64, half: &str| {
        format!("data::critters(#{{size: 32, train: 6, test: 6, seed: {seed}}}).{half}.tensors().input")
    };
    let first = s.eval_tensor(&ask(0, "train"));
    assert!(first.equal(&s.eval_tensor(&format!("seed(9); {}", ask(0, "train")))));
    assert!(!first.equal(&s.eval_tensor(&ask(1, "train"))));
    assert!(!first.equal(&s.eval_tensor(&ask(0, "test"))));
}

#[test]
fn the_knob_changes_the_ground_and_never_the_animal() {
    let mut s = Script::new();
    s.eval("fn set(p) { data::critters(#{size: 32, train: 200, test: 1, background: p}).train.tensors() }");
    let (none, all) = (item(&mut s, "set(0)"), item(&mut s, "set(1)"));
    let mask = |m: &std::collections::BTreeMap<String, Value>| tensor(&m["mask"]);
    assert!(mask(&none).equal(&mask(&all)));
    // What the ground alone tells: the nearest mean colour of the lowest rows, learnt on one half.
    let told = |m: &std::collections::BTreeMap<String, Value>| {
        let rows = tensor(&m["input"]).narrow(2, 28, 4).mean_dim([2i64, 3].as_slice(), false, Kind::Float);
        let y = tensor(&m["target"]);
        let centre = |k: i64| {
            let mine = y.narrow(0, 0, 100).eq(k).nonzero().flatten(0, -1);
            rows.index_select(0, &mine).mean_dim([0i64].as_slice(), false, Kind::Float)
        };
        let centres = tch::Tensor::stack(&(0..10).map(centre).collect::<Vec<_>>(), 0);
        let guess = rows.narrow(0, 100, 100).unsqueeze(1).g_sub_square(&centres);
        guess
            .argmin(1, false)
            .eq_tensor(&y.narrow(0, 100, 100))
            .to_kind(Kind::Float)
            .mean(Kind::Float)
            .double_value(&[])
    };
    let (at_random, at_home) = (told(&none), told(&all));
    assert!(at_random < 0.25 && at_home > 0.5, "{at_random} {at_home}");
}

/// Squared distances of rows to centres.
trait Distances {
    fn g_sub_square(&self, centres: &tch::Tensor) -> tch::Tensor;
}

impl Distances for tch::Tensor {
    fn g_sub_square(&self, centres: &tch::Tensor) -> tch::Tensor {
        (self - centres.unsqueeze(0)).square().sum_dim_intlist([2i64].as_slice(), false, Kind::Float)
    }
}

#[test]
fn bad_options_are_told() {
    let mut s = Script::new();
    s.fails("data::critters(#{classes: 21})", &["`classes` is 2 to 20", "21"]);
    s.fails("data::critters(#{background: 2})", &["`background` is 0 to 1"]);
    s.fails("data::critters(#{test_background: -1})", &["`test_background`"]);
    s.fails("data::critters(#{size: 4})", &["`size` is 8 to 2048"]);
}
