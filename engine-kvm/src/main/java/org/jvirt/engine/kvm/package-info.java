/// Linux KVM as an engine.
///
/// [org.jvirt.engine.kvm.KvmHypervisor] is the door, [org.jvirt.engine.kvm.KvmProbe] says whether it opens here.
///
/// Source: Linux, Documentation/virt/kvm/api.rst ("API" below), and the UAPI headers `linux/kvm.h` and `asm/kvm.h`.
@NullMarked
package org.jvirt.engine.kvm;

import org.jspecify.annotations.NullMarked;
