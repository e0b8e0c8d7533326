// TorchScript programs. Every function gives 0, or 1 and a message in cs_last_error().
#include "guarded.h"
#include <string>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

using torch::jit::Module;

// Takes a tensor and its name; a null one is Python's None.
using Take = void (*)(void *, const char *, int, at::Tensor *);

extern "C" {
int cs_script_load(const char *path, int device, Module **out) {
  auto to = device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, device);
  return guarded([&] { *out = new Module(torch::jit::load(path, to)); });
}

void cs_script_free(Module *m) { delete m; }

// The class of the module in Python.
int cs_script_class(Module *m, const char **out) {
  static thread_local std::string name;
  return guarded([&] {
    auto full = m->type()->name();
    name = full ? full->name() : std::string();
    *out = name.c_str();
  });
}

// Every parameter (0), then every buffer (1).
int cs_script_tensors(Module *m, void *data, Take take) {
  return guarded([&] {
    for (const auto &p : m->named_parameters()) take(data, p.name.c_str(), 0, new at::Tensor(p.value));
    for (const auto &b : m->named_buffers()) take(data, b.name.c_str(), 1, new at::Tensor(b.value));
  });
}

// Module::train fails where a part has no mode, as in frozen programs.
int cs_script_train(Module *m, int on) {
  return guarded([&] {
    for (const auto &part : m->modules())
      if (auto slot = part._ivalue()->type()->findAttributeSlot("training"))
        part._ivalue()->setSlot(*slot, on != 0);
  });
}

// The output: a tensor (form 0), several (1) or several by name (2).
int cs_script_forward(Module *m, at::Tensor *x, int *form, void *data, Take take) {
  return guarded([&] {
    // As it stands: the optimiser changes the last bits between the first and the third pass, and hides the graph.
    torch::jit::GraphOptimizerEnabledGuard plain(false);
    auto out = m->forward({*x});
    auto give = [&](const std::string &name, const c10::IValue &v) {
      TORCH_CHECK(v.isTensor() || v.isNone(), "the program gives ", out.type()->annotation_str(),
                  "; a tensor, a tuple, list or dictionary of tensors can be used");
      take(data, name.c_str(), 0, v.isNone() ? nullptr : new at::Tensor(v.toTensor()));
    };
    *form = out.isTuple() || out.isList() ? 1 : out.isGenericDict() ? 2 : 0;
    if (out.isTuple()) {
      for (const auto &v : out.toTupleRef().elements()) give("", v);
    } else if (out.isList()) {
      for (const auto &v : out.toListRef()) give("", v);
    } else if (out.isGenericDict()) {
      for (const auto &e : out.toGenericDict())
        give(e.key().isString() ? e.key().toStringRef() : std::to_string(e.key().toInt()), e.value());
    } else {
      give("", out);
    }
  });
}
}
