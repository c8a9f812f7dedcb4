/// How a guest's first instruction comes to be: a kernel loaded as a boot loader would, or firmware at the reset
/// vector.
///
/// - [KernelFile] tells the formats apart: [BzImage] (Linux), [PvhKernel] (ELF with a PVH note), [MultibootKernel].
/// - [FirmwareImage] is SeaBIOS, OVMF or the like.
/// - Each is a [BootLoader]: checked when it is made, and able to load itself again at every reset.
///
/// Memory that direct boot uses below 640 KiB, all of it free for the kernel once it has read it:
///
/// ```
/// 0x00500 GDT      0x06000 PVH start info, multiboot information    0x07000 Linux zero page
/// 0x09000 page tables of the 64-bit entry                           0x10000 Linux setup_data
/// 0x20000 command line
/// ```
///
/// Start at [BootLoader]. Source: Linux `Documentation/arch/x86/boot.rst`; Xen's `start_info.h`; Multiboot
/// specification 0.6.96.
@NullMarked
package org.jvirt.machine.boot;

import org.jspecify.annotations.NullMarked;
