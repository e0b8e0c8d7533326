//! Networks of the user's own, as TorchScript programs: they run and have gradients, but their layers are out of reach.

use crate::core::ffi::Script;
use crate::core::value::mismatch;
use crate::core::{Error, Result, Value, device, paths, run, torch_file};
use crate::nn::{Ctx, Layer, Net, Own, Role};
use std::cell::Cell;
use tch::Tensor;

struct Program {
    script: Script,
    class: String,
    own: Vec<(String, Tensor, Role)>,
    train: Cell<bool>,
}

impl Layer for Program {
    fn forward(&self, x: &Tensor, cx: &Ctx) -> Result<Tensor> {
        match self.forward_value(Value::Tensor(x.shallow_clone()), cx)? {
            Value::Tensor(t) => Ok(t),
            other => {
                Err(Error::new(format!("the program gives {}, a Tensor is needed here", other.describe())))
            }
        }
    }

    fn forward_value(&self, x: Value, cx: &Ctx) -> Result<Value> {
        let Value::Tensor(x) = x else {
            return mismatch("Tensor", &x)
                .map_err(|e: Error| e.within(format!("input of {}", self.describe())));
        };
        if self.train.replace(cx.train()) != cx.train() {
            self.script.train(cx.train())?;
        }
        self.script.forward(&x)
    }

    fn own(&self) -> Vec<Own<'_>> {
        self.own.iter().map(|(name, t, role)| (name.as_str(), t, *role)).collect()
    }

    fn describe(&self) -> String {
        format!("TorchScript({})", self.class)
    }

    fn sealed(&self) -> bool {
        true
    }
}

functions! {
    in "models";
    /// A network of your own: a TorchScript file of `torch.jit.script` or `trace`.
    ///
    /// In Python: `torch.jit.script(model).save("net.pt")`. It runs, its parameters can be frozen and trained, and
    /// gradients reach its input: `attrib::saliency` and every target that looks at the output work. Its layers
    /// cannot be tapped: no CAM, no hooks, no guided backpropagation, and a target `area` counts behind a sigmoid inside
    /// the program, so leave the last one out. Where it gives several tensors, pick one:
    /// `nn::sequential([net, nn::custom(#{}, |m, out| out[0])])`. A traced program keeps the mode it was traced in.
    ///
    /// Such a file is a program, and this runs it: open only those of people you trust. To see the layers, build the
    /// network here and load its weights, `torch.save(model.state_dict(), "net.pth")`.
    /// ```rhai
    /// models::torchscript("net.pt") // error: net.pt: no such file
    /// ```
    fn torchscript(path: String) -> Net {
        let file = paths::readable(&path)?;
        torch_file::check_script(&file)?;
        let load = || {
            let script = Script::load(&file, device::current())?;
            script.train(false)?;
            let role = |on: bool| if on { Role::Parameter } else { Role::Buffer };
            let own = script.tensors()?.into_iter().map(|(n, t, on)| (n, t, role(on))).collect();
            Ok(Program { class: script.class()?, script, own, train: Cell::new(false) })
        };
        let net = Net::new(load().map_err(|e: Error| e.within(file.display()))?);
        let note = format!("torchscript: the program {path}");
        run::note(&note);
        net.set_origin(&note);
        net
    }
}
