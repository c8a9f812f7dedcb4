/// Code that breaks the rules; it is read as class files and never run.
@NullMarked
package org.jvirt.architecture.samples;

import org.jspecify.annotations.NullMarked;
