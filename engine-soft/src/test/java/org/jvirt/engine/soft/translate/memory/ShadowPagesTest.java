package org.jvirt.engine.soft.translate.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.jvirt.core.GuestMemory;
import org.jvirt.testkit.TestMemory;

final class ShadowPagesTest {
    private static final int PAGE = 0x3000;
    private static final int OTHER = 0x5000;

    private final GuestMemory memory = TestMemory.ofBytes(1 << 20);
    private final ShadowPages pages = new ShadowPages(memory, "test-shadow");

    @BeforeEach
    void copyOfAPage() {
        memory.fill(PAGE, 0x1000, (byte) 7);
        pages.begin();
        pages.redirect(PAGE);
    }

    @AfterEach
    void close() {
        pages.close();
        memory.close();
    }

    private void translatedStores(int page, int offset, int value) {
        pages.copyOf(page).set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    private void interpreterStores(int gpa, int value) {
        pages.storing(gpa, 1);
        memory.writeByte(gpa, value);
    }

    @Test
    void copiesShowWhatThePageHeldAndLeaveItAlone() {
        assertThat(pages.copyOf(PAGE).get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 7);
        translatedStores(PAGE, 5, 9);
        assertThat(memory.readByte(PAGE + 5)).isEqualTo(7);
    }

    @Test
    void equalStoresAreNoDifference() {
        translatedStores(PAGE, 0x10, 9);
        interpreterStores(PAGE + 0x10, 9);
        assertThat(pages.difference()).isEmpty();
    }

    @Test
    void aStoreOfOneSideOnlyIsADifference() {
        translatedStores(PAGE, 0x10, 9);
        assertThat(pages.difference()).contains(new ShadowPages.Difference(PAGE + 0x10, 9, 7));
        interpreterStores(PAGE + 0x10, 9);
        interpreterStores(PAGE + 0x20, 1);
        assertThat(pages.difference()).contains(new ShadowPages.Difference(PAGE + 0x20, 7, 1));
    }

    @Test
    void aStoreToAPageThatTheOtherSideDoesNotTouchIsADifference() {
        interpreterStores(OTHER + 0x10, 9);
        assertThat(pages.difference()).contains(new ShadowPages.Difference(OTHER + 0x10, 0, 9));
    }

    @Test
    void whatADeviceWritesMeanwhileIsNone() {
        translatedStores(PAGE, 0x10, 9);
        interpreterStores(PAGE + 0x10, 9);
        memory.writeByte(PAGE + 0x100, 33);
        assertThat(pages.difference()).isEmpty();
    }

    @Test
    void aSecondRunSeesWhatADeviceHasWrittenButNotTheInterpretersStores() {
        interpreterStores(PAGE + 0x10, 9);
        memory.writeByte(PAGE + 0x100, 33);
        pages.again();
        assertThat(pages.copyOf(PAGE).get(ValueLayout.JAVA_BYTE, 0x10)).isEqualTo((byte) 7);
        assertThat(pages.copyOf(PAGE).get(ValueLayout.JAVA_BYTE, 0x100)).isEqualTo((byte) 33);
        translatedStores(PAGE, 0x10, 9);
        assertThat(pages.difference()).isEmpty();
    }

    @Test
    void thereIsRoomForManyPagesButNotForAll() {
        for (int page = 0; page < 127; page++) {
            assertThat(pages.redirect(0x1_0000 + 0x1000L * page)).isNotZero();
        }
        assertThat(pages.redirect(0xF_0000)).isZero();
    }
}
