//! The scripts in their tiny size: on drawn animals, and on photos in folders.

use super::super::place::Place;

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
    p.tiny(
        "segment_fcn",
        &[],
        &["curves.png", "pictures.png", "worst.png", "table.md", "best.safetensors"],
        "| and in a mirror | 0.",
    );
    p.tiny("segment_fcn", &photos, &["worst.png"], "10 pictures of 64 × 64 pixels to learn from");
    let table = ["table.md", "table.csv", "curves.png", "pictures.png", "vgg16-fcn_32-0/best.safetensors"];
    p.tiny("segment_table", &["--set", "seeds=2"], &table, "FCN-8 above FCN-32 with VGG16: ");
    let text = std::fs::read_to_string(p.path().join("outputs/segment_table/latest/table.md")).unwrap();
    assert!(
        text.contains("| alexnet/fcn_8 | ") && text.contains(" ± ") && text.contains("| 95.3 | 74.4 |"),
        "{text}"
    );
    p.tiny(
        "area_cam_segment",
        &[],
        &["area.png", "stages.png", "targets.png", "outside.md"],
        "| wrong | guided backpropagation | ",
    );
}
