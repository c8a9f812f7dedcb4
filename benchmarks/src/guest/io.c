/*
 * Measures a guest's way out: reads of a block device and accesses to configuration space, a line for each:
 *
 *     io randread OPERATIONS SECONDS     4 KiB O_DIRECT reads at random places of the block device
 *     io config OPERATIONS SECONDS       reads of a word of PCI configuration space, each an exit or two
 *
 * Usage: io randread DEVICE COUNT | io config FILE COUNT
 * Build: gcc -O2 -static -o io io.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int random_reads(const char *device, long count) {
    enum { BLOCK = 4096 };
    int fd = open(device, O_RDONLY | O_DIRECT);
    if (fd < 0) {
        perror(device);
        return 1;
    }
    off_t blocks = lseek(fd, 0, SEEK_END) / BLOCK;
    void *buffer;
    if (blocks <= 0 || posix_memalign(&buffer, BLOCK, BLOCK) != 0) {
        fprintf(stderr, "%s: too small\n", device);
        return 1;
    }
    uint64_t random = 88172645463325252ULL;
    double start = now();
    for (long i = 0; i < count; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (pread(fd, buffer, BLOCK, (off_t)(random % (uint64_t)blocks) * BLOCK) != BLOCK) {
            perror("pread");
            return 1;
        }
    }
    printf("io randread %ld %.6f\n", count, now() - start);
    return 0;
}

static int configuration_reads(const char *file, long count) {
    int fd = open(file, O_RDONLY);
    if (fd < 0) {
        perror(file);
        return 1;
    }
    uint32_t word;
    double start = now();
    for (long i = 0; i < count; i++) {
        if (pread(fd, &word, sizeof word, 0) != sizeof word) {
            perror("pread");
            return 1;
        }
    }
    printf("io config %ld %.6f\n", count, now() - start);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "randread") == 0) {
        return random_reads(argv[2], atol(argv[3]));
    }
    if (argc == 4 && strcmp(argv[1], "config") == 0) {
        return configuration_reads(argv[2], atol(argv[3]));
    }
    fprintf(stderr, "Usage: io randread DEVICE COUNT | io config FILE COUNT\n");
    return 2;
}
