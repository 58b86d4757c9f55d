/* What a message between two processes takes where all exchange at once, as processes that share a batch do.

       mpirun -n R exchange MESSAGE_BYTES

   R is a power of two. Prints the microseconds of a message of 16 bytes and of one of so many, each the mean of many. Each process takes its partners in turn; of
   every second message the numbers are added to its own, as gradients are. `cost.py` compiles and runs it. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Long messages stand in so many places in turn: gradients are not in the cache. */
enum { SHORT = 16, SHORT_TIMES = 400, LONG_TIMES = 24, PLACES = 4 };

/* The mean of so many messages each way, in microseconds; each begins when the one before has come. */
static double message(int process, int processes, float *sent, float *received, int numbers, int times) {
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    int distance = 1;
    for (int time = 0; time < times; time++) {
        float *own = sent + (size_t)(time % PLACES) * numbers, *other = received + (size_t)(time % PLACES) * numbers;
        MPI_Sendrecv(own, numbers, MPI_FLOAT, process ^ distance, 0, other, numbers, MPI_FLOAT, process ^ distance, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        for (int place = 0; time % 2 && place < numbers; place++)
            own[place] += other[place];
        distance = 2 * distance < processes ? 2 * distance : 1;
    }
    return 1e6 * (MPI_Wtime() - begin) / times;
}

int main(int count, char **arguments) {
    MPI_Init(&count, &arguments);
    int process, processes;
    MPI_Comm_rank(MPI_COMM_WORLD, &process);
    MPI_Comm_size(MPI_COMM_WORLD, &processes);
    int numbers = count == 2 ? atoi(arguments[1]) / 4 : 0;
    float *sent = calloc(PLACES, 4 * (size_t)numbers), *received = calloc(PLACES, 4 * (size_t)numbers);
    if (numbers < SHORT / 4 || processes < 2 || (processes & (processes - 1)) != 0 || !sent || !received) {
        fprintf(stderr, "mpirun -n R exchange MESSAGE_BYTES, R a power of two\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    double brief = message(process, processes, sent, received, SHORT / 4, SHORT_TIMES);
    double extended = message(process, processes, sent, received, numbers, LONG_TIMES);
    if (process == 0)
        printf("%f %f\n", brief, extended);
    free(sent);
    free(received);
    MPI_Finalize();
    return 0;
}
