package org.jvirt.core;

/// Where random bytes for the guest come from. Thread-safe.
@FunctionalInterface
public interface EntropySource {
    void fill(byte[] bytes);
}
