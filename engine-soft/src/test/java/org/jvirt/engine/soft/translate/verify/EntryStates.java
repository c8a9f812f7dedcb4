package org.jvirt.engine.soft.translate.verify;

import java.util.Arrays;

/// The states that a program is entered with, one after the other, laid out as [Slot] says.
record EntryStates(byte[] bytes) {
    int count() {
        return bytes.length / Slot.BYTES;
    }

    /// The same with interrupts enabled.
    EntryStates withInterrupts() {
        byte[] enabled = bytes.clone();
        for (int at = Slot.RFLAGS; at < enabled.length; at += Slot.BYTES) {
            enabled[at + 1] |= 2;
        }
        return new EntryStates(enabled);
    }

    EntryStates range(int from, int to) {
        return new EntryStates(Arrays.copyOfRange(bytes, from * Slot.BYTES, to * Slot.BYTES));
    }
}
