package org.jvirt.cli.doctor;

/// One thing looked at.
///
/// @param subject what was looked at: `KVM`
/// @param grade   how it stands
/// @param detail  what was found
/// @param remedy  what to do, empty where nothing is to be done
public record Finding(String subject, Grade grade, String detail, String remedy) {
    /// How a finding bears on running virtual machines.
    public enum Grade {
        GOOD("ok  "),
        /// Works, but something could be better.
        FAIR("note"),
        /// Something is not available.
        MISSING("miss");

        private final String label;

        Grade(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    static Finding good(String subject, String detail) {
        return new Finding(subject, Grade.GOOD, detail, "");
    }

    static Finding fair(String subject, String detail, String remedy) {
        return new Finding(subject, Grade.FAIR, detail, remedy);
    }

    static Finding missing(String subject, String detail, String remedy) {
        return new Finding(subject, Grade.MISSING, detail, remedy);
    }
}
