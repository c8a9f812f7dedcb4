package org.jvirt.engine.soft.translate;

/// What a translator has done since it began. Written by its processor's thread; others may read approximate
/// values.
public final class TranslatorCounters {
    private final InterpretedInstructions instructions;

    /// Blocks translated.
    long translated;
    /// Translations taken from the store, how many of them have come along with others, and looked for in vain.
    long recalled;

    long neighbours;
    long notRecalled;
    /// Translations given up because the guest's code changed.
    long invalidated;
    /// Pages whose translations were moved to another address, and how many these were.
    long movedPages;

    long moved;
    /// Translations that gave way to others in the code cache, and how often that has begun anew at its start.
    long evicted;

    long rounds;
    /// Bytes of the code cache in use.
    long cacheBytes;
    /// TLB entries filled.
    long misses;
    /// Those that generated code has filled itself, as told last.
    long walks;
    /// Page faults that generated code has delivered itself, as told last.
    long faults;
    /// Stores that generated code has done beside code, as told last.
    long passes;
    /// Accesses left to the interpreter: devices, faults, page crossings to memory elsewhere, code that is changed.
    long slowAccesses;
    /// Instructions left to the interpreter.
    long interpreted;
    /// Direct branches not linked yet.
    long unlinked;
    /// Indirect branches whose target was not in the jump table.
    long unknownTargets;
    /// Exits on request.
    long requests;
    /// Executions of blocks whose first instruction is not for translation.
    long untranslatable;
    /// Executions of blocks compared with the interpreter.
    long verified;

    private static final long PERIOD_NANOS = 1_000_000_000L;

    private long lastEvent;

    /// Tells the flight recorder, if it wants to know and has not been told for a second.
    void tellSometimes(int processor) {
        var event = new TranslatorEvent();
        if (event.isEnabled() && System.nanoTime() - lastEvent >= PERIOD_NANOS) {
            tell(processor, event);
        }
    }

    /// Tells the flight recorder, if it wants to know.
    void tell(int processor) {
        var event = new TranslatorEvent();
        if (event.isEnabled()) {
            tell(processor, event);
        }
    }

    private void tell(int processor, TranslatorEvent event) {
        lastEvent = System.nanoTime();
        event.processor = processor;
        event.translated = translated;
        event.recalled = recalled;
        event.neighbours = neighbours;
        event.notRecalled = notRecalled;
        event.invalidated = invalidated;
        event.evicted = evicted;
        event.rounds = rounds;
        event.cacheBytes = cacheBytes;
        event.misses = misses;
        event.slowAccesses = slowAccesses;
        event.interpreted = interpreted;
        event.unlinked = unlinked;
        event.unknownTargets = unknownTargets;
        event.requests = requests;
        event.untranslatable = untranslatable;
        event.moved = moved;
        event.verified = verified;
        event.commit();
    }

    TranslatorCounters(InterpretedInstructions instructions) {
        this.instructions = instructions;
    }

    public long translated() {
        return translated;
    }

    public long recalled() {
        return recalled;
    }

    public long neighbours() {
        return neighbours;
    }

    public long unlinked() {
        return unlinked;
    }

    /// Generated code has filled so many TLB entries since it began, as an int that wraps.
    void walked(int count) {
        walks += count - (int) walks;
    }

    /// Generated code has delivered so many page faults since it began, as an int that wraps.
    void faulted(int count) {
        faults += count - (int) faults;
    }

    /// Generated code has done so many stores beside code since it began, as an int that wraps.
    void passed(int count) {
        passes += count - (int) passes;
    }

    public long verified() {
        return verified;
    }

    @Override
    public String toString() {
        return """
                translated %d, recalled %d (%d not found, neighbours %d), moved %d (pages %d), verified %d, invalidated %d, \
                evicted %d (rounds %d), cache %d KiB; page walks %d, page faults %d, \
                stores beside code %d; exits: misses %d, slow accesses %d, interpreted %d, unlinked %d, unknown targets %d, \
                requests %d; untranslatable blocks %d; interpreted instructions: %s""".formatted(
                        translated,
                        recalled,
                        notRecalled,
                        neighbours,
                        moved,
                        movedPages,
                        verified,
                        invalidated,
                        evicted,
                        rounds,
                        cacheBytes >> 10,
                        walks,
                        faults,
                        passes,
                        misses,
                        slowAccesses,
                        interpreted,
                        unlinked,
                        unknownTargets,
                        requests,
                        untranslatable,
                        instructions);
    }
}
