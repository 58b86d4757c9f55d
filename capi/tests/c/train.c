/* Trains a preset on numbers of the test, and prints the hash of the parameters.
 *
 *     train PRESET FEATURES BATCH THREADS CALLS STEPS     CALLS runs of STEPS steps each
 */
#include "common.h"

int main(int count, char **arguments) {
    CHECK(count == 7);
    size_t features = strtoul(arguments[2], NULL, 10), batch = strtoul(arguments[3], NULL, 10);
    unsigned long calls = strtoul(arguments[5], NULL, 10), steps = strtoul(arguments[6], NULL, 10);
    uint64_t samples = batch > (size_t)SAMPLES ? batch : (size_t)SAMPLES;
    float *values = (float *)malloc(samples * features * sizeof *values);
    CHECK(values != NULL);
    fill_values(values, samples * features);
    GannetData data = data_of(values, samples, features);
    GannetOptions options = options_of(batch, strtoul(arguments[4], NULL, 10), 7);
    options.engine = "native";
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(arguments[1], &data, &options, &trainer));
    GannetReport last = report_of();
    for (unsigned long call = 0; call < calls; call++) OK(gannet_trainer_run(trainer, steps, 0, NULL, NULL, &last));
    CHECK(last.step == calls * steps);
    printf("%016llx\n", (unsigned long long)hash_of(trainer));
    OK(gannet_trainer_free(trainer));
    free(values);
    return 0;
}
