package org.jvirt.engine.soft.oracle;

/// Where a case's code and data lie, at the same virtual addresses on the host and in the guest.
///
/// ```
/// 0x1000_0000  code, one page and a second one for instructions that cross
/// 0x2000_0000  data: two pages; what lies around them is unmapped, so that wild operands fault
/// ```
final class TestLayout {
    static final long CODE = 0x1000_0000L;
    static final int CODE_BYTES = 0x2000;
    static final long DATA = 0x2000_0000L;
    static final int DATA_BYTES = 0x2000;

    private TestLayout() {}
}
