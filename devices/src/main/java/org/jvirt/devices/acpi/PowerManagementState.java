package org.jvirt.devices.acpi;

/// What the power management block remembers.
///
/// @param timerSeen the overflow count of the PM timer that TMR_STS already tells of
/// @param apm       the APM control and status bytes
public record PowerManagementState(
        int pm1Status,
        int pm1Enable,
        int pm1Control,
        long gpe0Status,
        long gpe0Enable,
        int smiEnable,
        long timerSeen,
        int apm) {
    /// After power-on.
    public static final PowerManagementState RESET = new PowerManagementState(0, 0, 0, 0, 0, 0, 0, 0);
}
