//! FCN and U-Net: outputs, names, weights of classifiers, files, bad sizes.

use super::super::filled::{fill, filled};
use super::super::support::{Script, Tensors, alone, fixture};
use cs385::core::Value;
use cs385::nn::{About, Net, Role};
use tch::Tensor;

fn every_third(y: &Tensor) -> Tensor {
    let some = |y: Tensor, axis: i64| {
        let n = y.size()[axis as usize];
        y.slice(axis, 1, n, 3)
    };
    some(some(y.shallow_clone(), 2), 3)
}

/// The output for the oracle's picture, against `key` of the fixture.
fn equals(all: &Tensors, key: &str, net: &Net) {
    fill(net);
    let _no_grad = tch::no_grad_guard();
    let y = net.forward_tensor(&filled("input", &[1, 3, 70, 101])).unwrap();
    assert_eq!(y.size(), [1, 3, 70, 101], "{key}");
    let (ours, want) = (every_third(&y), &all[key]);
    let off = (&ours - want).abs().max().double_value(&[]) / want.abs().max().double_value(&[]);
    assert!(off < 1e-4, "{key}: {off:e}");
}

#[test]
fn they_equal_their_twins() {
    let (all, _turn) = (fixture("segment"), alone());
    let mut n = 0;
    for key in all.keys() {
        let words: Vec<&str> = key.split('/').collect();
        let call = match words[..] {
            ["unet", norm] => {
                format!("models::unet(#{{classes: 3, width: 4, depth: 3, batch_norm: {norm}}})")
            }
            [encoder, decoder] => {
                format!("models::fcn(#{{encoder: {encoder:?}, decoder: {decoder:?}, classes: 3, hidden: 8}})")
            }
            [encoder, decoder, _] => {
                format!(
                    "models::fcn(#{{encoder: {encoder:?}, decoder: {decoder:?}, classes: 3, learned: false}})"
                )
            }
            _ => continue,
        };
        equals(&all, key, &Script::new().eval_object(&call));
        n += 1;
    }
    assert_eq!(n, 15);
}

#[test]
fn they_come_back_from_their_files() {
    let (folder, _turn) = (tempfile::tempdir().unwrap(), alone());
    let file = folder.path().join("n.safetensors");
    for call in [
        "models::fcn(#{encoder: \"alexnet\", decoder: \"fcn_16s\", classes: 4, hidden: 8, learned: false})",
        "models::fcn(#{encoder: \"resnet18\", decoder: \"fcn_32\", in_channels: 1})",
        "models::unet(#{classes: 3, width: 2, depth: 2, batch_norm: false})",
    ] {
        let net: Net = Script::new().eval_object(call);
        net.write(&file, &About::default()).unwrap();
        let (same, _) = Net::open(&file).unwrap();
        assert_eq!(same.recipe().unwrap(), net.recipe().unwrap());
        let x = filled("input", &[1, net.first_convolution().unwrap().1, 64, 96]);
        let _no_grad = tch::no_grad_guard();
        assert!(same.forward_tensor(&x).unwrap().equal(&net.forward_tensor(&x).unwrap()), "{call}");
    }
}

/// A network with skips begins as one without: their scores are 0.
#[test]
fn skips_begin_with_nothing_to_say() {
    let _turn = alone();
    for learned in [true, false] {
        let call = format!("models::fcn(#{{encoder: \"resnet18\", classes: 2, learned: {learned}}})");
        let net: Net = Script::new().eval_object(&call);
        let mut seen = 0;
        for (name, t, role) in net.named() {
            match name.as_str() {
                "score_16.weight" | "score_8.bias" => {
                    assert_eq!(t.abs().sum(t.kind()).double_value(&[]), 0.0)
                }
                "up_1.weight" => assert_eq!(role == Role::Parameter, learned),
                _ => continue,
            }
            seen += 1;
        }
        assert_eq!(seen, 3);
    }
}

/// What the top says of a place lies where that place's receptive field has its middle: a top that says its own row and
/// column in pixels gives a picture of rows and columns.
#[test]
fn places_stay_where_they_are() {
    let _turn = alone();
    for (encoder, middle) in [("alexnet", 31.0), ("vgg16", 15.5), ("vgg16_bn", 15.5), ("resnet18", 0.0)] {
        for (decoder, top) in [
            ("fcn_8", "score_32"),
            ("fcn_32", "score_32"),
            ("fcn_8s", "score_fr"),
            ("fcn_16s", "score_fr"),
            ("fcn_32s", "score_fr"),
        ] {
            let wide = decoder.ends_with('s');
            if wide && (encoder == "resnet18" || encoder == "vgg16_bn") {
                continue;
            }
            // AlexNet's window of six looks half a place further.
            let middle = if wide && encoder == "alexnet" { middle + 16.0 } else { middle };
            let mut s = Script::new();
            s.eval(&format!(
                "let net = models::fcn(#{{encoder: {encoder:?}, decoder: {decoder:?}, classes: 2, hidden: 2}});
                 net.on_forward({top:?}, |out| {{
                     let n = out.shape;
                     let at = |k| tensor::arange(n[k]).float() * 32.0 + {middle:?};
                     let rows = at.call(2).reshape([1, 1, n[2], 1]).expand([1, 1, n[2], n[3]]);
                     let columns = at.call(3).reshape([1, 1, 1, n[3]]).expand([1, 1, n[2], n[3]]);
                     tensor::cat([rows, columns], 1)
                 }});"
            ));
            for (h, w) in [(192, 224), (197, 211)] {
                let y = s.eval_tensor(&format!("net.forward(tensor::zeros([1, 3, {h}, {w}]))"));
                let (rows, columns) = (y.select(0, 0).select(0, 0), y.select(0, 0).select(0, 1));
                // Where there is a place on every side.
                for at in [64, 80, 101, 119] {
                    let off = [
                        rows.double_value(&[at, 90]) - at as f64,
                        columns.double_value(&[90, at]) - at as f64,
                    ];
                    let close = off.iter().all(|d| d.abs() < 0.51);
                    assert!(close, "{encoder}/{decoder} {h} × {w}: {off:?} off at {at}");
                }
            }
        }
    }
}

/// The convolutions of a classifier's file, and its linear layers as fc6 and fc7.
#[test]
fn classifiers_lend_their_weights() {
    let (folder, _turn) = (tempfile::tempdir().unwrap(), alone());
    for (encoder, places, side) in [("alexnet", [1, 4], 6), ("vgg16", [0, 3], 7)] {
        let mut s = Script::new();
        let net: Net = s.eval_object(&format!("models::{encoder}(#{{hidden: 8, classes: 5}})"));
        fill(&net);
        let file = folder.path().join(format!("{encoder}.safetensors"));
        net.write(&file, &About::default()).unwrap();
        s.set("file", Value::Str(file.display().to_string()));
        let fcn: Net = s.eval_object(&format!(
            "models::fcn(#{{encoder: {encoder:?}, decoder: \"fcn_32s\", hidden: 8, classes: 3, weights: file}})"
        ));
        let all: Tensors = fcn.named().into_iter().map(|(n, t, _)| (n, t)).collect();
        let theirs: Tensors = net.named().into_iter().map(|(n, t, _)| (n, t)).collect();
        let wide = &theirs[&format!("classifier.{}.weight", places[0])];
        assert!(all["fc6.weight"].equal(&wide.view([8, -1, side, side])));
        assert!(all["fc7.bias"].equal(&theirs[&format!("classifier.{}.bias", places[1])]));
        let n = all.iter().filter(|(n, t)| {
            let (stage, rest) = n.split_once('.').unwrap();
            stage.starts_with("stage_") && t.equal(&theirs[&format!("features.{rest}")])
        });
        assert_eq!(n.count(), if encoder == "alexnet" { 10 } else { 26 });
        let note = fcn.origin();
        assert!(note.contains("the decoder starts anew") && note.contains("score_fr"), "{note}");
        // The light decoders need the convolutions alone.
        let light: Net =
            s.eval_object(&format!("models::fcn(#{{encoder: {encoder:?}, classes: 3, weights: file}})"));
        assert!(
            light
                .named()
                .iter()
                .any(|(n, t, _)| n == "stage_8.0.weight" && t.equal(&theirs["features.0.weight"]))
        );
        // Its own files are whole: the classes come from them.
        let own = folder.path().join("own.safetensors");
        light.write(&own, &About::default()).unwrap();
        s.set("own", Value::Str(own.display().to_string()));
        let back: Net = s.eval_object(&format!("models::fcn(#{{encoder: {encoder:?}, weights: own}})"));
        assert!(back.origin().starts_with("fcn: all ") && back.named().len() == light.named().len());
    }
    let mut s = Script::new();
    let net: Net = s.eval_object("models::resnet18(#{classes: 2})");
    let file = folder.path().join("r.safetensors");
    net.write(&file, &About::default()).unwrap();
    s.set("file", Value::Str(file.display().to_string()));
    let fcn: Net = s.eval_object("models::fcn(#{encoder: \"resnet18\", classes: 2, weights: file})");
    let first = |net: &Net, name: &str| net.named().into_iter().find(|n| n.0 == name).unwrap().1;
    assert!(first(&fcn, "stage_32.layer4.1.conv2.weight").equal(&first(&net, "layer4.1.conv2.weight")));
    assert!(first(&fcn, "stage_8.bn1.running_var").equal(&first(&net, "bn1.running_var")));
}

#[test]
fn what_cannot_be_is_told() {
    let _turn = alone();
    let mut s = Script::new();
    s.fails("models::fcn(#{encoder: \"alexnt\"})", &["unknown encoder `alexnt`", "did you mean `alexnet`"]);
    s.fails("models::fcn(#{decoder: \"fcn_4\"})", &["unknown decoder `fcn_4`", "fcn_32s"]);
    s.fails(
        "models::fcn(#{encoder: \"resnet18\", decoder: \"fcn_8s\"})",
        &["resnet18 lacks", "fcn_8, fcn_32"],
    );
    s.eval("let net = models::fcn(#{encoder: \"resnet18\", classes: 2})");
    s.fails(
        "net.forward(tensor::zeros([1, 3, 24, 64]))",
        &["24 × 64", "too small for resnet18", "at least 32 × 32"],
    );
    s.fails("net.forward(tensor::zeros([3, 64, 64]))", &["pictures [N, C, H, W]", "[3, 64, 64]"]);
    s.fails(
        "models::unet(#{width: 2}).forward(tensor::zeros([1, 3, 15, 64]))",
        &["15 × 64", "at least 16 × 16"],
    );
    s.fails("models::unet(#{depth: 0})", &["`depth` is 1 to 6"]);
    s.fails("nn::bilinear_upsample(2, 0)", &["`factor` is 1 to 64"]);
    // Maps and hooks reach every stage of the decoder.
    s.eval(
        r#"let x = tensor::rand([1, 3, 64, 64]);
              for layer in ["stage_8", "stage_32", "score_32", "up_16", "sum_16", "sum_8", "up_1"] {
                  let map = cam::grad_cam(net, layer, x, target::segment(1, [8, 8, 16, 16]));
                  assert(map.tensor().shape == [1, 64, 64], layer);
              }"#,
    );
}
