// What libtorch has and tch does not. Every function gives 0, or 1 and a message in cs_last_error().
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <dlfcn.h>
#include <string>
#include <torch/version.h>
#include <vector>

void cs_register_meta(); // meta.cpp

static thread_local std::string last_error;

template <class F> static int guarded(F body) {
  try {
    body();
    return 0;
  } catch (const std::exception &e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown C++ exception";
  }
  return 1;
}

static std::vector<at::Tensor> list(at::Tensor *const *p, size_t n) {
  std::vector<at::Tensor> out;
  out.reserve(n);
  for (size_t i = 0; i < n; i++) out.push_back(*p[i]);
  return out;
}

extern "C" {

const char *cs_last_error() { return last_error.c_str(); }

// torch.optim.Adam(fused=True) and AdamW (decoupled): one kernel for all parameters.
int cs_fused_adam(at::Tensor *const *params, at::Tensor *const *grads, at::Tensor *const *avgs,
                  at::Tensor *const *squares, at::Tensor *const *maxima, at::Tensor *const *steps, size_t n, double lr,
                  double beta1, double beta2, double weight_decay, double eps, int amsgrad, int decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto p = list(params, n), g = list(grads, n), m = list(avgs, n), v = list(squares, n), s = list(steps, n);
    auto x = amsgrad ? list(maxima, n) : std::vector<at::Tensor>();
    for (auto &t : s) t.add_(1);
    if (decoupled)
      at::_fused_adamw_(p, g, m, v, x, s, lr, beta1, beta2, weight_decay, eps, amsgrad != 0, false);
    else
      at::_fused_adam_(p, g, m, v, x, s, lr, beta1, beta2, weight_decay, eps, amsgrad != 0, false);
  });
}

// torch.optim.SGD(fused=True); `buffers` is read only when momentum is not zero.
int cs_fused_sgd(at::Tensor *const *params, at::Tensor *const *grads, at::Tensor *const *buffers, size_t n, double lr,
                 double momentum, double dampening, double weight_decay, int nesterov, int first) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto p = list(params, n), g = list(grads, n);
    auto b = momentum != 0 ? list(buffers, n) : std::vector<at::Tensor>();
    at::_fused_sgd_(p, g, b, weight_decay, momentum, lr, dampening, nesterov != 0, false, first != 0);
  });
}

// optimizer.zero_grad(set_to_none=True).
int cs_clear_grads(at::Tensor *const *params, size_t n) {
  return guarded([&] {
    for (size_t i = 0; i < n; i++) params[i]->mutable_grad().reset();
  });
}

// The state of the CPU generator: all random numbers to come follow from it.
int cs_rng_get(at::Tensor **out) {
  return guarded([&] {
    auto gen = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(gen.mutex());
    *out = new at::Tensor(gen.get_state());
  });
}

int cs_rng_set(at::Tensor *state) {
  return guarded([&] {
    auto gen = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(gen.mutex());
    gen.set_state(*state);
  });
}

int cs_deterministic(int on) {
  return guarded([&] { at::globalContext().setDeterministicAlgorithms(on != 0, false); });
}

// The tensor without its data: shapes and devices only.
int cs_to_meta(at::Tensor *t, at::Tensor **out) {
  return guarded([&] {
    cs_register_meta();
    *out = new at::Tensor(t->to(at::Device(at::kMeta)));
  });
}

// tch leaves out the slope.
int cs_leaky_relu(at::Tensor *t, double slope, at::Tensor **out) {
  return guarded([&] { *out = new at::Tensor(at::leaky_relu(*t, slope)); });
}

// Opens a library with all it needs; libtorch's CUDA part registers itself when opened.
int cs_open(const char *path) {
  if (dlopen(path, RTLD_NOW | RTLD_GLOBAL)) return 0;
  const char *why = dlerror();
  last_error = why ? why : "cannot be opened";
  return 1;
}

const char *cs_torch_version() { return TORCH_VERSION; }

int cs_cpu_capability(const char **out) {
  static thread_local std::string name;
  return guarded([&] {
    name = at::get_cpu_capability();
    *out = name.c_str();
  });
}
}
