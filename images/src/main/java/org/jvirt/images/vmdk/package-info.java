/// VMDK, the format of VMware: a descriptor in text, in a file of its own or inside of the only other one, and
/// extents that hold the disk's parts.
///
/// ```
/// VmdkDriver ── VmdkDescriptor ── which extents, which parent (by name and CID)
///     └─ VmdkImage
///          └─ VmdkExtent ── StoredExtent      flat, zero, or sparse (SparseHeader, SparseMap) on a BlockStore
///                       └── CompressedExtent  streamOptimized: deflated grains, appended once each
/// ```
///
/// Names and layout: VMware, *Virtual Disk Format 5.0*. Not supported: COWD (vmfsSparse) and SESPARSE extents.
@NullMarked
package org.jvirt.images.vmdk;

import org.jspecify.annotations.NullMarked;
