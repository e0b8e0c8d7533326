//! Embeddings against scikit-learn and openTSNE (oracles/embed/make.py), gradients against finite differences,
//! equal bits, bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::core::Value;
use cs385::embed::knn::{self, Metric};
use cs385::embed::tsne::affinity::{Sparse, joint};
use cs385::embed::tsne::descent::{Repulsion, divergence, gradient};
use cs385::embed::tsne::{self, Method, Settings};
use cs385::embed::{rows_of, tensor_of};
use ndarray::Array2;
use support::{Script, close, distance, fixture};
use tch::{Kind, Tensor};

fn script() -> Script {
    let mut s = Script::new();
    let all = fixture("embed");
    for name in ["x", "wide", "map", "labels"] {
        s.tensor(name, &all[name]);
    }
    s
}

/// Three clouds in ten dimensions.
fn clouds(n: usize) -> Array2<f32> {
    tch::manual_seed(0);
    let x = Tensor::randn([n as i64, 10], (Kind::Float, tch::Device::Cpu));
    let far = Tensor::arange(n as i64, (Kind::Float, tch::Device::Cpu)).remainder(3.0).unsqueeze(1) * 4.0;
    rows_of(&(x + far)).unwrap()
}

fn affinities(x: &Array2<f32>, perplexity: f64) -> Sparse {
    joint(knn::exact(&x.view(), (3.0 * perplexity) as usize, Metric::Euclidean).unwrap(), &[perplexity])
}

/// Places spread as in a finished map.
fn places<const D: usize>(n: usize, spread: f64) -> Vec<[f32; D]> {
    tch::manual_seed(1);
    let y = Tensor::randn([n as i64, D as i64], (Kind::Float, tch::Device::Cpu)) * spread;
    tsne::rows(&rows_of(&y).unwrap().view())
}

#[test]
fn pca_equals_scikit_learn() {
    let all = fixture("embed");
    let mut s = script();
    for (key, points) in [("pca", "x"), ("wide_pca", "wide")] {
        for method in ["exact", "randomised"] {
            s.eval(&format!("let e = embed::pca({points}, #{{dims: 3, method: \"{method}\"}});"));
            for (what, expression) in [
                ("components", "e.components"),
                ("scores", "e.points"),
                ("variance", "tensor::of(e.variance)"),
                ("ratio", "tensor::of(e.variance_ratio)"),
            ] {
                let want = all[&format!("{key}/{what}")].to_kind(Kind::Float);
                close(&format!("{what} of {points}, {method}"), &s.eval_tensor(expression), &want, 1e-4);
            }
        }
    }
}

#[test]
fn affinities_equal_opentsne() {
    let all = fixture("embed");
    let x = rows_of(&all["x"]).unwrap();
    for (name, metric, k, perplexities) in [
        ("euclidean", Metric::Euclidean, 30, vec![10.0]),
        ("cosine", Metric::Cosine, 30, vec![10.0]),
        ("mixture", Metric::Euclidean, 36, vec![4.0, 12.0]),
    ] {
        let p = joint(knn::exact(&x.view(), k, metric).unwrap(), &perplexities);
        let mut dense = vec![0f64; 3600];
        for i in 0..60 {
            let (index, value) = p.row(i);
            index.iter().zip(value).for_each(|(j, v)| dense[i * 60 + *j as usize] += f64::from(*v));
        }
        let got = Tensor::from_slice(&dense).view([60, 60]);
        assert!((got.sum(Kind::Double).double_value(&[]) - 1.0).abs() < 1e-6, "{name}");
        close(name, &got, &all[&format!("p/{name}")], 1e-6);
    }
}

#[test]
fn measures_equal_scikit_learn() {
    let want = &fixture("embed")["measures"];
    let mut s = script();
    s.eval("let own = embed::of(x, #{labels: labels.to_list()});");
    close(
        "silhouette",
        &s.eval_tensor("tensor::of([own.silhouette()])"),
        &want.narrow(0, 1, 1).to_kind(Kind::Float),
        1e-5,
    );
    // Any map at all: one that starts from it and makes no step.
    s.eval("let m = embed::tsne(own, #{start: map, early: 0, iterations: 0, perplexity: 10});");
    close("places", &s.eval_tensor("m.points"), &fixture("embed")["map"], 1e-6);
    close(
        "trustworthiness",
        &s.eval_tensor("tensor::of([m.trustworthiness(5)])"),
        &want.narrow(0, 0, 1).to_kind(Kind::Float),
        1e-5,
    );
}

fn against_differences<const D: usize>() {
    let p = affinities(&clouds(60), 10.0);
    let mut y = places::<D>(60, 3.0);
    let kl = |y: &[[f32; D]]| {
        let z = Repulsion::new(Method::Exact, 0.5, 0.5).forces(y, &mut vec![[0.0; D]; y.len()]);
        divergence(&p, y, z)
    };
    let grad = gradient(&p, &y, &mut Repulsion::new(Method::Exact, 0.5, 0.5));
    for i in [0, 7, 59] {
        for c in 0..D {
            let (own, h) = (y[i][c], 0.02);
            y[i][c] = own + h;
            let up = kl(&y);
            y[i][c] = own - h;
            let down = kl(&y);
            y[i][c] = own;
            let want = (up - down) / (2.0 * f64::from(h));
            let got = 4.0 * f64::from(grad[i][c]);
            assert!((got - want).abs() < 2e-5 + 2e-3 * want.abs(), "point {i}, axis {c}: {got} not {want}");
        }
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_divergence() {
    against_differences::<1>();
    against_differences::<2>();
    against_differences::<3>();
}

/// Relative errors of forces and of Z against all pairs.
fn off<const D: usize>(method: Method, theta: f32, spacing: f32, y: &[[f32; D]]) -> (f64, f64) {
    let forces = |method| {
        let mut out = vec![[0f32; D]; y.len()];
        let z = Repulsion::new(method, theta, spacing).forces(y, &mut out);
        (out, z)
    };
    let ((want, z), (got, got_z)) = (forces(Method::Exact), forces(method));
    let sum = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    let gap = sum(&mut want.iter().flatten().zip(got.iter().flatten()).map(|(a, b)| f64::from(a - b)));
    (gap / sum(&mut want.iter().flatten().map(|v| f64::from(*v))), (got_z / z - 1.0).abs())
}

#[test]
fn quick_repulsion_is_near_that_of_all_pairs() {
    for (spread, n) in [(1e-4, 500), (5.0, 3000), (40.0, 3000)] {
        let (flat, deep) = (places::<2>(n, spread), places::<3>(n, spread));
        let line = places::<1>(n, spread);
        // Cells are taken for their centres: the error falls with the square of theta or faster.
        for (theta, most) in [(0.5, 0.02), (0.2, 0.005)] {
            for (dims, (f, z)) in [
                (1, off(Method::BarnesHut, theta, 0.5, &line)),
                (2, off(Method::BarnesHut, theta, 0.5, &flat)),
                (3, off(Method::BarnesHut, theta, 0.5, &deep)),
            ] {
                // On a line a cell's points lie along its direction, and its centre says least.
                let most = if dims == 1 { 2.0 * most } else { most };
                assert!(f < most && z < most, "tree in {dims}-D, theta {theta}, spread {spread}: {f}, Z {z}");
            }
        }
    }
    // Far below its spacing the grid's forces are rounding noise; there attraction rules.
    for spread in [2.0, 40.0] {
        let flat = places::<2>(3000, spread);
        let (coarse, z) = off(Method::Fft, 0.5, 0.5, &flat);
        assert!(coarse < 0.06 && z < 0.01, "grid, spread {spread}: forces {coarse}, Z {z}");
        let (fine, z) = off(Method::Fft, 0.5, 0.25, &flat);
        assert!(fine < 0.006 && z < 0.001, "fine grid, spread {spread}: forces {fine}, Z {z}");
    }
}

#[test]
fn neighbours_are_the_nearest() {
    let x = clouds(3000);
    let near = knn::exact(&x.view(), 15, Metric::Euclidean).unwrap();
    for i in [0usize, 777, 2999] {
        let mut all: Vec<(f64, usize)> = (0..3000)
            .filter(|j| *j != i)
            .map(|j| ((0..10).map(|c| f64::from(x[(i, c)] - x[(j, c)]).powi(2)).sum(), j))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let want: Vec<u32> = all[..15].iter().map(|a| a.1 as u32).collect();
        assert_eq!(near.row(i).0, want, "point {i}");
        assert!((f64::from(near.row(i).1[14]) - all[14].0.sqrt()).abs() < 1e-5);
    }
    let rough = knn::approximate(&x.view(), 15, Metric::Euclidean, 0.4, 0).unwrap();
    let kept = cs385::embed::measures::preservation(&near, &rough);
    assert!(kept > 0.95, "{kept}");
}

fn bits(method: Method, dims: usize, threads: usize, seed: u64) -> Vec<u32> {
    let s = Settings {
        dims,
        method: Some(method),
        threads,
        seed,
        early: 30,
        iterations: 30,
        exact_neighbours: Some(method == Method::Exact),
        ..Settings::default()
    };
    let map = tsne::fit(&clouds(1500).view(), &s, &mut |_| Ok(true)).unwrap();
    map.places.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn equal_seeds_give_equal_bits_on_any_number_of_threads() {
    for (method, dims) in
        [(Method::Exact, 2), (Method::BarnesHut, 2), (Method::BarnesHut, 3), (Method::Fft, 2)]
    {
        let first = bits(method, dims, 1, 0);
        assert_eq!(first, bits(method, dims, 2, 0), "{method:?}");
        assert_eq!(first, bits(method, dims, 3, 0), "{method:?}");
        assert_ne!(first, bits(method, dims, 2, 1), "{method:?}");
    }
}

#[test]
fn maps_keep_what_pca_loses() {
    let mut s = Script::new();
    s.tensor("x", &tensor_of(&clouds(900)).unwrap());
    s.eval("let labels = []; for i in 0..900 { labels.push(i % 3); }");
    s.eval("let x = embed::of(x, #{labels: labels}); let pca = embed::pca(x);");
    for options in [
        "method: \"exact\"",
        "method: \"barnes_hut\"",
        "method: \"fft\"",
        "dims: 3",
        "dims: 1",
        "start: \"spectral\"",
        "start: \"random\"",
        "metric: \"cosine\"",
        "perplexity: [10, 50]",
    ] {
        s.eval(&format!("let map = embed::tsne(x, #{{{options}}});"));
        let number = |s: &mut Script, e: &str| match s.eval(e) {
            Value::Float(v) => v,
            v => panic!("{}", v.describe()),
        };
        let (own, pca) = (number(&mut s, "map.preservation()"), number(&mut s, "pca.preservation()"));
        let factor = if options == "dims: 1" { 1.5 } else { 2.0 };
        assert!(own > factor * pca, "{options}: {own}, PCA {pca}");
        let accuracy = number(&mut s, "map.accuracy()");
        // The cloud around the origin lies in no direction.
        let least = if options.contains("cosine") { 0.8 } else { 0.97 };
        assert!(accuracy > least, "{options}: {accuracy}");
        // New points come to rest among their like.
        let places = s.eval_tensor("map.place(x.points[0..30]).points");
        let old = s.eval_tensor("map.points[0..30]");
        let gap = (places - &old).norm().double_value(&[]) / old.norm().double_value(&[]);
        assert!(gap < 0.35, "{options}: {gap}");
    }
}

#[test]
fn callbacks_see_the_map_grow_and_may_end_it() {
    let mut s = script();
    s.eval("let seen = tensor::zeros([1]);");
    s.eval(
        "let e = embed::tsne(x, #{perplexity: 10, early: 60, iterations: 200, every: 20, on_iteration: |p| {
            log.push([p.iteration, p.kl, p.points.shape]); p.iteration < 100 }});",
    );
    assert!(matches!(s.eval("e.iterations"), Value::Int(100)));
    assert!(matches!(s.eval("e.stopped"), Value::Bool(true)));
}

#[test]
fn ctrl_c_keeps_the_map_so_far() {
    let s = Settings { every: 10, ..Settings::default() };
    let mut stop = |p: tsne::Progress| {
        if p.iteration == 300 {
            cs385::core::interrupt::request();
        }
        Ok(true)
    };
    let map = tsne::fit(&clouds(200).view(), &s, &mut stop).unwrap();
    assert_eq!((map.iterations, map.stopped), (300, true));
    assert!(!cs385::core::interrupt::requested());
    assert!(map.places.iter().all(|v| v.is_finite()) && map.kl.is_finite());
}

#[test]
fn bad_points_are_told_or_mapped() {
    let mut s = script();
    s.fails("let y = x.clone(); y[[3, 2]] = 0.0 / 0.0; embed::tsne(y)", &["feature 2 of point 3 is NaN"]);
    s.fails("embed::pca(x * (1.0 / 0.0))", &["feature 0 of point 0 is"]);
    s.fails("embed::tsne(tensor::ones([50, 4]))", &["all 50 points are the same"]);
    s.fails("embed::tsne(tensor::rand([1, 4]))", &["at least 4 points, got 1", "embed::pca"]);
    s.fails("embed::tsne(tensor::rand([0, 4]))", &["hold nothing"]);
    s.fails("embed::tsne(x, #{dims: 4})", &["`dims` is 4; expected 1, 2 or 3"]);
    s.fails("embed::tsne(x, #{dims: 3, method: \"fft\"})", &["2 dimensions, not 3", "barnes_hut"]);
    s.fails("embed::tsne(x, #{perplexity: 0})", &["`perplexity` is 0"]);
    s.fails("embed::tsne(x, #{perplexity: []})", &["no perplexity"]);
    s.fails("embed::tsne(x, #{learning_rate: -1})", &["`learning_rate` is -1"]);
    for method in ["exact", "barnes_hut", "fft"] {
        // It ends at some map, or tells that it ran away.
        let fast = format!("embed::tsne(x, #{{method: \"{method}\", learning_rate: 1e9, iterations: 900}})");
        if let Err(e) = s.try_eval(&fast) {
            assert!(e.contains("ran away"), "{fast}: {e}");
        }
    }
    s.fails("embed::tsne(x, #{learning_rate: 1e30})", &["`learning_rate` is 1000", "at most 1e9"]);
    s.fails("embed::tsne(x, #{start: tensor::zeros([3, 2])})", &["`start` holds 3 points in 2", "60 in 2"]);
    s.fails("embed::tsne(x, #{method: \"fast\"})", &["unknown method `fast`", "barnes_hut"]);
    s.fails("embed::pca(x, #{dims: 7})", &["cannot find 7 components of 60 points with 6", "1..6"]);
    s.fails("embed::knn(x, 60)", &["cannot find 60 neighbours among 59"]);
    s.fails("embed::of(x, #{labels: [1, 2]})", &["2 labels for 60 points"]);
    s.fails("embed::of(x).accuracy()", &["no labels"]);
    let gap = "let y = x.clone(); y[[3, 2]] = 0.0 / 0.0; let e = embed::of(y, #{labels: (tensor::arange(60) / 30).long().to_list()});";
    for ask in ["e.accuracy(3)", "e.silhouette()", "e.neighbours(0, 2)"] {
        s.fails(&format!("{gap} {ask}"), &["feature 2 of point 3 is NaN"]);
    }
    s.fails("embed::of(x).place(x)", &["no map"]);
    s.fails("embed::pca(x).place(wide)", &["30 features", "have 6"]);
    s.fails("embed::of(x).photos()", &["no thumbnails"]);
    s.fails("embed::of(x).scatter(#{zoom: [900, 900, 901, 901]})", &["no point lies"]);
    // These have an answer.
    let finite = |s: &mut Script, e: &str| {
        let y = s.eval_tensor(&format!("({e}).points"));
        assert!(bool::try_from(y.isfinite().all()).unwrap(), "{e}");
    };
    finite(&mut s, "embed::tsne(tensor::cat([x[0..20], x[0..20], x[0..20]], 0), #{perplexity: 5})");
    finite(&mut s, "embed::tsne(tensor::cat([tensor::zeros([50, 3]), tensor::ones([1, 3])], 0))");
    finite(&mut s, "embed::tsne(x[0..10])");
    finite(&mut s, "embed::tsne(x[0..4])");
    finite(&mut s, "embed::tsne(tensor::rand([40, 1]))");
    finite(&mut s, "embed::tsne(x * 1e15)");
    finite(&mut s, "embed::tsne(x * 1e-15)");
    finite(&mut s, "embed::pca(tensor::ones([5, 4]))");
    finite(&mut s, "embed::pca(tensor::rand([1, 4]), #{dims: 1})");
}

/// Of points sorted by class some of every class stand for all.
#[test]
fn measures_of_some_points_see_every_class() {
    let mut s = script();
    s.eval("let sorted = embed::of(tensor::cat([x, x + 9.0]), #{labels: (tensor::arange(120) / 60).long().to_list()});");
    let all = "embed::pca(sorted).measures(3, #{points: 20})";
    s.eval(&format!("let m = {all};"));
    assert_eq!(s.eval("m.accuracy == 1.0 && m.silhouette > 0.5").describe(), "bool true");
    s.fails(
        "embed::of(x, #{labels: tensor::zeros([60]).long().to_list()}).silhouette()",
        &["all these points are of one"],
    );
}

/// As scikit-learn has it: the cosine distance of a row of zeros is 1.
#[test]
fn nothing_is_near_to_nothing() {
    let mut s = Script::new();
    s.eval(
        "let near = embed::knn(tensor::of([[0.0, 0.0], [1.0, 0.1], [0.8, 0.6]]), 2, #{metric: \"cosine\"});",
    );
    let far = s.eval_tensor("near.distance");
    let angle = 1.0 - (0.8 + 0.06) / 1.01f64.sqrt();
    close("distances", &far, &Tensor::from_slice(&[1.0, 1.0, angle, 1.0, angle, 1.0]).view([3, 2]), 1e-6);
}

#[test]
fn features_are_the_layers_values() {
    let mut s = Script::new();
    s.eval(
        "let net = nn::sequential([[\"conv\", nn::conv2d(3, 5, 3)], [\"act\", nn::relu()], [\"flat\", nn::flatten()]]);
         let x = tensor::rand([10, 3, 8, 8]);
         let set = data::from_tensors(x, tensor::arange(10) % 2, #{classes: [\"a\", \"b\"]});
         let own = net.capture(x, [\"act\"]).act;",
    );
    for (pool, want) in [
        ("auto", "own.mean([2, 3])"),
        ("mean", "own.mean([2, 3])"),
        ("max", "own.amax([2, 3])"),
        ("flatten", "own.flatten(1)"),
    ] {
        let got = s.eval_tensor(&format!(
            "embed::features(net, \"act\", set, #{{pool: \"{pool}\", batch_size: 4}}).points"
        ));
        assert!(distance(&got, &s.eval_tensor(want)) < 1e-6, "{pool}");
    }
    s.eval("let e = embed::features(net, \"\", set, #{thumbnails: 4});");
    assert!(distance(&s.eval_tensor("e.points"), &s.eval_tensor("net.forward(x)")) < 1e-6);
    let text = |v: Value| v.describe();
    assert_eq!(
        text(s.eval("e.thumbnails[9].size == [4, 4] && e.names == [\"a\", \"b\"] && e.labels[3] == 1")),
        "bool true"
    );
    s.fails("embed::features(net, \"nothing\", set)", &["nothing", "conv"]);
    s.fails("embed::features(net, \"act\", set, #{pool: \"sum\"})", &["unknown pool `sum`", "flatten"]);
    s.fails("embed::features(net, \"act\", set.take(0))", &["empty"]);
}
