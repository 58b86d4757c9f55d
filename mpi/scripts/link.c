/* A network with a given latency between network namespaces of one machine: what `tc` does with netem, on kernels that lack it.

       link GBIT_A_SECOND MICROSECONDS NAMESPACE...

   Each namespace (`ip netns add`) gets a device `link` with the address 10.77.0.N, N from 1. Each packet arrives so many microseconds after it was
   sent, and none faster than at the given speed, as from a port of a switch. At which speed a namespace sends is for its kernel to say (`tc qdisc`). The program
   says "ready", and runs until it is killed. Linux, as root. `cost.py` compiles and runs it. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* Bytes of a packet at most: a segment as the kernel hands it to a network card that cuts it up. */
enum { MTU = 65000, PORTS = 16, PACKETS = 512 };

struct packet {
    int64_t due;
    int to, length;
    unsigned char bytes[MTU];
};

/* A namespace's end: what it has sent is a ring, in the order of arrival. */
struct port {
    int device;
    int64_t received; /* When its way in is free again, in nanoseconds. */
    struct packet *packets;
    unsigned first, count;
};

static struct port ports[PORTS];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Enters the namespace, and leaves the process in it: devices and addresses are made there. */
static int device_in(const char *name, int number) {
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    int place = open(path, O_RDONLY);
    if (place < 0 || setns(place, CLONE_NEWNET) < 0)
        fail(path);
    close(place);
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strcpy(request.ifr_name, "link");
    if (device < 0 || ioctl(device, TUNSETIFF, &request) < 0)
        fail("/dev/net/tun");
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(0x0a4d0000 + number);
    memcpy(&request.ifr_addr, &address, sizeof address);
    int status = ioctl(control, SIOCSIFADDR, &request);
    address.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&request.ifr_netmask, &address, sizeof address);
    status |= ioctl(control, SIOCSIFNETMASK, &request);
    request.ifr_mtu = MTU;
    status |= ioctl(control, SIOCSIFMTU, &request);
    for (const char **up = (const char *[]){"link", "lo", NULL}; *up; up++) {
        strcpy(request.ifr_name, *up);
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        status |= ioctl(control, SIOCSIFFLAGS, &request);
    }
    if (status < 0)
        fail("the device");
    close(control);
    return device;
}

/* Takes what a namespace has sent, as far as there is room: the rest waits in the device. */
static void take(struct port *port, int count, double nanoseconds_a_byte, int64_t latency) {
    while (port->count < PACKETS) {
        struct packet *packet = &port->packets[(port->first + port->count) % PACKETS];
        ssize_t length = read(port->device, packet->bytes, MTU);
        if (length < 20)
            return;
        /* The last byte of the address of an IPv4 packet. */
        int to = packet->bytes[19] - 1;
        if (packet->bytes[0] >> 4 != 4 || to < 0 || to >= count)
            continue;
        int64_t time = now(), takes = (int64_t)(length * nanoseconds_a_byte);
        /* It arrives while it is sent: only what comes from several at once waits at the other end. */
        int64_t arrived = time > ports[to].received + takes ? time : ports[to].received + takes;
        ports[to].received = arrived;
        packet->due = arrived + latency;
        packet->to = to;
        packet->length = (int)length;
        port->count++;
    }
}

/* Hands over what is due; when the next packet is. */
static int64_t give(struct port *port) {
    while (port->count > 0) {
        struct packet *packet = &port->packets[port->first];
        if (packet->due > now())
            return packet->due;
        if (write(ports[packet->to].device, packet->bytes, packet->length) < 0 && errno == EAGAIN)
            return now() + 10000;
        port->first = (port->first + 1) % PACKETS;
        port->count--;
    }
    return INT64_MAX;
}

int main(int count, char **arguments) {
    int ends = count - 3;
    if (ends < 2 || ends > PORTS) {
        fprintf(stderr, "link GBIT_A_SECOND MICROSECONDS NAMESPACE..., at most %d\n", PORTS);
        return 2;
    }
    double nanoseconds_a_byte = 8 / atof(arguments[1]);
    int64_t latency = (int64_t)(atof(arguments[2]) * 1000);
    struct pollfd polled[PORTS];
    for (int end = 0; end < ends; end++) {
        ports[end].device = device_in(arguments[3 + end], end + 1);
        ports[end].packets = malloc(sizeof(struct packet) * PACKETS);
        if (!ports[end].packets)
            fail("memory");
        polled[end].fd = ports[end].device;
    }
    /* A network does not wait for a processor: processes that are waiting for a message keep those of this machine busy. */
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) < 0)
        fail("the priority");
    /* Waits end within a microsecond, not 50. */
    prctl(PR_SET_TIMERSLACK, 1);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int64_t next = INT64_MAX;
        for (int end = 0; end < ends; end++) {
            take(&ports[end], ends, nanoseconds_a_byte, latency);
            int64_t due = give(&ports[end]);
            next = due < next ? due : next;
            polled[end].events = ports[end].count < PACKETS ? POLLIN : 0;
        }
        int64_t wait = next - now();
        if (next != INT64_MAX && wait <= 0)
            continue;
        struct timespec time = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        if (ppoll(polled, (nfds_t)ends, next == INT64_MAX ? NULL : &time, NULL) < 0 && errno != EINTR)
            fail("poll");
    }
}
