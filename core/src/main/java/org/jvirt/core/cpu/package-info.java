/// What a processor is and holds: features and CPUID, models, and the complete architectural state that engines
/// exchange. Start at [CpuState], and at [CpuidTable] for what a guest is promised.
///
/// Source: Intel SDM, AMD APM volume 2 and 3.
@NullMarked
package org.jvirt.core.cpu;

import org.jspecify.annotations.NullMarked;
