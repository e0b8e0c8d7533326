//! `models::torchscript`: the user's own programs (oracles/torchscript/make.py).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::nn::Net;
use support::{Script, close, fixture, oracle};

fn path(file: &str) -> String {
    oracle(&format!("torchscript/{file}")).display().to_string()
}

/// A script with `net`, the program `NAME.pt`, and the pictures `x`.
fn script(name: &str) -> Script {
    let mut s = Script::new();
    s.tensor("x", &fixture("torchscript")["x"]).set("path", Value::Str(path(&format!("{name}.pt"))));
    s.eval("let net = models::torchscript(path);");
    s
}

#[test]
fn outputs_and_pixel_attributions_are_pytorchs() {
    let all = fixture("torchscript");
    for (name, target) in [("classifier", "2"), ("frozen", "2"), ("picture", "target::area(1, 2, 3, 2)")] {
        let mut s = script(name);
        // Several passes: libtorch's optimiser would rewrite the program after the first.
        for pass in 0..3 {
            close(name, &s.eval_tensor("net.forward(x)"), &all[&format!("{name}/y")], 1e-5);
            let grad = s.eval_tensor(&format!("attrib::saliency(net, x, {target}, #{{abs: false}})"));
            close(&format!("{name}, pass {pass}"), &grad, &all[&format!("{name}/grad")], 1e-5);
        }
    }
}

#[test]
fn it_is_a_network_like_others() {
    let mut s = script("classifier");
    let shown = |v: Value| v.describe();
    assert_eq!(shown(s.eval("net.to_string()")), "string \"TorchScript(Classifier)\"");
    assert_eq!(shown(s.eval("net.count_parameters()")), "integer 208");
    assert_eq!(shown(s.eval("net.freeze_all_but(\"fc\").count_parameters(true)")), "integer 28");
    let net: Net = s.eval_object("net");
    assert_eq!(net.origin(), format!("torchscript: the program {}", path("classifier.pt")));
    let names: Vec<String> = net.named().into_iter().map(|(n, ..)| n).collect();
    let learned = ["conv.weight", "conv.bias", "bn.weight", "bn.bias", "fc.weight", "fc.bias"];
    assert_eq!(names[..6], learned);
    assert_eq!(names[6..], ["bn.running_mean", "bn.running_var", "bn.num_batches_tracked"]);
    // Dropout and batch norm follow the mode, and training changes what the program computes.
    let y = s.eval_tensor("net.forward(x)");
    assert_ne!(s.eval_tensor("net.train(); net.forward(x)"), s.eval_tensor("net.forward(x)"));
    let step = "let opt = optim::sgd(net, #{lr: 0.5}); let loss = net.forward(x).pow(2).mean(); loss.backward(); opt.step();";
    s.eval(step);
    assert!(support::distance(&s.eval_tensor("net.train(false); net.forward(x)"), &y) > 1e-2);
    // Weights go in and out by name.
    s.set("weights", Value::Str(path("twin.pth")));
    let back = s.eval_tensor("net.load(weights); net.forward(x)");
    close("loaded again", &back, &fixture("torchscript")["classifier/y"], 1e-5);
}

#[test]
fn several_outputs_are_a_list_or_a_map() {
    let y = &fixture("torchscript")["classifier/y"];
    let mut s = script("several");
    let pick = "nn::sequential([net, nn::custom(#{}, |m, out| out[1] / 2)])";
    close("list", &s.eval_tensor(&format!("{pick}.forward(x)")), y, 1e-5);
    s.fails("attrib::saliency(net, x, 1)", &["list of 2"]);
    let grad = s.eval_tensor(&format!("attrib::saliency({pick}, x, 2, #{{abs: false}})"));
    close("gradient", &grad, &fixture("torchscript")["classifier/grad"], 1e-5);
    close("map", &script("by_name").eval_tensor("net.forward(x).out"), y, 1e-5);
    script("nested").fails("net.forward(x)", &["the program gives List[List[Tensor]]; a tensor, a tuple"]);
}

#[test]
fn its_layers_are_out_of_reach() {
    let mut s = script("classifier");
    for call in [
        "cam::grad_cam(net, \"conv\", x, 2)",
        "cam::full_grad(net, x, 2)",
        "attrib::guided_backprop(net, x, 2)",
        "attrib::deconvnet(net, x, 2)",
        "attrib::lrp(net, x, 2)",
        "net.capture(x, [\"conv\"])",
        "net.on_forward(\"conv\", |out| ())",
        "net.part(\"conv\")",
        "nn::sequential([[\"a\", net]]).part(\"a.conv\")",
    ] {
        s.fails(
            call,
            &["cannot be had: the layers of a TorchScript program are out of reach", "attrib::saliency"],
        );
    }
    s.fails("nn::sequential([[\"a\", net]]).part(\"b\")", &["unknown layer `b`", "valid: a"]);
    // What stands around the program can be tapped.
    s.eval("nn::sequential([[\"a\", net], [\"b\", nn::relu()]]).capture(x, [\"a\", \"b\"])");
    s.fails("net.recipe()", &["a network of kind TorchScript cannot be built"]);
}

#[test]
fn other_files_and_failing_programs_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(path("classifier.pt")).unwrap();
    let net: Net = script("classifier").eval_object("net");
    let weight = net.named()[0].1.detach().flatten(0, -1).double_value(&[0]) as f32;
    let at = whole.windows(4).position(|w| w == weight.to_le_bytes()).unwrap();
    let mut damaged = whole.clone();
    damaged[at] ^= 1;
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file.display().to_string()
    };
    for (file, words) in [
        (path("none.pt"), &["none.pt: no such file"][..]),
        (
            path("twin.pth"),
            &["twin.pth: is a file of torch.save, not a TorchScript program", "net.load(path)"],
        ),
        (path("fixture.safetensors"), &["is no TorchScript program", "torch.jit.script(model).save"]),
        (write("half.pt", &whole[..whole.len() / 2]), &["half.pt: ", "incomplete or damaged"]),
        (write("damaged.pt", &damaged), &["damaged.pt: ", "damaged: wrong checksum"]),
        (write("empty.pt", &[]), &["empty.pt: is no TorchScript program"]),
        (folder.path().display().to_string(), &["not a file"]),
    ] {
        Script::new().set("path", Value::Str(file)).fails("models::torchscript(path)", words);
    }
    script("classifier")
        .fails("net.forward(x.narrow(1, 0, 2))", &["expected input[2, 2, 6, 6] to have 3 channels"]);
    script("classifier").fails("net.forward([x])", &["input of TorchScript(Classifier): expected Tensor"]);
    script("raises").fails("net.forward(x)", &["ValueError: a picture is needed, not a batch"]);
}
