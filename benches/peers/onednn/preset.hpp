// The four presets, the data made for them, random numbers, and the timing: as in ../python/presets.py.

#pragma once

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

enum class Objective { minimax, non_saturating, softmax };
// Discriminator first with new latents for G or with the same fakes, or generator first with the same fakes.
enum class Order { discriminator, discriminator_shared, generator_shared };

struct Preset {
    std::vector<int> generator, discriminator;
    // The negative slope of the hidden layers' ReLU; the share that is dropped after each hidden layer of D.
    float slope, dropout;
    bool tanh_output;
    Objective objective;
    // D's loss is this factor times the sum of its means over real samples and fakes.
    float discriminator_factor;
    Order order;
    bool adam;
    float learning_rate;
    int samples;
    bool shuffled;
};

inline Preset preset_named(const std::string& name) {
    if (name == "circle")
        return {{2, 16, 32, 2}, {2, 128, 64, 32, 1}, 0.0f, 0.2f, false, Objective::minimax, 1.0f,
                Order::discriminator, true, 0.001f, 1024, true};
    if (name == "mixture1d")
        return {{1, 3, 1}, {1, 1}, 0.0f, 0.0f, false, Objective::non_saturating, 0.5f,
                Order::generator_shared, false, 0.01f, 10000, true};
    if (name == "gaussian2d")
        return {{2, 2}, {2, 20, 10, 2}, 0.0f, 0.0f, false, Objective::softmax, 1.0f,
                Order::discriminator_shared, true, 0.01f, 3200, false};
    if (name == "mnist")
        return {{100, 256, 512, 1024, 784}, {784, 1024, 512, 256, 1}, 0.2f, 0.3f, true, Objective::non_saturating, 1.0f,
                Order::discriminator, true, 0.0002f, 60000, true};
    throw std::runtime_error("the presets are circle, mixture1d, gaussian2d, mnist");
}

// Fewer values than this are not worth a second thread.
constexpr size_t SERIAL = 8192;

// Calls `body(start, end)` on the chunks of `count` values, a thread each.
template <class Body>
void in_chunks(size_t count, Body body) {
#pragma omp parallel if (count > SERIAL)
    {
        // Chunks are whole cache lines.
        size_t threads = omp_get_num_threads(), chunk = (count / threads + 15) / 16 * 16;
        size_t start = std::min(count, omp_get_thread_num() * chunk);
        size_t end = threads == size_t(omp_get_thread_num()) + 1 ? count : std::min(count, start + chunk);
        body(start, end);
    }
}

// Sixteen xoshiro128++ generators side by side, which the compiler turns into vector instructions.
class Random {
public:
    static constexpr size_t LANES = 16;

    explicit Random(uint64_t seed) {
        std::mt19937_64 source(seed);
        for (auto& word : state)
            for (auto& lane : word) lane = uint32_t(source());
    }

    void draw(uint32_t* words) {
        for (size_t i = 0; i < LANES; ++i) {
            uint32_t sum = state[0][i] + state[3][i];
            words[i] = (sum << 7 | sum >> 25) + state[0][i];
            uint32_t shifted = state[1][i] << 9;
            state[2][i] ^= state[0][i];
            state[3][i] ^= state[1][i];
            state[1][i] ^= state[2][i];
            state[0][i] ^= state[3][i];
            state[2][i] ^= shifted;
            state[3][i] = state[3][i] << 11 | state[3][i] >> 21;
        }
    }

private:
    alignas(64) uint32_t state[4][LANES];
};

// A generator for each thread.
inline Random& random_of_thread() {
    thread_local Random random(3 + omp_get_thread_num());
    return random;
}

// Standard normals by Box and Muller. Sine and cosine have loops of their own: one of both is no vector function.
inline void normals(float* out, size_t count) {
    in_chunks(count, [out](size_t start, size_t end) {
        constexpr size_t BLOCK = 256;
        Random random = random_of_thread();
        alignas(64) uint32_t words[2 * BLOCK];
        alignas(64) float radius[BLOCK], angle[BLOCK], values[2 * BLOCK];
        for (size_t at = start; at < end; at += 2 * BLOCK) {
            for (size_t i = 0; i < 2 * BLOCK; i += Random::LANES) random.draw(words + i);
            for (size_t i = 0; i < BLOCK; ++i) {
                radius[i] = std::sqrt(-2.0f * std::log((float(int(words[i] >> 8)) + 1.0f) * 0x1p-24f));
                angle[i] = float(int(words[BLOCK + i] >> 8)) * (0x1p-24f * 6.2831853f);
            }
            for (size_t i = 0; i < BLOCK; ++i) values[i] = radius[i] * std::cos(angle[i]);
            for (size_t i = 0; i < BLOCK; ++i) values[BLOCK + i] = radius[i] * std::sin(angle[i]);
            std::memcpy(out + at, values, std::min(2 * BLOCK, end - at) * sizeof(float));
        }
        random_of_thread() = random;
    });
}

// Drops a share of the values and scales the others. 16 bits decide, two decisions for each word.
inline void drop(float* values, size_t count, float share) {
    in_chunks(count, [=](size_t start, size_t end) {
        constexpr size_t BLOCK = 2 * Random::LANES;
        Random random = random_of_thread();
        alignas(64) uint32_t words[Random::LANES];
        const uint32_t bar = uint32_t(std::lround(share * 65536.0f));
        const float scale = 1.0f / (1.0f - share);
        size_t at = start;
        for (; at + BLOCK <= end; at += BLOCK) {
            random.draw(words);
            for (size_t i = 0; i < Random::LANES; ++i) {
                values[at + i] *= (words[i] & 0xffff) >= bar ? scale : 0.0f;
                values[at + Random::LANES + i] *= words[i] >> 16 >= bar ? scale : 0.0f;
            }
        }
        random.draw(words);
        for (size_t i = 0; at + i < end; ++i)
            values[at + i] *= (words[i / 2] >> 16 * (i % 2) & 0xffff) >= bar ? scale : 0.0f;
        random_of_thread() = random;
    });
}

// Samples in [-1, 1) and the order in which they are gathered, shuffled once. Never fewer samples than a batch.
class Data {
public:
    Data(const Preset& preset, int batch)
        : features(preset.generator.back()), order(std::max(preset.samples, batch)), samples(order.size() * features), batch(batch) {
        std::mt19937 random(1);
        std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
        for (float& value : samples) value = uniform(random);
        std::iota(order.begin(), order.end(), 0);
        if (preset.shuffled) std::shuffle(order.begin(), order.end(), random);
    }

    // Writes the next mini-batch.
    void gather(float* out) {
        if (position + batch > order.size()) position = 0;
        const size_t* rows = &order[position];
        position += batch;
        in_chunks(batch * features, [=, this](size_t start, size_t end) {
            // A chunk's first and last row may be parts.
            for (size_t at = start; at < end;) {
                size_t column = at % features, length = std::min(features - column, end - at);
                std::memcpy(out + at, &samples[rows[at / features] * features + column], length * sizeof(float));
                at += length;
            }
        });
    }

private:
    size_t features;
    std::vector<size_t> order;
    std::vector<float> samples;
    size_t batch, position = 0;
};

// The median units a second of `run(units)`: a second in nine parts, after as many units as warm everything up.
template <class Run>
double measure(Run run) {
    constexpr double ROW_SECONDS = 1.0;
    constexpr int PARTS = 9;
    const double part = ROW_SECONDS / PARTS;
    using Clock = std::chrono::steady_clock;
    auto since = [](Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); };
    auto seconds = [&](long units) {
        auto start = Clock::now();
        run(units);
        return since(start);
    };
    seconds(1);
    auto start = Clock::now();
    long units = 1;
    double taken;
    while ((taken = seconds(units)) < part / 4) units *= 2;
    units = std::max(1L, std::lround(units * part / taken));
    std::vector<double> rates;
    for (int i = 0; i < PARTS && (i == 0 || since(start) <= 4 * ROW_SECONDS); ++i) rates.push_back(units / seconds(units));
    std::sort(rates.begin(), rates.end());
    return (rates[(rates.size() - 1) / 2] + rates[rates.size() / 2]) / 2;
}
