/// The raw format: the disk is the file.
@NullMarked
package org.jvirt.images.raw;

import org.jspecify.annotations.NullMarked;
