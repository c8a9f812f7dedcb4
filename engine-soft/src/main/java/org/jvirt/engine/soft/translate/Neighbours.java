package org.jvirt.engine.soft.translate;

import org.jspecify.annotations.Nullable;

/// Who has the blocks of a page of guest code, for translations that come along with one that was wanted.
public interface Neighbours {
    /// Whether the block at a backing offset, if there is one, may have one more translation.
    boolean takes(long at);

    /// The translations that the block has, if there is one.
    @Nullable
    TranslatedBlock translations(long at);

    /// Gives the block one more, which is before the others now.
    ///
    /// @param dependsFrom the first and the last offset in the page that it depends on beside its own code
    void take(long at, TranslatedBlock made, int dependsFrom, int dependsTo);
}
