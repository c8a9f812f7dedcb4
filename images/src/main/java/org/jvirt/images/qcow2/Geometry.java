package org.jvirt.images.qcow2;

/// The sizes that follow from an image's header.
///
/// ```
/// guest offset   ┌─────────────┬─────────────┬──────────────────────┐
///                │  L1 index   │  L2 index   │  offset in cluster   │
///                └─────────────┴─────────────┴──────────────────────┘
///                                l2Bits        clusterBits
/// ```
///
/// An L2 table is one cluster of entries: 8 bytes each, or 16 with extended L2, where a cluster has 32 subclusters.
/// A refcount block is one cluster of counters.
///
/// @param clusterBits   9 to 21
/// @param extendedL2    whether clusters have subclusters
/// @param refcountOrder 0 to 6: a counter has `1 << refcountOrder` bits
record Geometry(int clusterBits, boolean extendedL2, int refcountOrder) {
    static final int MIN_CLUSTER_BITS = 9;
    static final int MAX_CLUSTER_BITS = 21;
    static final int MIN_EXTENDED_CLUSTER_BITS = 14;

    int clusterBytes() {
        return 1 << clusterBits;
    }

    long inCluster(long offset) {
        return offset & (clusterBytes() - 1);
    }

    long alignDown(long offset) {
        return offset & -clusterBytes();
    }

    long alignUp(long offset) {
        return (offset + clusterBytes() - 1) & -clusterBytes();
    }

    /// How many clusters hold so many bytes.
    long clusters(long bytes) {
        return (bytes >>> clusterBits) + (inCluster(bytes) == 0 ? 0 : 1);
    }

    int l2EntryBytes() {
        return extendedL2 ? 16 : 8;
    }

    int l2Bits() {
        return clusterBits - (extendedL2 ? 4 : 3);
    }

    int l2Entries() {
        return 1 << l2Bits();
    }

    /// How many bits of a guest offset one L1 entry covers.
    int l1SpanBits() {
        return clusterBits + l2Bits();
    }

    long l1Index(long guestOffset) {
        return guestOffset >>> l1SpanBits();
    }

    int l2Index(long guestOffset) {
        return (int) (guestOffset >>> clusterBits) & (l2Entries() - 1);
    }

    /// L1 entries for a disk of so many bytes.
    long l1Entries(long diskBytes) {
        long span = 1L << l1SpanBits();
        return (diskBytes >>> l1SpanBits()) + ((diskBytes & (span - 1)) == 0 ? 0 : 1);
    }

    int subclusters() {
        return extendedL2 ? 32 : 1;
    }

    int subclusterBits() {
        return extendedL2 ? clusterBits - 5 : clusterBits;
    }

    int subclusterBytes() {
        return 1 << subclusterBits();
    }

    int subclusterIndex(long guestOffset) {
        return (int) (inCluster(guestOffset) >>> subclusterBits());
    }

    /// One bit for each subcluster.
    long subclusterMask() {
        return (1L << subclusters()) - 1;
    }

    /// One bit for each subcluster that the bytes from `from` up to `to` of a cluster touch.
    long subclusterMask(long from, long to) {
        int first = (int) (from >>> subclusterBits());
        int behind = (int) ((to + subclusterBytes() - 1) >>> subclusterBits());
        return ((1L << behind) - 1) & -(1L << first);
    }

    int refcountBits() {
        return 1 << refcountOrder;
    }

    /// The logarithm of how many counters a refcount block has.
    int refcountBlockBits() {
        return clusterBits + 3 - refcountOrder;
    }

    int refcountBlockEntries() {
        return 1 << refcountBlockBits();
    }

    /// The largest count, as far as a long can tell.
    long maxRefcount() {
        return refcountOrder == 6 ? Long.MAX_VALUE : (1L << refcountBits()) - 1;
    }
}
