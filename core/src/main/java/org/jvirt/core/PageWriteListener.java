package org.jvirt.core;

/// Told when a page that holds decoded or translated code has been written from outside the engine (DMA, a loader).
@FunctionalInterface
public interface PageWriteListener {
    /// @param firstPage page number in [GuestMemory#backing] (offset / 4096)
    void codePagesWritten(long firstPage, long pageCount);
}
