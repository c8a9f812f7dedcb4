/// Translations that outlive a processor: shared by all of a process, and kept on disk for the next.
///
/// Start at [org.jvirt.engine.soft.translate.store.CodeStore].
@NullMarked
package org.jvirt.engine.soft.translate.store;

import org.jspecify.annotations.NullMarked;
