package org.jvirt.devices.virtio;

/// One queue as the driver set it up, and how far the device has come.
///
/// @param vector     MSI-X vector, 0xffff for none
/// @param descriptor descriptor table or packed ring, guest-physical, as are the two that follow
/// @param available  next entry to look at; with `availableWrap` for packed rings
/// @param used       next entry to write; with `usedWrap` for packed rings
public record QueueState(
        int size,
        int vector,
        boolean enabled,
        long descriptor,
        long driver,
        long device,
        int available,
        boolean availableWrap,
        int used,
        boolean usedWrap) {}
