/* The C interface of gannet, which trains generative adversarial networks of dense layers on CPUs.
 *
 * docs/embedding.md shows a whole program, who owns what memory, threads, signals and forks. The rules of all functions:
 *
 * - Matrices are row-major floats; a row is a sample.
 * - A function returns a GannetStatus. Where that is not GANNET_OK, gannet_last_error() says what is wrong, and nothing has been changed
 *   unless the status says otherwise.
 * - A handle is used by one thread at a time; a second call gets GANNET_BUSY. Different handles may be used by different threads.
 * - A struct begins with its size: set it to sizeof. All other fields may be 0.
 * - A callback neither throws nor jumps out of itself.
 *
 * cbindgen makes this file of the crate gannet-capi; do not change it by hand.
 */

#ifndef GANNET_H
#define GANNET_H

#include <stddef.h>
#include <stdint.h>

// The version of the interface that a header describes. It changes when the interface breaks; what is added leaves it.
#define GANNET_ABI_VERSION 1

// The data are shuffled anew for each epoch.
#define GANNET_SHUFFLED 1

// The data come in their order.
#define GANNET_IN_ORDER 2

// The most samples that a `GannetFill` is asked for at once.
#define GANNET_FILL_ROWS 1024

// The generator, where a function takes a network.
#define GANNET_GENERATOR 0

// The discriminator.
#define GANNET_DISCRIMINATOR 1

// Settings that are not those of the checkpoint are an error.
#define GANNET_REFUSE_CHANGES 0

// Settings that are not those of the checkpoint hold from now on.
#define GANNET_ALLOW_CHANGES 1

// A backward pass leaves the gradients of the parameters alone.
#define GANNET_IGNORE_GRADIENTS 0

// A backward pass replaces the gradients of the parameters.
#define GANNET_OVERWRITE_GRADIENTS 1

// A backward pass adds to the gradients of the parameters.
#define GANNET_ACCUMULATE_GRADIENTS 2

// What a call came to. Numbers never change their meaning; later versions may add some. 17 and 18 mean nothing.
enum GannetStatus
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The call did what it says.
    GANNET_OK = 0,
    // A pointer that is needed is NULL.
    GANNET_NULL_POINTER = 1,
    // A handle is none, has been freed, or is one of another kind.
    GANNET_WRONG_HANDLE = 2,
    // A handle is in use: by another thread, or by the call whose callback this is. Use a handle from one thread at a time.
    GANNET_BUSY = 3,
    // A handle was made before the process forked. Make a new one in the child, or free it in the parent.
    GANNET_FORKED = 4,
    // An earlier call came to `GANNET_PANIC`, so that this handle may be half changed. Free it, and go on from a checkpoint.
    GANNET_REFUSED = 5,
    // Gannet met a mistake of its own; please report the message. The handle refuses further calls.
    GANNET_PANIC = 6,
    // An argument has a value that makes no sense: a number of no network, a text that is not UTF-8, a struct of a strange size.
    GANNET_INVALID_ARGUMENT = 7,
    // The memory that the result is to be written to is too small; the size that is needed has been written.
    GANNET_BUFFER_TOO_SMALL = 8,
    // There are too many handles. Free some.
    GANNET_TOO_MANY_HANDLES = 9,
    // A setting makes no sense, or contradicts another one.
    GANNET_INVALID_SETTING = 10,
    // A matrix has another shape than is needed.
    GANNET_SHAPE = 11,
    // An instruction set was forced that this processor lacks.
    GANNET_ISA_UNAVAILABLE = 12,
    // The memory limit is too low.
    GANNET_MEMORY_LIMIT = 13,
    // The system refused memory, or the machine does not have as much in all.
    GANNET_OUT_OF_MEMORY = 14,
    // Training met a number that is not finite. The step is half done: load a checkpoint, or set the parameters.
    GANNET_NOT_FINITE = 15,
    // A network in use makes numbers that are not finite.
    GANNET_MODEL_NOT_FINITE = 16,
    // The callback that fills batches failed. The step has not begun; the next one asks for the same samples.
    GANNET_SOURCE = 19,
    // A callback failed. The turn that called it has changed nothing.
    GANNET_CALLBACK = 20,
    // Data that were handed in or read are not what they should be.
    GANNET_DATA = 21,
    // The system refused a file operation.
    GANNET_IO = 22,
    // The worker threads could not be had.
    GANNET_THREADS = 23,
    // Something that this version of the interface has no number for; the message says what. No function of this version comes to it.
    GANNET_OTHER = 24,
    // A function was called before what it needs, such as a backward pass before a forward pass.
    GANNET_MISUSE = 25,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum GannetStatus GannetStatus;
#else
typedef int32_t GannetStatus;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A network as a function of rows.
typedef struct GannetFunction GannetFunction;

// A discriminator with its optimizer, which answers fakes with the gradient of the generator's loss.
typedef struct GannetLoss GannetLoss;

// A network that another program trains as one of its layers. Its parameters are the caller's to update.
typedef struct GannetNetwork GannetNetwork;

// Worker threads that several trainers share.
typedef struct GannetPool GannetPool;

// Makes samples by a generator.
typedef struct GannetSampler GannetSampler;

// Trains one GAN.
typedef struct GannetTrainer GannetTrainer;

// Fills a part of a batch: writes the samples of the numbers `numbers[0]` to `numbers[count - 1]` to `rows`, `[count, features]`,
// row-major. A number means the same sample each time that it is asked for. Returns 0; anything else ends the step before it begins, with
// `GANNET_SOURCE`.
//
// It is called on the thread that runs the trainer, with at most `GANNET_FILL_ROWS` numbers at a time.
typedef int32_t (*GannetFill)(void *context, const uint64_t *numbers, size_t count, float *rows);

// The real samples of a trainer. Set `size` to `sizeof(GannetData)`, `features`, and either `values` or `fill`.
//
// Memory and context are borrowed until the trainer is freed. Between two calls of the trainer the values may be changed; then a resumed
// run has other bits than one that never stopped.
typedef struct GannetData {
    // `sizeof(GannetData)`.
    size_t size;
    // Number of samples. 0, with `fill` only: there is always another one, and nothing is shuffled.
    uint64_t samples;
    // Values of a sample; with conditions, those are the last.
    size_t features;
    // The first value of the first sample. NULL with `fill`.
    const float *values;
    // From a sample to the next, in values. 0: `features`, or what `column_stride` makes of it. May be negative.
    ptrdiff_t row_stride;
    // From a value of a sample to the next, in values. 0: 1. May be negative. A matrix in Fortran order has its number of rows here, and
    // `row_stride` 1.
    ptrdiff_t column_stride;
    // Fills batches. NULL with `values`.
    GannetFill fill;
    // Handed to `fill`.
    void *context;
} GannetData;

// Options of a trainer or a loss. Set `size` to `sizeof(GannetOptions)`; every other field may be 0 or NULL for its default.
typedef struct GannetOptions {
    // `sizeof(GannetOptions)`.
    size_t size;
    // Samples of a batch. 0: the preset's, or 32.
    size_t batch;
    // Shards of the batch, a power of two. 0: 1.
    size_t shards;
    // Seed of initial weights, shuffling, latents and dropout.
    uint64_t seed;
    // Worker threads, the calling one included. 0: one for each processor, or of `pool` all.
    size_t threads;
    // A pool to take worker threads from. NULL: the trainer starts its own, none with one thread.
    const struct GannetPool *pool;
    // Most bytes that parameters and workspace may take. 0: what the system gives.
    uint64_t memory_limit;
    // `"auto"`, `"native"` or `"matrixmultiply"`. NULL: `"auto"`.
    const char *engine;
    // `"avx512"`, `"avx2"` or `"portable"`. NULL: what the environment variable `GANNET_ISA` names, or the best.
    const char *isa;
    // `GANNET_SHUFFLED` or `GANNET_IN_ORDER`. 0: as the preset has it, or shuffled.
    int32_t order;
    // 0.
    int32_t reserved;
} GannetOptions;

// What a step reports. Set `size` to `sizeof(GannetReport)` before the call. A number that the call does not tell is NaN.
typedef struct GannetReport {
    // `sizeof(GannetReport)`.
    size_t size;
    // Steps done: turns of the generator.
    uint64_t step;
    // Turns of the discriminator done, from `gannet_trainer_step_discriminator`; otherwise 0.
    uint64_t turn;
    // The discriminator's loss before its update.
    double discriminator_loss;
    // The generator's loss, the one that it minimizes.
    double generator_loss;
    // The mean probability that the discriminator gives a real sample of being real.
    double real_probability;
    // The same of generated samples.
    double fake_probability;
    // The penalties on the discriminator, which its loss does not contain; NaN without any.
    double penalty;
} GannetReport;

// Is told the losses of a step while a run goes on. Returns 0 to go on; anything else ends the run behind the step that was reported.
//
// It is called on the thread that runs the trainer. The trainer itself is busy; other handles may be used.
typedef int32_t (*GannetProgress)(void *context, const struct GannetReport *report);

// What a trainer or a loss tells of itself. Set `size` to `sizeof(GannetInfo)` before the call.
typedef struct GannetInfo {
    // `sizeof(GannetInfo)`.
    size_t size;
    // Steps done.
    uint64_t steps_done;
    // Samples of a batch.
    size_t batch;
    // Values of a latent; 0 of a loss.
    size_t latents;
    // Values of a sample that the generator makes; of a loss those of a row that it judges.
    size_t features;
    // Values of a sample's condition, which follow the features in a row of the data.
    size_t conditions;
    // Parameters of the generator; 0 of a loss.
    size_t generator_parameters;
    // Parameters of the discriminator.
    size_t discriminator_parameters;
    // Threads that have work.
    size_t threads;
    // Bytes of parameters and workspace, without the data.
    uint64_t memory;
    // Matrix products of a step.
    uint64_t products_per_step;
} GannetInfo;

// Answers the fakes of a generator's turn: gets `fakes`, `[batch, features]`, row-major, and writes the gradient of a loss with respect
// to them, summed over the batch as the loss is, to `gradient`, which has the same shape and is 0 before. Returns 0; anything else ends
// the turn before it changes anything, with `GANNET_CALLBACK`.
typedef int32_t (*GannetAnswer)(void *context, const float *fakes, float *gradient, size_t batch, size_t features);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the interface that the library has. A program whose header has another `GANNET_ABI_VERSION` must not go on.
uint32_t gannet_abi_version(void);

// The version of gannet: a text that is never freed.
const char *gannet_version(void);

// Writes the name of the instruction set that trainers take by default to `isa`: that of the environment variable `GANNET_ISA`, or the
// best of this processor. The text is never freed.
//
// The caller promises:
//
// A pointer can be written to `isa`.
GannetStatus gannet_isa(const char **isa);

// The message of the last call of this thread that did not return `GANNET_OK`; an empty text before the first. It says what is wrong, and
// what to do where something can be done. The text is UTF-8, and stays until the next call of this thread that fails.
const char *gannet_last_error(void);

// Starts a pool of `workers` threads, at most four for each processor or 16. A run of `n` threads takes `n - 1` workers, because the calling
// thread works too.
//
// A trainer that was made with it keeps its threads: the pool may be freed before its trainers.
//
// The caller promises:
//
// A pointer can be written to `pool`.
GannetStatus gannet_pool_new(size_t workers,
                             struct GannetPool **pool);

// Frees a pool; NULL is none. Its threads end when no trainer has them any more.
GannetStatus gannet_pool_free(struct GannetPool *pool);

// Makes a trainer: checks everything, takes all memory, draws initial weights.
//
// `settings` is the name of a preset, or JSON text with the tables and names of `config.toml`: `{"run": {"preset": "circle"}, "gan":
// {...}}`. What `options` and its fields leave out has defaults; it may be NULL.
//
// The caller promises:
//
// What `data` and `options` point to can be read. What `data` lends stays until the trainer is freed. A pointer can be written to
// `trainer`.
GannetStatus gannet_trainer_new(const char *settings,
                                const struct GannetData *data,
                                const struct GannetOptions *options,
                                struct GannetTrainer **trainer);

// Frees a trainer; NULL is none. Its data are no longer borrowed.
GannetStatus gannet_trainer_free(struct GannetTrainer *trainer);

// Runs `steps` steps. After each `interval`-th step, and after the last of this call, `progress` is called with its losses; with an
// interval of 0 after the last alone. Losses are computed only for steps that are reported. `progress`, `context` and `last` may be NULL.
//
// The run ends early, after a whole step, where `progress` asks for it, and after `gannet_trainer_stop`; that is no error. `last->step`
// is the number of steps done. `last` has the losses of that step, or NaN where it was not reported.
//
// With the engine `native` no step allocates memory. A run of several threads enters its pool once, which allocates little: give a run
// many steps.
//
// The caller promises:
//
// A `GannetReport` can be written to `last` unless it is NULL. `progress` may be called with `context`, and neither throws nor jumps.
GannetStatus gannet_trainer_run(struct GannetTrainer *trainer,
                                uint64_t steps,
                                uint64_t interval,
                                GannetProgress progress,
                                void *context,
                                struct GannetReport *last);

// Ends the run of a trainer after the step in progress, or where none is in progress, the next run before its first step. Any thread may
// call this at any time until the trainer is freed, and so may a signal handler: where it goes well, it takes no lock and no memory.
GannetStatus gannet_trainer_stop(const struct GannetTrainer *trainer);

// Writes the steps that make up `epochs` passes over the data to `steps`; 0 where the data are endless.
//
// The caller promises:
//
// A number can be written to `steps`.
GannetStatus gannet_trainer_steps_for_epochs(const struct GannetTrainer *trainer, uint64_t epochs, uint64_t *steps);

// Replaces a network's learning rate from its next update on. Nothing is allocated.
GannetStatus gannet_trainer_set_learning_rate(struct GannetTrainer *trainer, int32_t network, float rate);

// Writes what a trainer tells of itself to `info`.
//
// The caller promises:
//
// A `GannetInfo` can be written to `info`.
GannetStatus gannet_trainer_info(const struct GannetTrainer *trainer, struct GannetInfo *info);

// Writes how a trainer lays its steps out to `text`, in words, with the 0 that ends it, and their length to `needed`. Either may be NULL.
//
// The caller promises:
//
// `text` is NULL or has room for `capacity` bytes; `needed` is NULL or can be written.
GannetStatus gannet_trainer_plan(const struct GannetTrainer *trainer,
                                 char *text,
                                 size_t capacity,
                                 size_t *needed);

// Writes the name of the instruction set in use to `isa`: a text that is never freed.
//
// The caller promises:
//
// A pointer can be written to `isa`.
GannetStatus gannet_trainer_isa(const struct GannetTrainer *trainer, const char **isa);

// The discriminator's turn of a step alone. As many of them as the setting `discriminator_steps` says and one of the generator are a
// step, bit for bit. `report` may be NULL.
//
// The caller promises:
//
// A `GannetReport` can be written to `report` unless it is NULL.
GannetStatus gannet_trainer_step_discriminator(struct GannetTrainer *trainer,
                                               struct GannetReport *report);

// The generator's turn of a step alone. `report` may be NULL.
//
// The caller promises:
//
// A `GannetReport` can be written to `report` unless it is NULL.
GannetStatus gannet_trainer_step_generator(struct GannetTrainer *trainer, struct GannetReport *report);

// The generator's turn with a loss of the caller's: `answer` is called with the fakes, and the generator is updated by the gradient that
// it writes. The discriminator takes no part.
//
// The caller promises:
//
// `answer` may be called with `context`, and neither throws nor jumps.
GannetStatus gannet_trainer_step_generator_with(struct GannetTrainer *trainer,
                                                GannetAnswer answer,
                                                void *context);

// Copies a network's parameters in training to `values`, which has room for `capacity` of them, and their number to `needed`; either may
// be NULL. They stand layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases. What normalizations keep beside
// them is not among them.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_trainer_parameters(const struct GannetTrainer *trainer,
                                       int32_t network,
                                       float *values,
                                       size_t capacity,
                                       size_t *needed);

// The same of the gradients over the batch of the network's last update.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_trainer_gradients(const struct GannetTrainer *trainer,
                                      int32_t network,
                                      float *values,
                                      size_t capacity,
                                      size_t *needed);

// Replaces a network's parameters by `count` values in the order of `gannet_trainer_parameters`. What the optimizer remembers stays; an
// average of the generator's parameters begins anew. A trainer whose last step failed takes steps again.
//
// The caller promises:
//
// As many values can be read at `values`.
GannetStatus gannet_trainer_set_parameters(struct GannetTrainer *trainer,
                                           int32_t network,
                                           const float *values,
                                           size_t count);

// Writes a checkpoint to a file: everything that a run needs to go on as if it had never stopped. What stood there before is replaced
// whole or not at all.
//
// The caller promises:
//
// `path` ends with 0.
GannetStatus gannet_trainer_save(const struct GannetTrainer *trainer,
                                 const char *path);

// Goes on from a checkpoint in a file. What follows is, bit for bit, what would have followed in the run that it was taken of, at any
// number of threads. `changes` is `GANNET_REFUSE_CHANGES` or `GANNET_ALLOW_CHANGES`. Where this fails, the trainer is as it was. A trainer
// whose last step failed takes steps again.
//
// The caller promises:
//
// `path` ends with 0.
GannetStatus gannet_trainer_load(struct GannetTrainer *trainer,
                                 const char *path,
                                 int32_t changes);

// Copies a checkpoint, the bytes of such a file, to `bytes`, which has room for `capacity` of them, and their number to `needed`; either
// may be NULL. Between two steps the number does not change.
//
// The caller promises:
//
// `bytes` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_trainer_save_memory(const struct GannetTrainer *trainer,
                                        uint8_t *bytes,
                                        size_t capacity,
                                        size_t *needed);

// Goes on from a checkpoint in memory, as `gannet_trainer_load` does from one in a file.
//
// The caller promises:
//
// `count` bytes can be read at `bytes`.
GannetStatus gannet_trainer_load_memory(struct GannetTrainer *trainer,
                                        const uint8_t *bytes,
                                        size_t count,
                                        int32_t changes);

// Writes both networks alone to a file, as samples are made by them.
//
// The caller promises:
//
// `path` ends with 0.
GannetStatus gannet_trainer_save_model(const struct GannetTrainer *trainer, const char *path);

// Copies both networks alone, the bytes of such a file, to `bytes`, as `gannet_trainer_save_memory` does with a checkpoint.
//
// The caller promises:
//
// `bytes` is NULL or has room for `capacity` bytes; `needed` is NULL or can be written.
GannetStatus gannet_trainer_save_model_memory(const struct GannetTrainer *trainer,
                                              uint8_t *bytes,
                                              size_t capacity,
                                              size_t *needed);

// Makes a sampler with a copy of a trainer's generator as it is now: training may go on beside it. Where the settings keep an average of
// the generator's parameters, it is that.
//
// The caller promises:
//
// A pointer can be written to `sampler`.
GannetStatus gannet_trainer_sampler(const struct GannetTrainer *trainer,
                                    struct GannetSampler **sampler);

// Makes a sampler of the generator in a file: a model or a checkpoint of a GAN of these `settings`. `isa` may be NULL.
//
// The caller promises:
//
// The texts end with 0. A pointer can be written to `sampler`.
GannetStatus gannet_sampler_load(const char *settings,
                                 const char *path,
                                 const char *isa,
                                 struct GannetSampler **sampler);

// The same of the `count` bytes of such a file.
//
// The caller promises:
//
// As many bytes can be read at `bytes`; the texts end with 0. A pointer can be written to `sampler`.
GannetStatus gannet_sampler_load_memory(const char *settings,
                                        const uint8_t *bytes,
                                        size_t count,
                                        const char *isa,
                                        struct GannetSampler **sampler);

// Makes another handle of the same generator, for another thread: the weights are not copied.
//
// The caller promises:
//
// A pointer can be written to `shared`.
GannetStatus gannet_sampler_share(const struct GannetSampler *sampler, struct GannetSampler **shared);

// Frees a sampler; NULL is none.
GannetStatus gannet_sampler_free(struct GannetSampler *sampler);

// Writes the values of a sample to `features`, and those of its condition to `conditions`; either may be NULL.
//
// The caller promises:
//
// Each is NULL or can be written.
GannetStatus gannet_sampler_shape(const struct GannetSampler *sampler, size_t *features, size_t *conditions);

// Writes the samples of `seed` with the indices from `first` on to `rows`, `[count, features]`, row-major. A sample depends on the
// generator, the seed and its index alone. A generator with conditions needs them in `conditions`, `[count, conditions]`, row-major;
// without, that is NULL. Nothing is allocated.
//
// The caller promises:
//
// As many values can be written at `rows`, and read at `conditions` unless it is NULL.
GannetStatus gannet_sampler_sample(struct GannetSampler *sampler,
                                   uint64_t seed,
                                   uint64_t first,
                                   size_t count,
                                   const float *conditions,
                                   float *rows);

// Makes a function of a copy of a trainer's network as it is now: training may go on beside it.
//
// The caller promises:
//
// A pointer can be written to `function`.
GannetStatus gannet_trainer_function(const struct GannetTrainer *trainer,
                                     int32_t network,
                                     struct GannetFunction **function);

// Makes a function of a network in a file: a model or a checkpoint of a GAN of these `settings`. `isa` may be NULL.
//
// The caller promises:
//
// The texts end with 0. A pointer can be written to `function`.
GannetStatus gannet_function_load(const char *settings,
                                  const char *path,
                                  int32_t network,
                                  const char *isa,
                                  struct GannetFunction **function);

// The same of the `count` bytes of such a file.
//
// The caller promises:
//
// As many bytes can be read at `bytes`; the texts end with 0. A pointer can be written to `function`.
GannetStatus gannet_function_load_memory(const char *settings,
                                         const uint8_t *bytes,
                                         size_t count,
                                         int32_t network,
                                         const char *isa,
                                         struct GannetFunction **function);

// Makes another handle of the same network, for another thread: the weights are not copied.
//
// The caller promises:
//
// A pointer can be written to `shared`.
GannetStatus gannet_function_share(const struct GannetFunction *function, struct GannetFunction **shared);

// Frees a function; NULL is none.
GannetStatus gannet_function_free(struct GannetFunction *function);

// Writes the values of a row of the input to `inputs`, and those of the output to `outputs`; either may be NULL.
//
// The caller promises:
//
// Each is NULL or can be written.
GannetStatus gannet_function_shape(const struct GannetFunction *function, size_t *inputs, size_t *outputs);

// Writes the network's answer to each row of `rows`, `[count, inputs]`, to `answers`, `[count, outputs]`; both are row-major. Nothing is
// allocated.
//
// The caller promises:
//
// As many values can be read at `rows` and written at `answers`.
GannetStatus gannet_function_apply(struct GannetFunction *function,
                                   const float *rows,
                                   size_t count,
                                   float *answers);

// Makes a loss: checks everything, takes all memory, draws the discriminator's initial weights.
//
// Of `settings`, which are those of `gannet_trainer_new`, it takes the discriminator, its optimizer, the objective and the penalties; the
// generator may be left out. Of `options` it takes everything but the order of the data; it may be NULL.
//
// The caller promises:
//
// What `options` points to can be read. A pointer can be written to `loss`.
GannetStatus gannet_loss_new(const char *settings,
                             const struct GannetOptions *options,
                             struct GannetLoss **loss);

// Frees a loss; NULL is none.
GannetStatus gannet_loss_free(struct GannetLoss *loss);

// Updates the discriminator on `fakes` and `real`, then writes the gradient of the generator's loss with respect to the fakes to
// `gradient`. All three are `[rows, features]`, row-major, one row behind the other, and `rows` is the batch. `report` may be NULL.
//
// The caller promises:
//
// As many values can be read at `fakes` and `real`, and written at `gradient`. A `GannetReport` can be written to `report` unless it is
// NULL.
GannetStatus gannet_loss_step(struct GannetLoss *loss,
                              const float *fakes,
                              const float *real,
                              float *gradient,
                              size_t rows,
                              struct GannetReport *report);

// Writes what a loss tells of itself to `info`.
//
// The caller promises:
//
// A `GannetInfo` can be written to `info`.
GannetStatus gannet_loss_info(const struct GannetLoss *loss, struct GannetInfo *info);

// Copies the discriminator's parameters to `values`, which has room for `capacity` of them, and their number to `needed`; either may be
// NULL. They stand layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_loss_parameters(const struct GannetLoss *loss,
                                    float *values,
                                    size_t capacity,
                                    size_t *needed);

// Replaces the discriminator's parameters by `count` values in the order of `gannet_loss_parameters`. A loss whose update failed takes
// steps again.
//
// The caller promises:
//
// As many values can be read at `values`.
GannetStatus gannet_loss_set_parameters(struct GannetLoss *loss,
                                        const float *values,
                                        size_t count);

// Makes a network: checks everything, takes all memory, draws initial weights.
//
// `settings` are those of a network alone, such as `{"layers": [{"inputs": 8, "outputs": 2}]}`, whichever `network` is; or those of
// `gannet_trainer_new`, of which it takes one network, and the other may be left out. Of `options` it takes the batch, which is the most rows of
// a pass, the seed, threads, memory limit and instruction set; it may be NULL.
//
// The caller promises:
//
// What `options` points to can be read. A pointer can be written to `made`.
GannetStatus gannet_network_new(const char *settings,
                                int32_t network,
                                const struct GannetOptions *options,
                                struct GannetNetwork **made);

// Frees a network; NULL is none.
GannetStatus gannet_network_free(struct GannetNetwork *network);

// Writes the values of a row of the input to `inputs`, those of the output to `outputs`, and the number of parameters to `parameters`; each
// may be NULL.
//
// The caller promises:
//
// Each is NULL or can be written.
GannetStatus gannet_network_shape(const struct GannetNetwork *network,
                                  size_t *inputs,
                                  size_t *outputs,
                                  size_t *parameters);

// Writes the network's answer to each row of `rows`, `[count, inputs]`, to `answers`, `[count, outputs]`; both are row-major.
//
// Where `training_seed` is NULL, it is that of the network as it is after training: nothing is dropped, running statistics stand in for those
// of the rows, and groups of outputs are probabilities. Else the pass is one in training: dropout and groups of outputs are drawn by
// `*training_seed`, batch normalization takes the statistics of the rows, over groups of them, and the buffers follow the pass.
//
// The caller promises:
//
// As many values can be read at `rows` and written at `answers`; `training_seed` is NULL or can be read.
GannetStatus gannet_network_forward(struct GannetNetwork *network,
                                    const float *rows,
                                    size_t count,
                                    const uint64_t *training_seed,
                                    float *answers);

// Goes back from the gradient of a loss with respect to the answers of the last forward pass, `gradient`, `[count, outputs]`: writes that
// with respect to its rows to `row_gradient`, `[count, inputs]`, unless that is NULL, and keeps those of the parameters as `mode` says:
// `GANNET_IGNORE_GRADIENTS`, `GANNET_OVERWRITE_GRADIENTS` or `GANNET_ACCUMULATE_GRADIENTS`.
//
// The caller promises:
//
// As many values can be read at `gradient`, and written at `row_gradient` unless it is NULL.
GannetStatus gannet_network_backward(struct GannetNetwork *network,
                                     const float *gradient,
                                     size_t count,
                                     float *row_gradient,
                                     int32_t mode);

// Copies the parameters to `values`, which has room for `capacity` of them, and their number to `needed`; either may be NULL. They stand
// layer after layer: the weights, `[outputs, inputs]`, row-major, then the biases. Nothing is allocated.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_network_parameters(const struct GannetNetwork *network,
                                       float *values,
                                       size_t capacity,
                                       size_t *needed);

// Copies what normalizations keep beside the parameters to `values`, which has room for `capacity` numbers, and their number to `needed`; either
// may be NULL. They stand layer after layer, a number for each output: of batch normalization the running means, then the running
// variances; of spectral normalization the left singular vector with which the next power iteration begins. With the parameters they are all
// that a checkpoint of the network needs.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_network_buffers(const struct GannetNetwork *network,
                                    float *values,
                                    size_t capacity,
                                    size_t *needed);

// Copies the gradients of the parameters, as `gannet_network_parameters` does with the parameters.
//
// The caller promises:
//
// `values` is NULL or has that room; `needed` is NULL or can be written.
GannetStatus gannet_network_gradients(const struct GannetNetwork *network,
                                      float *values,
                                      size_t capacity,
                                      size_t *needed);

// Replaces the parameters by `count` values in the order of `gannet_network_parameters`. The buffers stay. A backward pass then needs a
// new forward pass first. Nothing is allocated.
//
// The caller promises:
//
// As many values can be read at `values`.
GannetStatus gannet_network_set_parameters(struct GannetNetwork *network,
                                           const float *values,
                                           size_t count);

// Replaces what normalizations keep by `count` values in the order of `gannet_network_buffers`. The parameters stay. A backward pass then
// needs a new forward pass first.
//
// The caller promises:
//
// As many values can be read at `values`.
GannetStatus gannet_network_set_buffers(struct GannetNetwork *network,
                                        const float *values,
                                        size_t count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GANNET_H */
