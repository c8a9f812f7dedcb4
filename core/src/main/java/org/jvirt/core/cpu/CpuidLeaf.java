package org.jvirt.core.cpu;

/// One answer of the CPUID instruction.
///
/// @param function EAX on input
/// @param index    ECX on input; 0 for functions that do not look at it
public record CpuidLeaf(int function, int index, int eax, int ebx, int ecx, int edx) {}
