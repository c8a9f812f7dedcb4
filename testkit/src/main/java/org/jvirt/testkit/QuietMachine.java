package org.jvirt.testkit;

import org.jvirt.core.ExitHandler;
import org.jvirt.core.InterruptController;
import org.jvirt.core.InterruptLine;
import org.jvirt.core.LocalInterrupts;
import org.jvirt.core.MsiSink;
import org.jvirt.core.VcpuSignals;

/// Surroundings in which nothing happens: no interrupt comes, no device answers.
public final class QuietMachine {
    private QuietMachine() {}

    /// Reads give all ones, writes are lost.
    public static ExitHandler exits() {
        return new ExitHandler() {
            @Override
            public long readPort(int port, int size) {
                return -1;
            }

            @Override
            public void writePort(int port, int size, long value) {
                // nobody listens
            }

            @Override
            public long readMmio(long gpa, int size) {
                return -1;
            }

            @Override
            public void writeMmio(long gpa, int size, long value) {
                // nobody listens
            }
        };
    }

    /// Controllers whose lines lead nowhere.
    public static InterruptController interrupts() {
        return new InterruptController() {
            @Override
            public InterruptLine line(int gsi) {
                return level -> {};
            }

            @Override
            public MsiSink msi() {
                return (address, data) -> {};
            }

            @Override
            public LocalInterrupts local(int index) {
                return new NoInterrupts();
            }

            @Override
            public void connect(int index, VcpuSignals signals) {
                // never raised
            }
        };
    }

    private static final class NoInterrupts implements LocalInterrupts {
        private int priority;

        @Override
        public boolean pending() {
            return false;
        }

        @Override
        public int acknowledge() {
            return NONE;
        }

        @Override
        public boolean allowsSilentEnd(int vector) {
            return false;
        }

        @Override
        public void endOfInterrupt() {
            // none began
        }

        @Override
        public int taskPriority() {
            return priority;
        }

        @Override
        public void setTaskPriority(int newPriority) {
            priority = newPriority;
        }

        @Override
        public long apicBase() {
            return 0xFEE0_0900L;
        }

        @Override
        public void setApicBase(long value) {
            // fixed
        }

        @Override
        public long readMsr(int msr) {
            return 0;
        }

        @Override
        public void writeMsr(int msr, long value) {
            // no registers
        }

        @Override
        public long tscDeadline() {
            return 0;
        }

        @Override
        public void setTscDeadline(long ticks) {
            // no timer
        }
    }
}
