/* One job in C, which the tests do in Rust and in Python too: trains the preset digits, samples, asks a loss and a network.
 *
 *     one_job DIGITS MODEL     DIGITS is assets/digits.bin; MODEL is written; hashes are printed
 */
#include "common.h"

enum { IMAGES = 1797, PIXELS = 64, BATCH = 64, DRAWN = 100 };

static float images[IMAGES * PIXELS];

static void print(const char *name, uint64_t hash) { printf("%s %016llx\n", name, (unsigned long long)hash); }

static float *numbers(size_t count) {
    float *made = (float *)malloc(count * sizeof *made);
    CHECK(made != NULL);
    return made;
}

int main(int count, char **arguments) {
    CHECK(count == 3);
    static unsigned char bytes[IMAGES * PIXELS];
    FILE *file = fopen(arguments[1], "rb");
    CHECK(file != NULL && fread(bytes, 1, sizeof bytes, file) == sizeof bytes && fclose(file) == 0);
    for (size_t index = 0; index < sizeof bytes; index++) images[index] = (float)bytes[index] / 8 - 1;

    GannetData data = data_of(images, IMAGES, PIXELS);
    GannetOptions options = options_of(BATCH, 2, 1);
    GannetTrainer *trainer = NULL;
    OK(gannet_trainer_new("digits", &data, &options, &trainer));
    OK(gannet_trainer_run(trainer, 300, 0, NULL, NULL, NULL));
    OK(gannet_trainer_save_model(trainer, arguments[2]));
    GannetSampler *sampler = NULL;
    static float samples[DRAWN * PIXELS];
    OK(gannet_trainer_sampler(trainer, &sampler));
    OK(gannet_sampler_sample(sampler, 3, 10, DRAWN, NULL, samples));
    print("samples", fnv(FNV, samples, DRAWN * PIXELS));
    OK(gannet_sampler_free(sampler));
    OK(gannet_trainer_free(trainer));

    GannetLoss *loss = NULL;
    static float fakes[BATCH * PIXELS], gradient[BATCH * PIXELS];
    fill_values(fakes, BATCH * PIXELS);
    OK(gannet_loss_new("digits", &options, &loss));
    for (int step = 0; step < 5; step++) OK(gannet_loss_step(loss, fakes, images, gradient, BATCH, NULL));
    size_t needed = 0;
    OK(gannet_loss_parameters(loss, NULL, 0, &needed));
    float *parameters = numbers(needed);
    OK(gannet_loss_parameters(loss, parameters, needed, NULL));
    print("loss", fnv(fnv(FNV, gradient, BATCH * PIXELS), parameters, needed));
    free(parameters);
    OK(gannet_loss_free(loss));

    GannetNetwork *network = NULL;
    static float answers[BATCH], ones[BATCH];
    for (int row = 0; row < BATCH; row++) ones[row] = 1;
    uint64_t seed = 5;
    OK(gannet_network_new("digits", GANNET_DISCRIMINATOR, &options, &network));
    OK(gannet_network_forward(network, images, BATCH, &seed, answers));
    OK(gannet_network_backward(network, ones, BATCH, gradient, GANNET_OVERWRITE_GRADIENTS));
    OK(gannet_network_shape(network, NULL, NULL, &needed));
    float *gradients = numbers(needed);
    OK(gannet_network_gradients(network, gradients, needed, NULL));
    print("network", fnv(fnv(fnv(FNV, answers, BATCH), gradient, BATCH * PIXELS), gradients, needed));
    free(gradients);
    OK(gannet_network_free(network));
    return 0;
}
