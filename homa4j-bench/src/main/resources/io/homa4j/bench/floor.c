/*
 * UDP ping-pong by plain system calls: the floor of homa bench peers, in C.
 *
 *   floor server poll|block             says its port, answers every datagram with itself; ends with its standard input
 *   floor client poll|block PORT BYTES SECONDS
 *                                       says "NANOSECONDS COUNT" for every round trip time seen after 0.1 s, last "end ERRORS"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BUCKET_NS 10
#define BUCKETS 1000000

static char packet[65536];
static uint32_t buckets[BUCKETS];

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void *until_end_of_input(void *unused)
{
    char c;

    while (read(0, &c, 1) > 0)
        ;
    exit(0);
    return unused;
}

static int open_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0)
        fail("socket");
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return fd;
}

static void serve(int flags)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    pthread_t thread;
    int fd = open_socket(&address);

    if (bind(fd, (struct sockaddr *)&address, length) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        fail("bind");
    pthread_create(&thread, NULL, until_end_of_input, NULL);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        ssize_t got;

        length = sizeof address;
        got = recvfrom(fd, packet, sizeof packet, flags, (struct sockaddr *)&address, &length);
        if (got >= 0)
            sendto(fd, packet, got, 0, (struct sockaddr *)&address, length);
        else if (errno != EAGAIN && errno != EINTR)
            fail("recvfrom");
    }
}

static void ask(int flags, int port, size_t bytes, double seconds)
{
    struct sockaddr_in address;
    struct timeval patience = {1, 0};
    int fd = open_socket(&address);
    int64_t start = now_ns() + 100000000;
    int64_t end = start + (int64_t)(seconds * 1e9);
    long errors = 0;

    address.sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    if (!flags)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int64_t sent = now_ns(); sent < end;) {
        int64_t now;
        ssize_t got;

        if (send(fd, packet, bytes, 0) < 0)
            fail("send");
        do {
            got = recv(fd, packet, sizeof packet, flags);
            now = now_ns();
        } while (got < 0 && flags && now - sent < 1000000000);
        if (got != (ssize_t)bytes)
            errors++;
        else if (sent >= start) {
            int64_t bucket = (now - sent) / BUCKET_NS;

            buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
        }
        sent = now;
    }
    for (long i = 0; i < BUCKETS; i++)
        if (buckets[i])
            printf("%ld %u\n", i * BUCKET_NS, buckets[i]);
    printf("end %ld\n", errors);
}

int main(int argc, char **argv)
{
    int flags = argc > 2 && !strcmp(argv[2], "poll") ? MSG_DONTWAIT : 0;

    if (argc == 3 && !strcmp(argv[1], "server"))
        serve(flags);
    else if (argc == 6 && !strcmp(argv[1], "client"))
        ask(flags, atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
    else
        return 2;
    return 0;
}
