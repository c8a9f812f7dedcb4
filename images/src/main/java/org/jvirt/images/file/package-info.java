/// What image formats share: [HostFile], an open and locked file on the host with vectored, positional I/O.
@NullMarked
package org.jvirt.images.file;

import org.jspecify.annotations.NullMarked;
