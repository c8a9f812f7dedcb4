/// What every engine must do, as small guests that a test writes, runs and looks at: [HypervisorContract] is the
/// list of claims, [Guest] the machine they run on.
@NullMarked
package org.jvirt.engine.soft.contract;

import org.jspecify.annotations.NullMarked;
