//! What an optimizer works on, and layers with options of their own (PyTorch's parameter groups).

use super::{Optimizer, Rule};
use crate::core::options::Options;
use crate::core::value::{Field, FromValue, mismatch};
use crate::core::{Error, Map, Opts, Result, Value};
use crate::nn::Net;
use std::marker::PhantomData;
use std::rc::Rc;

options! {
    /// What every optimizer has besides its own options.
    pub struct GroupOptions {
        /// Layers with options of their own: `[#{layers: ["fc"], lr: 1e-2}, …]`.
        groups: Vec<Map> = Vec::new() => "[]",
    }
}

/// Layers with a rule of their own.
pub struct Group {
    /// None in the first group, which has all that is in no other.
    pub layers: Vec<String>,
    /// What it does.
    pub rule: Rc<dyn Rule>,
}

fn below(name: &str, layer: &str) -> bool {
    name.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The group of the parameter `name`.
pub fn of(groups: &[Group], name: &str) -> Result<usize> {
    let inside = |g: &Group| g.layers.iter().any(|l| below(name, l));
    let mut hits = (1..groups.len()).filter(|i| inside(&groups[*i]));
    match (hits.next(), hits.next()) {
        (Some(_), Some(_)) => Err(Error::new(format!("parameter `{name}` is in two of the `groups`"))),
        (hit, _) => Ok(hit.unwrap_or(0)),
    }
}

/// An error where a group names a layer that no network has.
pub fn all_used(groups: &[Group], nets: &[Net]) -> Result<()> {
    for layer in groups.iter().flat_map(|g| &g.layers) {
        let has = |n: &Net| n.parameters(false).iter().any(|(name, _)| below(name, layer));
        if let (false, Some(net)) = (nets.iter().any(has), nets.first()) {
            net.check_layers(std::slice::from_ref(layer)).map_err(|e| e.within("option `groups`"))?;
            return Err(Error::new(format!("option `groups`: layer `{layer}` has no parameters")));
        }
    }
    Ok(())
}

/// A network, a list of networks, or (left out) whatever `train::fit` trains.
pub enum Over {
    /// Bound to these.
    Nets(Vec<Net>),
    /// Not bound; the options may stand here instead.
    Later(Value),
}

impl FromValue for Over {
    const TYPE: &'static str = "Net or list of Nets";
    const OPTIONAL: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        match v {
            Value::Nil | Value::Map(_) => Ok(Over::Later(v.clone())),
            Value::List(_) => Vec::from_value(v).map(Over::Nets),
            v => Net::from_value(v).map(|n| Over::Nets(vec![n])).or_else(|_| mismatch(Self::TYPE, v)),
        }
    }
}

/// The options after the networks, or in their place: still a map, for each group reads it anew.
pub struct Late<T>(Option<Map>, PhantomData<T>);

impl<T: Options> FromValue for Late<T> {
    const TYPE: &'static str = "map of options";
    const OPTIONAL: bool = true;
    fn from_value(v: &Value) -> Result<Self> {
        let Opts((_, own)) = Opts::<(T, GroupOptions)>::from_value(v)?;
        for (i, group) in own.groups.iter().enumerate() {
            let place = |e: Error| e.within(format!("option `groups`, item {i}"));
            let known = || T::fields().into_iter().map(|f| f.name).chain(["layers"]);
            if let Some(key) = group.keys().find(|k| !known().any(|f| f == *k)) {
                return Err(place(Error::unknown("option", key, known())));
            }
            layers(group).map_err(place)?;
            T::read(group).map_err(place)?;
        }
        Ok(Late(if let Value::Map(m) = v { Some(m.clone()) } else { None }, PhantomData))
    }
    fn fields() -> Vec<Field> {
        let mut all = T::fields();
        all.extend(GroupOptions::fields());
        all
    }
}

fn layers(group: &Map) -> Result<Vec<String>> {
    let given = group
        .get("layers")
        .ok_or_else(|| Error::new("`layers` is missing").hint("for example #{layers: [\"fc\"], lr: 1e-2}"))?;
    Vec::from_value(given).map_err(|e: Error| e.within("`layers`"))
}

/// Makes the optimizer a script asked for.
pub fn build<T: Options, R: Rule + 'static>(
    name: &'static str,
    over: Over,
    late: Late<T>,
    make: impl Fn(T) -> Result<R>,
) -> Result<Optimizer> {
    let late = match &over {
        Over::Later(first) if late.0.is_none() => Late::from_value(first)?,
        _ => late,
    };
    let given = late.0.unwrap_or_default();
    let mut groups = vec![Group { layers: Vec::new(), rule: Rc::new(make(T::read(&given)?)?) }];
    for own in GroupOptions::read(&given)?.groups {
        let mut merged = given.clone();
        merged.extend(own.clone());
        groups.push(Group { layers: layers(&own)?, rule: Rc::new(make(T::read(&merged)?)?) });
    }
    let optimizer = Optimizer::new(name, groups);
    if let Over::Nets(nets) = over { optimizer.over(&nets) } else { Ok(optimizer) }
}
