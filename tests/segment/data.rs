//! Masks in files and out of them; picture and mask go through one geometry on any number of threads.

use super::super::support::{Script, tensor};
use cs385::core::Value;
use std::path::Path;
use tch::{Kind, Tensor};

/// A mask of one byte a pixel, with a palette or grey.
fn png(path: &Path, w: u32, h: u32, colour: png::ColorType, values: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), w, h);
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    if colour == png::ColorType::Indexed {
        // Colours that are no numbers: VOC's first ones.
        encoder.set_palette([[0, 0, 0], [128, 0, 0], [0, 128, 0], [224, 224, 192]].concat());
    }
    encoder.write_header().unwrap().write_image_data(values).unwrap();
}

struct Place {
    folder: tempfile::TempDir,
    s: Script,
}

impl Place {
    /// `pictures/a.png` and `pictures/b.png`, 6 × 4 pixels.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            png(
                &folder.path().join(format!("pictures/{name}.png")),
                6,
                4,
                png::ColorType::Grayscale,
                &[90; 24],
            );
        }
        let mut s = Script::new();
        s.set("pictures", Value::Str(folder.path().join("pictures").display().to_string()));
        Self { folder, s }
    }

    fn masks(&mut self, folder: &str, names: &[&str], colour: png::ColorType, values: &[u8]) -> &mut Self {
        let path = self.folder.path().join(folder);
        for name in names {
            png(&path.join(format!("{name}.png")), 6, 4, colour, values);
        }
        self.s.set(folder, Value::Str(path.display().to_string()));
        self
    }

    fn target(&mut self, call: &str) -> Vec<i64> {
        Vec::try_from(self.s.eval_tensor(&format!("{call}.get(1).target")).flatten(0, 1)).unwrap()
    }
}

const ROWS: [u8; 24] = [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3];

fn mapped(f: impl Fn(u8) -> i64) -> Vec<i64> {
    ROWS.iter().map(|v| f(*v)).collect()
}

#[test]
fn masks_of_every_kind_become_classes() {
    use png::ColorType::{Grayscale, Indexed, Rgb};
    let mut p = Place::new();
    p.masks("index", &["a", "b"], Grayscale, &ROWS);
    p.masks("colour", &["a", "b"], Indexed, &ROWS);
    let scaled: Vec<u8> = ROWS.iter().map(|v| v * 80).collect();
    p.masks("grey", &["a", "b"], Grayscale, &scaled);
    let rgb: Vec<u8> = ROWS
        .iter()
        .flat_map(|v| [[0, 0, 0], [128, 0, 0], [0, 128, 0], [224, 224, 192]][*v as usize])
        .collect();
    p.masks("rgb", &["a", "b"], Rgb, &rgb);
    let skip_three = |v| if v == 3 { -100 } else { i64::from(v) };
    let options = "size: [4, 6], classes: [\"x\", \"y\", \"z\"]";
    for folder in ["index", "colour"] {
        let got = p.target(&format!("data::segmentation(pictures, {folder}, #{{{options}, ignore: [3]}})"));
        assert_eq!(got, mapped(skip_three), "{folder}");
    }
    assert_eq!(
        p.target("data::segmentation(pictures, index, #{size: [4, 6], values: [2, 0], ignore: [1, 3]})"),
        mapped(|v| match v {
            2 => 0,
            0 => 1,
            _ => -100,
        })
    );
    assert_eq!(
        p.target("data::segmentation(pictures, grey, #{size: [4, 6], threshold: 128})"),
        mapped(|v| i64::from(v > 1))
    );
    assert_eq!(p.target("data::segmentation(pictures, rgb, #{size: [4, 6], colors: [\"black\", \"#800000\", \"#008000\"]})"),
        mapped(skip_three));
    let names = p.s.eval("data::segmentation(pictures, grey, #{threshold: 128}).classes");
    assert_eq!(names.describe(), p.s.eval("[\"background\", \"thing\"]").describe());
    // Half the size: every second column of the middle of each; and the middle alone.
    let half = p.s.eval_tensor(&format!(
        "data::segmentation(pictures, index, #{{size: [2, 3], {}, ignore: [3]}}).get(0).target",
        &options[14..]
    ));
    assert_eq!(half.size(), [2, 3]);
    assert_eq!(Vec::<i64>::try_from(half.flatten(0, 1)).unwrap()[..3], [0, 1, 2]);
    let middle = p.s.eval_tensor(
        "data::segmentation(pictures, index, #{size: 4, fit: \"crop\", values: [0, 1, 2, 3]}).get(0).target",
    );
    assert_eq!(Vec::<i64>::try_from(middle.select(0, 0)).unwrap(), [0, 1, 1, 2]);
}

#[test]
fn masks_of_another_size_are_scaled_where_asked() {
    let mut p = Place::new();
    let folder = p.folder.path().join("small");
    for name in ["a", "b"] {
        png(&folder.join(format!("{name}_mask.png")), 3, 2, png::ColorType::Grayscale, &[0, 1, 2, 2, 1, 0]);
    }
    p.s.set("small", Value::Str(folder.display().to_string()));
    let options = "size: [4, 6], classes: [\"x\", \"y\", \"z\"], suffix: \"_mask\"";
    let got = p.target(&format!("data::segmentation(pictures, small, #{{{options}, scale_masks: true}})"));
    assert_eq!(got[..6], [0, 0, 1, 1, 2, 2]);
    assert_eq!(got[18..], [2, 2, 1, 1, 0, 0]);
    p.s.fails(
        &format!("data::segmentation(pictures, small, #{{{options}}})"),
        &["a_mask.png", "3 x 2", "6 x 4", "scale_masks"],
    );
}

#[test]
fn bad_ones_are_left_out_and_named_where_asked() {
    let mut p = Place::new();
    p.masks("masks", &["b", "c"], png::ColorType::Grayscale, &[1; 24]);
    let call =
        |more: &str| format!("data::segmentation(pictures, masks, #{{classes: [\"x\", \"y\"]{more}}})");
    p.s.fails(&call(""), &["a.png: there is no mask a in", "on_error"]);
    p.s.eval(&format!("let set = {};", call(", on_error: \"skip\"")));
    let Value::List(skipped) = p.s.eval("set.skipped") else { panic!() };
    assert_eq!((skipped.len(), p.s.eval("set.len()").describe().as_str()), (2, "integer 1"));
    p.s.fails(&call(", skip: [\"a\"]"), &["c.png: there is no picture c"]);
    p.s.fails(&call(", skip: [\"d\"]"), &["option `skip`", "no picture \"d\""]);
    assert_eq!(p.s.eval(&format!("{}.len()", call(", skip: [\"a\", \"c\"]"))).describe(), "integer 1");
}

#[test]
fn the_layout_of_voc_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("VOCdevkit/VOC2012");
    for stem in ["one", "two"] {
        png(
            &base.join(format!("SegmentationClass/{stem}.png")),
            6,
            4,
            png::ColorType::Indexed,
            &ROWS.map(|v| if v == 3 { 2 } else { v }),
        );
    }
    let mut s = Script::new();
    s.set("root", Value::Str(folder.path().display().to_string()));
    std::fs::create_dir_all(base.join("JPEGImages")).unwrap();
    for stem in ["one", "two", "three"] {
        let white = cs385::image::Picture::filled(6, 4, [200; 3]).unwrap();
        white.save(base.join(format!("JPEGImages/{stem}.jpg"))).unwrap();
    }
    let lists = base.join("ImageSets/Segmentation");
    std::fs::create_dir_all(&lists).unwrap();
    std::fs::write(lists.join("train.txt"), "two\none\n").unwrap();
    std::fs::write(lists.join("val.txt"), "one\nthree\n").unwrap();
    s.eval("let set = data::voc(root, #{size: [4, 6]});");
    assert_eq!(
        s.eval("[set.len(), set.classes.len(), set.classes[2]] == [2, 21, \"bicycle\"]").describe(),
        "bool true"
    );
    assert_eq!(s.eval_tensor("set.get(0).target.max()").int64_value(&[]), 2);
    s.fails("data::voc(root, #{split: \"val\"})", &["SegmentationClass/three.png", "val.txt lists it"]);
    s.fails("data::voc(root, #{split: \"test\"})", &["test.txt", "no such file"]);
    s.fails("data::voc(\".\")", &["holds no folder JPEGImages"]);
}

/// A grid drawn on picture and mask comes out of files, augmentation and threads as one grid.
/// What a network cannot take is told with the file it came from, in training and in measuring.
#[test]
fn pictures_too_small_for_the_network_are_named() {
    let mut p = Place::new();
    p.masks("masks", &["a", "b"], png::ColorType::Grayscale, &ROWS);
    p.s.eval(
        "let set = data::segmentation(pictures, masks, #{size: 32, cache: 0, classes: [\"a\", \"b\", \"c\", \"d\"]}); \
         let net = models::fcn(#{encoder: \"alexnet\", decoder: \"fcn_8\", classes: 4}); 0",
    );
    let wanted = [
        "the batch that begins with",
        "pictures/a.png",
        "32 × 32 pixels (height × width) are too small for alexnet",
    ];
    p.s.fails("metrics::segmentation(net, set)", &wanted);
    let fit =
        "train::fit(net, set.subset([0]), #{epochs: 1, optimizer: optim::adam(#{lr: 1e-3}), save: false})";
    p.s.fails(fit, &wanted);
}

/// Cats are written large; 1 is the animal, 2 the ground, 3 does not count; the official lists are obeyed.
#[test]
fn the_layout_of_the_pets_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let trimap = |name: &str, values: &[u8]| {
        png(&root.join(format!("annotations/trimaps/{name}.png")), 6, 4, png::ColorType::Grayscale, values);
    };
    let rows: Vec<u8> = ROWS.iter().map(|v| if *v == 0 { 2 } else { *v }).collect();
    for name in ["Bengal_7", "great_dane_1", "great_dane_20"] {
        png(&root.join(format!("images/{name}.png")), 6, 4, png::ColorType::Grayscale, &[90; 24]);
        trimap(name, &rows);
    }
    // Without a trimap, as some official pictures are.
    png(&root.join("images/Bengal_8.png"), 6, 4, png::ColorType::Grayscale, &[90; 24]);
    let mut s = Script::new();
    s.set("root", Value::Str(root.display().to_string()));
    let told = |s: &mut Script, text: &str| match s.eval(text) {
        Value::Str(told) => told,
        other => panic!("{}", other.describe()),
    };
    let all = "let p = data::pets(#{root: root, size: 4, split: 0.7}); \
               `${[p.train.len(), p.test.len(), p.train.classes, p.train.labels, p.split]}`";
    assert_eq!(told(&mut s, all), r#"[2, 1, ["Bengal", "great dane"], [0, 1], "seeded"]"#);
    let species = "`${data::pets(#{root: root, classes: \"species\", split: 0.7}).train.classes}`";
    assert_eq!(told(&mut s, species), r#"["cat", "dog"]"#);
    // The middle four columns.
    let x = s.eval_tensor(
        "data::pets(#{root: root, size: 4, split: 0.7}).train.with_masks(\"mask\").get(0).target",
    );
    let row = |y: usize| {
        (1..5).map(move |x| match ROWS[6 * y + x] {
            1 => 1,
            3 => -100,
            _ => 0,
        })
    };
    let wanted: Vec<i64> = (0..4).flat_map(row).collect();
    assert_eq!(Vec::<i64>::try_from(x.flatten(0, 1)).unwrap(), wanted);
    std::fs::write(root.join("annotations/trainval.txt"), "#a comment\ngreat_dane_20 2 2 1\n").unwrap();
    std::fs::write(root.join("annotations/test.txt"), "Bengal_7 1 1 1\n").unwrap();
    let lists =
        "let p = data::pets(#{root: root}); `${[p.train.file(0).split(\"/\")[-1], p.test.len(), p.split]}`";
    assert_eq!(told(&mut s, lists), r#"["great_dane_20.png", 1, "official"]"#);
    std::fs::write(root.join("annotations/test.txt"), "Bengal_9 1 1 1\n").unwrap();
    s.fails("data::pets(#{root: root})", &["test.txt: lists Bengal_9, of which there is no picture"]);
    std::fs::remove_file(root.join("annotations/test.txt")).unwrap();
    trimap("Bengal_7", &[9; 24]);
    s.fails(
        "data::pets(#{root: root, split: 0.7}).train.get(0)",
        &["Bengal_7.png", "holds 1, 2 and 3, found 9"],
    );
    s.fails(
        "data::pets(#{root: \"/nowhere\"})",
        &["holds no folders images and annotations/trimaps", "get images.tar.gz"],
    );
    s.fails("data::pets()", &["`root` says where it lies"]);
}

#[test]
fn a_grid_on_picture_and_mask_stays_one_in_batches() {
    let (w, h) = (120, 90);
    let on = |i: usize| (i % w / 8).is_multiple_of(3) || (i / w / 8).is_multiple_of(3);
    let grid: Vec<u8> = (0..w * h).map(|i| u8::from(on(i)) * 255).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut s = Script::new();
    for kind in ["pictures", "masks"] {
        let path = folder.path().join(kind);
        (0..12).for_each(|i| {
            png(&path.join(format!("{i}.png")), w as u32, h as u32, png::ColorType::Grayscale, &grid)
        });
        s.set(kind, Value::Str(path.display().to_string()));
    }
    s.eval("let set = data::segmentation(pictures, masks, #{size: [75, 100], threshold: 128});
            fn all(set, workers) {
                let (x, y) = ([], []);
                for b in set.batches(5, #{shuffle: true, workers: workers}) { x.push(b.input); y.push(b.target); }
                [tensor::cat(x), tensor::cat(y)]
            }".replace("let (x, y) = ([], []);", "let x = []; let y = [];").as_str());
    let mut outside = 0.0;
    for aug in [
        "identity",
        "resize([64, 80])",
        "center_crop([60, 70])",
        "center_crop(110)",
        "random_crop(64, #{padding: 12})",
        "random_resized_crop([48, 64])",
        "random_horizontal_flip(1)",
        "random_vertical_flip(1)",
        "random_rotation(180)",
        "random_rotation(45, #{expand: true})",
        "random_affine(#{degrees: 30, translate: 0.2, scale: [0.8, 1.3], shear: [-10, 10, -10, 10]})",
        "random_perspective(#{p: 1})",
        "compose([augment::random_resized_crop(64), augment::random_horizontal_flip(), augment::color_jitter(0.1, 0.1)])",
        "custom(|img| img.draw_box(0, 0, 1, 1, \"white\"))",
    ] {
        let set = match aug {
            "identity" => "set".to_string(),
            // Pictures turned by any angle have no common size.
            a if a.contains("expand") => {
                format!("set.augment(augment::compose([augment::{a}, augment::center_crop(60)]))")
            }
            a => format!("set.augment(augment::{a})"),
        };
        s.eval(&format!("let pair = all({set}, 3);"));
        let (x, y) = (s.eval_tensor("pair[0]"), s.eval_tensor("pair[1]"));
        assert!(s.eval_tensor(&format!("let again = all({set}, 1); again[1]")).equal(&y), "{aug}: threads");
        assert_eq!(x.size()[2..], y.size()[1..], "{aug}");
        let x = x.select(1, 0);
        // Where the picture is not between black and white and the mask counts, they must agree.
        let counts = y.ne(-100);
        let clear = x.lt(0.2).logical_or(&x.gt(0.8)).logical_and(&counts);
        let wrong = x.gt(0.5).to_kind(Kind::Int64).ne_tensor(&y).logical_and(&clear);
        let n = |t: &Tensor| t.sum(Kind::Double).double_value(&[]);
        assert!(n(&clear) > 0.5 * n(&counts), "{aug}: {} clear of {}", n(&clear), n(&counts));
        assert!(n(&wrong) <= 0.012 * n(&clear), "{aug}: {} of {} pixels disagree", n(&wrong), n(&clear));
        outside += n(&counts.logical_not());
    }
    assert!(outside > 1000.0, "what comes from outside the picture does not count");
}

#[test]
fn drawn_animals_and_tensors_have_masks_as_targets() {
    let mut s = Script::new();
    s.eval(
        "let critters = data::critters(#{size: 32, train: 6, test: 2}).train;
            let parts = critters.with_masks(\"parts\"); let things = critters.with_masks(\"mask\");",
    );
    let y = s.eval_tensor("parts.tensors().target");
    assert!(y.equal(&s.eval_tensor("critters.tensors().parts.long()")) && y.max().int64_value(&[]) == 6);
    assert!(s.eval_tensor("things.tensors().target").equal(&s.eval_tensor("critters.tensors().mask.long()")));
    // Subsets, splits and a label a picture stay.
    assert_eq!(
        s.eval("[things.split(0.5)[1].get(0).target.shape, things.labels.len()] == [[32, 32], 6]").describe(),
        "bool true"
    );
    let turned = s.eval("things.augment(augment::random_rotation([45, 45])).get(0)");
    let Value::Map(item) = turned else { panic!() };
    let (y, mask) = (tensor(&item["target"]), tensor(&item["mask"]));
    assert_eq!(y.int64_value(&[0, 0]), -100);
    assert!(mask.equal(&y.eq(1)), "what does not count is no thing");
    // In memory: targets [N, H, W] follow their pictures.
    s.eval(
        "let x = tensor::rand([3, 1, 8, 10]); let y = (x[[.., 0]] > 0.5).long(); y[[0, 0, 0]] = -100;
            let set = data::from_tensors(x, y).augment(augment::random_horizontal_flip(1));",
    );
    assert!(s.eval_tensor("set.tensors().target").equal(&s.eval_tensor("y.flip([2])")));
    s.fails("things.augment(augment::mixup())", &["mixup", "targets are masks"]);
    s.fails("data::from_tensors(x).with_masks(\"mask\")", &["which have no masks", "[N, H, W]"]);
    s.fails("critters.with_masks(\"msk\")", &["unknown kind of mask `msk`"]);
    s.fails(
        "data::from_tensors(x, y + 300).augment(augment::random_horizontal_flip(1)).tensors()",
        &["a mask holds 30"],
    );
}
