package org.jvirt.machine.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.cpu.Segment;
import org.jvirt.machine.layout.MemoryMap;
import org.jvirt.testkit.TestMemory;

final class KernelFileTest {
    private static final long MIB = 1 << 20;
    private static final long RSDP = 0xe_0000;
    private static final int SIGNATURE = 0x30661;

    @TempDir
    private Path directory;

    // ---- Linux

    @Test
    void bzImageIsEnteredIn64BitModeWithItsZeroPage() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        var map = new MemoryMap(64 * MIB, 0);
        BootLoader loader = KernelFile.of(request(kernel, Optional.empty(), "console=ttyS0", map));
        assertThat(loader.description()).contains("2.15", "64-bit");
        assertThat(loader.firmware()).isFalse();
        try (GuestMemory memory = memory(map)) {
            CpuState cpu = loader.load(memory, SIGNATURE);
            assertThat(cpu.general().rip()).isEqualTo(KernelFiles.PREFERRED + 0x200);
            assertThat(cpu.control().efer()).isEqualTo(0x500);
            assertThat(cpu.control().cr0() & 0x8000_0001L).isEqualTo(0x8000_0001L);
            assertThat(cpu.segments().cs().has(Segment.LONG)).isTrue();
            assertThat(cpu.segments().cs().selector()).isEqualTo(0x10);
            assertThat(memory.readInt(KernelFiles.PREFERRED)).isEqualTo(0xa5a5a5a5);
            long zeroPage = cpu.general().rsi();
            assertThat(memory.readInt(zeroPage + 0x202)).isEqualTo(0x53726448);
            assertThat(memory.readByte(zeroPage + 0x210)).isEqualTo(0xff);
            assertThat(memory.readLong(zeroPage + 0x70)).isEqualTo(RSDP);
            assertThat(memory.readByte(zeroPage + 0x1e8)).isEqualTo(map.e820().size());
            assertThat(text(memory, memory.readInt(zeroPage + 0x228))).isEqualTo("console=ttyS0");
            long setupData = memory.readLong(zeroPage + 0x250);
            assertThat(memory.readInt(setupData + 8)).isEqualTo(9);
            assertThat(memory.readInt(setupData + 12)).isEqualTo(32);
            assertThat(memory.readLong(setupData + 16)).isNotZero();
        }
    }

    @Test
    void identityPagesCoverTheFirst4Gib() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            CpuState cpu =
                    KernelFile.of(request(kernel, Optional.empty(), "", map)).load(memory, SIGNATURE);
            for (long gva : new long[] {0, 0x1234_5678L, 0x7fff_ffffL, 0xffff_ffffL}) {
                long table = cpu.control().cr3();
                for (int shift = 39; shift >= 21; shift -= 9) {
                    table = memory.readLong(table + 8 * (gva >>> shift & 0x1ff));
                    assertThat(table & 3).isEqualTo(3);
                    table &= ~0xfffL;
                }
                assertThat(table).isEqualTo(gva & -(2 * MIB));
            }
        }
    }

    @Test
    void anOldKernelIsEnteredIn32BitMode() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, false));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            CpuState cpu =
                    KernelFile.of(request(kernel, Optional.empty(), "", map)).load(memory, SIGNATURE);
            assertThat(cpu.general().rip()).isEqualTo(KernelFiles.PREFERRED);
            assertThat(cpu.control().efer()).isZero();
            assertThat(cpu.control().cr0() & 0x8000_0001L).isEqualTo(1);
            assertThat(cpu.segments().cs().has(Segment.BIG)).isTrue();
            assertThat(cpu.segments().ds().limit()).isEqualTo(0xffff_ffffL);
        }
    }

    @Test
    void initrdLiesAtTheEndOfLowMemory() throws IOException {
        byte[] content = new byte[10_000];
        new Random(1).nextBytes(content);
        Path initrd = file("initrd", content);
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            CpuState cpu =
                    KernelFile.of(request(kernel, Optional.of(initrd), "", map)).load(memory, SIGNATURE);
            long gpa = memory.readInt(cpu.general().rsi() + 0x218);
            assertThat(gpa % 4096).isZero();
            assertThat(gpa).isGreaterThan(63 * MIB);
            byte[] loaded = new byte[memory.readInt(cpu.general().rsi() + 0x21c)];
            memory.read(gpa, loaded);
            assertThat(loaded).isEqualTo(content);
        }
    }

    @Test
    void loadingAgainRestoresWhatTheGuestOverwrote() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            BootLoader loader = KernelFile.of(request(kernel, Optional.empty(), "x", map));
            CpuState first = loader.load(memory, SIGNATURE);
            memory.fill(KernelFiles.PREFERRED, 4096, (byte) 0);
            memory.fill(first.general().rsi(), 4096, (byte) 0x77);
            assertThat(loader.load(memory, SIGNATURE)).isEqualTo(first);
            assertThat(memory.readInt(KernelFiles.PREFERRED)).isEqualTo(0xa5a5a5a5);
            assertThat(memory.readInt(first.general().rsi() + 0x202)).isEqualTo(0x53726448);
        }
    }

    // ---- PVH

    @Test
    void pvhKernelGetsItsStartInformation() throws IOException {
        byte[] content = "a kernel".getBytes(StandardCharsets.US_ASCII);
        Path kernel = file("vmlinux", KernelFiles.elf64(16 * MIB, content, 8192, 0x100_1000));
        Path initrd = file("initrd", new byte[] {1, 2, 3});
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            memory.fill(16 * MIB, 8192, (byte) 0xff);
            CpuState cpu = KernelFile.of(request(kernel, Optional.of(initrd), "quiet", map))
                    .load(memory, SIGNATURE);
            assertThat(cpu.general().rip()).isEqualTo(0x100_1000);
            byte[] loaded = new byte[content.length];
            memory.read(16 * MIB, loaded);
            assertThat(loaded).isEqualTo(content);
            assertThat(memory.readLong(16 * MIB + 4096))
                    .as("zeroed behind the file's part")
                    .isZero();
            long info = cpu.general().rbx();
            assertThat(memory.readInt(info)).isEqualTo(0x336ec578);
            assertThat(memory.readInt(info + 12)).isEqualTo(1);
            assertThat(memory.readLong(memory.readLong(info + 16) + 8)).isEqualTo(3);
            assertThat(text(memory, memory.readLong(info + 24))).isEqualTo("quiet");
            assertThat(memory.readLong(info + 32)).isEqualTo(RSDP);
            assertThat(memory.readInt(info + 48)).isEqualTo(map.e820().size());
        }
    }

    @Test
    void elfWithoutNoteIsRefusedWithTheRemedy() throws IOException {
        Path kernel = file("vmlinux", KernelFiles.elf64(16 * MIB, new byte[16], 16, 0));
        assertThatThrownBy(() -> boot(kernel, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("neither a PVH note nor a multiboot header: give the bzImage");
    }

    @Test
    void elfBehindTheEndOfMemoryIsRefusedWithTheSizeNeeded() throws IOException {
        Path kernel = file("vmlinux", KernelFiles.elf64(128 * MIB, new byte[16], (int) MIB, 0x800_0000));
        assertThatThrownBy(() -> boot(kernel, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("64 MiB end")
                .hasMessageContaining("give at least 129 MiB");
    }

    // ---- multiboot

    @Test
    void multibootElfGetsItsInformation() throws IOException {
        Path kernel = file("test.flat", KernelFiles.multiboot32((int) (4 * MIB), 4096));
        Path module = file("env", "A=1\n".getBytes(StandardCharsets.US_ASCII));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            CpuState cpu = KernelFile.of(request(kernel, Optional.of(module), "one two", map))
                    .load(memory, SIGNATURE);
            assertThat(cpu.general().rax()).isEqualTo(0x2badb002);
            assertThat(cpu.general().rip()).isEqualTo(4 * MIB + 12);
            long info = cpu.general().rbx();
            assertThat(text(memory, memory.readInt(info + 16))).isEqualTo(kernel + " one two");
            assertThat(memory.readInt(info + 8)).isEqualTo((63 * MIB) >> 10);
            long modules = memory.readInt(info + 24);
            assertThat(memory.readInt(info + 20)).isEqualTo(1);
            assertThat(text(memory, memory.readInt(modules))).startsWith("A=1");
            assertThat(memory.readInt(modules + 4) - memory.readInt(modules)).isEqualTo(4);
            assertThat(memory.readInt(info + 44)).isEqualTo(24 * map.e820().size());
        }
    }

    @Test
    void multibootElfMayLieBelow1MibWhereNothingIsHandedOver() throws IOException {
        var map = new MemoryMap(64 * MIB, 0);
        Path free = file("low.flat", KernelFiles.multiboot32(0x8000, 0x6000));
        try (GuestMemory memory = memory(map)) {
            CpuState cpu =
                    KernelFile.of(request(free, Optional.empty(), "", map)).load(memory, SIGNATURE);
            assertThat(cpu.general().rip()).isEqualTo(0x8000 + 12);
            assertThat(memory.readInt(0x8000)).isEqualTo(0x1badb002);
        }
        for (int gpa : new int[] {0x500, 0x6000, 0x1_f000, 0x2_f000, 0x9_f000}) {
            Path taken = file("taken.flat", KernelFiles.multiboot32(gpa, 0x2000));
            assertThatThrownBy(() -> KernelFile.of(request(taken, Optional.empty(), "", map)))
                    .hasMessageContaining("keeps its tables");
        }
    }

    @Test
    void multibootHeaderMayHoldTheAddresses() throws IOException {
        Path kernel = file("plain", KernelFiles.multibootPlain((int) (2 * MIB)));
        var map = new MemoryMap(64 * MIB, 0);
        try (GuestMemory memory = memory(map)) {
            memory.fill(2 * MIB, 4096, (byte) 0xff);
            CpuState cpu =
                    KernelFile.of(request(kernel, Optional.empty(), "", map)).load(memory, SIGNATURE);
            assertThat(cpu.general().rip()).isEqualTo(2 * MIB + 32);
            assertThat(memory.readInt(2 * MIB)).isEqualTo(0x1badb002);
            assertThat(memory.readInt(2 * MIB + 1024)).isZero();
        }
    }

    // ---- bad files

    @Test
    void missingFilesAndFoldersAreNamed() {
        assertThatThrownBy(() -> boot(directory.resolve("nowhere"), 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageStartingWith("There is no kernel '");
        assertThatThrownBy(() -> boot(directory, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageEndingWith("is not a file");
    }

    @Test
    void textIsNoKernel() throws IOException {
        Path kernel = file("notes.txt", "just some text\n".repeat(100).getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> boot(kernel, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("is not a kernel")
                .hasMessageEndingWith("it is a text file");
        assertThatThrownBy(() -> boot(file("empty", new byte[0]), 64)).hasMessageEndingWith("it is empty");
    }

    @Test
    void truncatedKernelsAreRefused() throws IOException {
        byte[] whole = KernelFiles.bzImage(4096, true);
        Path half = file("half", Arrays.copyOf(whole, KernelFiles.SETUP_BYTES + 100));
        assertThatThrownBy(() -> boot(half, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("is truncated: it has 2660 bytes of 6656");
        byte[] elf = KernelFiles.elf64(16 * MIB, new byte[64], 64, 0x100_0000);
        Path cut = file("cut", Arrays.copyOf(elf, elf.length - 1));
        assertThatThrownBy(() -> boot(cut, 64))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("is truncated");
    }

    @Test
    void everyPrefixAndEveryDamagedByteIsAnsweredWithAMessage() throws IOException {
        var random = new Random(42);
        byte[][] kernels = {
            KernelFiles.bzImage(64, true),
            KernelFiles.elf64(16 * MIB, new byte[16], 64, 0x100_0000),
            KernelFiles.multiboot32((int) (4 * MIB), 4096),
            KernelFiles.multibootPlain((int) (2 * MIB))
        };
        Path path = directory.resolve("damaged");
        var map = new MemoryMap(32 * MIB, 0);
        GuestMemory memory = memory(map);
        for (byte[] kernel : kernels) {
            for (int i = 0; i < 400; i++) {
                byte[] damaged =
                        Arrays.copyOf(kernel, random.nextBoolean() ? kernel.length : random.nextInt(kernel.length));
                for (int flips = random.nextInt(4); flips > 0 && damaged.length > 0; flips--) {
                    damaged[random.nextInt(Math.min(damaged.length, 0x270))] = (byte) random.nextInt();
                }
                Files.write(path, damaged);
                try {
                    KernelFile.of(request(path, Optional.empty(), "", map)).load(memory, SIGNATURE);
                } catch (UserErrorException e) {
                    assertThat(e).hasMessageContaining("damaged");
                }
            }
        }
        memory.close();
    }

    @Test
    void aKernelThatNeedsMoreMemoryNamesHowMuch() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        assertThatThrownBy(() -> boot(kernel, 16))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("needs memory from 0x1000000 to 0x1200000")
                .hasMessageEndingWith("give at least 18 MiB");
    }

    @Test
    void anInitrdThatDoesNotFitNamesHowMuchMemoryWould() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        Path initrd = file("initrd", new byte[(int) (20 * MIB)]);
        var map = new MemoryMap(32 * MIB, 0);
        assertThatThrownBy(() -> KernelFile.of(request(kernel, Optional.of(initrd), "", map)))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("has 20 MiB, but only 14 MiB are free")
                .hasMessageEndingWith("give at least 39 MiB of memory");
    }

    @Test
    void aCommandLineLongerThanTheKernelTakesIsRefused() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        var map = new MemoryMap(64 * MIB, 0);
        assertThatThrownBy(() -> KernelFile.of(request(kernel, Optional.empty(), "x".repeat(2048), map)))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("has 2048 bytes; this kernel takes 2047");
    }

    @Test
    void anInitrdThatShrinksIsAFailureOfTheHost() throws IOException {
        Path kernel = file("vmlinuz", KernelFiles.bzImage(4096, true));
        Path initrd = file("initrd", new byte[10_000]);
        var map = new MemoryMap(64 * MIB, 0);
        BootLoader loader = KernelFile.of(request(kernel, Optional.of(initrd), "", map));
        Files.write(initrd, new byte[10]);
        try (GuestMemory memory = memory(map)) {
            assertThatThrownBy(() -> loader.load(memory, SIGNATURE))
                    .isInstanceOf(HostFailureException.class)
                    .hasMessageContaining("has become shorter");
        }
    }

    // ---- firmware

    @Test
    void firmwareLiesBelow4GibAndBelow1Mib() throws IOException {
        byte[] image = new byte[256 << 10];
        new Random(7).nextBytes(image);
        var firmware = new FirmwareImage(file("bios.bin", image));
        var map = new MemoryMap(32 * MIB, firmware.sizeBytes());
        try (GuestMemory memory = memory(map)) {
            CpuState cpu = firmware.load(memory, SIGNATURE);
            assertThat(cpu.segments().cs().base() + cpu.general().rip()).isEqualTo(0xffff_fff0L);
            byte[] tail = new byte[16];
            memory.read(0xffff_fff0L, tail);
            assertThat(tail).isEqualTo(Arrays.copyOfRange(image, image.length - 16, image.length));
            memory.read(0xf_fff0, tail);
            assertThat(tail).isEqualTo(Arrays.copyOfRange(image, image.length - 16, image.length));
            memory.read(0xe_0000, tail);
            assertThat(tail).isEqualTo(Arrays.copyOfRange(image, 128 << 10, (128 << 10) + 16));
        }
    }

    @Test
    void firmwareOfAnOddSizeIsRefused() throws IOException {
        Path odd = file("odd.bin", new byte[1000]);
        assertThatThrownBy(() -> new FirmwareImage(odd))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("has 1000 bytes");
    }

    private BootLoader boot(Path kernel, int mib) {
        return KernelFile.of(request(kernel, Optional.empty(), "", new MemoryMap(mib * MIB, 0)));
    }

    private static BootRequest request(Path kernel, Optional<Path> initrd, String line, MemoryMap map) {
        return new BootRequest(kernel, initrd, line, map, RSDP, new Random(3)::nextBytes);
    }

    private static GuestMemory memory(MemoryMap map) {
        return TestMemory.of(map.backingBytes(), map.slots());
    }

    private Path file(String name, byte[] content) throws IOException {
        return Files.write(directory.resolve(name), content);
    }

    private static String text(GuestMemory memory, long gpa) {
        var text = new StringBuilder();
        for (long at = gpa; memory.readByte(at) != 0; at++) {
            text.append((char) memory.readByte(at));
        }
        return text.toString();
    }
}
