package org.jvirt.images.qcow2;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.images.format.CheckReport;

/// What a check finds, while it is under way. Not thread-safe.
final class CheckFindings {
    private static final int MAX_MESSAGES = 1000;

    long leaks;
    long corruptions;
    long checkErrors;
    long leaksFixed;
    long corruptionsFixed;
    long allocated;
    long fragmented;
    long compressed;
    long endOffset;
    /// Whether the refcount table or its blocks are broken themselves.
    boolean refcountsBroken;

    private final List<String> messages = new ArrayList<>();

    void say(String message) {
        if (messages.size() < MAX_MESSAGES) {
            messages.add(message);
        } else if (messages.size() == MAX_MESSAGES) {
            messages.add("More errors are not shown");
        }
    }

    void corrupt(String message) {
        corruptions++;
        say("ERROR " + message);
    }

    List<String> messages() {
        return messages;
    }

    CheckReport report(long totalClusters) {
        return new CheckReport(
                leaks,
                corruptions,
                checkErrors,
                leaksFixed,
                corruptionsFixed,
                totalClusters,
                allocated,
                fragmented,
                compressed,
                endOffset,
                messages);
    }
}
