package org.jvirt.machine;

import java.util.List;
import java.util.OptionalLong;
import org.jvirt.core.Bus;
import org.jvirt.core.GuestMemory;
import org.jvirt.core.MemorySlot;
import org.jvirt.core.cpu.CpuState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.devices.pci.ConfigSpace;
import org.jvirt.devices.pci.PciFunction;

/// A look inside a machine whose processors stand. Only for the time of [VirtualMachine#inspect].
public final class Inspection {
    private final PcMachine pc;

    /// A PCI function as it shows itself.
    public record PciView(String address, String name, int vendorId, int deviceId, int classCode) {}

    Inspection(PcMachine pc) {
        this.pc = pc;
    }

    /// By processor.
    public List<CpuState> cpus() {
        return pc.vcpus().stream().map(vcpu -> vcpu.state()).toList();
    }

    /// A processor's registers as text.
    public String registers(int cpu) {
        return RegisterText.of(cpu, pc.vcpus().get(cpu).state());
    }

    /// What the interrupt controllers remember.
    public PcInterruptsState interrupts() {
        return pc.board().interrupts().save();
    }

    public List<MemorySlot> memory() {
        return pc.memory().slots();
    }

    public List<Bus.Mapping> ports() {
        return pc.board().ports().mappings();
    }

    public List<Bus.Mapping> mmio() {
        return pc.board().mmio().mappings();
    }

    public List<PciView> pci() {
        return pc.board().pci().functions().stream().map(this::view).toList();
    }

    private PciView view(PciFunction function) {
        var address = function.address().orElseThrow();
        int ids = (int) pc.board().pci().readConfig(address, ConfigSpace.VENDOR_ID, 4);
        int classCode = (int) pc.board().pci().readConfig(address, ConfigSpace.REVISION_ID, 4) >>> 8;
        return new PciView(address.toString(), function.name(), ids & 0xffff, ids >>> 16, classCode);
    }

    /// Reads of ports and of memory-mapped addresses where nothing is.
    public long unhandledPortReads() {
        return pc.unhandled().portReads().sum();
    }

    public long unhandledMmioReads() {
        return pc.unhandled().mmioReads().sum();
    }

    /// The guest-physical address of a virtual one as this processor sees it now; empty where nothing is mapped.
    public OptionalLong translate(int cpu, long gva) {
        return GuestPaging.translate(pc.memory(), pc.vcpus().get(cpu).state(), gva);
    }

    /// Reads RAM.
    ///
    /// @return fewer bytes where RAM ends
    public byte[] readPhysical(long gpa, int length) {
        GuestMemory memory = pc.memory();
        int available = length;
        while (available > 0 && !memory.contains(gpa, available)) {
            available--;
        }
        byte[] bytes = new byte[available];
        if (available > 0) {
            memory.read(gpa, bytes);
        }
        return bytes;
    }
}
