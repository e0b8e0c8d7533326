//! `data::folder`: a folder of pictures a class; `data::csv`: a list of files and classes.

use super::Dataset;
use super::files::{FileOptions, Files, Item};
use super::pictures::PictureSource;
use crate::core::{Error, Opts, Result, paths, picture_file};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is in a folder, by name; hidden things left out.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder).map_err(|e| Error::io(folder, &e))?;
    let mut all: Vec<PathBuf> = read.filter_map(|e| e.ok().map(|e| e.path())).collect();
    all.retain(|p| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')));
    all.sort();
    Ok(all)
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// All pictures below a folder, in order. Links are followed, unless they lead back to a folder they lie in.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>> {
    below(folder, &mut Vec::new())
}

fn below(folder: &Path, above: &mut Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let own = folder.canonicalize().map_err(|e| Error::io(folder, &e))?;
    if above.contains(&own) {
        return Ok(all);
    }
    above.push(own);
    for path in entries(folder)? {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if path.is_dir() {
            all.extend(below(&path, above)?);
        } else if picture_file::EXTENSIONS.contains(&ending.as_str()) {
            all.push(path);
        }
    }
    above.pop();
    Ok(all)
}

/// Rows of a file of comma-separated values; fields may stand in double quotes.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field).trim().to_string()),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field).trim().to_string());
                all.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field.trim().to_string());
        all.push(row);
    }
    all.retain(|r| r.iter().any(|f| !f.is_empty()));
    all
}

/// The items of a list: a path, a class, and perhaps a box.
fn listed(path: &Path, root: &Path) -> Result<(Vec<Item>, Vec<String>)> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
    let mut rows = rows(text.trim_start_matches('\u{feff}'));
    let head: Vec<String> = rows.first().into_iter().flatten().map(|f| f.to_lowercase()).collect();
    let column = |names: &[&str]| head.iter().position(|h| names.contains(&h.as_str()));
    let found = column(&["path", "file", "filename", "image"]).zip(column(&["class", "label", "target"]));
    let box_at = ["x", "y", "width", "height"].map(|n| column(&[n]));
    let (at_path, at_class) = found.unwrap_or((0, 1));
    if found.is_some() {
        rows.remove(0);
    }
    // A head of other words would be a picture of a class that is none.
    let file = |row: Option<&Vec<String>>| row.and_then(|r| Some(root.join(r.first()?).is_file()));
    if found.is_none() && file(rows.first()) == Some(false) && file(rows.get(1)) == Some(true) {
        return Err(Error::new(format!("{}: what are the columns {}?", path.display(), head.join(", ")))
            .hint(
                "a head names the columns path and class, and perhaps x, y, width, height; or leave it out",
            ));
    }
    let mut known = BTreeMap::new();
    let mut named = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let line = i + 1 + usize::from(found.is_some());
        let (Some(file), Some(class)) = (row.get(at_path), row.get(at_class)) else {
            return Err(Error::new(format!("{}: row {line} has no path and class", path.display())).hint(
                "rows are path,class or have a head with path, class and perhaps x, y, width, height",
            ));
        };
        let number = |k: Option<usize>| row.get(k?)?.parse::<f32>().ok();
        let boxed = box_at.map(number);
        let boxed = match boxed {
            [Some(x), Some(y), Some(w), Some(h)] => Some([x, y, w, h]),
            _ => None,
        };
        known.insert(class.clone(), 0);
        named.push((root.join(file), class.clone(), boxed));
    }
    // Numbers in the order of numbers.
    let mut classes: Vec<String> = known.keys().cloned().collect();
    if classes.iter().all(|c| c.parse::<i64>().is_ok()) {
        classes.sort_by_key(|c| c.parse::<i64>().unwrap_or(0));
    }
    let number: BTreeMap<&String, i64> = classes.iter().zip(0..).collect();
    let items = named.iter().map(|(path, class, boxed)| Item {
        path: path.clone(),
        label: number[class],
        boxed: *boxed,
        mask: None,
    });
    Ok((items.collect(), classes.clone()))
}

pub(super) fn set(name: &str, items: Vec<Item>, classes: Vec<String>, o: FileOptions) -> Result<Dataset> {
    Ok(Dataset::new(name, PictureSource(Arc::new(Files::new(items, classes, o)?))))
}

options! {
    /// Options of `data::csv`.
    pub struct CsvOptions {
        /// The folder from which paths are meant; that of the list if left out.
        root: Option<PathBuf> = None => (),
    }
}

functions! {
    in "data";
    /// The pictures in a folder, one folder a class.
    ///
    /// JPEG, PNG, WebP, BMP and GIF (its first frame), of any colours; the camera's orientation is applied. Classes
    /// are the names of the folders in their order. Files are read when they are wanted, on all processors.
    /// ```rhai,no_run
    /// let dogs = data::folder("dogs", #{size: 224, on_error: "skip"});
    /// let parts = dogs.split(0.8, #{stratify: true});
    /// ```
    fn folder(path: String, options: Opts<FileOptions>) -> Dataset {
        let root = paths::readable(&path)?;
        let folders: Vec<PathBuf> = entries(&root)?.into_iter().filter(|p| p.is_dir()).collect();
        if folders.is_empty() {
            Err(Error::new(format!("{}: holds no folders", root.display())).hint("each class has a folder: root/cat/1.jpg"))?;
        }
        let mut items = Vec::new();
        let mut bare = Vec::new();
        for (label, folder) in folders.iter().enumerate() {
            let before = items.len();
            items.extend(pictures(folder)?.into_iter().map(|path| Item { path, label: label as i64, boxed: None, mask: None }));
            if items.len() == before {
                bare.push(name(folder));
            }
        }
        if !bare.is_empty() && !items.is_empty() {
            let endings = picture_file::EXTENSIONS.join(", ");
            Err(Error::new(format!("{}: no pictures in {}", root.display(), bare.join(", ")))
                .hint(format!("every folder is a class; take away what is none. These are read: {endings}")))?;
        }
        set(&name(&root), items, folders.iter().map(|f| name(f)).collect(), options.0)
            .map_err(|e| e.within(root.display()))?
    }

    /// The pictures in a list: a file of comma-separated values.
    ///
    /// Its rows are `path,class`, or it has a head that names the columns `path` and `class`, and perhaps `x`, `y`,
    /// `width` and `height` of a box in pixels. Classes are the words in the list in their order.
    /// ```rhai,no_run
    /// let birds = data::csv("birds.csv", #{root: "pictures", size: 128});
    /// ```
    fn csv(path: String, options: Opts<(CsvOptions, FileOptions)>) -> Dataset {
        let (c, o) = options.0;
        let list = paths::readable(&path)?;
        let beside = || list.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let root = c.root.map_or_else(|| Ok(beside()), paths::readable)?;
        let (items, classes) = listed(&list, &root)?;
        set(&name(&list), items, classes, o).map_err(|e| e.within(list.display()))?
    }

    on "Dataset";
    /// The file item `i` is read from; `()` for what is not read from files of its own.
    /// ```rhai
    /// image::filled(4, 3, "red").save("pictures/red/a.png");
    /// data::folder("pictures", #{size: 2}).file(0).ends_with("red/a.png") // => true
    /// data::critters(#{train: 4, test: 1}).train.file(0) // => ()
    /// ```
    fn file(data: Dataset, i: i64) -> Option<String> {
        let place = if i < 0 { i + data.len() as i64 } else { i };
        if !(0..data.len() as i64).contains(&place) {
            Err(Error::new(format!("there is no item {i}: the data set holds {}", data.len())))?;
        }
        data.file(place as usize).map(|p| p.display().to_string())
    }

    get "Dataset";
    /// What was left out so far, each with its reason (`on_error: "skip"`).
    /// ```rhai
    /// data::critters(#{train: 4, test: 1}).train.skipped // => []
    /// ```
    fn skipped(data: Dataset) -> Vec<String> {
        data.skipped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_hold_commas_and_quotes() {
        let text = "path,class\r\n\"a, b.png\",\"x \"\"y\"\"\"\n\nc.png , 2";
        assert_eq!(rows(text), [["path", "class"], ["a, b.png", "x \"y\""], ["c.png", "2"]]);
    }
}
