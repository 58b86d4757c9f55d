/* What a message between two processes takes where all exchange in pairs at once, as processes that share a batch do.

       mpirun -n R exchange MESSAGE_BYTES

   Prints the microseconds of a message of 16 bytes and of one of so many, each the mean of many. `cost.py` compiles and runs it. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 16, SMALL_TIMES = 400, LARGE_TIMES = 20 };

/* The mean of so many messages each way, in microseconds; each begins when the one before has come. */
static double message(int partner, char *sent, char *received, int bytes, int times) {
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (int time = 0; time < times; time++)
        MPI_Sendrecv(sent, bytes, MPI_BYTE, partner, 0, received, bytes, MPI_BYTE, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return 1e6 * (MPI_Wtime() - begin) / times;
}

int main(int count, char **arguments) {
    MPI_Init(&count, &arguments);
    int process, processes;
    MPI_Comm_rank(MPI_COMM_WORLD, &process);
    MPI_Comm_size(MPI_COMM_WORLD, &processes);
    int bytes = count == 2 ? atoi(arguments[1]) : 0;
    char *sent = calloc(1, (size_t)bytes + SMALL), *received = calloc(1, (size_t)bytes + SMALL);
    if (bytes <= 0 || processes % 2 != 0 || !sent || !received) {
        fprintf(stderr, "mpirun -n R exchange MESSAGE_BYTES, R even\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    double small = message(process ^ 1, sent, received, SMALL, SMALL_TIMES);
    double large = message(process ^ 1, sent, received, bytes, LARGE_TIMES);
    if (process == 0)
        printf("%f %f\n", small, large);
    free(sent);
    free(received);
    MPI_Finalize();
    return 0;
}
