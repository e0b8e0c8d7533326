// What libtorch has and tch does not. Every function gives 0, or 1 and a message in cs_last_error().
#include "guarded.h"
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/ones_like.h>
#include <algorithm>
#include <atomic>
#include <c10/util/Exception.h>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>
#include <unordered_set>
#include <vector>

void cs_register_meta(); // meta.cpp

static thread_local std::string last_error;

int cs_fail(const char *why) {
  last_error = why;
  return 1;
}

static std::vector<at::Tensor> list(at::Tensor *const *p, size_t n) {
  std::vector<at::Tensor> out;
  out.reserve(n);
  for (size_t i = 0; i < n; i++) out.push_back(*p[i]);
  return out;
}

using torch::autograd::AccumulateGrad;
using torch::autograd::Edge;
using torch::autograd::edge_list;
using torch::autograd::Node;
using torch::autograd::variable_list;

// A place in the graph where the gradient is handed to the caller of Pass::next, on the caller's thread. The engine
// never runs it. `token` counts the rule it stands for; nodes may die on another thread.
struct Gate : Node {
  static std::atomic<int64_t> alive;
  uint64_t id;
  const void *token = nullptr;
  void (*release)(const void *);
  Gate(edge_list &&next, uint64_t id, void (*release)(const void *))
      : Node(std::move(next)), id(id), release(release) {
    alive++;
  }
  ~Gate() override {
    alive--;
    if (token) release(token);
  }
  variable_list apply(variable_list &&grads) override { return std::move(grads); }
};
std::atomic<int64_t> Gate::alive{0};

// With create_graph the engine warns of a reference cycle on stderr; the manual says it instead.
struct Quiet : c10::WarningHandler {
  void process(const c10::Warning &) override {}
};

// Ends a segment: the engine leaves the gradient here.
struct Sink : Node {
  explicit Sink(const Edge &e) { input_metadata_.emplace_back(e.function->input_metadata(e.input_nr)); }
  variable_list apply(variable_list &&) override { return {}; }
};

// Edges led elsewhere for a while.
struct Detours {
  std::vector<std::pair<Edge *, Edge>> all;
  void lead(Edge &e, const Edge &to) {
    all.emplace_back(&e, e);
    e = to;
  }
  ~Detours() {
    for (auto &[at, was] : all) *at = was;
  }
};

// One backward pass, run in segments that end at gates: first all nodes recorded after the last gate, then the
// gate's rule, then the nodes up to the gate before. Every node runs once, in the order and with the sums of a pass
// without gates; leaves accumulate in the last segment, so that a failed rule leaves no gradient behind.
struct Pass {
  bool keep, create, accumulate;
  edge_list roots;                                // keeps the graph alive
  std::vector<std::pair<Edge, at::Tensor>> front; // gradients at nodes that have not run yet
  edge_list wanted;
  variable_list got;
  std::vector<char> done;
  std::vector<Node *> nodes; // those a node leads to come before it
  std::vector<Gate *> gates; // latest first
  size_t at = 0;

  void add(const Edge &e, const at::Tensor &g) {
    if (!e.is_valid() || !g.defined()) return;
    for (auto &f : front)
      if (f.first == e) {
        f.second = f.second + g;
        return;
      }
    front.emplace_back(e, g);
  }

  void survey() {
    if (Gate::alive == 0) return;
    std::unordered_set<Node *> seen;
    std::vector<std::pair<Node *, size_t>> stack;
    auto enter = [&](Node *n) {
      if (n && seen.insert(n).second) stack.emplace_back(n, 0);
    };
    for (auto &r : roots) {
      enter(r.function.get());
      while (!stack.empty()) {
        Node *n = stack.back().first;
        size_t i = stack.back().second++;
        if (i < n->next_edges().size()) {
          enter(n->next_edges()[i].function.get());
          continue;
        }
        stack.pop_back();
        nodes.push_back(n);
        if (auto *gate = dynamic_cast<Gate *>(n)) gates.push_back(gate);
      }
    }
    std::sort(gates.begin(), gates.end(), [](Gate *a, Gate *b) { return a->sequence_nr() > b->sequence_nr(); });
  }

  variable_list execute(const edge_list &from, const variable_list &grads, bool leaves, const edge_list &to) {
    Quiet quiet;
    c10::WarningUtils::WarningHandlerGuard guard(&quiet);
    return torch::autograd::Engine::get_default_engine().execute(from, grads, keep, create, leaves, to);
  }

  // Runs what was recorded after `gate`, and whatever leads to it.
  void segment(Gate *gate) {
    std::unordered_set<Node *> hot;
    for (Node *n : nodes) {
      if (n == gate || dynamic_cast<AccumulateGrad *>(n)) continue;
      bool yes = n->sequence_nr() > gate->sequence_nr();
      for (auto &e : n->next_edges())
        yes = yes || (e.function && (e.function.get() == gate || hot.count(e.function.get())));
      if (yes) hot.insert(n);
    }
    edge_list from, to, beyond; // `to` is a sink for each edge of `beyond`, then what is wanted inside
    variable_list grads;
    decltype(front) rest;
    std::vector<Node *> queue;
    std::unordered_set<Node *> seen;
    auto enter = [&](Node *n) {
      if (seen.insert(n).second) queue.push_back(n);
    };
    for (auto &[e, g] : front) {
      if (!hot.count(e.function.get())) {
        rest.emplace_back(e, g);
        continue;
      }
      from.push_back(e);
      grads.push_back(g);
      enter(e.function.get());
    }
    if (from.empty()) return;
    front = std::move(rest);
    auto is_wanted = [&](const Edge &e) { return std::find(wanted.begin(), wanted.end(), e) != wanted.end(); };
    Detours detours;
    for (size_t i = 0; i < queue.size(); i++)
      for (auto &e : queue[i]->next_edges()) {
        if (!e.is_valid()) continue;
        if (hot.count(e.function.get())) {
          enter(e.function.get());
        } else if (!accumulate && dynamic_cast<AccumulateGrad *>(e.function.get()) && !is_wanted(e)) {
          detours.lead(e, Edge());
        } else {
          size_t at = std::find(beyond.begin(), beyond.end(), e) - beyond.begin();
          if (at == beyond.size()) {
            beyond.push_back(e);
            to.emplace_back(std::shared_ptr<Sink>(new Sink(e), torch::autograd::deleteNode), 0);
          }
          detours.lead(e, to[at]);
        }
      }
    // What has arrived out there before goes first into the sum, as it would have without gates.
    for (size_t i = 0; i < beyond.size(); i++)
      for (size_t f = 0; f < front.size(); f++)
        if (front[f].first == beyond[i]) {
          from.push_back(to[i]);
          grads.push_back(front[f].second);
          front.erase(front.begin() + f);
          break;
        }
    std::vector<size_t> inside;
    for (size_t i = 0; i < wanted.size(); i++)
      if (!done[i] && seen.count(wanted[i].function.get())) {
        inside.push_back(i);
        to.push_back(wanted[i]);
        done[i] = 1;
      }
    if (to.empty()) return;
    auto out = execute(from, grads, false, to);
    for (size_t i = 0; i < beyond.size(); i++) add(beyond[i], out[i]);
    for (size_t i = 0; i < inside.size(); i++) got[inside[i]] = out[beyond.size() + i];
  }

  // The next gate that a gradient reaches, with the gradient.
  Gate *next(at::Tensor &grad) {
    for (; at < gates.size(); at++) {
      Gate *gate = gates[at];
      segment(gate);
      for (size_t f = 0; f < front.size(); f++) {
        if (front[f].first.function.get() != gate) continue;
        grad = front[f].second;
        front.erase(front.begin() + f);
        for (size_t i = 0; i < wanted.size(); i++)
          if (wanted[i].function.get() == gate) {
            got[i] = grad;
            done[i] = 1;
          }
        return gate;
      }
    }
    return nullptr;
  }

  void finish() {
    edge_list from, to;
    variable_list grads;
    for (auto &[e, g] : front) {
      from.push_back(e);
      grads.push_back(g);
    }
    front.clear();
    std::vector<size_t> left;
    for (size_t i = 0; i < wanted.size(); i++)
      if (!done[i]) {
        left.push_back(i);
        to.push_back(wanted[i]);
      }
    if (from.empty() || (!accumulate && to.empty())) return;
    auto out = execute(from, grads, accumulate, to);
    for (size_t i = 0; i < left.size(); i++) got[left[i]] = out[i];
  }
};

static Edge edge_of(const at::Tensor &t) {
  TORCH_CHECK(t.requires_grad(), "a tensor without a gradient takes part in a backward pass");
  return torch::autograd::impl::gradient_edge(t);
}

// The generator of the CPU (device -1) or of a CUDA device.
static at::Generator generator(int device) {
  if (device < 0) return at::detail::getDefaultCPUGenerator();
  return at::globalContext().defaultGenerator(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
}

extern "C" {

// A tensor with the values of `value` whose gradient passes a gate on its way to `input`; null where no gradient is
// recorded. The gate owns `token` only if there is a tensor.
int cs_gate(at::Tensor *value, at::Tensor *input, uint64_t id, const void *token, void (*release)(const void *),
            at::Tensor **out) {
  *out = nullptr;
  return guarded([&] {
    if (!at::GradMode::is_enabled() || !input->requires_grad()) return;
    auto gate = std::shared_ptr<Gate>(new Gate(torch::autograd::collect_next_edges(*input), id, release),
                                      torch::autograd::deleteNode);
    at::Tensor t = value->detach();
    torch::autograd::create_gradient_edge(t, gate);
    *out = new at::Tensor(t);
    gate->token = token;
  });
}

// A backward pass from `roots` with their gradients `grads` (an undefined one means ones): to the `inputs`, or, with
// `accumulate`, into the .grad of all leaves.
int cs_pass_new(at::Tensor *const *roots, at::Tensor *const *grads, size_t n, at::Tensor *const *inputs, size_t m,
                int keep, int create, int accumulate, Pass **out) {
  return guarded([&] {
    auto p = std::make_unique<Pass>();
    p->keep = keep != 0, p->create = create != 0, p->accumulate = accumulate != 0;
    for (size_t i = 0; i < n; i++) {
      p->roots.push_back(edge_of(*roots[i]));
      at::NoGradGuard no_grad;
      p->add(p->roots[i], grads[i]->defined() ? *grads[i] : at::ones_like(*roots[i]));
    }
    for (size_t i = 0; i < m; i++) p->wanted.push_back(edge_of(*inputs[i]));
    p->got.resize(m), p->done.resize(m);
    p->survey();
    *out = p.release();
  });
}

// Runs to the next gate: its id and the gradient there, or null when there is none left.
int cs_pass_next(Pass *p, uint64_t *id, at::Tensor **grad) {
  *grad = nullptr;
  return guarded([&] {
    at::Tensor g;
    if (Gate *gate = p->next(g)) {
      *id = gate->id;
      *grad = new at::Tensor(g);
    }
  });
}

// Goes on from the gate of the last cs_pass_next with this gradient.
int cs_pass_resume(Pass *p, at::Tensor *grad) {
  return guarded([&] { p->add(p->gates[p->at++]->next_edge(0), *grad); });
}

int cs_pass_finish(Pass *p, at::Tensor **out) {
  return guarded([&] {
    p->finish();
    for (size_t i = 0; i < p->got.size(); i++) out[i] = new at::Tensor(p->got[i]);
  });
}

void cs_pass_free(Pass *p) { delete p; }

const char *cs_last_error() { return last_error.c_str(); }

// The fused steps do not count as changes by themselves.
static void written(const std::vector<at::Tensor> &all) {
  for (auto &t : all) t.unsafeGetTensorImpl()->bump_version();
}

// torch.optim.Adam(fused=True) and AdamW (decoupled): one kernel for all parameters.
int cs_fused_adam(at::Tensor *const *params, at::Tensor *const *grads, at::Tensor *const *avgs,
                  at::Tensor *const *squares, at::Tensor *const *maxima, at::Tensor *const *steps, size_t n, double lr,
                  double beta1, double beta2, double weight_decay, double eps, int amsgrad, int decoupled) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto p = list(params, n), g = list(grads, n), m = list(avgs, n), v = list(squares, n), s = list(steps, n);
    auto x = amsgrad ? list(maxima, n) : std::vector<at::Tensor>();
    for (auto &t : s) t.add_(1);
    written(p);
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
    written(p);
    at::_fused_sgd_(p, g, b, weight_decay, momentum, lr, dampening, nesterov != 0, false, first != 0);
  });
}

// optimizer.zero_grad(set_to_none=True).
int cs_clear_grads(at::Tensor *const *params, size_t n) {
  return guarded([&] {
    for (size_t i = 0; i < n; i++) params[i]->mutable_grad().reset();
  });
}

// Adds to the .grad of each parameter; a first gradient is copied, as it may be shared, and laid out in memory as the
// parameter is: the fused optimizers walk both side by side.
int cs_add_grads(at::Tensor *const *params, at::Tensor *const *grads, size_t n) {
  return guarded([&] {
    for (size_t i = 0; i < n; i++) {
      at::Tensor &g = params[i]->mutable_grad();
      g = g.defined() ? g + *grads[i] : at::empty_like(*params[i]).copy_(*grads[i]);
    }
  });
}

// The state of the CPU generator: all random numbers to come follow from it.
int cs_rng_get(int device, at::Tensor **out) {
  return guarded([&] {
    auto gen = generator(device);
    std::lock_guard<std::mutex> lock(gen.mutex());
    *out = new at::Tensor(gen.get_state());
  });
}

int cs_rng_set(int device, at::Tensor *state) {
  return guarded([&] {
    auto gen = generator(device);
    std::lock_guard<std::mutex> lock(gen.mutex());
    gen.set_state(*state);
  });
}

// The same bits every time, on a GPU too. What has no deterministic form there still runs, with libtorch's warning.
int cs_deterministic() {
  return guarded([] {
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0); // cuBLAS reads it when it starts
    auto &context = at::globalContext();
    context.setDeterministicAlgorithms(true, true);
    context.setDeterministicFillUninitializedMemory(false);
    context.setDeterministicCuDNN(true);
    context.setBenchmarkCuDNN(false);
  });
}

// Mixed precision as torch.autocast(dtype=torch.bfloat16) does it, until cs_autocast_end gets what was before.
int cs_autocast_begin(int device, int *before) {
  return guarded([&] {
    auto type = device < 0 ? at::kCPU : at::kCUDA;
    *before = at::autocast::is_autocast_enabled(type);
    at::autocast::set_autocast_dtype(type, at::kBFloat16);
    at::autocast::set_autocast_enabled(type, true);
    at::autocast::increment_nesting();
  });
}

void cs_autocast_end(int device, int before) {
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device < 0 ? at::kCPU : at::kCUDA, before != 0);
}

// Arithmetic as the innermost loops of scripts do it. Where no gradient is wanted, the call goes past autograd's
// layers of the dispatcher, which would find nothing to do.
int cs_arithmetic(char op, at::Tensor *a, at::Tensor *b, at::Tensor **out) {
  return guarded([&] {
    auto run = [&] {
      switch (op) {
      case '+': return at::add(*a, *b);
      case '-': return at::sub(*a, *b);
      case '*': return at::mul(*a, *b);
      default: return at::div(*a, *b);
      }
    };
    if (at::GradMode::is_enabled() && (a->requires_grad() || b->requires_grad())) {
      *out = new at::Tensor(run());
    } else {
      at::AutoDispatchBelowADInplaceOrView below;
      *out = new at::Tensor(run());
    }
  });
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
