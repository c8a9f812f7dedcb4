package org.jvirt.engine.soft.translate.verify;

import java.util.List;
import java.util.Optional;
import org.jvirt.core.RunResult;
import org.jvirt.core.cpu.CpuState;

/// Everything that a program has left behind.
///
/// @param result       how the run ended, or nothing when the program went on beyond its limit
/// @param log          one record for each time the program ended, as [Slot] describes it
/// @param data         the content of each page of data
/// @param code         the code, which programs may change
/// @param tables       the page tables, for their accessed and dirty bits
/// @param accesses     ports and device registers: two numbers for each access
/// @param instructions how many were executed, as the engine counts
record Outcome(
        Optional<RunResult> result,
        CpuState state,
        byte[] log,
        byte[][] data,
        byte[] code,
        byte[] tables,
        List<Long> accesses,
        long instructions) {}
