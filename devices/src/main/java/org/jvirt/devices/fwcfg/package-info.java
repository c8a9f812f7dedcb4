/// QEMU's firmware configuration device, which SeaBIOS, OVMF and Linux ask about the machine. [FwCfg] is the
/// device, its content is collected by [FwCfg.Builder], and [FwCfgKey] names the fixed keys.
///
/// Source: QEMU documentation, `docs/specs/fw_cfg`.
@NullMarked
package org.jvirt.devices.fwcfg;

import org.jspecify.annotations.NullMarked;
