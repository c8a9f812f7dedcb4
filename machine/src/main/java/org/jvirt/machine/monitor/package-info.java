/// The monitor for people: [Monitor] takes a line of text and answers with text.
@NullMarked
package org.jvirt.machine.monitor;

import org.jspecify.annotations.NullMarked;
