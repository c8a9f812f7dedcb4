@NullMarked
package org.jvirt.x86;

import org.jspecify.annotations.NullMarked;
