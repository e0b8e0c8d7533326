//! The scripts in their tiny size: on drawn animals, and on photos in folders.

use super::super::place::{Place, err, out};

fn go(p: &Place, name: &str, more: &[&str], files: &[&str], says: &str) {
    let script = format!("{}/scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
    let o = p.run(&[&["run", &script, "--set", "size=tiny", "--threads", "1"], more].concat());
    assert_eq!(o.status.code(), Some(0), "{}", err(&o));
    for file in files {
        let path = p.path().join("outputs").join(name).join("latest").join(file);
        assert!(path.metadata().unwrap().len() > 100, "{file}");
    }
    assert!(out(&o).contains(says), "{name}: {}", out(&o));
}

#[test]
fn they_run_on_drawn_animals_and_on_photos() {
    let p = Place::new();
    p.script(
        "photos.rhai",
        "let drawn = data::critters(#{size: 48, train: 12, test: 1}).train;
         for i in 0..12 {
             drawn.picture(i).save(`photos/rgb/${i}.jpg`);
             image::from_tensor(drawn.get(i).mask.float()).save(`photos/figure_ground/${i}.jpg`);
         }
         image::filled(48, 48, \"black\").save(\"photos/rgb/bad.jpg\");",
    );
    assert_eq!(p.run(&["run", "photos.rhai"]).status.code(), Some(0));
    let photos = format!("root={}", p.path().join("outputs/photos/latest/photos").display());
    let photos = ["--set", &photos, "--set", "skip=bad", "--set", "px=64"];
    go(
        &p,
        "segment_fcn",
        &[],
        &["curves.png", "pictures.png", "worst.png", "table.md", "best.safetensors"],
        "| and in a mirror | 0.",
    );
    go(&p, "segment_fcn", &photos, &["worst.png"], "10 pictures of 64 × 64 pixels to learn from");
    let table = ["table.md", "table.csv", "curves.png", "pictures.png", "vgg16-fcn_32-0/best.safetensors"];
    go(&p, "segment_table", &["--set", "seeds=2"], &table, "FCN-8 above FCN-32 with VGG16: ");
    let text = std::fs::read_to_string(p.path().join("outputs/segment_table/latest/table.md")).unwrap();
    assert!(
        text.contains("| alexnet/fcn_8 | ") && text.contains(" ± ") && text.contains("| 95.3 | 74.4 |"),
        "{text}"
    );
    go(
        &p,
        "area_cam_segment",
        &[],
        &["area.png", "stages.png", "targets.png", "outside.md"],
        "| wrong | guided backpropagation | ",
    );
}
