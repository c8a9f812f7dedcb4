package org.jvirt.devices.pci;

import java.util.Arrays;
import java.util.function.IntFunction;
import org.jvirt.core.InterruptLine;

/// The eight wires PIRQ A–H of ICH9, and which pins and lines they join (ICH9 §10.1.11, §13.1.17).
///
/// ```
/// device  0–24, pin p ─► PIRQ E + (device + p) mod 4 ─┬─► GSI 16 + PIRQ            (always)
/// device 25–31, pin p ─► PIRQ from DnnIR (reset: A+p) ┴─► ISA interrupt n          (if PIRQn_ROUT enables it)
/// ```
///
/// Several pins share a wire and several wires share an ISA interrupt; a line is high while any source is. The ISA
/// lines 3–7, 9–12, 14 and 15 can be chosen. Thread-safe; lines are driven under the lock so that levels arrive in
/// order.
public final class PirqRouter implements IntxRouter {
    private static final int WIRES = 8;
    private static final int FIRST_GSI = 16;
    private static final int FIRST_PROGRAMMABLE_DEVICE = 25;
    private static final int ROUTABLE = 0b1101_1110_1111_1000;
    private static final int ROUTE_DISABLED = 0x80;

    private final InterruptLine[] lines = new InterruptLine[FIRST_GSI + WIRES];
    private final int[] highPins = new int[WIRES]; // guarded by this
    private final int[] routes = new int[WIRES]; // guarded by this
    private final boolean[] pins = new boolean[32 * 4]; // guarded by this
    private final int[] deviceRoutes = new int[32]; // guarded by this: four bits a pin, as DnnIR

    /// @param lines the machine's interrupt lines by GSI
    public PirqRouter(IntFunction<InterruptLine> lines) {
        for (int gsi = 0; gsi < this.lines.length; gsi++) {
            this.lines[gsi] = lines.apply(gsi);
        }
        Arrays.fill(routes, ROUTE_DISABLED);
        Arrays.fill(deviceRoutes, 0x3210);
    }

    /// The GSI that a device's pin raises in the IO-APIC after a reset; ACPI's `_PRT` says the same.
    ///
    /// @param pin 0 (INTA#) to 3
    public static int resetGsi(int device, int pin) {
        return FIRST_GSI + (device < FIRST_PROGRAMMABLE_DEVICE ? 4 + (device + pin & 3) : pin);
    }

    private int wireLocked(int device, int pin) {
        return device < FIRST_PROGRAMMABLE_DEVICE ? 4 + (device + pin & 3) : deviceRoutes[device] >> 4 * pin & 7;
    }

    @Override
    public synchronized void pin(int device, int pin, boolean high) {
        int index = device << 2 | pin;
        if (pins[index] == high) {
            return;
        }
        pins[index] = high;
        int wire = wireLocked(device, pin);
        highPins[wire] += high ? 1 : -1;
        driveLocked(wire);
    }

    /// `PIRQn_ROUT`, n counted from A.
    public synchronized int route(int wire) {
        return routes[wire];
    }

    public synchronized void setRoute(int wire, int value) {
        int old = routes[wire];
        routes[wire] = value & 0x8f;
        if (isaIrq(old) >= 0) {
            driveIsaLocked(isaIrq(old));
        }
        driveLocked(wire);
    }

    /// The ISA interrupt a device's pin is routed to, or -1.
    public synchronized int legacyIrq(int device, int pin) {
        return isaIrq(routes[wireLocked(device, pin)]);
    }

    /// `DnnIR`: the wires of the four pins of device 25–31, four bits each.
    synchronized void setDeviceRoute(int device, int value) {
        for (int pin = 0; pin < 4; pin++) {
            if (pins[device << 2 | pin]) {
                highPins[wireLocked(device, pin)]--;
            }
        }
        deviceRoutes[device] = value & 0x7777;
        for (int pin = 0; pin < 4; pin++) {
            if (pins[device << 2 | pin]) {
                highPins[wireLocked(device, pin)]++;
            }
        }
        for (int wire = 0; wire < WIRES; wire++) {
            driveLocked(wire);
        }
    }

    synchronized int deviceRoute(int device) {
        return deviceRoutes[device];
    }

    private static int isaIrq(int route) {
        int irq = route & 0xf;
        return (route & ROUTE_DISABLED) == 0 && (ROUTABLE >> irq & 1) != 0 ? irq : -1;
    }

    private void driveLocked(int wire) {
        lines[FIRST_GSI + wire].set(highPins[wire] > 0);
        int irq = isaIrq(routes[wire]);
        if (irq >= 0) {
            driveIsaLocked(irq);
        }
    }

    private void driveIsaLocked(int irq) {
        boolean high = false;
        for (int wire = 0; wire < WIRES; wire++) {
            high |= isaIrq(routes[wire]) == irq && highPins[wire] > 0;
        }
        lines[irq].set(high);
    }
}
