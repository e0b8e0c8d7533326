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
    /// The layers that run one after the other, with their names from the root; chains are followed.
    pub fn chain(&self) -> Vec<(String, Rc<dyn Layer>)> {
        fn walk(path: &str, layer: Rc<dyn Layer>, out: &mut Vec<(String, Rc<dyn Layer>)>) {
            let Some(chain) = layer.chain() else { return out.push((path.to_string(), layer)) };
            for (name, child) in chain {
                walk(&if path.is_empty() { name } else { format!("{path}.{name}") }, child, out);
            }
        }
        let mut out = Vec::new();
        walk("", self.layer(), &mut out);
        out
    }

    /// Someone sees or changes outputs of layers whenever the network runs.
    pub fn is_tapped(&self) -> bool {
        self.is_bound() || !self.taps().is_empty()
    }

    /// What runs behind `layer`. As far as containers are chains they are cut; of another one the whole runs.
    ///
    /// # Errors
    /// An unknown layer.
    pub fn rest(&self, layer: &str) -> Result<Rest> {
        self.check_layers(&[layer.to_string()])?;
        let names: Vec<&str> = layer.split('.').collect();
        let (Some(chain), false) = (self.layer().chain(), self.is_bound()) else {
            return Ok(Rest { net: self.clone(), within: Some(String::new()) });
        };
        let (rest, depth) = cut(chain, &names)?;
        let net = Net::of(rest);
        self.taps().into_iter().for_each(|t| net.add_tap(t));
        Ok(Rest { net, within: (depth < names.len()).then(|| names[..depth].join(".")) })
    }
}

/// The layers of a chain behind the one at `names`, and how many of the names were followed.
fn cut(mut chain: Vec<(String, Rc<dyn Layer>)>, names: &[&str]) -> Result<(Rc<dyn Layer>, usize)> {
    let at = chain.iter().position(|(n, _)| n == names[0]).unwrap_or(0);
    let mut rest = chain.split_off(at + 1);
    let mut depth = 1;
    if let (true, Some((name, child))) = (names.len() > 1, chain.pop()) {
        let inside = match child.chain() {
            Some(inner) => {
                let (inside, more) = cut(inner, &names[1..])?;
                depth += more;
                inside
            }
            None => child,
        };
        rest.insert(0, (name, inside));
    }
    Ok((Rc::new(Sequential::new(rest)?), depth))
}
