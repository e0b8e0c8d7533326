//! Measures of masks against scikit-learn and SciPy; training on masks.

use super::super::support::{Script, cases, fixture};
use cs385::core::{Map, Value};

fn script() -> Script {
    let all = fixture("segment");
    let mut s = Script::new();
    s.tensor("output", &all["output"]).tensor("y", &all["target"]);
    s
}

fn number(v: &Value) -> f64 {
    match v {
        Value::Float(f) => *f,
        Value::Int(i) => *i as f64,
        other => panic!("{}", other.describe()),
    }
}

fn map(v: Value) -> Map {
    let Value::Map(m) = v else { panic!("{}", v.describe()) };
    m
}

#[test]
fn they_equal_scikit_learn_and_scipy() {
    let mut s = script();
    for case in cases("segment") {
        let name = case["name"].as_str().unwrap();
        if let Some(tolerance) = case["tolerance"].as_f64() {
            let got = s.eval(&format!("metrics::boundary_f1(output, y, #{{tolerance: {tolerance}}})"));
            let want = case["value"].as_f64().unwrap();
            assert!((number(&got) - want).abs() < 1e-6, "{name}: {} not {want}", number(&got));
            continue;
        }
        let confusion = match name {
            "five" => "metrics::pixel_confusion(output, y)",
            "one picture" => "metrics::pixel_confusion(output[0..1], y[0..1])",
            _ => "metrics::pixel_confusion(output.argmax(1).clamp(0, 1), y.clamp(-100, 1), #{classes: 2})",
        };
        let matrix = s.eval_tensor(&format!("let m = {confusion}; m"));
        let want: Vec<Vec<i64>> = serde_json::from_value(case["confusion"].clone()).unwrap();
        assert_eq!(Vec::<i64>::try_from(matrix.flatten(0, 1)).unwrap(), want.concat(), "{name}");
        let all = map(s.eval("metrics::overlap(m)"));
        for key in [
            "pixel_accuracy",
            "mean_accuracy",
            "mean_iou",
            "foreground_iou",
            "frequency_weighted_iou",
            "mean_dice",
        ] {
            let (got, want) = (number(&all[key]), case[key].as_f64().unwrap());
            assert!((got - want).abs() < 1e-6, "{name}, {key}: {got}, not {want}");
        }
        let Value::List(classes) = &all["classes"] else { panic!() };
        for key in ["iou", "dice", "accuracy"] {
            for (row, want) in classes.iter().zip(case[key].as_array().unwrap()) {
                let got = number(&map(row.clone())[key]);
                match want.as_f64() {
                    Some(want) => assert!((got - want).abs() < 1e-6, "{name}, {key}: {got}, not {want}"),
                    None => assert!(got.is_nan(), "{name}, {key}: {got} of an absent class"),
                }
            }
        }
    }
}

/// A data set measured in batches gives what all its pixels give at once.
#[test]
fn a_data_set_is_measured_as_one() {
    let mut s = script();
    s.eval(
        "let net = nn::identity();
         let data = data::from_tensors(output, y, #{classes: [\"a\", \"b\", \"c\", \"d\", \"e\"]});
         let whole = metrics::overlap(metrics::pixel_confusion(output, y));
         let m = metrics::segmentation(net, data, #{batch_size: 3, tolerance: 2.3});",
    );
    for key in ["pixel_accuracy", "mean_iou", "foreground_iou", "mean_dice"] {
        let [a, b] = ["m", "whole"].map(|v| number(&s.eval(&format!("{v}.{key}"))));
        assert!((a - b).abs() < 1e-9, "{key}: {a} {b}");
    }
    let f1 = number(&s.eval("m.boundary_f1 - metrics::boundary_f1(output, y, #{tolerance: 2.3})"));
    assert!(f1.abs() < 1e-9);
    assert_eq!(
        s.eval("m.each.len() == 4 && m.each[3].index == 3 && m.classes[1].class == \"b\"").describe(),
        "bool true"
    );
    let one = number(&s.eval(
        "m.each[0].mean_iou - metrics::overlap(metrics::pixel_confusion(output[0..1], y[0..1])).mean_iou",
    ));
    assert!(one.abs() < 1e-9);
    // With the mirror a network that has a side says the same of a picture and of its mirror image.
    s.eval("let lopsided = nn::conv2d(5, 3, [1, 7], #{padding: [0, 3]}); let mirror = output.flip([3]);");
    for (flip, same) in [(false, false), (true, true)] {
        s.eval(&format!(
            "let a = train::segment(lopsided, output, #{{flip: {flip}}});
                         let b = train::segment(lopsided, mirror, #{{flip: {flip}}}).flip([2]);"
        ));
        assert_eq!(s.eval_tensor("a").equal(&s.eval_tensor("b")), same, "flip {flip}");
    }
}

#[test]
fn masks_are_learned_and_measured_each_epoch() {
    let _turn = super::super::support::alone();
    let mut s = Script::with_library();
    s.eval(
        "seed(0);
         let critters = data::critters(#{size: 32, train: 24, test: 8, classes: 3});
         let sets = [critters.train, critters.test].map(|d| d.with_masks(\"mask\"));
         let net = models::unet(#{classes: 2, width: 4, depth: 2});
         let run = train::fit(net, sets[0], #{val: sets[1], epochs: 3, batch_size: 4, optimizer: optim::adam(#{lr: 0.01}),
             augment: augment::compose([augment::random_horizontal_flip(), augment::random_affine(#{degrees: 20})]), save: false});
         let m = metrics::segmentation(net, sets[1]);",
    );
    // The history's numbers are those of all pixels, not means over batches.
    for (ours, theirs) in
        [("mean_iou", "mean_iou"), ("accuracy", "pixel_accuracy"), ("foreground_iou", "foreground_iou")]
    {
        let off = number(&s.eval(&format!("run.last.val_{ours} - m.{theirs}")));
        assert!(off.abs() < 1e-9, "{ours}: {off}");
    }
    let (first, last) =
        (number(&s.eval("run.history[0].train_mean_iou")), number(&s.eval("run.last.train_mean_iou")));
    assert!(last > first, "{first} {last}");
    // In pieces, too, and with losses for masks.
    for loss in [
        "\"dice\"",
        "\"focal\"",
        "|y, t| loss::cross_entropy(y, t, #{weight: tensor::of([0.3, 0.7])}) + loss::dice(y, t)",
    ] {
        s.eval(&format!("train::fit(net, sets[0], #{{loss: {loss}, accumulate: 3, batch_size: 4, optimizer: optim::sgd(#{{lr: 0.01}}), save: false}})"));
    }
}

/// With a learning rate for the decoder the encoder moves a tenth as far in Adam's first step.
#[test]
fn the_library_teaches_encoders_slower() {
    let _turn = super::super::support::alone();
    let mut s = Script::with_library();
    s.eval(
        "seed(0);
         let sets = segment::sets(\"\", \"tiny\", #{});
         let net = models::fcn(#{encoder: \"alexnet\", decoder: \"fcn_32\", classes: 2});
         let names = [\"stage_8.0.weight\", \"score_32.weight\"];
         let before = names.map(|n| net.parameters()[n].detach().clone());
         let sets = sets + #{train: sets.train.take(4)};
         segment::learn(net, sets, #{save: false, schedule: sched::custom(|t| 1.0)});
         let moved = [0, 1].map(|i| (net.parameters()[names[i]].detach() - before[i]).abs().max().item());",
    );
    let [encoder, decoder] = [0, 1].map(|i| number(&s.eval(&format!("moved[{i}]"))));
    assert!((decoder - 1e-3).abs() < 1e-4 && (encoder - 1e-4).abs() < 1e-5, "{encoder} {decoder}");
}

#[test]
fn a_picture_of_one_class_or_of_none_is_measured() {
    let mut s = Script::new();
    s.eval("let zero = tensor::zeros([1, 4, 4]).long(); let none = zero - 100;");
    s.eval("let m = metrics::overlap(metrics::pixel_confusion(zero, zero, #{classes: 2}))");
    assert_eq!(number(&s.eval("m.mean_iou")), 1.0);
    assert!(number(&s.eval("m.foreground_iou")).is_nan());
    s.eval("let m = metrics::overlap(metrics::pixel_confusion(zero, none, #{classes: 2}))");
    assert!(number(&s.eval("m.mean_iou")).is_nan() && number(&s.eval("m.pixel_accuracy")).is_nan());
    assert!(number(&s.eval("metrics::boundary_f1(zero, zero, #{classes: 2})")).is_nan());
    assert_eq!(number(&s.eval("metrics::boundary_f1(zero + 1, zero + 1, #{classes: 2})")), 1.0);
    assert_eq!(number(&s.eval("metrics::boundary_f1(zero + 1, zero, #{classes: 2})")), 0.0);
    for loss in ["dice", "focal"] {
        let v = s.eval_tensor(&format!("loss::{loss}(tensor::zeros([1, 2, 4, 4]), none)"));
        assert_eq!(v.double_value(&[]), 0.0, "{loss}");
    }
    s.fails(
        "loss::cross_entropy(tensor::zeros([1, 2, 4, 4]), none)",
        &["no target counts", "all 16 are -100"],
    );
    s.fails("metrics::pixel_confusion(zero, zero)", &["how many classes", "classes: 2"]);
    s.fails("metrics::pixel_confusion(zero, zero + 2, #{classes: 2})", &["target 2 is not a class"]);
    s.fails("metrics::pixel_confusion(zero + 2, zero, #{classes: 2})", &["prediction 2 is not a class"]);
    s.fails("metrics::pixel_confusion(zero, zero[0], #{classes: 2})", &["target must be classes", "[4, 4]"]);
    s.fails(
        "metrics::pixel_confusion(zero.float(), zero, #{classes: 2})",
        &["logits [N, C, H, W]", "[1, 4, 4]"],
    );
    s.fails("metrics::overlap(tensor::zeros([2, 3]))", &["confusion matrix [C, C]", "[2, 3]"]);
    s.fails("loss::dice(tensor::zeros([1, 2, 4, 4]), zero[0])", &["[N, C, ..]", "[4, 4]"]);
    s.fails(
        "loss::focal(tensor::zeros([1, 2, 4, 4]), zero, #{weight: tensor::ones([3])})",
        &["each of the 2 classes", "[3]"],
    );
    s.fails("loss::focal(tensor::zeros([1, 2, 4, 4]), zero, #{gamma: -1})", &["`gamma` is not negative"]);
    s.fails(
        "metrics::segmentation(nn::identity(), data::from_tensors(tensor::rand([2, 3]), tensor::of([0, 1])))",
        &["no masks", "with_masks"],
    );
}
