/*
 * The benchmark that runs inside a guest, on the bare host, and under every rival: one static program, the same binary
 * everywhere. Each kernel does a fixed amount of work and prints one line:
 *
 *     bench NAME SECONDS CHECKSUM
 *
 * The checksum depends on all results, so that no compiler can leave work out and a wrong engine is seen. SCALE (the
 * first argument, a percentage, default 100) shortens every kernel; further arguments choose kernels by name.
 *
 * Build: gcc -O2 -static -o bench bench.c
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long scale = 100;

static long scaled(long full) {
    long n = full * scale / 100;
    return n > 0 ? n : 1;
}

static uint64_t random_state = 88172645463325252ULL;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void *allocate(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

/* Integer: table-driven CRC-32, one dependent load for each byte. */
static uint64_t crc32_kernel(void) {
    static uint32_t table[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    size_t size = 1 << 20;
    uint8_t *data = allocate(size);
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)next_random();
    uint32_t crc = ~0u;
    for (long round = 0; round < scaled(32); round++)
        for (size_t i = 0; i < size; i++) crc = table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
    munmap(data, size);
    return ~crc;
}

/* Integer: sieve of Eratosthenes, strided stores. */
static uint64_t sieve_kernel(void) {
    long n = 2000000;
    uint8_t *composite = allocate((size_t)n);
    uint64_t sum = 0;
    for (long round = 0; round < scaled(10); round++) {
        memset(composite, 0, (size_t)n);
        for (long i = 2; i * i < n; i++)
            if (!composite[i])
                for (long j = i * i; j < n; j += i) composite[j] = 1;
        for (long i = 2; i < n; i++) sum += composite[i] ? 0 : (uint64_t)i;
    }
    munmap(composite, (size_t)n);
    return sum;
}

/* Branchy: recursion. */
static __attribute__((noinline)) uint64_t fib(unsigned n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint64_t fib_kernel(void) {
    uint64_t sum = 0;
    for (long round = 0; round < scaled(20); round++) sum += fib(30);
    return sum;
}

/* Branchy: merge sort with an indirect comparison. */
static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int (*volatile comparison)(const void *, const void *) = ascending;

static void merge_sort(uint32_t *items, uint32_t *spare, size_t n) {
    if (n < 2) return;
    size_t half = n / 2, left = 0, right = half, out = 0;
    merge_sort(items, spare, half);
    merge_sort(items + half, spare, n - half);
    int (*compare)(const void *, const void *) = comparison;
    while (left < half && right < n)
        spare[out++] = compare(&items[left], &items[right]) <= 0 ? items[left++] : items[right++];
    while (left < half) spare[out++] = items[left++];
    while (right < n) spare[out++] = items[right++];
    memcpy(items, spare, n * sizeof *items);
}

static uint64_t sort_kernel(void) {
    size_t n = (size_t)scaled(1000000);
    uint32_t *items = allocate(n * sizeof *items), *spare = allocate(n * sizeof *items);
    for (size_t i = 0; i < n; i++) items[i] = (uint32_t)next_random();
    merge_sort(items, spare, n);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum = sum * 31 + items[i];
    munmap(items, n * sizeof *items);
    munmap(spare, n * sizeof *items);
    return sum;
}

/* Pointer chasing: a binary search tree in random order. */
struct node {
    uint64_t key;
    struct node *child[2];
};

static uint64_t tree_kernel(void) {
    size_t n = (size_t)scaled(300000);
    struct node *nodes = allocate(n * sizeof *nodes);
    struct node *root = NULL;
    uint64_t depth_sum = 0;
    for (size_t i = 0; i < n; i++) {
        nodes[i].key = next_random();
        struct node **at = &root;
        while (*at) {
            at = &(*at)->child[nodes[i].key > (*at)->key];
            depth_sum++;
        }
        *at = &nodes[i];
    }
    munmap(nodes, n * sizeof *nodes);
    return depth_sum;
}

/* Pointer chasing: one dependent load after another through 8 MiB. */
static uint64_t chase_kernel(void) {
    size_t n = 1 << 20;
    uint64_t *ring = allocate(n * sizeof *ring);
    for (size_t i = 0; i < n; i++) ring[i] = i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = next_random() % i;
        uint64_t t = ring[i];
        ring[i] = ring[j];
        ring[j] = t;
    }
    uint64_t at = 0, sum = 0;
    for (long i = 0; i < scaled(4000000); i++) {
        at = ring[at];
        sum += at;
    }
    munmap(ring, n * sizeof *ring);
    return sum;
}

/* Floating point: matrix product, SSE2. */
static uint64_t dgemm_kernel(void) {
    enum { N = 160 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (double)(next_random() % 1000) / 7;
            b[i][j] = (double)(next_random() % 1000) / 11;
            c[i][j] = 0;
        }
    for (long round = 0; round < scaled(8); round++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double f = a[i][k];
                for (int j = 0; j < N; j++) c[i][j] += f * b[k][j];
            }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += c[i][j];
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits;
}

/* Memory copy: `rep movsb`. */
static uint64_t repmovs_kernel(void) {
    size_t size = 4 << 20;
    uint8_t *from = allocate(size), *to = allocate(size);
    for (size_t i = 0; i < size; i += 8) *(uint64_t *)(from + i) = next_random();
    for (long round = 0; round < scaled(40); round++) {
        void *d = to, *s = from;
        size_t n = size;
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i += 8) sum = sum * 31 + *(uint64_t *)(to + i);
    munmap(from, size);
    munmap(to, size);
    return sum;
}

/* Memory copy: 16-byte SSE loads and stores. */
static uint64_t ssecopy_kernel(void) {
    typedef long long vector __attribute__((vector_size(16)));
    size_t size = 4 << 20;
    vector *from = allocate(size), *to = allocate(size);
    uint64_t *words = (uint64_t *)from;
    for (size_t i = 0; i < size / 8; i++) words[i] = next_random();
    for (long round = 0; round < scaled(20); round++) {
        for (size_t i = 0; i < size / 16; i += 4) {
            vector v0 = from[i], v1 = from[i + 1], v2 = from[i + 2], v3 = from[i + 3];
            to[i] = v0;
            to[i + 1] = v1;
            to[i + 2] = v2;
            to[i + 3] = v3;
        }
        __asm__ volatile("" : : : "memory");
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < size / 8; i++) sum = sum * 31 + ((uint64_t *)to)[i];
    munmap(from, size);
    munmap(to, size);
    return sum;
}

/* System calls: getppid. */
static uint64_t syscall_kernel(void) {
    uint64_t same = 0;
    long first = syscall(SYS_getppid);
    for (long i = 0; i < scaled(300000); i++) same += syscall(SYS_getppid) == first;
    return same;
}

/* Processes: fork, exit, wait. */
static uint64_t fork_kernel(void) {
    uint64_t sum = 0;
    for (long i = 0; i < scaled(300); i++) {
        pid_t child = fork();
        if (child == 0) _exit((int)(i & 63));
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            perror("fork");
            exit(1);
        }
        sum += (uint64_t)WEXITSTATUS(status);
    }
    return sum;
}

/* Page faults: touch fresh pages. */
static uint64_t pagefault_kernel(void) {
    size_t size = 16 << 20;
    uint64_t sum = 0;
    for (long round = 0; round < scaled(8); round++) {
        uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(p, size, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < size; i += 4096) {
            p[i] = (uint8_t)(i >> 12);
            sum += p[i];
        }
        munmap(p, size);
    }
    return sum;
}

/* A plain integer loop of eight instructions, for counting instructions a second. */
static uint64_t mips_kernel(void) {
    uint64_t n = (uint64_t)scaled(50000000), a = 1, b = 2, c = 3;
    __asm__ volatile(
        "1:\n\t"
        "add %1, %2\n\t"
        "xor %2, %3\n\t"
        "lea 7(%1,%3,2), %1\n\t"
        "shr $3, %2\n\t"
        "sub %3, %2\n\t"
        "and $0xffffff, %3\n\t"
        "dec %0\n\t"
        "jnz 1b\n\t"
        : "+r"(n), "+r"(a), "+r"(b), "+r"(c)
        :
        : "cc");
    return a ^ b ^ c;
}

static const struct kernel {
    const char *name;
    uint64_t (*run)(void);
} kernels[] = {
    {"mips", mips_kernel},         {"crc32", crc32_kernel},     {"sieve", sieve_kernel},
    {"fib", fib_kernel},           {"sort", sort_kernel},       {"tree", tree_kernel},
    {"chase", chase_kernel},       {"dgemm", dgemm_kernel},     {"repmovs", repmovs_kernel},
    {"ssecopy", ssecopy_kernel},   {"syscall", syscall_kernel}, {"fork", fork_kernel},
    {"pagefault", pagefault_kernel},
};

static int chosen(const char *name, int argc, char **argv) {
    if (argc <= 2) return 1;
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], name) == 0) return 1;
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1) scale = atol(argv[1]);
    if (scale < 1) {
        fprintf(stderr, "usage: bench [SCALE-PERCENT [KERNEL ...]]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        if (!chosen(kernels[i].name, argc, argv)) continue;
        random_state = 88172645463325252ULL;
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        uint64_t checksum = kernels[i].run();
        clock_gettime(CLOCK_MONOTONIC, &end);
        double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        printf("bench %s %.6f %016llx\n", kernels[i].name, seconds, (unsigned long long)checksum);
        fflush(stdout);
    }
    return 0;
}
