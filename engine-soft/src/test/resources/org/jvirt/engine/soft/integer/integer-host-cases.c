/*
 * Executes single instructions on the host processor, for HostCaseRecorder.
 *
 * Input, per case:  u32 length, 20 bytes of code, u64 flags, 16 registers of 8 bytes, 4096 bytes of memory.
 * Output, per case: i64 exception vector or -1, u64 flags, 16 registers, 4096 bytes of memory.
 *
 * The memory is at 0x20000, registers and the way back at 0x30000, where every absolute address fits in 32 bits. After the
 * instruction control jumps to out(), which changes no flag before it has saved them.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE 0x10000UL
#define AREA 0x20000UL
#define AREA_BYTES 4096
#define SAVE 0x30000UL

struct input {
    uint32_t length;
    uint8_t code[20];
    uint64_t flags, registers[16];
    uint8_t memory[AREA_BYTES];
};

struct output {
    int64_t vector;
    uint64_t flags, registers[16];
    uint8_t memory[AREA_BYTES];
};

void in(void);
void out(void);
asm(".globl in\nin:\n"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "mov %rsp, 0x30088\n"
    "pushq 0x30080; popf\n"
    "mov 0x30000, %rax; mov 0x30008, %rcx; mov 0x30010, %rdx; mov 0x30018, %rbx\n"
    "mov 0x30020, %rsp; mov 0x30028, %rbp; mov 0x30030, %rsi; mov 0x30038, %rdi\n"
    "mov 0x30040, %r8; mov 0x30048, %r9; mov 0x30050, %r10; mov 0x30058, %r11\n"
    "mov 0x30060, %r12; mov 0x30068, %r13; mov 0x30070, %r14; mov 0x30078, %r15\n"
    "jmp *0x30090\n"
    ".globl out\nout:\n"
    "mov %rax, 0x30000; mov %rcx, 0x30008; mov %rdx, 0x30010; mov %rbx, 0x30018\n"
    "mov %rsp, 0x30020; mov %rbp, 0x30028; mov %rsi, 0x30030; mov %rdi, 0x30038\n"
    "mov %r8, 0x30040; mov %r9, 0x30048; mov %r10, 0x30050; mov %r11, 0x30058\n"
    "mov %r12, 0x30060; mov %r13, 0x30068; mov %r14, 0x30070; mov %r15, 0x30078\n"
    "mov 0x30088, %rsp\n"
    "pushf; popq 0x30080; cld\n"
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static sigjmp_buf back;
static volatile int caught;

static void handler(int number, siginfo_t *info, void *context) {
    (void)info;
    (void)context;
    caught = number;
    siglongjmp(back, 1);
}

static int vector_of(int number) {
    switch (number) {
    case SIGFPE: return 0;
    case SIGILL: return 6;
    default: return 13;
    }
}

static void page(unsigned long address) {
    int protection = PROT_READ | PROT_WRITE | PROT_EXEC;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap((void *)address, 4096, protection, flags, -1, 0) == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
}

int main(int count, char **arguments) {
    static struct input test;
    static struct output result;
    if (count != 3) {
        return 2;
    }
    page(CODE);
    page(AREA);
    page(SAVE);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    int signals[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS};
    for (int i = 0; i < 4; i++) {
        sigaction(signals[i], &action, NULL);
    }
    FILE *from = fopen(arguments[1], "rb");
    FILE *to = fopen(arguments[2], "wb");
    if (from == NULL || to == NULL) {
        perror("fopen");
        return 1;
    }
    uint64_t *save = (uint64_t *)SAVE;
    save[18] = CODE;
    while (fread(&test, 24, 1, from) == 1 && fread(&test.flags, sizeof test - 24, 1, from) == 1) {
        uint8_t *code = (uint8_t *)CODE;
        memcpy(code, test.code, test.length);
        code += test.length;
        *code++ = 0xff; /* jmp [rip + 0] */
        *code++ = 0x25;
        memset(code, 0, 4);
        uint64_t target = (uint64_t)out;
        memcpy(code + 4, &target, 8);
        memcpy((void *)AREA, test.memory, AREA_BYTES);
        memcpy(save, test.registers, sizeof test.registers);
        save[16] = test.flags | 0x202;
        memset(&result, 0, sizeof result);
        result.vector = -1;
        if (sigsetjmp(back, 1) == 0) {
            in();
            memcpy(result.registers, save, sizeof result.registers);
            result.flags = save[16];
        } else {
            result.vector = vector_of(caught);
        }
        memcpy(result.memory, (void *)AREA, AREA_BYTES);
        fwrite(&result, sizeof result, 1, to);
    }
    return fclose(to);
}
