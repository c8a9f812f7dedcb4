package org.jvirt.engine.soft.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.jvirt.x86.CodeSize;

class HostProcessorTest {
    @Test
    void oneInstructionRunsOnTheHost() throws IOException {
        try (var host = new HostProcessor(CodeSize.CODE64)) {
            var state = new MachineState();
            state.rip = TestLayout.CODE;
            state.general[0] = 5;
            state.general[3] = 7;
            state.flags = 0x202;
            host.loadCode(TestLayout.CODE, new byte[] {0x48, 0x01, (byte) 0xd8}); // add rax, rbx
            assertThat(host.step(state).signal()).isEqualTo(5);
            assertThat(state.general[0]).isEqualTo(12);
            assertThat(state.rip).isEqualTo(TestLayout.CODE + 3);
        }
    }

    @Test
    void oneInstructionRunsOnTheHostAs32BitCode() throws IOException {
        try (var host = new HostProcessor(CodeSize.CODE32)) {
            var state = new MachineState();
            state.rip = TestLayout.CODE;
            state.general[0] = 0xffff_ffffL;
            state.flags = 0x202;
            host.loadCode(TestLayout.CODE, new byte[] {0x40, (byte) 0x90}); // inc eax; in 64-bit code a REX prefix
            assertThat(host.step(state).signal()).isEqualTo(5);
            assertThat(state.general[0]).isZero();
            assertThat(state.rip).isEqualTo(TestLayout.CODE + 1);
        }
    }

    @Test
    void aFaultIsReportedWithItsAddressAndTheProcessLives() throws IOException {
        try (var host = new HostProcessor(CodeSize.CODE64)) {
            var state = new MachineState();
            state.rip = TestLayout.CODE;
            state.general[3] = 0x1234_5678L;
            state.flags = 0x202;
            host.loadCode(TestLayout.CODE, new byte[] {0x48, (byte) 0x8b, 0x03}); // mov rax, [rbx]
            var stop = host.step(state);
            assertThat(stop.signal()).isEqualTo(11);
            assertThat(stop.address()).isEqualTo(0x1234_5678L);
            assertThat(state.rip).isEqualTo(TestLayout.CODE);
            host.loadCode(TestLayout.CODE, new byte[] {(byte) 0x0f, 0x0b}); // ud2
            assertThat(host.step(state).signal()).isEqualTo(4);
        }
    }

    @Test
    void extendedStateGoesInAndOut() throws IOException {
        try (var host = new HostProcessor(CodeSize.CODE64)) {
            var state = new MachineState();
            host.readExtended(state);
            state.extended[160] = 42; // xmm0
            host.loadExtended(state);
            state.rip = TestLayout.CODE;
            state.flags = 0x202;
            host.loadCode(TestLayout.CODE, new byte[] {0x66, 0x0f, 0x6f, (byte) 0xc8}); // movdqa xmm1, xmm0
            assertThat(host.step(state).signal()).isEqualTo(5);
            host.readExtended(state);
            assertThat(state.extended[176]).isEqualTo((byte) 42);
        }
    }
}
