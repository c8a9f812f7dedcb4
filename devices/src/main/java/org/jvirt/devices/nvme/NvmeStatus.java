package org.jvirt.devices.nvme;

/// Status codes with their type in bits 8–10 (NVMe §4.6.1).
final class NvmeStatus {
    static final int SUCCESS = 0x000;
    static final int INVALID_OPERATION = 0x001;
    static final int INVALID_FIELD = 0x002;
    static final int DATA_TRANSFER_ERROR = 0x004;
    static final int INTERNAL_ERROR = 0x006;
    static final int INVALID_NAMESPACE = 0x00b;
    static final int INVALID_PRP_OFFSET = 0x013;
    static final int WRITE_PROTECTED = 0x020;
    static final int LBA_OUT_OF_RANGE = 0x080;
    static final int INVALID_COMPLETION_QUEUE = 0x100;
    static final int INVALID_QUEUE_ID = 0x101;
    static final int INVALID_QUEUE_SIZE = 0x102;
    static final int TOO_MANY_EVENT_REQUESTS = 0x105;
    static final int INVALID_VECTOR = 0x108;
    static final int INVALID_LOG_PAGE = 0x109;
    static final int INVALID_QUEUE_DELETION = 0x10c;
    static final int FEATURE_NOT_SAVEABLE = 0x10d;
    static final int FEATURE_NOT_CHANGEABLE = 0x10e;
    static final int WRITE_FAULT = 0x280;
    static final int READ_ERROR = 0x281;
    static final int COMPARE_FAILURE = 0x285;

    /// In the status field: trying again is of no use.
    static final int DO_NOT_RETRY = 0x4000;

    private NvmeStatus() {}
}
