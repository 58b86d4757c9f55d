// The presets by oneDNN: inner products with bias and activation fused, primitives made once, Adam and the rest as plain loops.
//
//     peer-onednn PRESET BATCH THREADS [blocked|plain]
//
// The last argument says how weights lie in memory: in the blocks that oneDNN chooses, copied where the backward pass likes others
// (the default), or as rows.

#include <bit>
#include <cstdio>

#include "network.hpp"

// Losses of logits: each returns the mean loss over the rows and writes its gradient, times `factor`.

// The loss of a logit of the wanted class against the other one.
static inline float entropy(float logit) { return std::max(-logit, 0.0f) + std::log(1.0f + std::exp(-std::fabs(logit))); }

// The compiler's reciprocal has no value for an infinite number.
static inline float entropy_gradient(float logit) { return -1.0f / (1.0f + std::exp(std::min(logit, 80.0f))); }

static float entropy_bce(const float* __restrict logits, float* __restrict deltas, int rows, bool real, float factor) {
    const float sign = real ? 1.0f : -1.0f, scale = sign * factor / rows;
    float sum = 0.0f;
    for (int i = 0; i < rows; ++i) {
        sum += entropy(sign * logits[i]);
        deltas[i] = scale * entropy_gradient(sign * logits[i]);
    }
    return sum / rows;
}

// With two classes all follows from the difference of the logits; the second class is that of real samples.
static float entropy_softmax(const float* __restrict logits, float* __restrict deltas, int rows, bool real, float factor) {
    const float sign = real ? 1.0f : -1.0f, scale = sign * factor / rows;
    float sum = 0.0f;
    for (int i = 0; i < rows; ++i) {
        const float difference = sign * (logits[2 * i + 1] - logits[2 * i]), delta = scale * entropy_gradient(difference);
        sum += entropy(difference);
        deltas[2 * i + 1] = delta;
        deltas[2 * i] = -delta;
    }
    return sum / rows;
}

// By the exponent: -ffast-math, which vector functions need, takes every number for finite.
static bool finite(float value) { return (std::bit_cast<uint32_t>(value) >> 23 & 0xff) != 0xff; }

class Gan {
public:
    Gan(const Library& library, const Preset& preset, int batch)
        : preset(preset), batch(batch), data(preset, batch),
          generator(library, preset.generator, preset.slope, 0.0f, preset.tanh_output),
          discriminator(library, preset.discriminator, preset.slope, preset.dropout, false),
          of_both(discriminator, 2 * batch, {false, true}), of_fakes(discriminator, batch, {true, false}),
          of_generator(generator, batch, {false, true}) {
        // G's gradient starts where D's backward pass leaves it.
        of_generator.deltas.back().set_data_handle(floats(of_fakes.deltas.front()));
    }

    void step() {
        ++steps;
        float* real = floats(of_both.values.front());
        float* fakes = real + size_t(batch) * preset.generator.back();
        switch (preset.order) {
        case Order::discriminator:
            generate(fakes);
            data.gather(real);
            train_discriminator();
            generate(floats(of_fakes.values.front()));
            of_fakes.forward();
            train_generator(floats(of_fakes.values.back()));
            generator.update(preset, steps);
            break;
        case Order::discriminator_shared:
            generate(fakes);
            data.gather(real);
            train_discriminator();
            of_fakes.values.front().set_data_handle(fakes);
            of_fakes.forward();
            train_generator(floats(of_fakes.values.back()));
            generator.update(preset, steps);
            break;
        case Order::generator_shared:
            // D is linear: its backward pass needs no values, so that one forward pass serves both turns.
            generate(fakes);
            data.gather(real);
            of_both.forward();
            train_generator(floats(of_both.values.back()) + size_t(batch) * preset.discriminator.back());
            generator.update(preset, steps);
            discriminator_gradients();
            discriminator.update(preset, steps);
            break;
        }
    }

    float discriminator_loss = 0.0f, generator_loss = 0.0f;

private:
    // New latents and fakes, written to `out`.
    void generate(float* out) {
        normals(floats(of_generator.values.front()), count(of_generator.values.front()));
        of_generator.values.back().set_data_handle(out);
        of_generator.forward();
    }

    float mean_loss(const float* logits, float* deltas, bool real, float factor) const {
        return (preset.objective == Objective::softmax ? entropy_softmax : entropy_bce)(logits, deltas, batch, real, factor);
    }

    void train_discriminator() {
        of_both.forward();
        discriminator_gradients();
        discriminator.update(preset, steps);
    }

    void discriminator_gradients() {
        const size_t half = size_t(batch) * preset.discriminator.back();
        const float *logits = floats(of_both.values.back()), factor = preset.discriminator_factor;
        float* deltas = floats(of_both.deltas.back());
        discriminator_loss = factor * (mean_loss(logits, deltas, true, factor) + mean_loss(logits + half, deltas + half, false, factor));
        of_both.backward();
    }

    // Gradients of G, given D's logits of the fakes.
    void train_generator(const float* logits) {
        const bool minimax = preset.objective == Objective::minimax;
        const float sign = minimax ? -1.0f : 1.0f;
        generator_loss = sign * mean_loss(logits, floats(of_fakes.deltas.back()), !minimax, sign);
        of_fakes.backward();
        of_generator.backward();
    }

    const Preset& preset;
    const int batch;
    Data data;
    Network generator, discriminator;
    Pass of_both, of_fakes, of_generator;
    long steps = 0;
};

int main(int count, char** words) try {
    if (count < 4 || count > 5) throw std::runtime_error("peer-onednn PRESET BATCH THREADS [blocked|plain]");
    const std::string setting = count > 4 ? words[4] : "blocked";
    if (setting != "blocked" && setting != "plain") throw std::runtime_error("the settings are blocked, plain");
    omp_set_num_threads(std::stoi(words[3]));
    omp_set_dynamic(0);
    Library library{.blocked = setting == "blocked"};
    const Preset preset = preset_named(words[1]);
    const int batch = std::stoi(words[2]);
    Gan gan(library, preset, batch);
    double rate = measure([&](long steps) {
        while (steps-- > 0) gan.step();
        library.stream.wait();
    });
    if (!finite(gan.discriminator_loss) || !finite(gan.generator_loss)) throw std::runtime_error("the losses are not finite");
    const dnnl_version_t* version = dnnl_version();
    std::printf("{\"samples_per_second\": %.17g, \"losses\": [%.9g, %.9g], \"setting\": \"%s\", \"version\": \"%d.%d.%d\"}\n", rate * batch,
                gan.discriminator_loss, gan.generator_loss, setting.c_str(), version->major, version->minor, version->patch);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 1;
}
