/// The `jvirt` command. Start at [Main]; each subcommand is one class.
@NullMarked
package org.jvirt.cli;

import org.jspecify.annotations.NullMarked;
