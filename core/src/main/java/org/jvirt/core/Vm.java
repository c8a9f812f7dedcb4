package org.jvirt.core;

import java.util.List;
import org.jvirt.core.interrupt.LocalApicState;
import org.jvirt.core.interrupt.PcInterruptsState;
import org.jvirt.core.interrupt.PitState;

/// A virtual machine as an engine sees it: memory, vCPUs and the way in for interrupts.
///
/// [#createVcpu] and [#close] belong to one thread; the rest is thread-safe.
public interface Vm extends AutoCloseable {
    /// Makes vCPU `index` in its power-on state: 0 ready to run at the reset vector, the others waiting for a SIPI.
    ///
    /// @param io answers this vCPU's port and MMIO accesses, on the thread that calls [Vcpu#run]
    Vcpu createVcpu(int index, ExitHandler io);

    /// The global system interrupt `gsi`: 0–15 go to the 8259 pair and IO-APIC both, 16–23 to the IO-APIC.
    InterruptLine irq(int gsi);

    MsiSink msi();

    /// Makes what a queue's thread sleeps on.
    ///
    /// @param name for messages: `disk0-q1`
    /// @throws HostFailureException if the host lacks resources
    default Doorbell doorbell(String name) {
        return new ParkingDoorbell();
    }

    /// Asks that stores to these device registers be collected and delivered late: before the next other exit of
    /// any vCPU. For registers whose stores have no effect that the guest can see at once. An engine may ignore it.
    default void collectStores(long gpa, long sizeBytes) {
        // delivered one by one
    }

    /// Tells an engine with [Capability#IN_KERNEL_PIT] whether the 8254 has lost interrupt 0 to the HPET's legacy
    /// replacement.
    default void holdPit(boolean held) {
        // the machine's 8254 knows
    }

    /// Tells an engine with [Capability#OWN_CLOCK] that guest time was set, or begins to run after it stood still:
    /// from now on its clocks show [VmSpec#tsc] again. No vCPU runs meanwhile.
    default void synchronizeClock() {
        // the engine reads the machine's clock
    }

    /// Tells an engine with local APICs but without IO-APIC which message each pin of the machine's IO-APIC sends,
    /// so that the ends of level-triggered interrupts are reported. Called at every change of the redirection
    /// table.
    default void announcePin(int pin, long address, int data) {
        // every end is seen
    }

    /// What the engine's own interrupt controllers remember. All vCPUs exist and none runs, as for the other
    /// methods on
    /// this state; only with [Capability#IN_KERNEL_INTERRUPTS] and without [VmSpec#interrupts].
    default PcInterruptsState saveInterrupts() {
        throw new IllegalStateException("The interrupt controllers belong to the machine");
    }

    /// Replaces what the engine's own interrupt controllers remember; the APICs of all vCPUs are in `state`.
    default void loadInterrupts(PcInterruptsState state) {
        throw new IllegalStateException("The interrupt controllers belong to the machine");
    }

    /// What the engine's local APICs remember, one for each vCPU; under the conditions of [#saveInterrupts], or
    /// with [Capability#LOCAL_APICS] and [VmSpec#interrupts] that have none.
    default List<LocalApicState> saveLocalApics() {
        throw new IllegalStateException("The local APICs belong to the machine");
    }

    /// Replaces what the engine's local APICs remember.
    default void loadLocalApics(List<LocalApicState> states) {
        throw new IllegalStateException("The local APICs belong to the machine");
    }

    /// Bus reset of what the engine has of interrupt controllers and 8254: all as after power-on, but for the
    /// levels of the lines.
    default void resetInterrupts() {
        throw new IllegalStateException("The interrupt controllers belong to the machine");
    }

    /// What the engine's own 8254 remembers; only with [Capability#IN_KERNEL_PIT] and without [VmSpec#interrupts].
    default PitState savePit() {
        throw new IllegalStateException("The 8254 belongs to the machine");
    }

    default void loadPit(PitState state) {
        throw new IllegalStateException("The 8254 belongs to the machine");
    }

    /// Takes and clears the pages of `slot` written since the last call. The first call switches logging on and
    /// answers that every page is dirty.
    DirtyPages takeDirtyPages(MemorySlot slot);

    /// Frees what the engine holds. All vCPUs must have left [Vcpu#run].
    @Override
    void close();
}
