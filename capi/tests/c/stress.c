/* Eight trainers driven from eight threads, which share a pool, a sampler's weights and nothing else; a ninth thread disturbs them.
 *
 *     stress PRESET ROUNDS STEPS     ROUNDS runs of STEPS steps each
 */
#include "common.h"
#include <pthread.h>

enum { THREADS = 8 };

static unsigned long rounds, steps;
static GannetPool *pool;
static GannetSampler *samplers[THREADS];
static GannetTrainer *trainers[THREADS];
static uint64_t hashes[THREADS];
static float values[SAMPLES * FEATURES];

static void *drive(void *argument) {
    size_t index = (size_t)(uintptr_t)argument;
    float first[64 * FEATURES], again[64 * FEATURES];
    GannetReport report = report_of();
    OK(gannet_sampler_sample(samplers[index], 3, 0, 64, NULL, first));
    for (unsigned long round = 0; round < rounds; round++) {
        /* The ninth thread may be in a call with the same handle, or may just have asked for a stop. */
        uint64_t goal = (uint64_t)(round + 1) * steps;
        while (report.step < goal) {
            GannetStatus status = gannet_trainer_run(trainers[index], goal - report.step, 5, NULL, NULL, &report);
            CHECK(status == GANNET_OK || status == GANNET_BUSY);
        }
        OK(gannet_sampler_sample(samplers[index], 3, 0, 64, NULL, again));
        CHECK(memcmp(first, again, sizeof first) == 0);
        /* Each thread has a message of its own. */
        CHECK(gannet_trainer_run(NULL, index, 0, NULL, NULL, NULL) == GANNET_NULL_POINTER);
        CHECK(strstr(gannet_last_error(), "GannetTrainer is NULL") != NULL);
    }
    return NULL;
}

static void *disturb(void *argument) {
    (void)argument;
    for (unsigned long round = 0; round < 160 * rounds; round++) {
        GannetInfo info;
        memset(&info, 0, sizeof info);
        info.size = sizeof info;
        GannetStatus status = gannet_trainer_info(trainers[round % THREADS], &info);
        CHECK(status == GANNET_OK || status == GANNET_BUSY);
        if (round % 50 == 0) OK(gannet_trainer_stop(trainers[round / 50 % THREADS]));
    }
    return NULL;
}

int main(int count, char **arguments) {
    CHECK(count == 4);
    rounds = strtoul(arguments[2], NULL, 10), steps = strtoul(arguments[3], NULL, 10);
    fill_values(values, SAMPLES * FEATURES);
    GannetData data = data_of(values, SAMPLES, FEATURES);
    OK(gannet_pool_new(2, &pool));
    for (size_t index = 0; index < THREADS; index++) {
        GannetOptions options = options_of(64, 1 + index % 3, index / 2);
        options.pool = pool;
        OK(gannet_trainer_new(arguments[1], &data, &options, &trainers[index]));
        if (index == 0)
            OK(gannet_trainer_sampler(trainers[0], &samplers[0]));
        else
            OK(gannet_sampler_share(samplers[0], &samplers[index]));
    }
    OK(gannet_pool_free(pool));
    pthread_t threads[THREADS + 1];
    for (size_t index = 0; index <= THREADS; index++)
        CHECK(pthread_create(&threads[index], NULL, index < THREADS ? drive : disturb, (void *)(uintptr_t)index) == 0);
    for (size_t index = 0; index <= THREADS; index++) CHECK(pthread_join(threads[index], NULL) == 0);
    for (size_t index = 0; index < THREADS; index++) {
        hashes[index] = hash_of(trainers[index]);
        /* Two and two have the same seed, and other numbers of threads. */
        CHECK(index % 2 == 0 || hashes[index] == hashes[index - 1]);
        OK(gannet_sampler_free(samplers[index]));
        OK(gannet_trainer_free(trainers[index]));
    }
    CHECK(hashes[0] != hashes[2]);
    return 0;
}
