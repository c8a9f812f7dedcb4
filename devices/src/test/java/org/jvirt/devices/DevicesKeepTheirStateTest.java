package org.jvirt.devices;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.CharBackend;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.IoDevice;
import org.jvirt.core.PowerControl;
import org.jvirt.core.TscClock;
import org.jvirt.core.interrupt.ApicConfig;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;
import org.jvirt.devices.Twins.Ports;
import org.jvirt.devices.Twins.Twin;
import org.jvirt.devices.acpi.PowerManagement;
import org.jvirt.devices.acpi.PowerManagementState;
import org.jvirt.devices.acpi.ResetControl;
import org.jvirt.devices.fwcfg.FwCfg;
import org.jvirt.devices.fwcfg.FwCfgKey;
import org.jvirt.devices.fwcfg.FwCfgState;
import org.jvirt.devices.interrupt.PcInterrupts;
import org.jvirt.devices.legacy.DmaController;
import org.jvirt.devices.legacy.I8042;
import org.jvirt.devices.legacy.I8042State;
import org.jvirt.devices.legacy.SystemControlPortA;
import org.jvirt.devices.legacy.Uart16550;
import org.jvirt.devices.legacy.UartState;
import org.jvirt.devices.time.CmosSettings;
import org.jvirt.devices.time.Hpet;
import org.jvirt.devices.time.HpetState;
import org.jvirt.devices.time.Pit8254;
import org.jvirt.devices.time.Rtc;
import org.jvirt.devices.time.RtcState;
import org.jvirt.testkit.RecordingLine;
import org.jvirt.testkit.RecordingMsi;
import org.jvirt.testkit.TestMemory;

/// No access disturbs a device, and a device built from a record goes on exactly as the saved one.
final class DevicesKeepTheirStateTest {
    private static final PowerControl NO_POWER = new PowerControl() {
        @Override
        public void powerOff() {}

        @Override
        public void reset() {}

        @Override
        public void exit(int exitCode) {}
    };

    private Twins twins = new Twins();

    private void manySeeds(LongConsumer consumer) {
        for (long seed = 0; seed < 40; seed++) {
            twins = new Twins();
            consumer.accept(seed);
        }
    }

    @Test
    void pit() {
        manySeeds(seed -> {
            var line = new RecordingLine();
            twins.check(
                    seed,
                    pitTwin(new Pit8254(twins.clock(), line), line),
                    (PitState saved) -> {
                        var other = new RecordingLine();
                        return pitTwin(new Pit8254(twins.clock(), other, saved), other);
                    },
                    0x34,
                    0x30,
                    0x36,
                    0xb6,
                    0xe2,
                    0x10,
                    0xff);
        });
    }

    private static Twin<PitState> pitTwin(Pit8254 pit, RecordingLine line) {
        return new Twin<>(List.of(Ports.of(pit, 4), Ports.of(pit.portB(), 1)), List.of(line), pit::save);
    }

    @Test
    void rtc() {
        manySeeds(seed -> {
            var line = new RecordingLine();
            var settings = new CmosSettings(1L << 30, 1L << 32, 4);
            twins.check(seed, rtcTwin(new Rtc(twins.clock(), line, 0, settings), line), (RtcState saved) -> {
                var other = new RecordingLine();
                return rtcTwin(new Rtc(twins.clock(), other, saved), other);
            });
        });
    }

    private static Twin<RtcState> rtcTwin(Rtc rtc, RecordingLine line) {
        // Only the clock registers, lest they drown in 128 bytes of memory.
        return new Twin<>(List.of(new Ports(new RtcRegisters(rtc), 14, false)), List.of(line), rtc::save);
    }

    private record RtcRegisters(Rtc rtc) implements ByteDevice {
        @Override
        public int readByte(int offset) {
            rtc.writeByte(0, offset);
            return rtc.readByte(1);
        }

        @Override
        public void writeByte(int offset, int value) {
            rtc.writeByte(0, offset);
            rtc.writeByte(1, value);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {Hpet.PERIOD_FEMTOS_10_NS, Hpet.PERIOD_FEMTOS_ICH9})
    void hpet(long period) {
        manySeeds(seed -> {
            Lines lines = new Lines();
            twins.check(
                    seed,
                    hpetTwin(new Hpet(twins.clock(), 3, period, lines, new RecordingMsi()), lines),
                    (HpetState saved) -> {
                        Lines others = new Lines();
                        return hpetTwin(new Hpet(twins.clock(), period, others, new RecordingMsi(), saved), others);
                    },
                    1,
                    3,
                    0x2e44,
                    0x2a4c,
                    0x14c,
                    1000,
                    0x100_0000);
        });
    }

    private static Twin<HpetState> hpetTwin(Hpet hpet, Lines lines) {
        return new Twin<>(List.of(Ports.mmio(hpet, 0x180)), lines.all, hpet::save);
    }

    private static final class Lines implements IntFunction<InterruptLine> {
        private final List<RecordingLine> all = new ArrayList<>();

        @Override
        public RecordingLine apply(int gsi) {
            var line = new RecordingLine();
            all.add(line);
            return line;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void powerManagement(boolean wide) {
        manySeeds(seed -> {
            var line = new RecordingLine();
            twins.check(
                    seed,
                    pmTwin(new PowerManagement(twins.clock(), line, NO_POWER, wide), line),
                    (PowerManagementState saved) -> {
                        var other = new RecordingLine();
                        return pmTwin(new PowerManagement(twins.clock(), other, NO_POWER, wide, saved), other);
                    },
                    2,
                    3,
                    0x2001,
                    0x10001);
        });
    }

    private static Twin<PowerManagementState> pmTwin(PowerManagement pm, RecordingLine line) {
        return new Twin<>(List.of(Ports.of(pm, 128), Ports.of(pm.apmPorts(), 2)), List.of(line), pm::save);
    }

    @Test
    void resetControlAndPort92() {
        manySeeds(seed -> {
            var cf9 = new ResetControl(NO_POWER);
            twins.check(
                    seed, new Twin<>(List.of(Ports.of(cf9, 1)), List.of(), cf9::save), (ResetControl.State saved) -> {
                        var other = new ResetControl(NO_POWER, saved);
                        return new Twin<>(List.of(Ports.of(other, 1)), List.of(), other::save);
                    });
            var port92 = new SystemControlPortA(NO_POWER);
            twins.check(
                    seed,
                    new Twin<>(List.of(Ports.of(port92, 1)), List.of(), port92::save),
                    (SystemControlPortA.State saved) -> {
                        var other = new SystemControlPortA(NO_POWER, saved);
                        return new Twin<>(List.of(Ports.of(other, 1)), List.of(), other::save);
                    });
        });
    }

    @Test
    void uart() {
        manySeeds(seed -> {
            var line = new RecordingLine();
            var uart = new Uart16550("serial0", twins.clock(), line, new Silence());
            // Loopback, so that characters arrive.
            uart.writeByte(4, 0x1b);
            twins.check(
                    seed,
                    uartTwin(uart, line),
                    (UartState saved) -> {
                        var other = new RecordingLine();
                        return uartTwin(new Uart16550("serial0", twins.clock(), other, new Silence(), saved), other);
                    },
                    0x1b,
                    0x0b,
                    0xc7,
                    0x03,
                    0x0f);
        });
    }

    private static Twin<UartState> uartTwin(Uart16550 uart, RecordingLine line) {
        return new Twin<>(List.of(Ports.of(uart, 8)), List.of(line), uart::save);
    }

    private static final class Silence implements CharBackend {
        @Override
        public void connect(Receiver receiver) {}

        @Override
        public void write(byte[] bytes, int offset, int length) {}

        @Override
        public void receiverReady() {}

        @Override
        public void close() {}
    }

    @Test
    void i8042() {
        manySeeds(seed -> {
            List<RecordingLine> lines = List.of(new RecordingLine(), new RecordingLine());
            twins.check(
                    seed,
                    i8042Twin(new I8042(lines.get(0), lines.get(1), NO_POWER), lines),
                    (I8042State saved) -> {
                        List<RecordingLine> others = List.of(new RecordingLine(), new RecordingLine());
                        return i8042Twin(new I8042(others.get(0), others.get(1), NO_POWER, saved), others);
                    },
                    0xd4,
                    0xff,
                    0xf2,
                    0xf3,
                    0xe8,
                    0xf4,
                    0x60,
                    0x20,
                    0xed,
                    0xf0,
                    0xeb);
        });
    }

    private static Twin<I8042State> i8042Twin(I8042 i8042, List<RecordingLine> lines) {
        return new Twin<>(List.of(Ports.of(i8042.dataPort(), 1), Ports.of(i8042.commandPort(), 1)), lines, i8042::save);
    }

    @Test
    void dmaController() {
        manySeeds(seed -> twins.check(
                seed, dmaTwin(new DmaController()), (DmaController.State saved) -> dmaTwin(new DmaController(saved))));
    }

    private static Twin<DmaController.State> dmaTwin(DmaController dma) {
        return new Twin<>(
                List.of(Ports.of(dma.first(), 16), Ports.of(dma.second(), 32), Ports.of(dma.pages(), 15)),
                List.of(),
                dma::save);
    }

    @Test
    void fwCfg() {
        GuestMemory memory = TestMemory.ofBytes(1 << 20);
        Function<FwCfg.Builder, FwCfg.Builder> content = builder -> builder.item32(FwCfgKey.NB_CPUS, 2)
                .file("etc/some", "content".getBytes(StandardCharsets.US_ASCII))
                .file("etc/made", 4, () -> new byte[] {1, 2})
                .writableFile("etc/taken", new byte[16], bytes -> {});
        manySeeds(seed -> twins.check(
                seed,
                fwCfgTwin(content.apply(FwCfg.builder()).build(memory)),
                (FwCfgState saved) -> fwCfgTwin(content.apply(FwCfg.builder()).build(memory, saved)),
                0x19,
                0x20,
                0x21,
                0x22,
                0x5,
                0));
        memory.close();
    }

    private static Twin<FwCfgState> fwCfgTwin(FwCfg fwCfg) {
        return new Twin<>(List.of(Ports.of(fwCfg, FwCfg.BYTES)), List.of(), fwCfg::save);
    }

    @Test
    void interruptControllers() {
        manySeeds(seed -> {
            var tsc = new TscClock(twins.clock(), 2_000_000_000L);
            twins.check(
                    seed,
                    interruptTwin(new PcInterrupts(new ApicConfig(3, 40, true), tsc)),
                    (PcInterruptsState saved) -> interruptTwin(new PcInterrupts(tsc, saved)),
                    0x11,
                    0x20,
                    0x1ff,
                    0x20030,
                    0x4500,
                    0x4630,
                    0x8b,
                    3,
                    0x10030,
                    1000,
                    0xff00_0000L);
        });
    }

    private static Twin<PcInterruptsState> interruptTwin(PcInterrupts interrupts) {
        return new Twin<>(
                List.of(
                        Ports.of(interrupts.pins().masterPic(), 2),
                        Ports.of(interrupts.pins().slavePic(), 2),
                        Ports.of(interrupts.pins().elcr(), 2),
                        Ports.mmio(interrupts.pins().ioApic(), 0x48),
                        Ports.mmio(interrupts.localApicPage(0), 0x400),
                        Ports.mmio(interrupts.localApicPage(1), 0x400),
                        Ports.mmio(new Processor(interrupts, 0), 8)),
                List.of(),
                () -> {
                    assertThat(interrupts.id()).isEqualTo("interrupts");
                    return interrupts.save();
                });
    }

    /// A processor's own accesses, as registers.
    private record Processor(PcInterrupts interrupts, int index) implements IoDevice {
        @Override
        public long read(long offset, int size) {
            var local = interrupts.local(index);
            return local.pending() ? local.acknowledge() : local.taskPriority();
        }

        @Override
        public void write(long offset, int size, long value) {
            var local = interrupts.local(index);
            interrupts.line((int) (value & 0xff) % 24).set((value & 0x100) != 0);
            local.setTaskPriority((int) offset & 1);
            local.setTscDeadline(value >>> 20);
        }
    }
}
