/// Programs that use jvirt as a library, each small enough to read at once and each run by a test. Start at
/// [HelloGuest].
@NullMarked
package org.jvirt.examples;

import org.jspecify.annotations.NullMarked;
