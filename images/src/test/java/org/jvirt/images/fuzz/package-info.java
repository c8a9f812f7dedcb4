/// Fuzzing guided by coverage: inputs that reach new code are kept and changed further.
///
/// ```
/// FuzzTest         which targets, how long
/// Fuzzer           the loop: choose, change, run, keep
/// Mutator          changes an input
/// CoverageLoader   loads the tested classes with a counter at each block of their code
/// EdgeCounters     the counters
/// FuzzTarget       what is tested
/// ```
@NullMarked
package org.jvirt.images.fuzz;

import org.jspecify.annotations.NullMarked;
