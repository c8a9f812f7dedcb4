/// What every engine must do, as small guests that a test writes, runs and looks at: [EngineContract] is the list
/// of contracts, [Guest] the machine they run on.
@NullMarked
package org.jvirt.testkit.contract;

import org.jspecify.annotations.NullMarked;
