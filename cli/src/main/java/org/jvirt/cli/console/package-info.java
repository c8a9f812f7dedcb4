/// The user's terminal as the guest's serial line: raw mode that is always put back, escape keys, the monitor.
/// Start at [TerminalConsole].
@NullMarked
package org.jvirt.cli.console;

import org.jspecify.annotations.NullMarked;
