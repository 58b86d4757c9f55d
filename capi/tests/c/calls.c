/* Makes a call many times, so that a program outside can count what each of them allocates.
 *
 *     calls WHAT THREADS COUNT     COUNT calls, or of `progress`, `strided` and `filled` a run of COUNT steps
 */
#include "common.h"

enum { BATCH = 256 };

static float values[SAMPLES * FEATURES], spread[SAMPLES * 3 * FEATURES], rows[BATCH * FEATURES], other[BATCH * FEATURES];
static GannetTrainer *trainer;
static GannetLoss *loss;
static GannetNetwork *network;
static GannetSampler *sampler;
static GannetFunction *function;
static float *parameters;
static size_t parameter_count;

static int32_t answer(void *context, const float *fakes, float *gradient, size_t batch, size_t features) {
    (void)context;
    for (size_t index = 0; index < batch * features; index++) gradient[index] = fakes[index] / (float)batch;
    return 0;
}

static int32_t fill(void *context, const uint64_t *numbers, size_t count, float *place) {
    (void)context;
    for (size_t row = 0; row < count; row++)
        memcpy(place + row * FEATURES, values + numbers[row] * FEATURES, FEATURES * sizeof *place);
    return 0;
}

static int32_t progress(void *context, const GannetReport *report) {
    *(uint64_t *)context = report->step;
    return 0;
}

static void run(uint64_t steps) {
    uint64_t seen = 0;
    OK(gannet_trainer_run(trainer, steps, 1, progress, &seen, NULL));
    CHECK(seen > 0);
}

static void step(void) { run(1); }

static void halves(void) {
    OK(gannet_trainer_step_discriminator(trainer, NULL));
    OK(gannet_trainer_step_generator(trainer, NULL));
}

static void answered(void) { OK(gannet_trainer_step_generator_with(trainer, answer, NULL)); }

static void loss_step(void) { OK(gannet_loss_step(loss, rows, values, other, BATCH, NULL)); }

static void layer(void) {
    uint64_t seed = 5;
    OK(gannet_network_forward(network, rows, BATCH, &seed, other));
    OK(gannet_network_backward(network, other, BATCH, NULL, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_gradients(network, parameters, parameter_count, NULL));
    OK(gannet_network_parameters(network, parameters, parameter_count, NULL));
    OK(gannet_network_set_parameters(network, parameters, parameter_count));
}

static void sample(void) { OK(gannet_sampler_sample(sampler, 3, 0, BATCH, NULL, rows)); }

static void apply(void) { OK(gannet_function_apply(function, rows, BATCH, other)); }

int main(int count, char **arguments) {
    CHECK(count == 4);
    const char *what = arguments[1];
    unsigned long calls = strtoul(arguments[3], NULL, 10);
    fill_values(values, SAMPLES * FEATURES);
    fill_values(rows, BATCH * FEATURES);
    for (size_t row = 0; row < SAMPLES; row++)
        memcpy(spread + row * 3 * FEATURES, values + row * FEATURES, FEATURES * sizeof *spread);
    GannetData data = data_of(values, SAMPLES, FEATURES);
    if (strcmp(what, "strided") == 0) data.values = spread, data.row_stride = 3 * FEATURES;
    if (strcmp(what, "filled") == 0) data.values = NULL, data.fill = fill;
    GannetOptions options = options_of(BATCH, strtoul(arguments[2], NULL, 10), 7);
    options.engine = "native";
    OK(gannet_trainer_new("circle", &data, &options, &trainer));
    OK(gannet_loss_new("circle", &options, &loss));
    OK(gannet_network_new("circle", GANNET_GENERATOR, &options, &network));
    OK(gannet_network_shape(network, NULL, NULL, &parameter_count));
    parameters = (float *)malloc(parameter_count * sizeof *parameters);
    CHECK(parameters != NULL);
    OK(gannet_trainer_sampler(trainer, &sampler));
    OK(gannet_trainer_function(trainer, GANNET_DISCRIMINATOR, &function));
    static const struct {
        const char *name;
        void (*call)(void);
    } known[] = {{"step", step},      {"halves", halves},  {"answered", answered}, {"loss", loss_step},
                 {"network", layer}, {"sampler", sample}, {"function", apply}};
    int is_known = 0;
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (strcmp(what, known[index].name) == 0) {
            is_known = 1;
            for (unsigned long call = 0; call < calls; call++) known[index].call();
        }
    if (!is_known) {
        CHECK(strcmp(what, "progress") == 0 || strcmp(what, "strided") == 0 || strcmp(what, "filled") == 0);
        run(calls);
    }
    OK(gannet_function_free(function));
    OK(gannet_sampler_free(sampler));
    OK(gannet_network_free(network));
    OK(gannet_loss_free(loss));
    OK(gannet_trainer_free(trainer));
    free(parameters);
    return 0;
}
