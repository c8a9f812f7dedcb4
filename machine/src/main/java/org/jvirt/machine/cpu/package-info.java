/// What the guest's processor claims to be: named models ([CpuModel]), a user's choice of one with features
/// switched on and off ([CpuChoice]), and the CPUID answers made from it ([CpuidBuilder]).
///
/// Nothing is promised that the engine lacks: [CpuChoice#resolve] refuses, by name, what
/// [org.jvirt.core.Hypervisor#supportedFeatures] does not have. Start at [CpuChoice].
///
/// Source: Intel SDM volume 2, CPUID; the x86-64 psABI's micro-architecture levels; Linux
/// `Documentation/virt/kvm/x86/cpuid.rst` for the paravirtual leaves.
@NullMarked
package org.jvirt.machine.cpu;

import org.jspecify.annotations.NullMarked;
