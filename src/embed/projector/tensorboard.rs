//! A folder that TensorBoard's Projector loads: points and metadata as tab-separated text, thumbnails in one sprite.

use super::columns::Columns;
use super::sheets;
use super::{Embedding, maps};
use crate::core::{Error, Map, Opts, Result, atomic, paths, picture_file};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the Projector finds first; it names the other files.
const CONFIG: &str = "projector_config.pbtxt";

options! {
    /// Options of `tensorboard`.
    pub struct TensorboardOptions {
        /// Other places of the same points by name: #{"PCA": pca}.
        others: Map = Map::new(),
        /// Lists by name, a text or a number for each point: #{"file": names}.
        metadata: Map = Map::new(),
    }
}

/// A text of a protocol buffer.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r', '\t'], " "))
}

/// A cell of a table whose separators are tab and line end.
fn cell(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// Index, class and the given lists; one list alone has no head there.
fn metadata(e: &Embedding, columns: &Columns) -> String {
    let labels = &e.about().labels;
    let mut head = vec!["index".to_string()];
    head.extend((!labels.is_empty()).then(|| "class".to_string()));
    head.extend(columns.0.iter().map(|c| cell(c.name())));
    let mut out = if head.len() > 1 { head.join("\t") + "\n" } else { String::new() };
    for i in 0..e.points().nrows() {
        let mut row = vec![i.to_string()];
        row.extend(labels.get(i).map(|l| cell(&e.class(*l))));
        row.extend(columns.0.iter().map(|c| cell(&c.text(i))));
        out += &(row.join("\t") + "\n");
    }
    out
}

/// The folder's files by name.
///
/// # Errors
/// Maps or lists of another number of points, numbers that are not finite.
pub fn files(e: &Embedding, o: &TensorboardOptions) -> Result<Vec<(String, Vec<u8>)>> {
    let maps = maps(e, &o.others)?;
    let columns = Columns::new(&o.metadata, e.points().nrows())?;
    let mut files = vec![("metadata.tsv".to_string(), metadata(e, &columns).into_bytes())];
    let mut sprite = String::new();
    if !e.about().thumbnails.is_empty() {
        let (sheet, side) = sheets::sprite(&e.about().thumbnails)?;
        files.push(("sprite.png".to_string(), picture_file::png(&sheet)?));
        sprite = format!(
            "  sprite {{\n    image_path: \"sprite.png\"\n    single_image_dim: {side}\n    single_image_dim: {side}\n  }}\n"
        );
    }
    let mut config = String::new();
    for (i, (name, map)) in maps.iter().enumerate() {
        let mut table = String::new();
        for row in map.points().rows() {
            for (c, v) in row.iter().enumerate() {
                let separator = if c == 0 { "" } else { "\t" };
                write!(table, "{separator}{v}").map_err(|e| Error::new(e.to_string()))?;
            }
            table.push('\n');
        }
        let file = format!("points{i}.tsv");
        let (n, d) = map.points().dim();
        // A colon is the end of a name there.
        let name = quoted(&name.replace(':', " "));
        config += &format!(
            "embeddings {{\n  tensor_name: {name}\n  tensor_shape: {n}\n  tensor_shape: {d}\n  tensor_path: \"{file}\"\n  \
             metadata_path: \"metadata.tsv\"\n{sprite}}}\n"
        );
        files.push((file, table.into_bytes()));
    }
    // Last: who finds it finds the others.
    files.push((CONFIG.to_string(), config.into_bytes()));
    Ok(files)
}

/// Writes the folder.
///
/// # Errors
/// As [`files`]; a folder that may not be written.
pub fn write(e: &Embedding, folder: &Path, o: &TensorboardOptions) -> Result<()> {
    for (name, bytes) in files(e, o)? {
        atomic::write(paths::writable(folder.join(name))?, &bytes)?;
    }
    Ok(())
}

functions! {
    on "Embedding";
    /// Writes a folder that TensorBoard's Projector loads.
    ///
    /// `tensorboard --logdir FOLDER` shows the points with their classes, `metadata` and thumbnails, and `others` to
    /// choose from. TensorBoard itself shows the first 100,000 points; `projector` has no such limit.
    /// ```rhai
    /// let x = embed::of(tensor::rand([6, 5]), #{labels: [0, 1, 0, 1, 0, 1], names: ["cat", "dog"]});
    /// x.tensorboard("tensorboard", #{others: #{"PCA": embed::pca(x)}, metadata: #{"order": tensor::arange(6)}});
    /// ```
    fn tensorboard(points: Embedding, folder: PathBuf, options: Opts<TensorboardOptions>) {
        write(&points, &folder, &options.0)?
    }
}
