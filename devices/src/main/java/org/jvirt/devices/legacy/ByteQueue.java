package org.jvirt.devices.legacy;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;

/// The bytes a PS/2 device has to say, at most a fixed number. Guarded by its controller's lock.
final class ByteQueue {
    private final ArrayDeque<Integer> bytes = new ArrayDeque<>();
    private final int capacity;

    ByteQueue(int capacity) {
        this.capacity = capacity;
    }

    boolean isEmpty() {
        return bytes.isEmpty();
    }

    boolean hasRoomFor(int count) {
        return bytes.size() + count <= capacity;
    }

    /// What finds no room is lost: the host has stopped listening.
    void add(int... values) {
        for (int value : values) {
            if (bytes.size() < capacity) {
                bytes.add(value);
            }
        }
    }

    int take() {
        return bytes.remove();
    }

    void clear() {
        bytes.clear();
    }

    List<Integer> save() {
        return List.copyOf(bytes);
    }

    void load(Collection<Integer> saved) {
        bytes.clear();
        bytes.addAll(saved);
    }
}
