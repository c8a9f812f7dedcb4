package org.jvirt.devices.legacy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;
import org.jvirt.devices.ByteDevice;

/// The registers of the two 8237A DMA controllers and their page registers, for software that programs or probes
/// them. No device of this machine asks for ISA DMA, so no transfer ever happens and no channel reaches terminal
/// count.
///
/// Ports 0x00–0x0F ([#first]), 0xC0–0xDF ([#second], registers two ports apart), 0x81–0x8F ([#pages]; port 0x80 is
/// the POST code's). Thread-safe.
public final class DmaController implements Snapshottable<DmaController.State> {
    /// What the controllers remember.
    ///
    /// @param chips     for each of the two: 8 base and 8 current words, mask, command, flip-flop
    /// @param pageBytes ports 0x80–0x8F
    public record State(List<List<Integer>> chips, List<Integer> pageBytes) {
        public State {
            chips = chips.stream().map(List::copyOf).toList();
            pageBytes = List.copyOf(pageBytes);
        }
    }

    private static final int COMMAND_STATUS = 8;
    private static final int SINGLE_MASK = 10;
    private static final int CLEAR_FLIP_FLOP = 12;
    private static final int MASTER_CLEAR = 13;
    private static final int CLEAR_MASK = 14;
    private static final int ALL_MASK = 15;

    private final Chip[] chips = {new Chip(), new Chip()};
    private final int[] pageBytes = new int[16];

    public DmaController() {}

    public DmaController(State saved) {
        for (int i = 0; i < chips.length; i++) {
            chips[i].load(saved.chips.get(i));
        }
        for (int i = 0; i < pageBytes.length; i++) {
            pageBytes[i] = saved.pageBytes.get(i);
        }
    }

    @Override
    public String id() {
        return "dma";
    }

    @Override
    public synchronized State save() {
        return new State(
                List.of(chips[0].save(), chips[1].save()),
                Arrays.stream(pageBytes).boxed().toList());
    }

    public synchronized void reset() {
        for (Chip chip : chips) {
            chip.clear();
        }
        Arrays.fill(pageBytes, 0);
    }

    /// Ports 0x00–0x0F: channels 0–3.
    public IoDevice first() {
        return ports(chips[0], 0);
    }

    /// Ports 0xC0–0xDF: channels 4–7.
    public IoDevice second() {
        return ports(chips[1], 1);
    }

    /// Ports 0x81–0x8F.
    public IoDevice pages() {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                synchronized (DmaController.this) {
                    return pageBytes[offset + 1 & 15];
                }
            }

            @Override
            public void writeByte(int offset, int value) {
                synchronized (DmaController.this) {
                    pageBytes[offset + 1 & 15] = value;
                }
            }
        };
    }

    private IoDevice ports(Chip chip, int shift) {
        return new ByteDevice() {
            @Override
            public int readByte(int offset) {
                synchronized (DmaController.this) {
                    return chip.read(offset >> shift & 15);
                }
            }

            @Override
            public void writeByte(int offset, int value) {
                synchronized (DmaController.this) {
                    chip.write(offset >> shift & 15, value);
                }
            }
        };
    }

    /// One 8237A: words 0–7 are the base, 8–15 the current address and count of channels 0–3.
    private static final class Chip {
        private final int[] words = new int[16];
        private int mask = 0xf;
        private int command;
        private boolean high;

        int read(int register) {
            if (register < COMMAND_STATUS) {
                boolean second = high;
                high = !high;
                return second ? words[8 + register] >> 8 : words[8 + register] & 0xff;
            }
            return register == ALL_MASK ? mask | 0xf0 : 0;
        }

        void write(int register, int value) {
            switch (register) {
                case COMMAND_STATUS -> command = value;
                case SINGLE_MASK -> {
                    int bit = 1 << (value & 3);
                    mask = (value & 4) != 0 ? mask | bit : mask & ~bit;
                }
                case CLEAR_FLIP_FLOP -> high = false;
                case MASTER_CLEAR -> {
                    mask = 0xf;
                    command = 0;
                    high = false;
                }
                case CLEAR_MASK -> mask = 0;
                case ALL_MASK -> mask = value & 0xf;
                default -> {
                    if (register < COMMAND_STATUS) {
                        int word = high ? words[register] & 0xff | value << 8 : words[register] & 0xff00 | value;
                        words[register] = word;
                        words[8 + register] = word;
                        high = !high;
                    }
                    // Request and mode registers cannot be read, and nothing is transferred.
                }
            }
        }

        void clear() {
            Arrays.fill(words, 0);
            write(MASTER_CLEAR, 0);
        }

        List<Integer> save() {
            List<Integer> saved = new ArrayList<>();
            for (int word : words) {
                saved.add(word);
            }
            Collections.addAll(saved, mask, command, high ? 1 : 0);
            return saved;
        }

        void load(List<Integer> saved) {
            for (int i = 0; i < words.length; i++) {
                words[i] = saved.get(i);
            }
            mask = saved.get(16);
            command = saved.get(17);
            high = saved.get(18) != 0;
        }
    }
}
