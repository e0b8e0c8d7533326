//! The part of a network behind a layer: what must run again when only that layer's output changes.

use super::{Layer, Net, Sequential};
use crate::core::Result;
use std::rc::Rc;

/// See [`Net::rest`].
pub struct Rest {
    /// The layers to run, with the names and hooks they have in the network.
    pub net: Net,
    /// The layer they begin with, if the one asked for lies inside it (empty: the whole network); none if they begin
    /// right behind the one asked for.
    pub within: Option<String>,
}

impl Net {
    /// What runs behind `layer`. As far as containers are sequences they are cut; of another one the whole runs.
    ///
    /// # Errors
    /// An unknown layer.
    pub fn rest(&self, layer: &str) -> Result<Rest> {
        self.check_layers(&[layer.to_string()])?;
        let names: Vec<&str> = layer.split('.').collect();
        if self.layer().kind() != "Sequential" || self.is_bound() {
            return Ok(Rest { net: self.clone(), within: Some(String::new()) });
        }
        let (rest, depth) = cut(&*self.layer(), &names)?;
        let net = Net::of(rest);
        self.taps().into_iter().for_each(|t| net.add_tap(t));
        Ok(Rest { net, within: (depth < names.len()).then(|| names[..depth].join(".")) })
    }
}

/// The children of a sequence behind the one at `names`, and how many of the names were followed.
fn cut(sequence: &dyn Layer, names: &[&str]) -> Result<(Rc<dyn Layer>, usize)> {
    let children = sequence.children();
    let at = children.iter().position(|(n, _)| n == names[0]).unwrap_or(0);
    let (name, child) = &children[at];
    let mut rest = children[at + 1..].to_vec();
    let mut depth = 1;
    if names.len() > 1 {
        let inside = match child.kind() == "Sequential" {
            true => {
                let (inside, more) = cut(&**child, &names[1..])?;
                depth += more;
                inside
            }
            false => child.clone(),
        };
        rest.insert(0, (name.clone(), inside));
    }
    Ok((Rc::new(Sequential::new(rest)?), depth))
}
