//! The pictures of a folder.

use crate::core::picture_file::EXTENSIONS;
use crate::core::{Error, paths, progress};
use std::fs;

functions! {
    in "image";
    /// The picture files of a folder, sorted by name.
    ///
    /// Files called .jpg, .jpeg, .png, .gif, .bmp or .webp, with the folder in front, for `image::open`; folders inside
    /// are not entered.
    /// ```rhai
    /// image::filled(4, 3, "red").save("few/b.png");
    /// image::filled(4, 3, "red").save("few/a.jpg");
    /// image::files("few").map(|path| image::open(path).size) // => [[3, 4], [3, 4]]
    /// ```
    fn files(folder: String) -> Vec<String> {
        let root = paths::readable(&folder)?;
        let mut all = Vec::new();
        for entry in fs::read_dir(&root).map_err(|e| Error::io(&root, &e))? {
            let path = entry.map_err(|e| Error::io(&root, &e))?.path();
            let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            if ending.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) && path.is_file() {
                match path.to_str() {
                    Some(name) => all.push(name.to_string()),
                    None => progress::say(&format!("left out, its name is not UTF-8: {}", path.display())),
                }
            }
        }
        if all.is_empty() {
            Err(Error::new(format!("{folder}: no picture files in this folder")))?;
        }
        all.sort();
        all
    }
}
