package org.jvirt.core.cpu;

/// What the processor owes itself at an instruction boundary.
///
/// @param nmiPending        an NMI waits
/// @param nmiBlocked        an NMI handler runs (until IRET)
/// @param interruptShadow   the instruction before was STI, MOV SS or POP SS
/// @param injectedVector    an event whose delivery was begun but not finished, or -1
/// @param injectedErrorCode its error code, or -1 for none
public record PendingEvents(
        boolean nmiPending, boolean nmiBlocked, boolean interruptShadow, int injectedVector, int injectedErrorCode) {
    public static final PendingEvents NONE = new PendingEvents(false, false, false, -1, -1);
}
