package org.jvirt.engine.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AL;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.BX;
import static org.jvirt.x86.Registers.CX;
import static org.jvirt.x86.Registers.DS;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.TscClock;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.VmSpec;
import org.jvirt.core.cpu.CpuFeature;
import org.jvirt.core.cpu.CpuidLeaf;
import org.jvirt.core.cpu.CpuidTable;
import org.jvirt.testkit.ManualClock;
import org.jvirt.testkit.TestMemory;

/// What a VM of KVM asks of the host and gives back.
final class KvmVmTest {
    private static final MemorySlot RAM = new MemorySlot(0, 0, 1 << 20, 0, false);

    @BeforeAll
    static void needsKvm() {
        Optional<String> problem = KvmProbe.probe().problem();
        assumeTrue(problem.isEmpty(), () -> problem.orElse(""));
    }

    private static long kvmDescriptors() throws Exception {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors
                    .filter(each -> {
                        try {
                            String target = Files.readSymbolicLink(each).toString();
                            return target.contains("kvm") || target.contains("eventfd");
                        } catch (IOException e) {
                            return false;
                        }
                    })
                    .count();
        }
    }

    @Test
    void aClosedVmHoldsNoDescriptor() throws Exception {
        long before = kvmDescriptors();
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT)) {
            var bell = guest.vm.doorbell("test");
            var route = guest.vm.msi().route(0xFEE0_0000L, 0x40);
            assertThat(kvmDescriptors()).isGreaterThan(before);
            route.close();
            bell.close();
        }
        assertThat(kvmDescriptors()).isEqualTo(before);
    }

    @Test
    void tooManySlotsAreNamed() {
        try (var device = KvmDevice.open();
                var memory = TestMemory.of(
                        0x2000,
                        List.of(
                                new MemorySlot(0, 0, 0x1000, 0, false),
                                new MemorySlot(1, 0x2000, 0x1000, 0x1000, false)))) {
            var rings = new DirtyRings(device.file(), 0);
            assertThatThrownBy(() -> new SlotMap(device.file(), memory, 1, rings))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessage("The VM needs 2 memory slots, and this host's KVM has 1 for a VM");
        }
    }

    @Test
    void tooManyVcpusAreNamed() {
        var kvm = new KvmHypervisor();
        try (var memory = TestMemory.ofBytes(0x1000)) {
            var spec = new VmSpec(
                    "big",
                    memory,
                    new CpuidTable(List.of()),
                    100_000,
                    new TscClock(new ManualClock(), 1_000_000_000),
                    Optional.empty());
            assertThatThrownBy(() -> kvm.createVm(spec))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("VM big asks for 100000 vCPUs");
        }
    }

    @Test
    void featuresThatTheHostLacksAreNamed() {
        var kvm = new KvmHypervisor();
        assumeTrue(!kvm.supportedFeatures().contains(CpuFeature.SSE4A)
                || !kvm.supportedFeatures().contains(CpuFeature.LA57));
        CpuFeature missing = kvm.supportedFeatures().contains(CpuFeature.LA57) ? CpuFeature.SSE4A : CpuFeature.LA57;
        int[] registers = new int[4];
        registers[missing.register().ordinal()] = 1 << missing.bit();
        try (var memory = TestMemory.ofBytes(0x1000)) {
            var spec = new VmSpec(
                    "v",
                    memory,
                    new CpuidTable(List.of(new CpuidLeaf(
                            missing.function(),
                            missing.index(),
                            registers[0],
                            registers[1],
                            registers[2],
                            registers[3]))),
                    1,
                    new TscClock(new ManualClock(), 1_000_000_000),
                    Optional.empty());
            assertThatThrownBy(() -> kvm.createVm(spec))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("This host's KVM has no " + missing.flag());
        }
    }

    @Test
    void ringsOfDirtyPagesTellTheSameAsTheLog() throws Exception {
        try (var device = KvmDevice.open()) {
            assumeTrue(device.has(KvmCapability.KVM_CAP_DIRTY_LOG_RING), "this KVM has no dirty rings");
        }
        // as many entries as a ring has at least; more pages are written than fit
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT.withDirtyRing(1024))) {
            assertThat(guest.vm.takeDirtyPages(RAM).count()).isEqualTo(256);
            guest.load(RealModeGuest.code(RealModeGuest.CODE)
                    .mov(AX, 0x2000)
                    .mov(CX, 8)
                    .label("next")
                    .mov(DS, AX)
                    .mov(BX, 0)
                    .mov(mem(BX).word(), CX)
                    .add(AX, 0x200)
                    .dec(CX)
                    .jnz("next")
                    .mov(AX, 0)
                    .mov(DS, AX)
                    .out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            var dirty = guest.vm.takeDirtyPages(RAM).pages();
            for (int page = 0x20; page < 0x30; page++) {
                assertThat(dirty.get(page)).as("page 0x%x", page).isEqualTo(page % 2 == 0);
            }
            assertThat(guest.vm.takeDirtyPages(RAM).count()).isZero();
        }
    }

    @Test
    void ringsThatKvmDoesNotOfferAreRefused() {
        assertThatThrownBy(() -> DirtyRings.check(1 << 20, 4096))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("takes up to 256");
        assertThatThrownBy(() -> DirtyRings.check(1024, 0)).hasMessageContaining("KVM_CAP_DIRTY_LOG_RING");
    }

    @Test
    void haltPollingIsSetForEachVm() throws Exception {
        try (var device = KvmDevice.open()) {
            assumeTrue(device.has(KvmCapability.KVM_CAP_HALT_POLL), "this KVM has no halt polling for each VM");
        }
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT.withHaltPollNanos(0))) {
            guest.load(RealModeGuest.code(RealModeGuest.CODE)
                    .mov(AL, 3)
                    .out(0x10, AL)
                    .out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            assertThat(guest.awaitWrite(0x10)).isEqualTo(3);
        }
    }

    @Test
    void storesAreCollectedAndDeliveredInOrderBeforeTheNextExit() throws Exception {
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT)) {
            // real mode sees 1 MiB and 64 KiB; what lies above the RAM is a device
            guest.vm.collectStores(0x10_0000, 0x1000);
            guest.load(RealModeGuest.code(RealModeGuest.CODE)
                    .mov(AX, 0xFFFF)
                    .mov(DS, AX)
                    .mov(BX, 0x10)
                    .mov(CX, 300)
                    .label("next")
                    .mov(mem(BX).word(), CX)
                    .dec(CX)
                    .jnz("next")
                    .out(0x10, AL)
                    .out(RealModeGuest.EXIT_PORT, AL));
            RealModeGuest.await(guest.start());
            for (int i = 300; i > 0; i--) {
                assertThat(guest.awaitWrite(0x10_0000)).isEqualTo(i);
            }
            assertThat(guest.awaitWrite(0x10)).isEqualTo(0xFF);
        }
    }

    /// The least allocation on the vCPU's own thread in 10000 exits: before the way is compiled, the Java machine
    /// itself allocates on it.
    private static final class AllocationMeter implements IntPredicate {
        private static final int ROUND = 10_000;
        private static final long FEW_BYTES = 5_000;

        private final com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final RealModeGuest guest;
        private int exits;
        private long before;
        private volatile long bytes = Long.MAX_VALUE;

        AllocationMeter(RealModeGuest guest) {
            this.guest = guest;
        }

        @Override
        public boolean test(int port) {
            exits++;
            if (exits % ROUND == 0) {
                long now = threads.getCurrentThreadAllocatedBytes();
                if (exits > ROUND) {
                    bytes = Math.min(bytes, now - before);
                }
                before = now;
                if (exits >= 10 * ROUND || bytes < FEW_BYTES) {
                    guest.vcpu.kick();
                }
            }
            return true;
        }
    }

    @Test
    void anExitAllocatesNothing() throws Exception {
        try (var guest = new RealModeGuest(KvmOptions.DEFAULT)) {
            var meter = new AllocationMeter(guest);
            guest.everyWrite = meter;
            guest.load(RealModeGuest.code(RealModeGuest.CODE)
                    .label("next")
                    .out(0x10, AL)
                    .jmp("next"));
            RealModeGuest.await(guest.start());
            // far below a byte for each exit
            assertThat(meter.bytes).isBetween(0L, AllocationMeter.FEW_BYTES);
        }
    }

    @Test
    void theHostsTscIsWhatCannotBeScaled() {
        var kvm = new KvmHypervisor();
        long given = kvm.tscHz(1_000_000_000L);
        assertThat(given).isBetween(100_000_000L, 10_000_000_000L);
        assertThat(kvm.tscHz(given)).as("what was given once is given again").isEqualTo(given);
    }
}
