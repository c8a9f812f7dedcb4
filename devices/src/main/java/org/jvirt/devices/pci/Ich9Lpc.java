package org.jvirt.devices.pci;

import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.Bus;
import org.jvirt.core.IoDevice;
import org.jvirt.core.Snapshottable;

/// The LPC bridge of ICH9, function 0 of device 31: interrupt routes, the place of the power-management ports, and
/// the root complex registers (ICH9 §13.1).
///
/// The decode ranges LPC_I/O_DEC to GEN4_DEC keep what is written: this machine's devices sit at fixed ports.
public final class Ich9Lpc extends PciFunction implements Snapshottable<Ich9Lpc.State> {
    /// Where SeaBIOS puts the power-management ports.
    public static final int USUAL_PM_BASE = 0x600;

    /// How many ports the power-management block takes.
    public static final int PM_BYTES = 0x80;

    private static final int PMBASE = 0x40;
    private static final int PMBASE_MASK = 0xff80;
    private static final int ACPI_CNTL = 0x44;
    private static final int ACPI_ENABLE = 0x80;
    private static final int PIRQA_ROUT = 0x60;
    private static final int PIRQE_ROUT = 0x68;
    private static final int LPC_IO_DECODE = 0x80;
    private static final int GEN_PMCON_1 = 0xa0;
    private static final int RCBA = 0xf0;
    private static final int RCBA_MASK = 0xffff_c000;
    private static final int RCBA_ENABLE = 1;

    private final PciHost host;
    private final PirqRouter router;
    private final Optional<IoDevice> powerManagement;
    private final RootComplexRegisters rootComplex;
    private Bus.@Nullable Mapping pmMapping; // guarded by the host's lock, as all below
    private Bus.@Nullable Mapping rcbaMapping;

    /// @param rootComplex the content behind RCBA
    public record State(PciFunctionState function, byte[] rootComplex) {
        public State {
            rootComplex = rootComplex.clone();
        }

        @Override
        public byte[] rootComplex() {
            return rootComplex.clone();
        }
    }

    /// @param powerManagement the 128 ports that PMBASE places: PM1 block, PM timer, GPE0, SMI registers
    public Ich9Lpc(PciHost host, PirqRouter router, Optional<IoDevice> powerManagement) {
        super("ich9-lpc", new PciIdentity(0x8086, 0x2918, 2, 0x060100, 0x1af4, 0x1100));
        this.host = host;
        this.router = router;
        this.powerManagement = powerManagement;
        rootComplex = new RootComplexRegisters(router);
        markMultiFunction();
        config().set(ConfigSpace.COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
        config().forbid(ConfigSpace.COMMAND, 2, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
        config().set(ConfigSpace.STATUS, 2, 0x0200);
        config().set(PMBASE, 4, 1);
        config().allow(PMBASE, 4, PMBASE_MASK);
        config().allow(ACPI_CNTL, 1, 0x87);
        for (int wire = 0; wire < 8; wire++) {
            config().set(routeRegister(wire), 1, 0x80);
            config().allow(routeRegister(wire), 1, 0x8f);
        }
        config().allow(LPC_IO_DECODE, 2, 0x1377);
        config().allow(LPC_IO_DECODE + 2, 2, 0x3f0f);
        for (int range = 0; range < 4; range++) {
            config().allow(LPC_IO_DECODE + 4 + 4 * range, 4, 0x00fc_fffd);
        }
        config().allow(GEN_PMCON_1, 4, 0x0000_00ff);
        config().allow(RCBA, 4, RCBA_MASK | RCBA_ENABLE);
        configWritten(0, ConfigSpace.BYTES);
    }

    private static int routeRegister(int wire) {
        return wire < 4 ? PIRQA_ROUT + wire : PIRQE_ROUT + wire - 4;
    }

    /// Programs the bridge as firmware does: power management at `pmBase`, wires A–H to the ISA interrupts 10, 10,
    /// 11, 11, 10, 10, 11, 11.
    public void programLikeFirmware(int pmBase) {
        PciAddress at = address().orElseThrow(() -> new IllegalStateException("The LPC bridge is on no bus"));
        host.writeConfig(at, PMBASE, 4, pmBase);
        host.writeConfig(at, ACPI_CNTL, 1, ACPI_ENABLE);
        for (int wire = 0; wire < 8; wire++) {
            host.writeConfig(at, routeRegister(wire), 1, (wire & 2) == 0 ? 10 : 11);
        }
    }

    @Override
    protected void configWritten(int offset, int size) {
        for (int wire = 0; wire < 8; wire++) {
            int register = routeRegister(wire);
            int route = (int) config().read(register, 1);
            if (offset <= register && offset + size > register && router.route(wire) != route) {
                router.setRoute(wire, route);
            }
        }
        if (offset < ACPI_CNTL + 4 && offset + size > PMBASE) {
            placePowerManagement();
        }
        if (offset < RCBA + 4 && offset + size > RCBA) {
            placeRootComplex();
        }
    }

    private void placePowerManagement() {
        long base = config().read(PMBASE, 4) & PMBASE_MASK;
        boolean on = (config().read(ACPI_CNTL, 1) & ACPI_ENABLE) != 0 && base != 0 && powerManagement.isPresent();
        pmMapping = move(host.ports(), pmMapping, "ich9-pm", on, base, PM_BYTES, powerManagement);
    }

    private void placeRootComplex() {
        long register = config().read(RCBA, 4);
        long base = register & RCBA_MASK & 0xffff_ffffL;
        boolean on = (register & RCBA_ENABLE) != 0 && base != 0;
        rcbaMapping = move(
                host.mmio(), rcbaMapping, "ich9-rcba", on, base, RootComplexRegisters.BYTES, Optional.of(rootComplex));
    }

    private Bus.@Nullable Mapping move(
            Bus bus,
            Bus.@Nullable Mapping old,
            String name,
            boolean on,
            long base,
            int length,
            Optional<? extends IoDevice> device) {
        if (old != null && on && old.start() == base) {
            return old;
        }
        if (old != null) {
            bus.unmap(old);
        }
        if (!on || device.isEmpty()) {
            return null;
        }
        try {
            return bus.map(name, base, length, device.get());
        } catch (IllegalArgumentException taken) {
            errors().report(() -> "%s at 0x%x stays hidden: the range is taken".formatted(name, base));
            return null;
        }
    }

    @Override
    protected void deviceReset() {
        rootComplex.reset();
    }

    @Override
    public String id() {
        return name();
    }

    @Override
    public State save() {
        return new State(saveFunction(), rootComplex.bytes());
    }

    /// Takes over saved state; right after this fresh bridge was added to its host.
    public void restore(State state) {
        rootComplex.load(Arrays.copyOf(state.rootComplex(), RootComplexRegisters.BYTES + Long.BYTES));
        restoreFunction(state.function());
    }
}
