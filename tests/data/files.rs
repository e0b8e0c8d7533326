//! Picture files: folders, lists, Stanford Dogs; bad files; the cache.

use super::super::support::{Script, oracle, tensor};
use cs385::core::Value;
use cs385::core::raster::{Raster, Rgb};
use cs385::image::Picture;
use std::fs;
use std::path::Path;

fn save(folder: &Path, name: &str, w: usize, h: usize, colour: Rgb) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut raster = Raster::new(w, h, colour).unwrap();
    raster.fill(cs385::core::raster::Rect::new(0, 0, w / 2, 1), [1, 2, 3]);
    Picture::from(raster).save(&path).unwrap();
}

/// Two classes, five pictures, one of them cut off; a file that is no picture.
fn some() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for (i, name) in
        ["cat/1.png", "cat/2.jpg", "cat/deep/3.webp", "dog/1.bmp", "dog/2.gif"].iter().enumerate()
    {
        save(at, name, 30 + i, 24, [40 * i as u8, 90, 200]);
    }
    fs::write(at.join("cat/notes.txt"), "x").unwrap();
    dir
}

fn spoil(dir: &Path) {
    let file = dir.join("cat/2.jpg");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_folder_a_class() {
    let dir = some();
    let mut s = Script::new();
    s.set("root", Value::Str(dir.path().display().to_string()));
    s.eval("let set = data::folder(root, #{size: 16});");
    let Value::Map(all) = s.eval("set.tensors()") else { panic!() };
    assert_eq!(tensor(&all["input"]).size(), [5, 3, 16, 16]);
    assert_eq!(Vec::<i64>::try_from(tensor(&all["target"])).unwrap(), [0, 0, 0, 1, 1]);
    let Value::List(classes) = s.eval("set.classes") else { panic!() };
    assert_eq!(classes.iter().map(Value::describe).collect::<Vec<_>>(), ["string \"cat\"", "string \"dog\""]);
    // Blue is 200 in every one.
    let blue = tensor(&all["input"]).select(1, 2).select(1, 12).select(1, 12) * 255.0;
    assert!((blue - 200.0).abs().max().double_value(&[]) < 3.0);
    s.fails("data::folder(root + \"/cat/deep\")", &["holds no folders", "root/cat/1.jpg"]);
    s.fails("data::folder(root + \"/nowhere\")", &["nowhere"]);
    s.fails("data::folder(root, #{on_error: \"ignore\"})", &["ignore", "stop, skip"]);
}

#[test]
fn bad_files_stop_or_are_left_out_and_named() {
    let dir = some();
    spoil(dir.path());
    let mut s = Script::new();
    s.set("root", Value::Str(dir.path().display().to_string()));
    s.fails("data::folder(root, #{size: 8}).tensors()", &["cat/2.jpg", "cut off", "on_error: \"skip\""]);
    s.eval("let set = data::folder(root, #{size: 8, on_error: \"skip\"}); let seen = [];");
    for workers in [1, 3] {
        s.eval(&format!(
            "seen = []; for b in set.batches(2, #{{workers: {workers}}}) {{ seen.push(b.index); }}"
        ));
        let seen = s.eval_tensor("tensor::cat(seen, 0)");
        assert_eq!(Vec::<i64>::try_from(seen).unwrap(), [0, 2, 3, 4], "{workers} workers");
    }
    // A batch of nothing but bad files is no batch.
    s.eval("seen = []; for b in set.batches(1) { seen.push(b.index); }");
    assert_eq!(s.eval_tensor("tensor::cat(seen, 0)").size(), [4]);
    let Value::List(skipped) = s.eval("set.skipped") else { panic!() };
    assert!(matches!(&skipped[..], [Value::Str(s)] if s.contains("cat/2.jpg") && s.contains("cut off")));
}

#[test]
fn the_cache_changes_nothing() {
    let dir = some();
    let mut s = Script::new();
    s.set("root", Value::Str(dir.path().display().to_string()));
    s.eval(
        "fn twice(root, mb) {
             let aug = augment::compose([augment::random_resized_crop(12), augment::color_jitter(0.4)]);
             let set = data::folder(root, #{size: 16, cache: mb}).augment(aug);
             let out = [];
             for epoch in 0..2 { for b in set.batches(2, #{epoch: epoch}) { out.push(b.input); } }
             tensor::cat(out, 0)
         }",
    );
    assert!(s.eval_tensor("twice(root, 0)").equal(&s.eval_tensor("twice(root, 100)")));
}

#[test]
fn lists_name_files_classes_and_boxes() {
    let dir = some();
    let mut s = Script::new();
    s.set("root", Value::Str(dir.path().display().to_string()));
    fs::write(dir.path().join("plain.csv"), "cat/1.png,10\ndog/1.bmp,9\n").unwrap();
    s.eval("let set = data::csv(root + \"/plain.csv\", #{size: 8});");
    let Value::List(labels) = s.eval("set.labels") else { panic!() };
    assert_eq!(labels.iter().map(Value::describe).collect::<Vec<_>>(), ["integer 1", "integer 0"]);
    let list = "class,file,x,y,width,height\nfur,1.png,6,4,12,10\n\"a, b\",\"2.jpg\",1,2,3,4\n";
    fs::write(dir.path().join("boxes.csv"), list).unwrap();
    s.eval("let set = data::csv(root + \"/boxes.csv\", #{size: 12, root: root + \"/cat\"});");
    // 30 x 24: the middle 24 columns at half size.
    let b = s.eval_tensor("set.get(0)[\"box\"]");
    assert_eq!(Vec::<f64>::try_from(b.to_kind(tch::Kind::Double)).unwrap(), [1.5, 2.0, 6.0, 5.0]);
    let Value::List(classes) = s.eval("set.classes") else { panic!() };
    assert_eq!(classes.len(), 2);
    fs::write(dir.path().join("short.csv"), "path,class\ncat/1.png\n").unwrap();
    s.fails("data::csv(root + \"/short.csv\")", &["short.csv", "row 2", "path,class"]);
}

/// The official form, three pictures of it listed to learn from and (the same list) to test on.
fn dogs(list: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in
        ["n1-a_breed/n1_1", "n1-a_breed/n1_2", "n1-a_breed/n1_3", "n2-other/n2_1", "n2-other/n2_2"]
            .iter()
            .enumerate()
    {
        save(dir.path(), &format!("Images/{name}.png"), 20, 20, [i as u8, 0, 0]);
        let note = dir.path().join("Annotation").join(name);
        fs::create_dir_all(note.parent().unwrap()).unwrap();
        let text =
            "<object><bndbox>\n<xmin>2</xmin><ymin>4</ymin><xmax>12</xmax><ymax>10</ymax></bndbox></object>";
        fs::write(note, text).unwrap();
    }
    if !list.is_empty() {
        for half in ["train", "test"] {
            fs::copy(oracle(&format!("mat/{list}.mat")), dir.path().join(format!("{half}_list.mat")))
                .unwrap();
        }
    }
    dir
}

#[test]
fn dogs_by_the_official_lists() {
    for list in ["packed", "plain"] {
        let dir = dogs(list);
        let mut s = Script::new();
        s.set("root", Value::Str(dir.path().display().to_string()));
        s.eval("let dogs = data::stanford_dogs(#{root: root, size: 10});");
        assert!(matches!(s.eval("dogs.split"), Value::Str(s) if s == "official"));
        let Value::Map(all) = s.eval("dogs.train.tensors()") else { panic!() };
        assert_eq!(Vec::<i64>::try_from(tensor(&all["target"])).unwrap(), [0, 0, 1]);
        assert_eq!(Vec::<f32>::try_from(tensor(&all["box"]).select(0, 1)).unwrap(), [1.0, 2.0, 5.0, 3.0]);
        assert!(matches!(s.eval("dogs.train.classes[0]"), Value::Str(s) if s == "a breed"));
        fs::remove_file(dir.path().join("Images/n2-other/n2_2.png")).unwrap();
        s.fails(
            "data::stanford_dogs(#{root: root})",
            &["n2_2.png", "no such picture", "train_list.mat lists it"],
        );
        fs::write(dir.path().join("test_list.mat"), [0u8; 200]).unwrap();
        s.fails("data::stanford_dogs(#{root: root})", &["no such picture"]);
    }
}

#[test]
fn dogs_without_lists_are_split_by_seed() {
    let dir = dogs("");
    let mut s = Script::new();
    s.set("root", Value::Str(dir.path().display().to_string()));
    s.eval("let dogs = data::stanford_dogs(#{root: root, size: 10});");
    assert!(matches!(s.eval("dogs.split"), Value::Str(s) if s == "seeded"));
    let Value::List(sizes) = s.eval("[dogs.train.len(), dogs.test.len()]") else { panic!() };
    assert_eq!(sizes.iter().map(Value::describe).collect::<Vec<_>>(), ["integer 3", "integer 2"]);
    s.fails("data::stanford_dogs()", &["root", "images.tar"]);
}

#[test]
fn damaged_lists_are_errors() {
    for list in ["packed", "plain"] {
        let whole = fs::read(oracle(&format!("mat/{list}.mat"))).unwrap();
        let dir = dogs(list);
        let mut s = Script::new();
        s.set("root", Value::Str(dir.path().display().to_string()));
        for end in (0..whole.len()).step_by(7) {
            fs::write(dir.path().join("train_list.mat"), &whole[..end]).unwrap();
            // Any answer but a crash: a file cut behind its list still holds it.
            let _ = s.try_eval("data::stanford_dogs(#{root: root})");
        }
        for at in (128..whole.len()).step_by(3) {
            let mut bad = whole.clone();
            bad[at] ^= 0xff;
            fs::write(dir.path().join("train_list.mat"), &bad).unwrap();
            let _ = s.try_eval("data::stanford_dogs(#{root: root})");
        }
        fs::write(dir.path().join("train_list.mat"), &whole[..100]).unwrap();
        s.fails("data::stanford_dogs(#{root: root})", &["train_list.mat", "not a MATLAB file"]);
    }
}
