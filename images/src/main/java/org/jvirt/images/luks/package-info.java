/// LUKS version 1, as cryptsetup and QEMU write it: a header with eight key slots, and content encrypted sector by
/// sector.
///
/// ```
/// LuksImage ── a disk whose file begins with the header         qcow2 ── keeps the same header in a cluster range
///     │                                                           │
///     └──────────────> LuksVolume: header + passphrase ───────────┘
///                        │            └─ LuksKeySlot, AntiForensic, LuksHash: passphrase → master key
///                        └─ SectorCipher: master key + sector number → bytes
/// ```
///
/// Start reading at [LuksVolume]. Names and layout: Fruhwirth, *LUKS1 On-Disk Format Specification* 1.2.3. Ciphers
/// are those the JDK has, which is AES; Serpent, Twofish, CAST5 and 3DES are refused by name.
@NullMarked
package org.jvirt.images.luks;

import org.jspecify.annotations.NullMarked;
