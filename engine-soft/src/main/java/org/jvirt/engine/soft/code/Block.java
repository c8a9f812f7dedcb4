package org.jvirt.engine.soft.code;

import org.jspecify.annotations.Nullable;
import org.jvirt.engine.soft.translate.TranslatedBlock;

/// A run of instructions that is entered at the top: up to a control transfer, the end of the page or a maximum.
///
/// It depends on nothing but the bytes and the [#key]: it runs at any linear address that shows these bytes. There
/// are many, so what only the interpreter needs is apart and goes once there is a translation:
///
/// ```
/// found in the store ──→ translated, never decoded ──┐ an address without a translation
///                                  ↑                 ↓
/// not found there ──→ decoded ── hot ──→ translated ──→ decoded once more
/// ```
final class Block {
    /// Of blocks whose code is nowhere in memory, or that exist for one execution.
    static final long NOWHERE = -1;

    static final int NEVER = -1;
    static final int MOST_HEAT = Short.MAX_VALUE;

    private static final int PAGE_SHIFT = 12;

    /// Backing offset of the first byte.
    final long at;
    /// Mode key and whether it is for single-stepping.
    final int key;
    /// Backing page of the second part of an instruction that crosses pages, or -1.
    private final int secondPage;
    /// Bytes of the instructions; 0 as long as they have never been decoded.
    private short length;
    /// How many of them are on the first page.
    private short firstPart;

    boolean valid = true;
    /// The first instruction is not for translation.
    boolean untranslatable;
    /// The store's state when it was last asked for a translation that it did not have.
    int soughtAt = NEVER;
    /// How often it has been executed while it had no translation, up to [#MOST_HEAT].
    private short heat;

    /// Further bytes of the page that translations depend on, as offsets in the page; the last is -1 for none.
    private short alsoFirst = Short.MAX_VALUE;

    private short alsoLast = -1;

    /// For the interpreter; null while only translations are executed.
    @Nullable
    DecodedRun decoded;
    /// Translations, for the addresses and rights it has been found hot at.
    @Nullable
    TranslatedBlock translations;

    @Nullable
    Block nextInBucket;

    /// One that has not been decoded.
    Block(long at, int key) {
        this.at = at;
        this.key = key;
        secondPage = -1;
    }

    /// @param secondPage -1 for none
    /// @param firstPart  how many bytes are on the first page
    Block(long at, int key, DecodedRun decoded, long secondPage, int firstPart) {
        this.at = at;
        this.key = key;
        this.decoded = decoded;
        this.secondPage = (int) secondPage;
        length = (short) decoded.length;
        this.firstPart = (short) firstPart;
    }

    /// Takes what has been decoded of a block that lies on one page, or once more of another.
    void decoded(DecodedRun run) {
        decoded = run;
        if (length == 0) {
            length = (short) run.length;
            firstPart = length;
        }
    }

    int length() {
        return length;
    }

    int firstPart() {
        return firstPart;
    }

    /// Backing page of the second part of an instruction that crosses pages, or -1.
    long secondPage() {
        return secondPage;
    }

    long page() {
        return at >>> PAGE_SHIFT;
    }

    /// Whether it has a place in memory and the translator has not refused it.
    boolean isTranslatable() {
        return at != NOWHERE && !untranslatable;
    }

    /// Whether one of its translations is good for executing.
    boolean isTranslated() {
        return translations != null && translations.hasValid();
    }

    /// Whether the store has been asked for a translation.
    boolean isSought() {
        return soughtAt != NEVER;
    }

    int heat() {
        return heat;
    }

    void heat(int executions) {
        heat = (short) Math.min(executions, MOST_HEAT);
    }

    /// Notes that translations depend on more bytes of the page: offsets of the first and the last.
    void dependsOn(int first, int last) {
        alsoFirst = (short) Math.min(alsoFirst, first);
        alsoLast = (short) Math.max(alsoLast, last);
    }

    /// First offset in the page that translations depend on.
    int alsoFirst() {
        return alsoFirst;
    }

    /// Last offset in the page that translations depend on; -1 for none.
    int alsoLast() {
        return alsoLast;
    }

    /// It is no more: keeps nothing else alive.
    void end() {
        valid = false;
        decoded = null;
        translations = null;
    }
}
