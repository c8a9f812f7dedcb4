/// What tests of image formats share: files in memory, a recorder of host writes, and the replay of crashes.
@NullMarked
package org.jvirt.images.testing;

import org.jspecify.annotations.NullMarked;
