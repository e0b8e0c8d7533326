//! The names of ImageNet's classes.

use tch::vision::imagenet::CLASSES;

/// Class `i` in one or two words, as torchvision has it: the first of its synonyms, but for two pairs of classes
/// that share theirs.
fn short(i: usize, synonyms: &str) -> String {
    match i {
        134 => "crane bird",
        639 => "maillot tank suit",
        _ => synonyms.split(',').next().unwrap_or(synonyms),
    }
    .to_string()
}

/// The names of the 1,000 classes; with all synonyms of each, as in WordNet.
pub fn imagenet_classes(synonyms: bool) -> Vec<String> {
    let name = |(i, s): (usize, &&str)| if synonyms { s.to_string() } else { short(i, s) };
    CLASSES.iter().enumerate().map(name).collect()
}

functions! {
    in "models";
    /// The names of ImageNet's 1,000 classes, in the order of the outputs.
    ///
    /// Each is torchvision's; with `true` all synonyms of the class stand in it, as in WordNet.
    /// ```rhai
    /// models::imagenet_classes()[187] // => "Yorkshire terrier"
    /// models::imagenet_classes(true)[1] // => "goldfish, Carassius auratus"
    /// ```
    fn imagenet_classes(synonyms: Option<bool>) -> Vec<String> {
        self::imagenet_classes(synonyms == Some(true))
    }
}
