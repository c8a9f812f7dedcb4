package org.jvirt.devices.pci;

/// Gives every BAR an address and switches decoding on, as firmware does where firmware runs. Bus 0 only.
///
/// Largest first, each at a multiple of its size, memory BARs of 64 bits in the upper window if there is one and
/// they are prefetchable or do not fit below. Not thread-safe; for the time before the guest runs.
public final class PciAllocator {
    /// A range of addresses to give out.
    ///
    /// @param start first address
    /// @param end   first address behind
    public record Window(long start, long end) {
        /// Gives nothing.
        public static final Window NONE = new Window(0, 0);

        public Window {
            if (start < 0 || end < start) {
                throw new IllegalArgumentException("No window: 0x%x–0x%x".formatted(start, end));
            }
        }
    }

    private static final class Cursor {
        private final Window window;
        private long next;

        Cursor(Window window) {
            this.window = window;
            next = window.start();
        }

        /// An aligned address, or -1 when the window is full.
        long take(long sizeBytes) {
            long at = next + sizeBytes - 1 & -sizeBytes;
            if (at < next || at > window.end() - sizeBytes) {
                return -1;
            }
            next = at + sizeBytes;
            return at;
        }
    }

    private final Cursor ports;
    private final Cursor low;
    private final Cursor high;

    /// @param ports      I/O ports, for example 0xC000–0x10000
    /// @param lowMemory  below 4 GiB
    /// @param highMemory above 4 GiB, or [Window#NONE]
    public PciAllocator(Window ports, Window lowMemory, Window highMemory) {
        this.ports = new Cursor(ports);
        low = new Cursor(lowMemory);
        high = new Cursor(highMemory);
    }

    /// Places all BARs of `host` and sets each function's interrupt line register from the routes of `router`.
    ///
    /// @throws IllegalStateException if a window is too small for the machine as built
    public void assign(PciHost host, PirqRouter router) {
        for (PciHost.PlacedBar placed : host.bars()) {
            Bar bar = placed.bar();
            long at = place(bar);
            if (at < 0) {
                throw new IllegalStateException(
                        "No room for BAR %d of %s, %d bytes".formatted(bar.index(), placed.at(), bar.sizeBytes()));
            }
            host.writeConfig(placed.at(), bar.register(), 4, at & 0xffff_ffffL);
            if (bar.kind().wide()) {
                host.writeConfig(placed.at(), bar.register() + 4, 4, at >>> 32);
            }
        }
        for (PciFunction function : host.functions()) {
            function.address().ifPresent(at -> enable(host, router, function, at));
        }
    }

    private static void enable(PciHost host, PirqRouter router, PciFunction function, PciAddress at) {
        int pin = (int) host.readConfig(at, ConfigSpace.INTERRUPT_PIN, 1);
        int irq = pin == 0 ? -1 : router.legacyIrq(at.device(), pin - 1);
        if (irq >= 0) {
            host.writeConfig(at, ConfigSpace.INTERRUPT_LINE, 1, irq);
        }
        if (!function.bars().isEmpty()) {
            long command = host.readConfig(at, ConfigSpace.COMMAND, 2);
            int decode = PciFunction.COMMAND_IO | PciFunction.COMMAND_MEMORY;
            host.writeConfig(at, ConfigSpace.COMMAND, 2, command | decode);
        }
    }

    private long place(Bar bar) {
        return switch (bar.kind()) {
            case IO -> ports.take(bar.sizeBytes());
            case MEMORY_32 -> low.take(bar.sizeBytes());
            case MEMORY_64 -> firstOf(low, high, bar.sizeBytes());
            case MEMORY_64_PREFETCHABLE -> firstOf(high, low, bar.sizeBytes());
        };
    }

    private static long firstOf(Cursor first, Cursor second, long sizeBytes) {
        long at = first.take(sizeBytes);
        return at >= 0 ? at : second.take(sizeBytes);
    }
}
