//! Methods that stand on another one, named by an option.

use super::{CamOptions, Map};
use crate::core::func::{Func, FuncKind};
use crate::core::options::{Options, Opts};
use crate::core::value::{Field, FromValue};
use crate::core::{Error, Result, Value};
use crate::explain::{Heatmap, Target};
use crate::nn::Net;
use tch::Tensor;

/// The options of every CAM, one's own, and what the base is to be given.
pub struct OnTop<T> {
    /// Options of every CAM.
    pub common: CamOptions,
    /// Options of the method itself.
    pub own: T,
    /// The map without the method's own options.
    pub rest: Map,
}

impl<T: Options> FromValue for OnTop<T> {
    const TYPE: &'static str = <Opts<T> as FromValue>::TYPE;
    const OPTIONAL: bool = true;

    fn from_value(v: &Value) -> Result<Self> {
        let Opts((common, own)) = Opts::<(CamOptions, T)>::from_value(v)?;
        let mut rest = if let Value::Map(m) = v { m.clone() } else { Map::new() };
        rest.retain(|key, _| !T::fields().iter().any(|f| f.name == key));
        Ok(Self { common, own, rest })
    }

    fn fields() -> Vec<Field> {
        <(CamOptions, T)>::fields()
    }
}

/// The map of the CAM called `base`.
///
/// # Errors
/// No such CAM, or one of another form; its own.
pub fn map_by(
    base: &str,
    net: &Net,
    layers: Vec<String>,
    x: &Tensor,
    target: Target,
    o: Map,
) -> Result<Heatmap> {
    let form = ["net", "layers", "x", "target", "options"];
    let all = Func::all().into_iter().filter(|f| {
        (f.home, f.kind) == ("cam", FuncKind::Function) && f.params.iter().map(|p| p.name).eq(form)
    });
    let all: Vec<_> = all.collect();
    let Some(cam) = all.iter().find(|f| f.name == base) else {
        return Err(Error::unknown("base", base, all.iter().map(|f| f.name)));
    };
    let layers = Value::List(layers.into_iter().map(Value::Str).collect());
    let x = Value::Tensor(x.shallow_clone());
    let map = (cam.call)(&[Value::object(net.clone()), layers, x, Value::object(target), Value::Map(o)])?;
    map.downcast::<Heatmap>().cloned().ok_or_else(|| Error::new(format!("cam::{base} gives no heatmap")))
}
