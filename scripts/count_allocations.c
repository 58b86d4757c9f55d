/* Counts the calls of the C library's allocator in any program, and prints the counts to standard error at exit.
 *
 *     gcc -O2 -shared -fPIC -o count_allocations.so scripts/count_allocations.c
 *     LD_PRELOAD=./count_allocations.so gannet bench --preset circle --steps 1000
 *
 * The calls go on to glibc under the names that it keeps for this; other C libraries do not have them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static atomic_ulong mallocs, callocs, reallocs, aligned, frees;

static void count(atomic_ulong *counter) { atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); }

void *malloc(size_t size) {
    count(&mallocs);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(&callocs);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count(&reallocs);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count(&aligned);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *taken = memalign(alignment, size);
    if (taken == NULL) return ENOMEM;
    *memory = taken;
    return 0;
}

void free(void *memory) {
    if (memory == NULL) return;
    count(&frees);
    __libc_free(memory);
}

/* A worker that is still ending when the process exits has made and freed more or less by then: waits, a second at most,
 * until this thread is alone. The folder of a process's threads has two links more than there are threads. */
static void wait_for_threads(void) {
    struct stat threads;
    struct timespec millisecond = {.tv_nsec = 1000000};
    for (int i = 0; i < 1000 && stat("/proc/self/task", &threads) == 0 && threads.st_nlink > 3; i++)
        nanosleep(&millisecond, NULL);
}

__attribute__((destructor)) static void report(void) {
    wait_for_threads();
    char line[160];
    int length = snprintf(line, sizeof line, "malloc %lu calloc %lu realloc %lu aligned %lu free %lu\n", mallocs,
                          callocs, reallocs, aligned, frees);
    if (write(STDERR_FILENO, line, (size_t)length) != length) _exit(1);
}
