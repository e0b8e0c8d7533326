//! The models are torchvision's: names, shapes, layers and outputs (oracles/models/make.py), and weights get into
//! them from every kind of file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/filled.rs"]
mod filled;
mod support;

use cs385::core::{Value, arrays, device, run, safetensors};
use cs385::nn::{About, Net};
use filled::{fill, filled};
use support::{Script, Tensors, fixture, oracle};
use tch::{Kind, Tensor};

/// One block of keys.txt: a model's tensors (`name shape`) and layers (`name Class`).
struct Keys {
    name: String,
    tensors: Vec<String>,
    layers: Vec<String>,
}

fn keys() -> Vec<Keys> {
    let text = std::fs::read_to_string(oracle("models/keys.txt")).unwrap();
    let block = |block: &str| {
        let (name, rest) = block.split_once('\n').unwrap();
        let (tensors, layers) = rest.split_once("--\n").unwrap();
        let lines = |text: &str| text.lines().map(str::to_string).collect();
        Keys { name: name.into(), tensors: lines(tensors), layers: lines(layers) }
    };
    text.split("# ").filter(|b| !b.is_empty()).map(block).collect()
}

/// The call that makes the model of a name in keys.txt, with these options.
fn call(name: &str, options: &str) -> String {
    match name {
        "plain_cnn_bn" => format!("models::plain_cnn(#{{bn_dropout: true, {options}}})"),
        _ => format!("models::{name}(#{{{options}}})"),
    }
}

#[test]
fn every_model_is_in_the_oracle_and_in_the_list() {
    let mut names: Vec<String> = keys().into_iter().map(|k| k.name).filter(|n| n != "plain_cnn_bn").collect();
    names.sort();
    let Value::List(list) = Script::new().eval("models::list()") else { panic!("no list") };
    let list: Vec<String> =
        list.iter().map(|v| if let Value::Str(s) = v { s.clone() } else { panic!() }).collect();
    // Those that draw masks have an oracle of their own: tests/segment.rs.
    names.extend(["fcn", "unet"].map(String::from));
    names.sort();
    assert_eq!(list, names);
}

#[test]
fn names_shapes_and_layers_are_torchvisions() {
    for k in keys() {
        let net: Net = device::on_meta(|| Script::new().eval_object(&call(&k.name, "")));
        let shape = |s: &[i64]| s.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        let shape = |s: &[i64]| if s.is_empty() { "-".to_string() } else { shape(s) };
        let ours: Vec<String> =
            net.named().iter().map(|(n, t, _)| format!("{n} {}", shape(&t.size()))).collect();
        assert_eq!(ours, k.tensors, "{}", k.name);
        let kind = |path: &String| {
            let layer = net.part(path).unwrap().layer();
            let text = if layer.kind() == "Dropout" { layer.describe() } else { layer.kind() };
            format!("{path} {text}")
        };
        assert_eq!(net.layer_names(false).iter().map(kind).collect::<Vec<_>>(), k.layers, "{}", k.name);
    }
}

#[test]
fn outputs_are_torchvisions() {
    let all = fixture("models");
    for Keys { name, .. } in keys() {
        let wide = name.starts_with("vgg") || name == "alexnet";
        let options = if wide { "classes: 4, hidden: 8" } else { "classes: 4" };
        let net: Net = Script::new().eval_object(&call(&name, options));
        fill(&net);
        let (c, s) = if name == "lenet" { (1, 28) } else { (3, 64) };
        let _no_grad = tch::no_grad_guard();
        let y = net.forward_tensor(&filled("input", &[2, c, s, s])).unwrap();
        let want = &all[&format!("{name}/output")];
        let off = (&y - want).abs().max().double_value(&[]) / want.abs().max().double_value(&[]);
        assert!(off < 1e-4, "{name}: {off:e}\n{y}\n{want}");
    }
}

/// `net.save` tells how the model is built, and `nn::load` builds it.
#[test]
fn every_model_comes_back_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("n.safetensors");
    let mut s = Script::new();
    for Keys { name, .. } in keys() {
        let plain =
            if name == "plain_cnn_bn" { "plain_cnn(#{bn_dropout: true})" } else { &format!("{name}()") };
        let recipe = device::on_meta(|| s.eval_object::<Net>(&call(&name, "")).recipe().unwrap());
        assert_eq!(recipe, format!("models::{plain}"));
        let own = match name.as_str() {
            "alexnet" | "vgg16" => "hidden: 8, dropout: 0.25",
            _ if name.starts_with("vgg") => "hidden: 8",
            "lenet" => "size: 20, in_channels: 3",
            "efficientnet_lite0" => "imagenet_input: false, dropout: 0.5",
            "mobilenet_v2" => "width_mult: 0.5",
            _ => "in_channels: 2",
        };
        let net: Net = s.eval_object(&call(&name, &format!("classes: 4, {own}")));
        net.write(&file, &About::default()).unwrap();
        let (same, _) = Net::open(&file).unwrap();
        assert_eq!(same.recipe().unwrap(), net.recipe().unwrap());
        assert_eq!(same.tree(), net.tree());
        let x = filled("input", &[1, net.first_convolution().unwrap().1, 64, 64]);
        let x = if name == "lenet" { x.narrow(2, 0, 20).narrow(3, 0, 20) } else { x };
        let _no_grad = tch::no_grad_guard();
        assert!(same.forward_tensor(&x).unwrap().equal(&net.forward_tensor(&x).unwrap()), "{name}");
    }
    // What the weights decided is written down; where they came from is not.
    s.set("file", path("small_wrapped_half.pth"));
    let net: Net =
        s.eval_object("nn::sequential([models::plain_cnn(#{weights: file, width: 4, partial: true})])");
    let recipe = r#"nn::sequential([["0", models::plain_cnn(#{classes: 3, width: 4})]])"#;
    assert_eq!(net.recipe().unwrap(), recipe);
    let tensors = net.state().unwrap();
    for (bad, words) in [
        ("models::plain_cnn(#{weights: \"imagenet\"})", "cannot ask for weights of another file"),
        ("models::vgg16()", "the network described is larger than its file"),
        ("models::create(\"lenet\")", "`models::create`, which builds no layer here"),
    ] {
        let metadata = [("cs385.net".to_string(), bad.to_string())].into();
        safetensors::write(&file, &tensors, &metadata).unwrap();
        let e = Net::open(&file).err().unwrap();
        assert!(e.msg.contains(words), "{}", e.msg);
    }
}

fn path(file: &str) -> Value {
    Value::Str(oracle(&format!("models/{file}")).display().to_string())
}

#[test]
fn files_of_every_age_wrapping_and_precision_load() {
    for (file, width, tolerance) in [
        ("small_wrapped_half.pth", 4, 1e-3),
        ("small_legacy_bfloat16.pth", 4, 1e-2),
        ("tiny_ordered.pth", 2, 0.0),
        ("tiny_legacy_state_dict.pth", 2, 0.0),
        ("tiny_legacy_module_half.pth", 2, 1e-3),
        ("tiny_model_module_bfloat16.pth", 2, 1e-2),
    ] {
        let mut s = Script::new();
        // The classes are the file's.
        let call = format!("models::plain_cnn(#{{weights: file, width: {width}}})");
        let net: Net = s.set("file", path(file)).eval_object(&call);
        for (name, t, _) in net.named() {
            let d = support::distance(&t, &filled(&name, &t.size()));
            assert!(t.kind() == Kind::Float && t.requires_grad() && d <= tolerance, "{file}: {name} {d}");
        }
        assert!(net.origin().starts_with("plain_cnn: all 10 tensors from ") && net.origin().ends_with(file));
    }
}

#[test]
fn another_head_or_stem_starts_anew_and_says_so() {
    let mut s = Script::new();
    s.set("file", path("small_wrapped_half.pth"));
    let net: Net = s.eval_object("models::plain_cnn(#{weights: file, width: 4, classes: 120})");
    let note = net.origin();
    assert!(
        note.contains("8 of 10 tensors")
            && note.contains("`fc` starts anew ([120, 32] here, [3, 32] in the file)"),
        "{note}"
    );
    let named: Tensors = net.named().into_iter().map(|(n, t, _)| (n, t)).collect();
    assert!(support::distance(&named["conv4.weight"], &filled("conv4.weight", &[32, 16, 3, 3])) < 1e-3);
    assert!(support::distance(&named["fc.bias"], &filled("fc.bias", &[120])) > 1e-3);
    let grey: Net = s.eval_object("models::plain_cnn(#{weights: file, width: 4, in_channels: 1})");
    assert!(
        grey.origin().contains("`conv1` starts anew ([4, 1, 3, 3] here, [4, 3, 3, 3] in the file)"),
        "{}",
        grey.origin()
    );
}

#[test]
fn a_counter_saved_as_a_list_of_one_loads() {
    let folder = tempfile::tempdir().unwrap();
    let mut s = Script::new();
    let net: Net = s.eval_object("models::plain_cnn(#{width: 2, bn_dropout: true})");
    let counter = |(n, t): (String, Tensor)| if t.dim() == 0 { (n, (t + 7).view([1])) } else { (n, t) };
    let file = folder.path().join("w.npz");
    arrays::write_named(&file, &net.state().unwrap().into_iter().map(counter).collect::<Vec<_>>()).unwrap();
    s.set("file", Value::Str(file.display().to_string()));
    let back: Net = s.eval_object("models::plain_cnn(#{width: 2, bn_dropout: true, weights: file})");
    let counters = back.named().into_iter().filter(|n| n.1.dim() == 0).map(|n| n.1.int64_value(&[]));
    assert_eq!(counters.collect::<Vec<i64>>(), [7; 4]);
}

#[test]
fn files_of_other_networks_are_refused_unless_in_part() {
    let mut s = Script::new();
    s.set("file", path("small_wrapped_half.pth"));
    s.fails(
        "models::plain_cnn(#{weights: file, width: 4, bn_dropout: true})",
        &["does not fit plain_cnn: 16 missing", "partial: true"],
    );
    let net: Net =
        s.eval_object("models::plain_cnn(#{weights: file, width: 4, bn_dropout: true, partial: true})");
    assert!(net.origin().contains("10 of 26 tensors"), "{}", net.origin());
    s.fails("models::resnet18(#{weights: file})", &["does not fit resnet18"]);
    s.fails(
        "models::vgg11(#{weights: file, hidden: 8, partial: true})",
        &["holds nothing of vgg11", "conv1.weight", "features.0.weight"],
    );
    s.fails("models::lenet(#{weights: \"no.pth\"})", &["no.pth: no such file", "\"imagenet\""]);
    s.fails("models::lenet(#{weights: \"imagenet\"})", &["no ImageNet weights of lenet", "resnet18"]);
}

#[test]
fn what_is_missing_unexpected_or_of_other_shape_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut s = Script::new();
    let net: Net = s.eval_object("models::plain_cnn(#{width: 2, classes: 4})");
    let change = |(n, t): (String, Tensor)| match n.as_str() {
        "conv3.bias" => ("conv3.shift".to_string(), t),
        "conv4.bias" => (n, t.narrow(0, 0, 3)),
        _ => (n, t),
    };
    let file = folder.path().join("w.safetensors");
    arrays::write_named(&file, &net.state().unwrap().into_iter().map(change).collect::<Vec<_>>()).unwrap();
    s.set("file", Value::Str(file.display().to_string()));
    let words = "1 missing (conv3.bias); 1 unexpected (conv3.shift); \
                 1 of other shape (conv4.bias: [16] here, [3] in the file)";
    s.fails(
        "models::plain_cnn(#{weights: file, width: 2})",
        &["does not fit plain_cnn", words, "partial: true"],
    );
    let part: Net = s.eval_object("models::plain_cnn(#{weights: file, width: 2, partial: true})");
    assert!(part.origin().contains("8 of 10 tensors") && part.origin().ends_with(words), "{}", part.origin());
    let [ours, theirs] = [&part, &net].map(|n| n.state().unwrap());
    assert_eq!(ours.iter().zip(&theirs).filter(|(a, b)| a.1.equal(&b.1)).count(), 8);
}

/// A network's tensors written under other programs' names come back as they were.
#[test]
fn layouts_of_other_programs_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let mut s = Script::new();
    let mut round =
        |name: &str, options: &str, theirs: &dyn Fn(&str, &Tensor) -> Option<(String, Tensor)>| {
            let net: Net = s.eval_object(&call(name, options));
            let file = folder.path().join(format!("{name}.safetensors"));
            let tensors: Vec<_> = net.state().unwrap().iter().filter_map(|(n, t)| theirs(n, t)).collect();
            arrays::write_named(&file, &tensors).unwrap();
            s.set("file", Value::Str(file.display().to_string()));
            let back: Net = s.eval_object(&call(name, &format!("weights: file, partial: true, {options}")));
            for ((n, a, _), (_, b, _)) in net.named().iter().zip(back.named()) {
                let known = theirs(n, a).is_some() || a.numel() == 1;
                assert!(!known || a.allclose(&b, 1e-5, 1e-6, false), "{name}: {n}");
            }
            assert!(back.origin().contains(&format!("{} ", tensors.len())), "{}", back.origin());
        };
    let keras =
        |t: &Tensor| if t.dim() == 4 { t.permute([2, 3, 1, 0]).contiguous() } else { t.shallow_clone() };
    for (name, prefix, places) in [
        ("alexnet", "AlexNet_0", &[0, 3, 6, 8, 10][..]),
        ("vgg16", "VGG16_0", &[0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
    ] {
        round(name, "hidden: 8, classes: 4", &|n, t| {
            let (place, what) = n.strip_prefix("features.")?.split_once('.')?;
            let i = places.iter().position(|p| p.to_string() == place)?;
            Some((format!("{prefix}.Conv_{i}.{}", if what == "weight" { "kernel" } else { what }), keras(t)))
        });
    }
    round("squeezenet1_1", "classes: 4", &|n, t| {
        let what = if n.ends_with("weight") { "0" } else { "1" };
        let words: Vec<&str> = n.split('.').collect();
        let fire = [3, 4, 6, 7, 9, 10, 11, 12].iter().position(|p| p.to_string() == words[1]);
        match words[..] {
            // The stem is another: see below.
            ["features", "0", _] => None,
            ["features", _, part, _] => {
                let part = if part == "squeeze" { "squeeze1x1" } else { part };
                Some((format!("fire{}.{part}.{what}", fire? + 2), keras(t)))
            }
            _ => Some((format!("conv10.{what}"), keras(t))),
        }
    });
    round("mobilenet_v2", "width_mult: 0.25, classes: 4", &|n, t| {
        let Some((block, rest)) = n.split_once(".conv.") else { return Some((n.into(), t.shallow_clone())) };
        let words: Vec<&str> = rest.split('.').collect();
        let inner = if block == "features.1" { 1 } else { 2 };
        let number = |w: &str| w.parse::<usize>().unwrap();
        let place = match words[..] {
            [a, b, _] => 3 * number(a) + number(b),
            _ => number(words[0]) + 2 * inner,
        };
        Some((format!("{block}.conv.{place}.{}", words.last().unwrap()), t.shallow_clone()))
    });
}

/// SqueezeNet's file wants pictures blue first in 0..255 less a mean; ours are normalised.
#[test]
fn the_stem_of_squeezenet_is_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let (w, b) = (filled("w", &[3, 3, 3, 64]), filled("b", &[64]));
    let last = [("conv10.0", vec![1, 1, 512, 4]), ("conv10.1", vec![4])]
        .map(|(n, s)| (n.to_string(), filled(n, &s)));
    let file = folder.path().join("w.safetensors");
    let stem = [("conv1.0".to_string(), w.shallow_clone()), ("conv1.1".to_string(), b.shallow_clone())];
    arrays::write_named(&file, &stem.into_iter().chain(last).collect::<Vec<_>>()).unwrap();
    let mut s = Script::new();
    s.set("file", Value::Str(file.display().to_string()));
    let ours: Net =
        s.eval_object("models::squeezenet1_1(#{weights: file, partial: true}).part(\"features.0\")");
    let picture = (filled("input", &[1, 3, 9, 9]) + 1.0) * 127.5;
    let of = |v: [f32; 3]| Tensor::from_slice(&v).view([1, 3, 1, 1]);
    let x = (&picture / 255.0 - of([0.485, 0.456, 0.406])) / of([0.229, 0.224, 0.225]);
    let caffe = picture.flip([1]) - of([103.939, 116.779, 123.68]);
    let theirs = caffe.conv2d(&w.permute([3, 2, 0, 1]), Some(&b), 2, 0, 1, 1);
    let off = (ours.forward_tensor(&x).unwrap() - &theirs).abs().max() / theirs.abs().max();
    assert!(off.double_value(&[]) < 1e-5, "{off}");
}

#[test]
fn a_run_says_where_its_weights_came_from() {
    let out = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "t".into(), out: out.path().into(), ..run::Setup::default() });
    let mut s = Script::new();
    s.set("file", path("small_wrapped_half.pth"));
    let note = s.eval("models::plain_cnn(#{weights: file, width: 4, classes: 5}).weights_note");
    let Value::Str(note) = note else { panic!("no text") };
    run::ensure_folder().unwrap();
    run::finish("ok").unwrap();
    let record = std::fs::read_to_string(run::folder().unwrap().join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["notes"], serde_json::json!([note]));
}

/// A residual block's one `relu` runs twice: what is kept is its last output, and a hook is called for both.
#[test]
fn the_relu_of_a_block() {
    let mut s = Script::new();
    s.tensor("x", &filled("input", &[1, 3, 64, 64]));
    let script = r#"
        let net = models::resnet18(#{classes: 4});
        let seen = net.capture(x, ["layer4.1", "layer4.1.relu", "layer4.1.bn1"]);
        let calls = [];
        let hook = net.on_forward("layer4.1.relu", |out| { calls.push(out); () });
        net.forward(x);
        hook.remove();
        [seen["layer4.1"].equal(seen["layer4.1.relu"]), calls.len(), calls[0].equal(seen["layer4.1.bn1"].relu()),
         calls[1].equal(seen["layer4.1"]), cam::grad_cam(net, "layer4.1.relu", x, 1).tensor().equal(
         cam::grad_cam(net, "layer4", x, 1).tensor()), attrib::guided_backprop(net, x, 1).abs().sum().item() > 0]"#;
    let Value::List(found) = s.eval(script) else { panic!("no list") };
    let shown: Vec<String> = found.iter().map(Value::describe).collect();
    assert_eq!(shown, ["bool true", "integer 2", "bool true", "bool true", "bool true", "bool true"]);
    // In a frozen network too.
    s.eval(r#"net.freeze(); cam::grad_cam(net, "layer4.1.relu", x, 1)"#);
}

#[test]
fn class_names_are_torchvisions() {
    let Value::List(names) = Script::new().eval("models::imagenet_classes()") else { panic!("no list") };
    let names: Vec<String> = names.iter().map(Value::describe).collect();
    let at = [0, 134, 517, 638, 639, 999].map(|i: usize| names[i].trim_start_matches("string "));
    let want = ["tench", "crane bird", "crane", "maillot", "maillot tank suit", "toilet tissue"];
    assert_eq!((names.len(), at.map(String::from)), (1000, want.map(|n| format!("{n:?}"))));
}
