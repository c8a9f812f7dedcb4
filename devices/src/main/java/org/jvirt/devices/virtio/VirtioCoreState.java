package org.jvirt.devices.virtio;

import java.util.List;

/// The transport-independent half of a virtio device.
///
/// @param driverFeatures what the driver accepted
/// @param isr            ISR status
/// @param device         what the device adds
public record VirtioCoreState(
        int status,
        long driverFeatures,
        int deviceFeatureSelect,
        int driverFeatureSelect,
        int queueSelect,
        int configVector,
        int configGeneration,
        int isr,
        List<QueueState> queues,
        Record device) {
    public VirtioCoreState {
        queues = List.copyOf(queues);
    }
}
