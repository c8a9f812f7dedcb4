package org.jvirt.devices.pci;

/// The memory controller hub of q35: the registers firmware programs, of which PCIEXBAR alone has an effect here.
///
/// RAM from 0xC0000 to 0xFFFFF is plain RAM that holds its firmware copy already, and there is no SMRAM hole: PAM
/// and SMRAM registers keep what is written, nothing more (Q35 data sheet §5.1).
public final class Q35HostBridge extends PciFunction {
    /// Where SeaBIOS and OVMF look for, and where [#enableEcam] usually puts, the memory-mapped window.
    public static final long USUAL_ECAM_BASE = 0xb000_0000L;

    private static final int PCIEXBAR = 0x60;
    private static final int PCIEXBAR_ENABLE = 1;
    private static final long PCIEXBAR_WRITABLE = 0xf_fc00_0007L;
    private static final int PAM0 = 0x90;
    private static final int SMRAM = 0x9d;
    private static final int SMRAM_OPEN = 0x40;
    private static final int SMRAM_LOCK = 0x10;
    private static final int SMRAM_BASE_SEGMENT = 0x02;
    private static final int ESMRAMC = 0x9e;
    private static final int ESMRAMC_CACHE_BITS = 0x38;

    private final PciHost host;

    public Q35HostBridge(PciHost host) {
        super("q35-mch", new PciIdentity(0x8086, 0x29c0, 0, 0x060000, 0x1af4, 0x1100));
        this.host = host;
        config().allow(PCIEXBAR, 8, PCIEXBAR_WRITABLE);
        config().allow(PAM0, 1, 0x30);
        for (int pam = 1; pam < 7; pam++) {
            config().allow(PAM0 + pam, 1, 0x33);
        }
        config().set(SMRAM, 1, SMRAM_BASE_SEGMENT);
        config().allow(SMRAM, 1, 0x78);
        config().set(ESMRAMC, 1, ESMRAMC_CACHE_BITS);
        config().allow(ESMRAMC, 1, 0x87);
    }

    /// Opens the memory-mapped window for all 256 buses, as firmware does.
    ///
    /// @param base a multiple of 256 MiB
    public void enableEcam(long base) {
        if ((base & 0xfff_ffffL) != 0) {
            throw new IllegalArgumentException("PCIEXBAR 0x%x is no multiple of 256 MiB".formatted(base));
        }
        PciAddress at = address().orElseThrow(() -> new IllegalStateException("The host bridge is on no bus"));
        host.writeConfig(at, PCIEXBAR + 4, 4, base >>> 32);
        host.writeConfig(at, PCIEXBAR, 4, base & 0xffff_ffffL | PCIEXBAR_ENABLE);
    }

    @Override
    protected void configWritten(int offset, int size) {
        if (offset < PCIEXBAR + 8 && offset + size > PCIEXBAR) {
            placeEcam();
        }
        if (offset <= SMRAM && offset + size > SMRAM && (config().read(SMRAM, 1) & SMRAM_LOCK) != 0) {
            // Once locked the register stays as it is until reset; the bit that opens SMRAM is cleared by the lock.
            config().set(SMRAM, 1, config().read(SMRAM, 1) & ~SMRAM_OPEN);
            config().forbid(SMRAM, 1, 0xff);
            config().forbid(ESMRAMC, 1, 0xff);
        }
    }

    @Override
    protected void deviceReset() {
        config().allow(SMRAM, 1, 0x78);
        config().allow(ESMRAMC, 1, 0x87);
    }

    private void placeEcam() {
        long register = config().read(PCIEXBAR, 8);
        int buses = switch ((int) register >> 1 & 3) {
            case 0 -> 256;
            case 1 -> 128;
            case 2 -> 64;
            default -> 0; // reserved
        };
        if ((register & PCIEXBAR_ENABLE) == 0 || buses == 0) {
            host.placeEcam(0, 0);
            return;
        }
        long base = register & 0xf_f000_0000L | register & 0x0c00_0000L & -((long) buses << 20);
        if (!host.placeEcam(base, buses)) {
            errors().report(() -> "PCIEXBAR at 0x%x stays hidden: the range is taken".formatted(base));
        }
    }
}
