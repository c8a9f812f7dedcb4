package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.jvirt.x86.Mem.mem;
import static org.jvirt.x86.Registers.AX;
import static org.jvirt.x86.Registers.DX;
import static org.jvirt.x86.Registers.EAX;
import static org.jvirt.x86.Registers.EDX;
import static org.jvirt.x86.Registers.R15;
import static org.jvirt.x86.Registers.RAX;
import static org.jvirt.x86.Registers.RBX;
import static org.jvirt.x86.Registers.RCX;
import static org.jvirt.x86.Registers.RDX;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Cpu;
import org.jvirt.engine.soft.cpu.TestProcessor;
import org.jvirt.x86.Assembler;

/// Two processors work on the same memory; nothing may be lost.
class LockedOpsTest {
    private static final int ROUNDS = 20_000;
    private static final long COUNTER = 0x2_0000;
    /// Crosses eight bytes, and the end of a page.
    private static final long SPLIT = 0x2_1FFE;

    private final TestProcessor machine = TestProcessor.long64();
    private final Cpu second = machine.another();

    @AfterEach
    void close() {
        machine.close();
    }

    private void onBoth(long address, Consumer<Assembler> source) throws InterruptedException, ExecutionException {
        try (var pool = Executors.newFixedThreadPool(2)) {
            List<Callable<Boolean>> jobs = new ArrayList<>();
            for (Cpu cpu : List.of(machine.cpu, second)) {
                jobs.add(() -> {
                    cpu.r[15] = address;
                    cpu.r[Cpu.RSP] = 0x8000 + 0x1000L * cpu.index();
                    new Program(cpu).run(source);
                    return true;
                });
            }
            for (Future<Boolean> job : pool.invokeAll(jobs)) {
                assertThat(job.get()).isTrue();
            }
        }
    }

    @Test
    void lockedAdditionsAndIncrementsAllCount() throws Exception {
        onBoth(
                COUNTER,
                a -> a.mov(RCX, ROUNDS)
                        .label("again")
                        .lock()
                        .add(mem(R15).qword(), 3)
                        .lock()
                        .inc(mem(R15).disp(8).dword())
                        .lock()
                        .add(mem(R15).disp(13).byteSize(), 1)
                        .lock()
                        .sub(mem(R15).disp(16).word(), 1)
                        .dec(RCX)
                        .jne("again"));
        assertThat(machine.memory.readLong(COUNTER)).isEqualTo(6L * ROUNDS);
        assertThat(machine.memory.readInt(COUNTER + 8)).isEqualTo(2 * ROUNDS);
        assertThat(machine.memory.readByte(COUNTER + 13)).isEqualTo(2 * ROUNDS & 0xFF);
        assertThat(machine.memory.readShort(COUNTER + 16)).isEqualTo(-2 * ROUNDS & 0xFFFF);
    }

    @Test
    void splitLocksAllCount() throws Exception {
        onBoth(
                SPLIT,
                a -> a.mov(RCX, ROUNDS)
                        .label("again")
                        .lock()
                        .inc(mem(R15).dword())
                        .dec(RCX)
                        .jne("again"));
        assertThat(machine.memory.readInt(SPLIT)).isEqualTo(2 * ROUNDS);
    }

    @Test
    void exchangedSumsHandOutEveryTicketOnce() throws Exception {
        onBoth(
                COUNTER,
                a -> a.mov(RCX, ROUNDS)
                        .mov(RBX, 0)
                        .label("again")
                        .mov(EAX, 1)
                        .lock()
                        .xadd(mem(R15), EAX)
                        .add(RBX, RAX)
                        .dec(RCX)
                        .jne("again"));
        long tickets = 2L * ROUNDS;
        assertThat(machine.cpu.r[Cpu.RBX] + second.r[Cpu.RBX]).isEqualTo(tickets * (tickets - 1) / 2);
    }

    @Test
    void compareAndExchangeLoopsAllSucceedOnce() throws Exception {
        onBoth(
                COUNTER,
                a -> a.mov(RCX, ROUNDS)
                        .label("again")
                        .mov(RAX, mem(R15))
                        .label("retry")
                        .mov(RDX, RAX)
                        .add(RDX, 5)
                        .lock()
                        .cmpxchg(mem(R15), RDX)
                        .jne("retry")
                        .label("narrow")
                        .mov(AX, mem(R15).disp(10))
                        .mov(EDX, EAX)
                        .add(EDX, 1)
                        .lock()
                        .cmpxchg(mem(R15).disp(10), DX)
                        .jne("narrow")
                        .dec(RCX)
                        .jne("again"));
        assertThat(machine.memory.readLong(COUNTER)).isEqualTo(10L * ROUNDS);
        assertThat(machine.memory.readShort(COUNTER + 10)).isEqualTo(2 * ROUNDS & 0xFFFF);
    }

    @Test
    void pairsChangeTogether() throws Exception {
        onBoth(
                COUNTER,
                a -> a.mov(RCX, 0)
                        .mov(RBX, ROUNDS)
                        .mov(RAX, 0)
                        .mov(RDX, 0)
                        .label("again")
                        .push(RBX)
                        .label("retry")
                        .mov(RBX, RAX)
                        .mov(RCX, RDX)
                        .add(RBX, 1)
                        .adc(RCX, 1)
                        .lock()
                        .cmpxchg16b(mem(R15))
                        .jne("retry")
                        .pop(RBX)
                        .dec(RBX)
                        .jne("again"));
        assertThat(machine.memory.readLong(COUNTER)).isEqualTo(2L * ROUNDS);
        assertThat(machine.memory.readLong(COUNTER + 8)).isEqualTo(2L * ROUNDS);
    }

    @Test
    void anExchangeWithMemoryIsAlwaysLocked() throws Exception {
        // a spin lock around a plain addition
        onBoth(
                COUNTER,
                a -> a.mov(RCX, ROUNDS / 10)
                        .label("again")
                        .mov(EAX, 1)
                        .label("spin")
                        .xchg(mem(R15), EAX)
                        .test(EAX, EAX)
                        .jne("spin")
                        .add(mem(R15).disp(64).qword(), 1)
                        .mov(mem(R15).dword(), 0)
                        .dec(RCX)
                        .jne("again"));
        assertThat(machine.memory.readLong(COUNTER + 64)).isEqualTo(2L * (ROUNDS / 10));
    }
}
