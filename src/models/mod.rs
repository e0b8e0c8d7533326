//! The field's networks: a file a family, layers named as in torchvision's checkpoints, so that weights load without
//! a table and taps, hooks and CAM are called what everybody calls them. `model!` declares one: its words, its own
//! options, what its weights are called, and how it is built.

/// Declares `models::name(#{…})`.
macro_rules! model {
    ($(#[doc = $doc:literal])* $name:ident, $options:ty, $spec:expr, |$plan:ident, $o:ident| $build:expr) => {
        function!("models", Function, stringify!($name), [$($doc),*],
                  [options: $crate::core::Opts<($crate::models::Common, $options)>], [$crate::nn::Net], {
            let (common, $o) = options.0;
            $crate::models::make(stringify!($name), &$spec, common, |$plan: &$crate::models::Plan| Ok($build))?
        });
        inventory::submit! { $crate::models::Model { name: stringify!($name), spec: &$spec } }
    };
}

mod alexnet;
mod efficientnet_lite0;
mod encoder;
mod fcn;
mod imagenet;
mod lenet;
mod mobilenet_v2;
mod parts;
mod plain_cnn;
mod resnet;
mod squeezenet;
mod torchscript;
mod unet;
mod vgg;
mod weights;

use crate::core::func::{Func, FuncKind};
use crate::core::options::Given;
use crate::core::{Error, Map, Result, Value, recipe};
use crate::nn::{Count, Ctx, Layer, Net, init};
use std::rc::Rc;
use tch::Tensor;
use weights::{Found, Named, Origin};

options! {
    /// Options of every model.
    pub struct ModelOptions {
        /// Outputs of the last layer; if left out, as many as the weights have, or the model's usual number.
        classes: Option<Count> = None,
        /// "imagenet", or a file: `.safetensors`, PyTorch's `.pth` and `.pt`, `.npz`.
        weights: Option<String> = None,
        /// Loads what fits of the file; `net.weights_note` lists the rest.
        partial: bool = false,
        /// Channels of the pictures; the model's usual number if left out.
        in_channels: Option<Count> = None,
    }
}

/// What all models read of a script's options: their own, and the rest for the recipe.
pub type Common = (ModelOptions, Given);

/// What a script asked for.
pub struct Plan {
    /// Outputs of the last layer.
    pub classes: i64,
    /// Channels of the pictures.
    pub channels: i64,
}

/// What is particular about a model's weights.
pub struct Spec {
    /// Usual number of classes.
    pub classes: i64,
    /// Usual number of channels.
    pub channels: i64,
    /// The first convolution.
    pub stem: &'static str,
    /// The last layer, whose shape the classes decide.
    pub head: &'static str,
    /// Where ImageNet weights can be had, best first.
    pub imagenet: &'static [Origin],
    /// Gives the tensors of files with other names our names; leaves others alone.
    pub adapt: fn(Named) -> Result<Named>,
}

/// A model of the list.
pub struct Model {
    name: &'static str,
    spec: &'static Spec,
}

inventory::collect!(Model);

/// All models, sorted by name.
fn all() -> Vec<&'static Model> {
    let mut all: Vec<_> = inventory::iter::<Model>.into_iter().collect();
    all.sort_by_key(|m| m.name);
    all
}

/// Builds a model and loads its weights.
///
/// # Errors
/// Weights that cannot be had, or do not fit; options out of range.
pub fn make(
    name: &str,
    spec: &Spec,
    common: Common,
    build: impl FnOnce(&Plan) -> Result<Rc<dyn Layer>>,
) -> Result<Net> {
    make_from(name, spec, common, |found| found, build)
}

/// [`make`], where `sort` says of what was found which part of the network it is.
fn make_from(
    name: &str,
    spec: &Spec,
    (o, given): Common,
    sort: impl FnOnce(Found) -> Found,
    build: impl FnOnce(&Plan) -> Result<Rc<dyn Layer>>,
) -> Result<Net> {
    if o.weights.is_some() && init::is_blank() {
        return Err(Error::new("a file that describes its network cannot ask for weights of another file"));
    }
    let found = o.weights.map(|from| weights::find(name, spec, &from)).transpose()?.map(sort);
    let theirs = found.as_ref().and_then(|f| f.classes(spec.head));
    let classes = o.classes.map(|c| c.0).or(theirs).unwrap_or(spec.classes);
    let channels = o.in_channels.map_or(spec.channels, |c| c.0);
    let layer = build(&Plan { classes, channels })?;
    let net = Net::of(Rc::new(Built { layer, recipe: describe(name, spec, given.0, [classes, channels]) }));
    if let Some(found) = found {
        weights::load(name, spec, &net, found, o.partial)?;
    }
    Ok(net)
}

/// A model, which a file can tell how to build.
struct Built {
    layer: Rc<dyn Layer>,
    recipe: Option<String>,
}

impl Layer for Built {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        self.layer.forward(x, cx)
    }

    fn children(&self) -> Vec<(String, Rc<dyn Layer>)> {
        self.layer.children()
    }

    fn chain(&self) -> Option<Vec<(String, Rc<dyn Layer>)>> {
        self.layer.chain()
    }

    fn describe(&self) -> String {
        self.layer.describe()
    }

    fn recipe(&self) -> Option<String> {
        self.recipe.clone()
    }
}

/// `models::resnet18(#{classes: 120})`: what was asked for, and the shapes as they came out.
fn describe(name: &str, spec: &Spec, mut options: Map, [classes, channels]: [i64; 2]) -> Option<String> {
    options.remove("weights");
    options.remove("partial");
    for (key, ours, usual) in [("classes", classes, spec.classes), ("in_channels", channels, spec.channels)] {
        match ours == usual {
            true => options.remove(key),
            false => options.insert(key.to_string(), Value::Int(ours)),
        };
    }
    let options = if options.is_empty() { String::new() } else { recipe::shown(&Value::Map(options))? };
    Some(format!("models::{name}({options})"))
}

functions! {
    in "models";
    /// The names of all models, or of those with ImageNet weights.
    ///
    /// `"imagenet"` asks for the models that `weights: "imagenet"` can fill.
    /// ```rhai
    /// "resnet18" in models::list() // => true
    /// "lenet" in models::list("imagenet") // => false
    /// ```
    fn list(weights: Option<String>) -> Vec<String> {
        let wanted = match weights.as_deref() {
            None => false,
            Some("imagenet") => true,
            Some(other) => Err(Error::unknown("kind of weights", other, ["imagenet"]))?,
        };
        all().iter().filter(|m| !(wanted && m.spec.imagenet.is_empty())).map(|m| m.name.to_string()).collect::<Vec<_>>()
    }

    /// The model of this name: for scripts that go through several.
    /// ```rhai
    /// models::create("lenet", #{classes: 4}).forward(tensor::ones([2, 1, 28, 28])).shape // => [2, 4]
    /// ```
    fn create(name: String, options: Option<Map>) -> Value {
        if !all().iter().any(|m| m.name == name) {
            Err(Error::unknown("model", &name, all().iter().map(|m| m.name)))?;
        }
        let is_it = |f: &&Func| f.home == "models" && f.kind == FuncKind::Function && f.name() == name;
        let f = inventory::iter::<Func>.into_iter().find(is_it);
        let f = f.ok_or_else(|| Error::new(format!("models::{name} is missing")))?;
        (f.call)(&[options.map_or(Value::Nil, Value::Map)])?
    }

    get "Net";
    /// Where the network's weights came from, and what of them is missing.
    ///
    /// The same text stands in `run.json`. It is empty for a fresh network.
    /// ```rhai
    /// models::lenet().save("lenet.safetensors");
    /// models::lenet(#{weights: "lenet.safetensors"}).weights_note // => "lenet: all 10 tensors from lenet.safetensors"
    /// ```
    fn weights_note(net: Net) -> String {
        net.origin()
    }
}
