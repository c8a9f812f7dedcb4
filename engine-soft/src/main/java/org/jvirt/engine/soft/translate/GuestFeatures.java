package org.jvirt.engine.soft.translate;

import java.util.function.Predicate;
import org.jvirt.x86.Instruction;

/// What the guest's processor has, as far as translation depends on it.
///
/// @param available  whether it has an instruction at all; others end a block
/// @param countsZeros whether it has LZCNT and TZCNT; without them their encodings are BSR and BSF
public record GuestFeatures(Predicate<Instruction> available, boolean countsZeros) {}
