/* Times the steps of a preset driven from C, as scripts/speed.py asks for it.
 *
 *     speed PRESET FEATURES BATCH THREADS STEPS     prints samples a second over STEPS steps, after a first one
 */
#define _POSIX_C_SOURCE 200809L
#include "../tests/c/common.h"
#include <time.h>

static double seconds(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int count, char **arguments) {
    CHECK(count == 6);
    size_t features = strtoul(arguments[2], NULL, 10), batch = strtoul(arguments[3], NULL, 10);
    unsigned long steps = strtoul(arguments[5], NULL, 10);
    size_t samples = batch > 1024 ? batch : 1024;
    float *values = (float *)malloc(samples * features * sizeof *values);
    CHECK(values != NULL);
    fill_values(values, samples * features);
    GannetData data = data_of(values, samples, features);
    GannetOptions options = options_of(batch, strtoul(arguments[4], NULL, 10), 0);
    options.engine = "native";
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(arguments[1], &data, &options, &trainer));
    OK(gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL));
    double start = seconds();
    OK(gannet_trainer_run(trainer, steps, 0, NULL, NULL, NULL));
    printf("%.17g\n", (double)(steps * batch) / (seconds() - start));
    OK(gannet_trainer_free(trainer));
    free(values);
    return 0;
}
