/// Aids to test the server from inside.
@NullMarked
package org.jvirt.images.nbd.server;

import org.jspecify.annotations.NullMarked;
