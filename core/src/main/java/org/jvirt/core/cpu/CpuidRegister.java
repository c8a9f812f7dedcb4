package org.jvirt.core.cpu;

/// The output registers of CPUID.
public enum CpuidRegister {
    EAX,
    EBX,
    ECX,
    EDX;

    public int of(CpuidLeaf leaf) {
        return switch (this) {
            case EAX -> leaf.eax();
            case EBX -> leaf.ebx();
            case ECX -> leaf.ecx();
            case EDX -> leaf.edx();
        };
    }
}
