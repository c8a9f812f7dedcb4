package org.jvirt.engine.soft.translate;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// What a processor's translator has done so far, for Java's flight recorder: about once a second while the guest's
/// timer ticks, whenever the code cache has been full, and at the end.
@Name("org.jvirt.Translator")
@Label("Translator")
@Description("What a processor's translator has done since it began")
@Category("jvirt")
@StackTrace(false)
final class TranslatorEvent extends Event {
    @Label("Processor")
    int processor;

    @Label("Blocks Translated")
    long translated;

    @Label("Blocks Recalled")
    @Description("Translations taken from the store")
    long recalled;

    @Label("Blocks Recalled With Others")
    @Description("Of those recalled: they came along with another one of the same page")
    long neighbours;

    @Label("Blocks Not Found")
    @Description("Looked for in the store in vain")
    long notRecalled;

    @Label("Blocks Moved")
    @Description("Translations moved to where a page of guest code is now")
    long moved;

    @Label("Blocks Invalidated")
    long invalidated;

    @Label("Blocks Evicted")
    @Description("Translations that gave way to others in the code cache")
    long evicted;

    @Label("Code Cache Rounds")
    @Description("How often the code cache has begun anew at its start")
    long rounds;

    @Label("Code Cache Used")
    @DataAmount
    long cacheBytes;

    @Label("Exits: TLB Misses")
    long misses;

    @Label("Exits: Slow Accesses")
    long slowAccesses;

    @Label("Exits: Interpreted Instructions")
    long interpreted;

    @Label("Exits: Branches Not Linked")
    long unlinked;

    @Label("Exits: Unknown Targets")
    long unknownTargets;

    @Label("Exits: Requests")
    long requests;

    @Label("Untranslatable Executions")
    long untranslatable;

    @Label("Executions Verified")
    long verified;
}
