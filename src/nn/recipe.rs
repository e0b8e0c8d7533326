//! A network as the expression that builds it, for files that can be opened without a script.

use super::net::walk;
use super::{Layer, Net, Pair};
use crate::core::{Error, Result};

/// A call `nn::name(…)` being written.
pub(super) struct Recipe {
    name: &'static str,
    args: Vec<String>,
    options: Vec<String>,
}

/// An argument as a script writes it.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for Pair {
    fn shown(&self) -> String {
        let [a, b] = self.0;
        if a == b { a.to_string() } else { format!("[{a}, {b}]") }
    }
}

macro_rules! shown {
    ($($ty:ty),*) => {$(impl Shown for $ty { fn shown(&self) -> String { format!("{self:?}") } })*};
}
shown!(i64, f64, bool, Vec<i64>);

impl Shown for str {
    fn shown(&self) -> String {
        serde_json::Value::from(self).to_string()
    }
}

impl Recipe {
    /// Begins `nn::name(`.
    pub fn new(name: &'static str) -> Self {
        Recipe { name, args: Vec::new(), options: Vec::new() }
    }

    /// The next argument.
    pub fn arg(mut self, value: impl Shown) -> Self {
        self.args.push(value.shown());
        self
    }

    /// The option `name`, left out where it is as by default.
    pub fn option<T: Shown + ?Sized>(mut self, name: &str, value: &T, preset: &T) -> Self {
        if value.shown() != preset.shown() {
            self.options.push(format!("{name}: {}", value.shown()));
        }
        self
    }

    /// The whole call.
    pub fn done(mut self) -> Option<String> {
        if !self.options.is_empty() {
            self.args.push(format!("#{{{}}}", self.options.join(", ")));
        }
        Some(format!("nn::{}({})", self.name, self.args.join(", ")))
    }
}

impl Net {
    /// The expression that builds this network, weights apart.
    ///
    /// # Errors
    /// A layer that is made of more than its settings, such as a forward pass written in a script.
    pub fn recipe(&self) -> Result<String> {
        self.layer().recipe().ok_or_else(|| {
            let mut culprit = String::new();
            walk(&*self.layer(), "", &mut |path, layer| {
                let own =
                    layer.recipe().is_none() && layer.children().iter().all(|(_, c)| c.recipe().is_some());
                if own && culprit.is_empty() {
                    culprit = name(path, layer);
                }
            });
            Error::new(format!("{culprit} cannot be built without its script"))
        })
    }
}

fn name(path: &str, layer: &dyn Layer) -> String {
    match path {
        "" => format!("a network of kind {}", layer.kind()),
        path => format!("layer `{path}`, of kind {},", layer.kind()),
    }
}

functions! {
    on "Net";
    /// The expression that builds the network, weights apart.
    ///
    /// It is written into `.safetensors` files, for `nn::load` and `cs385 look`.
    /// ```rhai
    /// nn::conv2d(1, 8, 3, #{padding: 1, bias: true}).recipe() // => "nn::conv2d(1, 8, 3, #{padding: 1})"
    /// ```
    fn recipe(net: Net) -> String {
        net.recipe()?
    }
}
