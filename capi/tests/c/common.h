/* What the programs of the tests share. They are C11, and C++. */
#ifndef COMMON_H
#define COMMON_H

#include <gannet.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program where `condition` does not hold. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s (last error: %s)\n", __FILE__, __LINE__, #condition, gannet_last_error());      \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define OK(call) CHECK((call) == GANNET_OK)

enum { SAMPLES = 500, FEATURES = 2 };

/* The numbers that the tests in Rust train on too: integers over 1000, so that both have the same bits. */
static inline float value_of(uint64_t index) { return (float)((index * 7919u) % 2001u) / 1000.0f - 1.0f; }

static inline void fill_values(float *values, size_t count) {
    for (size_t index = 0; index < count; index++) values[index] = value_of(index);
}

static inline GannetData data_of(const float *values, uint64_t samples, size_t features) {
    GannetData data;
    memset(&data, 0, sizeof data);
    data.size = sizeof data;
    data.values = values;
    data.samples = samples;
    data.features = features;
    return data;
}

static inline GannetOptions options_of(size_t batch, size_t threads, uint64_t seed) {
    GannetOptions options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.batch = batch;
    options.threads = threads;
    options.seed = seed;
    return options;
}

static inline GannetReport report_of(void) {
    GannetReport report;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    return report;
}

/* FNV-1a over the bits of numbers, of which the numbers before have come to `hash`; before the first, that is FNV. */
#define FNV 0xcbf29ce484222325u

static inline uint64_t fnv(uint64_t hash, const float *values, size_t count) {
    const unsigned char *bytes = (const unsigned char *)values;
    for (size_t index = 0; index < count * sizeof *values; index++) hash = (hash ^ bytes[index]) * 0x100000001b3u;
    return hash;
}

/* The same over the parameters of both networks. */
static inline uint64_t hash_of(const GannetTrainer *trainer) {
    uint64_t hash = FNV;
    for (int32_t network = GANNET_GENERATOR; network <= GANNET_DISCRIMINATOR; network++) {
        size_t count = 0;
        OK(gannet_trainer_parameters(trainer, network, NULL, 0, &count));
        float *values = (float *)malloc(count * sizeof *values);
        CHECK(values != NULL);
        OK(gannet_trainer_parameters(trainer, network, values, count, NULL));
        hash = fnv(hash, values, count);
        free(values);
    }
    return hash;
}

#endif
