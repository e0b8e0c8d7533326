// libtorch's C++ has meta kernels (shapes without data) for some operators; PyTorch adds the rest in Python. Here the
// rest is run on CPU zeros of the same shapes. Operands that are not on the meta device are refused, as a CUDA kernel
// would refuse them, but for the plain numbers that libtorch lets every device take.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

using c10::IValue;

namespace {

using Pairs = std::vector<std::pair<at::Tensor, at::Tensor>>; // CPU stand-in, what it stands for

at::Tensor stand_in(const at::Tensor &t, const std::string &op, Pairs &pairs) {
  if (!t.defined()) return t;
  if (!t.is_meta()) {
    TORCH_CHECK(t.dim() == 0, "Expected all tensors to be on the same device, but ", op, " got one on ", t.device(),
                " among others on meta");
    return t;
  }
  for (auto &p : pairs)
    if (p.second.is_same(t)) return p.first;
  auto cpu = at::empty_strided(t.sizes(), t.strides(), t.options().device(at::kCPU)).zero_();
  pairs.emplace_back(cpu, t);
  return cpu;
}

IValue each(const IValue &v, const std::function<at::Tensor(const at::Tensor &)> &f) {
  if (v.isTensor()) return f(v.toTensor());
  if (v.isTensorList()) {
    c10::List<at::Tensor> out;
    for (const at::Tensor &t : v.toTensorVector()) out.push_back(f(t));
    return out;
  }
  if (v.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> out;
    for (const std::optional<at::Tensor> &t : v.toOptionalTensorList())
      out.push_back(t ? std::optional<at::Tensor>(f(*t)) : std::nullopt);
    return out;
  }
  if (v.isDevice() && v.toDevice().is_meta()) return at::Device(at::kCPU);
  return v;
}

void run(const c10::OperatorHandle &op, size_t arguments, torch::jit::Stack *stack) {
  at::AutoDispatchBelowADInplaceOrView below;
  Pairs pairs;
  auto name = toString(op.operator_name());
  for (auto it = stack->end() - arguments; it != stack->end(); ++it)
    *it = each(*it, [&](const at::Tensor &t) { return stand_in(t, name, pairs); });
  op.callBoxed(stack);
  for (auto it = stack->end() - op.schema().returns().size(); it != stack->end(); ++it)
    *it = each(*it, [&](const at::Tensor &t) {
      for (auto &p : pairs) // an operator in place gives its operand back, perhaps with another size
        if (p.first.is_same(t)) return p.second.sizes() == t.sizes() ? p.second : p.second.resize_(t.sizes());
      return t.defined() ? t.to(at::kMeta) : t;
    });
}

void fallback(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  run(op, op.schema().arguments().size(), stack);
}

c10::OperatorHandle find(const char *name) { return c10::Dispatcher::singleton().findSchemaOrThrow(name, ""); }

// The convolution that backends outside libtorch bring along.
void convolution(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  run(find("aten::convolution"), op.schema().arguments().size(), stack);
}

void convolution_backward(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  auto n = op.schema().arguments().size();
  auto first = stack->end() - n;
  // Its schema lacks the size of the bias, the fourth argument of the general one.
  stack->insert(first + 3, IValue(c10::List<int64_t>({first->toTensor().size(1)})));
  run(find("aten::convolution_backward"), n + 1, stack);
}

} // namespace

// Called before the first meta tensor is made: a process without one is not changed.
void cs_register_meta() {
  using torch::CppFunction;
  static torch::Library aten(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__);
  static bool done = [] {
    auto &dispatcher = c10::Dispatcher::singleton();
    for (const auto &name : dispatcher.getAllOpNames()) {
      auto op = dispatcher.findOp(name);
      if (name.name.rfind("aten::", 0) != 0 || !op || !op->hasSchema()) continue;
      auto has = [&](c10::DispatchKey k) { return op->hasKernelForDispatchKey(k); };
      using K = c10::DispatchKey;
      if (has(K::CPU) && !has(K::Meta) && !has(K::CompositeImplicitAutograd) && !has(K::CompositeExplicitAutograd) &&
          !has(K::CompositeExplicitAutogradNonFunctional))
        aten.impl(toString(name).c_str(), CppFunction::makeFromBoxedFunction<&fallback>());
    }
    aten.impl("convolution_overrideable", CppFunction::makeFromBoxedFunction<&convolution>());
    aten.impl("convolution_backward_overrideable", CppFunction::makeFromBoxedFunction<&convolution_backward>());
    return true;
  }();
  (void)done;
}
