package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/// What is checked of machines with several processors.
final class Processors {
    private Processors() {}

    static void check(Shell shell, int count) throws InterruptedException {
        assertThat(shell.run("nproc")).isEqualTo(Integer.toString(count));
        assertThat(shell.run("grep -c ^processor /proc/cpuinfo")).isEqualTo(Integer.toString(count));
        Interrupts before = Interrupts.of(shell.run("cat /proc/interrupts"));
        for (int cpu = 0; cpu < count; cpu++) {
            // Field 39 of stat is the processor last run on; the loop keeps it busy for some ticks.
            String place = shell.run(
                    "taskset %x sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; cut -d\" \" -f39 /proc/$$/stat'"
                            .formatted(1 << cpu));
            assertThat(place).isEqualTo(Integer.toString(cpu));
        }
        Interrupts after = Interrupts.of(shell.run("cat /proc/interrupts"));
        List<Long> ticksBefore = before.row("LOC").counts();
        List<Long> ticksAfter = after.row("LOC").counts();
        assertThat(ticksAfter).hasSize(count);
        for (int cpu = 0; cpu < count; cpu++) {
            assertThat(ticksAfter.get(cpu))
                    .as("timer interrupts of processor %d", cpu)
                    .isGreaterThan(ticksBefore.get(cpu));
        }
        assertThat(after.row("RES").total() + after.row("CAL").total())
                .as("interrupts between processors")
                .isPositive();
        // All processors at once change what they share.
        assertThat(shell.run(
                        "for c in $(seq %d); do seq 1 30000 | sort -n | md5sum & done > /tmp/sums; wait; sort -u /tmp/sums | wc -l"
                                .formatted(count)))
                .isEqualTo("1");
    }
}
