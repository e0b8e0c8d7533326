// Convolutions whose weights lie as oneDNN reads them fastest. libtorch packs its own frozen graphs so; otherwise it lays
// the weights out anew in every pass, which for one picture is a fifth of the time.
#include "guarded.h"
#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/mkldnn_reorder_conv2d_weight.h>
#include <string_view>

using Pointwise = at::Tensor(const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, at::IntArrayRef,
                             at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                             c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

// How a convolution walks; core/ffi/packed.rs has the same.
struct Walk {
  int64_t padding[2], stride[2], dilation[2], groups;
};

extern "C" {

// Whether a convolution of x, which must fit, would run in oneDNN without a graph, in float32; small ones run elsewhere.
int cs_packs(at::Tensor *x, at::Tensor *w, const Walk *k) {
  if (x->dim() != 4 || w->dim() != 4 || x->size(1) != w->size(1) * k->groups) return 0;
  for (int i = 0; i < 2; i++)
    if (x->size(2 + i) + 2 * k->padding[i] <= k->dilation[i] * (w->size(2 + i) - 1)) return 0;
  return x->is_cpu() && w->is_cpu() && x->scalar_type() == at::kFloat && w->scalar_type() == at::kFloat &&
         (x->size(0) > 1 || x->numel() > 20480) && !w->requires_grad() && !(at::GradMode::is_enabled() && x->requires_grad()) &&
         !at::autocast::is_autocast_enabled(at::kCPU) && at::globalContext().userEnabledMkldnn();
}

int cs_conv_pack(at::Tensor *w, at::Tensor *x, const Walk *k, at::Tensor **out) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto packed = w->detach().contiguous().to_mkldnn();
    *out = new at::Tensor(
        at::mkldnn_reorder_conv2d_weight(packed, k->padding, k->stride, k->dilation, k->groups, x->sizes()));
  });
}

int cs_conv_packed(at::Tensor *x, at::Tensor *w, at::Tensor *bias, const Walk *k, at::Tensor **out) {
  return guarded([&] {
    static const auto run = c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_convolution_pointwise", "").typed<Pointwise>();
    at::NoGradGuard no_grad;
    auto b = bias ? std::optional<at::Tensor>(*bias) : std::nullopt;
    *out = new at::Tensor(run.call(*x, *w, b, k->padding, k->stride, k->dilation, k->groups, "none",
                                   c10::List<std::optional<at::Scalar>>(), std::nullopt));
  });
}
}
