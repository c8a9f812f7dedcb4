/// Decoded code and its execution: blocks of operations, their cache, and the run loop.
///
/// Start at [org.jvirt.engine.soft.code.Interpreter]. A [org.jvirt.engine.soft.code.Block] is made by
/// [org.jvirt.engine.soft.code.BlockBuilder] and kept by [org.jvirt.engine.soft.code.BlockCache] under the
/// guest-physical place of its first byte. Each processor has its own: links between blocks and the jump cache then
/// belong to one thread and need no synchronisation, at the price of decoding once for each processor.
@NullMarked
package org.jvirt.engine.soft.code;

import org.jspecify.annotations.NullMarked;
