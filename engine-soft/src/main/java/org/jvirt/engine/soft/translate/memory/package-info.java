/// A processor's state block: registers in transit, TLB and jump tables, as generated code sees them.
@NullMarked
package org.jvirt.engine.soft.translate.memory;

import org.jspecify.annotations.NullMarked;
