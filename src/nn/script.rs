//! What scripts can do with a network: run it, look into it, freeze it.

use super::net::{Names, Net};
use super::sequential::check_name;
use crate::core::{Result, Value, device};

functions! {
    on "Net";
    /// Runs the network on a tensor, or on what its forward pass takes.
    /// ```rhai
    /// nn::linear(4, 2).forward(tensor::ones([3, 4])).shape // => [3, 2]
    /// ```
    fn forward(net: Net, x: Value) -> Value {
        net.forward(x)?
    }

    /// Runs the network and gives the outputs of some layers, by name.
    /// ```rhai
    /// let net = nn::sequential([["fc", nn::linear(2, 3)], ["act", nn::relu()]]);
    /// net.capture(tensor::ones([1, 2]), ["fc", "act"]).act.shape // => [1, 3]
    /// ```
    fn capture(net: Net, x: Value, layers: Vec<String>) -> Value {
        let (_, seen) = net.capture(x, &layers, false)?;
        Value::Map(layers.into_iter().zip(seen.into_iter().map(Value::Tensor)).collect())
    }

    /// The names of the layers; with `true` also those of containers.
    /// ```rhai
    /// nn::sequential([["fc", nn::linear(2, 3)], ["act", nn::relu()]]).layers() // => ["fc", "act"]
    /// ```
    fn layers(net: Net, containers: Option<bool>) -> Vec<String> {
        net.layer_names(!containers.unwrap_or(false))
    }

    /// The part of the network with this name; it shares the weights.
    ///
    /// It trains or evaluates as the network does when it is taken.
    /// ```rhai
    /// nn::sequential([["fc", nn::linear(2, 3)]]).part("fc").forward(tensor::ones([1, 2])).shape // => [1, 3]
    /// ```
    fn part(net: Net, layer: String) -> Net {
        net.part(&layer)?
    }

    /// The same layer under a name, for `nn::sequential`.
    /// ```rhai
    /// nn::sequential([nn::relu().named("act")]).layers() // => ["act"]
    /// ```
    fn named(net: Net, name: String) -> Net {
        check_name(&name)?;
        net.labelled(&name)
    }

    /// Puts the network into training mode, or with `false` into evaluation mode.
    ///
    /// A new network is in evaluation mode; `train::fit` and `train::run` switch by themselves.
    /// ```rhai
    /// nn::dropout(1.0).train().forward(tensor::ones([2])) // => tensor([0., 0.])
    /// ```
    fn train(net: Net, on: Option<bool>) -> Net {
        net.set_training(on.unwrap_or(true));
        net
    }

    /// Stops the parameters from learning: all, or those of the layers named.
    /// ```rhai
    /// let net = nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 2)]]);
    /// net.freeze(["a"]).count_parameters(true) // => 6
    /// ```
    fn freeze(net: Net, layers: Option<Vec<String>>) -> Net {
        freeze(&net, layers, false)?;
        net
    }

    /// Lets the parameters learn again: all, or those of the layers named.
    /// ```rhai
    /// nn::linear(2, 2).freeze().unfreeze().count_parameters(true) // => 6
    /// ```
    fn unfreeze(net: Net, layers: Option<Vec<String>>) -> Net {
        freeze(&net, layers, true)?;
        net
    }

    /// Freezes everything but the layer named, or the layers in a list.
    /// ```rhai
    /// let net = nn::sequential([["a", nn::linear(2, 2)], ["b", nn::linear(2, 2)]]);
    /// net.freeze_all_but("b").count_parameters(true) // => 6
    /// ```
    fn freeze_all_but(net: Net, layers: Names) -> Net {
        net.parameters_below(&layers.0)?; // complains before anything is frozen
        freeze(&net, None, false)?;
        net.set_trainable(&layers.0, true)?;
        net
    }

    /// How many numbers the network learns; with `true` only those not frozen.
    /// ```rhai
    /// nn::linear(10, 2).count_parameters() // => 22
    /// ```
    fn count_parameters(net: Net, trainable: Option<bool>) -> i64 {
        net.parameters(trainable.unwrap_or(false)).iter().map(|(_, t)| t.numel() as i64).sum::<i64>()
    }

    /// The learned tensors by name.
    /// ```rhai
    /// nn::linear(3, 2).parameters().weight.shape // => [2, 3]
    /// ```
    fn parameters(net: Net) -> Value {
        Value::Map(net.parameters(false).into_iter().map(|(n, t)| (n, Value::Tensor(t))).collect())
    }

    /// Moves all tensors of the network to a device.
    /// ```rhai
    /// nn::linear(2, 2).to("cpu").forward(tensor::ones([1, 2])).device // => "cpu"
    /// ```
    fn to(net: Net, device: String) -> Net {
        let device = device::parse(&device)?;
        for (_, mut t, _) in net.named() {
            let moved = t.f_detach()?.f_to_device(device)?;
            t.f_set_data(&moved)?;
        }
        net
    }
}

fn freeze(net: &Net, layers: Option<Vec<String>>, on: bool) -> Result<()> {
    match layers {
        Some(layers) => net.set_trainable(&layers, on),
        None => {
            net.parameters(false).iter().try_for_each(|(_, t)| Ok(t.f_set_requires_grad(on).map(|_| ())?))
        }
    }
}
