//! Targets by what they must give, for gradients, perturbations and CAMs, and what they say when they cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Script, close};
use tch::Tensor;

fn script() -> Script {
    let mut s = Script::new();
    cs385::core::seed::set(1).unwrap();
    s.tensor("x", &Tensor::randn([2, 3, 8, 8], tch::kind::FLOAT_CPU));
    s.eval(
        r#"let auto = nn::sequential([["conv", nn::conv2d(3, 6, 3, #{padding: 1})], ["relu", nn::relu()],
                                      ["up", nn::conv2d(6, 3, 3, #{padding: 1})], ["sigmoid", nn::sigmoid()]]);
           let seg = nn::sequential([["conv", nn::conv2d(3, 6, 3, #{padding: 1})], ["relu", nn::relu()],
                                     ["head", nn::conv2d(6, 4, 1)]]);
           let cls = nn::sequential([["conv", nn::conv2d(3, 6, 3)], ["relu", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)],
                                     ["flat", nn::flatten()], ["fc", nn::linear(6, 5)]]);
           let vae = nn::custom(#{enc: cls, dec: nn::linear(5, 3)}, |m, x| {
               let mu = m.enc.forward(x); #{mu: mu, out: m.dec.forward(mu)} });
           let mask = tensor::zeros([8, 8]); mask[[2..5, 1..4]] = 1.0;
           let masks = tensor::stack([mask, 1 - mask]);"#,
    );
    s
}

/// Every target against the same said by a closure: gradient, occlusion (many looks) and a CAM.
#[test]
fn targets_are_what_a_closure_says() {
    let mut s = script();
    for (net, target, closure) in [
        ("auto", "target::area_error(1, 2, 4, 3)", "(y - x).pow(2)[[.., .., 2..5, 1..5]].sum([1, 2, 3])"),
        (
            "auto",
            "target::area_error(0, 0, 8, 8, #{reference: x[0] * 0.5})",
            "(y - x[0] * 0.5).pow(2).sum([1, 2, 3])",
        ),
        ("seg", "target::segment(2, mask)", "(y[[.., 2]] * mask).sum([1, 2])"),
        ("seg", "target::segment(2, masks)", "(y[[.., 2]] * masks).sum([1, 2])"),
        ("seg", "target::segment(1, [2, 3, 4, 5])", "y[[.., 1, 3..8, 2..6]].sum([1, 2])"),
        ("seg", "target::mask(masks)", "(y * masks.unsqueeze(1)).sum([1, 2, 3])"),
        ("cls", "target::latent(3)", "y[[.., 3]]"),
        ("cls", "target::latent(4, #{layer: \"flat\"})", "()"),
        (
            "cls",
            "target::similarity(tensor::of([1.0, 2.0, 0.0, -1.0, 0.5]))",
            "(y * tensor::of([1.0, 2.0, 0.0, -1.0, 0.5])).sum(1) / (y.pow(2).sum(1).sqrt() * 2.5)",
        ),
        ("cls", "target::difference(3, target::softmax(1))", "y[[.., 3]] - y.softmax(1)[[.., 1]]"),
        ("cls", "[target::difference(3, 1), 2]", "tensor::stack([y[0][3] - y[0][1], y[1][2]])"),
        ("cls", "target::class(\"b\", #{classes: [\"a\", \"b\"]})", "y[[.., 1]]"),
        ("vae", "target::latent(2)", "y.mu[[.., 2]]"),
        ("vae", "target::latent(1, #{output: \"out\"})", "y.out[[.., 1]]"),
    ] {
        if closure == "()" {
            s.eval(&format!("attrib::saliency({net}, x, {target})"));
            continue;
        }
        let gradient = |t: &str| format!("attrib::saliency({net}, x, {t}, #{{abs: false}})");
        let own = format!("target::custom(|y| {closure})");
        close(target, &s.eval_tensor(&gradient(target)), &s.eval_tensor(&gradient(&own)), 1e-5);
        let layer = if net == "vae" { "enc.relu" } else { "relu" };
        let map =
            |t: &str| format!("cam::grad_cam({net}, \"{layer}\", x, {t}, #{{form: \"signed\"}}).tensor()");
        close(target, &s.eval_tensor(&map(target)), &s.eval_tensor(&map(&own)), 1e-4);
        // Of each picture alone: nothing of the other leaks in.
        if !target.starts_with('[') && !target.contains("masks") {
            let look = |x: &str| format!("attrib::occlusion({net}, {x}, {target}, #{{window: 4, batch: 3}})");
            let (both, second) = (s.eval_tensor(&look("x")), s.eval_tensor(&look("x[1]")));
            close(target, &both.narrow(0, 1, 1), &second, 1e-5);
        }
    }
}

/// The sigmoid that draws the picture is undone wherever it stands: as an entry of a map, in another shape, in a layer.
#[test]
fn areas_are_before_the_sigmoid() {
    let mut s = script();
    s.eval(
        r#"let map = nn::custom(#{auto: auto}, |m, x| #{mu: x.mean([1, 2, 3]), picture: m.auto.forward(x)});
           let fc = nn::linear(192, 192);
           let ends = |sigmoid| nn::sequential([nn::flatten(), fc] + sigmoid + [nn::unflatten([3, 8, 8])]);
           let bare = ends.call([]); let folded = ends.call([nn::sigmoid()]);
           let behind = nn::sequential([["auto", auto], ["mean", nn::conv2d(3, 2, 1)]]);"#,
    );
    let gradient = |s: &mut Script, net: &str, more: &str| {
        let target = format!("target::area(1, 2, 4, 3, #{{{more}}})");
        s.eval_tensor(&format!("attrib::saliency({net}, x, {target}, #{{abs: false}})"))
    };
    let plain = gradient(&mut s, "auto", "");
    let after = gradient(&mut s, "auto", "after_sigmoid: true");
    assert!((&plain - &after).abs().max().double_value(&[]) > 1e-3);
    close("folded", &gradient(&mut s, "folded", ""), &gradient(&mut s, "bare", ""), 1e-6);
    for (net, more) in [("map", "output: \"picture\""), ("behind", "layer: \"auto\"")] {
        close(net, &gradient(&mut s, net, more), &plain, 1e-6);
        let more = format!("after_sigmoid: true, {more}");
        close(net, &gradient(&mut s, net, &more), &after, 1e-6);
    }
}

/// Where the class is the highest is settled by the picture itself, not by its covered variants.
#[test]
fn a_segment_without_mask_stays() {
    let mut s = script();
    s.eval("let y = seg.forward(x); let zone = y.argmax(1) == 2;");
    let free = s.eval_tensor("attrib::occlusion(seg, x, target::segment(2), #{window: 4})");
    let given = s.eval_tensor("attrib::occlusion(seg, x, target::segment(2, zone), #{window: 4})");
    close("segment", &free, &given, 1e-6);
    let mut first = script();
    first.eval("let t = target::segment(1); let y = seg.forward(x); let zone = y.argmax(1) == 1;");
    let a = first.eval_tensor("attrib::saliency(seg, x, t)");
    close("gradient", &a, &first.eval_tensor("attrib::saliency(seg, x, target::segment(1, zone))"), 1e-6);
}

/// Class 1 where the picture is bright: two pieces that touch by a corner, one of them with a hole.
#[test]
fn pieces_and_outlines_are_those_of_the_prediction() {
    let mut s = Script::new();
    let net: cs385::nn::Net = s.eval_object("let net = nn::sequential([[\"c\", nn::conv2d(1, 2, 1)]]); net");
    let state = [("c.weight", [0.0f32, 1.0]), ("c.bias", [0.5, 0.0])];
    let shaped = |(n, v): (&str, [f32; 2])| {
        let t = Tensor::from_slice(&v);
        (n.to_string(), if n == "c.weight" { t.view([2, 1, 1, 1]) } else { t })
    };
    net.load_named(state.map(shaped).into_iter().collect(), true).unwrap();
    let large = ["11100000", "10100000", "11100000", "00011000", "00011000", "00000000"];
    let numbers: Vec<f32> = large.iter().flat_map(|r| r.bytes().map(|b| f32::from(b - b'0'))).collect();
    let x = Tensor::from_slice(&numbers).view([1, 1, 6, 8]);
    let piece = |rows: [i64; 2]| {
        let m = Tensor::zeros([6, 8], tch::kind::FLOAT_CPU);
        let (from, n) = (rows[0], rows[1] - rows[0]);
        m.narrow(0, from, n).copy_(&x.select(0, 0).select(0, 0).narrow(0, from, n));
        m.view([1, 1, 6, 8])
    };
    s.tensor("x", &Tensor::cat(&[&x, &x.flip([3])], 0));
    let mut slope =
        |target: &str| s.eval_tensor(&format!("attrib::saliency(net, x, {target}, #{{abs: false}})"));
    let both = |m: &Tensor| Tensor::cat(&[m, &m.flip([3])], 0).select(1, 0);
    let ask = |t: Tensor| if t.dim() == 4 { t.select(1, 0) } else { t };
    close("largest", &ask(slope("target::component(1)")), &both(&piece([0, 3])), 0.0);
    let second = ask(slope("target::component(1, 4, 4)"));
    close("at a pixel", &second.narrow(0, 0, 1), &both(&piece([3, 5])).narrow(0, 0, 1), 0.0);
    // Within one pixel of the outline, by hand: a pixel counts if its 3 × 3 has both kinds.
    let at =
        |y: i64, x: i64| (0..6).contains(&y) && (0..8).contains(&x) && numbers[(y * 8 + x) as usize] > 0.5;
    let inside = |y: i64, x: i64| (0..6).contains(&y) && (0..8).contains(&x);
    let band: Vec<f32> = (0..48)
        .map(|i| {
            let near: Vec<bool> = (0..9)
                .map(|k| (i / 8 + k / 3 - 1, i % 8 + k % 3 - 1))
                .filter(|p| inside(p.0, p.1))
                .map(|p| at(p.0, p.1))
                .collect();
            f32::from(u8::from(near.contains(&true) && near.contains(&false)))
        })
        .collect();
    let band = Tensor::from_slice(&band).view([1, 1, 6, 8]);
    close("border", &ask(slope("target::border(1, 1)")), &both(&band), 0.0);
    s.fails(
        "attrib::saliency(net, x, target::component(1, 4, 0))",
        &["picture 0: class 1 is nowhere the highest at x 4, y 0"],
    );
    s.fails("attrib::saliency(net, x * 0, target::component(1))", &["class 1 is nowhere the highest"]);
    s.fails("attrib::saliency(net, x, target::component(1, 8, 0))", &["x 8, y 0 does not lie in", "8 × 6"]);
    let pixels = "nn::sequential([[\"c\", nn::conv2d(3, 2, 1)], [\"act\", nn::relu()]])";
    s.fails(
        &format!("cam::grad_cam({pixels}, \"c\", tensor::rand([1, 3, 4, 4]))"),
        &["a class target needs an output [N, classes]", "target::segment"],
    );
    s.fails("target::component(1, 4)", &["a pixel is x and y"]);
    s.fails("target::border(1, 0)", &["`width` is 1 to 256"]);
    s.fails("target::segment(1, [1, 2, 3])", &["mask [H, W] or box [x, y, width, height]"]);
}

#[test]
fn targets_name_what_is_wrong() {
    let mut s = script();
    for (net, target, parts) in [
        (
            "auto",
            "target::area(6, 0, 3, 2)",
            &["x 6, y 0, 3 × 2 does not lie in the output picture of 8 × 8"][..],
        ),
        ("auto", "target::area(0, 0, 0, 2)", &["does not lie in"]),
        ("auto", "target::area_error(0, 7, 2, 2)", &["does not lie in"]),
        (
            "auto",
            "target::area_error(0, 0, 2, 2, #{reference: tensor::ones([3, 4, 4])})",
            &["cannot be compared with [3, 4, 4]", "reference"],
        ),
        ("seg", "target::area_error(0, 0, 2, 2)", &["[2, 4, 8, 8] cannot be compared with [2, 3, 8, 8]"]),
        (
            "auto",
            "target::mask(tensor::ones([4, 4]))",
            &["the mask [4, 4] does not fit the output picture [2, 3, 8, 8]"],
        ),
        ("auto", "target::mask(tensor::ones([3, 8, 8]))", &["the mask [3, 1, 8, 8] does not fit"]),
        ("auto", "target::mask(tensor::ones([4]))", &["a mask is [H, W], got [4]"]),
        ("seg", "target::segment(4)", &["there is no class 4: the network has classes 0 to 3"]),
        ("seg", "target::segment(1, tensor::ones([4]))", &["a mask is [H, W], got [4]"]),
        ("cls", "target::segment(1)", &["an output picture [N, C, H, W], got Tensor [2, 5]"]),
        ("seg", "2", &["needs an output [N, classes], got [2, 4, 8, 8]"]),
        ("cls", "target::latent(5)", &["there is no dimension 5: the code has 0 to 4"]),
        ("cls", "target::latent(1, #{layer: \"fcc\"})", &["unknown layer `fcc`", "did you mean"]),
        ("vae", "target::latent(1, #{output: \"mi\"})", &["unknown output `mi`", "mu"]),
        ("vae", "1", &["a class target needs an output [N, classes, ..], got map"]),
        (
            "cls",
            "target::similarity(tensor::ones([4]))",
            &["the feature [1, 4] does not fit those of the network, [2, 5]"],
        ),
        ("cls", "target::difference(1, 7)", &["there is no class 7"]),
        ("cls", "target::difference(1, target::area(0, 0, 1, 1))", &["look at different outputs"]),
        ("cls", "[target::latent(1, #{layer: \"flat\"}), 3]", &["look at different outputs"]),
        ("cls", "[]", &["the list of targets is empty"]),
        ("cls", "[1, 2, 3]", &["3 targets for a batch of 2"]),
        ("cls", "\"dog\"", &["does not know the names of its classes", "#{classes: ["]),
        ("cls", "target::class(\"dog\")", &["does not know the names of its classes"]),
        ("cls", "target::class(\"dgo\", #{classes: [\"cat\", \"dog\"]})", &["unknown class `dgo`", "`dog`"]),
        ("cls", "target::class(1.5)", &["expected class number or name, got number 1.5"]),
        ("cls", "target::custom(|y| y)", &["one number a picture, [N], got Tensor [2, 5]"]),
        ("cls", "target::custom(|y| tensor::ones([2]))", &["does not depend on"]),
    ] {
        let layer = if net == "vae" { "enc.relu" } else { "relu" };
        s.fails(&format!("cam::grad_cam({net}, \"{layer}\", x, {target})"), parts);
        s.fails(&format!("attrib::saliency({net}, x, {target})"), parts);
    }
}

/// A network that knows the names of its classes takes them for numbers, also within other targets.
#[test]
fn classes_by_name() {
    let mut s = script();
    s.eval(r#"cls.save("named.safetensors", #{classes: ["ant", "bee", "cat", "dog", "elk"]}); let named = nn::load("named.safetensors");"#);
    for (by_name, by_number) in [
        ("\"dog\"", "3"),
        ("[\"bee\", \"elk\"]", "[1, 4]"),
        ("target::softmax(\"cat\")", "target::softmax(2)"),
        (
            "target::difference(\"dog\", target::softmax(\"bee\"))",
            "target::difference(3, target::softmax(1))",
        ),
    ] {
        for call in [
            "cam::grad_cam(named, \"relu\", x, TARGET).tensor()",
            "attrib::saliency(named, x, TARGET)",
            "cam::score_cam(named, \"relu\", x, TARGET).tensor()",
        ] {
            let (a, b) = (call.replace("TARGET", by_name), call.replace("TARGET", by_number));
            close(&a, &s.eval_tensor(&a), &s.eval_tensor(&b), 0.0);
        }
    }
    close(
        "finer",
        &s.eval_tensor("cam::finer_cam(named, \"relu\", x, \"dog\").tensor()"),
        &s.eval_tensor("cam::finer_cam(named, \"relu\", x, 3).tensor()"),
        0.0,
    );
    s.fails("attrib::saliency(named, x, \"dgo\")", &["did you mean `dog`"]);
    s.fails("attrib::saliency(cls, x, \"dog\")", &["does not know the names"]);
}

/// While a network is looked at its parameters may be cut off from the graph, unless code of the user's own is there to see it.
#[test]
fn ones_own_code_may_take_gradients_of_parameters() {
    let mut s = Script::new();
    s.eval(
        "let x = tensor::rand([1, 1, 6, 6]); let net = nn::sequential([[\"conv\", nn::conv2d(1, 2, 3)]]); ()",
    );
    s.eval("let w = net.parameters()[\"conv.weight\"]; let keep = #{retain_graph: true}; ()");
    s.eval(
        "let t = target::custom(|out| out.sum([1, 2, 3]) * tensor::grad(out.sum(), w, keep).abs().sum()); ()",
    );
    s.eval("let own = nn::custom(#{conv: net.part(\"conv\")}, |m, x| { let y = m.conv.forward(x); y * tensor::grad(y.sum(), w, keep).abs().sum() }); ()");
    for call in [
        "cam::grad_cam(net, \"conv\", x, t)",
        "cam::grad_cam(net, \"conv\", x, target::difference(t, target::custom(|out| out.mean([1, 2, 3]))))",
        "cam::grad_cam(own, \"conv\", x, target::area(0, 0, 2, 2))",
    ] {
        assert_eq!(s.eval_tensor(&format!("{call}.tensor()")).size(), [1, 6, 6], "{call}");
        assert!(s.eval_tensor("tensor(w.requires_grad)").int64_value(&[]) == 1);
    }
    s.eval("cam::grad_cam(net, \"conv\", x, target::area(0, 0, 2, 2))");
    assert!(s.eval_tensor("tensor(w.requires_grad)").int64_value(&[]) == 1, "learns again afterwards");
}
