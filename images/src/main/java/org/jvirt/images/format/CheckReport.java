package org.jvirt.images.format;

import java.util.List;

/// What a check has found, and mended.
///
/// @param leaks              clusters that nothing refers to, still there
/// @param corruptions        errors that lose or mix up data, still there
/// @param checkErrors        parts that could not be checked
/// @param leaksFixed         leaks that have been mended
/// @param corruptionsFixed   errors that have been mended
/// @param totalClusters      clusters the disk is made of, 0 where the format has none
/// @param allocatedClusters  of which have space
/// @param fragmentedClusters of which do not follow their neighbour
/// @param compressedClusters of which are compressed
/// @param imageEndOffset     the first byte of the file behind everything in use
/// @param messages           one for each finding, for a person, in the order found; bounded
public record CheckReport(
        long leaks,
        long corruptions,
        long checkErrors,
        long leaksFixed,
        long corruptionsFixed,
        long totalClusters,
        long allocatedClusters,
        long fragmentedClusters,
        long compressedClusters,
        long imageEndOffset,
        List<String> messages) {
    public CheckReport {
        messages = List.copyOf(messages);
    }
}
