package org.jvirt.devices.fwcfg;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jvirt.core.GuestAddressException;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;

/// The firmware configuration device, 12 ports at [#PORT]:
///
/// ```
/// 0x510 selector (16)   0x511 data (8)   0x514 DMA address (64, big-endian; the write of the low half starts)
/// ```
///
/// Items are read byte by byte or by DMA; files are found by name through the directory, sorted as QEMU sorts them,
/// so that keys are the same on every start. Reading past the end gives zeroes.
///
/// Thread-safe: one lock, held while a supplier or a write listener is called; these must not block or call back.
public final class FwCfg implements IoDevice, Snapshottable<FwCfgState> {
    public static final int PORT = 0x510;
    public static final int BYTES = 12;

    /// File names are shorter than this many bytes.
    public static final int MAX_NAME_BYTES = 56;

    private static final int DATA = 1;
    private static final int DMA_HIGH = 4;
    private static final int DMA_LOW = 8;

    private static final int DMA_CTL_ERROR = 0x01;
    private static final int DMA_CTL_READ = 0x02;
    private static final int DMA_CTL_SKIP = 0x04;
    private static final int DMA_CTL_SELECT = 0x08;
    private static final int DMA_CTL_WRITE = 0x10;

    /// "QEMU CFG", which tells that DMA works.
    private static final long DMA_SIGNATURE = 0x5145_4d55_2043_4647L;

    /// Traditional interface and DMA.
    private static final int FEATURES = 3;

    private static final byte[] NOTHING = {};

    private final GuestMemory memory;
    private final Map<Integer, FwCfgItem> items;
    private final Map<String, Integer> fileKeys;
    private final Map<String, byte[]> written = new HashMap<>();
    private int key;
    private int offset;
    private byte[] content = NOTHING;
    private long dmaAddress;

    private FwCfg(GuestMemory memory, Builder builder) {
        this.memory = memory;
        items = new HashMap<>(builder.items);
        fileKeys = new HashMap<>();
        int next = FwCfgKey.FILE_FIRST;
        for (Map.Entry<String, FwCfgItem> file : builder.files.entrySet()) {
            items.put(next, file.getValue());
            fileKeys.put(file.getKey(), next++);
        }
        items.put(FwCfgKey.SIGNATURE, FwCfgItem.of("QEMU".getBytes(StandardCharsets.US_ASCII)));
        items.put(FwCfgKey.ID, FwCfgItem.of(new byte[] {FEATURES, 0, 0, 0}));
        items.put(FwCfgKey.FILE_DIR, FwCfgItem.of(directory(builder.files)));
        selectLocked(0);
    }

    private static byte[] directory(Map<String, FwCfgItem> files) {
        ByteBuffer out = ByteBuffer.allocate(4 + 64 * files.size());
        out.putInt(files.size());
        int next = FwCfgKey.FILE_FIRST;
        for (Map.Entry<String, FwCfgItem> file : files.entrySet()) {
            byte[] name = new byte[MAX_NAME_BYTES];
            byte[] ascii = file.getKey().getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(ascii, 0, name, 0, ascii.length);
            out.putInt(file.getValue().size())
                    .putShort((short) next++)
                    .putShort((short) 0)
                    .put(name);
        }
        return out.array();
    }

    /// Starts a collection of items.
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public String id() {
        return "fw_cfg";
    }

    @Override
    public synchronized FwCfgState save() {
        Map<String, List<Byte>> files = new HashMap<>();
        written.forEach((name, bytes) -> {
            List<Byte> list = new ArrayList<>();
            for (byte b : bytes) {
                list.add(b);
            }
            files.put(name, list);
        });
        return new FwCfgState(key, offset, dmaAddress, files);
    }

    private void load(FwCfgState s) {
        s.written().forEach((name, list) -> {
            byte[] bytes = new byte[list.size()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = list.get(i);
            }
            written.put(name, bytes);
        });
        selectLocked(s.key());
        offset = s.offset();
        dmaAddress = s.dmaAddress();
    }

    /// Writable files get their first content back.
    public synchronized void reset() {
        written.clear();
        dmaAddress = 0;
        selectLocked(0);
    }

    /// The selector key of a file, for tables that name it.
    ///
    /// @throws IllegalArgumentException if there is none
    public int fileKey(String name) {
        Integer found = fileKeys.get(name);
        if (found == null) {
            throw new IllegalArgumentException("No fw_cfg file " + name);
        }
        return found;
    }

    @Override
    public synchronized long read(long port, int size) {
        if (port == DATA) {
            return size == 1 ? next() : 0;
        }
        if (port == DMA_HIGH && size == 8) {
            return Long.reverseBytes(DMA_SIGNATURE);
        }
        if (port >= DMA_HIGH) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                value |= (DMA_SIGNATURE >>> 56 - 8 * (port - DMA_HIGH + i) & 0xff) << 8 * i;
            }
            return value;
        }
        return 0;
    }

    @Override
    public synchronized void write(long port, int size, long value) {
        if (port == 0 && size == 2) {
            selectLocked((int) value & 0xffff);
        } else if (port == DMA_HIGH && size == 4) {
            dmaAddress = Integer.toUnsignedLong(Integer.reverseBytes((int) value)) << 32;
        } else if (port == DMA_LOW && size == 4) {
            startDma(dmaAddress | Integer.toUnsignedLong(Integer.reverseBytes((int) value)));
        } else if (port == DMA_HIGH && size == 8) {
            startDma(Long.reverseBytes(value));
        }
        // Writes to the data port are of old times and lost.
    }

    /// Bit 14 of a key asks for writing, which only DMA does today.
    private void selectLocked(int newKey) {
        key = newKey;
        offset = 0;
        FwCfgItem item = items.get(newKey & ~0x4000);
        if (item == null) {
            content = NOTHING;
            return;
        }
        byte[] changed = written.get(nameOf(newKey & ~0x4000));
        content = changed != null ? changed : item.bytes();
    }

    private String nameOf(int itemKey) {
        for (Map.Entry<String, Integer> file : fileKeys.entrySet()) {
            if (file.getValue() == itemKey) {
                return file.getKey();
            }
        }
        return "";
    }

    private int next() {
        return offset < content.length ? content[offset++] & 0xff : 0;
    }

    // ---- DMA

    private void startDma(long descriptor) {
        dmaAddress = 0;
        try {
            int control = Integer.reverseBytes(memory.readInt(descriptor));
            long length = Integer.toUnsignedLong(Integer.reverseBytes(memory.readInt(descriptor + 4)));
            long address = Long.reverseBytes(memory.readLong(descriptor + 8));
            int result = transfer(control, length, address) ? 0 : DMA_CTL_ERROR;
            memory.writeInt(descriptor, Integer.reverseBytes(result));
        } catch (GuestAddressException e) {
            // A descriptor outside RAM: there is nowhere to tell.
        }
    }

    private boolean transfer(int control, long length, long address) {
        if ((control & DMA_CTL_SELECT) != 0) {
            selectLocked(control >>> 16);
        }
        int available = (int) Math.min(length, content.length - offset);
        try {
            if ((control & DMA_CTL_READ) != 0) {
                memory.write(address, Arrays.copyOfRange(content, offset, offset + available));
                memory.fill(address + available, length - available, (byte) 0);
            } else if ((control & DMA_CTL_WRITE) != 0) {
                return takeWrite(length, address);
            } else if ((control & DMA_CTL_SKIP) == 0) {
                return true;
            }
        } catch (GuestAddressException e) {
            return false;
        }
        offset += available;
        return true;
    }

    private boolean takeWrite(long length, long address) {
        FwCfgItem item = items.get(key & ~0x4000);
        if (item == null || !item.writable() || length > content.length - offset) {
            return false;
        }
        byte[] bytes = new byte[(int) length];
        memory.read(address, bytes);
        byte[] changed = content.clone();
        System.arraycopy(bytes, 0, changed, offset, bytes.length);
        content = changed;
        offset += bytes.length;
        written.put(nameOf(key & ~0x4000), changed);
        item.writes().accept(changed.clone());
        return true;
    }

    /// Collects items. Not thread-safe.
    public static final class Builder {
        private final Map<Integer, FwCfgItem> items = new HashMap<>();
        private final Map<String, FwCfgItem> files = new TreeMap<>();

        private Builder() {}

        /// An item with a fixed key; see [FwCfgKey].
        public Builder item(int key, byte[] bytes) {
            items.put(key, FwCfgItem.of(bytes));
            return this;
        }

        public Builder item16(int key, int value) {
            return item(key, little(2).putShort((short) value).array());
        }

        public Builder item32(int key, int value) {
            return item(key, little(4).putInt(value).array());
        }

        public Builder item64(int key, long value) {
            return item(key, little(8).putLong(value).array());
        }

        private static ByteBuffer little(int bytes) {
            return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        /// A file with fixed content.
        public Builder file(String name, byte[] bytes) {
            return add(name, FwCfgItem.of(bytes));
        }

        /// A file whose content is asked for each time the guest selects it.
        ///
        /// @param size what the directory says; longer content is cut, shorter filled with zeroes
        public Builder file(String name, int size, Supplier<byte[]> bytes) {
            return add(name, new FwCfgItem(size, bytes, false, ignored -> {}));
        }

        /// A file that the guest may write.
        ///
        /// @param writes called with the whole new content after each write
        public Builder writableFile(String name, byte[] initial, Consumer<byte[]> writes) {
            byte[] copy = initial.clone();
            return add(name, new FwCfgItem(copy.length, () -> copy, true, writes));
        }

        private Builder add(String name, FwCfgItem item) {
            if (name.isEmpty()
                    || name.length() >= MAX_NAME_BYTES
                    || !StandardCharsets.US_ASCII.newEncoder().canEncode(name)) {
                throw new IllegalArgumentException(
                        "fw_cfg file name '%s': 1 to %d ASCII characters".formatted(name, MAX_NAME_BYTES - 1));
            }
            if (files.putIfAbsent(name, item) != null) {
                throw new IllegalArgumentException("fw_cfg file %s exists".formatted(name));
            }
            return this;
        }

        /// @param memory where DMA goes
        public FwCfg build(GuestMemory memory) {
            return new FwCfg(memory, this);
        }

        /// The device as saved; the items must be the same.
        public FwCfg build(GuestMemory memory, FwCfgState saved) {
            var device = new FwCfg(memory, this);
            synchronized (device) {
                device.load(saved);
            }
            return device;
        }
    }
}
