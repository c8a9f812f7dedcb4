/// Turns one guest instruction into host code.
///
/// [org.jvirt.engine.soft.translate.emit.BlockEmitter] keeps what a block has in common: where registers and flags
/// are, checks of addresses, stubs. Guest RCX lives in host R14, guest RSP in R15, guest R13 to R15 in the state
/// block; host
/// RCX and R13 are free for addresses; all other registers are the guest's.
@NullMarked
package org.jvirt.engine.soft.translate.emit;

import org.jspecify.annotations.NullMarked;
