/* What messages between processes take where all exchange at once, as processes that share a batch do.

       mpirun -n R exchange BYTES

   R is a power of two. Prints the microseconds of a message of 16 bytes, with each partner in turn, and of an exchange of gradients of so many bytes: the order,
   sizes and additions are those of gannet's, whose trainings exchange twice a step. `cost.py` compiles and runs it. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Gradients stand in so many places in turn: they are not in the cache. */
enum { SHORT = 4, SHORT_TIMES = 400, EXCHANGES = 24, PLACES = 4 };

static void swap(int partner, float *sent, int numbers, float *received, int others) {
    MPI_Sendrecv(sent, numbers, MPI_FLOAT, partner, 0, received, others, MPI_FLOAT, partner, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* Adds the gradients of all processes in place: a half with the nearest partner, half of it with one twice as far, and so on, and the same way back. */
static void exchange(int process, int processes, int distance, float *gradients, int numbers, float *room) {
    if (distance == processes)
        return;
    int partner = process ^ distance, left = numbers - numbers / 2, right = numbers / 2;
    int upper = process & distance;
    float *own = upper ? gradients + left : gradients, *others = upper ? gradients : gradients + left;
    int owned = upper ? right : left, given = upper ? left : right;
    swap(partner, others, given, room, owned);
    for (int place = 0; place < owned; place++)
        own[place] += room[place];
    exchange(process, processes, 2 * distance, own, owned, room);
    swap(partner, own, owned, others, given);
}

int main(int count, char **arguments) {
    MPI_Init(&count, &arguments);
    int process, processes;
    MPI_Comm_rank(MPI_COMM_WORLD, &process);
    MPI_Comm_size(MPI_COMM_WORLD, &processes);
    int numbers = count == 2 ? atoi(arguments[1]) / 4 : 0;
    float *gradients = calloc(PLACES, 4 * (size_t)numbers), *room = calloc(1, 4 * (size_t)numbers);
    if (numbers < SHORT || processes < 2 || (processes & (processes - 1)) != 0 || !gradients || !room) {
        fprintf(stderr, "mpirun -n R exchange BYTES, R a power of two\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    int distance = 1;
    for (int time = 0; time < SHORT_TIMES; time++) {
        swap(process ^ distance, gradients, SHORT, room, SHORT);
        distance = 2 * distance < processes ? 2 * distance : 1;
    }
    double brief = 1e6 * (MPI_Wtime() - begin) / SHORT_TIMES;
    MPI_Barrier(MPI_COMM_WORLD);
    begin = MPI_Wtime();
    for (int time = 0; time < EXCHANGES; time++)
        exchange(process, processes, 1, gradients + (size_t)(time % PLACES) * numbers, numbers, room);
    double whole = 1e6 * (MPI_Wtime() - begin) / EXCHANGES;
    if (process == 0)
        printf("%f %f\n", brief, whole);
    free(gradients);
    free(room);
    MPI_Finalize();
    return 0;
}
