package org.jvirt.machine;

/// What a machine is doing.
///
/// ```
/// CREATED ── start ──► RUNNING ◄── resume / pause ──► PAUSED
///    └─────── close ──────┴──────── any end ───────────┴──► ENDED
/// ```
public enum VmState {
    CREATED,
    RUNNING,
    PAUSED,
    ENDED
}
