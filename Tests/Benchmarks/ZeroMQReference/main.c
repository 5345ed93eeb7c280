// What plain C gets out of libzmq: the other half of the benchmarks' ratios.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void receive(void *socket) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, 0) < 0) exit(1);
    zmq_msg_close(&message);
}

static void transmit(void *socket, size_t size) {
    zmq_msg_t message;
    zmq_msg_init_size(&message, size);
    memset(zmq_msg_data(&message), 1, size);
    if (zmq_msg_send(&message, socket, 0) < 0) exit(1);
}

// pull|push|ping|echo ENDPOINT COUNT BYTES; prints seconds for all messages, or the median trip.
int main(int argc, char **argv) {
    if (argc != 5) return 64;
    const char *mode = argv[1];
    long count = atol(argv[3]);
    size_t size = (size_t)atol(argv[4]);
    void *context = zmq_ctx_new();
    if (!strcmp(mode, "pull")) {
        void *socket = zmq_socket(context, ZMQ_PULL);
        if (zmq_bind(socket, argv[2])) return 1;
        receive(socket);
        double start = now();
        for (long i = 1; i < count; i++) receive(socket);
        printf("%.9f\n", now() - start);
        zmq_close(socket);
    } else if (!strcmp(mode, "push")) {
        void *socket = zmq_socket(context, ZMQ_PUSH);
        zmq_connect(socket, argv[2]);
        // Who exits right after sending may lose the end, so more is sent than is counted.
        for (long i = 0; i < count + 1000; i++) transmit(socket, size);
        int linger = 100;
        zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
        zmq_close(socket);
    } else if (!strcmp(mode, "echo")) {
        void *socket = zmq_socket(context, ZMQ_DEALER);
        if (zmq_bind(socket, argv[2])) return 1;
        for (long i = 0; i < count; i++) {
            receive(socket);
            transmit(socket, size);
        }
        receive(socket);  // the other side has got the last answer
        zmq_close(socket);
    } else if (!strcmp(mode, "ping")) {
        void *socket = zmq_socket(context, ZMQ_DEALER);
        zmq_connect(socket, argv[2]);
        double *trips = calloc((size_t)count, sizeof *trips);
        for (long i = 0; i < count; i++) {
            double start = now();
            transmit(socket, size);
            receive(socket);
            trips[i] = now() - start;
        }
        transmit(socket, size);
        qsort(trips, (size_t)count, sizeof *trips, ascending);
        printf("%.9f\n", trips[count / 2]);
        free(trips);
        zmq_close(socket);
    } else {
        return 64;
    }
    zmq_ctx_term(context);
    return 0;
}
