/// Fakes that behave as the contract says, driven by the test: [ManualClock] for time, [TestMemory] for guest RAM,
/// [RecordingLine] and [RecordingMsi] for interrupts, [RamDisk] for storage.
@NullMarked
package org.jvirt.testkit;

import org.jspecify.annotations.NullMarked;
