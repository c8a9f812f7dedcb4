/// A disk in a running machine: [LiveDisk] stands between a device and an image, so that what is below it can
/// change while the guest goes on.
///
/// ```
///   device ─> LiveDisk ── Throttle      limits on bytes and requests in a second
///                │   └─── ErrorPolicy   what becomes of a request that the host failed
///                ├─ gate: requests pass side by side, changes of what is below alone
///                ├─ ChangeWatcher       told of every change: block jobs, bitmaps
///                ▼
///             the image
/// ```
@NullMarked
package org.jvirt.images.live;

import org.jspecify.annotations.NullMarked;
