//! Backward hooks: one backward pass in segments, its sums those of a pass without hooks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod hooks {
    mod edges;
}

use cs385::core::{Value, ffi, run};
use cs385::nn::Net;
use cs385::tensor::tape::{self, Gate, Graph};
use support::{Script, close};
use tch::{Kind, Tensor};

const FLOAT: (Kind, tch::Device) = tch::kind::FLOAT_CPU;

/// Every way a gradient can branch: nested containers, detours, an output used three times, weights used twice.
const NET: &str = r#"
    let block = |n| nn::residual(nn::sequential([["conv1", nn::conv2d(n, n, 3, #{padding: 1})], ["act", nn::relu()],
                                                 ["conv2", nn::conv2d(n, n, 3, #{padding: 1})]]));
    let stem = nn::sequential([["conv", nn::conv2d(3, 4, 3)], ["bn", nn::batch_norm2d(4)], ["same", nn::identity()]]);
    let parts = #{stem: stem, block: nn::sequential([block.call(4), block.call(4)]), side: nn::conv2d(4, 4, 1),
                  both: nn::conv2d(4, 4, 1), pool: nn::adaptive_avg_pool2d(1),
                  head: nn::sequential([["flat", nn::flatten()], ["fc", nn::linear(4, 5)]])};
    let net = nn::custom(parts, |m, x| {
        let h = m.stem.forward(x);
        let u = m.block.forward(h);
        let v = m.both.forward(m.side.forward(h));
        m.head.forward(m.pool.forward(m.both.forward(u + h) * h + v * u + h))
    });"#;

fn script(net: &str) -> (Script, Net) {
    tch::manual_seed(5);
    let mut s = Script::new();
    let x = Tensor::randn([2, 3, 8, 8], FLOAT).set_requires_grad(true);
    let net: Net = s.tensor("x", &x).eval_object(&format!("{net} net"));
    s.set("net", Value::object(net.clone()));
    (s, net)
}

/// The gradient of every parameter, by name; gone from the network afterwards.
fn take(net: &Net) -> Vec<(String, Option<Tensor>)> {
    let all = net.parameters(false);
    let grads = all.iter().map(|(n, t)| (n.clone(), Some(t.grad()).filter(Tensor::defined))).collect();
    ffi::clear_grads(&all.into_iter().map(|(_, t)| t).collect::<Vec<_>>()).unwrap();
    grads
}

#[track_caller]
fn identical(what: &str, a: &[(String, Option<Tensor>)], b: &[(String, Option<Tensor>)]) {
    assert_eq!(a.len(), b.len());
    for ((n, a), (_, b)) in a.iter().zip(b) {
        let (a, b) = (a.as_ref().unwrap(), b.as_ref().unwrap());
        assert!(a.equal(b), "{what}: gradient of {n} differs by {}", (a - b).abs().max());
    }
}

#[test]
fn observing_changes_no_bit() {
    let (mut s, net) = script(NET);
    let twice = "let y = net.forward(x); (y * y).sum().backward(); net.forward(x).exp().sum().backward();";
    let all = "x.zero_grad(); for p in net.parameters().values() { p.zero_grad(); }";
    for mode in ["net.train(false);", "net.train();"] {
        s.eval(&format!("{mode} {twice}"));
        let want = take(&net);
        let at_x = s.eval_tensor("let g = x.grad.clone(); x.zero_grad(); g");
        s.eval(
            r#"let seen = 0; let hooks = [];
               for l in net.layers(true) { hooks.push(net.on_backward(l, |g| { seen += 1; })); }
               for l in net.layers(true) { hooks.push(net.on_backward(l, |g| g * 1)); }"#,
        );
        let seen = s.eval(&format!("{twice} seen"));
        identical(mode, &take(&net), &want);
        assert!(s.eval_tensor("x.grad").equal(&at_x), "{mode}");
        // Two passes; the shared layer is passed twice in each.
        assert_eq!(as_int(&seen), as_int(&s.eval("2 * (net.layers(true).len() + 1)")));
        // The graph is kept: the second pass through it gives the same gradients once more.
        s.eval("let y = net.forward(x); (y * y).sum().backward(#{retain_graph: true});");
        let first = take(&net);
        s.eval("let z = (y * y).sum(); z.backward(#{retain_graph: true}); ");
        identical("again", &take(&net), &first);
        s.eval(&format!("for h in hooks {{ h.remove(); }} {all} let z = (); let y = ();"));
        let _ = take(&net);
    }
    drop((s, net));
    assert_eq!(tape::kept(), (0, 0));
}

fn as_int(v: &Value) -> i64 {
    match v {
        Value::Int(i) => *i,
        other => panic!("{}", other.describe()),
    }
}

#[test]
fn replacing_acts_on_all_that_lies_before() {
    let (mut s, net) = script(NET);
    let step = "let y = net.forward(x); (y * y).sum().backward();";
    s.eval(step);
    let want = take(&net);
    s.eval(r#"let h = net.on_backward("block", |g| g * 0);"#);
    s.eval(step);
    let cut = take(&net);
    for ((name, a), (_, b)) in want.iter().zip(&cut) {
        let (a, b) = (a.as_ref().unwrap(), b.as_ref().unwrap());
        if name.starts_with("block.") {
            assert_eq!(f64::try_from(b.abs().sum(Kind::Float)).unwrap(), 0.0, "{name}");
        } else if name.starts_with("head.") || name == "both.weight" {
            assert!(a.equal(b), "{name}");
        } else if name == "stem.conv.weight" {
            assert!(!a.equal(b) && f64::try_from(b.abs().sum(Kind::Float)).unwrap() > 0.0, "{name}");
        }
    }
    // A factor of two at the stem: the chain rule is linear, and a doubling is exact.
    s.eval(r#"h.remove(); net.on_backward("stem", |g| g * 2);"#);
    s.eval(step);
    for ((name, a), (_, b)) in want.iter().zip(take(&net)) {
        let factor = if name.starts_with("stem.") { 2.0 } else { 1.0 };
        assert!((a.as_ref().unwrap() * factor).equal(b.as_ref().unwrap()), "{name}");
    }
}

#[test]
fn nested_layers_are_passed_from_the_outside() {
    let (mut s, _) = script(NET);
    // `stem` and `stem.same` and `stem.bn` have one output; the outermost hook is the first.
    let v = s.eval(
        r#"let seen = [];
           for l in ["stem.bn", "stem.same", "stem"] { let l = l; net.on_backward(l, |g| { seen.push(l); g + 1 }); }
           net.on_backward("stem.bn", |g| { seen.push("bn, second"); });
           net.forward(x).sum().backward();
           seen"#,
    );
    let Value::List(seen) = v else { panic!() };
    let seen: Vec<String> = seen.iter().map(Value::describe).collect();
    // Of several hooks on one layer the one added last is nearest to the loss.
    assert_eq!(
        seen,
        ["string \"stem\"", "string \"stem.same\"", "string \"bn, second\"", "string \"stem.bn\""]
    );
}

const PAIR: &str = r#"
    let net = nn::sequential([["d1", nn::linear(4, 8)], ["act", nn::leaky_relu(0.2)], ["d2", nn::linear(8, 1)]]);
    let maker = nn::sequential([["g1", nn::linear(3, 6)], ["act", nn::tanh()], ["g2", nn::linear(6, 4)]]);"#;

#[test]
fn a_network_run_twice_in_one_loss() {
    let mut s = Script::new();
    tch::manual_seed(2);
    s.tensor("real", &Tensor::randn([5, 4], FLOAT)).tensor("z", &Tensor::randn([5, 3], FLOAT));
    let net: Net = s.eval_object(&format!("{PAIR} net"));
    let loss = "(net.forward(real).sigmoid().log().mean() + (1 - net.forward(maker.forward(z)).sigmoid()).log().mean()).backward();";
    s.set("net", Value::object(net.clone()));
    let maker: Net = s.eval_object(&format!("{PAIR} maker"));
    s.set("maker", Value::object(maker.clone())).set("net", Value::object(net.clone()));
    s.eval(loss);
    let (want, made) = (take(&net), take(&maker));
    let n = s.eval(&format!(
        r#"let n = 0; net.on_backward("d1", |g| {{ n += 1; }}); net.on_backward("act", |g| {{ n += 10; }});
           maker.on_backward("g2", |g| {{ n += 100; g * 2 }}); {loss} n"#
    ));
    assert_eq!(as_int(&n), 122);
    identical("net", &take(&net), &want);
    for ((name, a), (_, b)) in made.iter().zip(take(&maker)) {
        assert!((a.as_ref().unwrap() * 2.0).equal(b.as_ref().unwrap()), "{name}");
    }
    // Two losses of one forward pass, one after the other.
    s.eval("let a = net.forward(real); a.sum().backward(#{retain_graph: true}); (a * a).sum().backward();");
    let hooked = take(&net);
    s.set("net", Value::object(Net::of(net.layer()))); // the same layers without hooks
    s.eval("let a = net.forward(real); a.sum().backward(#{retain_graph: true}); (a * a).sum().backward();");
    identical("two losses", &take(&net), &hooked);
}

#[test]
fn gradients_at_several_places_of_a_hooked_graph() {
    let (mut s, net) = script(NET);
    let grads = |s: &mut Script, net: &str| {
        let v = s.eval(&format!(
            r#"let inner = []; let look = {net}.on_forward("stem.conv", |o| {{ inner.push(o); }});
               let look2 = {net}.on_forward("side", |o| {{ inner.push(o); }});
               let y = {net}.forward(x); inner.push(x); inner.push(y);
               let g = tensor::grad((y * y).sum(), inner); look.remove(); look2.remove(); g"#
        ));
        let Value::List(l) = v else { panic!() };
        l.iter().map(support::tensor).collect::<Vec<_>>()
    };
    let want = grads(&mut s, "net");
    assert_eq!(want.len(), 4);
    s.eval(r#"for l in ["stem.conv", "stem", "side", "block.0", "head"] { net.on_backward(l, |g| {}); }"#);
    for (a, b) in want.iter().zip(grads(&mut s, "net")) {
        assert!(a.equal(&b));
    }
    assert!(
        net.parameters(false).iter().all(|(_, t)| !t.grad().defined()),
        "tensor::grad leaves .grad alone"
    );
    // An output kept before the hook sees what the hook leaves; the hook's own layer too.
    s.eval(r#"net.on_backward("stem", |g| g * 4); net.on_backward("side", |g| g * 0);"#);
    let hooked = grads(&mut s, "net");
    assert!(hooked[1].equal(&want[1].zeros_like()), "side");
    assert!(hooked[3].equal(&want[3]), "y");
    assert!(!hooked[0].equal(&want[0]));
}

#[test]
fn gradients_of_gradients_pass_hooks() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::from_slice(&[1f32, 2.0]).set_requires_grad(true));
    let second = |factor: &str| {
        format!(
            "let net = nn::sequential([[\"a\", nn::identity()], [\"b\", nn::identity()]]); {factor}
             let y = net.forward(x ** 3).sum();
             let g = tensor::grad(y, x, #{{create_graph: true}});
             tensor::grad((g * g).sum(), x)"
        )
    };
    // (3x²)² = 9x⁴, its derivative 36x³; doubled inside: 4 · 36x³.
    let plain = s.eval_tensor(&second(""));
    close("plain", &plain, &Tensor::from_slice(&[36f32, 288.0]), 1e-6);
    let doubled =
        s.eval_tensor(&second("net.on_backward(\"a\", |g| g * 2); net.on_backward(\"b\", |g| {});"));
    close("doubled", &doubled, &(plain * 4.0), 1e-6);
    let kept = s.eval_tensor(
        "let y = (x ** 3).sum(); y.backward(#{create_graph: true}); let g = x.grad; x.zero_grad(); tensor::grad((g * g).sum(), x)",
    );
    assert_eq!(kept.size(), [2]);
}

#[test]
fn a_failing_hook_leaves_nothing_behind() {
    let (mut s, net) = script(NET);
    let step = "net.forward(x).sum().backward();";
    s.eval(step);
    let want = take(&net);
    s.eval("x.zero_grad();");
    s.eval(r#"let h = net.on_backward("stem.conv", |g| throw "no thanks");"#);
    for _ in 0..2 {
        s.fails(step, &["no thanks"]);
        assert!(net.parameters(false).iter().all(|(_, t)| !t.grad().defined()), "no gradient was left");
        assert_eq!(s.eval_tensor("x.grad").abs().sum(Kind::Float).double_value(&[]), 0.0);
    }
    s.eval("h.remove();");
    s.eval(step);
    identical("after the failure", &take(&net), &want);
    assert_eq!(tape::kept().1, 0);
}

#[test]
fn forward_passes_without_backward_leave_nothing() {
    let (mut s, net) = script(NET);
    s.eval(r#"let h = net.on_backward("stem", |g| g); let k = net.on_backward("head.fc", |g| {});"#);
    s.eval("for i in 0..1000 { net.forward(x); }");
    assert_eq!(tape::kept(), (2, 0), "graphs that are gone");
    s.eval("let kept = []; for i in 0..10 { kept.push(net.forward(x)); }");
    assert_eq!(tape::kept(), (2, 20), "one a hook and pass");
    s.eval("tensor::no_grad(|| net.forward(x)); h.remove(); k.remove();");
    assert_eq!(tape::kept(), (2, 20));
    s.eval("h = (); k = ();");
    assert_eq!(tape::kept(), (2, 20), "held by the graphs alone");
    s.eval("kept = [];");
    assert_eq!(tape::kept(), (0, 0));
    drop(net);
}

#[test]
fn a_graph_outlives_its_network() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::ones([1, 2], FLOAT).set_requires_grad(true));
    let g = s.eval_tensor(
        r#"fn loss(x, n) { let net = nn::sequential([["a", nn::identity()]]); net.on_backward("a", |g| g * n); net.forward(x).sum() }
           loss(x, 3).backward(); x.grad"#,
    );
    close("gradient", &g, &Tensor::from_slice(&[3f32, 3.0]).view([1, 2]), 0.0);
    // A gate may replace the whole way of a gradient.
    let x = Tensor::from_slice(&[-1f32, 2.0]).set_requires_grad(true);
    let y = Gate::new(|g| Ok(Some(g * 5.0))).lay(&x.relu(), &x).unwrap();
    let grads = tape::grad(&y.sum(Kind::Float), &[x], Graph::default()).unwrap();
    assert_eq!(Vec::<f32>::try_from(grads[0].as_ref().unwrap()).unwrap(), [5.0, 5.0]);
}

#[test]
fn training_goes_through_hooks() {
    let out = tempfile::tempdir().unwrap();
    run::begin(run::Setup { name: "hooks".into(), out: out.path().into(), ..run::Setup::default() });
    let mut s = Script::new();
    tch::manual_seed(3);
    s.tensor("x", &Tensor::randn([32, 4], FLOAT));
    let train = |hook: &str, how: &str| {
        format!(
            r#"seed(4); let n = 0; let data = data::from_tensors(x, (x.sum(1) > 0).long());
               let net = nn::sequential([["a", nn::linear(4, 8)], ["act", nn::relu()], ["b", nn::linear(8, 2)]]);
               let a = net.parameters()["a.weight"].detach().clone();
               {hook} {how} #{{a: net.parameters()["a.weight"].detach() - a, w: net.parameters()["b.weight"].detach(), n: n}}"#
        )
    };
    let fit =
        "train::fit(net, data, #{epochs: 2, batch_size: 8, save: false, optimizer: optim::sgd(#{lr: 0.1})});";
    let step = "let opt = optim::sgd(net, #{lr: 0.1});
        train::run(#{nets: net, optimizers: opt, data: data, epochs: 2, batch_size: 8, save: false, step: |batch, t| {
            let loss = loss::cross_entropy(net.forward(batch.input), batch.target); opt.zero_grad(); loss.backward(); opt.step(); loss }});";
    for how in [fit, step] {
        let mut run = |hook: &str| match s.eval(&train(hook, how)) {
            Value::Map(m) => (support::tensor(&m["a"]), support::tensor(&m["w"]), as_int(&m["n"])),
            other => panic!("{}", other.describe()),
        };
        let plain = run("");
        let seen = run(r#"net.on_backward("act", |g| { n += 1; });"#);
        assert!(plain.0.equal(&seen.0) && plain.1.equal(&seen.1));
        assert_eq!(seen.2, 8);
        assert!(plain.0.abs().max().double_value(&[]) > 0.0);
        let cut = run(r#"net.on_backward("act", |g| g * 0);"#);
        assert_eq!(cut.0.abs().max().double_value(&[]), 0.0, "nothing before the hook learns");
        assert!(!cut.1.equal(&plain.1));
    }
}

#[test]
fn cams_and_grads_see_hooks() {
    let mut s = Script::new();
    tch::manual_seed(6);
    s.tensor("x", &Tensor::randn([2, 3, 12, 12], FLOAT));
    s.eval(
        r#"let net = nn::sequential([["conv1", nn::conv2d(3, 6, 3)], ["relu1", nn::relu()], ["conv2", nn::conv2d(6, 8, 3)],
               ["relu2", nn::relu()], ["gap", nn::adaptive_avg_pool2d(1)], ["flat", nn::flatten()], ["fc", nn::linear(8, 3)]]);"#,
    );
    let raw = r#"cam::grad_cam(net, "relu1", x, 1, #{form: "raw", relu: false}).tensor()"#;
    for freeze in ["", "net.freeze();"] {
        s.eval(freeze);
        let map = s.eval_tensor(raw);
        let grad = s.eval_tensor(r#"net.grads(x, 1, ["relu1"]).relu1"#);
        s.eval(r#"let hooks = [net.on_backward("relu2", |g| g * 2), net.on_backward("relu1", |g| g * 4)];"#);
        assert!(
            s.eval_tensor(raw).equal(&(&map * 8.0)),
            "the layer's own hook and those behind it: {freeze}"
        );
        assert!(s.eval_tensor(r#"net.grads(x, 1, ["relu1"]).relu1"#).equal(&(&grad * 8.0)));
        assert!(s.eval_tensor(r#"net.grads(x, 1, ["relu2", "relu1"]).relu1"#).equal(&(&grad * 8.0)));
        s.eval("for h in hooks { h.remove(); }");
        assert!(s.eval_tensor(raw).equal(&map));
        s.eval(r#"let h = net.on_backward("relu2", |g| throw "stop");"#);
        s.fails(raw, &["stop"]);
        s.eval("h.remove();");
        assert!(s.eval_tensor(raw).equal(&map));
    }
}

#[test]
fn hooks_that_run_or_remove_themselves() {
    let mut s = Script::new();
    s.tensor("x", &Tensor::ones([1, 2], FLOAT));
    let net = r#"let net = nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 2)]]); let same = net; let n = 0; let h = ();"#;
    for kind in ["on_forward", "on_backward"] {
        let n = s.eval(&format!(
            "{net} h = net.{kind}(\"a\", |v| {{ n += 1; h.remove(); }});
             for i in 0..3 {{ net.forward(x).sum().backward(); }} n"
        ));
        assert_eq!(as_int(&n), 1, "{kind}");
    }
    // Removed after the forward pass: the graph's gate lets everything through.
    let n = s.eval(&format!(
        "{net} h = net.on_backward(\"a\", |g| {{ n += 1; g * 0 }});
         let y = net.forward(x).sum(); h.remove(); y.backward();
         if net.parameters()[\"a.bias\"].grad.abs().sum().item() == 0 {{ n += 100; }} n"
    ));
    assert_eq!(as_int(&n), 0);
    s.fails(
        &format!("{net} net.on_forward(\"a\", |v| {{ same.forward(x); }}); net.forward(x)"),
        &["hook on layer `a` runs its own network", "net.part"],
    );
    // A part has no hooks; a backward hook may run the network, whose forward pass is not hooked.
    s.eval(&format!("{net} net.on_forward(\"a\", |v| same.part(\"b\").forward(v)); net.forward(x)"));
    s.eval(&format!(
        "{net} net.on_backward(\"a\", |g| {{ same.forward(g); }}); net.forward(x).sum().backward();"
    ));
    let inside = "let nets = []; let net = nn::custom(#{a: nn::linear(2, 2)}, |m, x| ";
    s.fails(
        &format!("{inside} nets[0].forward(x)); nets.push(net); net.forward(x)"),
        &["running already", "m.name.forward"],
    );
    // After the error it runs again.
    let ok = s.eval(&format!(
        "let deep = true; {inside} if deep {{ nets[0].forward(x) }} else {{ m.a.forward(x) }}); nets.push(net);
         try {{ net.forward(x) }} catch {{}} deep = false; net.forward(x).shape"
    ));
    assert!(matches!(ok, Value::List(_)));
}
