package org.jvirt.devices.testdev;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.pci.BarKind;
import org.jvirt.devices.pci.DeviceName;
import org.jvirt.devices.pci.PciFunction;
import org.jvirt.devices.pci.PciFunctionState;
import org.jvirt.devices.pci.PciIdentity;

/// `pci-testdev` (1b36:0005): counts writes to a register of memory (BAR 0) and of ports (BAR 1), so that a test
/// can measure and verify them.
///
/// ```
/// +0  test 1        write: selects test 0, 1, 2 and clears its count
/// +1  width 1       width of the accesses to make; 0: no such test
/// +4  offset 4      where in this BAR
/// +8  data 4        what to write
/// +12 count 4       how many were seen
/// +16 name          for people, ends in 0
/// ```
///
/// Test 1 counts any data, tests 0 and 2 only the data announced.
public final class PciTestDevice extends PciFunction implements Snapshottable<PciTestDevice.State> {
    public static final DeviceName NAME = new DeviceName("pci-testdev", List.of(), "counts accesses for test kernels");

    private static final int MEMORY_BAR_BYTES = 4096;
    private static final int PORT_BAR_BYTES = 256;
    private static final int DATA = 0xfa;
    private static final int WIDTH = 1;
    private static final List<String> TESTS = List.of("no-eventfd", "wildcard-eventfd", "datamatch-eventfd");
    private static final int WILDCARD = 1;
    private static final int NONE = -1;
    private static final int COUNT = 12;
    private static final int NAME_OFFSET = 16;

    private final Half memory = new Half("mmio", MEMORY_BAR_BYTES / 2);
    private final Half ports = new Half("portio", PORT_BAR_BYTES / 2);

    /// @param memoryTest the selected test of BAR 0, or -1; likewise for BAR 1
    public record State(PciFunctionState function, int memoryTest, int memoryCount, int portTest, int portCount) {}

    public PciTestDevice() {
        super("pci-testdev", new PciIdentity(0x1b36, 0x0005, 0, 0x00ff00, 0x1af4, 0x1100));
        addBar(0, BarKind.MEMORY_32, MEMORY_BAR_BYTES, memory);
        addBar(1, BarKind.IO, PORT_BAR_BYTES, ports);
    }

    @Override
    protected void deviceReset() {
        memory.select(NONE, 0);
        ports.select(NONE, 0);
    }

    @Override
    public String id() {
        return name();
    }

    @Override
    public State save() {
        return new State(saveFunction(), memory.test(), memory.count(), ports.test(), ports.count());
    }

    /// Takes over saved state; right after this fresh function was added to its host.
    public void restore(State state) {
        memory.select(state.memoryTest(), state.memoryCount());
        ports.select(state.portTest(), state.portCount());
        restoreFunction(state.function());
    }

    /// One BAR. Thread-safe.
    private static final class Half implements IoDevice {
        private final String kind;
        private final int firstOffset;
        private int test = NONE; // guarded by this
        private int count; // guarded by this

        Half(String kind, int firstOffset) {
            this.kind = kind;
            this.firstOffset = firstOffset;
        }

        synchronized int test() {
            return test;
        }

        synchronized int count() {
            return count;
        }

        synchronized void select(int newTest, int newCount) {
            test = newTest >= 0 && newTest < TESTS.size() ? newTest : NONE;
            count = newCount;
        }

        private byte[] header() {
            byte[] name = (kind + "-" + TESTS.get(test)).getBytes(StandardCharsets.US_ASCII);
            ByteBuffer header =
                    ByteBuffer.allocate(NAME_OFFSET + name.length + 1).order(ByteOrder.LITTLE_ENDIAN);
            header.put(0, (byte) test).put(1, (byte) WIDTH);
            header.putInt(4, firstOffset + test * WIDTH).putInt(8, DATA).putInt(COUNT, count);
            header.put(NAME_OFFSET, name);
            return header.array();
        }

        @Override
        public synchronized long read(long offset, int size) {
            if (test == NONE) {
                return 0;
            }
            byte[] header = header();
            long value = 0;
            for (int i = 0; i < size && offset + i < header.length; i++) {
                value |= (header[(int) offset + i] & 0xffL) << 8 * i;
            }
            return value;
        }

        @Override
        public synchronized void write(long offset, int size, long value) {
            if (offset == 0) {
                select((int) value & 0xff, 0);
            } else if (test != NONE
                    && offset == firstOffset + test * WIDTH
                    && size == WIDTH
                    && (test == WILDCARD || value == DATA)) {
                count++;
            }
        }
    }
}
