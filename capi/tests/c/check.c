/* Trains, resumes, samples, and meets every status that C can bring about.
 *
 *     check FOLDER [ISA]     a folder that files may be written to, and an instruction set that the processor lacks
 */
#define _DEFAULT_SOURCE
#include "common.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The preset circle with small networks, so that valgrind is soon done. */
#define SMALL                                                                                                          \
    "{\"run\": {\"preset\": \"circle\"}, \"gan\": {"                                                                 \
    "\"generator\": {\"layers\": [{\"inputs\": 2, \"outputs\": 8}, {\"inputs\": 8, \"outputs\": 2}]},"             \
    "\"discriminator\": {\"layers\": [{\"inputs\": 2, \"outputs\": 8}, {\"inputs\": 8, \"outputs\": 1}]}}}"

static float values[SAMPLES * FEATURES];
static const char *folder, *missing_isa;
static int met[GANNET_MISUSE + 1];

/* Checks that a call comes to a status, with a message. */
#define MEETS(status, call)                                                                                            \
    do {                                                                                                               \
        CHECK((call) == (status));                                                                                     \
        CHECK(gannet_last_error()[0] != '\0');                                                                         \
        met[status] = 1;                                                                                               \
    } while (0)

static GannetTrainer *circle(size_t threads) {
    GannetData data = data_of(values, SAMPLES, FEATURES);
    GannetOptions options = options_of(32, threads, 7);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(SMALL, &data, &options, &trainer));
    return trainer;
}

static void run(GannetTrainer *trainer, uint64_t steps) {
    OK(gannet_trainer_run(trainer, steps, 0, NULL, NULL, NULL));
}

static GannetInfo info_of(const GannetTrainer *trainer) {
    GannetInfo info;
    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    OK(gannet_trainer_info(trainer, &info));
    return info;
}

/* ---- what works ---- */

static void queries(void) {
    const char *isa = NULL;
    CHECK(gannet_abi_version() == GANNET_ABI_VERSION);
    CHECK(strchr(gannet_version(), '.') != NULL);
    OK(gannet_isa(&isa));
    const char *forced = getenv("GANNET_ISA");
    CHECK(forced == NULL || strcmp(isa, forced) == 0);
    GannetTrainer *trainer = circle(1);
    const char *used = NULL;
    OK(gannet_trainer_isa(trainer, &used));
    CHECK(strcmp(isa, used) == 0);
    GannetInfo info = info_of(trainer);
    CHECK(info.steps_done == 0 && info.batch == 32 && info.latents == 2 && info.features == 2 && info.threads == 1);
    CHECK(info.conditions == 0 && info.memory > 0 && info.products_per_step > 0);
    size_t needed = 0;
    OK(gannet_trainer_parameters(trainer, GANNET_GENERATOR, NULL, 0, &needed));
    CHECK(needed == info.generator_parameters);
    OK(gannet_trainer_plan(trainer, NULL, 0, &needed));
    char *plan = (char *)malloc(needed);
    CHECK(plan != NULL);
    OK(gannet_trainer_plan(trainer, plan, needed, NULL));
    CHECK(strlen(plan) + 1 == needed && strstr(plan, "products a step") != NULL);
    MEETS(GANNET_BUFFER_TOO_SMALL, gannet_trainer_plan(trainer, plan, needed - 1, NULL));
    free(plan);
    uint64_t steps = 0;
    OK(gannet_trainer_steps_for_epochs(trainer, 3, &steps));
    CHECK(steps == (3 * SAMPLES + 31) / 32);
    OK(gannet_trainer_free(trainer));
}

static void training_and_resuming(void) {
    GannetTrainer *whole = circle(1), *first = circle(1), *second = circle(2);
    run(whole, 20);
    run(first, 13);
    char path[4096];
    CHECK(snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder) < (int)sizeof path);
    OK(gannet_trainer_save(first, path));
    OK(gannet_trainer_load(second, path, GANNET_REFUSE_CHANGES));
    CHECK(hash_of(first) == hash_of(second) && info_of(second).steps_done == 13);
    run(second, 7);
    CHECK(hash_of(whole) == hash_of(second));
    size_t needed = 0;
    OK(gannet_trainer_save_memory(first, NULL, 0, &needed));
    unsigned char *bytes = (unsigned char *)malloc(needed);
    CHECK(bytes != NULL);
    MEETS(GANNET_BUFFER_TOO_SMALL, gannet_trainer_save_memory(first, bytes, needed - 1, &needed));
    OK(gannet_trainer_save_memory(first, bytes, needed, &needed));
    OK(gannet_trainer_load_memory(second, bytes, needed, GANNET_REFUSE_CHANGES));
    run(second, 7);
    CHECK(hash_of(whole) == hash_of(second));
    /* Another seed is another run. */
    GannetData data = data_of(values, SAMPLES, FEATURES);
    GannetOptions options = options_of(32, 1, 8);
    GannetTrainer *other = NULL;
    OK(gannet_trainer_new(SMALL, &data, &options, &other));
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_load_memory(other, bytes, needed, GANNET_REFUSE_CHANGES));
    CHECK(strstr(gannet_last_error(), "run.seed") != NULL);
    OK(gannet_trainer_load_memory(other, bytes, needed, GANNET_ALLOW_CHANGES));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_load_memory(other, bytes, needed, 2));
    bytes[needed / 2] ^= 1;
    MEETS(GANNET_DATA, gannet_trainer_load_memory(other, bytes, needed, GANNET_ALLOW_CHANGES));
    free(bytes);
    /* Half steps are whole ones. */
    GannetTrainer *halves = circle(1);
    GannetReport of_discriminator = report_of(), of_generator = report_of();
    for (int step = 0; step < 20; step++) {
        OK(gannet_trainer_step_discriminator(halves, &of_discriminator));
        OK(gannet_trainer_step_generator(halves, &of_generator));
    }
    CHECK(of_discriminator.turn == 20 && of_generator.step == 20 && isnan(of_generator.discriminator_loss));
    CHECK(of_discriminator.discriminator_loss > 0 && isnan(of_discriminator.penalty));
    CHECK(hash_of(whole) == hash_of(halves));
    OK(gannet_trainer_set_learning_rate(halves, GANNET_GENERATOR, 0.25f));
    run(halves, 1);
    run(whole, 1);
    CHECK(hash_of(whole) != hash_of(halves));
    size_t count = info_of(halves).generator_parameters;
    float *before = (float *)malloc(2 * count * sizeof *before), *after = before + count;
    CHECK(before != NULL);
    OK(gannet_trainer_gradients(halves, GANNET_GENERATOR, after, count, NULL));
    OK(gannet_trainer_set_parameters(halves, GANNET_GENERATOR, after, count));
    OK(gannet_trainer_parameters(halves, GANNET_GENERATOR, before, count, NULL));
    CHECK(memcmp(before, after, count * sizeof *before) == 0);
    MEETS(GANNET_SHAPE, gannet_trainer_set_parameters(halves, GANNET_GENERATOR, after, count - 1));
    free(before);
    OK(gannet_trainer_free(halves));
    OK(gannet_trainer_free(other));
    OK(gannet_trainer_free(whole));
    OK(gannet_trainer_free(first));
    OK(gannet_trainer_free(second));
}

/* Strides, a callback and rows one behind the other are the same data. */
static int32_t fill(void *context, const uint64_t *numbers, size_t count, float *rows) {
    (*(int *)context)++;
    for (size_t row = 0; row < count; row++)
        memcpy(rows + row * FEATURES, values + numbers[row] * FEATURES, FEATURES * sizeof *rows);
    return 0;
}

static int32_t fail(void *context, const uint64_t *numbers, size_t count, float *rows) {
    (void)numbers, (void)count, (void)rows;
    return *(int *)context;
}

static uint64_t trained_on(const GannetData *data) {
    GannetOptions options = options_of(32, 1, 7);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(SMALL, data, &options, &trainer));
    run(trainer, 10);
    uint64_t hash = hash_of(trainer);
    OK(gannet_trainer_free(trainer));
    return hash;
}

static void data_in_every_form(void) {
    GannetData data = data_of(values, SAMPLES, FEATURES);
    uint64_t hash = trained_on(&data);
    static float columns[SAMPLES * FEATURES], wide[SAMPLES * 5], backwards[SAMPLES * FEATURES];
    for (size_t row = 0; row < SAMPLES; row++)
        for (size_t column = 0; column < FEATURES; column++) {
            float value = values[row * FEATURES + column];
            columns[column * SAMPLES + row] = value;
            wide[row * 5 + 1 + column] = value;
            backwards[(SAMPLES - 1 - row) * FEATURES + column] = value;
        }
    data = data_of(columns, SAMPLES, FEATURES);
    data.row_stride = 1, data.column_stride = SAMPLES;
    CHECK(trained_on(&data) == hash);
    data = data_of(wide + 1, SAMPLES, FEATURES);
    data.row_stride = 5;
    CHECK(trained_on(&data) == hash);
    data = data_of(backwards + (SAMPLES - 1) * FEATURES, SAMPLES, FEATURES);
    data.row_stride = -FEATURES;
    CHECK(trained_on(&data) == hash);
    int calls = 0;
    data = data_of(NULL, SAMPLES, FEATURES);
    data.fill = fill, data.context = &calls;
    CHECK(trained_on(&data) == hash && calls == 10);
    /* An endless one comes in its order. */
    int answer = 3;
    data.fill = fail, data.context = &answer, data.samples = 0;
    GannetOptions options = options_of(32, 1, 7);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(SMALL, &data, &options, &trainer));
    MEETS(GANNET_SOURCE, gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL));
    CHECK(strstr(gannet_last_error(), "returned 3") != NULL && info_of(trainer).steps_done == 0);
    OK(gannet_trainer_free(trainer));
}

/* Callbacks. */
typedef struct Watch {
    GannetTrainer *trainer;
    uint64_t end;
    int calls;
} Watch;

static int32_t progress(void *context, const GannetReport *report) {
    Watch *watch = (Watch *)context;
    watch->calls++;
    CHECK(report->size == sizeof *report && report->discriminator_loss > 0 && report->step % 5 == 0);
    MEETS(GANNET_BUSY, gannet_trainer_run(watch->trainer, 1, 0, NULL, NULL, NULL));
    MEETS(GANNET_BUSY, gannet_trainer_free(watch->trainer));
    if (report->step == 45) OK(gannet_trainer_stop(watch->trainer));
    return report->step == watch->end;
}

static int32_t toward_zero(void *context, const float *fakes, float *gradient, size_t batch, size_t features) {
    (void)context;
    for (size_t index = 0; index < batch * features; index++) gradient[index] = fakes[index] / (float)batch;
    return 0;
}

static int32_t refuse(void *context, const float *fakes, float *gradient, size_t batch, size_t features) {
    (void)context, (void)fakes, (void)gradient, (void)batch, (void)features;
    return 5;
}

static GannetTrainer *stopped_by_signal;

static void on_alarm(int number) {
    (void)number;
    gannet_trainer_stop(stopped_by_signal);
}

static void callbacks(void) {
    Watch watch = {circle(1), 15, 0};
    GannetReport last = report_of();
    OK(gannet_trainer_run(watch.trainer, 100, 5, progress, &watch, &last));
    CHECK(last.step == 15 && watch.calls == 3);
    watch.end = 0;
    OK(gannet_trainer_run(watch.trainer, 100, 5, progress, &watch, &last));
    CHECK(last.step == 45 && watch.calls == 9);
    /* A stop before a run ends it, and that one alone. */
    OK(gannet_trainer_stop(watch.trainer));
    OK(gannet_trainer_run(watch.trainer, 100, 0, NULL, NULL, &last));
    CHECK(last.step == 45 && isnan(last.generator_loss));
    run(watch.trainer, 5);
    CHECK(info_of(watch.trainer).steps_done == 50);
    uint64_t hash = hash_of(watch.trainer);
    MEETS(GANNET_CALLBACK, gannet_trainer_step_generator_with(watch.trainer, refuse, NULL));
    CHECK(hash == hash_of(watch.trainer));
    OK(gannet_trainer_step_generator_with(watch.trainer, toward_zero, NULL));
    CHECK(hash != hash_of(watch.trainer));
    /* A signal ends a run that would take for ever. */
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval soon;
    memset(&soon, 0, sizeof soon);
    soon.it_value.tv_usec = 100000;
    stopped_by_signal = watch.trainer;
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    OK(gannet_trainer_run(watch.trainer, UINT64_MAX / 2, 0, NULL, NULL, &last));
    CHECK(last.step >= 51);
    OK(gannet_trainer_free(watch.trainer));
}

static void sampling(void) {
    GannetTrainer *trainer = circle(1);
    run(trainer, 10);
    GannetSampler *sampler = NULL, *shared = NULL, *loaded = NULL, *of_file = NULL;
    OK(gannet_trainer_sampler(trainer, &sampler));
    OK(gannet_sampler_share(sampler, &shared));
    size_t features = 0, conditions = 1;
    OK(gannet_sampler_shape(sampler, &features, &conditions));
    CHECK(features == FEATURES && conditions == 0);
    float all[300 * FEATURES], part[100 * FEATURES];
    OK(gannet_sampler_sample(sampler, 3, 0, 300, NULL, all));
    OK(gannet_sampler_sample(shared, 3, 100, 100, NULL, part));
    CHECK(memcmp(all + 100 * FEATURES, part, sizeof part) == 0);
    OK(gannet_sampler_sample(sampler, 3, 0, 0, NULL, NULL));
    size_t needed = 0;
    OK(gannet_trainer_save_model_memory(trainer, NULL, 0, &needed));
    unsigned char *bytes = (unsigned char *)malloc(needed);
    CHECK(bytes != NULL);
    OK(gannet_trainer_save_model_memory(trainer, bytes, needed, NULL));
    OK(gannet_sampler_load_memory(SMALL, bytes, needed, NULL, &loaded));
    OK(gannet_sampler_sample(loaded, 3, 100, 100, NULL, part));
    CHECK(memcmp(all + 100 * FEATURES, part, sizeof part) == 0);
    char path[4096];
    CHECK(snprintf(path, sizeof path, "%s/model.safetensors", folder) < (int)sizeof path);
    OK(gannet_trainer_save_model(trainer, path));
    OK(gannet_sampler_load(SMALL, path, "portable", &of_file));
    OK(gannet_sampler_sample(of_file, 3, 0, 10, NULL, part));
    /* The discriminator as a function: from the trainer, from memory, from a file. */
    GannetFunction *functions[4];
    OK(gannet_trainer_function(trainer, GANNET_DISCRIMINATOR, &functions[0]));
    OK(gannet_function_load_memory(SMALL, bytes, needed, GANNET_DISCRIMINATOR, NULL, &functions[1]));
    OK(gannet_function_load(SMALL, path, GANNET_DISCRIMINATOR, NULL, &functions[2]));
    OK(gannet_function_share(functions[0], &functions[3]));
    size_t inputs = 0, outputs = 0;
    OK(gannet_function_shape(functions[0], &inputs, &outputs));
    CHECK(inputs == FEATURES && outputs == 1);
    float logits[4][300];
    for (int index = 0; index < 4; index++) {
        OK(gannet_function_apply(functions[index], all, 300, logits[index]));
        CHECK(memcmp(logits[0], logits[index], sizeof logits[0]) == 0);
    }
    MEETS(GANNET_NULL_POINTER, gannet_function_apply(functions[0], NULL, 1, logits[0]));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_function_apply(functions[0], all, 1, all + 1));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_function_apply(functions[0], all, SIZE_MAX / 2, logits[0]));
    MEETS(GANNET_SHAPE, gannet_sampler_sample(sampler, 3, 1ull << 32, 1, NULL, part));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_sampler_sample(sampler, 3, 0, 1, all, part));
    for (int index = 0; index < 4; index++) OK(gannet_function_free(functions[index]));
    OK(gannet_sampler_free(sampler));
    OK(gannet_sampler_free(shared));
    OK(gannet_sampler_free(loaded));
    OK(gannet_sampler_free(of_file));
    OK(gannet_trainer_free(trainer));
    free(bytes);
}

/* A GAN described in JSON, whose networks are told a condition. */
static void conditions(void) {
    const char *settings = "{\"gan\": {\"conditions\": 1, \"objective\": \"non_saturating_half\","
                           "\"generator\": {\"layers\": [{\"inputs\": 4, \"outputs\": 8}, {\"inputs\": 8, \"outputs\": 1}]},"
                           "\"discriminator\": {\"layers\": [{\"inputs\": 2, \"outputs\": 8}, {\"inputs\": 8, \"outputs\": 1}]}}}";
    GannetData data = data_of(values, SAMPLES, FEATURES);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(settings, &data, NULL, &trainer));
    run(trainer, 5);
    GannetSampler *sampler = NULL;
    OK(gannet_trainer_sampler(trainer, &sampler));
    float given[10], samples[10];
    fill_values(given, 10);
    OK(gannet_sampler_sample(sampler, 1, 0, 10, given, samples));
    MEETS(GANNET_NULL_POINTER, gannet_sampler_sample(sampler, 1, 0, 10, NULL, samples));
    given[4] = NAN;
    MEETS(GANNET_DATA, gannet_sampler_sample(sampler, 1, 0, 10, given, samples));
    OK(gannet_sampler_free(sampler));
    OK(gannet_trainer_free(trainer));
}

static void modular_loss(void) {
    GannetOptions options = options_of(32, 1, 7);
    GannetLoss *loss = NULL;
    OK(gannet_loss_new("gaussian2d", &options, &loss));
    GannetInfo info;
    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    OK(gannet_loss_info(loss, &info));
    CHECK(info.batch == 32 && info.features == FEATURES && info.latents == 0 && info.discriminator_parameters > 0);
    float fakes[32 * FEATURES], gradient[32 * FEATURES];
    fill_values(fakes, 32 * FEATURES);
    GannetReport report = report_of();
    OK(gannet_loss_step(loss, fakes, values, gradient, 32, &report));
    CHECK(report.step == 1 && report.discriminator_loss > 0 && isfinite(gradient[5]));
    MEETS(GANNET_SHAPE, gannet_loss_step(loss, fakes, values, gradient, 31, NULL));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_loss_step(loss, fakes, values, fakes, 32, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_loss_step(loss, fakes, NULL, gradient, 32, NULL));
    fakes[3] = INFINITY;
    MEETS(GANNET_NOT_FINITE, gannet_loss_step(loss, fakes, values, gradient, 32, NULL));
    fakes[3] = 0;
    OK(gannet_loss_step(loss, fakes, values, gradient, 32, NULL));
    size_t count = 0;
    OK(gannet_loss_parameters(loss, NULL, 0, &count));
    CHECK(count == info.discriminator_parameters);
    float *parameters = (float *)malloc(count * sizeof *parameters);
    CHECK(parameters != NULL);
    OK(gannet_loss_parameters(loss, parameters, count, NULL));
    OK(gannet_loss_set_parameters(loss, parameters, count));
    MEETS(GANNET_SHAPE, gannet_loss_set_parameters(loss, parameters, count - 1));
    free(parameters);
    OK(gannet_loss_free(loss));
}

/* A network as a layer of this program. */
static void networks(void) {
    GannetNetwork *network = NULL;
    GannetOptions options = options_of(16, 1, 7);
    OK(gannet_network_new(SMALL, GANNET_DISCRIMINATOR, &options, &network));
    size_t inputs = 0, outputs = 0, count = 0;
    OK(gannet_network_shape(network, &inputs, &outputs, &count));
    CHECK(inputs == FEATURES && outputs == 1 && count == 2 * 8 + 8 + 8 + 1);
    float answers[16], moved[16], gradient[16], of_rows[16 * FEATURES], parameters[33], gradients[33], sums[33];
    for (int row = 0; row < 16; row++) gradient[row] = 1;
    MEETS(GANNET_MISUSE, gannet_network_backward(network, gradient, 16, of_rows, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_forward(network, values, 16, NULL, answers));
    OK(gannet_network_backward(network, gradient, 16, of_rows, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_gradients(network, gradients, 33, &count));
    CHECK(gradients[32] == 16);
    OK(gannet_network_forward(network, values, 16, NULL, answers));
    OK(gannet_network_backward(network, gradient, 16, NULL, GANNET_ACCUMULATE_GRADIENTS));
    OK(gannet_network_gradients(network, sums, 33, NULL));
    CHECK(sums[32] == 32 && fabsf(sums[3] - 2 * gradients[3]) <= 1e-5f);
    OK(gannet_network_parameters(network, parameters, 33, NULL));
    parameters[32] += 1;
    OK(gannet_network_set_parameters(network, parameters, 33));
    uint64_t seed = 5;
    OK(gannet_network_forward(network, values, 16, &seed, moved));
    for (int row = 0; row < 16; row++) CHECK(fabsf(moved[row] - answers[row] - 1) <= 1e-5f);
    MEETS(GANNET_SHAPE, gannet_network_forward(network, values, 17, NULL, (float *)of_rows));
    MEETS(GANNET_SHAPE, gannet_network_set_parameters(network, parameters, 32));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_network_backward(network, gradient, 16, NULL, 3));
    uint64_t seeds[2] = {5, 5};
    const uint64_t *unaligned = (const uint64_t *)(const void *)((const char *)seeds + 1);
    MEETS(GANNET_INVALID_ARGUMENT, gannet_network_forward(network, values, 16, unaligned, moved));
    CHECK(strstr(gannet_last_error(), "training_seed") != NULL);
    MEETS(GANNET_INVALID_ARGUMENT, gannet_network_forward(network, values, SIZE_MAX, NULL, moved));
    CHECK(strstr(gannet_last_error(), "more than memory can hold") != NULL);
    MEETS(GANNET_BUFFER_TOO_SMALL, gannet_network_parameters(network, parameters, 32, &count));
    CHECK(count == 33);
    MEETS(GANNET_NULL_POINTER, gannet_network_gradients(network, NULL, 0, NULL));
    OK(gannet_network_free(network));
    MEETS(GANNET_WRONG_HANDLE, gannet_network_free(network));
}

/* A network that is no part of a GAN. */
static void network_alone(void) {
    GannetNetwork *network = NULL;
    size_t inputs = 0, outputs = 0, parameters = 0;
    OK(gannet_network_new("{\"layers\": [{\"inputs\": 8, \"outputs\": 2}]}", GANNET_GENERATOR, NULL, &network));
    OK(gannet_network_shape(network, &inputs, &outputs, &parameters));
    CHECK(inputs == 8 && outputs == 2 && parameters == 18);
    OK(gannet_network_free(network));
    MEETS(GANNET_INVALID_SETTING, gannet_network_new("{\"layers\": []}", GANNET_GENERATOR, NULL, &network));
    GannetLoss *loss = NULL;
    GannetOptions options = options_of(UINT32_MAX, 1, 7);
    MEETS(GANNET_OUT_OF_MEMORY, gannet_network_new("mnist", GANNET_GENERATOR, &options, &network));
    MEETS(GANNET_OUT_OF_MEMORY, gannet_loss_new("mnist", &options, &loss));
    MEETS(GANNET_INVALID_SETTING, gannet_loss_new("{\"gan\": {}}", NULL, &loss));
    CHECK(strstr(gannet_last_error(), "gan.discriminator") != NULL);
}

/* A network whose normalizations keep more than parameters. */
static void normalized_networks(void) {
    static const char settings[] =
        "{\"gan\": {\"generator\": {\"layers\": [{\"inputs\": 2, \"outputs\": 4, \"normalization\": \"batch\"}, {\"inputs\": 4, \"outputs\": 2}]},"
        "\"discriminator\": {\"layers\": [{\"inputs\": 2, \"outputs\": 3, \"normalization\": \"spectral\"}, {\"inputs\": 3, \"outputs\": 1}]}}}";
    GannetNetwork *network = NULL, *other = NULL;
    GannetOptions options = options_of(16, 1, 7);
    float before[8], after[8], one[32], same[32], vector[3];
    size_t count = 0;
    uint64_t seed = 5;
    OK(gannet_network_new(settings, GANNET_GENERATOR, &options, &network));
    OK(gannet_network_buffers(network, before, 8, &count));
    CHECK(count == 8 && before[0] == 0 && before[4] == 1);
    /* An evaluation leaves them, a pass in training does not. */
    OK(gannet_network_forward(network, values, 16, NULL, one));
    OK(gannet_network_buffers(network, after, 8, NULL));
    CHECK(memcmp(before, after, sizeof before) == 0);
    OK(gannet_network_forward(network, values, 16, &seed, one));
    OK(gannet_network_buffers(network, after, 8, NULL));
    CHECK(memcmp(before, after, sizeof before) != 0);
    OK(gannet_network_backward(network, one, 16, NULL, GANNET_OVERWRITE_GRADIENTS));
    MEETS(GANNET_SHAPE, gannet_network_forward(network, values, 1, &seed, same));
    /* Parameters and buffers are all of it. */
    float parameters[2 * 4 + 4 + 4 * 2 + 2];
    OK(gannet_network_parameters(network, parameters, 22, &count));
    CHECK(count == 22);
    options.seed = 8;
    OK(gannet_network_new(settings, GANNET_GENERATOR, &options, &other));
    OK(gannet_network_set_parameters(other, parameters, 22));
    OK(gannet_network_forward(other, values, 16, &seed, same));
    OK(gannet_network_set_buffers(other, after, 8));
    MEETS(GANNET_MISUSE, gannet_network_backward(other, same, 16, NULL, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_forward(network, values, 16, NULL, one));
    OK(gannet_network_forward(other, values, 16, NULL, same));
    CHECK(memcmp(one, same, sizeof one) == 0);
    MEETS(GANNET_SHAPE, gannet_network_set_buffers(other, after, 7));
    MEETS(GANNET_BUFFER_TOO_SMALL, gannet_network_buffers(other, after, 7, &count));
    OK(gannet_network_free(network));
    OK(gannet_network_free(other));
    OK(gannet_network_new(settings, GANNET_DISCRIMINATOR, &options, &network));
    OK(gannet_network_buffers(network, vector, 3, &count));
    CHECK(count == 3 && fabsf(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2] - 1) <= 1e-5f);
    OK(gannet_network_free(network));
}

/* The bits of a network and of a loss, at so many threads. */
static uint64_t of_threads(size_t threads) {
    enum { ROWS = 300, LARGE = 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1 };
    const char *settings = "{\"gan\": {\"discriminator\": {\"layers\": ["
                           "{\"inputs\": 2, \"outputs\": 64}, {\"inputs\": 64, \"outputs\": 64},"
                           "{\"inputs\": 64, \"outputs\": 1}]}}}";
    static float answers[ROWS], ones[ROWS], of_rows[ROWS * FEATURES], gradients[LARGE], fakes[ROWS * FEATURES];
    for (int row = 0; row < ROWS; row++) ones[row] = 1;
    GannetOptions options = options_of(ROWS, threads, 7);
    GannetNetwork *network = NULL;
    OK(gannet_network_new(settings, GANNET_DISCRIMINATOR, &options, &network));
    OK(gannet_network_forward(network, values, ROWS, NULL, answers));
    OK(gannet_network_backward(network, ones, ROWS, of_rows, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_gradients(network, gradients, LARGE, NULL));
    OK(gannet_network_free(network));
    uint64_t hash = fnv(fnv(fnv(FNV, answers, ROWS), of_rows, ROWS * FEATURES), gradients, LARGE);
    GannetLoss *loss = NULL;
    OK(gannet_loss_new(settings, &options, &loss));
    for (size_t index = 0; index < ROWS * FEATURES; index++) fakes[index] = values[index] / 2;
    for (int step = 0; step < 3; step++) OK(gannet_loss_step(loss, fakes, values, of_rows, ROWS, NULL));
    OK(gannet_loss_free(loss));
    return fnv(hash, of_rows, ROWS * FEATURES);
}

static void networks_and_losses_of_several_threads(void) {
    uint64_t hash = of_threads(1);
    CHECK(of_threads(2) == hash && of_threads(3) == hash);
}

/* ---- what does not ---- */

static void strange_arguments(void) {
    GannetData data = data_of(values, SAMPLES, FEATURES);
    GannetOptions options = options_of(32, 1, 7);
    GannetTrainer *trainer = NULL;
    MEETS(GANNET_NULL_POINTER, gannet_trainer_new(NULL, &data, &options, &trainer));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_new(SMALL, NULL, &options, &trainer));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_new(SMALL, &data, &options, NULL));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new("\xff", &data, &options, &trainer));
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_new("circel", &data, &options, &trainer));
    CHECK(strstr(gannet_last_error(), "did you mean `circle`?") != NULL);
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_new("{\"gan\": 1}", &data, &options, &trainer));
    GannetData wrong = data;
    wrong.size = 0;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.features = 0;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.values = NULL;
    MEETS(GANNET_NULL_POINTER, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.fill = fill;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.samples = UINT64_MAX / 2;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.values = (const float *)((const char *)values + 1);
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    wrong = data, wrong.features = 1;
    MEETS(GANNET_SHAPE, gannet_trainer_new(SMALL, &wrong, &options, &trainer));
    GannetOptions odd = options;
    odd.order = 9;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_new(SMALL, &data, &odd, &trainer));
    odd = options, odd.engine = "steam";
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_new(SMALL, &data, &odd, &trainer));
    odd = options, odd.isa = "steam";
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_new(SMALL, &data, &odd, &trainer));
    odd = options, odd.shards = 3;
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_new(SMALL, &data, &odd, &trainer));
    odd = options, odd.batch = SAMPLES + 1;
    CHECK(gannet_trainer_new(SMALL, &data, &odd, &trainer) != GANNET_OK);
    odd = options, odd.memory_limit = 1;
    MEETS(GANNET_MEMORY_LIMIT, gannet_trainer_new(SMALL, &data, &odd, &trainer));
    MEETS(GANNET_OUT_OF_MEMORY,
          gannet_trainer_new("{\"gan\": {\"generator\": {\"layers\": [{\"inputs\": 16777216, \"outputs\": 16777216}, "
                             "{\"inputs\": 16777216, \"outputs\": 2}]}, \"discriminator\": {\"layers\": [{\"inputs\": 2, "
                             "\"outputs\": 1}]}}}",
                             &data, &options, &trainer));
    CHECK(trainer == NULL);
    if (missing_isa != NULL) {
        odd = options, odd.isa = missing_isa;
        MEETS(GANNET_ISA_UNAVAILABLE, gannet_trainer_new(SMALL, &data, &odd, &trainer));
        CHECK(strstr(gannet_last_error(), missing_isa) != NULL && trainer == NULL);
    }
    trainer = circle(1);
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_set_learning_rate(trainer, 2, 0.1f));
    MEETS(GANNET_INVALID_SETTING, gannet_trainer_set_learning_rate(trainer, GANNET_GENERATOR, -1.0f));
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_parameters(trainer, -1, NULL, 0, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_parameters(trainer, GANNET_GENERATOR, NULL, 0, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_step_generator_with(trainer, NULL, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_info(trainer, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_isa(trainer, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_steps_for_epochs(trainer, 1, NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_load_memory(trainer, NULL, 9, GANNET_REFUSE_CHANGES));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_save(trainer, NULL));
    MEETS(GANNET_IO, gannet_trainer_save(trainer, "/there/is/no/such/folder/file"));
    MEETS(GANNET_IO, gannet_trainer_load(trainer, "/there/is/no/such/folder/file", GANNET_REFUSE_CHANGES));
    GannetReport report = report_of();
    report.size = 3;
    MEETS(GANNET_INVALID_ARGUMENT, gannet_trainer_run(trainer, 1, 0, NULL, NULL, &report));
    CHECK(info_of(trainer).steps_done == 0);
    OK(gannet_trainer_free(trainer));
    GannetPool *pool = NULL;
    MEETS(GANNET_THREADS, gannet_pool_new(0, &pool));
    MEETS(GANNET_THREADS, gannet_pool_new(SIZE_MAX, &pool));
    MEETS(GANNET_NULL_POINTER, gannet_pool_new(1, NULL));
}

static void wrong_handles(void) {
    GannetTrainer *trainer = circle(1);
    GannetSampler *sampler = NULL;
    OK(gannet_trainer_sampler(trainer, &sampler));
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_run((GannetTrainer *)(void *)sampler, 1, 0, NULL, NULL, NULL));
    MEETS(GANNET_WRONG_HANDLE, gannet_sampler_free((GannetSampler *)(void *)trainer));
    MEETS(GANNET_WRONG_HANDLE, gannet_sampler_free((GannetSampler *)(void *)values));
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_stop((GannetTrainer *)(void *)sampler));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_stop(NULL));
    MEETS(GANNET_NULL_POINTER, gannet_trainer_sampler(NULL, &sampler));
    OK(gannet_trainer_free(NULL));
    GannetTrainer *freed = trainer;
    OK(gannet_trainer_free(trainer));
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_free(freed));
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_run(freed, 1, 0, NULL, NULL, NULL));
    GannetOptions options = options_of(32, 2, 7);
    options.pool = (GannetPool *)(void *)sampler;
    GannetData data = data_of(values, SAMPLES, FEATURES);
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_new(SMALL, &data, &options, &trainer));
    OK(gannet_sampler_free(sampler));
}

static void misuse_after_errors(void) {
    static float bad[SAMPLES * FEATURES];
    memcpy(bad, values, sizeof bad);
    GannetData data = data_of(bad, SAMPLES, FEATURES);
    GannetOptions options = options_of(32, 1, 7);
    options.order = GANNET_IN_ORDER;
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new(SMALL, &data, &options, &trainer));
    size_t needed = 0;
    OK(gannet_trainer_save_memory(trainer, NULL, 0, &needed));
    unsigned char *bytes = (unsigned char *)malloc(needed);
    CHECK(bytes != NULL);
    OK(gannet_trainer_save_memory(trainer, bytes, needed, &needed));
    bad[9] = NAN;
    MEETS(GANNET_NOT_FINITE, gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL));
    CHECK(strstr(gannet_last_error(), "real sample") != NULL);
    MEETS(GANNET_NOT_FINITE, gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL));
    MEETS(GANNET_NOT_FINITE, gannet_trainer_save_memory(trainer, NULL, 0, &needed));
    bad[9] = values[9];
    OK(gannet_trainer_load_memory(trainer, bytes, needed, GANNET_REFUSE_CHANGES));
    run(trainer, 3);
    free(bytes);
    /* A generator that overflows. */
    size_t count = info_of(trainer).generator_parameters;
    float *large = (float *)malloc(count * sizeof *large);
    CHECK(large != NULL);
    for (size_t index = 0; index < count; index++) large[index] = index % 2 == 0 ? 3e38f : -3e38f;
    OK(gannet_trainer_set_parameters(trainer, GANNET_GENERATOR, large, count));
    free(large);
    GannetSampler *sampler = NULL;
    OK(gannet_trainer_sampler(trainer, &sampler));
    float sample[64 * FEATURES];
    MEETS(GANNET_MODEL_NOT_FINITE, gannet_sampler_sample(sampler, 1, 0, 64, NULL, sample));
    OK(gannet_sampler_free(sampler));
    OK(gannet_trainer_free(trainer));
}

/* The system's clock, which stands in front of the C library's and fails where it is told to: Rust's standard library panics then, in the
 * middle of a call. */
static __thread int clock_fails;

#ifdef __cplusplus
#define NOEXCEPT noexcept
#else
#define NOEXCEPT
#endif

int clock_gettime(clockid_t clock, struct timespec *now) NOEXCEPT {
    return clock_fails ? -1 : (int)syscall(SYS_clock_gettime, clock, now);
}

static void *panic(void *trainer) {
    char path[4096];
    CHECK(snprintf(path, sizeof path, "%s/never.safetensors", folder) < (int)sizeof path);
    clock_fails = 1;
    MEETS(GANNET_PANIC, gannet_trainer_save((GannetTrainer *)trainer, path));
    clock_fails = 0;
    CHECK(strstr(gannet_last_error(), "please report it") != NULL);
    return NULL;
}

/* After a panic a handle can only be freed; every other is as it was. */
static void panics(void) {
    GannetTrainer *trainer = circle(1), *other = circle(1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, panic, trainer) == 0 && pthread_join(thread, NULL) == 0);
    GannetSampler *sampler = NULL;
    MEETS(GANNET_REFUSED, gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL));
    MEETS(GANNET_REFUSED, gannet_trainer_save_memory(trainer, NULL, 0, NULL));
    MEETS(GANNET_REFUSED, gannet_trainer_sampler(trainer, &sampler));
    OK(gannet_trainer_free(trainer));
    MEETS(GANNET_WRONG_HANDLE, gannet_trainer_free(trainer));
    run(other, 3);
    OK(gannet_trainer_free(other));
}

static void too_many_handles(void) {
    enum { MOST = 1 << 14 };
    static GannetFunction *functions[MOST + 1];
    GannetData data = data_of(values, SAMPLES, 1);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new("mixture1d", &data, NULL, &trainer));
    OK(gannet_trainer_function(trainer, GANNET_DISCRIMINATOR, &functions[0]));
    size_t count = 1;
    GannetStatus status = GANNET_OK;
    while (count < MOST && status == GANNET_OK) {
        status = gannet_function_share(functions[0], &functions[count]);
        if (status == GANNET_OK) count++;
    }
    MEETS(GANNET_TOO_MANY_HANDLES, gannet_function_share(functions[0], &functions[MOST]));
    while (count > 0) OK(gannet_function_free(functions[--count]));
    OK(gannet_trainer_free(trainer));
}

/* A child that was forked in a call makes nothing: another thread of the parent's may have held a lock. */
static int32_t fork_within(void *context, const GannetReport *report) {
    (void)report;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        GannetData data = data_of(values, SAMPLES, FEATURES);
        GannetTrainer *trainer = NULL;
        CHECK(gannet_trainer_new(SMALL, &data, NULL, &trainer) == GANNET_FORKED && trainer == NULL);
        CHECK(strstr(gannet_last_error(), "while a call of gannet was in progress") != NULL);
        CHECK(gannet_trainer_free((GannetTrainer *)context) == GANNET_FORKED);
        _exit(7);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}

/* In the child of a fork, what the parent made is refused, and something new works. */
static void forks(void) {
    GannetTrainer *trainer = circle(2);
    run(trainer, 5);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(gannet_trainer_run(trainer, 1, 0, NULL, NULL, NULL) == GANNET_FORKED);
        CHECK(strstr(gannet_last_error(), "forked") != NULL);
        CHECK(gannet_trainer_free(trainer) == GANNET_FORKED);
        CHECK(gannet_trainer_stop(trainer) == GANNET_FORKED);
        GannetTrainer *other = circle(2);
        run(other, 5);
        OK(gannet_trainer_free(other));
        _exit(7);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    met[GANNET_FORKED] = 1;
    run(trainer, 5);
    OK(gannet_trainer_run(trainer, 1, 0, fork_within, trainer, NULL));
    CHECK(info_of(trainer).steps_done == 11);
    OK(gannet_trainer_free(trainer));
}

int main(int count, char **arguments) {
    CHECK(count == 2 || count == 3);
    folder = arguments[1];
    missing_isa = count == 3 ? arguments[2] : NULL;
    fill_values(values, SAMPLES * FEATURES);
    CHECK(gannet_last_error()[0] == '\0');
    queries();
    training_and_resuming();
    data_in_every_form();
    callbacks();
    sampling();
    conditions();
    modular_loss();
    networks();
    network_alone();
    normalized_networks();
    networks_and_losses_of_several_threads();
    strange_arguments();
    wrong_handles();
    misuse_after_errors();
    panics();
    too_many_handles();
    forks();
    for (int status = GANNET_OK + 1; status <= GANNET_MISUSE; status++) {
        if (status == 17 || status == 18 || status == GANNET_OTHER) continue; /* nothing comes to these */
        if (status == GANNET_ISA_UNAVAILABLE && missing_isa == NULL) continue;
        if (!met[status]) fprintf(stderr, "status %d was not met\n", status);
        CHECK(met[status]);
    }
    return 0;
}
