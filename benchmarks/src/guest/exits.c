/* What an exit costs without any program around it: one vCPU in real mode writes to a port for ever, and this loop does
 * nothing but enter it again. `./build bench exits` compiles it, runs it in turns with jvirt, and shows both.
 *
 * exits COUNT: prints the nanoseconds for each exit, the first tenth not counted.
 * Source: Linux, Documentation/virt/kvm/api.rst.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

static void check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    /* out 0x10, al; jmp back */
    static const unsigned char code[] = {0xE6, 0x10, 0xEB, 0xFC};
    long count = argc > 1 ? atol(argv[1]) : 100000;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    check(kvm >= 0, "/dev/kvm");
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    check(vm >= 0, "KVM_CREATE_VM");
    check(ioctl(vm, KVM_SET_TSS_ADDR, 0xFEFFD000UL) >= 0, "KVM_SET_TSS_ADDR");
    check(ioctl(vm, KVM_CREATE_IRQCHIP, 0) >= 0, "KVM_CREATE_IRQCHIP");
    unsigned char *memory = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED, "mmap");
    memcpy(memory + 0x1000, code, sizeof code);
    struct kvm_userspace_memory_region region = {
        .memory_size = 0x10000, .userspace_addr = (unsigned long)memory};
    check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) >= 0, "KVM_SET_USER_MEMORY_REGION");
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    check(vcpu >= 0, "KVM_CREATE_VCPU");
    int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_run *run = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    check(run != MAP_FAILED, "mmap of the vCPU");
    struct kvm_sregs system;
    check(ioctl(vcpu, KVM_GET_SREGS, &system) >= 0, "KVM_GET_SREGS");
    system.cs.base = 0;
    system.cs.selector = 0;
    check(ioctl(vcpu, KVM_SET_SREGS, &system) >= 0, "KVM_SET_SREGS");
    struct kvm_regs general = {.rip = 0x1000, .rflags = 2};
    check(ioctl(vcpu, KVM_SET_REGS, &general) >= 0, "KVM_SET_REGS");
    double start = 0;
    long first = count / 10;
    for (long i = 0; i < count + first; i++) {
        if (i == first)
            start = now();
        check(ioctl(vcpu, KVM_RUN, 0) >= 0, "KVM_RUN");
        if (run->exit_reason != KVM_EXIT_IO || run->io.port != 0x10) {
            fprintf(stderr, "exits: unexpected exit %u\n", run->exit_reason);
            return 1;
        }
    }
    printf("%.1f\n", (now() - start) / count);
    return 0;
}
