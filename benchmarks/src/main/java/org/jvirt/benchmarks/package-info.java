/// Side-by-side measurements: the same program, kernel and initial RAM disk natively, in QEMU and in jvirt, in
/// turns.
///
/// [Main] reads the command line. [ComputeRace] runs the program of `src/guest/bench.c` on every [Rival];
/// [BootRace] and [StartRace] time whole processes; [InstructionRate] counts guest instructions. All outside
/// programs run through [TimedProcess].
@NullMarked
package org.jvirt.benchmarks;

import org.jspecify.annotations.NullMarked;
