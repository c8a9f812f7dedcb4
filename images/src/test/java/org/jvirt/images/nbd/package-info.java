/// NBD: server and client against each other, against real peers, and against hostile ones.
@NullMarked
package org.jvirt.images.nbd;

import org.jspecify.annotations.NullMarked;
