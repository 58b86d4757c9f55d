// Dense networks of oneDNN's inner products: parameters, and passes over a fixed number of rows.

#pragma once

#include <deque>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <utility>

#include "preset.hpp"

using dnnl::memory;
using Tag = memory::format_tag;

// The one engine and stream.
struct Library {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    // Whether weights take whatever layout oneDNN likes best, or stay rows of inputs.
    bool blocked;

    memory::desc matrix(int rows, int columns, Tag tag = Tag::ab) const {
        return {{rows, columns}, memory::data_type::f32, tag};
    }
    memory::desc weights(int outputs, int inputs) const { return matrix(outputs, inputs, blocked ? Tag::any : Tag::ab); }
    memory::desc vector(int length) const { return {{length}, memory::data_type::f32, Tag::a}; }
};

inline float* floats(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
// All values, with those that pad a layout of blocks: they are zero and stay so.
inline size_t count(const memory& m) { return m.get_desc().get_size() / sizeof(float); }

// Loops that the compiler turns into vector instructions: functions of their own, since it does not where a lambda holds the pointers.

// Adam, the corrections of the bias as factors.
inline void adam(float* __restrict p, float* __restrict m, float* __restrict v, const float* __restrict g, size_t length,
                 float correct1, float correct2) {
    for (size_t k = 0; k < length; ++k) {
        m[k] = 0.9f * m[k] + 0.1f * g[k];
        v[k] = 0.999f * v[k] + 0.001f * g[k] * g[k];
        p[k] -= correct1 * m[k] / (std::sqrt(v[k]) * correct2 + 1e-8f);
    }
}

inline void descend(float* __restrict p, const float* __restrict g, size_t length, float rate) {
    for (size_t k = 0; k < length; ++k) p[k] -= rate * g[k];
}

inline void tanh_gradient(float* __restrict delta, const float* __restrict value, size_t length) {
    for (size_t k = 0; k < length; ++k) delta[k] *= 1.0f - value[k] * value[k];
}

// Leaky ReLU and dropout at once: the sign of the value tells what the unit did, and a dropped one is zero.
inline void relu_gradient(float* __restrict delta, const float* __restrict value, size_t length, float kept, float leak) {
    for (size_t k = 0; k < length; ++k) {
        const float slope = value[k] > 0.0f ? kept : leak;
        delta[k] *= value[k] == 0.0f ? 0.0f : slope;
    }
}

// One layer's parameters, gradients and moments, in the layout that the forward pass likes, and copies in other layouts.
class Layer {
public:
    Layer(const Library& library, int inputs, int outputs)
        : library(library), inputs(inputs), outputs(outputs), bias(library.vector(outputs), library.engine),
          bias_gradient(library.vector(outputs), library.engine) {}

    // Sets the layout and draws the parameters as PyTorch does: U(-1/sqrt(inputs), 1/sqrt(inputs)). Later calls do nothing.
    void lay_out(const memory::desc& layout, std::mt19937& random) {
        if (weights) return;
        const float bound = 1.0f / std::sqrt(float(inputs));
        std::uniform_real_distribution<float> uniform(-bound, bound);
        memory drawn(library.matrix(outputs, inputs), library.engine);
        for (size_t i = 0; i < count(drawn); ++i) floats(drawn)[i] = uniform(random);
        for (int i = 0; i < outputs; ++i) floats(bias)[i] = uniform(random);
        weights = memory(layout, library.engine);
        gradient = memory(layout, library.engine);
        dnnl::stream stream = library.stream;
        dnnl::reorder(drawn, weights).execute(stream, drawn, weights);
        stream.wait();
        for (const memory& values : {weights, bias}) {
            first.emplace_back(count(values));
            second.emplace_back(count(values));
        }
    }

    // The weights in a layout, kept up to date.
    memory in(const memory::desc& layout) {
        if (layout == weights.get_desc()) return weights;
        for (auto& copy : copies)
            if (copy.second.get_desc() == layout) return copy.second;
        memory copy(layout, library.engine);
        copies.emplace_back(dnnl::reorder(weights, copy), copy);
        refresh();
        return copy;
    }

    void update(const Preset& preset, long step) {
        const float rate = preset.learning_rate;
        const float correct1 = rate / (1.0f - float(std::pow(0.9, step))), correct2 = 1.0f / std::sqrt(1.0f - float(std::pow(0.999, step)));
        const std::pair<memory, memory> all[] = {{weights, gradient}, {bias, bias_gradient}};
        for (int i = 0; i < 2; ++i) {
            float *p = floats(all[i].first), *g = floats(all[i].second), *m = first[i].data(), *v = second[i].data();
            in_chunks(count(all[i].first), [=](size_t start, size_t end) {
                if (preset.adam)
                    adam(p + start, m + start, v + start, g + start, end - start, correct1, correct2);
                else
                    descend(p + start, g + start, end - start, rate);
            });
        }
        refresh();
    }

    const Library& library;
    const int inputs, outputs;
    memory weights, bias, gradient, bias_gradient;

private:
    void refresh() {
        dnnl::stream stream = library.stream;
        for (auto& [reorder, copy] : copies) reorder.execute(stream, weights, copy);
    }

    std::vector<std::vector<float>> first, second;
    std::vector<std::pair<dnnl::reorder, memory>> copies;
};

class Network {
public:
    Network(const Library& library, const std::vector<int>& sizes, float slope, float dropout, bool tanh_output)
        : library(library), slope(slope), dropout(dropout), tanh_output(tanh_output) {
        for (size_t i = 0; i + 1 < sizes.size(); ++i) layers.emplace_back(library, sizes[i], sizes[i + 1]);
    }

    void update(const Preset& preset, long step) {
        for (Layer& layer : layers) layer.update(preset, step);
    }

    const Library& library;
    const float slope, dropout;
    const bool tanh_output;
    // A deque: layers stay where they are.
    std::deque<Layer> layers;
};

// A network's passes over so many rows: the primitives, made once, the values and their gradients (deltas).
class Pass {
public:
    // Which gradients the backward pass computes: of the input, of the parameters.
    struct Gradients { bool input, parameters; };

    Pass(Network& network, int rows, Gradients wanted) : network(network), rows(rows), wanted(wanted) {
        const Library& library = network.library;
        std::mt19937 random(2);
        matrices(values, network.layers[0].inputs);
        matrices(deltas, network.layers[0].inputs);
        for (size_t i = 0; i < network.layers.size(); ++i) {
            Layer& layer = network.layers[i];
            matrices(values, layer.outputs);
            matrices(deltas, layer.outputs);
            const memory::desc input = values[i].get_desc(), output = values[i + 1].get_desc(), bias = library.vector(layer.outputs);
            const memory::desc any = library.weights(layer.outputs, layer.inputs);
            dnnl::primitive_attr fused;
            dnnl::post_ops after;
            if (i + 1 < network.layers.size())
                after.append_eltwise(dnnl::algorithm::eltwise_relu, network.slope, 0.0f);
            else if (network.tanh_output)
                after.append_eltwise(dnnl::algorithm::eltwise_tanh, 0.0f, 0.0f);
            fused.set_post_ops(after);
            dnnl::inner_product_forward::primitive_desc forward(
                library.engine, dnnl::prop_kind::forward_training, input, any, bias, output, fused);
            layer.lay_out(forward.weights_desc(), random);
            Primitives made;
            made.forward = dnnl::inner_product_forward(forward);
            made.forward_arguments = {{DNNL_ARG_SRC, values[i]}, {DNNL_ARG_WEIGHTS, layer.in(forward.weights_desc())},
                                      {DNNL_ARG_BIAS, layer.bias}, {DNNL_ARG_DST, values[i + 1]}};
            if (i > 0 || wanted.input) {
                dnnl::inner_product_backward_data::primitive_desc of_input(library.engine, input, any, output, forward);
                made.of_input = dnnl::inner_product_backward_data(of_input);
                made.of_input_arguments = {{DNNL_ARG_DIFF_DST, deltas[i + 1]}, {DNNL_ARG_WEIGHTS, layer.in(of_input.weights_desc())},
                                           {DNNL_ARG_DIFF_SRC, deltas[i]}};
            }
            if (wanted.parameters) {
                dnnl::inner_product_backward_weights::primitive_desc of_weights(library.engine, input, any, bias, output, forward);
                made.of_weights = dnnl::inner_product_backward_weights(of_weights);
                memory gradient = layer.gradient;
                if (of_weights.diff_weights_desc() != gradient.get_desc()) {
                    gradient = memory(of_weights.diff_weights_desc(), library.engine);
                    made.to_layout = dnnl::reorder(gradient, layer.gradient);
                }
                made.of_weights_arguments = {{DNNL_ARG_SRC, values[i]}, {DNNL_ARG_DIFF_DST, deltas[i + 1]},
                                             {DNNL_ARG_DIFF_WEIGHTS, gradient}, {DNNL_ARG_DIFF_BIAS, layer.bias_gradient}};
            }
            primitives.push_back(made);
        }
    }

    // From `values.front()` to `values.back()`.
    void forward() {
        dnnl::stream stream = network.library.stream;
        for (size_t i = 0; i < primitives.size(); ++i) {
            primitives[i].forward.execute(stream, primitives[i].forward_arguments);
            if (network.dropout > 0.0f && i + 1 < primitives.size()) drop(floats(values[i + 1]), count(values[i + 1]), network.dropout);
        }
    }

    // From `deltas.back()` to the wanted gradients.
    void backward() {
        dnnl::stream stream = network.library.stream;
        if (network.tanh_output) {
            float *delta = floats(deltas.back()), *value = floats(values.back());
            in_chunks(count(deltas.back()), [=](size_t start, size_t end) { tanh_gradient(delta + start, value + start, end - start); });
        }
        for (size_t i = primitives.size(); i-- > 0;) {
            Primitives& layer = primitives[i];
            if (layer.of_weights) {
                layer.of_weights.execute(stream, layer.of_weights_arguments);
                if (layer.to_layout) {
                    memory gradient = layer.of_weights_arguments.at(DNNL_ARG_DIFF_WEIGHTS);
                    layer.to_layout.execute(stream, gradient, network.layers[i].gradient);
                }
            }
            if (layer.of_input) layer.of_input.execute(stream, layer.of_input_arguments);
            if (i > 0) through_activation(floats(deltas[i]), floats(values[i]), count(deltas[i]));
        }
    }

    std::vector<memory> values, deltas;

private:
    struct Primitives {
        dnnl::primitive forward, of_input, of_weights;
        dnnl::reorder to_layout;
        std::unordered_map<int, memory> forward_arguments, of_input_arguments, of_weights_arguments;
    };

    void matrices(std::vector<memory>& list, int columns) {
        list.emplace_back(network.library.matrix(rows, columns), network.library.engine);
    }

    void through_activation(float* delta, const float* value, size_t length) const {
        const float kept = 1.0f / (1.0f - network.dropout), leak = kept * network.slope;
        in_chunks(length, [=](size_t start, size_t end) { relu_gradient(delta + start, value + start, end - start, kept, leak); });
    }

    Network& network;
    int rows;
    Gradients wanted;
    std::vector<Primitives> primitives;
};
