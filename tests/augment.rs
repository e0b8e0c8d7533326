//! Augmentations against torchvision.transforms.v2 (oracles/augment/make.py): fixed parameters, distributions; that
//! picture, mask and box go through the same geometry; threads.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cs385::augment::{Aug, Mask, Rng, Sample};
use cs385::core::raster::Raster;
use rand::SeedableRng;
use support::{Script, Tensors, cases, close, fixture, oracle};
use tch::{Kind, Tensor};

fn bytes(t: &Tensor) -> Vec<u8> {
    Vec::<u8>::try_from(t.contiguous().flatten(0, -1)).unwrap()
}

fn raster(t: &Tensor) -> Raster {
    let s = t.size();
    Raster::from_rgb(s[2] as usize, s[1] as usize, bytes(&t.permute([1, 2, 0]))).unwrap()
}

fn given(all: &Tensors) -> Sample {
    let size = all["mask"].size();
    let (height, width) = (size[0] as usize, size[1] as usize);
    let mask = Some(Mask { width, height, values: bytes(&all["mask"]) });
    let b = Vec::<f32>::try_from(all["box"].flatten(0, -1)).unwrap();
    Sample { mask, boxes: vec![b.try_into().unwrap()], ..Sample::from(raster(&all["picture"])) }
}

fn numbers(v: &serde_json::Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
}

fn mean_difference(a: &Raster, b: &Raster) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let sum: u64 = a.rgb.iter().zip(&b.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.rgb.len() as f64
}

#[test]
fn fixed_parameters_give_torchvisions_pictures_masks_and_boxes() {
    let all = fixture("augment");
    let (mut s, mut wrong) = (Script::new(), Vec::new());
    let table = cases("augment");
    assert!(table.len() > 40);
    for case in &table {
        let name = case["name"].as_str().unwrap();
        let aug: Aug = s.eval_object(case["script"].as_str().unwrap());
        let out = aug.0.run(given(&all), &numbers(&case["draw"])).unwrap();
        let d = mean_difference(&out.picture, &raster(&all[&format!("{name}/picture")]));
        if d > 2.0 {
            wrong.push(format!("{name}: the picture differs by {d:.2}"));
        }
        if let Some(mask) = all.get(&format!("{name}/mask")) {
            let (ours, want) = (out.mask.unwrap(), bytes(mask));
            assert_eq!(mask.size(), [ours.height as i64, ours.width as i64], "{name}");
            let off =
                ours.values.iter().zip(&want).filter(|(a, b)| a != b).count() as f64 / want.len() as f64;
            // torchvision resizes masks by the pixels' corners, we by their centres, as pictures are.
            if off > if name.starts_with("resize") || name == "random_resized_crop" { 0.07 } else { 0.02 } {
                wrong.push(format!("{name}: {:.1} % of the mask differ", off * 100.0));
            }
            let want = Vec::<f32>::try_from(all[&format!("{name}/box")].flatten(0, -1)).unwrap();
            let far = out.boxes[0].iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            if far > 1.01 {
                wrong.push(format!("{name}: box {:?}, torchvision {want:?}", out.boxes[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The greatest distance between two distributions, the second given by its quantiles.
fn kolmogorov_smirnov(mut ours: Vec<f64>, theirs: &[f64]) -> f64 {
    ours.sort_by(f64::total_cmp);
    let share = |v: &[f64], x: f64| v.partition_point(|a| *a <= x) as f64 / v.len() as f64;
    // Theirs are single-precision: a hair's breadth is no difference.
    let places = theirs.iter().map(|x| x + 1e-5 * x.abs().max(1e-3));
    places.map(|x| (share(&ours, x) - share(theirs, x)).abs()).fold(0.0, f64::max)
}

#[test]
fn random_parameters_are_distributed_as_torchvisions() {
    let all = fixture("augment");
    let text = std::fs::read_to_string(oracle("augment/draws.json")).unwrap();
    let table: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(table.len() >= 12);
    let (mut s, mut wrong) = (Script::new(), Vec::new());
    for case in &table {
        let name = case["name"].as_str().unwrap();
        let aug: Aug = s.eval_object(case["script"].as_str().unwrap());
        let mut rng = Rng::seed_from_u64(7);
        let rows: Vec<Vec<f64>> = (0..10_000)
            .map(|_| match name {
                "cutmix" => {
                    let with = aug.0.draw([40, 56], &mut rng);
                    let x = Tensor::zeros([2, 1, 40, 56], tch::kind::FLOAT_CPU);
                    let y = Tensor::eye(2, tch::kind::FLOAT_CPU);
                    vec![aug.0.mix(x, y, &with).unwrap().1.double_value(&[0, 0])]
                }
                _ => aug.0.draw([400, 560], &mut rng),
            })
            .collect();
        for k in 0..case["columns"].as_u64().unwrap() as usize {
            let theirs =
                Vec::<f64>::try_from(all[&format!("draws/{name}/{k}")].to_kind(Kind::Double)).unwrap();
            let d = kolmogorov_smirnov(rows.iter().map(|r| r[k]).collect(), &theirs);
            // α = 0.001 for 10,000 against 10,000 draws (1.95 · √(2 / 10,000)), and the quantiles' own step.
            if d > 0.0276 + 0.002 {
                wrong.push(format!("{name}, parameter {k}: distance {d:.4}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_distance_test_can_fail() {
    let theirs: Vec<f64> = (0..500).map(|i| f64::from(i) / 500.0).collect();
    assert!(kolmogorov_smirnov((0..10_000).map(|i| f64::from(i) / 10_000.0).collect(), &theirs) < 0.005);
    assert!(kolmogorov_smirnov((0..10_000).map(|i| f64::from(i) / 9_000.0).collect(), &theirs) > 0.08);
}

#[test]
fn coins_fall_as_often_as_asked() {
    let mut s = Script::new();
    for script in ["random_horizontal_flip(0.3)", "random_vertical_flip(0.3)", "random_grayscale(0.3)"] {
        let aug: Aug = s.eval_object(&format!("augment::{script}"));
        let mut rng = Rng::seed_from_u64(3);
        let n: f64 = (0..10_000).map(|_| aug.0.draw([8, 8], &mut rng)[0]).sum();
        assert!((n - 3000.0).abs() < 3.3 * 45.8, "{script}: {n}");
    }
    let black = |s: Sample| s.picture.rgb[0] == 0;
    for (script, share) in [
        ("random_apply([augment::random_erasing(#{p: 1, scale: [0.9, 0.95], ratio: [1, 1]})], 0.7)", 0.7),
        ("random_choice([augment::color_jitter([0, 0]), augment::grayscale()], [3, 1])", 0.75),
    ] {
        let aug: Aug = s.eval_object(&format!("augment::{script}"));
        let mut rng = Rng::seed_from_u64(3);
        let white = || Sample::from(Raster::new(1, 1, [255; 3]).unwrap());
        let big = || Sample::from(Raster::new(20, 20, [255; 3]).unwrap());
        let n = (0..10_000)
            .filter(|_| match script.starts_with("random_apply") {
                true => aug.0.apply(big(), &mut rng).unwrap().picture.rgb.contains(&0),
                false => black(aug.0.apply(white(), &mut rng).unwrap()),
            })
            .count();
        assert!((n as f64 - share * 10_000.0).abs() < 150.0, "{script}: {n}");
    }
}

/// A picture that is white exactly where its mask is 1: lines of a grid.
fn grid() -> Sample {
    let (width, height) = (61, 47);
    let on = |i: usize| (i % width / 4).is_multiple_of(3) || (i / width / 4).is_multiple_of(3);
    let values: Vec<u8> = (0..width * height).map(|i| u8::from(on(i))).collect();
    let rgb = values.iter().flat_map(|v| [v * 255; 3]).collect();
    let mask = Some(Mask { width, height, values });
    Sample { mask, ..Sample::from(Raster::from_rgb(width, height, rgb).unwrap()) }
}

#[test]
fn a_grid_on_picture_and_mask_stays_one_grid() {
    let mut s = Script::new();
    let geometric = [
        "resize([80, 33])",
        "resize(30)",
        "center_crop([60, 40])",
        "random_crop(40, #{padding: 5})",
        "random_resized_crop([50, 60])",
        "random_horizontal_flip(1)",
        "random_vertical_flip(1)",
        "random_rotation(180)",
        "random_rotation(180, #{expand: true, interpolation: \"bilinear\"})",
        "random_affine(#{degrees: 40, translate: 0.2, scale: [0.7, 1.5], shear: [-20, 20, -10, 10]})",
        "random_affine(#{degrees: 40, interpolation: \"bilinear\"})",
        "random_perspective(#{p: 1})",
        "random_perspective(#{p: 1, interpolation: \"nearest\"})",
        "compose([augment::random_rotation(30), augment::random_resized_crop(48), augment::random_horizontal_flip()])",
    ];
    for script in geometric {
        let aug: Aug = s.eval_object(&format!("augment::{script}"));
        let mut rng = Rng::seed_from_u64(11);
        for _ in 0..20 {
            let out = aug.0.apply(grid(), &mut rng).unwrap();
            let mask = out.mask.unwrap();
            assert_eq!((mask.width, mask.height), (out.picture.width, out.picture.height), "{script}");
            // Where the picture is not between black and white, it must agree with the mask.
            let clear =
                out.picture.rgb.chunks_exact(3).zip(&mask.values).filter(|(p, _)| p[0] < 50 || p[0] > 205);
            let (n, wrong) =
                clear.fold((0, 0), |(n, w), (p, m)| (n + 1, w + usize::from((p[0] > 205) != (*m == 1))));
            assert!(n * 3 > mask.values.len(), "{script}: {n} clear pixels");
            assert!(wrong * 100 <= n, "{script}: {wrong} of {n} pixels disagree");
        }
    }
}

#[test]
fn a_box_holds_what_it_held() {
    let mut s = Script::new();
    let aug: Aug = s.eval_object(
        "augment::compose([augment::random_affine(#{degrees: 20, scale: [0.7, 1]}), augment::random_horizontal_flip(),
         augment::random_resized_crop(64, #{scale: [0.7, 1]})])",
    );
    let mut rng = Rng::seed_from_u64(2);
    for _ in 0..50 {
        let mut values = vec![0; 100 * 80];
        (30..50).for_each(|y| values[y * 100 + 40..y * 100 + 65].fill(1));
        let mask = Mask { width: 100, height: 80, values };
        let boxes = vec![mask.bounds().unwrap()];
        let picture = Raster::new(100, 80, [9; 3]).unwrap();
        let out = aug.0.apply(Sample { mask: Some(mask), boxes, ..picture.into() }, &mut rng).unwrap();
        let ([x, y, w, h], [bx, by, bw, bh]) = (out.mask.unwrap().bounds().unwrap(), out.boxes[0]);
        assert!(bx <= x + 1.5 && by <= y + 1.5 && bx + bw >= x + w - 1.5 && by + bh >= y + h - 1.5);
    }
}

#[test]
fn mixtures_equal_torchvisions() {
    let all = fixture("augment");
    let one_hot = all["labels"].one_hot(3).to_kind(Kind::Float);
    let mut s = Script::new();
    for (name, with) in [("mixup", vec![0.3]), ("cutmix", vec![0.4, 7.0, 3.0])] {
        let aug: Aug = s.eval_object(&format!("augment::{name}()"));
        let (x, y) = aug.0.mix(all["batch"].shallow_clone(), one_hot.shallow_clone(), &with).unwrap();
        close(name, &x, &all[&format!("{name}/x")], 1e-6);
        close(name, &y, &all[&format!("{name}/y")], 1e-6);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_batches() {
    let mut s = Script::new();
    s.eval(
        "let base = data::critters(#{size: 24, train: 37, test: 1}).train;
         let aug = augment::compose([augment::random_resized_crop(20), augment::color_jitter(0.4, 0.4, 0.4, 0.1),
                                     augment::random_affine(#{degrees: 20}), augment::mixup(0.5)]);
         let set = base.augment(aug).normalized([0.5], [0.25]);
         fn all(set, workers, epoch) {
             let out = [];
             for b in set.batches(5, #{shuffle: true, workers: workers, epoch: epoch}) { out.push(b.input); }
             tensor::cat(out, 0)
         }",
    );
    let one = s.eval_tensor("all(set, 1, 0)");
    assert_eq!(one.size(), [37, 3, 20, 20]);
    for workers in [2, 3, 16] {
        assert!(one.equal(&s.eval_tensor(&format!("all(set, {workers}, 0)"))), "{workers} workers");
    }
    assert!(!one.equal(&s.eval_tensor("all(set, 2, 1)")), "another epoch is another augmentation");
    // A stage in the script splits the work, not the random numbers.
    s.eval(
        "let plain = base.augment(augment::compose([augment::random_crop(20), augment::color_jitter(0.4)]));
         let split = base.augment(augment::compose([augment::random_crop(20), augment::custom(|img| img),
                                                    augment::color_jitter(0.4)]));",
    );
    assert!(s.eval_tensor("all(plain, 1, 0)").equal(&s.eval_tensor("all(split, 3, 0)")));
    assert!(!s.eval_tensor("seed(5); all(plain, 1, 0)").equal(&s.eval_tensor("seed(0); all(plain, 1, 0)")));
}

/// Nothing of what lies beside a crop gets into it.
#[test]
fn a_crop_is_cut_before_it_is_resized() {
    let mut s = Script::new();
    let half =
        "let half = image::hstack([image::filled(10, 10, \"black\"), image::filled(10, 10, \"white\")], 0);";
    s.eval(half);
    let aug: Aug = s.eval_object("augment::random_resized_crop(5)");
    let picture: cs385::image::Picture = s.eval_object("half");
    // Row, column, height and width of the crop: the black half.
    let out = aug.0.run(Sample::from(picture.raster().clone()), &[0.0, 0.0, 10.0, 10.0]).unwrap();
    assert_eq!(out.picture.rgb, vec![0; 75]);
}

/// Corners that squeeze a picture to a line leave it as it is.
#[test]
fn any_perspective_has_a_picture() {
    let mut s = Script::new();
    for size in ["28, 28", "4, 4", "1, 9"] {
        s.eval(&format!(
            "let a = augment::random_perspective(#{{distortion_scale: 1, p: 1}}); let p = image::filled({size}, \"red\");
             for i in 0..400 {{ a.apply(p); }}"
        ));
    }
}

#[test]
fn bad_arguments_are_told() {
    let mut s = Script::new();
    s.fails("augment::random_resized_crop(0)", &["argument `size`", "at least 1 pixel"]);
    s.fails("augment::random_resized_crop(8, #{scale: [0, 1]})", &["`scale` and `ratio`", "above 0"]);
    s.fails("augment::color_jitter(0.1, 0.1, 0.1, 0.7)", &["`hue` is in -0.5..0.5"]);
    s.fails("augment::gaussian_blur(4)", &["odd", "[4, 4]"]);
    s.fails("augment::random_rotation(\"x\")", &["argument `degrees`", "number or [low, high]"]);
    s.fails("augment::random_affine(#{translate: 2})", &["`translate` is in 0..1"]);
    s.fails("augment::random_horizontal_flip(1.5)", &["`p` is a probability", "1.5"]);
    s.fails("augment::random_apply([augment::mixup()])", &["mixup and cutmix", "last in augment::compose"]);
    s.fails(
        "augment::random_crop(9).apply(image::filled(4, 4, \"red\"))",
        &["smaller than the crop of 9 x 9"],
    );
    s.fails("augment::mixup(0)", &["`alpha` is above 0"]);
    s.fails("augment::random_choice([augment::grayscale()], [1, 2])", &["one weight for each of the 1"]);
    s.eval("let set = data::critters(#{size: 16, train: 4, test: 1}).train;");
    s.fails(
        "set.augment(augment::compose([augment::mixup(), augment::grayscale()]))",
        &["grayscale stands behind"],
    );
    s.fails("set.augment(augment::custom(|img| 3)).get(0)", &["result of augment::custom", "Picture"]);
    s.fails("set.augment(augment::custom(|img| img.resize(4))).get(0)", &["changed the size", "mask"]);
    s.fails(
        "data::from_tensors(tensor::rand([4, 7])).augment(augment::grayscale())",
        &["[7]", "no pictures"],
    );
    s.fails(
        "data::from_tensors(tensor::rand([4, 1, 5, 5]) * 3).augment(augment::grayscale()).get(0)",
        &["0..1"],
    );
}
