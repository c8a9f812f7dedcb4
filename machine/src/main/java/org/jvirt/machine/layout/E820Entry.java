package org.jvirt.machine.layout;

import java.util.Locale;

/// A range of guest-physical addresses as firmware describes it to an operating system (ACPI 6.5, 15.1).
public record E820Entry(long gpa, long sizeBytes, Type type) {
    /// What a range is good for.
    public enum Type {
        RAM(1),
        RESERVED(2);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }

    public long end() {
        return gpa + sizeBytes;
    }

    @Override
    public String toString() {
        return "%012x-%012x %s".formatted(gpa, end() - 1, type.name().toLowerCase(Locale.ROOT));
    }
}
