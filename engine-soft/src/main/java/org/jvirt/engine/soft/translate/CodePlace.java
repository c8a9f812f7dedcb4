package org.jvirt.engine.soft.translate;

import org.jvirt.x86.CodeWriter;

/// Where new host code goes.
interface CodePlace {
    /// Offset of the next block.
    int end();

    /// Takes a block whose code stands at [#end].
    void add(TranslatedBlock block, CodeWriter writer);
}
