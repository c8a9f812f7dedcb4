package org.jvirt.machine;

/// What a drive is plugged into, and so which driver the guest uses for it.
public enum DriveBus {
    /// A virtio disk of its own: `/dev/vda` in Linux.
    VIRTIO,
    /// Virtio's SCSI controller: `/dev/sda`, `/dev/sr0`.
    SCSI,
    /// The chipset's AHCI controller, with six ports: `/dev/sda`, `/dev/sr0`.
    SATA,
    /// An NVMe controller of its own: `/dev/nvme0n1`.
    NVME
}
