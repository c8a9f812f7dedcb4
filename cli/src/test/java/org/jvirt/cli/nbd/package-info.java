/// `jvirt nbd` as users run it.
@NullMarked
package org.jvirt.cli.nbd;

import org.jspecify.annotations.NullMarked;
