/// What this host offers to virtual machines, and what to do about what is missing. Start at [Doctor].
@NullMarked
package org.jvirt.cli.doctor;

import org.jspecify.annotations.NullMarked;
