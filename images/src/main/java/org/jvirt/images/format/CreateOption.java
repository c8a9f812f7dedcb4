package org.jvirt.images.format;

/// Something that can be chosen when an image is made, as in `-o name=value`.
///
/// @param name     as qemu-img calls it
/// @param kind     what values look like
/// @param help     one line, as `-o help` shows it
public record CreateOption(String name, Kind kind, String help) {
    /// What values look like.
    public enum Kind {
        TEXT("str"),
        SIZE("size"),
        NUMBER("num"),
        SWITCH("bool (on/off)");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /// As `-o help` shows it.
        public String label() {
            return label;
        }
    }
}
